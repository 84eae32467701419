//! The kernels: which files each is made of, and how many buffers it is given.
//!
//! WGSL has no `include`. A kernel is its constants, then the files it needs, then its own file, one
//! after the other; the order does not matter to WGSL.

use std::fmt::Write as _;

use gollm_tensor::DType;

/// One kernel, compiled when it is first used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kernel {
    /// Rows of a table of this storage type.
    Embed(DType),
    RmsNorm,
    /// A product with few tokens.
    Matvec(Product),
    /// A product with many tokens.
    Matmul(DType),
    /// Two products with few tokens and the gate between them.
    GateUp(Product),
    Rope,
    WriteRows {
        half: bool,
    },
    /// Rotates keys on their way into the cache.
    Append {
        half: bool,
    },
    Attention {
        half: bool,
        head_dim: u32,
        rotate: bool,
    },
    Swiglu,
    Add,
    /// The same row to every row.
    AddBias,
    /// Scaled rows to some rows.
    AddRows,
    Softmax,
    Argmax,
}

/// What a product with few tokens is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Product {
    pub(crate) dtype: DType,
    /// Tokens of one workgroup.
    pub(crate) tokens: u32,
}

const BLOCKS: &str = include_str!("blocks.wgsl");
const ENDS: &str = include_str!("ends.wgsl");
const PRODUCT: &str = include_str!("product.wgsl");
const ADD_UP: &str = include_str!("add_up.wgsl");
const SILU: &str = include_str!("silu.wgsl");
const ROTATION: &str = include_str!("rotation.wgsl");
const SLOT: &str = include_str!("slot.wgsl");

impl Kernel {
    /// The WGSL text.
    pub(crate) fn source(self) -> String {
        let (constants, files) = self.parts();
        let mut text = String::new();
        for (name, value) in constants {
            // Writing into a string cannot fail.
            let _ = writeln!(text, "const {name} = {value};");
        }
        text + &files.concat()
    }

    /// How many buffers it reads and how many it writes, after the parameters.
    pub(crate) fn bindings(self) -> (u32, u32) {
        match self {
            Self::Softmax | Self::Argmax => (1, 1),
            Self::Embed(_)
            | Self::RmsNorm
            | Self::Matvec(_)
            | Self::Matmul(_)
            | Self::WriteRows { .. }
            | Self::Swiglu
            | Self::Add
            | Self::AddBias => (2, 1),
            Self::GateUp(_) | Self::AddRows => (3, 1),
            Self::Rope | Self::Attention { rotate: false, .. } => (4, 1),
            Self::Append { .. } => (5, 2),
            Self::Attention { rotate: true, .. } => (6, 1),
        }
    }

    fn parts(self) -> (Vec<(&'static str, String)>, Vec<&'static str>) {
        let half = |half: bool| vec![("HALF", half.to_string())];
        let tokens = |n: u32| vec![("TOKENS", format!("{n}u"))];
        match self {
            Self::Embed(dtype) => (vec![], with(storage(dtype), &[include_str!("embed.wgsl")])),
            Self::RmsNorm => (vec![], vec![include_str!("rms_norm.wgsl")]),
            Self::Matvec(product) => {
                let files = [ENDS, PRODUCT, ADD_UP, include_str!("matvec.wgsl")];
                (tokens(product.tokens), with(storage(product.dtype), &files))
            }
            Self::Matmul(dtype) => {
                let files = [ENDS, PRODUCT, include_str!("matmul.wgsl")];
                (vec![], with(storage(dtype), &files))
            }
            Self::GateUp(product) => {
                let files = [ENDS, PRODUCT, ADD_UP, SILU, include_str!("gate_up.wgsl")];
                (tokens(product.tokens), with(storage(product.dtype), &files))
            }
            Self::Rope => (vec![], vec![ROTATION, include_str!("rope.wgsl")]),
            Self::WriteRows { half: h } => (half(h), vec![SLOT, include_str!("write_rows.wgsl")]),
            Self::Append { half: h } => {
                let files = vec![SLOT, ROTATION, include_str!("append.wgsl")];
                (half(h), files)
            }
            Self::Attention {
                half,
                head_dim,
                rotate,
            } => attention(half, head_dim, rotate),
            Self::Swiglu => (vec![], vec![SILU, include_str!("swiglu.wgsl")]),
            Self::Add => (vec![], vec![include_str!("add.wgsl")]),
            Self::AddBias => (vec![], vec![include_str!("add_bias.wgsl")]),
            Self::AddRows => (vec![], vec![include_str!("add_rows.wgsl")]),
            Self::Softmax => (vec![], vec![include_str!("softmax.wgsl")]),
            Self::Argmax => (vec![], vec![include_str!("argmax.wgsl")]),
        }
    }
}

fn attention(
    half: bool,
    head_dim: u32,
    rotate: bool,
) -> (Vec<(&'static str, String)>, Vec<&'static str>) {
    // The result is bound after what is read, which is two tables more where queries are rotated.
    let output = if rotate { "7" } else { "5" };
    let constants = vec![
        ("HEAD_DIM", format!("{head_dim}u")),
        ("OUTPUT", output.to_owned()),
    ];
    let query = if rotate {
        vec![ROTATION, include_str!("query_rotated.wgsl")]
    } else {
        vec![include_str!("query_plain.wgsl")]
    };
    let dtype = if half { DType::F16 } else { DType::F32 };
    let mut files = with(storage(dtype), &query);
    files.push(include_str!("attention.wgsl"));
    (constants, files)
}

/// The files that read a storage type.
fn storage(dtype: DType) -> Vec<&'static str> {
    match dtype {
        DType::F32 => vec![include_str!("storage_f32.wgsl")],
        DType::F16 => vec![include_str!("storage_f16.wgsl")],
        DType::BF16 => vec![include_str!("storage_bf16.wgsl")],
        DType::Q8_0 => vec![BLOCKS, include_str!("storage_q8_0.wgsl")],
        DType::Q4_0 => vec![BLOCKS, include_str!("storage_q4_0.wgsl")],
    }
}

fn with(mut files: Vec<&'static str>, more: &[&'static str]) -> Vec<&'static str> {
    files.extend_from_slice(more);
    files
}
