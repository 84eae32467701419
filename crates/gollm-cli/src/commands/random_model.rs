//! `gollm random-model`: a model of any size that has learned nothing.

use std::f64::consts::TAU;
use std::path::PathBuf;

use gollm_model::{Config, ParameterCounts, expected_tensors};
use gollm_sampler::Random;
use gollm_tensor::{DType, n_elements};
use gollm_tokenizer::Tokenizer;
use gollm_weights::{Metadata, Writer};
use serde_json::{Map, Value, json};

use crate::args::switch;
use crate::cli_error::CliError;
use crate::input;
use crate::numbers::{bytes, grouped};
use crate::output::Notes;
use crate::untrained_vocabulary::{self, untrained};

/// How far random weights lie from zero, as a standard deviation; GPT-2's.
///
/// Source: the `initializer_range` of its published configuration. Wide enough that layers differ,
/// narrow enough that activations stay finite at any depth that is used.
const STANDARD_DEVIATION: f64 = 0.02;

/// Write a model file with random weights
///
/// To see how a size runs before training it: how fast, in how much memory. It writes nonsense. Its
/// tokenizer, unless you give one, is untrained as well: single bytes, then pairs of bytes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Config file (YAML)
    config: PathBuf,

    /// Where to write the model
    out: PathBuf,

    /// Storage type of the matrices: f32, f16, bf16, q8_0 or q4_0 [default: the config's]
    #[arg(long, value_name = "TYPE", env = "GOLLM_DTYPE")]
    dtype: Option<DType>,

    /// Seed of the random numbers: the same seed gives the same file
    #[arg(
        short,
        long,
        value_name = "SEED",
        env = "GOLLM_SEED",
        default_value_t = 0
    )]
    seed: u64,

    /// Rank file of a tokenizer to put into the file, as `train-tokenizer` writes it
    #[arg(
        long,
        value_name = "FILE",
        env = "GOLLM_TOKENIZER",
        conflicts_with = "no_tokenizer"
    )]
    tokenizer: Option<PathBuf>,

    /// Put no tokenizer into the file: the model takes and gives ids
    #[arg(long, env = "GOLLM_NO_TOKENIZER", value_parser = switch)]
    no_tokenizer: bool,
}

pub(crate) fn run(args: &Args, notes: Notes) -> Result<(), CliError> {
    input::check_target(&args.out)?;
    let mut config = super::params::read_config(&args.config)?;
    config.dtype = args.dtype.unwrap_or(config.dtype);
    let n_parameters = ParameterCounts::new(&config)?.total();
    let tokenizer = args.tokenizer(&config, notes)?;
    let metadata = Metadata {
        tokenizer: tokenizer.as_ref().map(Tokenizer::to_json),
        provenance: args.provenance(),
        ..Metadata::new(config.clone())
    };
    let failed = |error: gollm_weights::Error| match error.without_path() {
        gollm_weights::Error::Io { .. } | gollm_weights::Error::NotAFile(_) => {
            CliError::write(&args.out, error.without_path())
        }
        _ => error.into(),
    };
    let mut writer = Writer::create(&args.out, &metadata).map_err(failed)?;
    let mut random = Random::new(args.seed);
    for tensor in expected_tensors(&config)? {
        let n_elements = n_elements(&tensor.shape)?;
        let values = match tensor.shape.len() {
            // A norm's scale of one changes nothing, as before any training.
            1 if !tensor.name.ends_with(".bias") => vec![1.0; n_elements],
            _ => normal(&mut random, n_elements),
        };
        let written = writer.tensor_f32(&tensor.name, &tensor.shape, config.dtype, &values);
        written.map_err(failed)?;
    }
    writer.finish().map_err(failed)?;
    let n_bytes = std::fs::metadata(&args.out).map_or(0, |file| u128::from(file.len()));
    notes.say(format_args!(
        "{} random parameters as {}, {}, in {}",
        grouped(n_parameters),
        config.dtype,
        bytes(n_bytes),
        args.out.display()
    ));
    Ok(())
}

impl Args {
    fn tokenizer(&self, config: &Config, notes: Notes) -> Result<Option<Tokenizer>, CliError> {
        let vocab_size = config.vocab_size;
        if self.no_tokenizer {
            return Ok(None);
        }
        let Some(path) = &self.tokenizer else {
            if vocab_size < untrained_vocabulary::SMALLEST {
                notes.say(format_args!(
                    "note: no tokenizer in the file; vocab_size {vocab_size} is less than the {} ids \
                     that one needs, so generate from --prompt-ids",
                    untrained_vocabulary::SMALLEST
                ));
                return Ok(None);
            }
            return untrained(vocab_size).map(Some);
        };
        let tokenizer = Tokenizer::load(path)?;
        if tokenizer.vocab_size() != vocab_size {
            return Err(CliError::bad_file(format!(
                "{} has {} ids but the config says vocab_size {vocab_size}; train a tokenizer with \
                 --vocab-size {vocab_size}",
                path.display(),
                tokenizer.vocab_size()
            )));
        }
        Ok(Some(tokenizer))
    }

    fn provenance(&self) -> Map<String, Value> {
        let entries = [
            ("weights", json!("random, untrained")),
            (
                "distribution",
                json!(format!("normal, standard deviation {STANDARD_DEVIATION}")),
            ),
            ("seed", json!(self.seed)),
            (
                "made_by",
                json!(concat!("gollm random-model ", env!("CARGO_PKG_VERSION"))),
            ),
        ];
        entries
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect()
    }
}

/// Normally distributed values around zero.
///
/// Source: Box & Muller 1958, "A Note on the Generation of Random Normal Deviates",
/// <https://doi.org/10.1214/aoms/1177706645>: two uniform numbers give two normal ones.
fn normal(random: &mut Random, n_elements: usize) -> Vec<f32> {
    let mut values = Vec::with_capacity(n_elements + 1);
    while values.len() < n_elements {
        // 1 - u is in (0, 1], where the logarithm is finite.
        let radius = STANDARD_DEVIATION * (-2.0 * (1.0 - random.next_f64()).ln()).sqrt();
        let (sin, cos) = (TAU * random.next_f64()).sin_cos();
        values.extend([(radius * cos) as f32, (radius * sin) as f32]);
    }
    values.truncate(n_elements);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_weights_have_the_mean_and_spread_they_should() {
        let n = 100_001;
        let values = normal(&mut Random::new(1), n);
        assert_eq!(values.len(), n);
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n as f64;
        let square = values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / n as f64;
        // Five standard errors: of the mean 0.02 / sqrt(n), of the variance 0.02² · sqrt(2 / n).
        assert!(mean.abs() < 5.0 * 0.02 / (n as f64).sqrt(), "{mean}");
        assert!(
            (square / 4e-4 - 1.0).abs() < 5.0 * (2.0 / n as f64).sqrt(),
            "{square}"
        );
    }
}
