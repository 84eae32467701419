"""Something dear is lost, looked for and found, by going back over the steps or by a kind finder."""

from __future__ import annotations

from ..beats import close_story, open_story
from ..telling import Telling
from ..things import GIVERS, ORIGINS, draw_treasure
from .plot import Plot

# What the hero did when the thing slipped away; each reads as "Mia ..." and as "I ...".
ACTS_ANYWHERE = (
    "sat down to eat an apple", "lay down to look at the clouds", "danced around in a circle", "turned a somersault",
    "climbed up high to look around", "stopped to listen to a bird", "took a little nap", "jumped over a puddle",
    "ran a race with the wind", "hopped on one leg", "looked for pretty pebbles", "bent down to drink some water",
    "spun around until everything was dizzy", "waved at a cloud that looked like a whale",
)  # fmt: skip
ACTS_WARM = (
    "chased a yellow butterfly", "stopped to watch a line of ants", "picked a bunch of flowers",
    "smelled every single flower", "rolled in the soft grass", "looked for four-leaf clovers",
    "followed a bumblebee", "made a crown of daisies", "watched a snail climb a leaf",
)  # fmt: skip
ONLY = (
    "a sleepy beetle", "a dry leaf", "a round pebble", "an old feather", "a bit of string", "a small brown twig",
    "a spider fixing its web", "a puddle", "an empty nutshell", "a clump of moss", "a broken stick", "some cold mud",
    "a rusty nail", "a torn scrap of paper",
)  # fmt: skip


def tell(t: Telling) -> None:
    """Tells the plot."""
    place = t.pick(t.cast.outdoors)
    first, second, third = t.draws.sample(place.spots, 3)
    acts = ACTS_ANYWHERE if t.cast.world.name == "snow" else ACTS_ANYWHERE + ACTS_WARM
    act, other_act = t.draws.sample(acts, 2)
    t.bind(thing=draw_treasure(t.draws), place=place, first=first, second=second, third=third, act=act, other=other_act)
    t.fix(giver=t.pick(GIVERS), only=t.pick(ONLY))
    t.fix(origin=t.pick(ORIGINS))
    open_story(
        t,
        "{h} had {thing.a}. It was {origin}, and {h.he} loved to {thing.use}.",
        "{h.His} favorite thing in the whole world was {thing.a}. {h.He} loved to {thing.use}.",
        "{h} loved {h.his} {thing} very much. It was {origin}.",
        "Of all the things {h.he} had, {h} liked {h.his} {thing} best. It was {origin}.",
    )
    t.paragraph()
    _lose(t)
    t.paragraph()
    if t.draws.chance(65):
        _go_back(t)
    else:
        _kind_finder(t)
    t.paragraph()
    close_story(
        t,
        "From then on, {h} always [looked after|took good care of] {h.his} {thing.noun}, and {h.he} checked twice before going home.",
        '"Next time something is lost, I will [stay calm|not give up|think first and look second]," {h} told {p} <evening>.',
        "{h} carried {thing.the} home [carefully|in both arms|close to {h.his} heart] and put it [in a safe place|beside {h.his} bed|on the shelf, where it belonged].",
        "{h} learned that [a calm head finds more than a worried one|lost things are easier to find with a friend|it helps to think back, step by step].",
        "{h} hugged {thing.the} and promised never to be so careless again.",
    )


