"""What a plot is: a name, whom it suits, and the function that tells it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..telling import Telling


class Plot(NamedTuple):
    """A plot of the collection. `who` is "child", "animal" or "any"."""

    name: str
    who: str
    tell: Callable[[Telling], None]
