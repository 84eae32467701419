//! Kernels: the inner loops. Each is written once, over [`Simd`](crate::simd::Simd).
//!
//! | file | what | where the time goes |
//! |---|---|---|
//! | `dot.rs` | a few tokens × rows as they lie in the file | reading the weights |
//! | `gemm.rs` | many tokens × packed rows | multiply-adds |
//! | `activations.rs` | rounding activations to 8 bits | nowhere: once for many products |
//! | `quantized.rs` | any tokens × 8- and 4-bit panels | reading, then multiply-adds |
//! | `attention/` | scores, softmax and weighted sum in one pass over the cache | both |
//! | `elementwise.rs` | norm, rotation, gate, softmax, sum | neither, if the data is near |

#![allow(
    clippy::needless_range_loop,
    reason = "iterators over vectors are not inlined everywhere: see `Simd`"
)]

pub(crate) mod activations;
pub(crate) mod attention;
pub(crate) mod dot;
pub(crate) mod elementwise;
pub(crate) mod gemm;
pub(crate) mod quantized;
pub(crate) mod rows;
