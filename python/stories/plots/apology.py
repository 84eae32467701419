"""A mistake, the wish to hide it, the truth, and a way to make it good."""

from __future__ import annotations

from typing import NamedTuple

from ..beats import close_story, open_story
from ..telling import Telling
from .plot import Plot


class Mistake(NamedTuple):
    """What happened to whose thing, who could be blamed, and what makes it good. `o` is the owner."""

    who: str
    rule: str
    doing: str
    harm: str
    hide: str
    blame: str
    mend: str


MISTAKES = (
    Mistake("child", "not to play ball in the house", "threw the ball just once, only a little", "it knocked over {o.s} blue vase, and the vase broke",
            "swept the pieces under the rug", "the cat", "glued the vase together, piece by piece, and picked fresh flowers for it"),
    Mistake("any", "not to touch the fresh cookies", "took one, and then another, and then one more", "{o.s} whole plate was empty",
            "wiped the crumbs from {h.his} mouth", "the mice", "baked a new batch together, and {h} washed all the bowls"),
    Mistake("any", "to keep the garden gate shut", "ran out in a hurry and left it open", "the goats came in and ate {o.s} lettuce",
            "closed the gate and walked away fast", "the wind", "dug the beds again and planted a new row of lettuce"),
    Mistake("any", "not to play with {o.s} paints", "opened the red one only to smell it", "it spilled all over {o.s} new picture",
            "pushed the picture behind the cupboard", "the dog next door", "painted a new picture together, and it was bigger and brighter than the first"),
    Mistake("child", "to feed the rabbit every morning", "forgot all about it and went out to play", "{o.s} rabbit sat in front of an empty bowl all day",
            "filled the bowl to the brim in the evening", "the broken clock", "went to the rabbit together, gave it carrots and made a list to hang on the door"),
    Mistake("any", "to walk around the flower bed", "took a short cut right through the middle of it", "{o.s} best tulips lay bent on the ground",
            "propped the tulips up with sticks", "the rain", "planted new bulbs and built a small fence of twigs"),
    Mistake("any", "to be careful with {o.s} book", "read it in the bathtub", "it slid into the water, and its pages went soft and wavy",
            "put it back on the shelf, still dripping", "a hole in the roof", "dried the pages one by one in the sun and pressed them flat under a stone"),
    Mistake("any", "not to climb on the old fence", "climbed up to see over it", "a board cracked, and {o.s} hens ran out in all directions",
            "leaned the board against the gap", "the fox", "caught every hen, one after another, and nailed up a new board"),
    Mistake("child", "to tell the truth about homework", "said it was done and went to fly a kite", "in the morning, {o} asked to see it, and there was nothing on the page",
            "looked down at {h.his} shoes", "{h.his} little brother", "sat down side by side and did the homework, one line at a time"),
    Mistake("any", "to bring back {o.s} basket before supper", "used it as a boat on the water", "it floated away around the bend and was gone",
            "hid behind a bush when {o} came by", "a thief", "wove a new basket out of willow, and {h} carried {o.s} apples in it all week"),
    Mistake("any", "not to shake the apple tree", "gave it one little shake", "all the green apples fell down long before they were ripe",
            "covered the apples with leaves", "the storm", "picked up the apples together and cooked them into sour apple jelly"),
    Mistake("any", "to whisper while the baby slept", "blew a horn as loud as {h.he} could", "{o.s} baby woke up and cried and cried",
            "put the horn in {h.his} pocket", "a passing goose", "rocked the baby together, and {h} sang softly until it slept again"),
    Mistake("any", "not to touch {o.s} honey pot", "only wanted to lick the lid", "the pot tipped over, and the honey ran across the floor",
            "put a mat over the sticky spot", "the bees", "scrubbed the floor until it shone, and {h} gave {o} {h.his} own jar of honey"),
    Mistake("child", "not to use {o.s} scissors", "cut out one paper star", "{h.he} cut a hole right through the tablecloth",
            "put a bowl on top of the hole", "the moths", "sewed a bright patch over the hole in the shape of a star"),
    Mistake("any", "not to play near the washing line", "chased a leaf between the sheets", "the line came down, and {o.s} clean sheets fell in the mud",
            "folded the sheets so that the mud was inside", "the wind", "washed the sheets again and hung them up in the sun together"),
    Mistake("any", "to wait until the paint was dry", "sat down on {o.s} new bench", "there was a big round mark in the green paint",
            "turned the bench to the wall", "a stray cat", "took two brushes and painted the bench once more"),
    Mistake("any", "not to pull at the loose thread", "pulled at it only a little", "half of {o.s} sweater turned into a heap of wool",
            "stuffed the wool into a drawer", "the moths", "wound the wool into a ball, and {o} taught {h} how to knit it up again"),
    Mistake("any", "not to ring the big bell", "gave the rope one small tug", "everyone came running, because {o} rang that bell only when there was danger",
            "slipped away around the corner", "a flock of crows", "went from door to door and told everyone that nothing was wrong"),
)  # fmt: skip


