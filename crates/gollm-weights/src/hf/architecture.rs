//! The kinds of models that are read, and in what transformers' defaults for them differ.

use super::object::{Object, shown};
use crate::foreign_error::{ForeignError, Result};

/// One class of transformers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Architecture {
    /// The class that `architectures` names.
    pub(crate) class: &'static str,
    /// What `model_type` says.
    pub(crate) model_type: &'static str,
    /// The window of attention where the config leaves it out.
    pub(crate) sliding_window: Option<usize>,
}

pub(crate) const LLAMA: Architecture = Architecture {
    class: "LlamaForCausalLM",
    model_type: "llama",
    sliding_window: None,
};

pub(crate) const MISTRAL: Architecture = Architecture {
    class: "MistralForCausalLM",
    model_type: "mistral",
    sliding_window: Some(4096),
};

pub(crate) const ALL: [&Architecture; 2] = [&LLAMA, &MISTRAL];

impl Architecture {
    /// The kind of model that a `config.json` describes.
    ///
    /// # Errors
    ///
    /// If it names none that is read, or contradicts itself.
    pub(crate) fn of(config: Object<'_>) -> Result<&'static Self> {
        let class = match config.array("architectures")?.map(Vec::as_slice) {
            None | Some([]) => None,
            Some([one]) => Some(one.as_str().ok_or_else(|| {
                config.problem("architectures", format!("it lists {}", shown(one)))
            })?),
            Some(_) => {
                let problem = "it lists several, expected one";
                return Err(config.problem("architectures", problem));
            }
        };
        let model_type = config.string("model_type")?;
        let Some(named) = class.or(model_type) else {
            return Err(ForeignError::MissingKey("architectures".to_owned()));
        };
        let found = ALL
            .into_iter()
            .find(|known| class.map_or(known.model_type == named, |class| known.class == class));
        let found = found.ok_or_else(|| ForeignError::Architecture {
            found: named.to_owned(),
            supported: ALL.map(|known| known.class).join(", "),
        })?;
        match model_type {
            Some(other) if other != found.model_type => {
                let problem = format!(
                    "it is `{}`, but `architectures` says {}",
                    other.escape_debug(),
                    found.class
                );
                Err(config.problem("model_type", problem))
            }
            _ => Ok(found),
        }
    }
}
