"""A seed is planted, cared for and waited for; the harvest is shared."""

from __future__ import annotations

from typing import NamedTuple

from ..beats import close_story, open_story
from ..telling import Telling
from .plot import Plot


class Plant(NamedTuple):
    """A plant: its seed, the first sign, how it grows, and what it gives."""

    name: str
    seed: str
    sprout: str
    grown: str
    gives: str
    use: str


PLANTS = (
    Plant("sunflower", "a striped seed", "a pale green loop", "it was taller than the door and had a face as round as the sun", "a head full of seeds", "gave the seeds to the birds and kept one for the next year"),
    Plant("pumpkin", "a flat white seed", "two thick green leaves", "a pumpkin lay under the leaves like a sleeping orange moon", "one giant pumpkin", "cooked soup for the whole neighborhood"),
    Plant("bean", "a smooth purple bean", "a bent green neck", "it had climbed its pole to the very top", "three bowls of beans", "ate beans with butter and shared them with the neighbors"),
    Plant("tomato", "a seed as tiny as a crumb", "a thin stem with two pointed leaves", "it was heavy with round red fruit", "a basket of tomatoes", "made a big pot of sauce and invited everyone"),
    Plant("carrot", "a seed as thin as a hair", "a feathery green tuft", "its orange top peeped out of the ground", "a bunch of sweet carrots", "ate them raw, and they went crunch, crunch, crunch"),
    Plant("apple tree", "a shiny brown seed", "one straight little stick with a bud", "years had gone by, and it was white with blossoms", "the very first apple", "cut the apple into thin slices, so that everyone could taste it"),
    Plant("strawberry plant", "a seed like a grain of sand", "three round leaves", "little white flowers turned into red berries", "a handful of strawberries", "put them on a cake, one berry for each guest"),
    Plant("radish", "a small round seed", "two leaves like a heart", "a red shoulder pushed out of the earth", "ten crisp radishes", "put them on buttered bread with a pinch of salt"),
    Plant("tulip", "a brown bulb like an onion", "a green tip like a pencil", "it opened one cup of deep red", "the brightest flower on the street", "let everyone look at it and drew its picture"),
    Plant("watermelon", "a black, slippery seed", "two fat, shiny leaves", "its fruit was so heavy that nobody could lift it alone", "a melon full of sweet red juice", "cut it open on the hottest day of the year and spat the seeds as far as they could"),
    Plant("corn plant", "a hard golden grain", "a rolled green leaf like a flag", "its leaves rustled high above {h.his} head", "six yellow ears of corn", "popped the grains over the fire, pop, pop, pop"),
    Plant("pea plant", "a wrinkled green pea", "a curly green finger", "it held on to its stick with little green curls", "a bowl of fat pods", "sat on the steps together and shelled the peas, one for the bowl and one for the mouth"),
    Plant("lavender bush", "a seed like a dot", "a soft gray leaf", "it was purple all over, and the bees loved it", "a bundle of sweet-smelling stalks", "sewed small bags of lavender and gave one to each neighbor"),
    Plant("potato plant", "an old potato with three eyes", "a crinkly dark leaf", "it had white flowers with yellow hearts", "a whole bucket of potatoes", "baked them in the ashes of a fire and ate them with their fingers"),
    Plant("cherry tree", "a round, hard stone", "a tiny twig with two leaves", "the tree was as tall as {h} at last and covered with pink flowers", "eleven dark cherries", "hung cherries over their ears like earrings and then ate them"),
    Plant("rose bush", "a bare, thorny stick", "a small red bud", "it bloomed over the whole fence", "roses as big as cups", "gave one rose to everyone who walked by"),
    Plant("cabbage", "a dark little ball of a seed", "a bluish tuft of leaves", "it was as big and round as a drum", "one huge cabbage", "cooked it with apples in the biggest pot of the house"),
)  # fmt: skip
DANGERS = (
    ("the sun burned for days, and its leaves hung down", "carried water to it every evening, can after can", "the leaves stood up again like small hands"),
    ("hungry snails came in the night", "picked up the snails one by one and carried them to the far meadow", "new leaves grew where the old ones had been eaten"),
    ("a strong wind bent it to the ground", "pushed a stick into the earth and tied the plant to it with a soft ribbon", "it stood straight and tall again"),
    ("weeds grew all around it and took its light", "knelt down and pulled out every weed by its roots", "it could drink the sunshine again"),
    ("a cold night came with frost", "covered it with {h.his} own blanket", "it was warm and green in the morning, and only the edge of the blanket was white"),
    ("a crow wanted to pull it out", "built a funny scarecrow with an old hat", "the crow laughed, but it stayed away"),
    ("tiny green bugs sat on every leaf", "asked the ladybugs for help and set three of them on the plant", "the bugs were gone within a week"),
    ("the ground was as hard as stone after the drought", "loosened the earth all around it with a little fork", "the rain could sink in and reach its roots"),
)  # fmt: skip


