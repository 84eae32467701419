"""A small journey with something to deliver; each thing that was packed turns out to be useful."""

from __future__ import annotations

from typing import NamedTuple

from ..beats import close_story, open_story
from ..telling import Telling
from .plot import Plot


class Packed(NamedTuple):
    """A thing in the bag, the trouble on the way and how the thing helps."""

    worlds: str
    thing: str
    trouble: str
    use: str


LAND = "village town farm hills forest meadow barnyard pond jungle seaside"
PACKED = (
    Packed("any", "a long rope", "the path ended at a steep bank", "tied the rope to a tree and climbed down step by step"),
    Packed("any", "a little lantern", "the way led through a dark tunnel in the rock", "lit the lantern, and the dark drew back like a curtain"),
    Packed("any", "a warm blanket", "a cold wind began to blow, and a small bird sat shivering on a stone", "put the blanket around {h.himself} and the bird until the wind was over"),
    Packed(LAND, "a big umbrella", "it began to pour with rain", "opened the umbrella and walked on with dry ears"),
    Packed("any", "a whistle", "fog came up, and nobody could see the path", "blew the whistle, heard the echo from the hills and knew which way to go"),
    Packed("any", "a piece of cheese", "a grumpy dog lay across the road and growled", "gave it the piece of cheese, and the dog wagged its tail and let {h.him} pass"),
    Packed("any", "a ball of string", "the path split into many paths like a maze", "tied the string to a bush and let it run out behind {h.him}, so that {h.he} could always find the way back"),
    Packed("any", "a wooden spoon", "a great heap of snow lay right across the path", "dug a small tunnel through it with the spoon") ,
    Packed(LAND, "a wide plank", "a stream had washed the bridge away", "laid the plank from bank to bank and balanced across"),
    Packed("any", "a map", "there was a crossroads with four signs, and all of them were blank", "unfolded the map and saw that the middle road was right"),
    Packed("any", "a bag of nuts", "a hungry squirrel sat on a gate and would not let anyone through", "gave it three nuts, and the squirrel opened the gate with a bow"),
    Packed("any", "a needle and thread", "{h.his} bag caught on a thorn and ripped open", "sat down and sewed up the hole before anything could fall out"),
    Packed("any", "a little flute", "a flock of geese stood in the way and hissed", "played a gentle tune, and the geese began to sway and stepped aside"),
    Packed(LAND, "a straw hat", "the sun burned down, and there was no shade at all", "put on the hat and made a little shade of {h.his} own"),
    Packed("any", "a small mirror", "a big goat with curly horns blocked the path", "held up the mirror, and the goat was so pleased with itself that it forgot to be cross"),
    Packed("any", "a bottle of water", "an old donkey lay by the road and was too thirsty to go on", "let the donkey drink, and to say thank you it carried {h.him} over the hill"),
    Packed("any", "a red scarf", "{h.he} met a traveler who had hurt one foot", "tied the scarf around the foot, and the traveler showed {h.him} a short cut"),
    Packed(LAND, "a pair of tall boots", "the path turned into a muddy swamp", "pulled on the boots and went squish, squash, squish to the other side"),
)  # fmt: skip
ERRANDS = (
    ("a pot of soup", "{t.He} was ill and needed something warm"), ("a jar of honey", "{t.He} had a sore throat"),
    ("a letter", "It was very important and had to arrive that day"), ("a birthday cake", "It was {t.his} birthday"),
    ("a basket of eggs", "{t.He} wanted to bake and had none left"), ("a pair of new socks", "{t.His} feet were always cold"),
    ("a bunch of herbs", "{t.He} needed them for a medicine"), ("a mended clock", "Without it, {t.he} never knew what time it was"),
    ("a kitten in a basket", "{t.He} lived alone and wished for company"), ("a bag of seeds", "It was time to plant them"),
    ("a pot of jam", "{t.He} loved jam more than anything"), ("a new pair of glasses", "Without it, {t.he} could not read"),
    ("a bottle of ink", "{t.He} was writing a book and had used up every drop"), ("a warm pie", "{t.He} was too old to cook every day"),
)  # fmt: skip


