//! The kernels: their names, and the sources that they are compiled from.

use gollm_tensor::DType;

/// A file of CUDA C without headers, embedded in the binary.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// The name for messages and for the cache of compiled kernels: `rms_norm.cu`.
    pub(crate) file: &'static str,
    pub(crate) text: &'static str,
    /// Files of [`SOURCES`] whose templates it uses.
    pub(crate) uses: &'static [&'static str],
}

macro_rules! header {
    ($file:literal) => {
        Source {
            file: $file,
            text: include_str!(concat!("../kernels/", $file)),
            uses: &[],
        }
    };
}

/// What every source begins with: f16 and sums over a block, where a thread stands, weights in each storage
/// type, products of rows with tokens.
const PRELUDE: [Source; 4] = [
    header!("prelude.cuh"),
    header!("block.cuh"),
    header!("weights.cuh"),
    header!("dot.cuh"),
];

impl Source {
    /// What the compiler gets: the prelude, the templates of others and the file, each with its own line
    /// numbers.
    pub(crate) fn unit(&self) -> String {
        let used = SOURCES
            .iter()
            .filter(|source| self.uses.contains(&source.file));
        let part = |source: &Self| format!("#line 1 \"{}\"\n{}\n", source.file, source.text);
        let mut unit: String = PRELUDE.iter().map(part).collect();
        if !self.uses.is_empty() {
            unit.push_str("#define TEMPLATES_ONLY\n");
        }
        unit.extend(used.chain([self]).map(part));
        unit
    }
}

macro_rules! kernels {
    ($($file:literal: $($kernel:ident = $name:literal),+;)+) => {
        /// All sources; each is compiled by itself.
        pub(crate) static SOURCES: &[Source] = &[$(Source {
            file: $file,
            text: include_str!(concat!("../kernels/", $file)),
            uses: &[],
        }),+];

        /// A function in one of the [`SOURCES`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Kernel {
            $($(#[doc = concat!("`", $name, "`")] $kernel),+),+
        }

        impl Kernel {
            /// All of them.
            pub(crate) const ALL: &[Self] = &[$($(Self::$kernel),+),+];

            /// The name of the function, which has C linkage.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $($(Self::$kernel => $name),+),+
                }
            }

            /// The name of the file that it is in.
            const fn file(self) -> &'static str {
                match self {
                    $($(Self::$kernel)|+ => $file),+
                }
            }
        }
    };
}

kernels! {
    "argmax.cu": Argmax = "argmax";
    "attention_decode.cu":
        AttentionDecodeF32 = "attention_decode_f32",
        AttentionDecodeF16 = "attention_decode_f16",
        AttentionCombine = "attention_combine";
    "attention_prefill.cu":
        AttentionPrefillF32 = "attention_prefill_f32",
        AttentionPrefillF16 = "attention_prefill_f16";
    "convert.cu":
        F32ToF16 = "f32_to_f16",
        Q8_0ToF16 = "q8_0_to_f16",
        Q4_0ToF16 = "q4_0_to_f16",
        F16ToF32 = "f16_to_f32",
        BF16ToF32 = "bf16_to_f32",
        Q8_0ToF32 = "q8_0_to_f32",
        Q4_0ToF32 = "q4_0_to_f32";
    "elementwise.cu":
        Add = "add",
        AddBias = "add_bias",
        AddRows = "add_rows",
        Swiglu = "swiglu";
    "embed.cu":
        EmbedF32 = "embed_f32",
        EmbedF16 = "embed_f16",
        EmbedBF16 = "embed_bf16",
        EmbedQ8_0 = "embed_q8_0",
        EmbedQ4_0 = "embed_q4_0";
    "gate_up.cu":
        GateUpF32 = "gate_up_f32",
        GateUpF16 = "gate_up_f16",
        GateUpBF16 = "gate_up_bf16",
        GateUpQ8_0 = "gate_up_q8_0",
        GateUpQ4_0 = "gate_up_q4_0",
        GateUp8F32 = "gate_up_8_f32",
        GateUp8F16 = "gate_up_8_f16",
        GateUp8BF16 = "gate_up_8_bf16",
        GateUp8Q8_0 = "gate_up_8_q8_0",
        GateUp8Q4_0 = "gate_up_8_q4_0";
    "mat_mul.cu":
        MatMulF32 = "mat_mul_f32",
        MatMulF16 = "mat_mul_f16",
        MatMulBF16 = "mat_mul_bf16",
        MatMulQ8_0 = "mat_mul_q8_0",
        MatMulQ4_0 = "mat_mul_q4_0";
    "mat_vec.cu":
        MatVecF32 = "mat_vec_f32",
        MatVecF16 = "mat_vec_f16",
        MatVecBF16 = "mat_vec_bf16",
        MatVecQ8_0 = "mat_vec_q8_0",
        MatVecQ4_0 = "mat_vec_q4_0",
        MatVec8F32 = "mat_vec_8_f32",
        MatVec8F16 = "mat_vec_8_f16",
        MatVec8BF16 = "mat_vec_8_bf16",
        MatVec8Q8_0 = "mat_vec_8_q8_0",
        MatVec8Q4_0 = "mat_vec_8_q4_0";
    "rms_norm.cu": RmsNorm = "rms_norm";
    "rope.cu":
        Rope = "rope",
        RopeAppendF32 = "rope_append_f32",
        RopeAppendF16 = "rope_append_f16",
        AppendF32 = "append_f32",
        AppendF16 = "append_f16";
    "softmax.cu": Softmax = "softmax";
}

