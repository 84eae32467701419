//! The head of a distributed-llama file: numbers under numbers, and the config that they make.

use gollm_model::{Config, RopeScaling};
use gollm_tensor::DType;

use super::MAGIC;
use crate::byte_reader::ByteReader;
use crate::foreign_error::ForeignError;

/// The magic and the length of the head, which counts them.
const FIXED_BYTES: usize = 8;

/// The keys by their numbers, named as the converter names them.
const KEYS: [&str; 22] = [
    "version",
    "arch_type",
    "dim",
    "hidden_dim",
    "n_layers",
    "n_heads",
    "n_kv_heads",
    "n_experts",
    "n_active_experts",
    "vocab_size",
    "max_seq_len",
    "hidden_act",
    "rope_theta",
    "weights_float_type",
    "rope_scaling_factor",
    "rope_scaling_low_freq_factor",
    "rope_scaling_high_freq_factory",
    "rope_scaling_orig_max_seq_len",
    "rope_type",
    "head_dim",
    "norm_epsilon",
    "moe_hidden_dim",
];

/// The architectures that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Llama,
    Qwen3,
    Qwen3Moe,
}

impl Kind {
    const ALL: [(i32, Self); 3] = [
        (0x00AB_CD00, Self::Llama),
        (0x00AB_CD01, Self::Qwen3),
        (0x00AB_CD02, Self::Qwen3Moe),
    ];

    /// The name that the converter takes.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Qwen3 => "qwen3",
            Self::Qwen3Moe => "qwen3_moe",
        }
    }
}

/// The numbers of a file's head, by the numbers of their keys.
pub(super) struct Values([Option<i32>; KEYS.len()]);

impl Values {
    /// Reads the head; also says where it ends.
    pub(super) fn read(file: &[u8]) -> Result<(Self, usize), ForeignError> {
        let cut = || {
            ForeignError::layout(
                "the file ends within its head: it is cut short or damaged; copy or download it again",
            )
        };
        let mut reader = ByteReader::new(file);
        reader.take(MAGIC.len()).ok_or_else(cut)?;
        let length = reader.u32().ok_or_else(cut)? as usize;
        let pairs = length
            .checked_sub(FIXED_BYTES)
            .filter(|n| n.is_multiple_of(8));
        let pairs = pairs.ok_or_else(|| {
            let problem =
                format!("its head claims {length} bytes, expected 8 and 8 for each number");
            ForeignError::layout(problem)
        })?;
        let mut head = ByteReader::new(reader.take(pairs).ok_or_else(cut)?);
        let mut values = [None; KEYS.len()];
        while let (Some(key), Some(value)) = (head.u32(), head.u32()) {
            let place = values.get_mut(key as usize).ok_or_else(|| {
                let last = KEYS.len() - 1;
                ForeignError::key(key.to_string(), format!("it is not known; 0 to {last} are"))
            })?;
            if place.replace(value.cast_signed()).is_some() {
                return Err(ForeignError::key(KEYS[key as usize], "it is there twice"));
            }
        }
        Ok((Self(values), length))
    }

    fn get(&self, key: &'static str) -> Option<i32> {
        let index = KEYS.iter().position(|known| *known == key)?;
        self.0[index]
    }

    fn size(&self, key: &'static str) -> Result<Option<usize>, ForeignError> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let size = usize::try_from(value);
        size.map(Some).map_err(|_| {
            let problem = format!("it is {value}, expected a number of at least 0");
            ForeignError::key(key, problem)
        })
    }

    fn needed(&self, key: &'static str) -> Result<usize, ForeignError> {
        let missing = || ForeignError::MissingKey(key.to_owned());
        self.size(key)?.ok_or_else(missing)
    }

