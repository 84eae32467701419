"""The plots: one file each, a table of what can happen and a function of beats."""

from __future__ import annotations

from . import (
    animal_rescue,
    apology,
    fear_overcome,
    first_day,
    growing,
    honesty,
    journey,
    learning_a_skill,
    lost_and_found,
    mended,
    mystery_noise,
    new_friend,
    patience,
    promise,
    quarrel,
    race,
    rainy_day,
    sharing,
    sleepless,
    small_hero,
    storm,
    surprise,
    teamwork,
    trading,
    wish,
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
    patience.PLOT,
    honesty.PLOT,
    teamwork.PLOT,
    sleepless.PLOT,
    trading.PLOT,
    small_hero.PLOT,
    wish.PLOT,
    first_day.PLOT,
    race.PLOT,
    rainy_day.PLOT,
    promise.PLOT,
)

__all__ = ["PLOTS", "Plot"]
