"""A skill is hard at first and comes with practice."""

from __future__ import annotations

from typing import NamedTuple

from ..beats import close_story, open_story
from ..telling import Telling
from .plot import Plot


class Skill(NamedTuple):
    """Something to learn: base form, -ing form, the first failure, a tip, the practice, the success."""

    who: str
    do: str
    doing: str
    fail: str
    tip: str
    better: str
    success: str


SKILLS = (
    Skill("child", "ride a bicycle", "riding a bicycle", "the bicycle wobbled, and {h.he} fell into the grass",
          "Look at where you want to go, and not at your feet", "{h.he} rolled as far as the mailbox before {h.he} had to stop",
          "{h.he} rode all the way around the block and rang the bell at every corner"),
    Skill("child", "tie {h.his} shoes", "tying {h.his} shoes", "the bow fell apart as soon as {h.he} let go",
          "Make two ears like a rabbit, and let one hop through the hole", "{h.he} made a bow that held for ten steps",
          "{h.he} tied both shoes before breakfast, with two fine bows"),
    Skill("child", "play the violin", "playing the violin", "it screeched so badly that the cat ran away",
          "Hold the bow lightly, as if it were a little bird", "one clear note came out, and then another",
          "{h.he} played a whole song, and even the cat stayed to listen"),
    Skill("child", "skate", "skating", "{h.his} feet flew up, and {h.he} sat down hard",
          "Bend your knees and push to the side", "{h.he} glided from one end of the rail to the other",
          "{h.he} skated in a big circle with {h.his} arms spread wide"),
    Skill("any", "swim", "swimming", "{h.he} splashed and sputtered and sank like a stone",
          "Breathe slowly and kick with long, calm kicks", "{h.he} floated while {h.he} counted to ten",
          "{h.he} swam to the big rock and back again"),
    Skill("any", "whistle", "whistling", "only air came out, and a bit of spit",
          "Make your mouth small and round, and blow as if you cooled hot soup", "there was a tiny peep, as thin as a thread",
          "{h.he} whistled so clearly that a bird answered from the hedge"),
    Skill("any", "bake bread", "baking bread", "the loaf came out as flat and hard as a stone",
          "Let the dough rest under a cloth until it has grown", "the loaf was soft, but a little crooked",
          "the bread was high and golden, and the whole house smelled of it"),
    Skill("any", "juggle", "juggling", "all three nuts fell on {h.his} head",
          "Begin with one, then take two, and take the third when you are ready", "{h.he} kept two in the air for a whole minute",
          "three nuts went round and round, and everybody clapped"),
    Skill("any", "catch a ball", "catching a ball", "it slipped through {h.his} arms and bumped {h.his} nose",
          "Keep your eyes on the ball until you feel it", "{h.he} caught three out of ten",
          "{h.he} caught a very high ball with one leap"),
    Skill("any", "dance", "dancing", "{h.he} stepped on everyone's toes",
          "Listen for the drum, and step when it says boom", "{h.he} danced all the slow parts without a mistake",
          "{h.he} whirled and tapped and did not step on a single toe"),
    Skill("any", "paint", "painting", "the colors ran together into a big brown puddle",
          "Wait until one color is dry before you use the next", "{h.his} tree looked almost like a tree",
          "{h.he} painted the sunset, and it glowed on the paper like the real one"),
    Skill("any", "skip stones", "skipping stones", "each stone went plop and sank",
          "Choose a flat stone and throw it low, with a flick", "a stone jumped once before it sank",
          "{h.his} stone hopped seven times across the water"),
    Skill("any", "sing", "singing", "{h.his} voice cracked in the middle of the song",
          "Stand up straight and breathe all the way down to your tummy", "{h.he} reached the end of the first verse",
          "{h.he} sang the whole song, and everyone hummed along"),
    Skill("any", "knit", "knitting", "the yarn turned into one enormous knot",
          "Make one loop at a time, and never hurry", "{h.he} had a little square with only two holes in it",
          "{h.he} finished a warm scarf with a stripe at each end"),
    Skill("any", "climb the tall tree", "climbing the tall tree", "{h.he} slid down the trunk and scraped {h.his} elbow",
          "Test every branch before you trust it", "{h.he} reached the second branch and waved",
          "{h.he} sat at the very top and could see as far as the blue hills"),
    Skill("child", "read", "reading", "the letters danced about and made no sense",
          "Put your finger under each letter and say its sound", "{h.he} read the words cat, sun and bed all alone",
          "{h.he} read a whole page to {p}, with all the voices"),
    Skill("child", "fly a kite", "flying a kite", "it dived straight into the ground",
          "Run against the wind, and let the string out bit by bit", "it stayed up for as long as a sneeze",
          "the kite stood high in the sky and hummed in the wind"),
    Skill("child", "row a boat", "rowing a boat", "the boat turned around and around like a top",
          "Pull both oars at the same time", "the boat went straight as far as the first buoy",
          "{h.he} rowed across the bay and back without any help"),
    Skill("any", "make a fire of twigs for the camp", "making a fire of twigs", "there was only smoke, and it made {h.him} cough",
          "Fire needs air. Build a little house of twigs and leave a door in it", "a small flame flickered and went out again",
          "a merry fire crackled, and everyone came to warm up"),
    Skill("animal", "fly a kite", "flying a kite", "it dived straight into a bush",
          "Run against the wind, and let the string out bit by bit", "it stayed up for as long as a sneeze",
          "the kite stood high above the trees and hummed in the wind"),
    Skill("any", "play the drum", "playing the drum", "it sounded like pots falling down the stairs",
          "Tap your foot first, and let your hands follow your foot", "{h.he} kept the beat for one whole song",
          "{h.he} led the whole parade with {h.his} steady beat"),
    Skill("child", "write {h.his} name", "writing {h.his} name", "the letters looked like a heap of worms",
          "Follow the dotted lines slowly, as if you walked on them", "the first letter stood up straight and tall",
          "{h.he} wrote {h.his} whole name on a card and hung it on the door"),
    Skill("any", "weave a basket", "weaving a basket", "it had so many gaps that every nut fell out",
          "Push each row down tight before you begin the next", "the basket could hold apples, but not berries yet",
          "{h.he} carried home a full basket, and not one berry was lost"),
    Skill("any", "cook soup", "cooking soup", "it was so salty that nobody could eat it",
          "Add a little, taste it, and then add a little more", "the soup was good, though a bit thin",
          "{p} asked for a second bowl, and then for a third"),
)  # fmt: skip


