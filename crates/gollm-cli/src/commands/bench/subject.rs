//! The model that is measured.

use std::collections::HashMap;
use std::sync::Arc;

use gollm_model::{Config, StoredTensor, WeightSource, expected_tensors};
use gollm_sampler::Random;
use gollm_tensor::{DType, n_elements, quantize};

use super::Args;
use crate::cli_error::CliError;

/// What is measured, loaded once.
pub(super) struct Subject {
    pub(super) name: String,
    pub(super) config: Config,
    pub(super) weights: Arc<dyn WeightSource>,
}

impl Subject {
    /// A model file, or a config with random weights.
    pub(super) fn of(args: &Args) -> Result<Self, CliError> {
        let Some(path) = &args.random else {
            let model = args.model.open()?;
            return Ok(Self {
                name: model.name,
                config: model.file.config().clone(),
                weights: Arc::new(model.file),
            });
        };
        let mut config = crate::commands::params::read_config(path)?;
        config.dtype = args.dtype.unwrap_or(config.dtype);
        let name = path.file_stem().unwrap_or(path.as_os_str());
        Ok(Self {
            name: format!("{} (random weights)", name.display()),
            weights: Arc::new(random_weights(&config)?),
            config,
        })
    }
}

/// Weights that take the same work as trained ones: what a product costs does not depend on its
/// numbers.
fn random_weights(config: &Config) -> Result<HashMap<String, StoredTensor>, CliError> {
    let mut random = Random::new(0);
    // One run of random numbers, used again and again: making a hundred million takes longer than
    // measuring. Its length is no multiple of any row's, so rows differ.
    let pattern: Vec<f32> = (0..100_003)
        .map(|_| ((random.next_f64() - 0.5) * 0.07) as f32)
        .collect();
    let mut weights = HashMap::new();
    let mut start = 0;
    for spec in expected_tensors(config)? {
        let n = n_elements(&spec.shape)?;
        let is_norm = spec.shape.len() == 1;
        let values: Vec<f32> = if is_norm {
            vec![1.0; n]
        } else {
            pattern
                .iter()
                .cycle()
                .skip(start)
                .take(n)
                .copied()
                .collect()
        };
        start = (start + n) % pattern.len();
        let dtype = if is_norm { DType::F32 } else { config.dtype };
        let bytes = quantize(&values, dtype)?.into();
        let tensor = StoredTensor {
            shape: spec.shape.clone(),
            dtype,
            bytes,
        };
        weights.insert(spec.name, tensor);
    }
    Ok(weights)
}