    /// The shape of the model.
    pub(super) fn config(&self) -> Result<Config, ForeignError> {
        let kind = self.kind()?;
        self.refuse_other_arithmetic(kind)?;
        let has_experts = kind == Kind::Qwen3Moe;
        let width = match has_experts {
            true => "moe_hidden_dim",
            false => "hidden_dim",
        };
        let (emb_dim, n_heads) = (self.needed("dim")?, self.needed("n_heads")?);
        let head_dim = match self.size("head_dim")? {
            Some(head_dim) if head_dim > 0 => head_dim,
            _ => emb_dim.checked_div(n_heads).unwrap_or(0),
        };
        let config = Config {
            vocab_size: self.needed("vocab_size")?,
            context_length: self.needed("max_seq_len")?,
            emb_dim,
            n_heads,
            n_kv_heads: self.needed("n_kv_heads")?,
            head_dim,
            hidden_dim: self.needed(width)?,
            n_layers: self.needed("n_layers")?,
            rope_theta: self
                .size("rope_theta")?
                .map_or(10_000.0, |theta| theta as f64),
            rope_scaling: self.scaling(kind)?,
            norm_eps: self.norm_eps()?,
            // A tied model's table is written a second time, in the type of the other matrices.
            tie_embeddings: false,
            dtype: self.dtype()?,
            qkv_bias: false,
            qk_norm: kind != Kind::Llama,
            n_experts: self.experts("n_experts", has_experts)?,
            n_experts_per_token: self.experts("n_active_experts", has_experts)?,
            norm_topk_prob: has_experts,
        };
        let invalid = |error: gollm_model::Error| {
            ForeignError::layout(format!("in this program's words: {error}"))
        };
        config.validate().map_err(invalid)?;
        Ok(config)
    }

    /// The kind of model.
    pub(super) fn kind(&self) -> Result<Kind, ForeignError> {
        let missing = || ForeignError::MissingKey("arch_type".to_owned());
        let number = self.get("arch_type").ok_or_else(missing)?;
        let known = Kind::ALL.into_iter().find(|(known, _)| *known == number);
        let unknown = || ForeignError::Architecture {
            found: format!("{number:#x}"),
            supported: Kind::ALL
                .map(|(n, kind)| format!("{n:#x} ({})", kind.name()))
                .join(", "),
        };
        known.map(|(_, kind)| kind).ok_or_else(unknown)
    }

    /// A number of experts, which only a mixture has.
    fn experts(&self, key: &'static str, has_experts: bool) -> Result<usize, ForeignError> {
        match has_experts {
            true => self.needed(key),
            false => Ok(0),
        }
    }

    fn refuse_other_arithmetic(&self, kind: Kind) -> Result<(), ForeignError> {
        if kind != Kind::Qwen3Moe && self.get("n_experts").is_some_and(|n| n != 0) {
            let problem = format!("experts of a {} model are not computed", kind.name());
            return Err(ForeignError::key("n_experts", problem));
        }
        match self.get("hidden_act") {
            None | Some(1) => Ok(()),
            Some(other) => {
                let problem = format!("it is {other}; only 1 (SiLU) is computed");
                Err(ForeignError::key("hidden_act", problem))
            }
        }
    }

    /// 5 stands for 1e-5, 6 for 1e-6.
    fn norm_eps(&self) -> Result<f32, ForeignError> {
        match self.get("norm_epsilon") {
            None | Some(5) => Ok(1e-5),
            Some(6) => Ok(1e-6),
            Some(other) => {
                let problem = format!("it is {other}, expected 5 or 6");
                Err(ForeignError::key("norm_epsilon", problem))
            }
        }
    }

    fn dtype(&self) -> Result<DType, ForeignError> {
        match self.get("weights_float_type") {
            Some(0) => Ok(DType::F32),
            Some(1) => Ok(DType::F16),
            Some(2) => Ok(DType::Q4_0),
            Some(3) => Ok(DType::Q8_0),
            Some(other) => {
                let problem =
                    format!("it is {other}, expected 0 (f32), 1 (f16), 2 (q40) or 3 (q80)");
                Err(ForeignError::key("weights_float_type", problem))
            }
            None => Err(ForeignError::MissingKey("weights_float_type".to_owned())),
        }
    }

    /// A llama's positions may be stretched as Llama 3's are; a Qwen's are turned in split halves (1),
    /// whether the file says so or not.
    fn scaling(&self, kind: Kind) -> Result<Option<RopeScaling>, ForeignError> {
        match (self.get("rope_type"), kind) {
            (None | Some(0), _) | (Some(1), Kind::Qwen3 | Kind::Qwen3Moe) => Ok(None),
            (Some(2), Kind::Llama) => Ok(Some(RopeScaling {
                factor: self.needed("rope_scaling_factor")? as f64,
                low_freq_factor: self.needed("rope_scaling_low_freq_factor")? as f64,
                high_freq_factor: self.needed("rope_scaling_high_freq_factory")? as f64,
                original_context_length: self.needed("rope_scaling_orig_max_seq_len")?,
            })),
            (Some(other), _) => {
                let problem = format!("{other} is not computed in a {} model", kind.name());
                Err(ForeignError::key("rope_type", problem))
            }
        }
    }
}
