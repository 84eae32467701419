"""How a model came to be: kept in each checkpoint and carried into the exported file.

No dates and no machine names: the same run on another day writes the same bytes.
"""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path
from typing import Any

import numpy
import torch

REPOSITORY = Path(__file__).resolve().parent.parent


def versions() -> dict[str, str]:
    """The versions that may change a number."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
    }


def git_commit() -> str | None:
    """The commit of this repository, with `-dirty` where files differ; null without git."""
    try:
        head = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return head + ("-dirty" if changed else "")


def describe_run(
    config_name: str, seed: int, data: dict[str, Any], world_size: int
) -> dict[str, Any]:
    """What is known when a run starts; the step and the losses are added as it goes."""
    return {
        "trainer": "python/train.py",
        "config": config_name,
        "seed": seed,
        "data": data,
        "processes": world_size,
        "git_commit": git_commit(),
        "versions": versions(),
    }


def _git(*arguments: str) -> str:
    result = subprocess.run(
        ["git", *arguments], cwd=REPOSITORY, check=True, capture_output=True, text=True, timeout=10
    )
    return result.stdout.strip()
