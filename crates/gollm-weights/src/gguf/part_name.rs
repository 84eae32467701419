//! What the files of a model in several are called: `NAME-00001-of-00003.gguf`, numbered from 1.
//!
//! Source: llama.cpp, `llama_split_path` in `src/llama-model-loader.cpp`.

use std::ffi::OsStr;

/// As many digits as both numbers have.
const N_DIGITS: usize = 5;

/// The name of a file that is one of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartName {
    /// What all of them begin with.
    prefix: String,
    /// Which one it is, from 0 as in the files' keys.
    pub(crate) index: usize,
    /// How many there are.
    pub(crate) count: usize,
}

impl PartName {
    /// Reads a name; `None` if it is that of no part.
    pub(crate) fn of(name: &OsStr) -> Option<Self> {
        let stem = name.to_str()?.strip_suffix(".gguf")?;
        let (rest, count) = stem.rsplit_once("-of-")?;
        let (prefix, number) = rest.rsplit_once('-')?;
        let (number, count) = (parsed(number)?, parsed(count)?);
        let index = number.checked_sub(1).filter(|index| *index < count)?;
        Some(Self {
            prefix: prefix.to_owned(),
            index,
            count,
        })
    }

    /// What part `index` of the same model is called.
    pub(crate) fn name(&self, index: usize) -> String {
        let (prefix, number, count) = (&self.prefix, index + 1, self.count);
        format!("{prefix}-{number:0N_DIGITS$}-of-{count:0N_DIGITS$}.gguf")
    }
}

fn parsed(digits: &str) -> Option<usize> {
    let is_number = digits.len() == N_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_its_number_and_how_many_there_are_in_its_name() {
        for (name, index, count) in [
            ("m-00001-of-00003.gguf", 0, 3),
            ("m-Q4_K_M-00003-of-00003.gguf", 2, 3),
            ("a b-00001-of-00002-00009-of-00010.gguf", 8, 10),
            ("-00001-of-00001.gguf", 0, 1),
        ] {
            let part = PartName::of(OsStr::new(name)).unwrap();
            assert_eq!((part.index, part.count), (index, count), "{name}");
            assert_eq!(part.name(index), name);
        }
        let part = PartName::of(OsStr::new("m-00001-of-00120.gguf")).unwrap();
        assert_eq!(part.name(98), "m-00099-of-00120.gguf");
    }

    #[test]
    fn other_names_are_those_of_whole_files() {
        for name in [
            "m.gguf",
            "m-00000-of-00003.gguf",
            "m-00004-of-00003.gguf",
            "m-1-of-3.gguf",
            "m-000001-of-000003.gguf",
            "m-+0001-of-00003.gguf",
            "m-00001-00003.gguf",
            "00001-of-00003.gguf",
            "m-00001-of-00003.gguf.part",
            "best-of-breed.gguf",
            "",
        ] {
            assert_eq!(PartName::of(OsStr::new(name)), None, "{name}");
        }
    }
}
