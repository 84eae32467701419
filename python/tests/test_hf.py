"""Hugging Face folders: read as transformers computes, written so that transformers reads them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from parity import LOGITS_ATOL
from test_binary import binary

from goldens import TEST_DATA
from gollm_module import gollm

N_TOKENS = 64
PROMPT = [3, 1, 4, 1, 5, 9, 2, 6]
SHAPE = {
    "vocab_size": 97,
    "hidden_size": 24,
    "intermediate_size": 37,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 96,
    "rms_norm_eps": 1e-5,
    "bos_token_id": None,
    "eos_token_id": None,
    "attn_implementation": "eager",
}
# The wavelengths of a head of 8: two are kept, one is mixed and one stretched.
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 10_000.0,
    "factor": 4.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
EXPERTS = {"num_experts": 5, "num_experts_per_tok": 2, "moe_intermediate_size": 20}
# Each class of transformers that is read, and what is turned on in it.
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("Llama", {"tie_word_embeddings": False, "head_dim": 8}),
    "llama3": ("Llama", {"tie_word_embeddings": True, "head_dim": 8, "rope_parameters": LLAMA3}),
    "mistral": ("Mistral", {"sliding_window": None}),
    # As long as the texts here.
    "mistral_window": ("Mistral", {"sliding_window": len(PROMPT) + N_TOKENS}),
    "qwen2": ("Qwen2", {"tie_word_embeddings": True}),
    "qwen3": ("Qwen3", {"head_dim": 10}),
    "qwen3_moe": ("Qwen3Moe", {**EXPERTS, "norm_topk_prob": True}),
    "qwen3_moe_unnormalised": ("Qwen3Moe", {**EXPERTS, "norm_topk_prob": False}),
}


def random_model(kind: str, seed: int = 0) -> Any:
    """A model of transformers whose every part matters: large weights, norms that are not 1."""
    name, changes = MODELS[kind]
    config = getattr(transformers, f"{name}Config")(**{**SHAPE, **changes})
    model = getattr(transformers, f"{name}ForCausalLM")(config).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            noise = torch.randn(weight.shape, generator=generator)
            weight.copy_(1.0 + 0.1 * noise if weight.dim() == 1 else 0.3 * noise)
    return model


def loaded(path: Path) -> Any:
    """The model of a folder as `AutoModelForCausalLM` loads it, to compute in float32."""
    return transformers.AutoModelForCausalLM.from_pretrained(
        path, dtype=torch.float32, attn_implementation="eager"
    )


@torch.no_grad()
def logits_of(model: Any, ids: list[int]) -> torch.Tensor:
    logits: torch.Tensor = model(torch.tensor([ids])).logits[0]
    return logits


def greedy_ids(model: Any, prompt: list[int], n_tokens: int) -> list[int]:
    ids = list(prompt)
    for _ in range(n_tokens):
        ids.append(int(logits_of(model, ids)[-1].argmax()))
    return ids[len(prompt) :]


def assert_same(path: Path, model: Any) -> None:
    """The logits of gollm's model are those of transformers', and so are the greedy tokens."""
    expected, ids = logits_of(model, PROMPT), greedy_ids(model, PROMPT, N_TOKENS)
    for device in ["reference", "cpu"]:
        rust = gollm().Model.load(str(path), device)
        found = torch.from_numpy(rust.logits(PROMPT))
        torch.testing.assert_close(found, expected, rtol=0, atol=LOGITS_ATOL)
        assert rust.generate_ids(PROMPT, N_TOKENS, ignore_end_of_text=True) == ids


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(binary()), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)


@pytest.mark.parametrize("kind", MODELS)
def test_a_model_of_transformers_computes_the_same(tmp_path: Path, kind: str) -> None:
    model = random_model(kind)
    model.save_pretrained(tmp_path)
    assert_same(tmp_path, model)


def test_a_window_of_attention_is_as_long_as_the_context(tmp_path: Path) -> None:
    random_model("mistral_window").save_pretrained(tmp_path)
    window = len(PROMPT) + N_TOKENS
    rust = gollm().Model.load(str(tmp_path))
    assert rust.config["context_length"] == window
    # With one token more the first would be out of sight.
    with pytest.raises(ValueError, match=f"0 of {window} tokens and has no room"):
        rust.logits([1] * (window + 1))
    shown = run("inspect", str(tmp_path)).stdout
    assert f"the context is {window} of {SHAPE['max_position_embeddings']} tokens" in shown


@pytest.mark.parametrize("kind", ["llama", "qwen3_moe"])
def test_so_does_one_in_many_files(tmp_path: Path, kind: str) -> None:
    model = random_model(kind)
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 2
    assert_same(tmp_path, model)


@pytest.mark.parametrize("kind", ["llama3", "qwen2"])
def test_so_does_one_in_bf16(tmp_path: Path, kind: str) -> None:
    model = random_model(kind).bfloat16()
    model.save_pretrained(tmp_path)
    assert gollm().Model.load(str(tmp_path)).config["dtype"] == "bf16"
    # Stored in 16 bits, computed with in 32; `float()` would not bring RoPE's frequencies back.
    assert_same(tmp_path, loaded(tmp_path))


def test_the_keys_of_transformers_4_say_the_same(tmp_path: Path) -> None:
    model = random_model("llama3")
    model.save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    config = json.loads(path.read_text())
    scaling = config.pop("rope_parameters")
    config["rope_theta"] = scaling.pop("rope_theta")
    config["rope_scaling"] = scaling
    config["torch_dtype"] = config.pop("dtype")
    path.write_text(json.dumps(config))
    assert_same(tmp_path, model)


# Mistral comes back as Llama, which computes the same.
@pytest.mark.parametrize("kind", [kind for kind in MODELS if "mistral" not in kind])
def test_a_model_goes_to_gollm_and_back_to_transformers(tmp_path: Path, kind: str) -> None:
    model = random_model(kind)
    there, own, back = tmp_path / "there", tmp_path / "model.gollm", tmp_path / "back"
    model.save_pretrained(there)
    run("convert", str(there), str(own))
    run("convert", str(own), f"{back}/")
    again = loaded(back)
    assert type(again) is type(model)
    assert torch.equal(logits_of(again, PROMPT), logits_of(model, PROMPT))


def test_a_large_model_is_written_as_many_files(tmp_path: Path) -> None:
    model = random_model("llama")
    there, back = tmp_path / "there", tmp_path / "back"
    model.save_pretrained(there)
    run("convert", str(there), f"{back}/", "--max-shard-size", "20kB")
    assert len(list(back.glob("model-*.safetensors"))) > 2
    assert torch.equal(logits_of(loaded(back), PROMPT), logits_of(model, PROMPT))


def test_the_embedded_model_writes_the_same_in_transformers(tmp_path: Path) -> None:
    own, there = TEST_DATA / "gollm-stories.gollm", tmp_path / "stories"
    run("convert", str(own), f"{there}/")
    tokenizer = transformers.AutoTokenizer.from_pretrained(there)
    model = loaded(there)
    prompt = "Once upon a time"
    ids = tokenizer(prompt, return_tensors="pt").input_ids
    continued = model.generate(ids, do_sample=False, max_new_tokens=200)[0]
    text = tokenizer.decode(continued[ids.shape[1] :], skip_special_tokens=True)
    answer = run("generate", "-m", str(own), "--temp", "0", "-n", "200", prompt).stdout
    assert isinstance(text, str)
    assert text.rstrip("\n") == answer.rstrip("\n")
    # And what was written is read here as the same model.
    assert run("generate", "-m", str(there), "--temp", "0", "-n", "200", prompt).stdout == answer
    assert "ok" in run("verify", str(there)).stdout