def tell(t: Telling) -> None:
    """Tells the plot."""
    suits = "child" if t.cast.is_child else "animal"
    row = t.pick([row for row in SKILLS if row.who in ("any", suits)])
    if t.cast.hero.kind in ("duck", "frog", "turtle", "otter", "beaver", "swan", "seal", "penguin", "goose") and row.do == "swim":
        row = t.pick([row for row in SKILLS if row.who == "any" and row.do != "swim"])
    plain = "{h.his}" not in row.do and "camp" not in row.do and "tree" not in row.do
    t.bind(boast="I can {row.do}" if plain else "I really did it")
    t.bind(row=row, helper=t.pick((t.cast.parent, t.cast.elder, t.cast.elder)))
    open_story(
        t,
        "More than anything, {h} wanted to learn to {row.do}.",
        "All of {h.his} friends knew how to {row.do}, but {h} did not.",
        "{h} had one big dream. {h.He} wanted to {row.do}.",
        "Every day, {h} watched {helper} and wished that {h.he} could {row.do}, too." if row.do in ("bake bread", "knit", "cook soup", "sing", "weave a basket", "paint", "dance") else "{h} often dreamed of {row.doing}.",
    )
    t.paragraph()
    t.tell(
        "{when}, {h} tried it for the first time, but {row.fail}.",
        "{when}, {h} said, \"Today I will do it!\" But {row.fail}.",
        "{when}, {h.he} gave it a try. It did not go well. {row.fail}.",
    )
    t.tell(
        "{h.He} tried again, and it was no better. \"I will never learn it,\" {h.he} <whispered>.",
        '"It is too hard!" {h} <cried>, and {h.he} stamped one foot.',
        "{h} was <sad>. \"Maybe {row.doing} is not for me,\" {h.he} said." if not row.doing.startswith(("tying", "writing", "making")) else "{h} was <sad>. \"Maybe I am just too small,\" {h.he} said.",
        "{h} sat down and [hid {h.his} face|hung {h.his} head|let out a long sigh].",
    )
    t.paragraph()
    _practice(t)


def _practice(t: Telling) -> None:
    """A tip, daily practice, and one day it works."""
    t.tell(
        "{helper} had seen it all. \"When I began, I could not do it either,\" {helper.he} said <warmly>. \"{row.tip}.\"",
        "{helper} came and sat down next to {h.him}. \"Nobody can do it the first time,\" said {helper}. \"Here is a secret. {row.tip}.\"",
        '"May I tell you what helped me?" asked {helper}. "{row.tip}. And practice a little every day."',
    )
    t.tell(
        "So {h} practiced every [morning|evening|afternoon]. After [three days|a few days|a week], {row.better}.",
        "{h} tried again that day, and the next day, and the day after that. <soon>, {row.better}.",
        "{h} did not stop. {h.He} practiced in the sun and {h.he} practiced in the rain. One day, {row.better}.",
    )
    t.maybe(50, '"You see? It is coming," said {helper}.', "{h} felt a little spark of hope.", "That made {h.him} want to try even more.")
    t.paragraph()
    t.tell(
        "And then, on a <fine> morning, it happened: {row.success}!",
        "At last the big day came. {row.success}!",
        "And a few weeks later, {row.success}.",
    )
    t.tell(
        '"I did it! {boast}!" {h} <cheered>.',
        "{helper} clapped. \"I am so proud of you!\" {helper.he} said.",
        "{h} was <proud>, and {helper} was <proud>, too.",
    )
    close_story(
        t,
        "{h} learned that [practice makes hard things easy|nobody is good at something the first time|trying again is the secret].",
        "From then on, when something was hard, {h} did not say, \"I can't.\" {h.He} said, \"I can't do it yet.\"",
        "Now, when a younger friend wants to learn, it is {h} who says, \"{row.tip}.\"",
        "It had taken a long time, and that made it even sweeter.",
        percent=45,
    )


PLOT = Plot("learning a skill", "any", tell)
