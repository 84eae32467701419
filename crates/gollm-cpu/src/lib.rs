//! The fast CPU backend: vector instructions, threads, and weights repacked for both.
//!
//! It gives the same results as [`gollm_tensor::reference`] within stated bounds (the conformance
//! suite checks every operation), from the same forward pass in gollm-model. Start reading at
//! `kernels/`, beside `notes/ch09-making-it-fast.md`; [`ladder`] shows how the matrix product got
//! there.
//!
//! ```
//! use gollm_cpu::Cpu;
//! use gollm_tensor::Device;
//!
//! # fn main() -> gollm_tensor::Result<()> {
//! let device = Device::new(Cpu::new(2)?);
//! let weight = device.tensor(&[2, 3], &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0])?;
//! let x = device.tensor(&[1, 3], &[3.0, 4.0, 5.0])?;
//! assert_eq!(x.matmul(&weight)?.to_vec()?, [3.0, 4.0]);
//! # Ok(())
//! # }
//! ```

mod backend;
mod blocks;
mod buffers;
mod cpu;
mod kernels;
pub mod ladder;
mod memory;
mod memory_budget;
mod panels;
mod product;
pub mod roofline;
mod simd;
mod sums;
mod threads;

pub use cpu::Cpu;
pub use memory_budget::free_memory;
pub use simd::Isa;
pub use threads::physical_cores;

/// The code blocks of `notes/ch09-making-it-fast.md`, run as doctests.
#[cfg(doctest)]
#[doc = include_str!("../../../notes/ch09-making-it-fast.md")]
struct Ch09Note;
