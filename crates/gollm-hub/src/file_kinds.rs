//! File kinds of a repository, by the names of the files alone.

use crate::names::FileName;

/// Whether it lies in no directory.
pub(crate) fn is_at_root(name: &FileName) -> bool {
    name.parts().count() == 1
}

/// What a folder holds besides its weights, all of it small.
pub(crate) fn is_beside_weights(name: &str) -> bool {
    matches!(
        name,
        "config.json"
            | "generation_config.json"
            | "special_tokens_map.json"
            | "added_tokens.json"
            | "vocab.json"
            | "merges.txt"
            | "tokenizer.model"
            | "chat_template.jinja"
            | "chat_template.json"
            | "model.safetensors.index.json"
    ) || (name.starts_with("tokenizer") && name.ends_with(".json"))
}

/// A file that is a model or a part of one, no projector of images.
pub(crate) fn is_model(name: &FileName) -> bool {
    let name = file_part(name.as_str()).to_ascii_lowercase();
    name.ends_with(".gguf") && !name.starts_with("mmproj") || name.ends_with(".gollm")
}

/// The name of one of the files of a model in several: `model-00001-of-00003.gguf`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartName<'a> {
    /// What the names of all parts begin with, directories included.
    pub(crate) prefix: &'a str,
    /// How many there are.
    pub(crate) count: usize,
}

impl<'a> PartName<'a> {
    /// Reads a name; `None` if it is that of a whole file.
    pub(crate) fn of(name: &'a str) -> Option<Self> {
        let (rest, count) = name.strip_suffix(".gguf")?.rsplit_once("-of-")?;
        let (prefix, number) = rest.rsplit_once('-')?;
        let is_number = |text: &str| text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit());
        if !is_number(number) || !is_number(count) {
            return None;
        }
        let (number, count) = (number.parse().ok()?, count.parse().ok()?);
        (1..=count)
            .contains(&number)
            .then_some(Self { prefix, count })
    }

    /// What part `number`, from 1, is called.
    pub(crate) fn name(&self, number: usize) -> String {
        format!("{}-{number:05}-of-{:05}.gguf", self.prefix, self.count)
    }
}

/// Whether a file's name has this type as a word: `Q4_0` in `model.Q4_0.gguf`, not in `IQ4_0` or
/// `Q4_0_4_4`.
pub(crate) fn has_type(name: &str, dtype: &str) -> bool {
    let (name, dtype) = (
        file_part(name).to_ascii_lowercase(),
        dtype.to_ascii_lowercase(),
    );
    name.match_indices(&dtype).any(|(at, _)| {
        let before = name[..at].bytes().next_back();
        let after = name[at + dtype.len()..].bytes().next();
        before.is_none_or(|byte| b"._-".contains(&byte))
            && after.is_none_or(|byte| b".-".contains(&byte))
    })
}

fn file_part(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}
