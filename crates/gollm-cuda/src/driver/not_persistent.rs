//! Builds without the persistent decode kernel: whoever asks for it is told so.

use std::fmt;
use std::sync::Arc;

use gollm_tensor::Result;

use super::command::Command;
use super::context::Context;
use super::cubin_cache::CubinCache;
use super::cuda::Handle;
use super::nvrtc::Nvrtc;
use super::owned::Stream;

/// There is none.
#[derive(Debug)]
pub(super) enum Persistent {}

/// There is none.
#[derive(Debug)]
pub(super) enum Program {}

impl Persistent {
    pub(super) fn open(context: &Arc<Context>, _: &Nvrtc, _: &CubinCache) -> Result<Self> {
        Err(context.error(
            "GOLLM_CUDA_GRAPH=persistent asks for the persistent decode kernel, which is not in this \
             build; for one that has it: cargo build --release -p gollm-cli --features persistent-decode",
        ))
    }

    pub(super) fn program(&self, _: &[Command], _: &Stream) -> Result<Option<Program>> {
        match *self {}
    }
}

impl fmt::Display for Persistent {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl Program {
    pub(super) fn run(&self, _: Handle, _: impl FnMut(&Command) -> Result<()>) -> Result<()> {
        match *self {}
    }
}
