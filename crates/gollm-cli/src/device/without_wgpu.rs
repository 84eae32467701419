//! Builds without the feature `wgpu`.

use super::accelerator::{Accelerator, not_built};
use super::listing::Missing;

pub(super) const WGPU: Accelerator = Accelerator {
    open: |_, _| None,
    best: || None,
    listed: Vec::new,
    missing: || {
        Some(Missing {
            name: "wgpu".to_owned(),
            reason: not_built("wgpu"),
        })
    },
};