macro_rules! by_type {
    ($($(#[$doc:meta])+ $name:ident: $f32:ident, $f16:ident, $bf16:ident, $q8_0:ident, $q4_0:ident;)+) => {
        impl Kernel {
            $($(#[$doc])+
            pub(crate) const fn $name(weight: DType) -> Self {
                match weight {
                    DType::F32 => Self::$f32,
                    DType::F16 => Self::$f16,
                    DType::BF16 => Self::$bf16,
                    DType::Q8_0 => Self::$q8_0,
                    DType::Q4_0 => Self::$q4_0,
                }
            })+
        }
    };
}

by_type! {
    /// Looks up rows of a table.
    embed: EmbedF32, EmbedF16, EmbedBF16, EmbedQ8_0, EmbedQ4_0;
    /// One token times up to three weights.
    mat_vec: MatVecF32, MatVecF16, MatVecBF16, MatVecQ8_0, MatVecQ4_0;
    /// Up to eight tokens at a time.
    mat_vec_8: MatVec8F32, MatVec8F16, MatVec8BF16, MatVec8Q8_0, MatVec8Q4_0;
    /// The first half of the feed-forward for one token.
    gate_up: GateUpF32, GateUpF16, GateUpBF16, GateUpQ8_0, GateUpQ4_0;
    /// Up to eight tokens at a time.
    gate_up_8: GateUp8F32, GateUp8F16, GateUp8BF16, GateUp8Q8_0, GateUp8Q4_0;
    /// Many tokens times a weight, in tiles.
    mat_mul: MatMulF32, MatMulF16, MatMulBF16, MatMulQ8_0, MatMulQ4_0;
}

impl Kernel {
    /// The file that it is in.
    pub(crate) fn source(self) -> &'static Source {
        // Every kernel is listed under a file of `SOURCES`; the first stands for none.
        let found = SOURCES.iter().find(|source| source.file == self.file());
        found.unwrap_or(&SOURCES[0])
    }

    /// Converts rows to f16; none where they are f16, or bf16, whose range f16 does not have.
    pub(crate) const fn to_f16(from: DType) -> Option<Self> {
        match from {
            DType::F32 => Some(Self::F32ToF16),
            DType::Q8_0 => Some(Self::Q8_0ToF16),
            DType::Q4_0 => Some(Self::Q4_0ToF16),
            DType::F16 | DType::BF16 => None,
        }
    }

    /// Converts rows to f32; none where they are f32.
    pub(crate) const fn to_f32(from: DType) -> Option<Self> {
        match from {
            DType::F32 => None,
            DType::F16 => Some(Self::F16ToF32),
            DType::BF16 => Some(Self::BF16ToF32),
            DType::Q8_0 => Some(Self::Q8_0ToF32),
            DType::Q4_0 => Some(Self::Q4_0ToF32),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kernel_is_under_the_file_that_it_is_listed_in() {
        for kernel in Kernel::ALL {
            let unit = kernel.source().unit();
            assert_eq!(kernel.source().file, kernel.file());
            // Written out, or made by a macro that is called with the name first.
            let (plain, macro_) = (
                format!("void {}(", kernel.name()),
                format!("({}, ", kernel.name()),
            );
            assert!(
                unit.contains(&plain) || unit.contains(&macro_),
                "{kernel:?}"
            );
        }
    }
}
