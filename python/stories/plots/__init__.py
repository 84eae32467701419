"""The plots: one file each, a table of what can happen and a function of beats."""

from __future__ import annotations

from . import animal_rescue, fear_overcome, learning_a_skill, lost_and_found, mended, new_friend, sharing
from .plot import Plot

PLOTS: tuple[Plot, ...] = (
    lost_and_found.PLOT,
    sharing.PLOT,
    fear_overcome.PLOT,
    mended.PLOT,
    new_friend.PLOT,
    animal_rescue.PLOT,
    learning_a_skill.PLOT,
)

__all__ = ["PLOTS", "Plot"]
