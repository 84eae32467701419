"""Small children's stories without end, each named by a seed and an index.

`story(seed, index)` is a pure function: story 7 of seed 1 is the same text on every
machine, in every process and in any order of asking, so a data set needs no
download and no shared state. A story is made in three steps: a plot and a cast are
drawn (`plots/`, `cast.py`, `places.py`), the plot tells its beats in one of several
wordings each (`telling.py`, `wording.py`), and grammar is put right (`grammar.py`).

Two splits never share a story. Besides drawing from different seeds, they differ in
what can meet: each pair of a plot and a hero's name belongs to one split for ever
(`is_held_out`), one pair in eight to "validation". A model that only remembers
"Mia learned to swim" gains nothing on a Mia it has never seen swimming.

    python -m stories --seed 1 --count 3
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .cast import Cast, Character, draw_cast, draw_hero, draw_world
from .draws import Draws, fold, mix
from .plots import PLOTS
from .telling import Telling

Split = Literal["train", "validation", "any"]

MIN_WORDS = 100
MAX_WORDS = 260
_SPLIT_CODES = {"train": 1, "validation": 2, "any": 3}


@dataclass(frozen=True)
class Story:
    """A story with what it was made from."""

    text: str
    plot: str
    cast: Cast
    characters: tuple[Character, ...]


def is_held_out(plot: str, name: str) -> bool:
    """Says whether heroes of this name are kept out of the training stories of this plot.

    One pair in eight is held out, by a 64-bit FNV-1a hash of "plot/name", mixed once more.
    """
    state = 0xCBF29CE484222325
    for byte in f"{plot}/{name}".encode():
        state = ((state ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return mix(state) % 8 == 0


def tell_story(seed: int, index: int, split: Split = "train") -> Story:
    """Makes story `index` of `seed` with everything known about it.

    Draws whose text would be too short or too long are told again with the next
    attempt's seed, so every story has `MIN_WORDS` to `MAX_WORDS` words.
    """
    if split not in _SPLIT_CODES:
        raise ValueError(f"split is {split!r}, expected one of {', '.join(_SPLIT_CODES)}")
    attempt = 0
    while True:
        story = _attempt(Draws(fold(seed, index, _SPLIT_CODES[split], attempt)), split)
        if MIN_WORDS <= len(story.text.split()) <= MAX_WORDS:
            return story
        attempt += 1


def _attempt(draws: Draws, split: Split) -> Story:
    """Draws one plot and cast that belong to the split and tells the story."""
    plot = draws.choice(PLOTS)
    world = draw_world(draws, plot.who)
    hero = draw_hero(draws, world)
    while split != "any" and is_held_out(plot.name, hero.name) != (split == "validation"):
        hero = draw_hero(draws, world)
    cast = draw_cast(draws, world, hero)
    telling = Telling(cast, draws)
    plot.tell(telling)
    return Story(telling.text(), plot.name, cast, telling.characters())


def story(seed: int, index: int, split: Split = "train") -> str:
    """Returns story `index` of `seed`."""
    return tell_story(seed, index, split).text


def stories(seed: int, start: int = 0, split: Split = "train") -> Iterator[str]:
    """Yields the stories of `seed` from index `start` on, without end."""
    index = start
    while True:
        yield story(seed, index, split)
        index += 1


__all__ = ["MAX_WORDS", "MIN_WORDS", "Story", "is_held_out", "stories", "story", "tell_story"]
