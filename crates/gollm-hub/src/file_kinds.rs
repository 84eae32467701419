//! What a file of a repository is, by its name alone.

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

/// A file that is a whole model: no part of a split one, no projector of images.
pub(crate) fn is_whole_model(name: &FileName) -> bool {
    let name = file_part(name).to_ascii_lowercase();
    let is_gguf = name.ends_with(".gguf") && !is_part(&name) && !name.starts_with("mmproj");
    is_gguf || name.ends_with(".gollm")
}

/// `model-00001-of-00003.gguf`.
fn is_part(name: &str) -> bool {
    let stem = name.trim_end_matches(".gguf");
    let is_number = |text: &str| text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit());
    let mut words = stem.rsplit('-');
    words.next().is_some_and(is_number)
        && words.next() == Some("of")
        && words.next().is_some_and(is_number)
}

/// Whether a file's name has this type as a word: `Q4_0` in `model.Q4_0.gguf`, not in `IQ4_0` or
/// `Q4_0_4_4`.
pub(crate) fn has_type(name: &FileName, dtype: &str) -> bool {
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

fn file_part(name: &FileName) -> &str {
    name.parts().last().unwrap_or_default()
}
