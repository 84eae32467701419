"""Names: for children, for animals and for the grown-ups who live near them.

Few on purpose. A model of this size learns who is meant by seeing each name often; with six hundred
names it wrote fine sentences about a different child in each of them (docs/log.md).
"""

from __future__ import annotations


def _names(text: str) -> tuple[str, ...]:
    """Splits at white space; leaves out names in s, whose possessive reads badly."""
    return tuple(name for name in text.split() if not name.endswith("s"))


GIRLS = _names("""
Alice Amy Anna Bella Clara Daisy Ella Emma Eva Fatima Hana Ivy Kira Lena Lily Lucy Luna Maya Mei Mia Mina Nina Nora
Polly Priya Rosa Ruby Sara Sofia Zoe
""")

BOYS = _names("""
Adam Ali Amir Ben Billy Daniel Felix Finn Fred Henry Hugo Ivan Jack Jan Kenji Leo Luca Malik Max Milo Noah Omar Oscar
Otto Peter Ravi Sam Theo Tim Tom
""")

ANIMALS_SHE = _names("""
Amber Bluebell Blossom Clover Coral Cricket Dandelion Dotty Feather Ginger Hazel Honey Maple Minty Misty Nutmeg Pebble
Petal Plum Snowy Sunny Tulip Violet Willow
""")

ANIMALS_HE = _names("""
Barley Basil Biscuit Bumble Buster Cedar Chip Copper Dash Digger Flint Fuzzy Hopper Marble Moss Nibbles Otis Pip Rocky
Rusty Scout Thistle Tumble Woody Ziggy
""")

SURNAMES = _names("""
Archer Baker Bell Berry Brown Chen Cook Fisher Fox Garcia Green Hill Khan Kim King Lake Lopez Moon Novak Okoro Patel
Popov Reed Rossi Sato Snow Stone White Winter Young
""")

AUNTS = _names("Ann Bea Carol Dora Ellen Fay Gloria Hilda Jo Kay Nancy Vera")
UNCLES = _names("Al Bert Dan Ed Gil Ike Ken Moe Nat Pete Rob Stan")
