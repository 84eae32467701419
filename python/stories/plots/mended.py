"""Something breaks and is mended, by thinking, with the right tool and some help."""

from __future__ import annotations

from typing import NamedTuple

from ..beats import close_story, open_story
from ..telling import Telling
from .plot import Plot


class Repair(NamedTuple):
    """A thing that breaks, why it is loved, what fails first and what mends it."""

    who: str
    thing: str
    love: str
    breaks: str
    wrong: str
    wrong_end: str
    tool: str
    right: str


REPAIRS = (
    Repair("any", "kite", "fly it over the rooftops", "It caught on a thorn bush, and a long tear ran down its middle",
           "tie the torn sides together with grass", "the grass snapped in the wind", "a strip of cloth and a pot of glue",
           "spread the glue along the tear and pressed the cloth over it"),
    Repair("any", "wagon", "pull it along the lane", "It hit a stone, and one wheel rolled away into the ditch",
           "push the wheel back on", "it fell off again after two turns", "a hammer and a wooden peg",
           "put the wheel on its axle and tapped the peg in to hold it"),
    Repair("any", "wooden boat", "sail it on the pond", "It bumped against a rock, and water came in through a crack",
           "stuff the crack with leaves", "the leaves washed away", "a lump of warm wax",
           "pressed the soft wax into the crack until not one drop could get in"),
    Repair("any", "drum", "play it in the morning", "It rolled down the steps, and its skin came loose",
           "hold the skin down with one hand", "it made only a sad little flap", "a long leather cord",
           "pulled the skin tight and tied the cord around the rim"),
    Repair("child", "bicycle", "ride it to the park", "A sharp nail went into the tire, and the air hissed out",
           "blow it up with a pump", "the air hissed right out again", "a rubber patch and some glue",
           "found the tiny hole, dried it and stuck the patch on top"),
    Repair("child", "teddy bear", "hug it at night", "The puppy pulled at it, and one arm came off",
           "stick the arm on with tape", "the tape did not hold", "a needle and brown thread",
           "sewed the arm back on with small, neat stitches"),
    Repair("child", "swing in the yard", "swing on it after school", "One of its ropes broke with a loud snap",
           "tie the ends in a small knot", "the knot slipped open", "a new, thick rope",
           "threw the rope over the branch and made a knot that sailors use"),
    Repair("any", "umbrella", "walk under it in the rain", "The storm turned it inside out, and a rib popped loose",
           "bend it back by hand", "it popped loose again at once", "a needle and strong thread",
           "sewed the cloth to the rib and closed it carefully"),
    Repair("any", "basket", "gather nuts and berries in it", "It was too full, and the handle tore off",
           "carry it from below", "half of the berries fell out", "three thin willow twigs",
           "soaked the twigs in water until they could bend and wove them into a new handle"),
    Repair("any", "music box", "listen to its song before bed", "It fell from the shelf and stopped in the middle of its song",
           "shake it", "it only rattled", "a tiny screwdriver",
           "opened the lid and put the little spring back in its place"),
    Repair("any", "chair", "sit on it by the window", "One leg cracked, and the chair tipped over with a bump",
           "lean it against the wall", "it slid down to the floor", "a saw, a stick and some glue",
           "cut the stick to the right length and glued it in as a new leg"),
    Repair("any", "birdhouse", "watch the birds that lived in it", "The wind knocked it down, and its roof split in two",
           "lay a big leaf on top", "the leaf blew away", "two boards and four nails",
           "nailed the boards together so that the rain could run off"),
    Repair("any", "lantern", "carry it on evening walks", "It slipped and fell, and the glass broke",
           "light it without the glass", "the wind blew the flame out", "a sheet of oiled paper",
           "folded the paper around the frame, and the light shone soft and golden"),
    Repair("any", "sled", "race down the hill on it", "It hit a tree stump, and a runner bent out of shape",
           "ride on one runner", "the sled went round in circles", "a hammer and a flat stone",
           "laid the runner on the stone and hammered it straight again"),
    Repair("any", "flute", "play songs for the birds on it", "It was stepped on, and it squeaked like a mouse",
           "blow harder", "it squeaked even louder", "a little beeswax and a thread",
           "filled the crack with beeswax and wound the thread around it"),
    Repair("any", "garden gate", "swing back and forth on it", "Its rusty hinge broke, and it hung down crookedly",
           "prop it up with a stick", "the stick fell over", "a new hinge and a drop of oil",
           "screwed the new hinge to the post and gave it a drop of oil"),
    Repair("child", "toy train", "push it around the table", "Its wheels were jammed and would not turn",
           "push it harder", "it only scratched the floor", "a pair of tweezers",
           "pulled a ball of hair and dust out from between the wheels"),
    Repair("child", "raincoat", "splash in the puddles in it", "It caught on the fence and got a hole in its sleeve",
           "hold the hole shut", "the rain still came in", "a patch shaped like a duck",
           "sewed the patch over the hole with yellow thread"),
    Repair("child", "pair of glasses", "read stories with it", "It slid off the table, and a tiny screw fell out",
           "hold it on with one finger", "it was hard to turn the pages that way", "a magnet and a tiny screwdriver",
           "found the screw in the carpet with the magnet and turned it back in"),
    Repair("any", "clay pot", "keep flowers in it", "It tumbled from the windowsill and broke into three pieces",
           "pile the pieces up", "they fell apart with a clink", "some strong glue and a lot of time",
           "fitted the pieces together like a puzzle and waited until the glue was dry"),
    Repair("any", "scarecrow", "say good morning to it", "The wind blew it down, and its straw flew everywhere",
           "stand it up again", "it folded in the middle", "a broom handle and a ball of string",
           "tied it to the broom handle and stuffed it with fresh straw"),
    Repair("any", "rope ladder", "climb up to the tree house on it", "One of its steps broke in the middle",
           "jump over the missing step", "it was much too far", "a smooth, strong branch",
           "cut the branch to size and tied it in with double knots"),
)  # fmt: skip


