"""The plots: one file each, a table of what can happen and a function of beats."""

from __future__ import annotations

from . import (
    animal_rescue,
    apology,
    fear_overcome,
    growing,
    journey,
    learning_a_skill,
    lost_and_found,
    mended,
    mystery_noise,
    new_friend,
    quarrel,
    sharing,
    storm,
    surprise,
)
from .plot import Plot

PLOTS: tuple[Plot, ...] = (
    lost_and_found.PLOT,
    sharing.PLOT,
    fear_overcome.PLOT,
    mended.PLOT,
    new_friend.PLOT,
    animal_rescue.PLOT,
    learning_a_skill.PLOT,
    surprise.PLOT,
    apology.PLOT,
    storm.PLOT,
    growing.PLOT,
    journey.PLOT,
    quarrel.PLOT,
    mystery_noise.PLOT,
)

__all__ = ["PLOTS", "Plot"]
