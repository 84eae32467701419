//! Normalizer, pre-tokenizer and decoder: which kind of tokenizer they make together.

use serde_json::Value;

use super::json::{flag, get, kind, steps, text, unknown, wrong};
use super::regexes::expressions;
use crate::quote::quoted;
use crate::sentence_piece::{FirstSpace, SPACE};
use crate::{Pattern, Result};

/// What is done to text before merging.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Steps {
    /// Pieces of bytes.
    ByteLevel {
        pattern: Pattern,
        /// Whether text is composed first.
        composes: bool,
    },
    /// Characters, spaces made visible.
    SentencePiece {
        first_space: FirstSpace,
        splits_at_spaces: bool,
    },
}

/// The steps of `tokenizer.json` before merging.
pub(super) fn before_merging(file: &Value) -> Result<Steps> {
    let normalizers = steps(file, "normalizer", "normalizers")?;
    let cutters = steps(file, "pre_tokenizer", "pretokenizers")?;
    if cutters.iter().any(|step| kind(step) == "ByteLevel") {
        let composes = match normalizers.as_slice() {
            [] => false,
            [step] if kind(step) == "NFC" => true,
            others => return Err(unknown("normalizer", others)),
        };
        let pattern = byte_level_pattern(&cutters)?;
        return Ok(Steps::ByteLevel { pattern, composes });
    }
    sentence_piece(&normalizers, &cutters)
}

fn sentence_piece(normalizers: &[&Value], cutters: &[&Value]) -> Result<Steps> {
    let replaced = match normalizers {
        [] => None,
        [replace] if replaces(replace, " ", "▁") => Some(FirstSpace::Never),
        [prepend, replace]
            if kind(prepend) == "Prepend"
                && get(prepend, "prepend").and_then(Value::as_str) == Some("▁")
                && replaces(replace, " ", "▁") =>
        {
            Some(FirstSpace::EachPart)
        }
        others => return Err(unknown("normalizer", others)),
    };
    let whole = |first_space| Steps::SentencePiece {
        first_space,
        splits_at_spaces: false,
    };
    match (replaced, cutters) {
        (Some(first_space), []) => Ok(whole(first_space)),
        // Gemma's: no spaces are left to cut at.
        (Some(first_space), [split]) if cuts_at(split, " ") => Ok(whole(first_space)),
        (None, [step]) if kind(step) == "Metaspace" => Ok(Steps::SentencePiece {
            first_space: metaspace(step)?,
            splits_at_spaces: flag(step, "split", true)?,
        }),
        (None, []) => Err(wrong(
            "it has neither a normalizer nor a pre-tokenizer, so nothing says what becomes of spaces",
        )),
        (_, others) => Err(unknown("pre_tokenizer", others)),
    }
}

fn metaspace(step: &Value) -> Result<FirstSpace> {
    let replacement = text(step, "replacement")?;
    if !replacement.chars().eq([SPACE]) {
        return Err(wrong(format!(
            "Metaspace replaces spaces by {}, expected \"▁\"",
            quoted(replacement)
        )));
    }
    // Older files have a boolean instead.
    let absent = match flag(step, "add_prefix_space", true)? {
        true => "always",
        false => "never",
    };
    match get(step, "prepend_scheme").map_or(Some(absent), Value::as_str) {
        Some("always") => Ok(FirstSpace::EachPartIfMissing),
        Some("first") => Ok(FirstSpace::FirstPartIfMissing),
        Some("never") => Ok(FirstSpace::Never),
        _ => Err(wrong(
            "`prepend_scheme` of Metaspace is none of \"always\", \"first\" and \"never\"",
        )),
    }
}

