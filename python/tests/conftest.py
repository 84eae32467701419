"""What several test files share: small models, and PyTorch kept to one thread."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from config import ModelConfig
from model import Decoder

TINY = ModelConfig(
    vocab_size=97,
    context_length=32,
    emb_dim=24,
    n_heads=4,
    n_kv_heads=2,
    head_dim=6,
    hidden_dim=37,
    n_layers=3,
)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def tiny_model(seed: int = 0, **changes: object) -> Decoder:
    """A tiny model with weights large enough that every part of it matters.

    The trainer's own start gives every norm the same weight 1, so that a forgotten or misplaced
    one would not show.
    """
    model = Decoder(replace(TINY, **changes))  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            noise = torch.randn(weight.shape, generator=generator)
            weight.copy_(1.0 + 0.1 * noise if weight.dim() == 1 else 0.3 * noise)
    return model