def tell(t: Telling) -> None:
    """Tells the plot."""
    suits = "child" if t.cast.is_child else "animal"
    rows = [row for row in MISTAKES if row.who in ("any", suits)]
    if t.cast.world.name == "snow":
        rows = [row for row in rows if not any(word in row.rule for word in ("flower", "tree", "garden", "fence", "basket"))]
    if t.cast.elder.name.startswith("the ") and t.cast.elder.trait:
        owner = t.cast.parent
    else:
        owner = t.pick((t.cast.parent, t.cast.elder))
    t.bind(row=t.pick(rows), o=owner, forgave="took {h} in {o.his} arms" if owner is t.cast.parent else "nodded")
    open_story(
        t,
        "{h} was a good {h.kind}, but sometimes {h.he} did not listen.",
        "{h} liked to do things [quickly|fast|in a hurry], and sometimes {h.he} did not think first.",
        "",
    )
    t.paragraph()
    t.tell(
        "{o} had told {h.him} {row.rule}. But {when}, {h} {row.doing}.",
        '{o} had told {h.him} many times {row.rule}. "Yes, yes," {h} always said. But {when}, {h} {row.doing}.',
        "There was one rule. {h} had been told {row.rule}. But {when}, nobody was looking, and {h} {row.doing}.",
    )
    t.tell(
        "Then it happened: {row.harm}!",
        "And {row.harm}.",
        "Before {h.he} knew it, {row.harm}.",
    )
    t.paragraph()
    _hide_and_tell(t)


def _hide_and_tell(t: Telling) -> None:
    """The hero wants to hide it, tells the truth and makes it good."""
    t.tell(
        "{h} felt hot and cold. {h.He} was afraid that {o} would be <cross>. Quickly, {h.he} {row.hide}.",
        '"Oh no, what have I done?" {h} <whispered>. {h.He} looked left and right and {row.hide}.',
        "{h.His} heart beat fast. Nobody had seen it. {h.He} {row.hide}.",
    )
    t.tell(
        "When {o} asked what had happened, {h} wanted to say that it was {row.blame}. The words were already on {h.his} tongue.",
        "\"I could say that it was {row.blame},\" {h.he} thought. But that thought made {h.his} tummy ache.",
        '"Maybe it was {row.blame}," {h} said when {o} asked. But as soon as {h.he} had said it, {h.he} felt even worse.',
    )
    t.tell(
        "All evening, {h} could not eat or play. The secret felt as heavy as a stone.",
        "{h} lay awake for a long time. The secret sat on {h.his} chest like a fat toad.",
        "The longer {h.he} kept quiet, the heavier {h.his} heart grew.",
        "Even {h.his} friend {f.named} could not cheer {h.him} up. \"Tell the truth,\" said {f}. \"Then it will be lighter.\"",
    )
    t.paragraph()
    t.tell(
        "At last, {h} went to {o}. \"It was me,\" {h.he} said with a [small|shaky|trembling] voice. \"I am so sorry.\"",
        "Finally {h} could not bear it any longer. \"I did it,\" {h.he} told {o}. \"I should have listened. I am sorry.\"",
    )
    t.tell(
        "{o} was quiet for a moment. \"I am a little sad about it,\" {o.he} said, \"but I am glad that you told me the truth.\"",
        "{o} sighed and then {forgave}. \"Everyone makes mistakes,\" {o.he} said. \"It takes courage to say so.\"",
        '"Thank you for telling me," said {o}. "That was harder than hiding it. Now let us make it good."',
    )
    t.tell("Together they {row.mend}.", "The next morning, they {row.mend}.")
    close_story(
        t,
        "{h} felt as light as a feather.",
        "From then on, {h} listened better, and when {h.he} did something wrong, {h.he} said so at once.",
        "{h} learned that the truth may be hard to say, but it is much harder to hide.",
        "And the stone in {h.his} heart was gone.",
        percent=35,
    )


PLOT = Plot("apology", "any", tell)
