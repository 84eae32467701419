//! A tokenizer as the vocabulary of a GGUF file.

use gollm_engine::{begin_of_text_id, end_of_text_ids};
use gollm_tokenizer::{Pattern, Tokenizer};
use gollm_weights::{GgufToken, GgufVocabulary};

use crate::failure::Failure;

/// What llama.cpp calls a way to cut text into pieces. It has none that is cl100k to the letter: Llama
/// 3's differs where spaces and line breaks end a text, and nowhere else.
fn pre(pattern: Pattern) -> &'static str {
    match pattern {
        Pattern::Gpt2 => "gpt-2",
        Pattern::Cl100k | Pattern::Llama3 => "llama-bpe",
        Pattern::O200k => "gpt-4o",
        Pattern::Qwen2 => "qwen2",
    }
}

/// The vocabulary of `n_ids` ids; ids that the tokenizer leaves out get a text that says so.
///
/// # Errors
///
/// If the tokenizer has other ids than the model.
pub(super) fn of(tokenizer: &Tokenizer, n_ids: usize) -> Result<GgufVocabulary, Failure> {
    let found = tokenizer.vocab_size();
    if found != n_ids {
        return Err(Failure::bad_file(format!(
            "the config says vocab_size {n_ids} but the tokenizer has {found} ids"
        )));
    }
    let form = tokenizer.text_form();
    let mut tokens = form.tokens;
    tokens.resize(n_ids, String::new());
    let mut kinds = vec![GgufToken::Normal; n_ids];
    for (text, id) in tokenizer.special_tokens() {
        if let (Some(token), Some(kind)) = (tokens.get_mut(id as usize), kinds.get_mut(id as usize))
        {
            text.clone_into(token);
            *kind = GgufToken::Control;
        }
    }
    for (id, (token, kind)) in tokens.iter_mut().zip(&mut kinds).enumerate() {
        if token.is_empty() {
            *token = format!("[UNUSED {id}]");
            *kind = GgufToken::Unused;
        }
    }
    Ok(GgufVocabulary {
        tokens,
        kinds,
        merges: form.merges,
        pre: pre(tokenizer.pattern()).to_owned(),
        begin: begin_of_text_id(tokenizer),
        end: end_of_text_ids(tokenizer),
    })
}
