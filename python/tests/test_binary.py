"""The `gollm` binary writes what PyTorch computes: the last link of the path."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from parity import torch_twin

from goldens import TEST_DATA

REPOSITORY = TEST_DATA.parent
N_TOKENS = 200


def binary() -> Path:
    """The binary that `make test-python` builds first; GOLLM_BINARY names another."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    path = Path(os.environ.get("GOLLM_BINARY", target / "debug" / "gollm"))
    if not path.is_file():
        pytest.fail(f"{path} is not there: run `cargo build --bin gollm` first")
    return path


def generate(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(binary()), "generate", "--temp", "0", *arguments, "Once upon a time"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)


def test_two_hundred_greedy_tokens_of_the_binary_are_pytorch_s() -> None:
    rust, model = torch_twin(TEST_DATA / "gollm-stories.gollm")
    begin = rust.tokenizer.special_id("<|begin_of_text|>")
    prompt = [begin, *(int(i) for i in rust.tokenizer.encode("Once upon a time"))]
    answer = json.loads(generate("--json", "--ignore-eos", "-n", str(N_TOKENS)).stdout)
    assert len(answer["ids"]) == N_TOKENS
    assert answer["ids"] == model.generate(prompt, N_TOKENS)


def test_the_binary_and_the_module_write_the_same_text() -> None:
    rust, _ = torch_twin(TEST_DATA / "gollm-stories.gollm")
    text = rust.generate("Once upon a time", max_tokens=60, temperature=0.0)
    assert generate("-n", "60").stdout.rstrip("\n") == text


def test_the_default_model_is_the_embedded_one() -> None:
    path = str(TEST_DATA / "gollm-stories.gollm")
    assert generate("-n", "20").stdout == generate("-n", "20", "-m", path).stdout
