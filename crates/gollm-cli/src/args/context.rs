//! How long a text the model can see.

use gollm_model::Config;
use gollm_tensor::Device;

use crate::cli_error::CliError;
use crate::numbers::{bytes, grouped};
use crate::output::Notes;

/// The context when nobody asks for one: long enough for a conversation, and for a model of 8 billion
/// parameters its cache takes no more than 2 GiB.
const DEFAULT: usize = 8_192;
/// A context below which gollm gives up rather than choose it by itself.
const SMALLEST: usize = 512;

/// The size of the context.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Model")]
pub(crate) struct ContextArgs {
    /// Tokens that the model sees at once; 0 is all that it was made for [default: at most 8192]
    ///
    /// Memory for the keys and values of as many tokens is reserved at the start.
    #[arg(short, long, visible_alias = "context-length", value_name = "N")]
    #[arg(env = "GOLLM_CTX_SIZE", allow_negative_numbers = true)]
    ctx_size: Option<usize>,
}

impl ContextArgs {
    /// The context for a model on this device, for one text at a time.
    ///
    /// Asked for, it must fit into the memory that is free. Left to us, it becomes smaller until it does,
    /// and stderr says so.
    pub(crate) fn choose(
        &self,
        config: &Config,
        device: &Device,
        is_cpu: bool,
        notes: Notes,
    ) -> Result<usize, CliError> {
        let own = config.context_length;
        let per_token = bytes_per_token(config, device)?;
        // A GPU has memory of its own, and says itself when it is full.
        let free = match is_cpu {
            true => gollm_cpu::free_memory() as u128,
            false => u128::MAX,
        };
        let fits = |n: usize| (n as u128).saturating_mul(per_token) <= free;
        if let Some(asked) = self.ctx_size {
            let asked = if asked == 0 { own } else { asked };
            check_asked(asked, own)?;
            return match fits(asked) {
                true => Ok(asked),
                false => Err(too_large(asked, per_token, free)),
            };
        }
        let mut chosen = own.min(DEFAULT);
        while !fits(chosen) {
            if chosen <= SMALLEST {
                return Err(too_large(chosen, per_token, free));
            }
            chosen = (chosen / 2).max(SMALLEST);
        }
        if chosen < own {
            notes.say(format_args!(
                "context {} of the model's {} tokens; --ctx-size takes another, 0 all of it",
                grouped(chosen as u128),
                grouped(own as u128)
            ));
        }
        Ok(chosen)
    }
}

fn check_asked(asked: usize, own: usize) -> Result<(), CliError> {
    match asked > own {
        false => Ok(()),
        true => Err(CliError::usage(format!(
            "--ctx-size {asked} is more than the model's context of {own} tokens"
        ))),
    }
}

fn too_large(n_tokens: usize, per_token: u128, free: u128) -> CliError {
    CliError::resources(format!(
        "there is no memory for a context of {} tokens: its keys and values take {}, and {} are free; \
         take --ctx-size {} or less, or --cache-type f16",
        grouped(n_tokens as u128),
        bytes(n_tokens as u128 * per_token),
        bytes(free),
        free / per_token.max(1)
    ))
}

/// What the keys and values of a token take on this device.
fn bytes_per_token(config: &Config, device: &Device) -> Result<u128, CliError> {
    let width = config.n_kv_heads as u128 * config.head_dim as u128;
    let n_values = 2 * config.n_layers as u128 * width;
    // The device alone knows in which type it keeps them.
    let dtype = device.cache(&[1, 1, 1])?.dtype();
    Ok(n_values * dtype.n_bytes(&[1])? as u128)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys and values of a token take `2 · layers · 1024 · 4` bytes.
    fn config(layers: usize, context_length: usize) -> Config {
        Config::from_yaml(&format!(
            "{{vocab_size: 300, context_length: {context_length}, emb_dim: 4096, n_heads: 32, \
               n_kv_heads: 8, hidden_dim: 64, n_layers: {layers}}}"
        ))
        .unwrap()
    }

    fn choose(ctx_size: Option<usize>, config: &Config, is_cpu: bool) -> Result<usize, CliError> {
        let notes = Notes { quiet: true };
        ContextArgs { ctx_size }.choose(config, &Device::reference(), is_cpu, notes)
    }

    #[test]
    fn the_context_is_what_is_asked_for_or_the_model_s_own_up_to_a_bound() {
        for (asked, own, expected) in [
            (None, 48, 48),
            (None, 131_072, DEFAULT),
            (Some(0), 131_072, 131_072),
            (Some(100), 131_072, 100),
            (Some(131_072), 131_072, 131_072),
        ] {
            let chosen = choose(asked, &config(1, own), false);
            assert_eq!(chosen.unwrap(), expected);
        }
        let error = choose(Some(49), &config(1, 48), false).unwrap_err();
        assert!(
            error
                .message()
                .contains("49 is more than the model's context of 48")
        );
    }

    #[test]
    fn a_cache_that_memory_cannot_hold_is_refused_before_it_is_made() {
        // 512 layers take 4 MiB a token, and 512 Ki tokens 2 TiB.
        let huge = config(512, 1 << 19);
        let error = choose(Some(0), &huge, true).unwrap_err();
        assert!(error.message().contains("2.00 TiB"), "{}", error.message());
        assert!(
            error.message().contains("--ctx-size"),
            "{}",
            error.message()
        );
        // Left to us it is what fits, or also an error.
        if let Ok(chosen) = choose(None, &huge, true) {
            assert!((SMALLEST..DEFAULT).contains(&chosen), "{chosen}");
        }
    }
}
