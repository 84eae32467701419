//! A model in several files: which they are, and that they are files of one model.
//!
//! `gguf-split` of llama.cpp and PyPI's `gguf` cut large models into files of their own, each with a list of
//! tensors and places that count from its own data. The first one has the model's values, and maybe no
//! tensors; the others say which one they are and little else. Every file comes from a stranger: what one says
//! of the whole is compared with what the others say, and nothing in a later one can change the first.
//!
//! Source: llama.cpp, `tools/gguf-split/gguf-split.cpp` and `src/llama-model-loader.cpp`.

use std::ffi::OsStr;
use std::path::PathBuf;

use gollm_tensor::HostBytes;

use super::MAGIC;
use super::container::Container;
use super::error::{GgufError, Result};
use super::part_name::PartName;
use crate::error::Error;
use crate::hf::folder::Folder;
use crate::host_file;

/// The most files of a model that are opened; the largest published ones have a hundred.
const MAX_PARTS: usize = 1000;
/// Missing files that an error names.
const MAX_SHOWN: usize = 3;

/// Which file it is, from 0.
const INDEX: &str = "split.no";
/// How many files there are.
const COUNT: &str = "split.count";
/// How many tensors all of them hold.
const N_TENSORS: &str = "split.tensors.count";
const ARCHITECTURE: &str = "general.architecture";

/// The files of a model, in order.
pub(crate) struct Parts {
    paths: Vec<PathBuf>,
    pub(crate) files: Vec<HostBytes>,
}

impl Parts {
    /// Opens all files of the model that the file called `name` belongs to, whose bytes are `named`.
    /// `None` if it is a model by itself.
    ///
    /// # Errors
    ///
    /// If a file is missing, leads out of the folder or cannot be read, or if name and keys disagree.
    pub(crate) fn open(
        folder: &Folder,
        name: &OsStr,
        named: &HostBytes,
        map: bool,
    ) -> crate::error::Result<Option<Self>> {
        let name = PartName::of(name).filter(|_| named.as_slice().starts_with(&MAGIC));
        let Some(name) = name else {
            return Ok(None);
        };
        let count = Container::parse(named.as_slice()).and_then(|file| count(&file));
        match count.map_err(Error::Gguf)? {
            1 => return Ok(None),
            found if found != name.count => {
                let expected = name.count;
                let problem = format!("it is {found}, but the file's name says {expected}");
                return Err(Error::Gguf(GgufError::key(COUNT, problem)));
            }
            _ => {}
        }
        let paths = paths(folder, &name)?;
        let files = paths.iter().enumerate().map(|(index, path)| {
            if index == name.index {
                return Ok(named.clone());
            }
            host_file::bytes(path, map).map_err(|error| error.in_file(path))
        });
        let files = files.collect::<crate::error::Result<_>>()?;
        Ok(Some(Self { paths, files }))
    }

    /// All files as one: the values of the first, the tensors of all.
    ///
    /// # Errors
    ///
    /// The first thing in which a file is none, or does not go with those before it; the error names it.
    pub(crate) fn join(&self) -> crate::error::Result<Container<'_>> {
        let mut whole = self.parse(0)?;
        for index in 1..self.files.len() {
            let part = self.parse(index)?;
            check_same_model(&whole, &part)
                .map_err(|error| self.in_file(index, Error::Gguf(error)))?;
            whole.append(part);
        }
        let n_tensors = whole.tensors.len();
        let why = "as all files together have; fetch all of them again";
        check(&whole, N_TENSORS, n_tensors, why)
            .map_err(|error| self.in_file(0, Error::Gguf(error)))?;
        self.check_names(&whole)?;
        Ok(whole)
    }

    fn parse(&self, index: usize) -> crate::error::Result<Container<'_>> {
        let bytes = self.files.get(index).map_or(&[][..], HostBytes::as_slice);
        let parsed = match bytes.starts_with(&MAGIC) {
            true => Container::parse(bytes),
            false => Err(GgufError::Part("it is no GGUF file".to_owned())),
        };
        let checked = parsed.and_then(|part| {
            check(&part, INDEX, index, "as the file's name says")?;
            check(&part, COUNT, self.files.len(), "as the other files say")?;
            Ok(part)
        });
        checked.map_err(|error| self.in_file(index, Error::Gguf(error)))
    }

    /// Each tensor lies in one file only.
    fn check_names(&self, whole: &Container<'_>) -> crate::error::Result<()> {
        let mut by_name: Vec<_> = whole.tensors.iter().collect();
        by_name.sort_unstable_by_key(|tensor| (tensor.name, tensor.file));
        let twice = by_name.windows(2).find(|pair| pair[0].name == pair[1].name);
        let Some([first, second]) = twice else {
            return Ok(());
        };
        let problem = format!(
            "it is there twice, the first time in part {}",
            first.file + 1
        );
        let error = GgufError::tensor(second.name, problem);
        Err(self.in_file(second.file, Error::Gguf(error)))
    }

    /// An error about one of the files.
    pub(crate) fn in_file(&self, index: usize, error: Error) -> Error {
        match self.paths.get(index) {
            Some(path) => error.in_file(path),
            None => error,
        }
    }
}

