//! Added tokens, and which ids begin and end a text.

use std::collections::BTreeMap;

use serde_json::Value;

use super::json::{array, flag, get, id, kind, steps, text, unknown, wrong};
use crate::quote::quoted;
use crate::{Result, Roles};

/// Tokens that end a text or a turn, for files that come without a word about it.
const ENDS: [&str; 5] = [
    "</s>",
    "<|end_of_text|>",
    "<|eot_id|>",
    "<|im_end|>",
    "<|endoftext|>",
];

/// The added tokens of a file: those that are found as whole texts.
pub(super) struct Added {
    /// From the text to its id and whether it is special.
    tokens: BTreeMap<String, (u32, bool)>,
}

impl Added {
    pub(super) fn of(file: &Value) -> Result<Self> {
        let mut tokens = BTreeMap::new();
        let list = match get(file, "added_tokens") {
            Some(_) => array(file, "added_tokens")?,
            None => &[],
        };
        for token in list {
            let content = text(token, "content")?;
            let shown = quoted(content);
            for key in ["single_word", "lstrip", "rstrip"] {
                if flag(token, key, false)? {
                    return Err(wrong(format!(
                        "added token {shown} has `{key}` set, which is not known here"
                    )));
                }
            }
            let id = id(token.get("id").unwrap_or(&Value::Null), content)?;
            let special = flag(token, "special", false)?;
            if tokens.insert(content.to_owned(), (id, special)).is_some() {
                return Err(wrong(format!("added token {shown} is there twice")));
            }
        }
        Ok(Added { tokens })
    }

    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        self.tokens
            .iter()
            .map(|(text, token)| (text.as_str(), token.0))
    }

    pub(super) fn contains(&self, text: &str) -> bool {
        self.tokens.contains_key(text)
    }

    pub(super) fn is_special(&self, text: &str) -> bool {
        self.tokens.get(text).is_some_and(|(_, special)| *special)
    }

    fn id(&self, text: &str) -> Option<u32> {
        self.tokens.get(text).map(|(id, _)| *id)
    }

    /// The special tokens, or those that anybody may write.
    pub(super) fn list(&self, special: bool) -> Vec<(String, u32)> {
        let tokens = self.tokens.iter().filter(|(_, token)| token.1 == special);
        tokens
            .map(|(text, token)| (text.clone(), token.0))
            .collect()
    }

    /// What begins and ends a text: `post_processor` says what `tokenizers` puts before one, and
    /// `tokenizer_config.json` may overrule it.
    pub(super) fn roles(
        &self,
        file: &Value,
        config: Option<&Value>,
        ends: &[u32],
    ) -> Result<Roles> {
        let named = |key: &str| self.id(token_text(config?.get(key)?)?);
        let mut begin = template_begin(file)?;
        match config.and_then(|config| config.get("add_bos_token")?.as_bool()) {
            Some(true) => begin = named("bos_token").or(begin),
            Some(false) => begin = None,
            None => {}
        }
        let mut end = ends.to_vec();
        end.extend(named("eos_token"));
        if end.is_empty() {
            end.extend(ENDS.iter().filter_map(|text| self.id(text)));
        }
        end.sort_unstable();
        end.dedup();
        Ok(Roles { begin, end })
    }
}

/// A token's text: a string, or an object with its `content`.
fn token_text(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("content")?.as_str())
}

/// The id that the template of `post_processor` puts before a text.
fn template_begin(file: &Value) -> Result<Option<u32>> {
    let processors = steps(file, "post_processor", "processors")?;
    let mut begin = Vec::new();
    for step in &processors {
        match kind(step) {
            // It only moves the borders of tokens in the text.
            "ByteLevel" => {}
            "TemplateProcessing" => begin.extend(before_text(step)?),
            _ => return Err(unknown("post_processor", &processors)),
        }
    }
    match begin.as_slice() {
        [] => Ok(None),
        [id] => Ok(Some(*id)),
        ids => Err(wrong(format!(
            "its template puts {} tokens before a text, expected one at most",
            ids.len()
        ))),
    }
}

/// The ids before the text itself in a template for one text.
fn before_text(step: &Value) -> Result<Vec<u32>> {
    let mut ids = Vec::new();
    for part in array(step, "single")? {
        let Some(token) = get(part, "SpecialToken") else {
            break;
        };
        let name = text(token, "id")?;
        let described = get(step, "special_tokens").and_then(|tokens| get(tokens, name));
        let described = described.ok_or_else(|| {
            let shown = quoted(name);
            wrong(format!("`special_tokens` of its template lack {shown}"))
        })?;
        for value in array(described, "ids")? {
            ids.push(id(value, name)?);
        }
    }
    Ok(ids)
}
