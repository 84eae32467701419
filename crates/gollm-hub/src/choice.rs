//! Model selection: which files of a repository make a model, judged by their names.

use crate::display::lines;
use crate::error::{Error, Result};
use crate::file_kinds::{is_at_root, is_beside_weights};
use crate::models::{Model, models};
use crate::names::FileName;

/// A file of a repository, there or here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: FileName,
    /// Its length in bytes, where that is known.
    pub size: Option<u64>,
}

/// What a model is opened as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A Hugging Face folder: `config.json`, `*.safetensors`, a tokenizer.
    Folder,
    /// One file that holds everything: GGUF or `.gollm`, or whatever was asked for by name. Of a
    /// GGUF model in parts, the first one.
    File(FileName),
}

/// The files that make a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// What to open.
    pub kind: Kind,
    /// What is needed, in the order of the list.
    pub files: Vec<FileName>,
}

/// Picks the files of a model from `files`. `choice` is the name of a file or a type that GGUF
/// files have in their names; without one there must be a folder, or exactly one model in a file or
/// in parts. A part stands for all of its model; of a whole file and parts of the same type, the
/// file is taken.
///
/// # Errors
///
/// If nothing fits, or more than one thing, or if parts are missing; the message lists what there
/// is. `of` is its subject.
pub fn choose(of: &str, files: &[Listed], choice: Option<&FileName>) -> Result<Chosen> {
    let models = models(files);
    if let Some(choice) = choice {
        return named(of, files, &models, choice);
    }
    let folder = folder(files);
    if !folder.is_empty() {
        let kind = Kind::Folder;
        return Ok(Chosen {
            kind,
            files: folder,
        });
    }
    let no_model = || Error::NoModel {
        of: of.to_owned(),
        files: lines(files.iter().map(Listed::name_and_size)),
    };
    only(of, models.iter().collect())?.ok_or_else(no_model)
}

/// The one model among these of which everything is there; `None` if there are none at all.
fn only(of: &str, candidates: Vec<&Model<'_>>) -> Result<Option<Chosen>> {
    let complete = candidates.iter().copied();
    let complete: Vec<&Model<'_>> = complete.filter(|model| model.is_complete()).collect();
    match (&complete[..], &candidates[..]) {
        ([model], _) => Ok(chosen(model.files.iter().copied())),
        ([], []) => Ok(None),
        ([], [first, ..]) => Err(Error::MissingParts {
            of: of.to_owned(),
            missing: first.missing(),
        }),
        (several, _) => Err(Error::Ambiguous {
            of: of.to_owned(),
            files: lines(several.iter().map(|model| model.name_and_size())),
        }),
    }
}

/// A file, or the parts of one in order.
fn chosen<'a>(files: impl Iterator<Item = &'a Listed>) -> Option<Chosen> {
    let files: Vec<FileName> = files.map(|file| file.name.clone()).collect();
    let kind = Kind::File(files.first()?.clone());
    Some(Chosen { kind, files })
}

