"""What the parity tests share: a PyTorch model with the weights of a `.gollm` file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from config import model_config
from gollm_module import gollm
from model import Decoder

# The bound of design and docs for a whole float32 model: absolute, on logits of size 1 to 20.
LOGITS_ATOL = 1e-4


def torch_twin(path: Path) -> tuple[Any, Decoder]:
    """The file's model in Rust and in PyTorch, on the same stored weights."""
    rust = gollm().Model.load(str(path))
    decoder = Decoder(model_config(rust.config)).eval()
    weights = {name: torch.from_numpy(rust.tensor(name)) for name in rust.tensor_names}
    decoder.load_state_dict(weights)
    return rust, decoder


@torch.no_grad()
def torch_logits(model: Decoder, ids: list[int]) -> torch.Tensor:
    """The logits after each id, `[n_tokens, vocab_size]`."""
    logits: torch.Tensor = model(torch.tensor([ids]))[0]
    return logits
