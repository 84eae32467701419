//! Byte-level byte-pair encoding: train, encode, decode.
//!
//! What this crate knows: bytes, how text is cut into pieces ([`Pattern`]), how a vocabulary is
//! learned from text ([`train`]), and how text becomes ids and ids become text ([`Tokenizer`],
//! [`DecodeStream`]). What it does not know: models, tensors, embeddings, chat roles. It imports
//! no other crate of the workspace, so chapter 2 builds alone.
//!
//! The one design decision: **a token is a byte string and its id is its rank**, the order in
//! which training made it, and nothing else is stored: no list of merges, no scores. Two
//! reasons. Encoding needs only one question, "which id do these bytes have?", asked of two
//! neighbours at a time. And this is exactly the content of tiktoken's published vocabularies,
//! so ours and theirs load the same way and the same code can be checked against theirs, id
//! for id.
//!
//! Vocabularies that come from other projects number their tokens otherwise and bring a list of merges, or
//! merge characters by scores; they are read as well and behave the same from outside. They are no part of
//! chapter 2: `text_form.rs`, `pair_merges.rs`, `sentence_piece/`, `hf/`, `scored_list.rs`, `llama2c.rs` and
//! `distributed_llama/` can be left unread.
//!
//! A second decision follows from the first: pre-tokenization is a hand-written scanner, not a regular
//! expression. The published expressions need a backtracking engine, which has limits that a
//! long run of spaces or letters reaches; a tokenizer must not fail on any text.
//!
//! # Examples
//!
//! ```
//! use gollm_tokenizer::{Pattern, TrainOptions, train};
//!
//! let options = TrainOptions {
//!     vocab_size: 261,
//!     pattern: Pattern::Cl100k,
//!     special_tokens: vec!["<|end_of_text|>".to_owned()],
//! };
//! let tokenizer = train(["the cat sat on the mat, the end"], &options)?;
//! let ids = tokenizer.encode("the hat");
//! assert_eq!(tokenizer.decode(&ids)?, "the hat");
//! # Ok::<(), gollm_tokenizer::Error>(())
//! ```
//!
//! Read next: `notes/ch02-text.md`, then [`bpe`], which is the whole algorithm on one page, then
//! `scanner.rs`, `special.rs`, `tokenizer.rs`, `stream.rs` and `window.rs`. What is in `fast/`
//! changes no id; it is there for speed, and can be read last.

pub mod bpe;

mod byte_alphabet;
mod byte_level;
mod char_class;
mod distributed_llama;
mod error;
mod fast;
mod hf;
mod json;
mod little_endian;
mod llama2c;
mod pair_merges;
mod pattern;
mod pretokenize;
mod quote;
mod rank_file;
mod roles;
mod scanner;
mod scored_list;
mod sentence_piece;
mod special;
mod storage;
mod stream;
mod text_form;
mod tokenizer;
mod tokens;
mod train;
mod vocabulary;
mod window;

pub use error::{Error, Result};
pub use hf::HfFiles;
pub use pattern::Pattern;
pub use pretokenize::{Pieces, pretokenize};
pub use roles::Roles;
pub use sentence_piece::ScoredForm;
pub use special::SPECIAL_TOKENS;
pub use stream::DecodeStream;
pub use text_form::TextForm;
pub use tokenizer::Tokenizer;
pub use train::{TrainOptions, train};
pub use vocabulary::MAX_VOCAB_SIZE;
pub use window::{Window, sliding_windows};

/// The code blocks of the chapter's notes are tests.
#[cfg(doctest)]
#[doc = include_str!("../../../notes/ch02-text.md")]
struct Ch02Note;
