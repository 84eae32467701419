"""The one place that imports `gollm`, the Rust side as a Python module (crates/gollm-py)."""

from __future__ import annotations

import importlib
from typing import Any

MISSING = (
    "the Python module `gollm` is not installed: "
    "run `make python` at the root of the repository (creates .venv with everything)"
)


class GollmMissing(RuntimeError):
    """`gollm` cannot be imported; the message says how to build it."""


def gollm() -> Any:
    """The module `gollm`. Raises `GollmMissing` where it has not been built."""
    try:
        return importlib.import_module("gollm")
    except ImportError as error:
        raise GollmMissing(f"{MISSING} ({error})") from None
