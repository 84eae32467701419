//! One file for each command: its arguments, and what it does with them.

pub(crate) mod bench;
pub(crate) mod chat;
pub(crate) mod completions;
pub(crate) mod convert;
pub(crate) mod devices;
pub(crate) mod generate;
pub(crate) mod inspect;
pub(crate) mod man;
pub(crate) mod params;
pub(crate) mod perplexity;
#[cfg_attr(not(feature = "hub"), path = "pull_not_built.rs")]
pub(crate) mod pull;
pub(crate) mod quantize;
pub(crate) mod random_model;
pub(crate) mod tokenize;
pub(crate) mod train_tokenizer;
pub(crate) mod verify;
