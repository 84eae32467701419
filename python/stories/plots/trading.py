"""One thing is needed; each neighbor has something, but needs something else first."""

from __future__ import annotations

from ..beats import close_story, open_story
from ..telling import Telling
from .plot import Plot

# What is to be made, and the one thing that is missing for it.
GOALS = (
    ("bake a birthday cake for {h.his} friend {f.named}", "eggs", "the cake", "the cake was high and golden, and {f} blew out all the candles"),
    ("cook a big pot of soup", "an onion", "the soup", "the soup was so good that everyone wanted a second bowl"),
    ("mend the roof before the rain", "nails", "the roof", "the first drops fell, and not one of them came inside"),
    ("make a warm coat for the winter", "wool", "the coat", "the coat had a hood and two deep pockets, and it was as warm as toast"),
    ("paint the old gate", "a brush", "the gate", "the gate shone so brightly that bees came to look for its flowers"),
    ("make pancakes for the whole family", "milk", "the pancakes", "the pancakes flew up high and landed in the pan, every single one"),
    ("build a house for the birds", "a hammer", "the birdhouse", "a pair of starlings moved in on the very same day"),
    ("make jam for the winter", "honey", "the jam", "twelve jars stood in a row and glowed like rubies"),
    ("sew a flag for the boat", "thread", "the flag", "the flag danced in the wind, red and white and blue"),
    ("put on a puppet show", "a curtain", "the show", "everybody laughed so hard that the puppets had to bow five times"),
    ("make candles for the long nights", "wax", "the candles", "a small light shone in every window"),
    ("bake bread for the feast", "flour", "the bread", "the smell of it brought guests from three hills away"),
)  # fmt: skip
# What neighbors need, with the reason; each of these is also what another one gives.
WANTS = (
    ("a bag of hay", "the goat is hungry"), ("a bundle of firewood", "my stove is cold"), ("a ball of string", "my beans need something to climb on"),
    ("a bucket of water", "my well is dry"), ("a basket of apples", "I want to make cider"), ("a jar of glue", "my chair has lost a leg"),
    ("a warm scarf", "my neck is stiff"), ("a broom", "there is sand all over my floor"), ("a bunch of carrots", "my rabbit eats nothing else"),
    ("a pot of ink", "I have to write a letter"), ("a wooden spoon", "mine broke in the porridge"), ("a bar of soap", "my hands are black with soot"),
    ("a sack of feathers", "my pillow is flat"), ("a lamp", "my cellar is dark"), ("a bowl of berries", "I have guests for tea"),
    ("a pinch of salt", "my stew tastes of nothing"), ("a big nut", "I want to plant a tree"), ("a clean bottle", "my medicine needs a place"),
    ("a piece of leather", "my shoe has a hole"), ("a pair of candles", "I sit in the dark every night"), ("a fresh egg", "it is all I can eat"),
    ("a loaf of bread", "I have had no breakfast"), ("a handful of seeds", "my flower bed is bare"), ("a ladder", "my hat is on the roof"),
)  # fmt: skip
KEEPERS_CHILD = (
    "the miller", "the baker", "the old woman at the corner", "the tailor", "the beekeeper", "the man with the long beard",
    "the innkeeper", "the widow by the bridge", "the shepherd", "the shoemaker", "the ferryman", "the cook", "the gardener",
    "the night watchman", "the piano tuner", "the clockmaker",
)  # fmt: skip
KEEPERS_ANIMAL = (
    "the goose", "the old ram", "the magpie", "the mole", "the old squirrel", "the marten", "the toad under the stone", "the weasel",
    "the crow", "the dormouse", "the heron", "the hamster", "the woodpecker", "the old hare", "the lizard", "the partridge",
)  # fmt: skip


def tell(t: Telling) -> None:
    """Tells the plot."""
    goal, missing, noun, end = t.pick(GOALS)
    kinds = (t.cast.hero.kind, t.cast.friend.kind, t.cast.elder.name.split()[-1].lower())
    pool = KEEPERS_CHILD if t.cast.is_child else KEEPERS_ANIMAL
    first, second = t.draws.sample([k for k in pool if not any(kind and kind in k for kind in kinds) and k != t.cast.elder.name], 2)
    wants = [row for row in WANTS if row[0].split()[-1].rstrip("s") not in missing]
    one, two = t.draws.sample(wants, 2)
    t.bind(goal=goal, missing=missing, noun=noun, end=end, a_=first, b_=second, one=one[0], one_why=one[1], two=two[0], two_why=two[1])
    counted = missing.startswith(("a ", "an "))
    t.bind(some="one" if counted else "some", bare=missing.split(" ")[-1])
    open_story(t, "{h} liked to be useful.", "{h} had many neighbors and was friends with all of them.", "")
    t.paragraph()
    t.tell(
        "{when}, {h} and {p} wanted to {goal}. Everything was ready, but one thing was missing. They had no {bare}.",
        '{when}, {h} helped {p} to {goal}. "Oh dear," said {p}, "we have no {bare}!" "I will get {some}," said {h}.',
    )
    t.paragraph()
    _round(t)


def _round(t: Telling) -> None:
    """From door to door and back again."""
    t.tell(
        'So {h} went to {a_} and asked for {missing}. "You can have {some}," was the answer, "but first bring me {one}, because {one_why}."',
        "{h} knocked at the door of {a_}. \"Of course I have {missing},\" was the answer. \"But {one_why}. Bring me {one}, and we will trade.\"",
    )
    t.tell(
        'Where could {h} get {one}? {h.He} ran to {b_}. "I have {one}," {b_} said, "but I need {two}, because {two_why}."',
        "{h} <thought> and then went to {b_} to ask for {one}. \"Gladly,\" {b_} said, \"but {two_why}. Can you find {two} for me?\"",
    )
    t.tell(
        "{h} was almost out of breath when {h.he} got to {e}. \"I am looking for {two},\" {h.he} said. {e} smiled. \"I have {two}, and I don't need anything but a kind word,\" {e.he} said.",
        'At last {h} came to {e}. "Do you have {two}?" asked {h}. "Take it, my friend," said {e}. "You once helped me, and I have not forgotten it."',
    )
    t.paragraph()
    t.tell(
        "Now {h} ran all the way back. {h.He} gave {two} to {b_} and got {one}. {h.He} gave {one} to {a_} and got {missing}. And {h.he} brought {missing} home.",
        "Then everything went quickly. {b_} got {two}, {a_} got {one}, and {h} came home with {missing}, tired and <happy>.",
    )
    t.tell('"What took you so long?" asked {p}. {h} laughed. "I had to make two others happy first," {h.he} said.', '"You are back!" said {p}. "And you look as if you had been around the whole world."')
    t.tell("They went to work. And in the end, {end}.", "Soon they were done, and {end}.")
    close_story(
        t,
        "{h} learned that everyone needs something, and everyone has something to give.",
        "And because it had been so much work, {h} invited all who had helped.",
        "From that day on, {h} knew that good neighbors are worth more than gold.",
        "{h} knew now that a kind deed travels in a circle and comes home again.",
        percent=35,
    )


PLOT = Plot("trading", "any", tell)
