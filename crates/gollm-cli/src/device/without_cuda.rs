//! Builds without CUDA.

use super::accelerator::{Accelerator, not_built};
use super::listing::Missing;

pub(super) const CUDA: Accelerator = Accelerator {
    open: |_, _| None,
    best: || None,
    listed: Vec::new,
    missing: || {
        Some(Missing {
            name: "cuda".to_owned(),
            reason: not_built("cuda"),
        })
    },
};
