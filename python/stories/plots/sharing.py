"""Someone has a treat and someone has none; what is shared comes back."""

from __future__ import annotations

from typing import NamedTuple

from ..beats import close_story, open_story
from ..telling import Telling
from .plot import Plot

# What can be broken or cut in two, with the adjectives that suit it.
TREATS = (
    ("honey cake", "sticky, sweet, golden, warm"), ("cheese sandwich", "big, fresh, thick"),
    ("blueberry muffin", "soft, warm, big"), ("apple", "red, crisp, juicy, shiny"), ("pear", "ripe, yellow, juicy"),
    ("ginger cookie", "big, crunchy, spicy"), ("cinnamon roll", "warm, sticky, soft"),
    ("carrot cake", "little, sweet, moist"), ("peach", "ripe, fuzzy, juicy"), ("pretzel", "salty, twisted, warm"),
    ("pancake", "round, golden, fluffy"), ("raisin bun", "soft, fresh, warm"), ("banana", "ripe, yellow, sweet"),
    ("oatcake", "crisp, round, golden"), ("cherry tart", "shiny, red, sweet"), ("plum pie", "little, warm, purple"),
    ("jam tart", "sweet, red, tiny"), ("corn cake", "yellow, warm, buttery"), ("berry pie", "warm, juicy, little"),
    ("rice cake", "white, soft, round"), ("chocolate cookie", "dark, big, chewy"), ("nut loaf", "brown, crusty, small"),
    ("melon", "round, green, cool"), ("orange", "big, sweet, round"), ("waffle", "crisp, golden, buttery"),
    ("potato pie", "hot, creamy, little"), ("lemon cake", "soft, yellow, fluffy"), ("mango", "ripe, sweet, golden"),
    ("seed roll", "crunchy, fresh, round"), ("strawberry bun", "pink, sweet, fluffy"),
    ("date bar", "sticky, brown, chewy"), ("coconut biscuit", "crumbly, white, crunchy"),
)  # fmt: skip
WHY_NONE = (
    "{f.His} lunch had fallen into a puddle",
    "{f.He} had left {f.his} lunch at home on the table",
    "{f.He} had given {f.his} lunch to a hungry little bird",
    "A gust of wind had blown {f.his} snack into the mud",
    "{f.He} had been in such a hurry that {f.he} forgot to bring anything to eat",
    "{f.He} had walked a long way and had eaten nothing all day",
    "There had been nothing left in the cupboard that morning",
)


class Return(NamedTuple):
    """How the kindness comes back: what happens to the hero, and what the friend has."""

    trouble: str
    help: str


RETURNS = (
    Return("On the way home, it began to rain, and {h} had nothing to keep {h.him} dry",
           "{f} had [a big umbrella|a wide leaf|a long raincoat], and there was room for two under it"),
    Return("Later, the sun grew hot, and {h} felt very thirsty",
           "{f} had a bottle of cool water. {f.He} drank one half and gave {h} the other half"),
    Return("Later, a cold wind began to blow, and {h} shivered",
           "{f} had a very long scarf. It was long enough for two, so they wrapped it around both of them"),
    Return("On the way home, {h} tripped over a root and bumped {h.his} knee",
           "{f} helped {h.him} up, tied a clean handkerchief around the knee and walked slowly beside {h.him}"),
    Return("They played so long that the path home grew dark",
           "{f} had a little lantern. {f.He} held it up high, so that both of them could see the way"),
    Return("The next day, {h} wanted to [paint a picture|draw a rainbow], but {h.his} blue paint was used up",
           "{f} came with a whole pot of blue paint. \"Let us use it together,\" {f.he} said"),
    Return("The next week, {h} was in bed with a cold and felt lonely",
           "{f} came with a bowl of hot soup and two spoons. They ate and laughed until {h} felt better"),
    Return("Later, {h} had to carry a heavy basket home, and {h.his} arms grew tired",
           "{f} took one handle, and {h} took the other. With two, the basket was light"),
)  # fmt: skip


def tell(t: Telling) -> None:
    """Tells the plot."""
    noun, adjectives = t.pick(TREATS)
    adjective = t.pick(adjectives.split(", "))
    back = t.pick(RETURNS)
    t.bind(treat=f"{adjective} {noun}", noun=noun, place=t.pick(t.cast.outdoors), trouble=back.trouble, help=back.help)
    t.fix(why=t.pick(WHY_NONE))
    open_story(
        t,
        "{h} loved to eat [good things|sweet things|tasty things], and most of all {h.he} loved a {treat}.",
        "{h} was always hungry, and {h.his} favorite food was a {treat}.",
        "",
    )
    t.paragraph()
    t.tell(
        "{when}, {p} gave {h} a {treat}. {h} carried it to {place} and sat down to eat.",
        '{when}, {p} made a {treat} just for {h}. "Enjoy it," said {p}. {h} took it to {place}.',
        "{when}, {h} packed a {treat} and <went> to {place}. [{h.His} mouth watered.|It smelled wonderful.|{h.He} could hardly wait to taste it.]",
    )
    t.tell(
        "There {h.he} saw {h.his} friend {f.named}. {f} looked at the {noun} and sighed. {why}.",
        "{h.His} friend {f.named} was there too, and {f.he} looked <sad>. {why}.",
        "Soon {h.his} friend {f.named} sat down next to {h.him}. {f} had nothing to eat. {why}.",
    )
    t.paragraph()
    _share(t)


def _share(t: Telling) -> None:
    """The hero hesitates and shares, and the kindness comes back."""
    t.tell(
        "{h} looked at the {noun}. It was not very big. \"If I share it, there will be less for me,\" {h.he} thought. But then {h.he} heard {f.s} tummy rumble.",
        "{h} held the {noun} tight. {h.He} wanted to eat it all. But {f} looked so hungry that {h} could not take one bite.",
        "At first {h} turned away, because {h.he} wanted every crumb. Then {h.he} thought, \"How would I feel if I had nothing?\"",
    )
    t.tell(
        'So {h} [broke|cut|split] the {noun} in two and gave {f} the bigger half. "This is for you," {h.he} said.',
        '"Here, take half," said {h}, and {h.he} [broke|divided|split] the {noun} into two parts.',
        "{h} smiled and made two equal parts. \"One for you and one for me,\" {h.he} said.",
    )
    t.tell(
        "{f.s} eyes [shone|lit up|grew wide]. \"Thank you, {h}!\" {f.he} <cried>. They ate side by side, and the {noun} tasted better than ever.",
        '"That is so kind of you!" said {f}. They sat together and ate slowly, and every bite was <delicious>.',
        "{f} <smiled>. The two friends ate and talked and laughed together until the last crumb was gone.",
    )
    t.paragraph()
    t.tell("{trouble}. But {help}.", "{trouble}. {h} did not know what to do, but {help}.")
    t.maybe(60, '"You shared with me, and now I share with you," said {f}.', '"Friends share," said {f} with a smile.',
            '"You helped me when I was hungry," said {f}. "Now it is my turn."')
    close_story(
        t,
        "{h} learned that [sharing makes everything better|a thing that is shared is twice as sweet|kindness always finds its way back].",
        "{h} was glad that {h.he} had shared.",
        "From that day on, {h} and {f} shared everything, [big and small|the good days and the rainy ones].",
        '"Half a {noun} and a whole friend," {h} thought. "That is much better than a whole {noun} alone."',
        percent=40,
    )  # fmt: skip


PLOT = Plot("sharing", "any", tell)
