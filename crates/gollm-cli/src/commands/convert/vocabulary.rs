//! A tokenizer as the vocabulary of a GGUF file.

use gollm_engine::{begin_of_text_id, end_of_text_ids};
use gollm_tokenizer::{Pattern, ScoredForm, TextForm, Tokenizer};
use gollm_weights::{GgufMerging, GgufToken, GgufVocabulary};

use crate::cli_error::CliError;

/// What llama.cpp calls a way to cut text into pieces. It has none that is cl100k to the letter: Llama
/// 3's differs where spaces and line breaks end a text, and nowhere else.
fn pre(pattern: Pattern) -> &'static str {
    match pattern {
        Pattern::Gpt2 => "gpt-2",
        Pattern::Cl100k | Pattern::Llama3 => "llama-bpe",
        Pattern::O200k => "gpt-4o",
        Pattern::Qwen2 => "qwen2",
        Pattern::SmolLm => "smollm",
    }
}

/// The vocabulary of `n_ids` ids; ids that the tokenizer leaves out get a text that says so.
///
/// # Errors
///
/// If the tokenizer has other ids than the model.
pub(super) fn of(tokenizer: &Tokenizer, n_ids: usize) -> Result<GgufVocabulary, CliError> {
    let found = tokenizer.vocab_size();
    if found != n_ids {
        return Err(CliError::bad_file(format!(
            "the config says vocab_size {n_ids} but the tokenizer has {found} ids"
        )));
    }
    let mut kinds = vec![GgufToken::Normal; n_ids];
    let (mut tokens, merging) = match tokenizer.scored_form() {
        Some(form) => of_scores(form, &mut kinds),
        None => of_bytes(tokenizer),
    };
    tokens.resize(n_ids, String::new());
    let special = tokenizer
        .special_tokens()
        .map(|(text, id)| (text, id, GgufToken::Control));
    let added = tokenizer
        .added_tokens()
        .map(|(text, id)| (text, id, GgufToken::UserDefined));
    for (text, id, whole) in special.chain(added) {
        if let (Some(token), Some(kind)) = (tokens.get_mut(id as usize), kinds.get_mut(id as usize))
        {
            text.clone_into(token);
            if *kind != GgufToken::Unknown {
                *kind = whole;
            }
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
        merging,
        begin: begin_of_text_id(tokenizer),
        end: end_of_text_ids(tokenizer),
    })
}

fn of_bytes(tokenizer: &Tokenizer) -> (Vec<String>, GgufMerging) {
    let TextForm { tokens, merges } = tokenizer.text_form().unwrap_or_default();
    let pre = tokenizer.pattern().map_or("", pre).to_owned();
    (tokens, GgufMerging::Merges { merges, pre })
}

fn of_scores(form: ScoredForm, kinds: &mut [GgufToken]) -> (Vec<String>, GgufMerging) {
    for id in form.bytes {
        if let Some(kind) = kinds.get_mut(id as usize) {
            *kind = GgufToken::Byte;
        }
    }
    if let Some(kind) = form.unknown.and_then(|id| kinds.get_mut(id as usize)) {
        *kind = GgufToken::Unknown;
    }
    let mut scores = form.scores;
    scores.resize(kinds.len(), 0.0);
    let merging = GgufMerging::Scores {
        scores,
        unknown: form.unknown,
        adds_space: form.adds_space,
    };
    (form.tokens, merging)
}