fn byte_level_pattern(cutters: &[&Value]) -> Result<Pattern> {
    let (pattern, last) = match cutters {
        [last] => (None, last),
        [split, last] if kind(split) == "Split" => (Some(split_pattern(split)?), last),
        [digits, last] if kind(digits) == "Digits" => {
            if !flag(digits, "individual_digits", false)? {
                return Err(wrong("Digits with `individual_digits` false is not known"));
            }
            (Some(Pattern::SmolLm), last)
        }
        others => return Err(unknown("pre_tokenizer", others)),
    };
    if kind(last) != "ByteLevel" {
        return Err(unknown("pre_tokenizer", cutters));
    }
    if flag(last, "add_prefix_space", true)? {
        return Err(wrong(
            "ByteLevel with `add_prefix_space` true (or absent) is not known: it would put a space \
             before every text",
        ));
    }
    match (pattern, flag(last, "use_regex", true)?) {
        (None, true) => Ok(Pattern::Gpt2),
        (Some(Pattern::SmolLm), true) => Ok(Pattern::SmolLm),
        (Some(pattern), false) if pattern != Pattern::SmolLm => Ok(pattern),
        _ => Err(wrong(
            "`use_regex` of ByteLevel does not go with the step before it",
        )),
    }
}

/// Which of our patterns a Split by an expression is.
fn split_pattern(split: &Value) -> Result<Pattern> {
    let found = get(split, "pattern").and_then(|pattern| pattern.get("Regex")?.as_str());
    let found = found.ok_or_else(|| wrong("`pattern` of Split is no `Regex`"))?;
    // The expressions match every character, so what is kept and what is thrown away is the same.
    let (behavior, inverted) = (text(split, "behavior")?, flag(split, "invert", false)?);
    if !matches!(
        (behavior, inverted),
        ("Isolated", false) | ("Removed", true)
    ) {
        return Err(wrong(format!(
            "Split has the behavior {} and `invert` {inverted}, expected \"Isolated\" and false",
            quoted(behavior)
        )));
    }
    let mut known = Pattern::ALL.into_iter();
    let known = known.find(|pattern| expressions(*pattern).contains(&found));
    known.ok_or_else(|| {
        let shown: String = found.chars().take(400).flat_map(char::escape_debug).collect();
        wrong(format!(
            "it cuts text by the expression `{shown}`, which is none of the published ones that are \
             known here (those of GPT-2, cl100k, o200k, Llama 3 and Qwen 2)"
        ))
    })
}

/// Refuses any way back to text but that of bytes.
pub(super) fn check_byte_level_decoder(file: &Value) -> Result<()> {
    match steps(file, "decoder", "decoders")?.as_slice() {
        [step] if kind(step) == "ByteLevel" => Ok(()),
        others => Err(unknown("decoder", others)),
    }
}

/// Whether a space that begins a text is taken away when SentencePiece's ids become text.
pub(super) fn strips_first_space(file: &Value) -> Result<bool> {
    let decoders = steps(file, "decoder", "decoders")?;
    let mut strips = false;
    for step in &decoders {
        match kind(step) {
            "ByteFallback" | "Fuse" => {}
            "Replace" if replaces(step, "▁", " ") => {}
            "Strip" if is_strip_of_one_space(step) => strips = true,
            "Metaspace" => strips |= metaspace(step)? != FirstSpace::Never,
            _ => return Err(unknown("decoder", &decoders)),
        }
    }
    Ok(strips)
}

fn is_strip_of_one_space(step: &Value) -> bool {
    let number = |key| get(step, key).and_then(Value::as_u64);
    get(step, "content").and_then(Value::as_str) == Some(" ")
        && number("start") == Some(1)
        && number("stop") == Some(0)
}

fn replaces(step: &Value, from: &str, to: &str) -> bool {
    kind(step) == "Replace"
        && is_string_pattern(step, from)
        && get(step, "content").and_then(Value::as_str) == Some(to)
}

fn cuts_at(step: &Value, at: &str) -> bool {
    kind(step) == "Split" && is_string_pattern(step, at)
}

fn is_string_pattern(step: &Value, expected: &str) -> bool {
    let found = get(step, "pattern").and_then(|pattern| pattern.get("String")?.as_str());
    found == Some(expected)
}
