//! Ids in, ids out: generation with a model that has no tokenizer.

use std::ops::ControlFlow;

use crate::{GenerateOptions, Generation, LanguageModel, Result, Sequence, step};

/// Continues `prompt` in the model's sequence 0, handing every id to `on_id` as it is drawn. `on_id`
/// ends the generation by returning [`ControlFlow::Break`].
///
/// The loop is that of [`Engine::generate`](crate::Engine::generate); only the text is missing. No id
/// ends it by itself: it goes on until `max_tokens` or the end of the context.
///
/// # Errors
///
/// [`Error::Option`](crate::Error::Option) for stop strings, which need text; otherwise as
/// [`Engine::generate_from_ids`](crate::Engine::generate_from_ids).
pub fn generate_ids(
    model: &mut dyn LanguageModel,
    prompt: Vec<u32>,
    options: GenerateOptions,
    mut on_id: impl FnMut(u32) -> ControlFlow<()>,
) -> Result<Generation> {
    let mut sequence = Sequence::new(model, None, 0, prompt, options)?;
    while sequence.finish_reason().is_none() {
        step(model, std::slice::from_mut(&mut sequence))?;
        let mut drawn = sequence.take_ids().iter();
        if drawn.any(|&id| on_id(id).is_break()) {
            sequence.break_off();
        }
    }
    Ok(sequence.into_generation())
}
