//! From logits to the next token id.
//!
//! A language model ends each step with one number per vocabulary entry, its
//! *logits*. This crate turns that list into one chosen id: it lowers the
//! logits of repeated tokens, drops improbable ones, sharpens or flattens what
//! is left, and draws. Chapter: `notes/ch05-training-and-sampling.md`; the
//! book's section 5.3 ("Decoding strategies to control randomness").
//!
//! What it knows: logits, earlier ids, a seed. What it does *not* know: text,
//! tokenizers, models, devices.
//!
//! The design decision is a chain of small steps over one list of
//! [`Candidates`], in one fixed order ([`Step::ORDER`]):
//!
//! penalties → top-k → top-p → min-p → temperature → draw
//!
//! It is the order of llama.cpp's default chain, for two reasons. First, the
//! cuts then look at the model's own probabilities, so raising the temperature
//! makes the kept tokens more equal but never lets an improbable one back in.
//! (Hugging Face applies the temperature first, which couples the two: at a
//! high temperature top-p keeps far more tokens.) Second, it is what the book's
//! `generate` does with its two steps, top-k and then temperature.
//!
//! # Examples
//!
//! ```
//! use gollm_sampler::{Sampler, SamplerOptions};
//!
//! let logits = [1.0, 4.0, 2.0, 0.5];
//! let mut greedy = Sampler::new(SamplerOptions { temperature: 0.0, ..Default::default() })?;
//! assert_eq!(greedy.sample(&logits, &[])?, 1);
//!
//! // Same seed, same draws.
//! let mut a = Sampler::new(SamplerOptions { seed: 7, ..Default::default() })?;
//! let mut b = Sampler::new(SamplerOptions { seed: 7, ..Default::default() })?;
//! for _ in 0..10 {
//!     assert_eq!(a.sample(&logits, &[])?, b.sample(&logits, &[])?);
//! }
//! # Ok::<(), gollm_sampler::Error>(())
//! ```
//!
//! Read next: [`Sampler`], then one file per step, then `gollm-engine`, which
//! calls this crate once per generated token.

mod candidates;
mod error;
mod min_p;
mod options;
mod penalties;
mod random;
mod sampler;
mod step;
mod temperature;
mod top_k;
mod top_p;

pub use candidates::{Candidate, Candidates, Table};
pub use error::{Error, Result};
pub use min_p::keep_min_p;
pub use options::SamplerOptions;
pub use penalties::{Penalties, apply_penalties};
pub use random::{Random, split_mix_64};
pub use sampler::Sampler;
pub use step::Step;
pub use temperature::apply_temperature;
pub use top_k::keep_top_k;
pub use top_p::keep_top_p;
