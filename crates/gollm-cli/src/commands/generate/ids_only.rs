//! Continues ids with ids: all that a model without a tokenizer can do.
//!
//! The engine's loop without its half about text: no end-of-text token and no stop string can be
//! known here, so it goes on until the asked length or the end of the context.

use std::time::Instant;

use gollm_engine::{
    Error, FinishReason, GenerateOptions, Generation, LanguageModel, SequenceTokens, Statistics,
};
use gollm_sampler::Sampler;

use super::Sink;
use crate::cli_error::CliError;

/// Continues `prompt`, showing each id as it is drawn.
pub(super) fn generate(
    model: &mut dyn LanguageModel,
    prompt: &[u32],
    options: &GenerateOptions,
    sink: &mut Sink,
) -> Result<Generation, CliError> {
    check(model, prompt, options)?;
    let started = Instant::now();
    let mut sampler = Sampler::new(options.sampler).map_err(Error::from)?;
    let mut time_to_first_token = None;
    let mut ids = prompt.to_vec();
    let finish_reason = loop {
        let n_drawn = ids.len() - prompt.len();
        if let Some(reason) = reason_to_end(model, ids.len(), n_drawn, options) {
            break reason;
        }
        let Some(logits) = feed(model, &ids, options)? else {
            continue;
        };
        let n_tokens = ids.len();
        let drawn = sampler.sample(&logits, &ids);
        let id = drawn.map_err(|source| Error::Sampling { n_tokens, source })?;
        time_to_first_token.get_or_insert_with(|| started.elapsed());
        ids.push(id);
        let separator = if n_drawn == 0 { "" } else { " " };
        if sink.push(&format!("{separator}{id}")).is_break() {
            break FinishReason::Cancelled;
        }
    };
    let ids = ids.split_off(prompt.len());
    let statistics = Statistics {
        prompt_tokens: prompt.len(),
        kept_tokens: 0,
        generated_tokens: ids.len(),
        time_to_first_token,
        total_time: started.elapsed(),
    };
    let text = String::new();
    Ok(Generation {
        text,
        ids,
        finish_reason,
        statistics,
    })
}

/// Gives the model what it has not seen of `ids`, a chunk at a time. `None` if there is more.
fn feed(
    model: &mut dyn LanguageModel,
    ids: &[u32],
    options: &GenerateOptions,
) -> Result<Option<Vec<f32>>, CliError> {
    let unseen = ids.get(model.length(0)..).unwrap_or_default();
    let tokens = &unseen[..unseen.len().min(options.prefill_chunk)];
    let logits = model
        .forward(&[SequenceTokens {
            sequence: 0,
            tokens,
        }])?
        .pop();
    let is_all = tokens.len() == unseen.len();
    Ok(is_all.then(|| logits.unwrap_or_default()))
}

fn reason_to_end(
    model: &dyn LanguageModel,
    n_ids: usize,
    n_drawn: usize,
    options: &GenerateOptions,
) -> Option<FinishReason> {
    if options.cancel.is_cancelled() {
        Some(FinishReason::Cancelled)
    } else if n_drawn >= options.max_tokens {
        Some(FinishReason::Length)
    } else if n_ids > model.context_length() {
        // The id drawn last need not fit: it has been shown, and the model never sees it.
        Some(FinishReason::Context)
    } else {
        None
    }
}

fn check(
    model: &dyn LanguageModel,
    prompt: &[u32],
    options: &GenerateOptions,
) -> Result<(), CliError> {
    if !options.stop_strings.is_empty() {
        return Err(CliError::usage(
            "--stop needs text, and this model has no tokenizer",
        ));
    }
    let (n_tokens, context_length) = (prompt.len(), model.context_length());
    if n_tokens > context_length {
        return Err(Error::PromptTooLong {
            n_tokens,
            context_length,
        }
        .into());
    }
    let vocab_size = model.vocab_size();
    match prompt.iter().position(|&id| id as usize >= vocab_size) {
        Some(position) => {
            let id = prompt[position];
            Err(Error::UnknownPromptId {
                id,
                position,
                vocab_size,
            }
            .into())
        }
        None => Ok(()),
    }
}
