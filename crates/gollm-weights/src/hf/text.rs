//! What a folder says about texts: the chat template, and the tokens that begin and end a text.

use serde_json::Value;

use super::folder::{Folder, MAX_CONFIG_BYTES, MAX_TEXT_BYTES};
use super::object::Object;
use crate::error::Result;
use crate::foreign_error::ForeignError;

pub(crate) const TEMPLATE: &str = "chat_template.jinja";
const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
pub(crate) const GENERATION_CONFIG: &str = "generation_config.json";

/// The tokens that a model's configuration names, where its tokenizer does not say itself what they
/// are for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenRoles {
    /// The token that begins a text.
    pub begin: Option<u32>,
    /// The tokens that end one.
    pub end: Vec<u32>,
}

/// The template of its own file, or the one in the tokenizer's config.
pub(crate) fn chat_template(folder: &Folder) -> Result<Option<String>> {
    if let Some(template) = folder.text(TEMPLATE, MAX_TEXT_BYTES)? {
        return Ok(Some(template));
    }
    let Some(json) = folder.json(TOKENIZER_CONFIG, MAX_TEXT_BYTES)? else {
        return Ok(None);
    };
    Ok(match json.get("chat_template") {
        Some(Value::String(template)) => Some(template.clone()),
        // Several templates with names, one for each use.
        Some(Value::Array(templates)) => {
            let named = |template: &&Value| template["name"] == "default";
            let default = templates.iter().find(named);
            default.and_then(|template| template["template"].as_str().map(str::to_owned))
        }
        _ => None,
    })
}

/// The tokens that `generation_config.json` names, or else `config.json`.
pub(crate) fn token_roles(folder: &Folder, config: Object<'_>) -> Result<TokenRoles> {
    let of_config = roles(config).map_err(|error| folder.in_file(super::CONFIG, error))?;
    let Some(json) = folder.json(GENERATION_CONFIG, MAX_CONFIG_BYTES)? else {
        return Ok(of_config);
    };
    let found =
        roles(Object::new(&json)).map_err(|error| folder.in_file(GENERATION_CONFIG, error))?;
    Ok(TokenRoles {
        begin: found.begin.or(of_config.begin),
        end: match found.end.is_empty() {
            true => of_config.end,
            false => found.end,
        },
    })
}

/// One id or a list of ids each; ids that no tokenizer has are left to the tokenizer.
fn roles(json: Object<'_>) -> Result<TokenRoles, ForeignError> {
    let id = |key: &str, value: &Value| {
        let id = value.as_u64().and_then(|id| u32::try_from(id).ok());
        id.ok_or_else(|| json.problem(key, "expected a token id, or a list of them"))
    };
    let ids = |key: &str| match json.get(key) {
        None => Ok(Vec::new()),
        Some(Value::Array(values)) => values.iter().map(|value| id(key, value)).collect(),
        Some(value) => id(key, value).map(|id| vec![id]),
    };
    let mut end: Vec<u32> = ids("eos_token_id")?;
    end.sort_unstable();
    end.dedup();
    Ok(TokenRoles {
        begin: ids("bos_token_id")?.first().copied(),
        end,
    })
}
