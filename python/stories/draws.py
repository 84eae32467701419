"""A small generator of random draws whose sequence never changes.

Python's `random` module may change the sequences behind `choice` and `sample`
between versions, and a story must stay the same story for ever: the training
data is named by a seed and nothing else. The generator is splitmix64.

Source: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number
generators", and Vigna's reference code <https://prng.di.unimi.it/splitmix64.c>.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

MASK = (1 << 64) - 1
GOLDEN_GAMMA = 0x9E3779B97F4A7C15


def mix(state: int) -> int:
    """Returns the splitmix64 output for one 64-bit state."""
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & MASK
    return state ^ (state >> 31)


def fold(*numbers: int) -> int:
    """Folds several integers (of any size and sign) into one 64-bit seed, order mattering."""
    state = 0
    for number in numbers:
        state = mix((state + GOLDEN_GAMMA + (number & MASK)) & MASK)
    return state


class Draws:
    """Random draws from one seed; equal seeds give equal draws on every platform."""

    def __init__(self, seed: int) -> None:
        self._state = seed & MASK

    def next(self) -> int:
        """Returns the next 64-bit number."""
        self._state = (self._state + GOLDEN_GAMMA) & MASK
        return mix(self._state)

    def below(self, n: int) -> int:
        """Returns a number in `0 .. n - 1`; the bias is below n / 2^64."""
        return (self.next() * n) >> 64

    def chance(self, percent: int) -> bool:
        """Returns True in `percent` of 100 calls."""
        return self.below(100) < percent

    def choice(self, items: Sequence[T]) -> T:
        """Returns one of the items, each equally likely."""
        return items[self.below(len(items))]

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """Returns `count` different positions' items in random order (all of them if there are fewer)."""
        pool = list(items)
        count = min(count, len(pool))
        for i in range(count):
            j = i + self.below(len(pool) - i)
            pool[i], pool[j] = pool[j], pool[i]
        return pool[:count]
