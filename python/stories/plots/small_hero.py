"""The smallest is laughed at or left out, until being small is just what is needed."""

from __future__ import annotations

from typing import NamedTuple

from ..beats import close_story, open_story
from ..telling import Telling
from .plot import Plot


class Need(NamedTuple):
    """What goes wrong for the big ones and how a small one puts it right."""

    worlds: str
    trouble: str
    big: str
    small: str
    result: str


NEEDS = (
    Need("any", "the key to the storehouse fell through a narrow crack in the floor", "could not even get one finger into the crack", "lay down flat, squeezed under the floor and crawled to the key", "the door swung open, and the feast could begin"),
    Need("village town farm seaside", "the ball rolled into a long, thin pipe", "tried with sticks, but the sticks were too short", "wriggled into the pipe and pushed the ball out at the other end", "the game could go on"),
    Need("any", "the rope of the big bell got tangled high up in the beams", "were too heavy for the thin ladder", "climbed up as lightly as a cat and untied the knot", "the bell rang out again over all the roofs"),
    Need("farm barnyard village hills", "a chick slipped into a rabbit hole and cheeped in the dark", "could only get one arm into the hole", "slid into the hole head first and came back with the chick", "the mother hen clucked with joy and spread both wings"),
    Need("any", "somebody had to test the thin ice at the edge of the pond", "would have broken right through", "lay on {h.his} tummy and slid to the scarf that somebody had lost there", "the scarf was saved, and nobody got wet"),
    Need("any", "the wheel of the mill stood still, because a branch was stuck between its boards", "did not fit between the boards", "slipped in between and pulled the branch out", "the wheel turned again, and there was flour for everyone"),
    Need("any", "the door of the tree house fell shut, and the bolt was on the inside", "could not get through the tiny window", "climbed through the tiny window and pulled back the bolt", "everyone could come in, and they made {h.him} captain"),
    Need("any", "a baby bird sat on the very end of a thin branch", "knew that the branch would break under them", "crept out along the branch, step by step, and let the bird hop on {h.his} back", "the bird was safe, and its parents flew circles of joy"),
    Need("any", "the lamp in the tunnel went out, and its door was only as big as a book", "could not reach the wick", "reached in and lit the lamp again", "the tunnel was bright, and they all found the way out"),
    Need("seaside pond", "the boat had a leak in the narrowest corner", "were too big to bend down there", "curled up in the corner and pressed a piece of cork into the hole", "the boat came safely to the shore"),
    Need("any", "the coin for the ferry dropped between two heavy stones", "pushed at the stones, but they did not move", "slid one thin arm between the stones and fished out the coin" , "the ferry took them all across"),
    Need("any", "a thorn was stuck deep in the paw of a big gray dog", "were too clumsy to take hold of it", "took hold of the tiny tip and pulled it out", "the dog licked {h.his} whole face"),
)  # fmt: skip
LEFT_OUT = (
    "When the others raced, {h} came in last. When they played ball, nobody saw {h.him}",
    "The others could reach the highest branches, and {h} could only look up",
    "\"You are too small for that,\" the others always said",
    "In every game, {h} had to be the one who watched the coats",
    "When everyone stood in a row, {h} was the one at the end whom nobody could see",
    "All {h.his} cousins were a head taller, and they never let {h.him} forget it",
)  # fmt: skip
WANTED = ("tall as a tree", "big as a bear", "long as a ladder", "strong as an ox", "high as a house", "large as a barn door")


def tell(t: Telling) -> None:
    """Tells the plot."""
    world = t.cast.world.name
    rows = [row for row in NEEDS if row.worlds == "any" or world in row.worlds.split()]
    if t.cast.hero.kind in ("elephant", "giraffe", "hippo", "gorilla", "bear", "polar bear", "walrus", "pony", "donkey", "reindeer"):
        t.bind(size="the smallest of all the young ones of the neighborhood")
    else:
        t.bind(size="the smallest of them all")
    if world == "snow":
        rows = [row for row in rows if not any(word in row.trouble for word in ("pond", "tree", "mill", "branch"))]
    row = t.pick(rows)
    if not t.cast.is_child:
        rows = [row for row in rows if "arm" not in row.small and "finger" not in row.big and "dog" not in row.trouble]
        row = t.pick(rows)
    t.bind(row=row, left=t.pick(LEFT_OUT), wanted=t.pick(WANTED))
    open_story(t, "{h} was {size}.", "There was only one thing that {h} did not like about {h.himself}. {h.He} was {size}.")
    t.tell("{left}.")
    t.paragraph()
    t.tell('"I wish I were as {wanted}," {h} told {p} one evening.', '"Why am I so small?" {h} asked {p}. "I want to be as {wanted}."')
    t.tell('"You are just the right size for yourself," said {p}.', '"Small is not the same as weak," said {p} <warmly>. "Your time will come."', "{p} stroked {h.his} head. \"There are things that only small ones can do,\" {p.he} said. \"Wait and see.\"")
    t.tell("{h} did not believe it.", "{h} sighed. That did not help very much.", "\"What things?\" asked {h}, but {p} only smiled.")
    t.paragraph()
    _need_and_deed(t)


def _need_and_deed(t: Telling) -> None:
    """The others are helpless, and the hero is just small enough."""
    t.tell("A few days later, it happened: {row.trouble}.", "But the very next day, {row.trouble}.")
    t.tell("Everybody came running. {f.named} and all the big ones {row.big}." if t.cast.is_child else "Everybody came running. But the big ones {row.big}. Even {f.named} did not know what to do.", "{f.named} and all the others tried to help, but they {row.big}.")
    t.tell('"What shall we do now?" they asked. Nobody had an idea.', '"It is no use," said {f} at last.', "They stood around and scratched their heads.")
    t.tell('Then a voice said, "Let me try." It was {h}. Some of them laughed, but not for long.', '"I am small enough," said {h}. Everyone turned around and looked down at {h.him}.', "{h} stepped forward. {h.His} heart was pounding. \"I think I can do it,\" {h.he} said.")
    t.tell("{h} {row.small}.")
    t.tell("And so {row.result}.", "A moment later, {row.result}.")
    t.paragraph()
    t.tell('"Three cheers for {h}!" cried {f}.', '"We were wrong to laugh," said {f}. "Without you, we would still be standing here."', "They carried {h} home on their shoulders." if t.cast.is_child else "They all danced around {h} in a big circle.")
    close_story(
        t,
        "{h} still was {size}, but {h.he} did not mind any more.",
        "{h} learned that everyone is just the right size for something.",
        "From that day on, nobody said that {h} was too small.",
        '"I knew it," said {p}, and {p.he} winked.',
        percent=35,
    )


PLOT = Plot("small hero", "any", tell)
