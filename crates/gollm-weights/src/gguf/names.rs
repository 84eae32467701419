//! The tensors of architecture `llama` under our names, and how their rows are ordered.

use gollm_model::{Config, FINAL_NORM, OUT_HEAD, TOK_EMB, block_tensor};

/// What a block's tensors are called in a GGUF file, and here.
const BLOCK: [(&str, &str); 9] = [
    ("attn_norm", "attn_norm"),
    ("attn_q", "attn.q_proj"),
    ("attn_k", "attn.k_proj"),
    ("attn_v", "attn.v_proj"),
    ("attn_output", "attn.o_proj"),
    ("ffn_norm", "ffn_norm"),
    ("ffn_gate", "ffn.gate_proj"),
    ("ffn_up", "ffn.up_proj"),
    ("ffn_down", "ffn.down_proj"),
];

/// What the other tensors are called in a GGUF file, and here.
const WHOLE: [(&str, &str); 3] = [
    ("token_embd.weight", TOK_EMB),
    ("output_norm.weight", FINAL_NORM),
    ("output.weight", OUT_HEAD),
];

/// Our name of a tensor of a GGUF file.
pub(crate) fn ours(name: &str) -> Option<String> {
    if let Some((_, ours)) = WHOLE.iter().find(|(theirs, _)| *theirs == name) {
        return Some((*ours).to_owned());
    }
    let (layer, part) = name.strip_prefix("blk.")?.split_once('.')?;
    let number: usize = layer.parse().ok()?;
    // `blk.+1` and `blk.01` would be second names of the same tensor.
    if number.to_string() != layer {
        return None;
    }
    let part = part.strip_suffix(".weight")?;
    let (_, ours) = BLOCK.iter().find(|(theirs, _)| *theirs == part)?;
    Some(block_tensor(number, ours))
}

/// The name in a GGUF file of one of our tensors.
pub(crate) fn theirs(name: &str) -> Option<String> {
    if let Some((theirs, _)) = WHOLE.iter().find(|(_, ours)| *ours == name) {
        return Some((*theirs).to_owned());
    }
    let (layer, part) = name.strip_prefix("blocks.")?.split_once('.')?;
    let part = part.strip_suffix(".weight")?;
    let (theirs, _) = BLOCK.iter().find(|(_, ours)| *ours == part)?;
    Some(format!("blk.{layer}.{theirs}.weight"))
}

/// How many heads the rows of this tensor (under our name) belong to, if RoPE turns them: rows of
/// query and key projections are in the order of adjacent pairs in a GGUF file of this architecture.
pub(crate) fn rotated_heads(name: &str, config: &Config) -> Option<usize> {
    if name.ends_with(".attn.q_proj.weight") {
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
        let config = Config::from_yaml(
            "{vocab_size: 4, context_length: 8, emb_dim: 4, n_heads: 2, n_kv_heads: 1,
              hidden_dim: 3, n_layers: 12, tie_embeddings: false}",
        )
        .unwrap();
        for tensor in expected_tensors(&config).unwrap() {
            let there = theirs(&tensor.name).unwrap();
            assert_eq!(ours(&there).as_ref(), Some(&tensor.name), "{there}");
        }
        assert_eq!(
            theirs("blocks.11.attn.o_proj.weight").as_deref(),
            Some("blk.11.attn_output.weight")
        );
    }

    #[test]
    fn other_names_have_none() {
        for name in [
            "blk.0.attn_q.bias",
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
