"""GGUF files of PyPI's `gguf`: read as PyTorch computes, written so that `gguf` reads them back."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import gguf
import gollm as module
import numpy as np
import pytest
import torch
from conftest import tiny_model
from numpy.typing import NDArray
from qwen_models import FAMILIES, N_GREEDY, family
from qwen_models import PROMPT as QWEN_PROMPT
from test_binary import binary

from goldens import TEST_DATA
from model import Decoder

N_TOKENS = 64
PROMPT = [3, 1, 4, 1, 5]
# Rows of whole blocks, and a model that is not tied and has grouped queries.
SHAPE = {
    "context_length": 128,
    "emb_dim": 64,
    "head_dim": 16,
    "hidden_dim": 96,
    "n_heads": 4,
    "n_kv_heads": 2,
    "tie_embeddings": False,
}
PARTS = {
    "attn.q_norm": "attn_q_norm",
    "attn.k_norm": "attn_k_norm",
    "ffn.router": "ffn_gate_inp",
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
    _, layer, rest = name.split(".", 2)
    part, kind = rest.rsplit(".", 1)
    return f"blk.{layer}.{PARTS[part]}.{kind}"


def architecture(model: Decoder) -> str:
    config = model.config
    if config.n_experts > 0:
        return "qwen3moe"
    return "qwen3" if config.qk_norm else "qwen2" if config.qkv_bias else "llama"


def gathered(model: Decoder) -> dict[str, NDArray[np.float32]]:
    """The weights under GGUF's names; a layer's experts in one tensor for each matrix."""
    tensors: dict[str, NDArray[np.float32]] = {}
    experts: dict[str, list[NDArray[np.float32]]] = {}
    for name, parameter in model.named_parameters():
        values = parameter.detach().numpy().astype(np.float32)
        if ".experts." not in name:
            tensors[gguf_name(name)] = values
            continue
        layer, matrix = name.split(".")[1], name.split(".")[-2].removesuffix("_proj")
        experts.setdefault(f"blk.{layer}.ffn_{matrix}_exps.weight", []).append(values)
    return tensors | {name: np.stack(values) for name, values in experts.items()}


def adjacent(weight: NDArray[np.float32], n_heads: int) -> NDArray[np.float32]:
    """Rows from split halves to adjacent pairs, as llama.cpp's converter reorders them."""
    rows, columns = weight.shape
    halves = weight.reshape(n_heads, 2, rows // n_heads // 2, columns)
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(rows, columns))


