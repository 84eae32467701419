//! Tokens in, text out: prefill, decode, stream, stop.
//!
//! A language model answers one question: given these ids, how likely is each id to come next? This
//! crate asks it again and again. It encodes a prompt, lets the model read it in chunks (*prefill*),
//! draws an id, gives it back to the model (*decode*), and so on until something ends the text, while
//! the text so far is handed out in whole characters (*stream*). Chapter:
//! `notes/ch05-training-and-sampling.md`; the book's sections 5.1 and 5.3, and its
//! `generate_text_simple` in 4.7.
//!
//! What it knows: ids, text, the order of things. What it does *not* know: where logits come from.
//!
//! The design decision is the seam [`LanguageModel`], tokens in and logits out, for two reasons.
//! Everything that can go wrong between tokens and text (half characters, stop strings over several
//! tokens, full contexts) is tested with a scripted model that needs no weights. And a batch, a GPU
//! or a cluster is a model like any other: [`step`] moves any number of [`Sequence`]s on with one
//! pass, so a server is this crate's loop and not a second one.
//!
//! # Examples
//!
//! A model that always continues the alphabet, one letter a token:
//!
//! ```
//! use std::ops::ControlFlow;
//! use gollm_engine::{Engine, GenerateOptions, LanguageModel, Result, SequenceTokens};
//! use gollm_sampler::SamplerOptions;
//! use gollm_tokenizer::{Pattern, Tokenizer};
//!
//! #[derive(Default)]
//! struct Alphabet { n_tokens: usize }
//!
//! impl LanguageModel for Alphabet {
//!     fn vocab_size(&self) -> usize { 256 }
//!     fn context_length(&self) -> usize { 100 }
//!     fn n_sequences(&self) -> usize { 1 }
//!     fn forward(&mut self, batch: &[SequenceTokens<'_>]) -> Result<Vec<Vec<f32>>> {
//!         let logits = |entry: &SequenceTokens<'_>| {
//!             self.n_tokens += entry.tokens.len();
//!             let mut logits = vec![0.0; 256];
//!             if let Some(&last) = entry.tokens.last() { logits[last as usize + 1] = 9.0; }
//!             logits
//!         };
//!         Ok(batch.iter().map(logits).collect())
//!     }
//!     fn length(&self, _sequence: usize) -> usize { self.n_tokens }
//!     fn truncate(&mut self, _sequence: usize, length: usize) -> Result<()> {
//!         self.n_tokens = length;
//!         Ok(())
//!     }
//! }
//!
//! let bytes = (0..=255).map(|byte| vec![byte]).collect();
//! let tokenizer = Tokenizer::new(bytes, Pattern::Gpt2, Vec::new())?;
//! let mut engine = Engine::new(Box::new(Alphabet::default()), tokenizer)?;
//! let options = GenerateOptions {
//!     sampler: SamplerOptions::greedy(),
//!     stop_strings: vec!["hi".to_owned()],
//!     ..Default::default()
//! };
//! let generation = engine.generate("abc", &options, |_piece| ControlFlow::Continue(()))?;
//! assert_eq!(generation.text, "defg");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Read next: `step.rs` (the loop's one step), `sequence.rs` (what one text needs), `stop.rs`.

mod adapter;
mod cancel;
mod engine;
mod error;
mod generate_ids;
mod generation;
mod language_model;
mod load;
mod open;
mod options;
mod perplexity;
mod sequence;
mod step;
mod stop;

pub use adapter::TransformerModel;
pub use cancel::CancelFlag;
pub use engine::{Engine, begin_of_text_id};
pub use error::{Error, Result};
pub use generate_ids::generate_ids;
pub use generation::{FinishReason, Generation, Statistics};
pub use language_model::{LanguageModel, SequenceTokens};
pub use load::{LoadOptions, load, load_bytes, load_file, load_file_with, load_transformer};
pub use open::open;
pub use options::GenerateOptions;
pub use perplexity::{Perplexity, perplexity};
pub use sequence::{Sequence, end_of_text_ids};
pub use step::step;
pub use stop::StopMatcher;

/// The code blocks of `notes/ch05-training-and-sampling.md`, run as doctests.
#[cfg(doctest)]
#[doc = include_str!("../../../notes/ch05-training-and-sampling.md")]
struct Ch05Note;
