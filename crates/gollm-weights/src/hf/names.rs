//! The tensors of transformers' models under our names. No row is reordered: both turn split halves.

use gollm_model::{FINAL_NORM, OUT_HEAD, TOK_EMB};

/// The embedding table, and the output head that a tied model leaves out.
pub(crate) const TABLE: &str = "model.embed_tokens.weight";
pub(crate) const HEAD: &str = "lm_head.weight";

/// What a block's tensors are called here, and in transformers.
const BLOCK: [(&str, &str); 12] = [
    ("attn_norm", "input_layernorm"),
    ("attn.q_proj", "self_attn.q_proj"),
    ("attn.k_proj", "self_attn.k_proj"),
    ("attn.v_proj", "self_attn.v_proj"),
    ("attn.q_norm", "self_attn.q_norm"),
    ("attn.k_norm", "self_attn.k_norm"),
    ("attn.o_proj", "self_attn.o_proj"),
    ("ffn_norm", "post_attention_layernorm"),
    ("ffn.router", "mlp.gate"),
    ("ffn.gate_proj", "mlp.gate_proj"),
    ("ffn.up_proj", "mlp.up_proj"),
    ("ffn.down_proj", "mlp.down_proj"),
];

/// What the other tensors are called here, and in transformers.
const WHOLE: [(&str, &str); 3] = [
    (TOK_EMB, TABLE),
    (FINAL_NORM, "model.norm.weight"),
    (OUT_HEAD, HEAD),
];

/// The name in transformers of one of our tensors.
pub(crate) fn theirs(name: &str) -> Option<String> {
    if let Some((_, theirs)) = WHOLE.iter().find(|(ours, _)| *ours == name) {
        return Some((*theirs).to_owned());
    }
    let (layer, part) = name.strip_prefix("blocks.")?.split_once('.')?;
    let (part, kind) = part.rsplit_once('.')?;
    // An expert has the same three matrices, and the same names for them.
    if let Some(matrix) = part.strip_prefix("ffn.experts.") {
        return Some(format!("model.layers.{layer}.mlp.experts.{matrix}.{kind}"));
    }
    let (_, theirs) = BLOCK.iter().find(|(ours, _)| *ours == part)?;
    Some(format!("model.layers.{layer}.{theirs}.{kind}"))
}

/// Whether a tensor holds what follows from the config: RoPE's frequencies, which old versions saved.
pub(crate) fn is_redundant(name: &str) -> bool {
    name.ends_with(".self_attn.rotary_emb.inv_freq")
}

#[cfg(test)]
mod tests {
    use gollm_model::{Config, expected_tensors};

    use super::*;

    #[test]
    fn every_tensor_of_a_model_has_a_name_of_its_own_there() {
        for more in [
            "qkv_bias: true",
            "qk_norm: true",
            "n_experts: 3, n_experts_per_token: 2",
        ] {
            let config = Config::from_yaml(&format!(
                "{{vocab_size: 4, context_length: 8, emb_dim: 4, n_heads: 2, n_kv_heads: 1,
                   hidden_dim: 3, n_layers: 12, tie_embeddings: false, {more}}}"
            ))
            .unwrap();
            let tensors = expected_tensors(&config).unwrap();
            let mut names: Vec<String> = tensors.iter().map(|t| theirs(&t.name).unwrap()).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), tensors.len());
        }
        for (ours, expected) in [
            ("blocks.11.attn.o_proj.weight", "self_attn.o_proj.weight"),
            ("blocks.11.attn.q_proj.bias", "self_attn.q_proj.bias"),
            ("blocks.11.ffn.router.weight", "mlp.gate.weight"),
            (
                "blocks.11.ffn.experts.2.up_proj.weight",
                "mlp.experts.2.up_proj.weight",
            ),
        ] {
            assert_eq!(theirs(ours), Some(format!("model.layers.11.{expected}")));
        }
    }
}
