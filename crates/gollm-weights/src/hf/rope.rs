//! How positions are turned: `rope_theta` and `rope_scaling` of transformers 4, `rope_parameters` of 5.

use gollm_model::RopeScaling;

use super::object::Object;
use crate::foreign_error::Result;

/// The base where a config leaves it out.
const DEFAULT_THETA: f64 = 10_000.0;
const THETA: &str = "rope_theta";
const PARTIAL: &str = "partial_rotary_factor";

/// The newer and the older object of parameters, as far as they are there.
fn objects(json: Object<'_>) -> Result<[Option<Object<'_>>; 2]> {
    Ok([
        json.object("rope_parameters", "rope_parameters.")?,
        json.object("rope_scaling", "rope_scaling.")?,
    ])
}

/// The base of the wavelengths, which may be given in either place.
pub(crate) fn theta(json: Object<'_>) -> Result<f64> {
    let mut found = json.number(THETA)?;
    for object in objects(json)?.into_iter().flatten() {
        let Some(inside) = object.number(THETA)? else {
            continue;
        };
        match found {
            Some(outside) if outside != inside => {
                let problem = format!("it is {inside}, but elsewhere in the config {outside}");
                return Err(object.problem(THETA, problem));
            }
            _ => found = Some(inside),
        }
    }
    Ok(found.unwrap_or(DEFAULT_THETA))
}

/// Llama 3's stretching of slow wavelengths, if the model has it; every other kind is refused.
pub(crate) fn scaling(json: Object<'_>, context_length: usize) -> Result<Option<RopeScaling>> {
    whole_heads(json)?;
    let mut found: Option<Option<RopeScaling>> = None;
    for object in objects(json)?.into_iter().flatten() {
        whole_heads(object)?;
        let scaling = scaling_of(object, json, context_length)?;
        if found.is_some_and(|other| other != scaling) {
            let problem = "it contradicts rope_scaling; leave one of the two out";
            return Err(json.problem("rope_parameters", problem));
        }
        found = Some(scaling);
    }
    Ok(found.flatten())
}

/// RoPE turns all numbers of a head here.
fn whole_heads(object: Object<'_>) -> Result<()> {
    match object.number(PARTIAL)? {
        Some(factor) if factor != 1.0 => {
            let problem = format!("it is {factor}; only whole heads (1) are computed");
            Err(object.problem(PARTIAL, problem))
        }
        _ => Ok(()),
    }
}

fn scaling_of(
    object: Object<'_>,
    json: Object<'_>,
    context_length: usize,
) -> Result<Option<RopeScaling>> {
    // Before version 4.45 the key was called `type`.
    let (key, kind) = match object.string("rope_type")? {
        Some(kind) => ("rope_type", kind),
        None => ("type", object.string("type")?.unwrap_or("default")),
    };
    match kind {
        "default" => Ok(None),
        // A factor of 1 changes nothing.
        "linear" if object.number("factor")? == Some(1.0) => Ok(None),
        "llama3" => {
            const ORIGINAL: &str = "original_max_position_embeddings";
            let outside = json.size(ORIGINAL)?;
            let original = outside.or(object.size(ORIGINAL)?);
            Ok(Some(RopeScaling {
                factor: object.needed_number("factor")?,
                low_freq_factor: object.needed_number("low_freq_factor")?,
                high_freq_factor: object.needed_number("high_freq_factor")?,
                original_context_length: original.unwrap_or(context_length),
            }))
        }
        other => {
            let problem = format!("`{}` is not computed, llama3 is", other.escape_debug());
            Err(object.problem(key, problem))
        }
    }
}
