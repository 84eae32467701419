"""Checkpoints that survive a kill at any moment.

A run's folder holds `step-00000400/` folders, each a whole checkpoint:

- `model.safetensors`: the weights, under the names of `model.py`;
- `state.pt`: the optimizer's state and PyTorch's generator, read back with
  `weights_only=True`, so that loading a checkpoint cannot run code;
- `meta.json`: the step, the configuration and the provenance;
- `tokenizer.json`: the tokenizer that the run trained with.

A checkpoint is written to a folder with another name, flushed to the disk and then renamed,
which is one indivisible operation: a folder called `step-…` is complete or is not there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

VERSION = 1
STEP_FOLDER = re.compile(r"^step-(\d{8})$")


class CheckpointError(RuntimeError):
    """A checkpoint that cannot be used; the message says why and what to do."""


@dataclass
class Checkpoint:
    """Everything that a run needs to go on as if it had not stopped."""

    weights: dict[str, Any]
    """Parameter name to tensor."""
    optimizer: dict[str, Any]
    random_state: Tensor
    meta: dict[str, Any]
    tokenizer_json: str


def write_atomically(path: Path, data: bytes) -> None:
    """Replaces a file so that a reader (or a power cut) sees the old one or the new one whole."""
    temporary = path.with_name(path.name + ".tmp")
    with open(temporary, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    _flush_folder(path.parent)


def save_checkpoint(run: Path, step: int, checkpoint: Checkpoint, keep: int = 2) -> Path:
    """Writes the checkpoint of `step` and removes all but the `keep` newest ones."""
    folder = run / f"step-{step:08d}"
    if folder.exists():
        return folder  # the same step of the same run: the same numbers
    temporary = run / f"step-{step:08d}.tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    weights = {name: tensor.contiguous() for name, tensor in checkpoint.weights.items()}
    save_file(weights, temporary / "model.safetensors")
    state = {"optimizer": checkpoint.optimizer, "random_state": checkpoint.random_state}
    torch.save(state, temporary / "state.pt")
    meta = json.dumps({"version": VERSION, **checkpoint.meta}, indent=2) + "\n"
    (temporary / "meta.json").write_text(meta, encoding="utf-8")
    (temporary / "tokenizer.json").write_text(checkpoint.tokenizer_json, encoding="utf-8")
    for file in temporary.iterdir():
        with open(file, "rb+") as handle:
            os.fsync(handle.fileno())
    _flush_folder(temporary)
    os.replace(temporary, folder)
    _flush_folder(run)
    for old in checkpoints(run)[:-keep]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def checkpoints(run: Path) -> list[Path]:
    """The complete checkpoints in a run's folder, oldest first."""
    if not run.is_dir():
        return []
    return sorted(path for path in run.iterdir() if STEP_FOLDER.match(path.name))


def find_checkpoint(path: Path) -> Path:
    """The checkpoint meant by `path`: that folder itself, or the newest one of a run."""
    if (path / "meta.json").is_file():
        return path
    found = checkpoints(path)
    if not found:
        raise CheckpointError(
            f"{path}: no checkpoint here (a folder `step-…` or one that holds some); "
            f"train one with `python train.py --out {path}`"
        )
    return found[-1]


def load_meta(folder: Path) -> dict[str, Any]:
    """Reads and checks a checkpoint's `meta.json`."""
    try:
        meta: dict[str, Any] = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{folder / 'meta.json'}: cannot be read: {error}") from error
    if meta.get("version") != VERSION:
        raise CheckpointError(
            f"{folder}: checkpoint version {meta.get('version')}, this train.py reads {VERSION}"
        )
    return meta


def load_weights(folder: Path) -> dict[str, Tensor]:
    """Reads a checkpoint's weights, on the CPU."""
    try:
        return load_file(folder / "model.safetensors")
    except Exception as error:  # safetensors raises its own type for a damaged file
        raise CheckpointError(f"{folder / 'model.safetensors'}: {error}") from error


def load_checkpoint(folder: Path) -> Checkpoint:
    """Reads a whole checkpoint, on the CPU."""
    meta = load_meta(folder)
    try:
        state = torch.load(folder / "state.pt", map_location="cpu", weights_only=True)
        tokenizer_json = (folder / "tokenizer.json").read_text(encoding="utf-8")
    except Exception as error:  # torch raises several types for a damaged file
        raise CheckpointError(f"{folder}: cannot be read: {error}") from error
    return Checkpoint(
        load_weights(folder), state["optimizer"], state["random_state"], meta, tokenizer_json
    )


def _flush_folder(folder: Path) -> None:
    """Makes a rename in `folder` last through a power cut, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
