//! The loop's one step: a single pass through the model, for any number of texts.

use crate::language_model::{check_ids, check_logits};
use crate::{LanguageModel, Result, Sequence};

/// Moves every unfinished sequence on by one pass that they share: those still reading their prompt
/// by a chunk of it, the others by one drawn id.
///
/// This is the whole generation loop; [`Engine`](crate::Engine) repeats it. Sequences may be at
/// different points, join and leave between two steps: what serving calls continuous batching (Yu
/// et al. 2022, "Orca", section 3.1). Each must have a slot of its own.
///
/// # Errors
///
/// Whatever the model's pass or a draw meets. The sequences are then not to be continued.
pub fn step(model: &mut dyn LanguageModel, sequences: &mut [Sequence<'_>]) -> Result<()> {
    for sequence in sequences.iter_mut() {
        sequence.check_cancelled();
    }
    let batch: Vec<_> = sequences.iter().filter_map(Sequence::pending).collect();
    if batch.is_empty() {
        return Ok(());
    }
    let n_pending = batch.len();
    let mut active = sequences
        .iter()
        .filter(|sequence| sequence.finish_reason().is_none());
    if active.all(Sequence::is_argmax_enough) {
        let ids = model.forward_argmax(&batch)?;
        check_ids(&ids, n_pending, model.vocab_size())?;
        return each_active(sequences, ids, Sequence::advance_by);
    }
    let logits = model.forward(&batch)?;
    check_logits(&logits, n_pending, model.vocab_size())?;
    each_active(sequences, logits, |sequence, logits| {
        sequence.advance(&logits)
    })
}

/// Hands every unfinished sequence its result of the pass.
fn each_active<'a, T>(
    sequences: &mut [Sequence<'a>],
    results: Vec<T>,
    mut advance: impl FnMut(&mut Sequence<'a>, T) -> Result<()>,
) -> Result<()> {
    let active = sequences
        .iter_mut()
        .filter(|sequence| sequence.finish_reason().is_none());
    for (sequence, result) in active.zip(results) {
        advance(sequence, result)?;
    }
    Ok(())
}
