"""The small language in which the wordings of the stories are written.

- `[a|b|c]` is one of the wordings a, b and c; they may nest, and one may be empty.
- `{name}` is the value of a slot, `{name.part}` an attribute of it. A value that is
  text is itself a wording, so a table row may use slots and choices too.
- `<name>` is one word from the list of that name in `lexicon.py`.

Everything else is text. A wording with a mistake in it (an unknown slot, a missing
bracket) raises `WordingError` with the wording in the message.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from .draws import Draws
from .lexicon import LEXICON


class WordingError(ValueError):
    """A wording that cannot be read or filled in."""


class Slot(NamedTuple):
    """A place to be filled from the scope."""

    name: str
    part: str


class Word(NamedTuple):
    """One word drawn from a list of the lexicon."""

    name: str


class Choice(NamedTuple):
    """Several wordings, of which one is taken."""

    options: tuple[tuple[str | Slot | Word | Choice, ...], ...]


Node = str | Slot | Word | Choice


@cache
def parse(wording: str) -> tuple[Node, ...]:
    """Reads a wording into its nodes."""
    nodes, end = _parse_until(wording, 0, "")
    if end != len(wording):
        raise WordingError(f"unexpected {wording[end]!r} at {end} in {wording!r}")
    return nodes


def _parse_until(text: str, start: int, stops: str) -> tuple[tuple[Node, ...], int]:
    """Reads nodes from `start` up to one of the characters in `stops`; returns them and its place."""
    nodes: list[Node] = []
    plain = start
    i = start
    while i < len(text) and text[i] not in stops:
        character = text[i]
        if character in "[{<":
            if plain < i:
                nodes.append(text[plain:i])
            node, i = _parse_node(text, i)
            nodes.append(node)
            plain = i
        elif character in "]}>":
            raise WordingError(f"unexpected {character!r} at {i} in {text!r}")
        else:
            i += 1
    if plain < i:
        nodes.append(text[plain:i])
    return tuple(nodes), i


def _parse_node(text: str, start: int) -> tuple[Node, int]:
    """Reads the choice, slot or word that opens at `start`; returns it and the place after it."""
    if text[start] == "[":
        options = []
        i = start
        while True:
            nodes, i = _parse_until(text, i + 1, "|]")
            if i == len(text):
                raise WordingError(f"the '[' at {start} is not closed in {text!r}")
            options.append(nodes)
            if text[i] == "]":
                return Choice(tuple(options)), i + 1
    close = text.find("}" if text[start] == "{" else ">", start)
    if close < 0:
        raise WordingError(f"the {text[start]!r} at {start} is not closed in {text!r}")
    inside = text[start + 1 : close]
    if text[start] == "<":
        if inside not in LEXICON:
            raise WordingError(f"no list <{inside}> in lexicon.py; it is used in {text!r}")
        return Word(inside), close + 1
    name, _, part = inside.partition(".")
    return Slot(name, part), close + 1


def render(wording: str, scope: Mapping[str, object], draws: Draws) -> str:
    """Fills in a wording: slots from `scope`, choices and words by `draws`."""
    return _render_nodes(parse(wording), scope, draws, wording)


def _render_nodes(nodes: tuple[Node, ...], scope: Mapping[str, object], draws: Draws, wording: str) -> str:
    """Fills in parsed nodes; `wording` is for the error message only."""
    pieces = []
    for node in nodes:
        if isinstance(node, str):
            pieces.append(node)
        elif isinstance(node, Choice):
            pieces.append(_render_nodes(draws.choice(node.options), scope, draws, wording))
        elif isinstance(node, Word):
            pieces.append(draws.choice(LEXICON[node.name]))
        else:
            if node.name not in scope:
                raise WordingError(f"no slot {{{node.name}}} in this story; it is used in {wording!r}")
            value = scope[node.name]
            if node.part:
                if not hasattr(value, node.part):
                    raise WordingError(f"slot {{{node.name}}} has no part {node.part!r}; it is used in {wording!r}")
                value = getattr(value, node.part)
            text = str(value)
            pieces.append(render(text, scope, draws) if any(mark in text for mark in "[{<") else text)
    return "".join(pieces)
