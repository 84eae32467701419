//! The steps that make `tokenizers` do what a tokenizer of ours does.

use serde_json::{Value, json};

use super::regexes::expressions;
use crate::byte_level::ByteLevel;
use crate::sentence_piece::{FirstSpace, SentencePiece};
use crate::{Error, Pattern, Result};

/// The steps of a kind, and its model without the vocabulary.
pub(super) struct Chain {
    pub(super) normalizer: Value,
    pub(super) pre_tokenizer: Value,
    pub(super) decoder: Value,
    pub(super) model: Value,
}

pub(super) fn byte_level(method: &ByteLevel) -> Chain {
    let form = method.text_form();
    let merges = form.merges.iter().filter_map(|merge| merge.split_once(' '));
    let last = |use_regex: bool| {
        json!({
            "type": "ByteLevel",
            "add_prefix_space": false,
            "trim_offsets": true,
            "use_regex": use_regex,
        })
    };
    let before = match method.pattern {
        Pattern::Gpt2 => None,
        Pattern::SmolLm => Some(json!({"type": "Digits", "individual_digits": true})),
        pattern => expressions(pattern).first().map(|expression| {
            json!({
                "type": "Split",
                "pattern": {"Regex": expression},
                "behavior": "Isolated",
                "invert": false,
            })
        }),
    };
    let pre_tokenizer = match before {
        None => last(true),
        Some(step) => {
            let last = last(method.pattern == Pattern::SmolLm);
            json!({"type": "Sequence", "pretokenizers": [step, last]})
        }
    };
    Chain {
        normalizer: match method.composes {
            true => json!({"type": "NFC"}),
            false => Value::Null,
        },
        pre_tokenizer,
        decoder: last(true),
        model: bpe(merges.collect(), method.whole_pieces),
    }
}

pub(super) fn sentence_piece(method: &SentencePiece) -> Result<Chain> {
    let parts = &method.parts;
    let replace = |from: &str, to: &str| json!({"type": "Replace", "pattern": {"String": from}, "content": to});
    let metaspace = |scheme: &str| {
        json!({
            "type": "Metaspace",
            "replacement": "▁",
            "prepend_scheme": scheme,
            "split": parts.splits_at_spaces,
        })
    };
    let (normalizer, pre_tokenizer) = match (parts.first_space, parts.splits_at_spaces) {
        (FirstSpace::EachPart, false) => {
            let steps = [
                json!({"type": "Prepend", "prepend": "▁"}),
                replace(" ", "▁"),
            ];
            (
                json!({"type": "Sequence", "normalizers": steps}),
                Value::Null,
            )
        }
        (FirstSpace::EachPart, true) => {
            let problem = "no step of tokenizer.json puts a space before a text that begins with one                            and cuts at spaces";
            return Err(Error::Vocabulary {
                problem: problem.to_owned(),
            });
        }
        (FirstSpace::Never, false) => (replace(" ", "▁"), Value::Null),
        (FirstSpace::Never, true) => (Value::Null, metaspace("never")),
        (FirstSpace::EachPartIfMissing, _) => (Value::Null, metaspace("always")),
        (FirstSpace::FirstPartIfMissing, _) => (Value::Null, metaspace("first")),
    };
    let mut decoders = vec![
        replace("▁", " "),
        json!({"type": "ByteFallback"}),
        json!({"type": "Fuse"}),
    ];
    if parts.strips_first_space {
        decoders.push(json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}));
    }
    let texts = method.texts();
    let text = |id: u32| texts.get(id as usize).map_or("", String::as_str);
    let pairs = method.pairs().iter();
    let merges = pairs.map(|(left, right, _)| (text(*left), text(*right)));
    let mut model = bpe(merges.collect(), parts.whole_pieces);
    model["fuse_unk"] = parts.fuses_unknown.into();
    model["byte_fallback"] = (!parts.bytes.is_empty()).into();
    Ok(Chain {
        normalizer,
        pre_tokenizer,
        decoder: json!({"type": "Sequence", "decoders": decoders}),
        model,
    })
}

fn bpe(merges: Vec<(&str, &str)>, whole_pieces: bool) -> Value {
    json!({
        "type": "BPE",
        "dropout": null,
        "unk_token": null,
        "continuing_subword_prefix": null,
        "end_of_word_suffix": null,
        "fuse_unk": false,
        "byte_fallback": false,
        "ignore_merges": whole_pieces,
        "merges": merges,
    })
}
