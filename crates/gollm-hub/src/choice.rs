//! Which files of a repository make a model, judged by their names.

use crate::error::{Error, Result};
use crate::file_kinds::{has_type, is_at_root, is_beside_weights, is_whole_model};
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
    /// One file that holds everything: GGUF or `.gollm`, or whatever was asked for by name.
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

/// Picks the files of a model from `files`. `choice` is the name of a file or a type that GGUF files
/// have in their names; without one there must be a folder, or exactly one file that holds a model.
///
/// # Errors
///
/// If nothing fits, or more than one thing; the message lists what there is. `of` is its subject.
pub fn choose(of: &str, files: &[Listed], choice: Option<&FileName>) -> Result<Chosen> {
    if let Some(choice) = choice {
        return named(of, files, choice);
    }
    let folder = folder(files);
    if !folder.is_empty() {
        let kind = Kind::Folder;
        return Ok(Chosen {
            kind,
            files: folder,
        });
    }
    let candidates: Vec<&Listed> = files
        .iter()
        .filter(|file| is_whole_model(&file.name))
        .collect();
    match candidates[..] {
        [file] => Ok(one(file)),
        [] => Err(Error::NoModel {
            of: of.to_owned(),
            files: described(files.iter()),
        }),
        _ => Err(Error::Ambiguous {
            of: of.to_owned(),
            files: described(candidates.into_iter()),
        }),
    }
}

fn one(file: &Listed) -> Chosen {
    Chosen {
        kind: Kind::File(file.name.clone()),
        files: vec![file.name.clone()],
    }
}

fn named(of: &str, files: &[Listed], choice: &FileName) -> Result<Chosen> {
    if let Some(file) = files.iter().find(|file| file.name == *choice) {
        return Ok(one(file));
    }
    let fits = |file: &&Listed| is_whole_model(&file.name) && has_type(&file.name, choice.as_str());
    let candidates: Vec<&Listed> = files.iter().filter(fits).collect();
    match candidates[..] {
        [file] => Ok(one(file)),
        [] => Err(Error::NoSuchFile {
            of: of.to_owned(),
            wanted: choice.clone(),
            files: described(files.iter()),
        }),
        _ => Err(Error::Ambiguous {
            of: of.to_owned(),
            files: described(candidates.into_iter()),
        }),
    }
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

/// How many files a message lists.
const N_SHOWN: usize = 24;

/// The names with their sizes, one on each line.
fn described<'a>(files: impl ExactSizeIterator<Item = &'a Listed>) -> String {
    let n_more = files.len().saturating_sub(N_SHOWN);
    let mut text = String::new();
    for file in files.take(N_SHOWN) {
        let size = file
            .size
            .map_or_else(String::new, |size| format!("  {:.1} MB", size as f64 / 1e6));
        text.push_str(&format!("\n  {}{size}", file.name));
    }
    match n_more {
        0 => text,
        _ => text + &format!("\n  and {n_more} more"),
    }
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
        assert!(!message.contains("F16"), "parts are no choice: {message}");
        for (choice, file) in [
            ("Q4_0", "m-Q4_0.gguf"),
            ("q8_0", "m-Q8_0.gguf"),
            ("Q5_1", "dir/m-Q5_1.gguf"),
            ("m-Q4_0_4_4.gguf", "m-Q4_0_4_4.gguf"),
        ] {
            assert_eq!(chosen(&files, Some(choice)).unwrap(), file);
        }
        for wrong in ["Q4", "4_0", "F16", "Q6_K"] {
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
