//! A tokenizer as the files that `tokenizers` and `AutoTokenizer` read.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::chain::{byte_level, sentence_piece};
use crate::quote::quoted;
use crate::tokenizer::Method;
use crate::{Error, Result, Roles, Tokenizer};

/// The two files of a tokenizer in a Hugging Face folder.
#[derive(Debug, Clone, PartialEq)]
pub struct HfFiles {
    /// `tokenizer.json`.
    pub tokenizer: Value,
    /// `tokenizer_config.json`.
    pub config: Value,
}

impl Tokenizer {
    /// The tokenizer as `tokenizer.json` and `tokenizer_config.json`, which give the same ids with
    /// Hugging Face's libraries.
    ///
    /// `roles` says what begins and ends a text: `tokenizer_config.json` has room for one end, the first,
    /// and `generation_config.json` for all. Unlike [`Tokenizer::encode`], those libraries make special
    /// tokens of their texts wherever they stand.
    ///
    /// # Errors
    ///
    /// [`Error::Vocabulary`] where two tokens would have the same text, and for a SentencePiece vocabulary
    /// whose treatment of spaces the format cannot say.
    pub fn to_hf_json(&self, roles: &Roles, chat_template: Option<&str>) -> Result<HfFiles> {
        let mut chain = match self.method() {
            Method::ByteLevel(method) => byte_level(method),
            Method::SentencePiece(method) => sentence_piece(method)?,
        };
        let texts = self.texts()?;
        if let Some(id) = self.unknown() {
            chain.model["unk_token"] = texts.get(&id).cloned().into();
        }
        let mut vocab = Map::new();
        for (id, text) in texts {
            let shown = quoted(&text);
            if let Some(other) = vocab.insert(text, id.into()) {
                let problem = format!("ids {other} and {id} are both written {shown}");
                return Err(Error::Vocabulary { problem });
            }
        }
        chain.model["vocab"] = vocab.into();
        let tokenizer = json!({
            "version": "1.0",
            "truncation": null,
            "padding": null,
            "added_tokens": self.added_list(),
            "normalizer": chain.normalizer,
            "pre_tokenizer": chain.pre_tokenizer,
            "post_processor": self.template(roles),
            "decoder": chain.decoder,
            "model": chain.model,
        });
        let config = self.tokenizer_config(roles, chat_template);
        Ok(HfFiles { tokenizer, config })
    }

    fn unknown(&self) -> Option<u32> {
        match self.method() {
            Method::ByteLevel(_) => None,
            Method::SentencePiece(method) => method.parts.unknown,
        }
    }

    /// The text of every token, as the vocabulary of the file has it.
    fn texts(&self) -> Result<BTreeMap<u32, String>> {
        let ordinary = match self.method() {
            Method::ByteLevel(method) => method.text_form().tokens,
            Method::SentencePiece(method) => method.texts(),
        };
        let mut texts: BTreeMap<u32, String> = (0u32..).zip(ordinary).collect();
        texts.retain(|_, text| !text.is_empty());
        for (text, id) in self.special_tokens().chain(self.added_tokens()) {
            let before = texts.insert(id, text.to_owned());
            if let Some(before) = before.filter(|before| before != text) {
                let (before, text) = (quoted(&before), quoted(text));
                let problem = format!("id {id} is written {before} in merges and {text} in text");
                return Err(Error::Vocabulary { problem });
            }
        }
        Ok(texts)
    }

    fn added_list(&self) -> Vec<Value> {
        let token = |special| {
            move |(text, id): (&str, u32)| {
                let mut token = described(text, special);
                token["id"] = id.into();
                token
            }
        };
        let special = self.special_tokens().map(token(true));
        let mut tokens: Vec<Value> = special
            .chain(self.added_tokens().map(token(false)))
            .collect();
        tokens.sort_by_key(|token| token["id"].as_u64());
        tokens
    }

    /// What is put before a text.
    fn template(&self, roles: &Roles) -> Value {
        let Some((id, begin)) = roles.begin.and_then(|id| Some((id, self.whole_text(id)?))) else {
            return Value::Null;
        };
        let mark = |text: usize| json!({"SpecialToken": {"id": begin, "type_id": text}});
        let text = |name: &str, index: usize| json!({"Sequence": {"id": name, "type_id": index}});
        json!({
            "type": "TemplateProcessing",
            "single": [mark(0), text("A", 0)],
            "pair": [mark(0), text("A", 0), mark(1), text("B", 1)],
            "special_tokens": {begin: {"id": begin, "ids": [id], "tokens": [begin]}},
        })
    }

    fn tokenizer_config(&self, roles: &Roles, chat_template: Option<&str>) -> Value {
        let special = self.special_tokens().map(|token| (token, true));
        let added = self.added_tokens().map(|token| (token, false));
        let tokens = special.chain(added);
        let tokens = tokens.map(|((text, id), special)| (id.to_string(), described(text, special)));
        let mut config = json!({
            "tokenizer_class": "PreTrainedTokenizerFast",
            "clean_up_tokenization_spaces": false,
            "added_tokens_decoder": tokens.collect::<Map<String, Value>>(),
        });
        let unknown = self.unknown();
        let end = roles.end.first().copied();
        for (key, id) in [
            ("bos_token", roles.begin),
            ("eos_token", end),
            ("unk_token", unknown),
        ] {
            if let Some(text) = id.and_then(|id| self.whole_text(id)) {
                config[key] = text.into();
            }
        }
        if let Some(template) = chat_template {
            config["chat_template"] = template.into();
        }
        config
    }
}

/// An added token, as both files have it.
fn described(text: &str, special: bool) -> Value {
    json!({
        "content": text,
        "single_word": false,
        "lstrip": false,
        "rstrip": false,
        "normalized": false,
        "special": special,
    })
}