def write_gguf(
    model: Decoder,
    path: Path,
    kind: gguf.GGMLQuantizationType,
    vocabulary: Callable[[gguf.GGUFWriter], None] = lambda _: None,
    *,
    split_max_tensors: int = 0,
    small_first_shard: bool = False,
) -> None:
    """Writes the model with PyPI's `gguf`, and puts the rounded weights back into it."""
    config = model.config
    writer = gguf.GGUFWriter(
        str(path),
        architecture(model),
        split_max_tensors=split_max_tensors,
        small_first_shard=small_first_shard,
    )
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
    if config.n_experts > 0:
        writer.add_expert_count(config.n_experts)
        writer.add_expert_used_count(config.n_experts_per_token)
        writer.add_expert_feed_forward_length(config.hidden_dim)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(rounded(parameter.numpy(), stored_as(name, kind))))
    for name, values in gathered(model).items():
        stored = stored_as(name, kind) if values.ndim > 1 else gguf.GGMLQuantizationType.F32
        if architecture(model) == "llama":
            heads = {"attn_q": config.n_heads, "attn_k": config.n_kv_heads}
            if n_heads := heads.get(name.split(".")[-2]):
                values = adjacent(values, n_heads)
        writer.add_tensor(name, gguf.quants.quantize(values, stored), raw_dtype=stored)
    vocabulary(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def stored_as(name: str, kind: gguf.GGMLQuantizationType) -> gguf.GGMLQuantizationType:
    """The router of experts is always f32, as llama.cpp's converter writes it."""
    is_router = "router" in name or "ffn_gate_inp" in name
    return gguf.GGMLQuantizationType.F32 if is_router else kind


def rounded(values: NDArray[np.float32], kind: gguf.GGMLQuantizationType) -> NDArray[np.float32]:
    if values.ndim == 1:
        return values
    back = gguf.quants.dequantize(gguf.quants.quantize(values, kind), kind)
    return np.asarray(back, dtype=np.float32).reshape(values.shape)


def use_as(model: Decoder, kind: gguf.GGMLQuantizationType) -> None:
    """Blocks that gollm has no arithmetic for become others."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.from_numpy(rounded(parameter.numpy(), kind)))


def run(*arguments: str) -> str:
    command = [str(binary()), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


@pytest.mark.parametrize("kind", ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q5_1"])
def test_a_file_of_gguf_gives_pytorch_s_logits_and_tokens(tmp_path: Path, kind: str) -> None:
    model = tiny_model(**SHAPE)
    path = tmp_path / "model.gguf"
    write_gguf(model, path, gguf.GGMLQuantizationType[kind])
    if kind == "Q5_1":
        use_as(model, gguf.GGMLQuantizationType.Q8_0)
    ids = ",".join(str(i) for i in PROMPT)
    # The readable backend computes in f32 with the numbers that the blocks stand for.
    options = ["--device", "reference", "--temp", "0", "--ignore-eos", "--json"]
    answer = run("generate", "-m", str(path), "-n", str(N_TOKENS), *options, "--prompt-ids", ids)
    assert json.loads(answer)["ids"] == model.generate(PROMPT, N_TOKENS)
    with torch.no_grad():
        expected = model(torch.tensor([PROMPT]))[0].numpy()
    logits = module.Model.load(str(path), device="reference").logits(PROMPT)
    np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("small_first_shard", [False, True])
def test_a_model_that_gguf_cuts_into_files_gives_pytorch_s_logits_and_tokens(
    tmp_path: Path, small_first_shard: bool
) -> None:
    model = tiny_model(**SHAPE)
    path = tmp_path / "model.gguf"
    kind = gguf.GGMLQuantizationType.Q8_0
    write_gguf(model, path, kind, split_max_tensors=4, small_first_shard=small_first_shard)
    parts = sorted(tmp_path.glob("model-*-of-*.gguf"))
    assert len(parts) > 3
    assert not path.exists()
    assert (len(gguf.GGUFReader(str(parts[0])).tensors) == 0) == small_first_shard
    with torch.no_grad():
        expected = model(torch.tensor([PROMPT]))[0].numpy()
    for part in [parts[0], parts[2]]:
        rust = module.Model.load(str(part), device="reference")
        np.testing.assert_allclose(rust.logits(PROMPT), expected, rtol=0, atol=1e-4)
        tokens = list(rust.generate_ids(PROMPT, N_TOKENS, ignore_end_of_text=True))
        assert tokens == model.generate(PROMPT, N_TOKENS)
    # One file again, which `gguf` reads as what was cut.
    whole = tmp_path / "whole.gguf"
    run("convert", str(parts[0]), str(whole))
    there = {t.name: t for part in parts for t in gguf.GGUFReader(str(part)).tensors}
    here = {t.name: t for t in gguf.GGUFReader(str(whole)).tensors}
    assert here.keys() == there.keys()
    for name, tensor in here.items():
        assert np.array_equal(tensor.data, there[name].data), name


@pytest.mark.parametrize("kind", ["F32", "F16", "Q8_0"])
@pytest.mark.parametrize("name", FAMILIES)
def test_a_file_of_qwen_gives_pytorch_s_logits_and_tokens(
    tmp_path: Path, name: str, kind: str
) -> None:
    model = family(name)
    path = tmp_path / "model.gguf"
    write_gguf(model, path, gguf.GGMLQuantizationType[kind])
    rust = module.Model.load(str(path), device="reference")
    assert {**rust.config, "dtype": "f32"} == model.config.to_dict()
    with torch.no_grad():
        expected = model(torch.tensor([QWEN_PROMPT]))[0].numpy()
    # The readable backend has the numbers of the blocks and f32 activations, as PyTorch here.
    np.testing.assert_allclose(rust.logits(QWEN_PROMPT), expected, rtol=0, atol=1e-4)
    tokens = model.generate(QWEN_PROMPT, N_GREEDY)
    assert list(rust.generate_ids(QWEN_PROMPT, N_GREEDY, ignore_end_of_text=True)) == tokens

    own, again = tmp_path / "own.gollm", tmp_path / "again.gguf"
    run("convert", str(path), str(own))
    run("convert", str(own), str(again))
    theirs = {tensor.name: tensor for tensor in gguf.GGUFReader(str(path)).tensors}
    ours = {tensor.name: tensor for tensor in gguf.GGUFReader(str(again)).tensors}
    assert theirs.keys() == ours.keys()
    for name_there, tensor in ours.items():
        assert tensor.tensor_type == theirs[name_there].tensor_type, name_there
        assert np.array_equal(tensor.data, theirs[name_there].data), name_there


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
