"""GGUF files of PyPI's `gguf`: read as PyTorch computes, written so that `gguf` reads them back."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import gguf
import gollm as module
import numpy as np
import pytest
import torch
from conftest import tiny_model
from numpy.typing import NDArray
from test_binary import binary

from goldens import TEST_DATA
from model import Decoder

N_TOKENS = 24
PROMPT = [3, 1, 4, 1, 5]
# Rows of whole blocks, and a model that is not tied and has grouped queries.
SHAPE = {
    "emb_dim": 64,
    "head_dim": 16,
    "hidden_dim": 96,
    "n_heads": 4,
    "n_kv_heads": 2,
    "tie_embeddings": False,
}
PARTS = {
    "attn_norm": "attn_norm",
    "attn.q_proj": "attn_q",
    "attn.k_proj": "attn_k",
    "attn.v_proj": "attn_v",
    "attn.o_proj": "attn_output",
    "ffn_norm": "ffn_norm",
    "ffn.gate_proj": "ffn_gate",
    "ffn.up_proj": "ffn_up",
    "ffn.down_proj": "ffn_down",
}
WHOLE = {
    "tok_emb.weight": "token_embd.weight",
    "final_norm.weight": "output_norm.weight",
    "out_head.weight": "output.weight",
}


def gguf_name(name: str) -> str:
    if name in WHOLE:
        return WHOLE[name]
    _, layer, part = name.removesuffix(".weight").split(".", 2)
    return f"blk.{layer}.{PARTS[part]}.weight"


def adjacent(weight: NDArray[np.float32], n_heads: int) -> NDArray[np.float32]:
    """Rows from split halves to adjacent pairs, as llama.cpp's converter reorders them."""
    rows, columns = weight.shape
    halves = weight.reshape(n_heads, 2, rows // n_heads // 2, columns)
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(rows, columns))


def write_gguf(model: Decoder, path: Path, kind: gguf.GGMLQuantizationType) -> None:
    """Writes the model with PyPI's `gguf`, and puts the rounded weights back into it."""
    config = model.config
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_context_length(config.context_length)
    writer.add_embedding_length(config.emb_dim)
    writer.add_block_count(config.n_layers)
    writer.add_feed_forward_length(config.hidden_dim)
    writer.add_head_count(config.n_heads)
    writer.add_head_count_kv(config.n_kv_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_theta)
    writer.add_layer_norm_rms_eps(config.norm_eps)
    for name, parameter in model.named_parameters():
        values = parameter.detach().numpy().astype(np.float32)
        stored = kind if values.ndim == 2 else gguf.GGMLQuantizationType.F32
        rounded = gguf.quants.dequantize(gguf.quants.quantize(values, stored), stored)
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(rounded.reshape(values.shape)))
        heads = {"q_proj": config.n_heads, "k_proj": config.n_kv_heads}
        if n_heads := heads.get(name.split(".")[-2]):
            values = adjacent(values, n_heads)
        writer.add_tensor(gguf_name(name), gguf.quants.quantize(values, stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def run(*arguments: str) -> str:
    command = [str(binary()), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


@pytest.mark.parametrize("kind", ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q5_1"])
def test_greedy_ids_of_a_file_of_gguf_are_pytorch_s(tmp_path: Path, kind: str) -> None:
    model = tiny_model(**SHAPE)
    path = tmp_path / "model.gguf"
    write_gguf(model, path, gguf.GGMLQuantizationType[kind])
    ids = ",".join(str(i) for i in PROMPT)
    # The readable backend computes in f32 with the numbers that the blocks stand for.
    options = ["--device", "reference", "--temp", "0", "--ignore-eos", "--json"]
    answer = run("generate", "-m", str(path), "-n", str(N_TOKENS), *options, "--prompt-ids", ids)
    assert json.loads(answer)["ids"] == model.generate(PROMPT, N_TOKENS)


def test_an_exported_model_is_read_by_gguf(tmp_path: Path) -> None:
    path = tmp_path / "stories.gguf"
    own = TEST_DATA / "gollm-stories.gollm"
    run("convert", str(own), str(path))
    reader = gguf.GGUFReader(str(path))
    fields = {name: field.contents() for name, field in reader.fields.items()}
    inspected = json.loads(run("inspect", str(own), "--json"))
    config = inspected["config"]
    assert fields["general.architecture"] == "llama"
    assert fields["llama.embedding_length"] == config["emb_dim"]
    assert fields["llama.attention.head_count_kv"] == config["n_kv_heads"]
    tokens = fields["tokenizer.ggml.tokens"]
    assert len(tokens) == config["vocab_size"]
    for text, index in inspected["tokenizer"]["special"].items():
        assert tokens[index] == text
        assert fields["tokenizer.ggml.token_type"][index] == gguf.TokenType.CONTROL
    shapes = {tensor.name: list(reversed(tensor.shape.tolist())) for tensor in reader.tensors}
    expected = {gguf_name(tensor["name"]): tensor["shape"] for tensor in inspected["tensors"]}
    assert shapes == expected


def test_rows_of_queries_are_in_the_order_of_adjacent_pairs(tmp_path: Path) -> None:
    path = tmp_path / "stories.gguf"
    own = TEST_DATA / "gollm-stories.gollm"
    run("convert", str(own), str(path))
    model = module.Model.load(str(own))
    config = model.config
    here = np.asarray(model.tensor("blocks.0.attn.k_proj.weight"), dtype=np.float32)
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(str(path)).tensors}
    there = tensors["blk.0.attn_k.weight"].data.astype(np.float32)
    assert np.array_equal(there, adjacent(here, config["n_kv_heads"]))
