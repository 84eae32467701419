"""A first day somewhere new: worry beforehand, a small mishap, a kind neighbor, and a good end."""

from __future__ import annotations

from ..beats import close_story, open_story
from ..telling import Telling
from .plot import Plot

PLACES_CHILD = (
    ("school", "the teacher", "The room was full of desks and coats and loud voices", "learned a poem about a bear and painted it with brown paint"),
    ("music class", "the music teacher", "There were drums and flutes and a piano as big as a boat", "clapped and stamped until the windows shook"),
    ("swimming class", "the swimming teacher", "The hall was warm, and every word had an echo", "blew bubbles and floated like stars"),
    ("the art club", "the painter", "It smelled of paint and clay, and the tables were full of spots", "made a long paper snake with a hundred scales"),
    ("ballet class", "the dance teacher", "The floor was smooth, and one wall was all mirrors", "jumped like frogs and turned like snowflakes"),
    ("the riding school", "the riding teacher", "It smelled of hay, and the ponies looked very tall", "brushed a pony until it shone and rode in a circle"),
    ("summer camp", "the camp leader", "There were tents under the trees and a big black pot over a fire", "roasted apples on sticks and sang until the stars came out"),
    ("the new kindergarten", "the teacher", "There were blocks up to the ceiling and a rug with roads on it", "built a city with a bridge that went from wall to wall"),
)  # fmt: skip
PLACES_ANIMAL = (
    ("the school under the big tree", "the teacher", "Everyone sat on stumps and talked at the same time", "learned to read tracks in the sand"),
    ("the singing school", "the choir leader", "Some hummed, some chirped, and all of them seemed to know each other", "sang a round with four voices, and nobody got lost"),
    ("the swimming lessons at the bay", "the swimming teacher", "The water was cool, and the others were already splashing", "floated on their backs and looked at the clouds"),
    ("the climbing school", "the climbing teacher", "The tree was high, and the others were already on the third branch", "learned to hold on tight and to trust their own feet"),
    ("the night school", "the teacher", "There were only a few lamps, and eyes shone everywhere", "learned the names of nine stars"),
    ("the building class", "the master builder", "There were heaps of twigs and clay and moss", "built a wall that not even a bull could knock over"),
)  # fmt: skip
WORRIES = (
    "What if nobody likes me", "What if I get lost", "What if I do everything wrong", "What if I can't find a seat", "What if nobody talks to me",
    "What if I am the only one who is new", "What if I have to go home early", "What if I forget my own name",
)  # fmt: skip
COMFORTS = (
    ("a smooth little stone", "Hold it when you feel alone, and think of me", "felt the smooth stone and was not so alone"),
    ("a kiss in the palm of {h.his} hand", "Press it to your cheek when you miss me", "pressed the kiss to one cheek and felt a little braver"),
    ("a ribbon around the wrist", "I wear the other half, so we are tied together", "looked at the ribbon and thought of {p}"),
    ("a button from {p.his} own coat", "When you touch it, I will think of you, too", "touched the button and counted to five"),
    ("a tiny picture", "Look at it, and then look for a friendly face", "looked at the picture and then looked up"),
)  # fmt: skip
MISHAPS = (
    "When {h} sat down, the chair tipped over with a crash, and everybody turned around",
    "{h} opened the wrong door and stood in the broom closet",
    "{h} dropped {h.his} lunch, and an orange rolled across the floor",
    "{h} wanted to say hello, but only a squeak came out",
    "{h} put on the wrong coat, and its sleeves hung down to the floor",
    "{h} had to sneeze seven times in a row, and everybody counted",
    "{h} went to the left when everyone else went to the right",
    "{h} spilled a cup of water, and it made a lake on the table",
)
KIND = (
    "picked everything up and said, \"That happened to me, too, on my first day\"",
    "giggled in a friendly way and said, \"Come and sit next to me\"",
    "winked and whispered, \"I will show you where everything is\"",
    "moved over and said, \"There is a place here\"",
    "said, \"Don't worry, I once did the same thing twice\"",
)


def tell(t: Telling) -> None:
    """Tells the plot."""
    where, teacher, sight, activity = t.pick(PLACES_CHILD if t.cast.is_child else PLACES_ANIMAL)
    gift, words, comfort = t.pick(COMFORTS if t.cast.is_child else COMFORTS[:1] + COMFORTS[2:3] + COMFORTS[4:])
    t.bind(where=where, teacher=teacher, sight=sight, activity=activity, gift=gift, words=words, comfort=comfort)
    t.bind(worry=t.pick(WORRIES), mishap=t.pick(MISHAPS), kind_=t.pick(KIND))
    open_story(t, "Tomorrow was {h.his} first day at {where}.", "{h} was going to go to {where} for the very first time.", "A big day was coming. It was {h.his} first day at {where}.", day=False)
    t.paragraph()
    t.tell(
        'In the evening, {h} lay awake. "{worry}?" {h.he} asked. {p} sat down on the bed.',
        '"I don\'t want to go," said {h} at breakfast. "{worry}?" {p} put down the spoon.',
        "On the way there, {h} walked slower and slower. \"{worry}?\" {h.he} <whispered>. {p} stopped and bent down.",
    )
    t.tell('{p} gave {h.him} {gift}. "{words}," {p.he} said <warmly>.', '"Everyone is afraid on the first day," said {p}. {p.He} gave {h.him} {gift}. "{words}."')
    t.paragraph()
    _arrive(t)


def _arrive(t: Telling) -> None:
    """The arrival, a small mishap and somebody kind."""
    t.tell("Then the time had come. {sight}. {h} stood at the door and did not dare to go in.", "When they arrived, {h.his} tummy felt funny. {sight}. {h} wanted to turn around.")
    t.tell('"You must be {h}," said {teacher}. "How nice that you are here!"', '"Welcome, {h}," said {teacher} with a smile. "We have been waiting for you."')
    t.tell("{mishap}. {h.His} face grew hot.", "But right at the start, something went wrong. {mishap}.")
    t.tell("{h} {comfort}.")
    t.tell("Then somebody came over. It was a {f.look}, whose name was {f}. {f.He} {kind_}.", "A {f.look} named {f} {kind_}.")
    t.paragraph()
    t.tell("After that, the day went by like the wind. They {activity}.", "From then on, everything was easier. Together they {activity}.")
    t.tell("At lunch, {h} and {f} shared their bread and found out that they both liked [frogs|riddles|pickles|thunder|blue things|jokes].", "{h} laughed so much that {h.he} forgot to be afraid.", "{f} showed {h.him} the best hiding place, and {h} showed {f} how to [whistle|wink with both eyes|make a paper hat].")
    t.tell('When {p} came to fetch {h.him}, {h} said, "Already?"', '"How was it?" asked {p}. "Can I go again tomorrow?" asked {h}.')
    t.paragraph()
    close_story(
        t,
        "{h} learned that a new place is only new for one day.",
        "The next morning, {h} was the first one at the door.",
        "And when somebody else was new, {h} was the one who went over and said hello.",
        percent=40,
    )


PLOT = Plot("first day", "any", tell)
