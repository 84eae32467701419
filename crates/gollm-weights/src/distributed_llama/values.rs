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

const LLAMA: i32 = 0x00AB_CD00;

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
        self.refuse_other_arithmetic()?;
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
            hidden_dim: self.needed("hidden_dim")?,
            n_layers: self.needed("n_layers")?,
            rope_theta: self
                .size("rope_theta")?
                .map_or(10_000.0, |theta| theta as f64),
            rope_scaling: self.scaling()?,
            norm_eps: self.norm_eps()?,
            // A tied model's table is written a second time, in the type of the other matrices.
            tie_embeddings: false,
            dtype: self.dtype()?,
            qkv_bias: false,
            qk_norm: false,
            n_experts: 0,
            n_experts_per_token: 0,
            norm_topk_prob: false,
        };
        let invalid = |error: gollm_model::Error| {
            ForeignError::layout(format!("in this program's words: {error}"))
        };
        config.validate().map_err(invalid)?;
        Ok(config)
    }

    fn refuse_other_arithmetic(&self) -> Result<(), ForeignError> {
        match self.get("arch_type") {
            Some(LLAMA) => {}
            Some(other) => {
                return Err(ForeignError::Architecture {
                    found: format!("{other:#x}"),
                    supported: format!("models of type {LLAMA:#x} (llama)"),
                });
            }
            None => return Err(ForeignError::MissingKey("arch_type".to_owned())),
        }
        if self.get("n_experts").is_some_and(|n| n != 0) {
            let problem = "mixtures of experts are not computed";
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

    fn scaling(&self) -> Result<Option<RopeScaling>, ForeignError> {
        match self.get("rope_type") {
            None | Some(0) => Ok(None),
            Some(2) => Ok(Some(RopeScaling {
                factor: self.needed("rope_scaling_factor")? as f64,
                low_freq_factor: self.needed("rope_scaling_low_freq_factor")? as f64,
                high_freq_factor: self.needed("rope_scaling_high_freq_factory")? as f64,
                original_context_length: self.needed("rope_scaling_orig_max_seq_len")?,
            })),
            Some(other) => {
                let problem = format!("it is {other}; 0 (plain) and 2 (Llama 3's) are computed");
                Err(ForeignError::key("rope_type", problem))
            }
        }
    }
}
