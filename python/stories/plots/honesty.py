"""Something valuable is found; keeping it would be easy, and giving it back feels better."""

from __future__ import annotations

from typing import NamedTuple

from ..beats import close_story, open_story
from ..telling import Telling
from .plot import Plot


class Find(NamedTuple):
    """What is found, why the hero would like to keep it, what it means to the owner."""

    thing: str
    noun: str
    dream: str
    meaning: str


FINDS = (
    Find("a small purse full of coins", "purse", "buy all the candy in the shop", "It was all the money for the winter wood"),
    Find("a golden ring with a blue stone", "ring", "wear it and feel like a queen or a king", "It had belonged to {o.his} mother"),
    Find("a silver pocket watch", "watch", "listen to it tick every night", "It had sailed around the world three times in the pocket of {o.his} grandfather" ),
    Find("a pair of shiny new skates", "skates", "glide over the ice like a bird", "{o.He} had saved for them for a whole year"),
    Find("a beautiful doll with real hair", "doll", "have tea parties with it", "It was meant for a sick child in the next village"),
    Find("a spyglass with a brass lid", "spyglass", "see the mountains on the moon", "Without it, {o.he} could not watch {o.his} beloved birds"),
    Find("a box of the finest paints", "paints", "paint every wall in the house", "{o.He} needed them to finish a picture for the town hall"),
    Find("a bracelet with tiny bells", "bracelet", "dance and jingle all day long", "{o.His} best friend had given it to {o.him} before going away"),
    Find("a big red ball with golden stars", "ball", "kick it up to the clouds", "It was a birthday present that had not even been given yet"),
    Find("a fat book with pictures of dragons", "book", "read it from the first page to the last", "It came from a library far away and had to be returned"),
    Find("a necklace of green beads", "necklace", "wear it to every party", "Each bead stood for a year of {o.his} life"),
    Find("a carved wooden horse", "horse", "gallop around the room with it", "{o.He} had carved it {o.himself} over three long winters"),
    Find("a key on a velvet ribbon", "key", "look for a treasure chest", "Without it, {o.he} could not get into {o.his} own house"),
    Find("a bag of sweet almonds", "bag", "eat them all in secret", "It was for the cake at a big wedding"),
    Find("a music box with a dancing bird", "music box", "hear its song again and again", "It played the song that {o.his} father used to sing"),
    Find("a warm coat with silver buttons", "coat", "never be cold again", "It was the only coat {o.he} had"),
)  # fmt: skip
SEARCHING = (
    "walking up and down and looking at the ground", "looking under every bush with tired eyes",
    "turning out all {o.his} pockets", "sitting on a stone with {o.his} face in {o.his} hands",
    "asking everyone who went by", "shaking {o.his} head again and again",
)  # fmt: skip
REWARDS = (
    "{o} gave {h.him} a small wooden whistle to say thank you",
    "{o} invited {h} and {p} to a supper with dumplings and plum cake",
    "{o} showed {h.him} how to make the best pancakes in the world",
    "{o} told {h.him} that {h.he} could come and play at any time",
    "{o} gave {h.him} a jar of honey with a golden label",
    "{o} did not have much, but {o.he} gave {h.him} a hug, and that was plenty",
    "{o} taught {h.him} a song that nobody else knew",
    "{o} let {h.him} choose any apple from the basket",
)


def tell(t: Telling) -> None:
    """Tells the plot."""
    place = t.pick(t.cast.places)
    row = t.pick(FINDS)
    t.bind(row=row, o=t.cast.elder, place=place, spot=t.pick(place.spots), reward=t.pick(REWARDS))
    t.fix(searching=t.pick(SEARCHING))
    many = row.noun in ("skates", "paints")
    t.bind(it="them" if many else "it", they="they" if many else "it", does="do" if many else "does", are="are they" if many else "is this")
    open_story(
        t,
        "{h} did not have many things, but {h.he} had sharp eyes and often found what others had overlooked.",
        "{h} liked to walk with {h.his} eyes on the ground, for you never know what you may find.",
        "",
    )
    t.paragraph()
    t.tell("{when}, {h} was {place.at}. There, {spot}, lay {row.thing}!", "{when}, on the way to {place}, {h} saw something unusual. {h.He} looked {spot}, and there lay {row.thing}!" if not place.indoors else "{when}, {h} saw something odd {place.at}. {h.He} looked {spot}, and there lay {row.thing}!")
    t.tell('"Oh, how <pretty>!" {h} <whispered>. {h.He} picked {it} up and looked around. Nobody was there.', "{h} held {h.his} breath. {h.He} had never held anything so fine. Nobody had seen {h.him}.")
    t.tell('"Now I can {row.dream}," {h.he} thought.', "{h.He} could already see {h.himself}. {h.He} would {row.dream}!")
    t.paragraph()
    _return(t)


def _return(t: Telling) -> None:
    """A voice inside, the search for the owner and the return."""
    t.tell(
        "{h} wanted to hide {it} and run home. But a small voice inside {h.him} said, \"Somebody is missing {it}.\"",
        'Just then {h.his} friend {f.named} came by. "Finders keepers!" said {f}. But {h} was not so sure. "Somehow {they} {does} not feel like mine," {h.he} said.',
        "On the way home, {h.his} find seemed to grow heavier with every step. {h} thought, \"What if I had lost {it}?\"",
    )
    t.tell(
        "{h} told {p} about it. \"What do you think is right?\" asked {p}. {h} knew the answer.",
        "{h.He} asked {p}, and {p} only said, \"What does your heart tell you?\"",
        "So {h.he} turned around and went to look for the owner.",
    )
    t.paragraph()
    t.tell(
        "Not far away, {h} saw {e}, who was {searching}. \"Did you lose something?\" asked {h}.",
        "{h} asked at every door. At the last one, {h.he} met {e}, who was {searching}. \"Is something missing?\" asked {h}.",
    )
    t.tell(
        '"My {row.noun}!" said {o}. "I have looked everywhere." {h} held {it} out. "Tell me, {are} yours?" {h.he} asked.',
        '"Yes, my {row.noun}," sighed {o}. "I will never see {it} again." "Yes, you will," said {h}, and {h.he} held {it} out.',
    )
    t.tell("Tears came to {o.s} eyes. {row.meaning}.", "{o} could not speak at first. {row.meaning}.", "{o} <laughed> and almost danced. {row.meaning}.")
    t.tell('"You could have kept {it}," said {o}. "Why did you bring {it} back?" "Because {they} belonged to you," said {h}.', '"What an honest {h.kind} you are," said {o}.')
    t.paragraph()
    t.tell("{reward}.")
    close_story(
        t,
        "{h} felt richer than before, although {h.his} pockets were empty." if t.cast.is_child else "{h} felt richer than before, although {h.he} had nothing in {h.his} paws." if t.cast.hero.kind in ("fox", "bear", "rabbit", "cat", "dog", "mouse", "kitten", "puppy", "squirrel", "lion", "tiger") else "{h} felt richer than before, although {h.he} had kept nothing.",
        "{h} learned that an honest heart is the best thing anyone can find.",
        "And the small voice inside {h.him} said, \"Well done.\"",
        "That night, {h} slept better than any king on a pile of gold.",
        percent=30,
    )


PLOT = Plot("honesty", "any", tell)
