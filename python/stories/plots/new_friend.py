"""Somebody new and lonely is met, and something both like makes them friends."""

from __future__ import annotations

from typing import NamedTuple

from ..beats import close_story, open_story
from ..telling import Telling
from .plot import Plot


class Common(NamedTuple):
    """What both like: seen with the newcomer, offered by the hero, done together."""

    seen: str
    offer: str
    together: str
    later: str


COMMONS = (
    Common("drawing pictures in the dust with a stick", "I like to draw, too. May I draw a sun next to your tree",
           "They drew a whole town in the dust, with towers and bridges and a very long train", "draw"),
    Common("humming a little tune", "I know that song! Shall we sing it together",
           "{h} sang high and {f} sang low, and the birds stopped to listen", "sing"),
    Common("looking at a heap of smooth pebbles", "I collect stones, too. Would you like to see my best one",
           "They sorted the pebbles by color and built a tiny castle out of them", "look for stones"),
    Common("trying to fold a boat out of a leaf", "I can show you how to make it float",
           "They made a whole fleet of boats and let them race down the stream", "sail boats"),
    Common("counting the clouds", "That one looks like a sheep to me. Shall we look for more",
           "They lay on their backs and found a dragon, a teapot and a flying fish in the sky", "watch the clouds"),
    Common("bouncing a ball all alone", "Two can throw farther than one. Shall we play",
           "They threw the ball over, under and around until both were out of breath", "play ball"),
    Common("telling a story to nobody at all", "That is a good story. May I hear the rest",
           "They took turns. {f} made up a giant, and {h} made up a mouse who was smarter than the giant", "tell stories"),
    Common("building a tower of twigs", "May I help? I know where the straightest twigs are",
           "They built a tower so tall that they had to stand on a stump to reach the top", "build things"),
    Common("looking for snails under the leaves", "I know a wall where the biggest snails live",
           "They found seven snails and held a very, very slow race", "visit the snails"),
    Common("skipping and counting out loud", "My best is twenty. Shall we see how far we can go together",
           "They counted together, and they got to forty-three before they fell down laughing", "skip"),
    Common("making a chain of flowers", "If we join our chains, it will be long enough for two crowns",
           "They worked until they had two fine crowns, one of daisies and one of clover", "make crowns"),
    Common("whistling with a blade of grass", "I would love to learn that. Will you show me",
           "{f} showed {h} how to hold the grass, and soon both of them squeaked like a band of crickets", "whistle"),
)  # fmt: skip
CAME_FROM = (
    "had just moved in with {f.his} family", "had come from far away, across the hills",
    "had come on a boat from another land", "had moved here only yesterday", "had come to stay with {f.his} grandmother",
    "was new here and did not know anyone yet",
)  # fmt: skip


def tell(t: Telling) -> None:
    """Tells the plot."""
    row = t.pick(COMMONS)
    if t.cast.world.name == "snow":
        row = t.pick([row for row in COMMONS if not any(word in row.seen for word in ("dust", "leaf", "leaves", "flowers", "grass"))])
    question = _is_question(row.offer)
    t.bind(row=row, place=t.pick(t.cast.outdoors))
    t.bind(mark="?" if question else ".", answer="[Oh yes|Yes, please]!" if question else "I would like that.")
    t.fix(came=t.pick(CAME_FROM))
    open_story(
        t,
        "{h} liked to play, but {h.he} had no one to play with. All the others were [older|much older] and [too busy|always busy].",
        "{h} had many toys, but what {h.he} wished for most was a friend.",
        "{h.He} often felt lonely, because there was nobody of {h.his} age nearby.",
        "{h} was a little shy and did not make friends easily.",
    )
    t.paragraph()
    t.tell(
        "{when}, {h} <went> to {place}. There {h.he} saw someone {h.he} had never seen before. It was a {f.look}, and {f.he} was {row.seen}.",
        "{when}, {h} met a {f.look} {place.at}. {f.He} was sitting alone and {row.seen}.",
        "{when}, {h} heard a sound {place.at}. {h.He} looked, and there was a {f.look}, {row.seen}.",
    )
    t.tell(
        "The {f.kind} {came}. {f.He} looked a little sad.",
        "{h} had heard about {f.him}. The {f.kind} {came}.",
        '"Who are you?" asked {h}. The {f.kind} looked up with big eyes. {f.He} {came}.',
    )
    t.paragraph()
    _meet(t)


def _meet(t: Telling) -> None:
    """The hero speaks first, and they find what both of them like."""
    t.tell(
        "{h} did not know what to say. {h.His} heart beat fast. Then {h.he} took a step closer.",
        "{h} felt shy and almost went away. But then {h.he} thought of how it feels to be alone.",
        "{h} waited a moment. Somebody had to speak first.",
    )
    t.tell('"Hello, I am {h}," {h.he} <told>. "{row.offer}{mark}"', '"Hello," {h.he} <told>. "I am {h}. {row.offer}{mark}"')
    t.tell("The {f.kind} <smiled>. \"[I am|My name is] {f},\" {f.he} said. \"{answer}\"")
    t.tell("{row.together}.")
    t.maybe(
        60,
        "They played until the sun was low.",
        "The hours flew by like minutes.",
        "They laughed so hard that their tummies hurt.",
        "When {f} dropped {f.his} cap, {h} picked it up for {f.him}, and they laughed again." if t.cast.is_child else "They did not even hear {p} calling them for supper.",
    )
    t.paragraph()
    t.tell(
        '"Will you come back tomorrow?" asked {f}. "Yes, tomorrow and the day after," said {h}.',
        '"I was afraid that I would have no friends here," {f} <whispered>. "Now you have one," said {h}.',
        '"Today I was lonely," said {f}, "and now I am not." "Me too," said {h}.',
        "{p} came to fetch {h} and found two friends instead of one. \"Would you like to eat with us, {f}?\" {p.he} asked.",
    )
    close_story(
        t,
        "From that day on, {h} and {f} met every day to {row.later}.",
        "And so, with one small hello, two lonely hearts became friends.",
        "{h} learned that a friend may be waiting behind a single hello.",
        "After that, {h} and {f} were never lonely again.",
        percent=45,
    )


def _is_question(offer: str) -> bool:
    """Whether the offer ends as a question."""
    return offer.split(". ")[-1].split("! ")[-1].split("? ")[-1].startswith(("May", "Shall", "Would", "Will"))


PLOT = Plot("new friend", "any", tell)
