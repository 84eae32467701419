//! Whether a file's tensors are exactly those that its config asks for.

use gollm_model::{Config, TensorSpec, expected_tensors};

use crate::descriptor::TensorDescriptor;

/// A difference between a config and the tensors beside it.
#[derive(Debug, thiserror::Error)]
pub enum Disagreement {
    /// A config that makes no sense, or that asks for tensors without end.
    #[error("{0}")]
    Config(gollm_model::Error),
    /// Fewer tensors than layers, or than experts of all layers: at least one has none.
    #[error(
        "the config has {n_layers} layers{}, but there are only {n_tensors} tensors",
        if *n_experts == 0 { String::new() } else { format!(" of {n_experts} experts") }
    )]
    TooFew {
        /// The config's layers.
        n_layers: usize,
        /// The experts of each.
        n_experts: usize,
        /// The tensors of the file.
        n_tensors: usize,
    },
    /// Tensors that the config asks for and that are not there.
    #[error("`{name}` is missing ({n_missing} of {n_expected} are)")]
    Missing {
        /// The first of them.
        name: String,
        /// How many are missing.
        n_missing: usize,
        /// How many the config asks for.
        n_expected: usize,
    },
    /// A tensor that the config does not ask for.
    #[error("`{}` does not belong to a model of this config", name.escape_debug())]
    Unexpected {
        /// Its name.
        name: String,
    },
    /// A tensor of another shape than the config asks for.
    #[error("`{name}` has shape {found:?}, expected {expected:?}")]
    Shape {
        /// Its name.
        name: String,
        /// The shape that it has.
        found: Vec<usize>,
        /// The shape that the config asks for.
        expected: Vec<usize>,
    },
}

/// The tensors of a model, to be ticked off one at a time, in any order.
pub(crate) struct Checklist {
    /// Sorted by name.
    expected: Vec<TensorSpec>,
    seen: Vec<bool>,
}

/// What [`Checklist::tick`] found.
pub(crate) enum Tick {
    First,
    Again,
}

impl Checklist {
    pub(crate) fn new(config: &Config) -> Result<Self, Disagreement> {
        let mut expected = expected_tensors(config).map_err(Disagreement::Config)?;
        expected.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let seen = vec![false; expected.len()];
        Ok(Self { expected, seen })
    }

    /// Every tensor that is asked for, sorted by name.
    pub(crate) fn expected(&self) -> &[TensorSpec] {
        &self.expected
    }

    /// Notes that a tensor is there.
    pub(crate) fn tick(&mut self, name: &str, shape: &[usize]) -> Result<Tick, Disagreement> {
        let Ok(index) = self
            .expected
            .binary_search_by(|spec| spec.name.as_str().cmp(name))
        else {
            return Err(Disagreement::Unexpected {
                name: name.to_owned(),
            });
        };
        let expected = &self.expected[index].shape;
        if expected != shape {
            return Err(Disagreement::Shape {
                name: name.to_owned(),
                found: shape.to_vec(),
                expected: expected.clone(),
            });
        }
        let again = std::mem::replace(&mut self.seen[index], true);
        Ok(if again { Tick::Again } else { Tick::First })
    }

    /// Checks that nothing is missing.
    pub(crate) fn finish(&self) -> Result<(), Disagreement> {
        let missing = || {
            self.expected
                .iter()
                .zip(&self.seen)
                .filter(|(_, seen)| !**seen)
        };
        let Some((first, _)) = missing().next() else {
            return Ok(());
        };
        Err(Disagreement::Missing {
            name: first.name.clone(),
            n_missing: missing().count(),
            n_expected: self.expected.len(),
        })
    }
}

/// Checks all tensors of a file, whose names have already been found to differ.
pub(crate) fn check(config: &Config, tensors: &[TensorDescriptor]) -> Result<(), Disagreement> {
    check_count(config, tensors.len())?;
    let mut checklist = Checklist::new(config)?;
    for tensor in tensors {
        checklist.tick(&tensor.name, &tensor.shape)?;
    }
    checklist.finish()
}

/// To be called before a list of tensors is made: its length follows from the config, and must not be
/// much larger than the file.
pub(crate) fn check_count(config: &Config, n_tensors: usize) -> Result<(), Disagreement> {
    if config.n_layers.saturating_mul(config.n_feed_forwards()) > n_tensors {
        return Err(Disagreement::TooFew {
            n_layers: config.n_layers,
            n_experts: config.n_experts,
            n_tensors,
        });
    }
    Ok(())
}