def tell(t: Telling) -> None:
    """Tells the plot."""
    danger, deed, rescue = t.pick(DANGERS)
    giver = t.pick((t.cast.parent, t.cast.elder))
    t.bind(row=t.pick(PLANTS), danger=danger, deed=deed, rescue=rescue, giver=giver)
    t.bind(guest="{h.his} friend {f.named}" if giver is t.cast.parent else "{giver}")
    open_story(t, "{h} liked things to happen fast, and {h.he} did not like to wait.", "{h} wished for something of {h.his} very own to take care of.", "", day=False)
    t.paragraph()
    t.tell(
        "One spring morning, {giver} gave {h} {row.seed}. \"What is it?\" asked {h}. \"A secret,\" said {giver}. \"Plant it, and it will tell you.\"",
        "One day in spring, {giver} held out {row.seed}. \"Inside it sleeps a {row.name},\" {giver.he} said. \"You must wake it up gently.\"",
        'In early spring, {giver} put {row.seed} in front of {h}. "Take good care of it," said {giver}, "and one day you will have a {row.name}."',
    )
    t.tell(
        "{h} dug a small hole in a sunny spot, laid it in and covered it with soft earth. Then {h.he} gave it a drink of water.",
        "{h} chose the sunniest place, made a hole with one finger, and tucked it in like a baby in bed." if t.cast.is_child else "{h} chose the sunniest place, dug a little hole and tucked it in like a baby in bed.",
    )
    t.paragraph()
    _wait_and_harvest(t)


def _wait_and_harvest(t: Telling) -> None:
    """The hero waits, saves the plant from a danger and shares the harvest."""
    t.tell(
        "{h} sat down to watch. Nothing happened. The next day, nothing happened either. \"It does not like me,\" {h} <whispered>.",
        'Every morning, {h} ran out to look, but there was only bare earth. "When will it come?" {h.he} asked again and again.',
        "One day passed, and another, and a whole week. {h} wanted to dig it up again to see if it was still there.",
    )
    t.tell(
        '"Wait," said {giver}. "Under the ground, it is working hard."',
        '"Good things grow slowly," {giver} said <warmly>. "Water it, and sing to it if you like."',
        "{giver} smiled. \"You did not grow in one day, either,\" {giver.he} said.",
    )
    t.tell("Then, one morning, up came {row.sprout}! {h} <jumped>.", "And at last, {row.sprout} pushed up through the earth. \"Hello, little one,\" said {h}.")
    t.paragraph()
    t.tell("But in the summer, {danger}.", "But growing is not easy. One day, {danger}.")
    t.tell("{h} {deed}, and {rescue}.", "{h} {deed}. And see, {rescue}.")
    t.tell("The {row.name} grew and grew, until {row.grown}.", "Week after week, the {row.name} grew, until one day {row.grown}.")
    t.paragraph()
    t.tell(
        "{h} had waited so long, and now it was time for the harvest: {row.gives}! {h} called {guest} and {p}, and they {row.use}.",
        "It gave {h.him} {row.gives}. {h} did not keep it for {h.himself}. {h.He} was glad to share it with {guest} and {p}. They {row.use}.",
    )
    close_story(
        t,
        "{h} learned that waiting is easier when there is something to take care of.",
        '"It was worth the wait," said {h}.',
        "And {h} was already thinking of the next spring.",
        "{h} knew now that small things become big with time, water and love.",
        percent=35,
    )


PLOT = Plot("growing", "any", tell)
