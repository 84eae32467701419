//! What the backend needs of a machine that runs kernels.
//!
//! The backend never talks to CUDA. It talks to a [`Runtime`], of which there are two: the driver of a
//! real GPU, and the shim, which runs the same kernel sources on the processor. So all of the backend,
//! and not its kernels alone, is tested on a machine without a GPU.

use gollm_tensor::{DType, Result};

use crate::kernel::Kernel;

/// A machine that has memory and runs kernels in the order in which they were launched.
///
/// Addresses are the machine's own: device pointers, or host pointers in the shim.
pub(crate) trait Runtime: Send + Sync {
    /// A short lower-case name: `cuda:0`.
    fn name(&self) -> &str;

    /// The GPU, its architecture and memory, the libraries and kernels in use, in one line.
    fn description(&self) -> String;

    /// Allocates device memory, at least 256-byte aligned. Its contents are undefined.
    fn allocate(&self, n_bytes: usize) -> Result<u64>;

    /// Gives back what [`allocate`](Self::allocate) gave, once the work queued so far is done.
    fn free(&self, address: u64);

    /// Copies host bytes to the device, in order with launches. The bytes may be reused on return.
    fn write(&self, to: u64, bytes: &[u8]) -> Result<()>;

    /// Copies back; waits for all queued work first.
    fn read(&self, from: u64, bytes: &mut [u8]) -> Result<()>;

    /// Sets bytes to zero, in order with launches.
    fn zero(&self, to: u64, n_bytes: usize) -> Result<()>;

    /// Queues a kernel.
    fn launch(&self, launch: &Launch<'_>) -> Result<()>;

    /// Queues a large product on the vendor's library: `Ok(false)` where there is none or it is
    /// switched off (then a kernel does it).
    fn product(&self, product: &LibraryProduct) -> Result<bool>;

    /// Waits for all queued work.
    fn synchronize(&self) -> Result<()>;
}

/// One run of a kernel over a grid of blocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Launch<'a> {
    /// Which kernel.
    pub(crate) kernel: Kernel,
    /// Blocks in x, y and z.
    pub(crate) grid: [u32; 3],
    /// Threads of a block, in one dimension.
    pub(crate) block: u32,
    /// Bytes of dynamic shared memory of a block.
    pub(crate) shared_bytes: u32,
    /// The arguments, in the order of the kernel's parameters.
    pub(crate) arguments: &'a [Argument],
}

/// One argument of a kernel. Each is passed in its own size, 4 or 8 bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Argument {
    /// An address on the device.
    Address(u64),
    /// An `unsigned int`.
    U32(u32),
    /// An `int`.
    I32(i32),
    /// A `float`.
    F32(f32),
}

/// `out[t, o] = Σ_i x[t, i] · weight[o, i]`, all row-major, `out` f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LibraryProduct {
    /// Activations, `[n_tokens, n_in]`.
    pub(crate) x: u64,
    /// F32, or F16 where the activations were converted.
    pub(crate) x_type: DType,
    /// Weights, `[n_out, n_in]`.
    pub(crate) weight: u64,
    /// F32 or F16.
    pub(crate) weight_type: DType,
    /// Where the f32 result goes, `[n_tokens, n_out]`.
    pub(crate) out: u64,
    /// Rows of `x` and `out`.
    pub(crate) n_tokens: usize,
    /// Columns of `x` and of the weights.
    pub(crate) n_in: usize,
    /// Rows of the weights, columns of `out`.
    pub(crate) n_out: usize,
}
