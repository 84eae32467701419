"""The goldens: the manifest describes every file, and PyTorch still computes what they hold."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import golden_text
from golden_book import book_examples
from golden_models import CONFIGS, N_GREEDY, make_golden, pack
from goldens import TEST_DATA
from manifest import Entry, ManifestError, check_manifest, read_manifest, sha256, write_manifest
from model import rope_frequencies
from stories import is_held_out, tell_story

GOLDENS = TEST_DATA / "goldens"


def test_the_manifest_describes_every_file_of_test_data() -> None:
    assert check_manifest(TEST_DATA) >= 3 * len(CONFIGS) + 1


@pytest.mark.parametrize("name", CONFIGS)
def test_pytorch_still_computes_the_layers_of(name: str) -> None:
    stored = json.loads((GOLDENS / f"{name}.json").read_text(encoding="utf-8"))
    data = np.fromfile(GOLDENS / f"{name}.bin", dtype="<f4")
    golden = make_golden(name)
    description, _ = pack(golden)
    assert {**stored, "loss": 0, "smallest_lead": 0} == {
        **description,
        "loss": 0,
        "smallest_lead": 0,
    }
    assert len(stored["greedy"]) == N_GREEDY
    assert stored["loss"] == pytest.approx(golden.loss, rel=1e-6)
    end = 0
    for array in stored["arrays"]:
        assert array["offset"] == end
        end += math.prod(array["shape"])
        ours = golden.arrays[array["name"]]
        theirs = data[array["offset"] : end].reshape(array["shape"])
        # Another CPU or PyTorch may add in another order: float32's last digits.
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)
    assert end == len(data)


def test_the_held_out_text_is_what_the_generator_tells() -> None:
    stored = (TEST_DATA / golden_text.NAME).read_bytes()
    assert stored == golden_text.held_out_stories()
    # Long enough to measure a model on, short enough to be kept beside the code.
    assert 40_000 < len(stored) < 60_000
    told = [
        tell_story(golden_text.SEED, index, "validation") for index in range(golden_text.N_STORIES)
    ]
    assert all(is_held_out(story.plot, story.cast.hero.name) for story in told)


def test_each_part_of_the_llama_3_formula_is_used() -> None:
    config = CONFIGS["llama3_rope"]
    assert config.rope_scaling is not None
    plain = rope_frequencies(config.head_dim, config.rope_theta)
    ratio = rope_frequencies(config.head_dim, config.rope_theta, config.rope_scaling) / plain
    assert ratio[0] == 1.0
    assert ratio[-1] == pytest.approx(1.0 / 8.0)
    assert bool(((ratio > 0.13) & (ratio < 0.99)).any())


def tensor(value: dict[str, Any]) -> torch.Tensor:
    return torch.tensor(value["data"], dtype=torch.float32).reshape(value["shape"])


def test_the_book_s_examples_are_what_the_formulas_say() -> None:
    book = json.loads((GOLDENS / "book.json").read_text(encoding="utf-8"))
    assert book == book_examples() or book.keys() == book_examples().keys()
    norm = {key: tensor(v) for key, v in book["layer_norm"].items() if key != "eps"}
    x = norm["x"].double()
    variance = ((x - x.mean(-1, keepdim=True)) ** 2).mean(-1, keepdim=True)
    y = (x - x.mean(-1, keepdim=True)) / (variance + 1e-5).sqrt() * norm["scale"] + norm["shift"]
    assert torch.allclose(norm["y"].double(), y, atol=1e-6)

    x = tensor(book["gelu"]["x"]).double()
    gelu = 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    assert torch.allclose(tensor(book["gelu"]["y"]).double(), gelu, atol=1e-6)

    entropy = book["cross_entropy"]
    log_probabilities = F.log_softmax(tensor(entropy["logits"]).double(), dim=-1)
    picked = [-log_probabilities[row, t].item() for row, t in enumerate(entropy["targets"])]
    assert entropy["loss"] == pytest.approx(sum(picked) / len(picked), rel=1e-6)
    assert entropy["perplexity"] == pytest.approx(math.exp(entropy["loss"]), rel=1e-6)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.bin").write_bytes(b"abc")
    entry = Entry("a.bin", "make-a", "--now", 3, "tool 1", 'a "note"', sha256(tmp_path / "a.bin"))
    write_manifest(tmp_path, {"a.bin": entry})
    return tmp_path


def test_a_manifest_reads_back_as_it_was_written(folder: Path) -> None:
    entries = read_manifest(folder)
    assert entries["a.bin"].note == 'a "note"'
    before = (folder / "MANIFEST.toml").read_bytes()
    write_manifest(folder, entries)
    assert (folder / "MANIFEST.toml").read_bytes() == before
    assert check_manifest(folder) == 1


def test_a_changed_file_is_reported_with_what_remakes_it(folder: Path) -> None:
    (folder / "a.bin").write_bytes(b"abd")
    with pytest.raises(ManifestError, match=r"a\.bin is not the file recorded.*make-a --now"):
        check_manifest(folder)


def test_a_missing_file_and_one_too_many_are_reported(folder: Path) -> None:
    (folder / "a.bin").rename(folder / "b.bin")
    with pytest.raises(ManifestError) as caught:
        check_manifest(folder)
    assert "a.bin is missing: remake it with make-a --now" in str(caught.value)
    assert "b.bin is not described" in str(caught.value)
