//! GPUs through Vulkan, Metal or DirectX 12: the same operations, written in WGSL.
//!
//! Every kernel is a file in `kernels/`, to be read beside the same operation of
//! [`gollm_tensor::reference`]. The conformance suite compares them on any adapter, a software one such as
//! Mesa's lavapipe included; `docs/gpu.md` says what was run where.
//!
//! - [`Choice`] and [`adapters()`]: which device. A software adapter is taken only when asked for.
//! - `memory.rs`: a tensor is a list of windows, since an adapter limits what a kernel is shown at once.
//! - `recorder.rs`: operations are recorded, and submitted when somebody waits for a result.
//! - `buffers.rs`: results are kept in buffers that are used again.
//!
//! ```no_run
//! use gollm_tensor::Device;
//! use gollm_wgpu::{Choice, Wgpu};
//!
//! # fn main() -> gollm_tensor::Result<()> {
//! let device = Device::new(Wgpu::new(Choice::Hardware)?);
//! let weight = device.tensor(&[2, 3], &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0])?;
//! let x = device.tensor(&[1, 3], &[3.0, 4.0, 5.0])?;
//! assert_eq!(x.matmul(&weight)?.to_vec()?, [3.0, 4.0]);
//! # Ok(())
//! # }
//! ```

mod adapters;
mod arguments;
mod attend;
mod backend;
mod buffers;
mod choice;
mod faults;
mod gpu;
mod grid;
mod kernels;
mod memory;
mod pipelines;
mod product;
mod recorder;
mod rows;
mod sums;
mod transfer;
mod wgpu_backend;

pub use adapters::{AdapterFacts, adapters, has_hardware};
pub use choice::Choice;
pub use wgpu_backend::{Options, Wgpu};

/// The code blocks of `notes/ch10-gpu.md`, run as doctests.
#[cfg(doctest)]
#[doc = include_str!("../../../notes/ch10-gpu.md")]
struct Ch10Note;
