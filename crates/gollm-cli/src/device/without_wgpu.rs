//! Builds without the feature `wgpu`.

use super::accelerator::Accelerator;
use super::listing::Missing;

pub(super) const WGPU: Accelerator = Accelerator {
    open: |_, _| None,
    best: || None,
    listed: Vec::new,
    missing: || {
        Some(Missing {
            name: "wgpu".to_owned(),
            reason: "not in this build; for one that has it: cargo build --release -p gollm-cli \
                     --features wgpu"
                .to_owned(),
        })
    },
};
