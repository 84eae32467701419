//! Hugging Face folders: `config.json` and safetensors files, read where they lie, and written.
//!
//! A folder comes from a stranger like any file: names in it may lead elsewhere, the index may lie
//! about the files and the files about themselves. What is read, what is refused and how the names
//! map: `docs/formats.md`. Sources: <https://huggingface.co/docs/safetensors>, section "Format", and the
//! configuration classes of transformers.
//!
//! | file | what it knows |
//! |---|---|
//! | `folder.rs` | which files of a folder may be read |
//! | `object.rs` | a JSON object, one key at a time |
//! | `architecture.rs`, `config.rs`, `rope.rs` | `config.json` as our config |
//! | `header.rs`, `shards.rs` | safetensors files, one or many |
//! | `names.rs` | their tensors under our names |
//! | `text.rs` | chat template, and the tokens that begin and end a text |
//! | `import.rs` | all of it together |
//! | `config_out.rs`, `shards_out.rs`, `place.rs`, `export.rs` | the way back |

mod architecture;
mod config;
mod config_out;
mod export;
pub(crate) mod folder;
pub(crate) mod header;
mod import;
mod names;
mod object;
mod place;
mod rope;
mod shards;
mod shards_out;
mod text;

pub use export::{FolderOptions, export_folder};
pub(crate) use import::{Imported, open, weights_in};
pub use text::TokenRoles;

/// What the folder calls its config.
pub(crate) const CONFIG: &str = "config.json";