def tell(t: Telling) -> None:
    """Tells the plot."""
    suits = "child" if t.cast.is_child else "animal"
    row = t.pick([row for row in REPAIRS if row.who in ("any", suits)])
    t.bind(row=row, helper=t.pick((t.cast.elder, t.cast.elder, t.cast.parent, t.cast.friend)))
    t.introduce("helper")
    t.fix(color="<color>")
    open_story(
        t,
        "{h} had a [<old>|{color}|fine old] {row.thing}, and {h.he} loved to {row.love}.",
        "{h.His} best treasure was a {color} {row.thing}. Every day, {h} loved to {row.love}.",
        "{h} was <proud> of {h.his} {color} {row.thing}. {h.He} loved to {row.love}.",
    )
    t.paragraph()
    t.tell(
        "{when}, something [bad|sad|terrible] happened to the {row.thing}. {row.breaks}.",
        "But {when}, the {row.thing} broke. {row.breaks}.",
        "Then, {when}, there was an accident with the {row.thing}. {row.breaks}.",
    )
    t.tell(
        '"Oh no, my poor {row.thing}!" {h} <cried>.',
        "{h} stood there with [wet eyes|an open mouth|trembling lips]. \"It is broken,\" {h.he} <whispered>.",
        "{h} felt like crying. \"Now it is ruined,\" {h.he} said.",
        "{h} was <sad>. {h.He} picked up the {row.thing} and held it close." if row.thing not in ("swing in the yard", "garden gate", "wagon", "bicycle", "rope ladder", "sled", "scarecrow") else "{h} was <sad>. {h.He} sat down beside the {row.thing} and sighed.",
    )
    t.paragraph()
    _repair(t)


def _repair(t: Telling) -> None:
    """A first try fails, and with help it is mended."""
    t.tell(
        "First, {h} tried to {row.wrong}, but {row.wrong_end}.",
        "{h} tried to {row.wrong}. It was no use, because {row.wrong_end}.",
        '"Maybe I can fix it myself," thought {h}. {h.He} tried to {row.wrong}, but {row.wrong_end}.',
    )
    t.tell(
        "So {h.he} went to {intro} and asked for help. {helper} looked at the {row.thing} [from all sides|for a long time|closely] and nodded.",
        "{intro} heard about it and came to look. \"Hmm,\" said {helper}. \"Let me see.\"",
        '"Can you help me?" {h} asked {intro}. "I can help you to do it yourself," said {helper}.',
    )
    t.tell(
        '"What is broken can often be mended," {helper.he} said <warmly>. "All we need is {row.tool}."',
        '"We need {row.tool}," {helper.he} said, "and a little patience."',
        '"Do not throw it away," {helper.he} said. "Bring me {row.tool}, and I will show you how."',
    )
    t.tell(
        "{helper} showed {h} what to do. <carefully>, {h} {row.right}.",
        "They worked [all afternoon|side by side|together until supper]. {helper} held it still, and {h} {row.right}.",
        "{h} listened and worked <carefully>. {h.He} {row.right}.",
    )
    t.paragraph()
    _end(t)


def _end(t: Telling) -> None:
    """It works again, and something was learned."""
    t.tell(
        "When they were done, the {row.thing} was [almost as good as new|as good as new|even better than before].",
        "At last they tried it out. It worked! The {row.thing} was [whole|strong] again.",
        "And look, the {row.thing} was mended!",
    )
    t.tell(
        '"Thank you!" said {h}. "Now I know how to do it."',
        '"We fixed it!" {h} <cheered>, and {h.he} <jumped>.',
        "{h} gave {helper} a big hug and could not stop smiling.",
    )
    close_story(
        t,
        "{h} loved {h.his} {row.thing} even more now, because {h.he} had mended it {h.himself}.",
        "After that, whenever something broke, {h} did not cry. {h.He} looked for {h.his} tools.",
        "{h} learned that a broken thing is not the end of the story.",
        "{h} learned that with patience and a helping hand, many things can be made whole again.",
        percent=45,
    )


PLOT = Plot("mended", "any", tell)
