//! A step's launches as a table, which a persistent kernel works through in a single launch.
//!
//! An experiment, behind the feature `persistent-decode`; `docs/gpu.md` says what it may win and lose.

use gollm_tensor::DType;

use crate::attend::MOST_SHARED_BYTES;
use crate::kernel::{Kernel, Source};

/// The source of the kernels. It is not one of the others, so that only those who ask for it compile it.
pub(crate) static SOURCE: Source = Source {
    file: "persistent.cu",
    text: include_str!("../kernels/persistent.cu"),
    uses: &["mat_vec.cu", "gate_up.cu", "attention_decode.cu"],
};

/// The name of the kernel for weights of this type.
pub(crate) const fn name(weight: DType) -> &'static str {
    match weight {
        DType::F32 => "persistent_f32",
        DType::F16 => "persistent_f16",
        DType::BF16 => "persistent_bf16",
        DType::Q8_0 => "persistent_q8_0",
        DType::Q4_0 => "persistent_q4_0",
    }
}

/// Threads of one of their blocks; `THREADS` in `persistent.cu`.
pub(crate) const THREADS: u32 = 256;

/// Slots for arguments in a row of the table.
const SLOTS: usize = 16;

/// A launch that the kernel can play: a row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operation {
    number: u32,
    /// The type of the weights that it multiplies with, if there are any.
    pub(crate) weight: Option<DType>,
    threads: u32,
    grid: [u32; 3],
    arguments: [[u8; 8]; SLOTS],
    /// How many blocks of the persistent kernel it keeps busy.
    pub(crate) n_blocks: u32,
    /// Bytes of dynamic shared memory that it needs.
    pub(crate) shared_bytes: u32,
}

impl Operation {
    /// None where the kernel is not one that can be played, or the launch too large for the table.
    pub(crate) fn new(
        kernel: Kernel,
        grid: [u32; 3],
        [threads, shared_bytes]: [u32; 2],
        arguments: impl IntoIterator<Item = [u8; 8]>,
    ) -> Option<Self> {
        let (number, weight) = number(kernel)?;
        let [x, y, z] = grid;
        let n_blocks = x.checked_mul(y)?.checked_mul(z)?;
        // Blocks are counted in steps of the whole grid, which must not pass the end.
        let fits = shared_bytes <= MOST_SHARED_BYTES && n_blocks <= u32::MAX / 2;
        let side_by_side = THREADS.checked_div(threads).filter(|n| *n > 0)?;
        let mut slots = [[0; 8]; SLOTS];
        for (i, argument) in arguments.into_iter().enumerate() {
            *slots.get_mut(i)? = argument;
        }
        fits.then_some(Self {
            number,
            weight,
            threads,
            grid,
            arguments: slots,
            n_blocks: n_blocks.div_ceil(side_by_side),
            shared_bytes,
        })
    }

    /// Adds the row to a table: `Operation` in `persistent.cu`.
    pub(crate) fn write(&self, table: &mut Vec<u8>) {
        let [x, y, z] = self.grid;
        for word in [self.number, self.threads, x, y, z, 0] {
            table.extend(word.to_ne_bytes());
        }
        table.extend(self.arguments.as_flattened());
    }
}

/// The types of weights, each with a kernel of its own.
pub(crate) const WEIGHTS: [DType; 5] = [
    DType::F32,
    DType::F16,
    DType::BF16,
    DType::Q8_0,
    DType::Q4_0,
];

/// The number by which a persistent kernel knows another one, and the type of its weights: the operations
/// of decoding one sequence.
fn number(kernel: Kernel) -> Option<(u32, Option<DType>)> {
    let of = |kernels: fn(DType) -> Kernel| WEIGHTS.into_iter().find(|w| kernels(*w) == kernel);
    let attention = match kernel {
        Kernel::AttentionDecodeF32 => Some(2),
        Kernel::AttentionDecodeF16 => Some(3),
        Kernel::AttentionCombine => Some(4),
        _ => None,
    };
    let product = of(Kernel::mat_vec).map(|weight| (0, Some(weight)));
    let half = || of(Kernel::gate_up).map(|weight| (1, Some(weight)));
    product
        .or_else(half)
        .or(attention.map(|number| (number, None)))
}

/// The type of weights that all of some operations have; none where two have different ones.
pub(crate) fn common_weight<'a>(
    operations: impl IntoIterator<Item = &'a Operation>,
) -> Option<DType> {
    let mut weights = operations
        .into_iter()
        .filter_map(|operation| operation.weight);
    let first = weights.next().unwrap_or(DType::F32);
    weights.all(|weight| weight == first).then_some(first)
}
