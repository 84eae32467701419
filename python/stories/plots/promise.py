"""A promise is given, something tempting comes along, and the promise is kept."""

from __future__ import annotations

from typing import NamedTuple

from ..beats import close_story, open_story
from ..telling import Telling
from .plot import Plot


class Promise(NamedTuple):
    """What is promised, until when, what would happen without it, and how it pays off."""

    worlds: str
    task: str
    doing: str
    without: str
    payoff: str


PROMISES = (
    Promise("any", "water the flowers on the windowsill every day", "gave each flower its drink", "the flowers would hang their heads", "one flower had opened a new red bud"),
    Promise("village town farm", "feed the old cat while {o.he} was away", "filled the bowl and scratched the cat behind its ears", "the cat would sit in front of an empty bowl", "the cat lay on its back and purred like an engine"),
    Promise("farm barnyard village", "shut the henhouse before dark", "counted the hens and pushed the bolt", "the fox would come in the night", "in the morning there were fox tracks all around, but every hen was safe"),
    Promise("any", "keep an eye on the soup until {o.he} came back", "stirred slowly, around and around", "the soup would burn", "the soup was just right, thick and golden"),
    Promise("any", "bring a book back before the sun went down", "carried the book under one arm all the way", "a little one would go to bed without a story", "the little one was waiting at the window and clapped" ),
    Promise("any", "hold the end of the rope until the boat was tied up", "held on, even when {h.his} arms hurt", "the boat would drift away", "the boat was safe, and a storm came up that very night"),
    Promise("any", "sit with {o.him} while {o.he} was ill", "told jokes and fetched tea", "{o} would be alone all day", "{o} laughed for the first time in a week"),
    Promise("any", "keep the lamp burning until everyone was home", "filled the lamp with oil again and again", "nobody would find the way in the dark", "one after another came in and said, \"We saw your light\""),
    Promise("any", "keep a secret until the feast", "pressed {h.his} lips together", "the surprise would be spoiled", "everybody shouted with joy, because nobody had guessed it"),
    Promise("farm village hills barnyard", "watch the lambs on the hill", "sat on a stone and counted them again and again", "one of them might wander off", "when the bell rang for the evening, all twelve lambs were there"),
    Promise("any", "help to pick the plums before the birds did", "climbed up and down with a full basket", "the birds would eat every one", "there was plum cake for everybody, and even the birds got a piece"),
    Promise("any", "wait for a parcel at the door", "sat on the step and did not move", "the parcel would go back", "the parcel came, and inside it was something for {h} as well"),
)  # fmt: skip
TEMPTATIONS = (
    "the circus came to town with a real elephant", "the others went to swim in the cool water", "somebody shouted that there was free ice cream",
    "a band with trumpets marched by", "everyone ran to see a hot-air balloon", "a traveling puppet theater set up its stage",
    "the others were building the biggest slide in the world", "there was a merry-go-round on the meadow", "a whole ship full of kites arrived",
    "the first cherries were ripe on the other side of the river", "a juggler with seven torches came down the road",
)  # fmt: skip


def tell(t: Telling) -> None:
    """Tells the plot."""
    world = t.cast.world.name
    rows = [row for row in PROMISES if row.worlds == "any" or world in row.worlds.split()]
    if not t.cast.is_child:
        rows = [row for row in rows if "arm" not in row.doing and t.cast.hero.kind not in row.task and t.cast.hero.kind not in row.without]
    if world in ("snow", "jungle"):
        rows = [row for row in rows if not any(word in row.task for word in ("flowers", "plums"))]
    temptation = t.pick([text for text in TEMPTATIONS if t.cast.is_child or not any(word in text for word in ("elephant", "town", "ice cream"))])
    t.bind(row=t.pick(rows), temptation=temptation, o=t.cast.elder)
    open_story(t, "{h} had learned from {p} that a promise is like a bridge. Others walk on it, so it must hold.", "{h} liked to promise things. Keeping them was not always so easy.", "")
    t.paragraph()
    t.tell('{when}, {e} came with a request. Somebody had to {row.task}. "I will do it," said {h}. "I promise."', '{when}, {h} promised {e} to {row.task}. "Can I count on you?" asked {e}. "Yes," said {h}.')
    t.tell("{h} was <proud> that {e} trusted {h.him}. {h.He} {row.doing}.", "At first it was easy. {h} {row.doing}.")
    t.paragraph()
    _tempted(t)


def _tempted(t: Telling) -> None:
    """Something tempting comes along, and the promise is kept."""
    t.tell('But then {temptation}. {h.His} friend {f.named} came running. "Come quickly, {h}!" {f.he} called. "You will miss everything!"', 'Then {h.his} friend {f.named} stood in front of {h.him}, out of breath. "Have you heard?" asked {f}. And it was true: {temptation}.')
    t.tell('"I can\'t," said {h}. "I promised." "Nobody will notice if you are gone for a while," said {f}.', '"Only for a little while," said {f}. "What can happen?" {h} wanted to go so badly that {h.his} feet tingled.')
    t.tell(
        "{h} took three steps. Then {h.he} stopped. If {h.he} went away now, {row.without}.",
        "{h} looked down the road, and then {h.he} looked back. Without {h.him}, {row.without}.",
    )
    t.tell('"No," said {h}. "A promise is a promise." It was hard to say, and {f} went away alone.', '"I will stay," {h.he} said. {h.He} swallowed, because {h.he} was a little sad.', '"You go," said {h}, "and tell me all about it." And {h.he} stayed.')
    t.paragraph()
    t.tell("So {h} stayed at {h.his} post. The music and the laughter were far away.", "The time went slowly, but {h} did not leave.", "So {h} {row.doing}, and nobody had to remind {h.him}.")
    t.tell("And in the end, {row.payoff}.", "It was worth it, for {row.payoff}.")
    t.tell('"You kept your word," said {e}. "That is worth more than gold."', '{e} bowed to {h.him}. "Now I know whom I can trust," {e.he} said.')
    t.tell(
        "Then {f} came back and brought something along. \"I saved a piece of candy for you,\" {f.he} said." if t.cast.is_child else "Then {f} came back and brought something along. \"I saved the best piece for you,\" {f.he} said.",
        "And in the evening, {e} took {h} and {f} along, and there was still plenty to see.",
        "Later, {f} acted out everything that had happened, and it was so funny that {h} felt as if {h.he} had been there.",
    )
    close_story(
        t,
        "{h} learned that a kept promise feels better than any treat.",
        "From that day on, everyone knew that {h.s} word was as good as a rock.",
        "And whenever {h} promised something, {h.he} thought first and then kept it.",
        percent=25,
    )


PLOT = Plot("promise", "any", tell)
