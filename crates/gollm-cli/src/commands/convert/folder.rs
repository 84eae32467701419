//! A Hugging Face folder to be written: what is refused before, and what goes into it.

use std::fs;
use std::path::{Path, is_separator};

use gollm_engine::{begin_of_text_id, end_of_text_ids};
use gollm_tokenizer::{Roles, Tokenizer};
use gollm_weights::{FolderOptions, TokenRoles};

use super::Args;
use crate::cli_error::CliError;
use crate::open_model::OpenModel;
use crate::output::Notes;

/// Whether a path means a folder: it ends in a separator, or one is there.
pub(super) fn is_meant(out: &Path) -> bool {
    let text = out.as_os_str().to_string_lossy();
    text.ends_with(is_separator) || out.is_dir()
}

/// Refuses what would be lost by writing there, before anything is read.
pub(super) fn check_target(args: &Args) -> Result<(), CliError> {
    let (from, to) = (fs::canonicalize(&args.input), fs::canonicalize(&args.out));
    if let (Ok(from), Ok(to)) = (from, to)
        && from.starts_with(&to)
    {
        return Err(CliError::usage(format!(
            "IN lies in OUT, {}; it would be lost, so give another folder",
            args.out.display()
        )));
    }
    if args.out.exists() && !args.out.is_dir() {
        return Err(CliError::write(&args.out, "it is a file and no folder"));
    }
    let has_entries = |mut entries: fs::ReadDir| entries.next().is_some();
    if !args.force && fs::read_dir(&args.out).is_ok_and(has_entries) {
        return Err(CliError::usage(format!(
            "{} is not empty; --force replaces the model in it",
            args.out.display()
        )));
    }
    let out: std::path::PathBuf = args.out.components().collect();
    match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() && !parent.is_dir() => {
            let reason = format!("there is no directory {}", parent.display());
            Err(CliError::write(&args.out, reason))
        }
        _ => Ok(()),
    }
}

/// The files of the tokenizer, and the ids that begin and end a text.
pub(super) fn options(
    args: &Args,
    model: &OpenModel,
    tokenizer: Option<&Tokenizer>,
    notes: Notes,
) -> Result<FolderOptions, CliError> {
    let dtype = model.file.config().dtype;
    if dtype.block_len() > 1 {
        notes.say(format_args!(
            "{dtype} is written as f16: safetensors has no such type"
        ));
    }
    let mut options = FolderOptions {
        max_shard_bytes: args.max_shard_size,
        force: args.force,
        roles: model.file.token_roles().clone(),
        files: Vec::new(),
    };
    let Some(tokenizer) = tokenizer else {
        notes.say("without a tokenizer: the model has none");
        return Ok(options);
    };
    let roles = Roles {
        begin: begin_of_text_id(tokenizer),
        end: end_of_text_ids(tokenizer),
    };
    let files = tokenizer
        .to_hf_json(&roles, model.file.chat_template())
        .map_err(|error| model.failure(error))?;
    options.files = vec![
        (
            "tokenizer.json".to_owned(),
            format!("{:#}\n", files.tokenizer),
        ),
        (
            "tokenizer_config.json".to_owned(),
            format!("{:#}\n", files.config),
        ),
    ];
    options.roles = TokenRoles {
        begin: roles.begin,
        end: roles.end,
    };
    Ok(options)
}

/// How long all files of the folder are together.
pub(super) fn n_bytes(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let lengths = files.map(|file| file.metadata().map_or(0, |file| file.len()));
    lengths.sum()
}
