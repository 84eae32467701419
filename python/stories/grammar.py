"""The few rules of English that a filled-in sentence needs.

Wordings are written as if grammar took care of itself ("a {thing}", a sentence
that starts with a slot); these functions then choose a or an, capital letters
and spaces. Each works on finished text, so that no wording can escape it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# Words that are written with a vowel and spoken with a consonant, or the other way round.
SPOKEN_WITH_CONSONANT = ("one", "once", "uni", "use", "usu", "eu", "ewe")
SPOKEN_WITH_VOWEL = ("hour", "honest", "honor", "heir", "unin", "unim")

_ARTICLE = re.compile(r"\b([Aa])n? (\"?)([A-Za-z]+)")
_SENTENCE_START = re.compile(r"(?:^|\n|(?<!\bMr)(?<!\bMrs)[.!?] |\.\" |\n\n)\"?[a-z]")
_SPACES = re.compile(r" {2,}")
_SPACE_BEFORE_MARK = re.compile(r" +([,.!?;:])")
_STOP_OUTSIDE = re.compile(r"([A-Za-z])\"\.")
_DOUBLE_STOP = re.compile(r"([.!?]\"?)\.")
_SPACES_AT_EDGE = re.compile(r" *\n *")


def takes_an(word: str) -> bool:
    """Says whether the indefinite article before `word` is "an"."""
    word = word.lower()
    if word.startswith(SPOKEN_WITH_VOWEL):
        return True
    if word.startswith(SPOKEN_WITH_CONSONANT):
        return False
    return word[0] in "aeiou"


def article(phrase: str) -> str:
    """Returns the phrase with a or an before it: "apple pie" gives "an apple pie"."""
    return f"{'an' if takes_an(phrase) else 'a'} {phrase}"


def fix_articles(text: str) -> str:
    """Makes every a and an agree with the word that follows."""

    def agree(match: re.Match[str]) -> str:
        first, quote, word = match.groups()
        return f"{first}{'n' if takes_an(word) else ''} {quote}{word}"

    return _ARTICLE.sub(agree, text)


def capitalize_sentences(text: str) -> str:
    """Gives each sentence a capital letter.

    After `!"` and `?"` the next word may belong to the same sentence ("Look!" said
    Mia), so there the wording itself has to write the capital.
    """
    return _SENTENCE_START.sub(lambda match: match.group(0)[:-1] + match.group(0)[-1].upper(), text)


def tidy(text: str) -> str:
    """Applies every rule of this module to a filled-in text."""
    text = _SPACE_BEFORE_MARK.sub(r"\1", _SPACES.sub(" ", text))
    text = _STOP_OUTSIDE.sub(r'\1."', text)
    text = _DOUBLE_STOP.sub(r"\1", text)
    text = _SPACES_AT_EDGE.sub("\n", text).strip()
    return capitalize_sentences(fix_articles(text))


def listing(items: Sequence[str]) -> str:
    """Joins items as a sentence does: "a cup, a spoon and a plate"."""
    if len(items) < 2:
        return "".join(items)
    return ", ".join(items[:-1]) + " and " + items[-1]


def plural(noun: str) -> str:
    """Returns the plural of a regular noun, and of the irregular ones that the stories use."""
    irregular = {"mouse": "mice", "goose": "geese", "child": "children", "leaf": "leaves", "loaf": "loaves"}
    irregular |= {"wolf": "wolves", "foot": "feet", "tooth": "teeth", "sheep": "sheep", "fish": "fish", "deer": "deer"}
    if noun in irregular:
        return irregular[noun]
    if noun.endswith(("s", "x", "z", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"
