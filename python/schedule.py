"""The learning rate over a run: a straight warm-up, then half a cosine down.

Source: book appendix D.1 and D.2; Loshchilov & Hutter 2016,
<https://arxiv.org/abs/1608.03983>, eq. 5.
"""

from __future__ import annotations

import math

from config import TrainingConfig


def learning_rate(step: int, config: TrainingConfig) -> float:
    """The rate of optimizer step `step` (the first is 0).

    `peak · (step + 1) / warmup` while warming up (never 0, so that the first step counts), then
    `min + (peak − min) · (1 + cos(π · progress)) / 2`, where progress goes from 0 on the last
    warm-up step to 1 on the last step of the run. Steps after the last one stay at the minimum.
    """
    peak, low = config.learning_rate, config.min_learning_rate
    # A run shorter than its warm-up still ends at its peak rather than never reaching it.
    warmup = min(config.warmup_steps, config.steps)
    if step < warmup:
        return peak * (step + 1) / warmup
    first, last = max(warmup - 1, 0), config.steps - 1
    progress = 1.0 if last <= first else min(1.0, (step - first) / (last - first))
    return low + (peak - low) * 0.5 * (1.0 + math.cos(math.pi * progress))
