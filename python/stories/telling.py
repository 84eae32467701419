"""The one who tells: holds what is known in a story and writes it down beat by beat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from .cast import Cast, Character
from .draws import Draws
from .grammar import tidy
from .wording import render

T = TypeVar("T")


class Telling:
    """A story in the making: its cast, its slots, its draws and the paragraphs so far."""

    def __init__(self, cast: Cast, draws: Draws) -> None:
        self.cast = cast
        self.draws = draws
        self.scope: dict[str, object] = {}
        self._paragraphs: list[list[str]] = [[]]
        self.bind(h=cast.hero, f=cast.friend, p=cast.parent, e=cast.elder, home=cast.home)

    def bind(self, **slots: object) -> None:
        """Gives slots their values; text may itself be a wording and is filled in when used."""
        self.scope.update(slots)

    def characters(self) -> tuple[Character, ...]:
        """Returns every character that a slot of this story names, each once."""
        found: list[Character] = []
        for value in self.scope.values():
            if isinstance(value, Character) and value not in found:
                found.append(value)
        return tuple(found)

    def fix(self, **slots: str) -> None:
        """Fills in wordings once, so that the slots give the same words each time."""
        for name, wording in slots.items():
            self.scope[name] = render(wording, self.scope, self.draws)

    def introduce(self, slot: str) -> None:
        """Gives the slot `intro` the words of the first mention of the character in `slot`."""
        friend = self.scope[slot] is self.cast.friend
        self.bind(intro="{h.his} friend {f.named}" if friend else f"{{{slot}}}")

    def pick(self, rows: Sequence[T]) -> T:
        """Draws one row of a table."""
        return self.draws.choice(rows)

    def tell(self, *wordings: str) -> None:
        """Writes one of the wordings into the current paragraph."""
        self._paragraphs[-1].append(render(self.draws.choice(wordings), self.scope, self.draws))

    def maybe(self, percent: int, *wordings: str) -> None:
        """Writes one of the wordings in `percent` of 100 stories, and nothing in the others."""
        if self.draws.chance(percent):
            self.tell(*wordings)

    def has_said(self, words: str) -> bool:
        """Says whether the words stand in the story so far."""
        return any(words in beat for beats in self._paragraphs for beat in beats)

    def paragraph(self) -> None:
        """Starts a new paragraph."""
        if self._paragraphs[-1]:
            self._paragraphs.append([])

    def text(self) -> str:
        """Returns the story so far with spaces, articles and capitals put right."""
        return "\n\n".join(tidy(" ".join(beats)) for beats in self._paragraphs if beats)
