//! Templates that many models share, for files that bring none.
//!
//! They are written here from the descriptions of the formats, not copied from a model's file:
//! ChatML (OpenAI's format, used by Qwen), Llama 2's and Mistral's `[INST]`, Llama 3's headers,
//! Gemma's turns.

/// The names of the templates that are built in.
pub const BUILT_IN: [&str; 5] = ["chatml", "gemma", "llama2", "llama3", "mistral"];

/// The text of a template.
pub(crate) fn source(name: &str) -> Option<&'static str> {
    Some(match name {
        "chatml" => include_str!("templates/chatml.jinja"),
        "gemma" => include_str!("templates/gemma.jinja"),
        "llama2" => include_str!("templates/llama2.jinja"),
        "llama3" => include_str!("templates/llama3.jinja"),
        "mistral" => include_str!("templates/mistral.jinja"),
        _ => return None,
    })
}
