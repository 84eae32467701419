//! Cutting a stream of ids into training examples.

use crate::{Error, Result};

/// One training example: at each position the id to read and the id to predict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window<'a> {
    /// What the model reads.
    pub inputs: &'a [u32],
    /// What it should say next: `targets[t]` is the id that follows `inputs[t]`.
    pub targets: &'a [u32],
}

/// Slides a window of `context_length` ids over `ids`, `stride` ids at a time.
///
/// The targets are the inputs shifted by one, so the last id is never an input. With
/// `stride == context_length` every id is an input once; a smaller stride repeats text, a
/// larger one skips some. What is left at the end and too short for a window is left out.
///
/// # Shapes
///
/// - `ids`: `[n_tokens]`
/// - each window's `inputs` and `targets`: `[context_length]`
///
/// # Errors
///
/// [`Error::ZeroLength`] if `context_length` or `stride` is 0.
///
/// Source: Raschka 2024, section 2.6.
pub fn sliding_windows(
    ids: &[u32],
    context_length: usize,
    stride: usize,
) -> Result<impl Iterator<Item = Window<'_>>> {
    for (name, value) in [("context_length", context_length), ("stride", stride)] {
        if value == 0 {
            return Err(Error::ZeroLength { name });
        }
    }
    let n_starts = ids.len().saturating_sub(context_length);
    Ok((0..n_starts).step_by(stride).map(move |start| Window {
        inputs: &ids[start..start + context_length],
        targets: &ids[start + 1..start + 1 + context_length],
    }))
}
