//! Which template a conversation is put in.

use std::path::Path;

use gollm_chat::{BUILT_IN, ChatTemplate};

use crate::cli_error::CliError;
use crate::input;
use crate::open_model::OpenModel;

/// The template that is asked for, or the model's own.
pub(super) fn choose(asked: Option<&str>, model: &OpenModel) -> Result<ChatTemplate, CliError> {
    if !model.has_tokenizer() {
        return Err(model.no_tokenizer("a conversation is text"));
    }
    if let Some(asked) = asked {
        return match ChatTemplate::built_in(asked) {
            Some(template) => Ok(template),
            None => from_file(asked),
        };
    }
    let names = BUILT_IN.join(", ");
    let Some(source) = &model.file.metadata().chat_template else {
        return Err(model.failure(CliError::bad_file(format!(
            "the file holds no chat template, so this model only continues text: use `gollm generate`, or \
             say with --template how messages are put to it ({names}, or a file)"
        ))));
    };
    ChatTemplate::new(source).map_err(|error| {
        let message = format!("{error}; --template takes another one ({names}, or a file)");
        model.failure(CliError::bad_file(message))
    })
}

fn from_file(name: &str) -> Result<ChatTemplate, CliError> {
    let path = Path::new(name);
    if !path.exists() {
        return Err(CliError::usage(format!(
            "--template {name}: there is no such file, and built in are {}",
            BUILT_IN.join(", ")
        )));
    }
    // Editors end a file with a line end that is no part of the template; Jinja drops it as well.
    let source = input::text(path)?;
    ChatTemplate::new(&source).map_err(|error| CliError::from(error).context(path.display()))
}
