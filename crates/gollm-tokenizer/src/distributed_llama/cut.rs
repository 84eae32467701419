//! How text is cut before it is merged: not in the file, so it is taken from the names of the marks.

use super::FILE;
use crate::little_endian::wrong;
use crate::quote::quoted;
use crate::{Pattern, Result};

/// Any of these: Llama 3's pattern.
const LLAMA_3: [&str; 3] = ["<|begin_of_text|>", "<|start_header_id|>", "<|eot_id|>"];
/// Both of these: Qwen 2's and 3's.
const QWEN_2: [&str; 2] = ["<|endoftext|>", "<|im_start|>"];
/// DeepSeek's, which it gave to models made from a Llama 3 and from a Qwen 2.
const DEEP_SEEK: &str = "<｜begin▁of▁sentence｜>";

const INSTEAD: &str = "use the model's tokenizer.json, in a Hugging Face folder, or move this file away, and the \
                       model continues ids";

/// What is done to text before merging.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) pattern: Pattern,
    /// Whether text is composed first.
    pub(super) composes: bool,
}

const LLAMA: Cut = Cut {
    pattern: Pattern::Llama3,
    composes: false,
};
const QWEN: Cut = Cut {
    pattern: Pattern::Qwen2,
    composes: true,
};

/// The cut of the models that have these marks, for a vocabulary with these ordinary tokens.
///
/// Tokens bear witness as well: where every digit is a piece of its own no token has two, and where it is
/// not, `10` is among the first to be learned. Other models have Qwen's two marks and numbers of several
/// digits; how these cut is not known.
///
/// # Errors
///
/// [`crate::Error::Metadata`] for marks of other models, and for Qwen's with tokens that Qwen's cut rules
/// out.
pub(super) fn of_marks(marks: &[(String, u32)], ordinary: &[Vec<u8>]) -> Result<Cut> {
    let has = |name: &str| marks.iter().any(|(text, _)| text == name);
    let number = ordinary.iter().position(|token| has_two_digits(token));
    if LLAMA_3.into_iter().any(has) {
        return Ok(LLAMA);
    }
    if has(DEEP_SEEK) {
        return Ok(if number.is_some() { LLAMA } else { QWEN });
    }
    let first = marks.first().map_or("", |(text, _)| text.as_str());
    if !QWEN_2.into_iter().all(has) {
        return Err(wrong(
            FILE,
            format!(
                "it does not say how text is cut before it is merged, and its special tokens (the first is {}) \
                 are neither Llama 3's nor Qwen 2's, whose cut is known; {INSTEAD}",
                quoted(first)
            ),
        ));
    }
    match number.and_then(|id| Some((id, ordinary.get(id)?))) {
        None => Ok(QWEN),
        Some((id, token)) => Err(wrong(
            FILE,
            format!(
                "its special tokens are named as Qwen 2's, but token {id} (\"{}\") has two digits in a row, which \
                 Qwen 2 keeps apart: it belongs to another model, and how that cuts text is not known; {INSTEAD}",
                token.escape_ascii()
            ),
        )),
    }
}

fn has_two_digits(token: &[u8]) -> bool {
    token
        .windows(2)
        .any(|pair| pair.iter().all(u8::is_ascii_digit))
}