def _lose(t: Telling) -> None:
    """The thing is taken along, and then it is gone."""
    t.tell(
        "{when}, {h} took {thing.the} to {place}. First {h.he} {other}. Then {h.he} {act}.",
        "{when}, {h} <went> to {place} with {h.his} {thing}. {h.He} {other}, and after that {h.he} {act}.",
        "{when}, {h} and {h.his} {thing.noun} went to {place}. It was so nice there that {h} {other}. Later, {h.he} {act}.",
    )
    t.tell(
        "But when it was time to go home, {thing.the} was gone!",
        "When {h.he} wanted to go home, {h.he} could not find {thing.the} anywhere.",
        "<suddenly>, {h} saw that {h.his} {thing.noun} was missing.",
        "Then {h.he} reached for {thing.the}, and it was not there.",
    )
    t.tell(
        '"Oh no! Where is my {thing.noun}?" {h} <cried>.',
        '"My {thing.noun}! I have lost it!" {h} <cried>. {h.His} eyes filled with tears.',
        "{h} felt <worried>. {h.He} turned around and around, but {h.he} did not see it.",
        '{h} felt a lump in {h.his} throat. "It was just here," {h.he} <whispered>.',
    )
    t.tell(
        "{h.He} looked {first}, but {h.he} found only {only}. {h.He} looked {second}. [It was not there either|There was nothing there at all|No luck there, either].",
        "{h.He} <searched> {first}, but there was only {only}. Then {h.he} peeked {second}. [Nothing|Still nothing]!",
        "{h.He} hunted {first} and {second}, but all {h.he} found was {only}.",
    )


def _go_back(t: Telling) -> None:
    """A friend helps to go back over the steps."""
    t.tell(
        "Then {h.his} friend {f.named} came along. \"Why do you look so sad?\" {f} asked. {h} told {f.him} about {thing.the}.",
        "Just then {h.his} friend {f.named} came by and asked what was wrong. \"I lost my {thing.noun},\" <told> {h}.",
        "{h.His} friend {f.named} heard {h.him} and came [running|over quickly|closer]. \"Don't cry. I will help you look,\" said {f}.",
    )
    t.tell(
        '"What did you do before you lost it?" {f} asked. {h} <thought>. "I {other}," {h.he} said, "and then I {act}." "Then let us look there!" said {f}.',
        '"Let us go back over your steps," said {f}. "Where were you when you had it last?" "I {act}," {h} said. So they went back to that very spot.',
        '{f} said, "Close your eyes and think back." {h} closed {h.his} eyes. "I remember! I {act}!" {h.he} cried. They <hurried> back together.',
    )
    t.tell(
        "There, {third}, they saw something [familiar|they knew well]. It was {thing.the}! It must have slipped away when {h} {act}.",
        "They looked everywhere. At last {f} pointed. There, {third}, was {thing.the}!",
        "And there it was, {third}! {thing.the} had been lying there all the time.",
    )
    t.tell(
        '"Thank you, {f}!" {h} <cried>, and {h.he} <jumped>.',
        '"You are a true friend," said {h}, and {h.he} gave {f} a big hug.',
        "{h} laughed with relief. \"I could not have found it without you,\" {h.he} told {f}.",
    )


def _kind_finder(t: Telling) -> None:
    """Someone found it first and kept it safe."""
    t.tell(
        "On the way home, {h} met {e}. {e} saw {h.his} sad face and stopped. \"What is the matter, {h}?\" {e} asked.",
        "{h} walked home with [slow steps|{h.his} head down|a heavy heart]. Outside, {h.he} met {e}, who asked, \"Why so sad?\"",
        "{h} asked everyone {h.he} met, and at last {h.he} asked {e}.",
    )
    t.tell(
        '"I lost my {thing.noun}," said {h}. "It is {thing.adjective}, and I love it very much."',
        '"My {thing} is gone," {h} <whispered>. "I looked everywhere."',
        '"Have you seen {thing.a}?" asked {h}. "It is my favorite thing."',
    )
    t.tell(
        '{e} <smiled>. "I found something {third} this morning," {e.he} said, and {e.he} held out {thing.the}! "I kept it safe, because I knew that someone would miss it."',
        '{e} reached [back|down] and showed {h.him} {thing.the}. "It was lying {third}," said {e}. "I was just looking for its owner."',
        '"Then this must be yours," said {e}, and there was {thing.the}! {e.He} had found it {third} and had wiped it clean.',
    )
    t.tell(
        '"Thank you, thank you!" {h} <cried>. {h.He} <jumped>.',
        "{h} was <very_happy>. \"You are so kind,\" {h.he} said.",
        "{h} hugged {thing.the} tight. The next day, {h.he} brought {e} a bunch of flowers to say thank you." if t.cast.world.name != "snow" else "{h} hugged {thing.the} tight and thanked {e} again and again.",
    )


PLOT = Plot("lost and found", "any", tell)
