//! GGUF: the model files of llama.cpp and ggml, read where they lie.
//!
//! A GGUF file is a list of named values, a list of tensors, and their data. Nothing in it is under a
//! checksum and every number in it may be a lie, so the reader compares each count, length, product and
//! offset with what is left of the file before it uses it. What is read, what is refused and how the
//! names map: `docs/formats.md`. Source of the layout:
//! <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.
//!
//! | file | what it knows |
//! |---|---|
//! | `value.rs` | the thirteen kinds of values |
//! | `container.rs`, `keys.rs` | the lists, and where the data lie; values by their keys |
//! | `part_name.rs`, `parts.rs` | models in several files |
//! | `ggml_type.rs`, `blocks.rs` | storage types, and the blocks that become q8_0 |
//! | `architecture.rs` | `llama`, `qwen2`, `qwen3`, `qwen3moe`: what tells them apart |
//! | `config.rs`, `scaling.rs` | the keys as our config |
//! | `names.rs` | the tensors under our names |
//! | `tokenizer.rs`, `sentence_piece.rs` | its vocabulary as our tokenizer's JSON |
//! | `import.rs` | all of it together |
//! | `write.rs`, `vocabulary.rs`, `layout.rs`, `export.rs` | the way back |

mod architecture;
pub(crate) mod blocks;
mod config;
mod container;
mod error;
mod export;
pub(crate) mod ggml_type;
mod import;
mod keys;
mod layout;
mod names;
mod part_name;
mod parts;
mod scaling;
mod sentence_piece;
mod tokenizer;
mod value;
mod vocabulary;
mod write;

pub use error::GgufError;
pub use export::export_gguf;
pub(crate) use import::{IMPORTED_FROM, import, import_parts};
pub(crate) use parts::Parts;
pub use vocabulary::{GgufMerging, GgufToken, GgufVocabulary};

/// The first four bytes of every GGUF file.
pub(crate) const MAGIC: [u8; 4] = *b"GGUF";
