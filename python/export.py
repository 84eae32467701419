"""Turns a checkpoint into one `.gollm` file: weights, tokenizer, configuration and provenance.

`python export.py --checkpoint DIR --out FILE [--dtype f32|f16|bf16]`. The file is written by
Rust's one writer (crates/gollm-weights, through the module `gollm`), so that no second
description of the format exists here. docs/format.md describes it.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from checkpoint import CheckpointError, find_checkpoint, load_meta, load_weights
from config import ConfigError, model_config
from gollm_module import GollmMissing, gollm
from provenance import versions

# What the writer stores without a loss that needs measuring first; quantizing is Rust's work.
STORED = ("f32", "f16", "bf16")


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit code: 0, 1 failed, 2 usage."""
    parser = argparse.ArgumentParser(prog="export.py", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--checkpoint", type=Path, required=True, help="a run's folder, or one checkpoint in it"
    )
    parser.add_argument("--out", type=Path, required=True, help="the file to write, *.gollm")
    parser.add_argument("--dtype", choices=STORED, help="stored type (default: the config's)")
    parsed = parser.parse_args(arguments)
    try:
        export(parsed.checkpoint, parsed.out, parsed.dtype)
    except (CheckpointError, ConfigError, GollmMissing) as error:
        print(f"export.py: {error}", file=sys.stderr)
        return 2
    except (OSError, RuntimeError, ValueError) as error:
        print(f"export.py: {parsed.out}: {error}", file=sys.stderr)
        return 1
    size = parsed.out.stat().st_size
    print(f"wrote {parsed.out} ({size:,} bytes)")
    print(f"look inside:  gollm inspect {parsed.out}")
    print(f'let it write: gollm generate -m {parsed.out} "Once upon a time"')
    return 0


def export(checkpoint: Path, out: Path, dtype: str | None = None) -> None:
    """Writes the newest (or the named) checkpoint as a `.gollm` file, atomically."""
    folder = find_checkpoint(checkpoint)
    meta = load_meta(folder)
    config = model_config(meta["model"])
    stored = dtype or config.dtype
    if stored not in STORED:
        raise ConfigError(f"the config's dtype is {stored}: give --dtype {' or '.join(STORED)}")
    weights = load_weights(folder)
    tensors: dict[str, npt.NDArray[np.float32]] = {
        name: tensor.float().numpy() for name, tensor in weights.items()
    }
    tokenizer = (folder / "tokenizer.json").read_text(encoding="utf-8")
    gollm().write_model(
        str(out),
        json.dumps({**config.to_dict(), "dtype": stored}),
        tensors,
        stored,
        tokenizer_json=tokenizer,
        chat_template=None,
        provenance_json=json.dumps(provenance(meta), ensure_ascii=False),
    )


def provenance(meta: dict[str, Any]) -> dict[str, Any]:
    """How the model came to be, as the file's metadata carries it."""
    training = meta["training"]
    tokens = meta["step"] * training["batch_size"] * training["sequence_length"]
    return {
        **meta["provenance"],
        "steps": meta["step"],
        "tokens": tokens,
        "validation_loss": meta["validation_loss"],
        "training": training,
        "exported_with": versions(),
    }


if __name__ == "__main__":
    sys.exit(main())
