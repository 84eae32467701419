//! Models in several files: one model, whichever file is named.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

const N_PARTS: usize = 3;

/// The file of the other tests, cut into three, the first of which has no tensors if `first` is 0.
pub(crate) fn parts(first: usize) -> Vec<RawGguf> {
    f32_file().split(&[first, 7])
}

pub(crate) fn name(index: usize) -> String {
    format!("a model-{:05}-of-{N_PARTS:05}.gguf", index + 1)
}

pub(crate) fn write(parts: &[RawGguf], folder: &Path) -> Vec<PathBuf> {
    let path = |index| folder.join(name(index));
    let paths: Vec<PathBuf> = (0..parts.len()).map(path).collect();
    for (part, path) in parts.iter().zip(&paths) {
        fs::write(path, part.bytes()).unwrap();
    }
    paths
}

pub(crate) fn open_path(path: &Path) -> Result<ModelFile, gollm_weights::Error> {
    ModelFile::open(path, &OpenOptions::default())
}

#[test]
fn any_part_stands_for_the_whole_model() {
    let whole = open(&f32_file()).unwrap();
    for first in [4, 0] {
        let directory = tempfile::tempdir().unwrap();
        let parts = parts(first);
        let paths = write(&parts, directory.path());
        let n_bytes: usize = parts.iter().map(|part| part.bytes().len()).sum();
        let bytes: Vec<u8> = parts.iter().flat_map(RawGguf::bytes).collect();
        for path in &paths {
            for map in [true, false] {
                let options = OpenOptions { map, verify: true };
                let model = ModelFile::open(path, &options).unwrap();
                assert_eq!(model.format(), "GGUF version 3, 3 files");
                assert_eq!(model.metadata().config, whole.metadata().config);
                assert_eq!(model.tokenizer_json(), whole.tokenizer_json());
                assert_eq!(model.provenance(), whole.provenance());
                assert_eq!(model.file_bytes(), n_bytes);
                assert_eq!(model.blake3(), *blake3::hash(&bytes).as_bytes());
                assert_eq!(model.descriptors().len(), whole.descriptors().len());
                for tensor in whole.descriptors() {
                    let (here, there) = (model.bytes(&tensor.name), whole.bytes(&tensor.name));
                    let (here, there) = (here.unwrap(), there.unwrap());
                    assert_eq!(here.as_slice(), there.as_slice(), "{}", tensor.name);
                }
            }
        }
    }
}

#[test]
fn a_model_in_parts_becomes_one_file_of_either_kind() {
    let directory = tempfile::tempdir().unwrap();
    let paths = write(&parts(4), directory.path());
    let model = open_path(&paths[1]).unwrap();
    let (own, there) = (
        directory.path().join("own.gollm"),
        directory.path().join("there.gguf"),
    );
    convert(&model, &own).unwrap();
    export_gguf(&model, None, &there).unwrap();
    for path in [own, there] {
        let one = open_path(&path).unwrap();
        assert!(!one.format().contains("files"), "{}", one.format());
        for tensor in model.descriptors() {
            let (here, there) = (one.bytes(&tensor.name), model.bytes(&tensor.name));
            let (here, there) = (here.unwrap(), there.unwrap());
            assert_eq!(here.as_slice(), there.as_slice(), "{}", tensor.name);
        }
    }
}

#[test]
fn stretched_wavelengths_are_found_in_any_part() {
    let mut whole = f32_file();
    // All factors 1: nothing is stretched, but the numbers must be read to know it.
    let data = quantize(&[1.0, 1.0], DType::F32).unwrap();
    whole.tensors.push(RawTensor {
        name: "rope_freqs.weight".to_owned(),
        dims: vec![2],
        code: 0,
        offset: None,
        data,
    });
    let directory = tempfile::tempdir().unwrap();
    let paths = write(&whole.split(&[4, 7]), directory.path());
    let model = open_path(&paths[0]).unwrap();
    assert_eq!(model.config().rope_scaling, None);
    whole.tensors[12].data = quantize(&[1.0, 3.0], DType::F32).unwrap();
    let paths = write(&whole.split(&[4, 7]), directory.path());
    let message = open_path(&paths[0]).unwrap_err().to_string();
    assert!(
        message.contains(&name(2)) && message.contains("its factors are not those"),
        "{message}"
    );
}

#[test]
fn a_file_that_says_it_is_the_only_one_is_a_whole_model() {
    // 0 is what llama.cpp's `gguf-split --merge` leaves.
    for count in [0, 1] {
        for name in ["m.gguf", "m-00001-of-00001.gguf", "m-00002-of-00003.gguf"] {
            let mut file = f32_file();
            file.set("split.count", Raw::u16(count));
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join(name);
            fs::write(&path, file.bytes()).unwrap();
            let model = open_path(&path).unwrap();
            assert_eq!(model.format(), "GGUF version 3", "{name}");
        }
    }
}

#[test]
fn a_part_alone_says_what_is_missing() {
    let directory = tempfile::tempdir().unwrap();
    let paths = write(&parts(4), directory.path());
    let bytes = fs::read(&paths[1]).unwrap();
    let in_memory = ModelFile::from_bytes(HostBytes::new(bytes.clone())).unwrap_err();
    let renamed = directory.path().join("renamed.gguf");
    fs::write(&renamed, bytes).unwrap();
    let renamed = open_path(&renamed).unwrap_err();
    for error in [in_memory, renamed] {
        let message = error.to_string();
        for part in ["one file of a model in several", "-NNNNN-of-00003.gguf"] {
            assert!(message.contains(part), "{message}");
        }
    }
    fs::remove_file(&paths[0]).unwrap();
    let message = open_path(&paths[2]).unwrap_err().to_string();
    let expected = format!("1 of 3 are missing in its folder: `{}`; fetch", name(0));
    assert!(message.contains(&expected), "{message}");
    fs::remove_file(&paths[1]).unwrap();
    let message = open_path(&paths[2]).unwrap_err().to_string();
    let expected = format!(
        "2 of 3 are missing in its folder: `{}`, `{}`;",
        name(0),
        name(1)
    );
    assert!(message.contains(&expected), "{message}");
}

#[test]
fn values_of_later_parts_change_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut parts = parts(4);
    for part in &mut parts[1..] {
        part.set("llama.rope.freq_base", Raw::F32(7.0));
        part.set("llama.vocab_size", Raw::U32(9));
        part.set("general.name", Raw::Text("another".to_owned()));
        part.set("tokenizer.chat_template", Raw::Text("{{ x }}".to_owned()));
    }
    let paths = write(&parts, directory.path());
    let model = open_path(&paths[2]).unwrap();
    let whole = open(&f32_file()).unwrap();
    assert_eq!(model.config(), whole.config());
    assert_eq!(model.provenance(), whole.provenance());
    assert_eq!(model.chat_template(), None);
}
