//! Llama 3's stretching of slow wavelengths, found again from a tensor of factors.
//!
//! Our config holds the formula's four numbers; a GGUF file holds what came out of it: by how much each
//! frequency is divided, in `rope_freqs.weight`. The numbers are tried, and the whole list compared.

use gollm_model::rope::{frequencies, scale_frequency};
use gollm_model::{Config, RopeScaling};
use gollm_tensor::DType;

use super::architecture::Architecture;
use super::container::Container;
use super::error::{GgufError, Result};
use super::ggml_type::GgmlType;

/// The tensor's name.
pub(crate) const NAME: &str = "rope_freqs.weight";
/// Factors are f32 numbers that another program computed in f32: a few roundings of 6e-8 each, through
/// a division by a difference of about 1.
const TOLERANCE: f64 = 1e-5;

/// Only the place is known here; the factors are compared by [`check`] once the bytes are at hand.
pub(crate) fn find(
    file: &Container<'_>,
    kind: Architecture,
    config: &Config,
) -> Result<Option<RopeScaling>> {
    let Some(tensor) = file.tensors.iter().find(|tensor| tensor.name == NAME) else {
        return Ok(None);
    };
    let half = config.head_dim / 2;
    if tensor.kind != GgmlType::Same(DType::F32) || tensor.shape != [half] {
        let problem = format!(
            "it is {} of shape {:?}, expected f32 of [{half}], one for each pair of a head",
            tensor.kind.name(),
            tensor.shape
        );
        return Err(GgufError::tensor(NAME, problem));
    }
    let original = file.size(&kind.key("rope.scaling.original_context_length"))?;
    scaling_of(&factors(file.data(tensor)), original, config)
}

fn factors(data: &[u8]) -> Vec<f64> {
    let numbers = data.chunks_exact(4);
    numbers
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]).into())
        .collect()
}

/// The formula whose factors these are; `None` where all are 1.
fn scaling_of(
    factors: &[f64],
    original: Option<usize>,
    config: &Config,
) -> Result<Option<RopeScaling>> {
    if factors.iter().all(|factor| *factor == 1.0) {
        return Ok(None);
    }
    let scaling = RopeScaling {
        // The slowest pair is stretched in full.
        factor: factors.last().copied().unwrap_or(1.0),
        // What every published model of the family has.
        low_freq_factor: 1.0,
        high_freq_factor: 4.0,
        original_context_length: original.unwrap_or(8192),
    };
    let expected = expected_factors(&scaling, config);
    let close = |(found, expected): (&f64, &f64)| (found - expected).abs() <= TOLERANCE * expected;
    if expected.len() == factors.len() && factors.iter().zip(&expected).all(close) {
        return Ok(Some(scaling));
    }
    let problem = "its factors are not those of Llama 3's formula (low_freq_factor 1, \
                   high_freq_factor 4, original_context_length 8192); other ones are not computed";
    Err(GgufError::tensor(NAME, problem))
}

/// By how much the formula divides each frequency.
pub(crate) fn expected_factors(scaling: &RopeScaling, config: &Config) -> Vec<f64> {
    let plain = Config {
        rope_scaling: None,
        ..config.clone()
    };
    let plain = frequencies(&plain).into_iter();
    plain
        .map(|frequency| frequency / scale_frequency(frequency, scaling))
        .collect()
}
