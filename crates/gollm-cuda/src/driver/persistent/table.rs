//! The persistent kernels on the GPU, and a table for one of them.

use std::ffi::{c_int, c_void};
use std::sync::Arc;

use gollm_tensor::{DType, Result};

use super::super::context::Context;
use super::super::cuda::Handle;
use super::super::owned::{Module, Stream};
use crate::persistent::{Operation, THREADS, common_weight, name};

/// Bytes before a table, for the gate at which all blocks wait; the table stays aligned.
const GATE_BYTES: usize = 256;

/// The kernels.
#[derive(Debug)]
pub(super) struct Loaded {
    /// One for each type of weights.
    pub(super) functions: Vec<(DType, Handle)>,
    /// Whether the driver sees to it that all blocks are there.
    pub(super) cooperative: bool,
    pub(super) context: Arc<Context>,
    /// Where the functions are.
    pub(super) _module: Module,
}

/// Launches that follow one another, on the device.
#[derive(Debug)]
pub(super) struct Table {
    kernels: Arc<Loaded>,
    weight: DType,
    memory: u64,
    n_operations: u32,
    n_blocks: u32,
    shared_bytes: u32,
}

impl Loaded {
    fn function(&self, weight: DType) -> Result<Handle> {
        let found = self.functions.iter().find(|(of, _)| *of == weight);
        found.map(|(_, function)| *function).ok_or_else(|| {
            self.context
                .error(format_args!("the kernel {} is not loaded", name(weight)))
        })
    }

    /// How many blocks with this much dynamic shared memory the whole GPU holds at once.
    ///
    /// # Errors
    ///
    /// If it holds none.
    pub(super) fn blocks_at_once(&self, weight: DType, shared_bytes: u32) -> Result<u32> {
        let (context, function, mut n) = (&self.context, self.function(weight)?, 0);
        let ask = context.cuda.functions.blocks_at_once;
        // SAFETY: writes one `int`; the function belongs to a module that is loaded.
        let code = unsafe {
            ask(
                &raw mut n,
                function,
                THREADS as c_int,
                shared_bytes as usize,
            )
        };
        let name = name(weight);
        context.check(code, format_args!("asking how many blocks of {name} fit"))?;
        match u32::try_from(n).unwrap_or(0) {
            0 => Err(context.error(format_args!(
                "no block of the kernel {name}, {THREADS} threads and {shared_bytes} bytes of shared \
                 memory, fits on a multiprocessor of {}; GOLLM_CUDA_GRAPH=1 does without it",
                context.gpu
            ))),
            n => Ok(n.saturating_mul(context.gpu.multiprocessors)),
        }
    }
}

impl Table {
    /// Writes a table to the device, and waits until it is there.
    pub(super) fn new(
        kernels: &Arc<Loaded>,
        operations: &[Operation],
        stream: &Stream,
    ) -> Result<Self> {
        let most = |of: fn(&Operation) -> u32| operations.iter().map(of).max().unwrap_or(0);
        let weight = common_weight(operations).unwrap_or(DType::F32);
        let shared_bytes = most(|operation| operation.shared_bytes);
        // Blocks that never have anything to do would only be waited for.
        let busy = most(|operation| operation.n_blocks);
        let n_blocks = busy.min(kernels.blocks_at_once(weight, shared_bytes)?);
        let mut bytes = vec![0; GATE_BYTES];
        operations.iter().for_each(|row| row.write(&mut bytes));
        let context = &kernels.context;
        let table = Self {
            memory: context.allocate(bytes.len())?,
            weight,
            n_operations: u32::try_from(operations.len()).unwrap_or(u32::MAX),
            n_blocks,
            shared_bytes,
            kernels: Arc::clone(kernels),
        };
        let (from, n_bytes) = (bytes.as_ptr(), bytes.len());
        // SAFETY: the bytes live until the stream has done the copy.
        unsafe { context.copy_to_device(table.memory, from, n_bytes, stream.handle())? };
        stream.synchronize()?;
        Ok(table)
    }

    /// Queues the launch.
    pub(super) fn launch(&self, stream: Handle) -> Result<()> {
        let (mut gate, mut rows) = (self.memory, self.memory + GATE_BYTES as u64);
        let mut n = self.n_operations;
        let mut arguments = [
            (&raw mut rows).cast::<c_void>(),
            (&raw mut n).cast(),
            (&raw mut gate).cast(),
            std::ptr::null_mut(),
        ];
        let context = &self.kernels.context;
        let function = self.kernels.function(self.weight)?;
        let (grid, shared, arguments) = (
            [self.n_blocks, 1, 1],
            self.shared_bytes,
            arguments.as_mut_ptr(),
        );
        // SAFETY: the pointers are to values of the parameters' types, which the driver copies; the table
        // has as many rows as it is said to, each of a launch that was queued as it stands before.
        let code = unsafe {
            if self.kernels.cooperative {
                context.launch_cooperative(function, grid, THREADS, shared, arguments, stream)
            } else {
                context.launch(function, grid, THREADS, shared, arguments, stream)
            }
        };
        context.check(
            code,
            format_args!(
                "launching {} with {} blocks, all of them at once",
                name(self.weight),
                self.n_blocks
            ),
        )
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // Steps are forgotten when another one ends, and what was launched before has ended by then: each
        // step ends with a read. There is nobody to tell if it fails.
        self.kernels.context.free(self.memory).ok();
    }
}
