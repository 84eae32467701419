"""A contest is given up, or almost, for the sake of kindness, and there is more to win than a prize."""

from __future__ import annotations

from typing import NamedTuple

from ..beats import close_story, open_story
from ..telling import Telling
from .plot import Plot


class Contest(NamedTuple):
    """The contest, how the hero prepares, how it goes, what happens to the rival, how help is given."""

    worlds: str
    name: str
    prize: str
    prepare: str
    going: str
    mishap: str
    help: str
    finish: str


CONTESTS = (
    Contest("any", "the great running race", "a silver cup", "ran up and down the hill every morning", "was in front, and the finish was already in sight", "stumbled over a root and held one ankle", "put an arm around {f}, and together they limped on", "they crossed the line last of all, side by side"),
    Contest("village town farm hills seaside", "the soapbox race", "a blue ribbon", "oiled the wheels of {h.his} wagon", "rolled ahead of all the others down the long street", "lost a wheel and landed in a hedge", "stopped, jumped out and pulled {f} out of the thorns", "they rode the rest of the way in one wagon, with {f} as the driver"),
    Contest("seaside pond", "the boat race", "a golden anchor", "rowed around the little island every evening", "was three lengths ahead", "tipped over and fell into the water", "turned the boat around and pulled {f} on board", "they rowed in together, dripping and laughing"),
    Contest("any", "the cooking contest", "a big copper spoon", "tried out a new recipe every day", "was stirring the best stew {h.he} had ever made", "dropped {f.his} only pot, and it broke", "divided {h.his} stew and lent {f} half of the stove", "they brought one dish to the judges, with two names on it"),
    Contest("any", "the singing contest", "a laurel wreath", "sang to the trees every morning", "was next to go on the stage", "lost {f.his} voice from fright", "stepped out beside {f} and sang the first line, so that {f} could join in", "the two voices rang out together, one high and one low"),
    Contest("hills snow", "the sled race", "a bell on a red string", "waxed the runners until they shone", "flew down the slope in front of all the others", "slid off the track and sank into a snowdrift", "braked, dug {f} out and brushed off the snow", "they came down on one sled, so slowly that a snail could have kept up"),
    Contest("any", "the treasure hunt", "a chest full of nuts and honey candy", "learned to read maps", "had already solved two of the three riddles", "sat on a stone, lost and close to tears", "showed {f} the map and solved the last riddle together with {f.him}", "they came to the chest together, when somebody else had already opened it"),
    Contest("any", "the tower-building contest", "a golden brick", "piled up stones every afternoon", "had only one more stone to set", "watched {f.his} own tower fall down with a rumble", "left {h.his} tower and helped to pick up the stones", "there were two small towers, with a bridge between them"),
    Contest("any", "the jumping contest", "a medal of shiny tin", "jumped over every log and puddle", "had only the last jump to do", "was so nervous that {f.he} could not move", "took hold of {f.him} and said, \"We will jump at the same time\"", "they jumped together and landed in a heap, laughing"),
    Contest("village town farm seaside hills", "the kite festival", "a spool of golden thread", "built a kite with a long tail of bows", "had the highest kite of all", "lost {f.his} kite when its string broke", "gave {f} the string of {h.his} own kite to hold", "one kite danced at the end of one string, held by two"),
)  # fmt: skip
JUDGES = (
    "\"There is one prize for the winner,\" said {e}, who was the judge, \"but there is another for the biggest heart.\" And {e.he} called {h.s} name",
    "The winner got {prize}. But the longest applause was for {h} and {f}",
    "The one who had won came over and said, \"I came in first, but you were better.\"",
    "{e}, who was the judge, wiped one eye. \"I have seen many winners,\" {e.he} said, \"but few like you\"",
    "They did not win {prize}. They won something that does not fit on a shelf",
)


def tell(t: Telling) -> None:
    """Tells the plot."""
    world = t.cast.world.name
    contest = t.pick([row for row in CONTESTS if row.worlds == "any" or world in row.worlds.split()])
    if not t.cast.is_child and "arm" in contest.help:
        contest = t.pick([row for row in CONTESTS if row.worlds == "any" and "arm" not in row.help])
    t.bind(c=contest, judge=t.pick(JUDGES), prize="the" + contest.prize[contest.prize.index(" ") :])
    open_story(t, "{h} loved to win. {h.He} wanted to be the first in everything.", "{h} had never won anything, and {h.he} wished for it very much.", "Once a year there was {c.name}, and {h} wanted to win it more than anything.")
    t.paragraph()
    t.tell(
        "This year, the prize of {c.name} was {c.prize}. {h} {c.prepare}. \"I will win it,\" {h.he} told {p}.",
        "{h} {c.prepare}, because soon it was time for {c.name}. The prize was {c.prize}, and {h} had already chosen a place for it on the shelf.",
    )
    t.tell("{h.His} friend {f.named} wanted to take part, too. \"May the best one win,\" said {f}, and they laughed.", "Among the others was {h.his} friend {f.named}, who was there for the first time and a little afraid.")
    t.paragraph()
    _contest(t)


def _contest(t: Telling) -> None:
    """The contest, the choice and what is won."""
    t.tell("The great day was [bright and windy|clear and cold|warm and bright]. Flags were waving, and everyone had come. {h} did very well. {h.He} {c.going}.", "On the day of the contest, {h.his} heart was beating fast. At the sound of the horn, it began. <soon>, {h} {c.going}.")
    t.tell("Then {h.he} heard a cry. {f} was in trouble. {f.He} {c.mishap}.", "But when {h} turned around, {h.he} saw {f}. {f.He} {c.mishap}.")
    t.tell(
        "{h} looked ahead, where the prize was waiting. Then {h.he} looked back at {f}. It was the hardest choice of {h.his} life.",
        '"If I stop now, I will lose," thought {h}. "But if I go on, {f} will be all alone."',
        "For one moment, {h} thought of {prize}. Then {h.he} thought of {f}, and {h.he} knew what to do.",
    )
    t.tell("{h} went to {f.him}. {h.He} {c.help}.", "{h} did not wait. {h.He} {c.help}.")
    t.tell('"But now you can\'t win," said {f}. "I know," said {h}, and it was all right.', '"Why did you do that?" asked {f}. "Because you are my friend," said {h}.', "")
    t.tell("In the end, {c.finish}.", "And so {c.finish}.")
    t.paragraph()
    t.tell("{judge}.")
    close_story(
        t,
        "{h} learned that there are more important things than winning.",
        '"I have never been so proud of you," said {p}.',
        "On the shelf at home, there was still an empty place. Every time {h} looked at it, {h.he} smiled.",
        "From that day on, {h} and {f} did everything as a team.",
        percent=30,
    )


PLOT = Plot("race", "any", tell)
