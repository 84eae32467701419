"""llama2.c checkpoints of version 0: read as PyTorch computes."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import tiny_model
from parity import LOGITS_ATOL, torch_logits
from test_gguf import adjacent

from gollm_module import gollm
from model import Decoder

N_TOKENS = 24
PROMPT = [3, 1, 4, 1, 5]
# The groups of a file between the embedding table and the last norm, each with all layers.
GROUPS = [
    "attn_norm",
    "attn.q_proj",
    "attn.k_proj",
    "attn.v_proj",
    "attn.o_proj",
    "ffn_norm",
    "ffn.gate_proj",
    "ffn.down_proj",
    "ffn.up_proj",
]


def write_checkpoint(model: Decoder, path: Path) -> None:
    """Writes the seven numbers and the groups, as llama2.c's `export.py` does for version 0."""
    config = model.config
    weights = {name: weight.detach().numpy() for name, weight in model.named_parameters()}
    vocab_size = config.vocab_size if config.tie_embeddings else -config.vocab_size
    sizes = [config.emb_dim, config.hidden_dim, config.n_layers, config.n_heads]
    sizes += [config.n_kv_heads, vocab_size, config.context_length]
    tensors = [weights["tok_emb.weight"]]
    heads = {"attn.q_proj": config.n_heads, "attn.k_proj": config.n_kv_heads}
    for group in GROUPS:
        for layer in range(config.n_layers):
            weight = weights[f"blocks.{layer}.{group}.weight"]
            tensors.append(adjacent(weight, heads[group]) if group in heads else weight)
    tensors.append(weights["final_norm.weight"])
    # Cosines and sines, which no reader needs.
    tensors.append(np.zeros((2, config.context_length, config.head_dim // 2), np.float32))
    if not config.tie_embeddings:
        tensors.append(weights["out_head.weight"])
    data = b"".join(np.ascontiguousarray(tensor).tobytes() for tensor in tensors)
    path.write_bytes(struct.pack("<7i", *sizes) + data)


@pytest.mark.parametrize("tied", [True, False])
def test_a_checkpoint_computes_the_same(tmp_path: Path, tied: bool) -> None:
    model = tiny_model(tie_embeddings=tied)
    path = tmp_path / "stories.bin"
    write_checkpoint(model, path)
    rust = gollm().Model.load(str(path))
    expected = torch_logits(model, PROMPT)
    found = torch.from_numpy(rust.logits(PROMPT))
    torch.testing.assert_close(found, expected, rtol=0, atol=LOGITS_ATOL)
    answer = rust.generate_ids(PROMPT, N_TOKENS, ignore_end_of_text=True)
    assert answer == model.generate(PROMPT, N_TOKENS)
