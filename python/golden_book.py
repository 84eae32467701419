"""Small worked examples of single operations, as PyTorch computes them: `goldens/book.json`.

The book's own GPT parts (LayerNorm, GELU), the loss, and the parts that LLaMA puts in their
place. Inputs are random float32 numbers; each is written so that reading it gives the same bits.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from config import ModelConfig, RopeScaling
from model import apply_rope, rope_frequencies, rope_tables

SEED = 1
LLAMA3 = RopeScaling(8.0, 1.0, 4.0, 8192)
LLAMA3_POSITIONS = (0, 1, 100, 8191)


def book_examples() -> dict[str, Any]:
    """Every example, by name; shapes stand beside the numbers."""
    generator = torch.Generator().manual_seed(SEED)

    def random(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    x, scale, shift = 2.0 * random(3, 7) + 0.5, 1.0 + 0.2 * random(7), 0.2 * random(7)
    gate, up = random(2, 5), random(2, 5)
    logits, targets = 3.0 * random(4, 11), [3, 0, 10, 7]
    loss = F.cross_entropy(logits, torch.tensor(targets))
    head = random(4, 6)
    cos, sin = rope_tables(ModelConfig(2, 8, 6, 1, 1, 1, 1))
    return {
        "seed": SEED,
        # Book section 4.2 (`LayerNorm`): biased variance.
        "layer_norm": {
            "x": numbers(x),
            "scale": numbers(scale),
            "shift": numbers(shift),
            "eps": 1e-5,
            "y": numbers(F.layer_norm(x, (7,), scale, shift, 1e-5)),
        },
        # Book section 4.3 (`GELU`): the tanh form.
        "gelu": {"x": numbers(x), "y": numbers(F.gelu(x, approximate="tanh"))},
        "rms_norm": {
            "x": numbers(x),
            "weight": numbers(scale),
            "eps": 1e-5,
            "y": numbers(F.rms_norm(x, (7,), scale, 1e-5)),
        },
        "swiglu": {"gate": numbers(gate), "up": numbers(up), "y": numbers(F.silu(gate) * up)},
        "softmax": {"x": numbers(logits), "y": numbers(torch.softmax(logits, dim=-1))},
        # Book section 5.1.2: nats per token, and its exponential.
        "cross_entropy": {
            "logits": numbers(logits),
            "targets": targets,
            "loss": loss.item(),
            "perplexity": loss.exp().item(),
        },
        # One head's rows at positions 0 to 3, split halves, base 10,000.
        "rope": {"x": numbers(head), "y": numbers(apply_rope(head, cos[:4], sin[:4]))},
        "llama3_rope": llama3_table(),
    }


def llama3_table() -> dict[str, Any]:
    """Llama 3.1's frequencies (float64) and some rows of its tables (float32)."""
    config = ModelConfig(2, 8192, 128, 1, 1, 1, 1, rope_theta=500_000.0, rope_scaling=LLAMA3)
    cos, sin = rope_tables(config)
    rows = list(LLAMA3_POSITIONS)
    return {
        "head_dim": 128,
        "rope_theta": 500_000.0,
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_context_length": 8192,
        "frequencies": rope_frequencies(128, 500_000.0, LLAMA3).tolist(),
        "positions": rows,
        "cos": numbers(cos[rows]),
        "sin": numbers(sin[rows]),
    }


def numbers(x: Tensor) -> dict[str, Any]:
    """A tensor as its shape and its numbers, row by row, with digits enough for float32."""
    return {"shape": list(x.shape), "data": [float(f"{v:.9g}") for v in x.flatten().tolist()]}
