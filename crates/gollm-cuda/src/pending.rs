//! A product that waits for the addition behind it.
//!
//! Each half of a block ends in a product whose result is added to the residual stream and to nothing
//! else. An addition of a few thousand numbers takes a GPU as long as starting a kernel does, so the
//! product of a few tokens is not queued at once: if the next operation adds its result to something, one
//! kernel does both. Anything else that is queued sends it off first, so nobody can tell the difference.

use std::sync::{MutexGuard, PoisonError};

use gollm_tensor::{Result, Storage, Tensor};

use crate::cuda::Cuda;
use crate::kernel::Kernel;
use crate::memory::{argument, numbers};
use crate::product::MAT_VEC_BLOCK;
use crate::runtime::{Argument, Launch, Runtime};

/// A launch of `mat_vec` that lacks its last two arguments: what to add, and where the sum goes.
pub(crate) struct Pending {
    kernel: Kernel,
    grid: [u32; 3],
    arguments: Vec<Argument>,
    /// Where the product goes, and how many numbers it is.
    out: (u64, usize),
    /// The memory of the operands and of the result lives until the launch is queued.
    _held: [Storage; 3],
}

impl Pending {
    /// A launch whose operands are `x` and `weight` and whose result is `out`.
    pub(crate) fn new(
        kernel: Kernel,
        grid: [u32; 3],
        arguments: Vec<Argument>,
        [x, weight, out]: [&Tensor; 3],
    ) -> Result<Self> {
        Ok(Self {
            kernel,
            grid,
            arguments,
            out: (numbers(out)?.0.address(), out.n_elements()),
            _held: [x, weight, out].map(|tensor| tensor.storage().clone()),
        })
    }

    /// Queues the launch, with what is to be added and where the sum goes: addresses, or zeros.
    fn launch(mut self, runtime: &dyn Runtime, addition: [Argument; 2]) -> Result<()> {
        self.arguments.extend(addition);
        runtime.launch(&Launch {
            kernel: self.kernel,
            grid: self.grid,
            block: MAT_VEC_BLOCK,
            shared_bytes: 0,
            arguments: &self.arguments,
        })
    }
}

/// No addition.
const NONE: [Argument; 2] = [Argument::Address(0); 2];

impl Cuda {
    /// Keeps a product back until it is known what follows.
    pub(crate) fn defer(&self, product: Pending) -> Result<()> {
        self.check_grid(product.kernel, product.grid)?;
        let mut pending = self.pending();
        self.launch_alone(&mut pending)?;
        // An empty grid is no work.
        *pending = (!product.grid.contains(&0)).then_some(product);
        Ok(())
    }

    /// Queues what was kept back. The lock is held meanwhile, so that no other thread's work, which may
    /// need the result, comes first.
    pub(crate) fn flush(&self) -> Result<()> {
        self.launch_alone(&mut self.pending())
    }

    /// `a + b`, if one of them is the product that was kept back: then one kernel does both.
    pub(crate) fn add_to_pending(&self, a: &Tensor, b: &Tensor) -> Result<Option<Tensor>> {
        let mut pending = self.pending();
        let Some(out) = pending.as_ref().map(|pending| pending.out) else {
            return Ok(None);
        };
        let is_out = |tensor: &Tensor| -> Result<bool> {
            Ok((numbers(tensor)?.0.address(), tensor.n_elements()) == out)
        };
        let residual = match (is_out(a)?, is_out(b)?) {
            (false, true) => a,
            (true, false) => b,
            // Not it, or it twice, which is not there to be read yet.
            _ => return Ok(None),
        };
        let sum = self.new_result(a, a.shape())?;
        let addition = [argument(residual)?, argument(&sum)?];
        if let Some(product) = pending.take() {
            product.launch(self.runtime(), addition)?;
        }
        Ok(Some(sum))
    }

    fn launch_alone(&self, pending: &mut Option<Pending>) -> Result<()> {
        match pending.take() {
            Some(product) => product.launch(self.runtime(), NONE),
            None => Ok(()),
        }
    }

    fn pending(&self) -> MutexGuard<'_, Option<Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
