"""Small models of Qwen's families, and transformers' models with the same weights."""

from __future__ import annotations

from typing import Any

import torch
import transformers
from torch import Tensor

from config import ModelConfig
from golden_models import SMALLEST_LEAD, greedy_with_lead, random_model
from model import Decoder

N_GREEDY = 64
PROMPT = [3, 1, 4, 1, 5, 9, 2, 6]
# Rows of whole blocks of 32, so that every stored type can hold them; four heads, two of keys.
_SHAPE = (97, 96, 64, 4, 2)
FAMILIES = {
    "qwen2": ModelConfig(*_SHAPE, 96, 2, head_dim=16, qkv_bias=True, tie_embeddings=False),
    # Heads that are wider than emb_dim / n_heads, as in Qwen3's small models; a tied head.
    "qwen3": ModelConfig(*_SHAPE, 96, 2, head_dim=32, qk_norm=True, norm_eps=1e-6),
    "qwen3moe": ModelConfig(
        *_SHAPE, 32, 2, head_dim=32, qk_norm=True, norm_eps=1e-6, tie_embeddings=False,
        n_experts=6, n_experts_per_token=2, norm_topk_prob=True,
    ),
}  # fmt: skip


def family(name: str) -> Decoder:
    """The first random model whose greedy tokens each lead the next by enough to be compared."""
    for seed in range(1, 200):
        model = random_model(FAMILIES[name], seed)
        greedy, lead = greedy_with_lead(model, PROMPT, N_GREEDY)
        if lead >= SMALLEST_LEAD and len(set(greedy)) > 8:
            return model
    raise RuntimeError(f"no seed gives {name} a clear continuation")


def hugging_face(model: Decoder) -> torch.nn.Module:
    """The same weights in the class of transformers that the config describes."""
    config = model.config
    shared: dict[str, Any] = {
        "vocab_size": config.vocab_size,
        "max_position_embeddings": config.context_length,
        "hidden_size": config.emb_dim,
        "num_attention_heads": config.n_heads,
        "num_key_value_heads": config.n_kv_heads,
        "intermediate_size": config.hidden_dim,
        "num_hidden_layers": config.n_layers,
        "head_dim": config.head_dim,
        "rms_norm_eps": config.norm_eps,
        "tie_word_embeddings": config.tie_embeddings,
        "rope_theta": config.rope_theta,
    }
    theirs: Any
    described: Any
    if config.n_experts > 0:
        theirs = transformers.Qwen3MoeForCausalLM
        described = transformers.Qwen3MoeConfig(
            **shared,
            num_experts=config.n_experts,
            num_experts_per_tok=config.n_experts_per_token,
            moe_intermediate_size=config.hidden_dim,
            norm_topk_prob=config.norm_topk_prob,
        )
    elif config.qk_norm:
        theirs, described = transformers.Qwen3ForCausalLM, transformers.Qwen3Config(**shared)
    else:
        theirs, described = transformers.Qwen2ForCausalLM, transformers.Qwen2Config(**shared)
    there: torch.nn.Module = theirs._from_config(described, attn_implementation="eager").eval()
    wanted = {name: parameter.shape for name, parameter in there.named_parameters()}
    given = hugging_face_weights(model)
    assert {name: tensor.shape for name, tensor in given.items()} == wanted
    there.load_state_dict(given, strict=not config.tie_embeddings)
    return there


def hugging_face_weights(model: Decoder) -> dict[str, Tensor]:
    """Our weights under transformers' names; the experts of a layer in two tensors."""
    parts = {
        "attn_norm": "input_layernorm",
        "ffn_norm": "post_attention_layernorm",
        "ffn.router": "mlp.gate",
    }
    whole = {
        "tok_emb.weight": "model.embed_tokens.weight",
        "final_norm.weight": "model.norm.weight",
        "out_head.weight": "lm_head.weight",
    }
    weights: dict[str, Tensor] = {}
    for name, parameter in model.named_parameters():
        value = parameter.detach().clone()
        if name in whole:
            weights[whole[name]] = value
            continue
        _, layer, rest = name.split(".", 2)
        if ".experts." in rest:
            continue
        part, kind = rest.rsplit(".", 1)
        part = parts.get(part, part.replace("attn.", "self_attn.").replace("ffn.", "mlp."))
        weights[f"model.layers.{layer}.{part}.{kind}"] = value
    if model.config.n_experts > 0:
        for number, block in enumerate(model.blocks):
            start = f"model.layers.{number}.mlp.experts"
            both = stacked(block, "gate"), stacked(block, "up")
            weights[f"{start}.gate_up_proj"] = torch.cat(both, dim=1)
            weights[f"{start}.down_proj"] = stacked(block, "down")
    return weights


def stacked(block: torch.nn.Module, matrix: str) -> Tensor:
    """One matrix of all experts of a layer, `[n_experts, rows, columns]`."""
    experts = block.get_submodule("ffn.experts").children()
    return torch.stack([e.get_parameter(f"{matrix}_proj.weight").detach() for e in experts])


@torch.no_grad()
def greedy(model: torch.nn.Module, ids: list[int], n: int) -> list[int]:
    """transformers' most likely continuation, without its `generate` and its defaults."""
    ids = list(ids)
    start = len(ids)
    for _ in range(n):
        logits = model(torch.tensor([ids])).logits[0, -1]
        ids.append(int(logits.argmax()))
    return ids[start:]
