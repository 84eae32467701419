//! The tensors of a GGUF file under our names, and how their rows are ordered.

use gollm_model::{Config, FINAL_NORM, OUT_HEAD, TOK_EMB, block_bias, block_tensor, expert_tensor};

use super::architecture::Architecture;

/// What a block's tensors are called in a GGUF file, and here.
const BLOCK: [(&str, &str); 12] = [
    ("attn_norm", "attn_norm"),
    ("attn_q", "attn.q_proj"),
    ("attn_k", "attn.k_proj"),
    ("attn_v", "attn.v_proj"),
    ("attn_q_norm", "attn.q_norm"),
    ("attn_k_norm", "attn.k_norm"),
    ("attn_output", "attn.o_proj"),
    ("ffn_norm", "ffn_norm"),
    ("ffn_gate_inp", "ffn.router"),
    ("ffn_gate", "ffn.gate_proj"),
    ("ffn_up", "ffn.up_proj"),
    ("ffn_down", "ffn.down_proj"),
];

/// What has a bias.
const BIASED: [(&str, &str); 3] = [
    ("attn_q", "attn.q_proj"),
    ("attn_k", "attn.k_proj"),
    ("attn_v", "attn.v_proj"),
];

/// Tensors that hold the same matrix of every expert, one behind the other.
const EXPERTS: [(&str, &str); 3] = [
    ("ffn_gate_exps", "gate_proj"),
    ("ffn_up_exps", "up_proj"),
    ("ffn_down_exps", "down_proj"),
];

/// What the other tensors are called in a GGUF file, and here.
const WHOLE: [(&str, &str); 3] = [
    ("token_embd.weight", TOK_EMB),
    ("output_norm.weight", FINAL_NORM),
    ("output.weight", OUT_HEAD),
];

/// What a tensor of a GGUF file is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ours {
    /// One tensor of this name.
    One(String),
    /// A matrix of each expert of a layer.
    Experts { layer: usize, matrix: &'static str },
}

impl Ours {
    /// Our names, one for each expert where there are several.
    pub(crate) fn names(&self, n_experts: usize) -> Vec<String> {
        match self {
            Self::One(name) => vec![name.clone()],
            Self::Experts { layer, matrix } => (0..n_experts)
                .map(|expert| expert_tensor(*layer, expert, matrix))
                .collect(),
        }
    }
}

fn here(table: &[(&str, &'static str)], theirs: &str) -> Option<&'static str> {
    let found = table.iter().find(|(name, _)| *name == theirs);
    found.map(|(_, ours)| *ours)
}

fn there(table: &[(&'static str, &str)], ours: &str) -> Option<&'static str> {
    let found = table.iter().find(|(_, name)| *name == ours);
    found.map(|(theirs, _)| *theirs)
}

/// Our name, or names, of a tensor of a GGUF file.
pub(crate) fn ours(name: &str) -> Option<Ours> {
    if let Some(ours) = here(&WHOLE, name) {
        return Some(Ours::One(ours.to_owned()));
    }
    let (number, part) = name.strip_prefix("blk.")?.split_once('.')?;
    let layer: usize = number.parse().ok()?;
    // `blk.+1` and `blk.01` would be second names of the same tensor.
    if layer.to_string() != number {
        return None;
    }
    if let Some(part) = part.strip_suffix(".bias") {
        return Some(Ours::One(block_bias(layer, here(&BIASED, part)?)));
    }
    let part = part.strip_suffix(".weight")?;
    match here(&EXPERTS, part) {
        Some(matrix) => Some(Ours::Experts { layer, matrix }),
        None => Some(Ours::One(block_tensor(layer, here(&BLOCK, part)?))),
    }
}

/// The name in a GGUF file of one of our tensors; that of an expert is the name of all experts' tensor.
pub(crate) fn theirs(name: &str) -> Option<String> {
    if let Some(theirs) = there(&WHOLE, name) {
        return Some(theirs.to_owned());
    }
    let (layer, part) = name.strip_prefix("blocks.")?.split_once('.')?;
    if let Some(part) = part.strip_suffix(".bias") {
        return Some(format!("blk.{layer}.{}.bias", there(&BIASED, part)?));
    }
    let part = part.strip_suffix(".weight")?;
    let theirs = match part.strip_prefix("ffn.experts.") {
        Some(expert) => there(&EXPERTS, expert.split_once('.')?.1)?,
        None => there(&BLOCK, part)?,
    };
    Some(format!("blk.{layer}.{theirs}.weight"))
}

/// How many heads the rows of this tensor (under our name) belong to, if they are in another order here:
/// rows of query and key projections are in the order of adjacent pairs in files of architecture `llama`.
pub(crate) fn reordered_heads(name: &str, config: &Config, kind: Architecture) -> Option<usize> {
    if !kind.has_adjacent_pairs() {
        None
    } else if name.ends_with(".attn.q_proj.weight") {
        Some(config.n_heads)
    } else if name.ends_with(".attn.k_proj.weight") {
        Some(config.n_kv_heads)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use gollm_model::expected_tensors;

    use super::*;

    #[test]
    fn every_tensor_of_a_model_has_one_name_there_and_comes_back() {
        for options in [
            "tie_embeddings: false",
            "qkv_bias: true",
            "qk_norm: true, n_experts: 11, n_experts_per_token: 2",
        ] {
            let config = Config::from_yaml(&format!(
                "{{vocab_size: 4, context_length: 8, emb_dim: 4, n_heads: 2, n_kv_heads: 1,
                  hidden_dim: 3, n_layers: 12, {options}}}"
            ))
            .unwrap();
            for tensor in expected_tensors(&config).unwrap() {
                let there = theirs(&tensor.name).unwrap();
                let names = ours(&there).unwrap().names(config.n_experts);
                assert!(names.contains(&tensor.name), "{there}: {names:?}");
                assert_eq!(names.len() > 1, tensor.name.contains("experts"));
            }
        }
        assert_eq!(
            theirs("blocks.11.attn.o_proj.weight").as_deref(),
            Some("blk.11.attn_output.weight")
        );
    }

    #[test]
    fn other_names_have_none() {
        for name in [
            "blk.0.attn_output.bias",
            "blk.0.ffn_gate_inp.bias",
            "blk.0.ffn_gate_exps.bias",
            "blk.00.attn_q.weight",
            "blk.+1.attn_q.weight",
            "blk.-1.attn_q.weight",
            "blk..attn_q.weight",
            "blk.0.attn_q",
            "output_norm.bias",
            "rope_freqs.weight",
            "",
        ] {
            assert_eq!(ours(name), None, "{name}");
        }
    }
}