def tell(t: Telling) -> None:
    """Tells the plot."""
    world = t.cast.world.name
    rows = [row for row in PACKED if row.worlds == "any" or world in row.worlds.split()]
    rows = [row for row in rows if not any(kind and kind in row.trouble for kind in (t.cast.hero.kind,))]
    first, second = t.draws.sample(rows, 2)
    errand, reason = t.pick(ERRANDS)
    t.bind(one=first, two=second, errand=errand, reason=reason, t=t.cast.elder)
    t.fix(short=errand.removeprefix("a ").removeprefix("new "), where="[on the other side of the hill|beyond the woods|at the end of the long road|behind the third hill|at the far end of the valley]")
    if world == "snow":
        t.fix(where="[on the other side of the ice|behind the white hills|at the far end of the bay]")
    open_story(
        t,
        "{h} had never gone far from home alone, but {h.he} often looked at the [far|blue] hills and wondered what was behind them.",
        "{h} was small, but {h.he} wanted to do something [big|important] all by {h.himself}.",
        "",
    )
    t.paragraph()
    t.tell(
        "{when}, {p} said, \"{h}, will you take {errand} to {t}? It is a long way.\" {t} lived {where}. {reason}.",
        "{when}, {p} needed help. Somebody had to bring {errand} to {t}, who lived {where}. {reason}. \"I can do it!\" said {h}.",
        "{when}, {p} wanted to send {errand} to {t}, who lived {where}. {reason}. \"Let me go,\" {h} begged.",
    )
    t.tell(
        'Before {h.he} left, {h} packed {one.thing} and {two.thing}. "What do you need those for?" asked {h.his} friend {f.named}. "You never know," said {h}.',
        "{h} put {one.thing} and {two.thing} into {h.his} bag as well. \"A good traveler is ready for anything,\" {h.he} said.",
        '{p} gave {h.him} {one.thing} and {two.thing} to take along. "They may help you on the way," {p.he} said.',
    )
    t.paragraph()
    _on_the_way(t)


def _on_the_way(t: Telling) -> None:
    """The journey, its two obstacles and the arrival."""
    t.tell("{h} <went> along, singing. But <soon>, {one.trouble}.", "At first the way was easy. Then {one.trouble}.", "{h} had walked for an hour when {one.trouble}.")
    t.tell('"What now?" thought {h}. Then {h.he} remembered what was in {h.his} bag. {h.He} {one.use}.', "{h} did not turn back. {h.He} opened {h.his} bag. {h.He} {one.use}.", "For a moment {h} was <worried>. But {h.he} {one.use}.")
    t.tell("A little farther on, {two.trouble}.", "After that, {h.he} was almost there, but {two.trouble}.", "{h.He} went on, over stones and roots. Then {two.trouble}.")
    t.tell("This time {h} knew what to do. {h.He} {two.use}.", '"Good that I am prepared," said {h}, and {h.he} {two.use}.', "{h} smiled and reached into the bag again. {h.He} {two.use}.")
    t.paragraph()
    t.tell(
        "At last {h} knocked at the door. {t} opened it. \"You came all this way alone?\" {t.he} asked. {h} handed over the {short}.",
        "And there it was, the house of {t}. {t} was so happy about the {short} that {t.he} laughed out loud.",
        'When the sun was low, {h} arrived, tired but safe. "Here is your {short}," {h.he} said. {t} could hardly believe it.',
    )
    t.tell('"You are a real traveler," said {t}.', "{t} gave {h.him} warm milk and a [soft|comfortable] chair, and {h} told {t.him} about the whole journey.", '"Thank you, brave {h}," said {t}.')
    close_story(
        t,
        "{h} learned that the longest way is made of small steps.",
        "On the way home, the hills did not look so far away any more.",
        "From that day on, {p} knew that {h} could be trusted with important things.",
        "{h} was <proud>. Now {h.he} knew what was behind the hills.",
        percent=30,
    )


PLOT = Plot("journey", "any", tell)
