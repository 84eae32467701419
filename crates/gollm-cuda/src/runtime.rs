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

    /// What the vendor's library is there for.
    fn library(&self) -> Library {
        Library::Off
    }

    /// Queues a large product on the vendor's library. Both operands are f32 or both are f16, as
    /// [`library`](Self::library) allows; `Ok(false)` where there is no library (then a kernel does it).
    fn product(&self, product: &LibraryProduct) -> Result<bool>;

    /// Waits for all queued work.
    fn synchronize(&self) -> Result<()>;
}

/// Which large products go to the vendor's library. The backend converts the operands first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Library {
    /// None: there is no library, or it is switched off.
    #[default]
    Off,
    /// All, in f32: weights in other types are widened first.
    F32,
    /// f32 and bf16 weights in f32. For f16, q8_0 and q4_0 ones both operands are made f16.
    F16,
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
    /// A `float`.
    F32(f32),
}

impl Argument {
    /// The bytes of the argument in the machine's order, padded with zeros to 8.
    pub(crate) fn bytes(self) -> [u8; 8] {
        let mut bytes = [0; 8];
        match self {
            Self::Address(address) => bytes = address.to_ne_bytes(),
            Self::U32(number) => bytes[..4].copy_from_slice(&number.to_ne_bytes()),
            Self::F32(number) => bytes[..4].copy_from_slice(&number.to_ne_bytes()),
        }
        bytes
    }
}

/// `out[t, o] = Σ_i x[t, i] · weight[o, i]`, all row-major, `out` f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LibraryProduct {
    /// Activations, `[n_tokens, n_in]`.
    pub(crate) x: u64,
    /// F32 or F16, the same as `weight_type`.
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

/// A product as the vendor's library wants it told: matrices by columns, `C = op(A) · op(B)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ColumnMajor {
    /// Rows of `C`.
    pub(crate) m: usize,
    /// Columns of `C`.
    pub(crate) n: usize,
    /// Terms of a sum.
    pub(crate) k: usize,
    /// Distance between columns of `A`, which is stored transposed.
    pub(crate) lda: usize,
    /// Distance between columns of `B`, which is not.
    pub(crate) ldb: usize,
    /// Distance between columns of `C`.
    pub(crate) ldc: usize,
}

impl LibraryProduct {
    /// The same product by columns: `A` is the weight, transposed (T), `B` is `x` as it lies (N).
    ///
    /// A row-major matrix is, read by columns, its transpose. So `out` is the `[n_out, n_tokens]`
    /// matrix `weight · xᵀ`; `x` read by columns is already `xᵀ`, and the weight is its own transpose.
    pub(crate) fn column_major(&self) -> ColumnMajor {
        ColumnMajor {
            m: self.n_out,
            n: self.n_tokens,
            k: self.n_in,
            lda: self.n_in,
            ldb: self.n_in,
            ldc: self.n_out,
        }
    }
}