/// Refuses a file that is no model by itself.
pub(crate) fn check_whole(file: &Container<'_>) -> Result<()> {
    match count(file)? {
        1 => Ok(()),
        count => Err(GgufError::Part(format!(
            "there are {count}, and their names say which belong together; give it the name that it had, \
             which ends in -NNNNN-of-{count:05}.gguf, put the others beside it, and open it by its path"
        ))),
    }
}

/// How many files the model has that this one belongs to.
fn count(file: &Container<'_>) -> Result<usize> {
    match file.size(COUNT)? {
        // 0 is what `gguf-split` leaves in a file that it has merged.
        None | Some(0) => Ok(1),
        Some(count @ 1..=MAX_PARTS) => Ok(count),
        Some(count) => {
            let problem = format!("it is {count}, at most {MAX_PARTS} files are opened");
            Err(GgufError::key(COUNT, problem))
        }
    }
}

/// Where all files lie, each found.
fn paths(folder: &Folder, name: &PartName) -> crate::error::Result<Vec<PathBuf>> {
    let (mut paths, mut missing) = (Vec::new(), Vec::new());
    for name in (0..name.count).map(|index| name.name(index)) {
        match folder.find_entry(OsStr::new(&name))? {
            Some(path) => paths.push(path),
            None => missing.push(name),
        }
    }
    if missing.is_empty() {
        return Ok(paths);
    }
    let shown = missing.iter().take(MAX_SHOWN);
    let shown: Vec<String> = shown
        .map(|name| format!("`{}`", name.escape_debug()))
        .collect();
    let more = if missing.len() > MAX_SHOWN {
        " …"
    } else {
        ""
    };
    Err(Error::Gguf(GgufError::Part(format!(
        "{} of {} are missing in its folder: {}{more}; fetch them as well and put them there",
        missing.len(),
        name.count,
        shown.join(", ")
    ))))
}

/// Compares what a later file says with what those before it say.
fn check_same_model(whole: &Container<'_>, part: &Container<'_>) -> Result<()> {
    let (found, expected) = (part.version, whole.version);
    if found != expected {
        let problem = format!("it has GGUF version {found}, those before it have {expected}");
        return Err(GgufError::Part(problem));
    }
    let (found, expected) = (part.string(ARCHITECTURE)?, whole.string(ARCHITECTURE)?);
    if found.is_some() && found != expected {
        let shown = |name: Option<&str>| name.unwrap_or("missing").escape_debug().to_string();
        let problem = format!(
            "it is `{}`, in the first file `{}`",
            shown(found),
            shown(expected)
        );
        return Err(GgufError::key(ARCHITECTURE, problem));
    }
    match (part.size(N_TENSORS)?, whole.size(N_TENSORS)?) {
        (Some(_), Some(expected)) => check(part, N_TENSORS, expected, "as in the first file"),
        _ => Ok(()),
    }
}

fn check(file: &Container<'_>, key: &str, expected: usize, why: &str) -> Result<()> {
    let found = match file.size(key)? {
        Some(found) if found == expected => return Ok(()),
        Some(found) => found.to_string(),
        None => "missing".to_owned(),
    };
    let problem = format!("it is {found}, expected {expected}, {why}");
    Err(GgufError::key(key, problem))
}
