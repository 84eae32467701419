//! Hugging Face's `tokenizer.json`: read as the library `tokenizers` reads it, and written for it.
//!
//! The file is a chain of steps: added tokens are found first, then text is normalized, cut into pieces,
//! merged, and decoded on the way back. Any step can be one of many. What is read here is the chains
//! that published models of this program's architectures have; a step that is not known is refused by
//! its name, since a tokenizer that is nearly right is worse than none.
//!
//! | file | what it knows |
//! |---|---|
//! | `json.rs` | values of a JSON object, with messages |
//! | `read.rs` | the whole file |
//! | `steps.rs` | normalizer, pre-tokenizer and decoder: which kind of tokenizer it is |
//! | `regexes.rs` | our patterns as expressions |
//! | `vocabulary.rs` | vocabulary and merges of both kinds |
//! | `added.rs` | added tokens, and which ids begin and end a text |
//! | `write.rs`, `chain.rs` | the way back |
//!
//! Source: <https://huggingface.co/docs/tokenizers>, and the library's own behaviour, which
//! `python/tests/test_tokenizers.py` compares id for id.

mod added;
mod chain;
mod json;
mod read;
mod regexes;
mod steps;
mod vocabulary;
mod write;

pub use write::HfFiles;