fn named(of: &str, files: &[Listed], models: &[Model<'_>], choice: &FileName) -> Result<Chosen> {
    let no_such_file = || Error::NoSuchFile {
        of: of.to_owned(),
        wanted: choice.clone(),
        files: lines(files.iter().map(Listed::name_and_size)),
    };
    if let Some(model) = models.iter().find(|model| model.has_file(choice)) {
        return only(of, vec![model])?.ok_or_else(no_such_file);
    }
    let file = files.iter().find(|file| file.name == *choice);
    if let Some(chosen) = chosen(file.into_iter()) {
        return Ok(chosen);
    }
    let fits = models
        .iter()
        .filter(|model| model.has_type(choice.as_str()));
    let (whole, in_parts): (Vec<_>, Vec<_>) = fits.partition(|model| model.is_one_file());
    let candidates = if whole.is_empty() { in_parts } else { whole };
    only(of, candidates)?.ok_or_else(no_such_file)
}

/// The files of a Hugging Face folder, or none if the repository is no such folder.
fn folder(files: &[Listed]) -> Vec<FileName> {
    let has = |name: &str| files.iter().any(|file| file.name.as_str() == name);
    let weights =
        |file: &&Listed| is_at_root(&file.name) && file.name.as_str().ends_with(".safetensors");
    if !has("config.json") || !files.iter().any(|file| weights(&file)) {
        return Vec::new();
    }
    // Some repositories hold the same weights twice, the second time under names of other tools.
    let is_ours = |file: &Listed| file.name.as_str().starts_with("model");
    let some_are_ours = files.iter().any(|file| weights(&file) && is_ours(file));
    let needed = |file: &&Listed| {
        is_at_root(&file.name) && is_beside_weights(file.name.as_str())
            || weights(file) && (!some_are_ours || is_ours(file))
    };
    let needed = files.iter().filter(needed);
    needed.map(|file| file.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(names: &[&str]) -> Vec<Listed> {
        let file = |name: &&str| Listed {
            name: name.parse().unwrap(),
            size: Some(1_500_000),
        };
        names.iter().map(file).collect()
    }

    fn chosen(names: &[&str], choice: Option<&str>) -> Result<String> {
        let choice: Option<FileName> = choice.map(|choice| choice.parse().unwrap());
        let chosen = choose("a/b", &listed(names), choice.as_ref())?;
        let names: Vec<&str> = chosen.files.iter().map(FileName::as_str).collect();
        Ok(names.join(" "))
    }

    #[test]
    fn a_folder_is_its_config_its_tokenizer_and_one_set_of_weights() {
        let files = [
            "README.md",
            "config.json",
            "consolidated.safetensors",
            "model-00001-of-00002.safetensors",
            "model-00002-of-00002.safetensors",
            "model.safetensors.index.json",
            "onnx/model.safetensors",
            "pytorch_model.bin",
            "tokenizer.json",
            "tokenizer_config.json",
        ];
        assert_eq!(
            chosen(&files, None).unwrap(),
            "config.json model-00001-of-00002.safetensors model-00002-of-00002.safetensors \
             model.safetensors.index.json tokenizer.json tokenizer_config.json"
        );
        assert_eq!(
            chosen(&["config.json", "weights.safetensors"], None).unwrap(),
            "config.json weights.safetensors"
        );
    }

    #[test]
    fn one_whole_model_needs_no_choice_and_several_do() {
        let files = ["README.md", "m.Q4_0.gguf", "mmproj-m-f16.gguf"];
        assert_eq!(chosen(&files, None).unwrap(), "m.Q4_0.gguf");
        let files = [
            "m-Q4_0.gguf",
            "m-Q8_0.gguf",
            "m-IQ4_0.gguf",
            "m-Q4_0_4_4.gguf",
            "dir/m-Q5_1.gguf",
            "m-F16-00001-of-00002.gguf",
            "m-F16-00002-of-00002.gguf",
        ];
        let message = chosen(&files, None).unwrap_err().to_string();
        assert!(
            message.contains("m-Q8_0.gguf  1.5 MB") && message.contains(":Q4_0"),
            "{message}"
        );
        let parts = "m-F16-00001-of-00002.gguf (2 parts)  3.0 MB";
        assert!(message.contains(parts), "{message}");
        assert!(!message.contains("00002-of"), "{message}");
        for (choice, file) in [
            ("Q4_0", "m-Q4_0.gguf"),
            ("q8_0", "m-Q8_0.gguf"),
            ("Q5_1", "dir/m-Q5_1.gguf"),
            ("m-Q4_0_4_4.gguf", "m-Q4_0_4_4.gguf"),
            ("F16", "m-F16-00001-of-00002.gguf m-F16-00002-of-00002.gguf"),
        ] {
            assert_eq!(chosen(&files, Some(choice)).unwrap(), file);
        }
        for wrong in ["Q4", "4_0", "of", "00001", "Q6_K"] {
            assert!(matches!(
                chosen(&files, Some(wrong)),
                Err(Error::NoSuchFile { .. })
            ));
        }
    }

    #[test]
    fn a_repository_without_a_model_is_an_error_that_lists_what_there_is() {
        let message = chosen(&["README.md", "model.bin"], None)
            .unwrap_err()
            .to_string();
        assert!(message.contains("\n  model.bin"), "{message}");
        assert_eq!(
            chosen(&["README.md", "model.bin"], Some("model.bin")).unwrap(),
            "model.bin"
        );
        let many: Vec<String> = (0..100).map(|i| format!("{i}.txt")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let message = chosen(&many, None).unwrap_err().to_string();
        assert!(message.contains("and 76 more"), "{message}");
    }
}
