"""Texts that tokenizers disagree about, by a seeded generator."""

from __future__ import annotations

import random

WORDS = (
    "the hen and her chicks went to a river, said: oh no! naïve café Straße ΑΒΓ привет мир "
    "don't I'LL we've you're he'd it'S iPhone HTTPServer snake_case x1 3D Σίσυφος İstanbul ſ'ſ "
    "word's 'tis rock'n'roll o'clock <b> </b> https://a.b/c?d=e#f"
).split()
SPACES = [
    "  ",
    "   ",
    "\t",
    "\n",
    "\n\n",
    "\r\n",
    " \n ",
    "\n  ",
    "\u00a0",
    "\u2003",
    "\u3000",
    "\u0085",
]
DIGITS = ["1", "42", "2026", "1234567", "3.14159", "1,000", "٣٤", "Ⅷ", "½", "²", "１２"]
SIGNS = [
    ".",
    "...",
    "!?",
    "--",
    "—",
    "(",
    ")",
    '"',
    "'",
    "’s",
    "/",
    "\\",
    "{}",
    "a/b",
    "$%&",
    "▁",
    "_",
    "~",
]
PICTURES = ["😀", "👩‍🌾", "👨‍👩‍👧‍👦", "🇩🇪", "❤️", "🏽", "\u200d", "\ufe0f", "🐔🐔"]
SCRIPTS = [
    "猫も座る。",
    "你好，世界",
    "안녕하세요",
    "السلام عليكم",
    "שלום",
    "हिन्दी",
    "ไทย",
    "тест",
    "ǅ",
]
MARKS = [
    "e\u0301",
    "a\u0308\u0304",
    "\u0301",
    "q\u0307\u0323",
    "Å",
    "\u212b",
    "ﬁ",
    "가",
    "\u1100\u1161",
    ">\u0338",
]
ODD = [
    "\x00",
    "\x07",
    "\x1b[0m",
    "\x7f",
    "\u0378",
    "\u2029",
    "\ue000",
    "\ufdd0",
    "\U000e0001",
    "\U0010ffff",
    "\ufeff",
]
KINDS = [WORDS, WORDS, WORDS, SPACES, DIGITS, SIGNS, PICTURES, SCRIPTS, MARKS, ODD]


def odd_text(chance: random.Random, marks: list[str]) -> str:
    """One text of up to 24 fragments; `marks` are texts of special or added tokens."""
    parts: list[str] = []
    for _ in range(chance.randrange(24)):
        kind = chance.choice([*KINDS, marks] if marks else KINDS)
        fragment = chance.choice(kind)
        if chance.random() < 0.1:
            fragment *= chance.randrange(2, 12)
        parts.append(fragment)
        if chance.random() < 0.5:
            parts.append(" ")
    return "".join(parts)


def odd_texts(n_texts: int, seed: int, marks: list[str] | None = None) -> list[str]:
    """`n_texts` texts, the same for the same seed."""
    chance = random.Random(seed)
    return [odd_text(chance, marks or []) for _ in range(n_texts)]


def training_lines(n_lines: int, seed: int) -> list[str]:
    """Plainer lines, to learn a vocabulary from."""
    chance = random.Random(seed)
    plain = [WORDS, WORDS, WORDS, WORDS, DIGITS, SIGNS, SCRIPTS, MARKS, PICTURES]
    lines = []
    for _ in range(n_lines):
        words = [chance.choice(chance.choice(plain)) for _ in range(chance.randrange(4, 20))]
        lines.append(" ".join(words))
    return lines
