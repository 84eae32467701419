//! ggml's storage types: which are used as they lie, which become q8_0, which are refused.

use gollm_tensor::{DType, n_elements};

use super::blocks;

/// A storage type of a GGUF file that can be read.
///
/// Source: `enum ggml_type`, <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GgmlType {
    /// One of our own storage types, byte for byte.
    Same(DType),
    Q4_1,
    Q5_0,
    Q5_1,
    Q4K,
    Q5K,
    Q6K,
}

/// The types that are not read, so that a message can name them.
const NOT_READ: [(u32, &str); 22] = [
    (9, "Q8_1"),
    (10, "Q2_K"),
    (11, "Q3_K"),
    (15, "Q8_K"),
    (16, "IQ2_XXS"),
    (17, "IQ2_XS"),
    (18, "IQ3_XXS"),
    (19, "IQ1_S"),
    (20, "IQ4_NL"),
    (21, "IQ3_S"),
    (22, "IQ2_S"),
    (23, "IQ4_XS"),
    (24, "I8"),
    (25, "I16"),
    (26, "I32"),
    (27, "I64"),
    (28, "F64"),
    (29, "IQ1_M"),
    (34, "TQ1_0"),
    (35, "TQ2_0"),
    (39, "MXFP4"),
    (40, "NVFP4"),
];

impl GgmlType {
    /// The type of a code in a file.
    pub(crate) fn of_code(code: u32) -> Result<Self, String> {
        Ok(match code {
            0 => Self::Same(DType::F32),
            1 => Self::Same(DType::F16),
            2 => Self::Same(DType::Q4_0),
            3 => Self::Q4_1,
            6 => Self::Q5_0,
            7 => Self::Q5_1,
            8 => Self::Same(DType::Q8_0),
            12 => Self::Q4K,
            13 => Self::Q5K,
            14 => Self::Q6K,
            30 => Self::Same(DType::BF16),
            other => return Err(unknown(other)),
        })
    }

    /// ggml's name of the type, in lower case as ours are.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Same(dtype) => dtype.name(),
            Self::Q4_1 => "q4_1",
            Self::Q5_0 => "q5_0",
            Self::Q5_1 => "q5_1",
            Self::Q4K => "q4_k",
            Self::Q5K => "q5_k",
            Self::Q6K => "q6_k",
        }
    }

    /// The type in which it is computed with: its own, or q8_0, whose rounding is small beside that of the
    /// blocks it is made of, in half the memory of f16.
    pub(crate) fn used_as(self) -> DType {
        match self {
            Self::Same(dtype) => dtype,
            _ => DType::Q8_0,
        }
    }

    pub(crate) fn block_len(self) -> usize {
        match self {
            Self::Same(dtype) => dtype.block_len(),
            Self::Q4_1 | Self::Q5_0 | Self::Q5_1 => 32,
            Self::Q4K | Self::Q5K | Self::Q6K => 256,
        }
    }

    pub(crate) fn block_bytes(self) -> usize {
        match self {
            Self::Same(dtype) => dtype.block_bytes(),
            Self::Q4_1 => 20,
            Self::Q5_0 => 22,
            Self::Q5_1 => 24,
            Self::Q4K => 144,
            Self::Q5K => 176,
            Self::Q6K => 210,
        }
    }

    /// The bytes that a tensor of `shape` takes.
    pub(crate) fn n_bytes(self, shape: &[usize]) -> Result<usize, String> {
        let row = shape.last().copied().unwrap_or(1);
        let block = self.block_len();
        if !row.is_multiple_of(block) {
            let name = self.name();
            return Err(format!(
                "its rows of {row} are not whole blocks of {block} ({name})"
            ));
        }
        let n_elements = n_elements(shape).map_err(|error| error.to_string())?;
        (n_elements / block)
            .checked_mul(self.block_bytes())
            .ok_or_else(|| format!("shape {shape:?} takes more bytes than can be counted"))
    }

    /// Reads whole blocks back into f32.
    pub(crate) fn dequantize(self, bytes: &[u8], out: &mut [f32]) -> gollm_tensor::Result<()> {
        let block = match self {
            Self::Same(dtype) => return gollm_tensor::dequantize(bytes, dtype, out),
            Self::Q4_1 => blocks::q4_1,
            Self::Q5_0 => blocks::q5_0,
            Self::Q5_1 => blocks::q5_1,
            Self::Q4K => blocks::q4_k,
            Self::Q5K => blocks::q5_k,
            Self::Q6K => blocks::q6_k,
        };
        let blocks = bytes.chunks_exact(self.block_bytes());
        for (bytes, out) in blocks.zip(out.chunks_exact_mut(self.block_len())) {
            block(bytes, out);
        }
        Ok(())
    }
}

fn unknown(code: u32) -> String {
    let known = NOT_READ.iter().find(|(other, _)| *other == code);
    let name = known.map_or("unknown", |(_, name)| *name);
    format!(
        "its type is {name} ({code}), which is not read; F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, \
         Q5_1, Q4_K, Q5_K and Q6_K are: look for the model in one of these"
    )
}
