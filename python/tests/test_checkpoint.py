"""Checkpoints: whole or absent, and damage is reported in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import tiny_model

from checkpoint import (
    Checkpoint,
    CheckpointError,
    checkpoints,
    find_checkpoint,
    load_checkpoint,
    save_checkpoint,
)


def example(step: int) -> Checkpoint:
    weights: dict[str, Any] = {n: p.detach() for n, p in tiny_model(step).named_parameters()}
    optimizer = {"state": {"tok_emb.weight": {"step": torch.tensor(float(step))}}}
    return Checkpoint(weights, optimizer, torch.get_rng_state(), {"step": step}, '{"kind":"bpe"}')


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    saved = example(7)
    loaded = load_checkpoint(save_checkpoint(tmp_path, 7, saved))
    assert loaded.meta["step"] == 7
    assert loaded.tokenizer_json == saved.tokenizer_json
    assert loaded.optimizer == saved.optimizer
    assert torch.equal(loaded.random_state, saved.random_state)
    assert set(loaded.weights) == set(saved.weights)
    assert all(torch.equal(loaded.weights[name], w) for name, w in saved.weights.items())


def test_only_the_newest_checkpoints_are_kept(tmp_path: Path) -> None:
    for step in (5, 10, 15):
        save_checkpoint(tmp_path, step, example(step))
    assert [path.name for path in checkpoints(tmp_path)] == ["step-00000010", "step-00000015"]
    assert find_checkpoint(tmp_path).name == "step-00000015"


def test_a_half_written_checkpoint_is_not_a_checkpoint(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, 5, example(5))
    half = tmp_path / "step-00000010.tmp"
    half.mkdir()
    (half / "model.safetensors").write_bytes(b"half")
    assert find_checkpoint(tmp_path).name == "step-00000005"
    save_checkpoint(tmp_path, 10, example(10))
    assert load_checkpoint(find_checkpoint(tmp_path)).meta["step"] == 10
    assert not half.exists()


def test_an_empty_folder_says_how_to_train(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no checkpoint here .* `python train\.py --out"):
        find_checkpoint(tmp_path)


@pytest.mark.parametrize("name", ["model.safetensors", "state.pt", "meta.json"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    folder = save_checkpoint(tmp_path, 5, example(5))
    (folder / name).write_bytes(b"\x00 not what it was")
    with pytest.raises(CheckpointError, match="step-00000005"):
        load_checkpoint(folder)


def test_another_version_is_refused(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path, 5, example(5))
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    (folder / "meta.json").write_text(json.dumps({**meta, "version": 2}), encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"version 2, this train\.py reads 1"):
        load_checkpoint(folder)


class Malicious:
    """Pickles into a call of `exec` when it is loaded."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, ("raise SystemExit('code from a checkpoint ran')",)


def test_loading_a_checkpoint_runs_no_code(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path, 5, example(5))
    torch.save({"optimizer": Malicious()}, folder / "state.pt")
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_checkpoint(folder)
