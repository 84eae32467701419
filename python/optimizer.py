"""AdamW with the decay on matrices only.

Source: book appendix D; Loshchilov & Hutter 2019, <https://arxiv.org/abs/1711.05101>.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from config import TrainingConfig


def decay_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Splits the parameters into those that decay and those that do not.

    Decaying: every weight with two dimensions, the table of embeddings among them. The table
    decays because in a tied model it is also the output head, a matrix like any other; an
    untied model keeps the same rule, so that tying changes one thing and not two. Norm weights
    do not: pulling a scale towards 0 is not a simpler model but a quieter one.
    """
    decaying = [p for p in model.parameters() if p.requires_grad and p.dim() >= 2]
    others = [p for p in model.parameters() if p.requires_grad and p.dim() < 2]
    return [
        {"params": decaying, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]


def make_optimizer(model: nn.Module, config: TrainingConfig) -> torch.optim.AdamW:
    """AdamW over `decay_groups`, in the fused form (one pass over each weight per step)."""
    return torch.optim.AdamW(
        decay_groups(model, config.weight_decay),
        lr=config.learning_rate,
        betas=(config.beta1, config.beta2),
        eps=config.adam_eps,
        fused=True,
    )


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Gives every group the same rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate
