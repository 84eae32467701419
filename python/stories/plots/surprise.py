"""A present is made in secret, almost goes wrong, and makes someone happy; or a birthday seems forgotten."""

from __future__ import annotations

from typing import NamedTuple

from ..beats import CLOSINGS, close_story, open_story
from ..telling import Telling
from .plot import Plot


class Present(NamedTuple):
    """What is made, from what, how, what goes wrong and how that is put right."""

    gift: str
    short: str
    needs: str
    making: str
    wrong: str
    put_right: str


PRESENTS = (
    Present("a card with a big heart on it", "card", "paper, paint and a brush", "folded the paper and painted a heart in the middle",
            "a drop of blue paint fell right on the heart", "{h.he} turned the drop into a little blue bird"),
    Present("a necklace of shells", "necklace", "a string and a handful of shells", "threaded the shells one by one",
            "the string slipped, and the shells rolled under the bed", "{h.he} crawled after them with a lantern, found them all and tied a better knot"),
    Present("a strawberry cake", "cake", "flour, eggs, milk and ripe strawberries", "mixed and stirred until the dough was smooth",
            "the cake came out with a crack down the middle", "{h.he} filled the crack with cream and put the reddest strawberries on top"),
    Present("a song", "song", "a quiet corner and a good idea", "made up the words and hummed the tune",
            "{h.he} forgot the last line", "{h.he} made up a new last line, and it was even better"),
    Present("a picture of the whole family", "picture", "a sheet of paper and all the colored pencils", "drew everyone from the biggest to the smallest",
            "there was no room left on the paper for {h.himself}", "{h.he} glued on a second sheet and drew {h.himself} waving"),
    Present("a warm scarf", "scarf", "two needles and a ball of wool", "knitted one row after another",
            "there was not enough wool for the end", "{h.he} knitted the rest in another color and gave it stripes"),
    Present("a bird feeder", "feeder", "a board, a hammer and some nails", "sawed and hammered behind the shed",
            "the roof was crooked", "{h.he} put moss on top, and then it looked like a tiny cottage"),
    Present("a bunch of wild flowers", "flowers", "a basket and a long walk", "picked poppies, daisies and cornflowers",
            "a goat ate half of them", "{h.he} made the rest into a small wreath to wear"),
    Present("a jar of plum jam", "jam", "ripe plums and a bit of honey", "stirred the pot until it bubbled",
            "the label would not stick to the jar", "{h.he} tied it on with a red ribbon"),
    Present("a puppet show", "show", "old socks, buttons and wool", "gave each sock two eyes and a mouth",
            "the curtain fell down on all the puppets", "{h.he} made the falling curtain a part of the show"),
    Present("a soft pillow", "pillow", "a piece of cloth, a needle and feathers", "sewed three sides shut and filled it",
            "{h.he} sneezed, and feathers flew all over the room", "{f} helped to catch them with a butterfly net"),
    Present("a book of stories", "book", "paper, a pen and some thread", "wrote one story on every page",
            "the pages were bound upside down", "{h.he} drew an arrow on the cover and wrote, \"This is a book for bats\""),
    Present("a flower pot with a painted sun", "pot", "a clay pot and yellow paint", "painted a sun with a smiling face",
            "the pot slipped and got a chip in its rim", "{h.he} painted petals around the chip, and it became a flower"),
    Present("a kite with a long tail", "kite", "thin sticks, paper and string", "tied the sticks into a cross and glued on the paper",
            "the glue was still wet when the wind took it", "{f} ran after it and brought it back before it touched the mud"),
    Present("a loaf of raisin bread", "bread", "flour, yeast and a cup of raisins", "kneaded the dough with all {h.his} might",
            "the raisins sank to the bottom", "{h.he} turned the loaf over, and now the raisins were on top"),
    Present("a lantern of colored paper", "lantern", "wire, glue and colored paper", "cut out stars and moons",
            "one side tore open", "{h.he} covered the hole with yellow paper, and it shone like a window"),
)  # fmt: skip
FORGOTTEN = (
    ("walked past without a word", "was too busy to play"),
    ("only said good morning", "said, \"Not now, I have to go somewhere\""),
    ("hurried out of the door", "whispered something and ran away"),
    ("asked {h.him} to fetch water from the well", "closed the curtains when {h} came near"),
    ("was nowhere to be found", "said that it was a day like any other"),
)  # fmt: skip
HIDDEN = (
    "a cake with candles, a row of paper lanterns and everyone {h} knew",
    "a table full of good food, and all {h.his} friends with funny hats",
    "balloons in every color and a band of drums and whistles",
    "a garland with {h.his} name on it and a mountain of pancakes",
    "a swing hung with flowers, a pile of little presents and the whole family",
    "a ring of lights, a bowl of berries and cream, and a dozen smiling faces",
)  # fmt: skip


def tell(t: Telling) -> None:
    """Tells the plot: in two of three stories the hero makes the surprise."""
    if t.draws.chance(68):
        _make_a_present(t)
    else:
        _seem_forgotten(t)


def _make_a_present(t: Telling) -> None:
    """The hero makes a present for someone."""
    row = t.pick(PRESENTS)
    if t.cast.world.name == "snow" and row.short in ("flowers", "feeder", "pot", "jam"):
        row = PRESENTS[3]
    who = t.pick((t.cast.parent, t.cast.parent, t.cast.elder))
    t.bind(row=row, who=who, gift=row.gift, right=row.put_right)
    open_story(
        t,
        "It was almost {who.s} birthday, and {h} wanted to give {who.him} something special.",
        "{h} knew a secret. Soon it would be {who.s} birthday, and {h} wanted to surprise {who.him}.",
        "{who} always did so much for {h}. Now {who.his} birthday was near, and {h} wanted to do something for {who.him}.",
    )
    t.paragraph()
    t.tell(
        "But {h} had no money. \"What can I give?\" {h.he} asked {h.his} friend {f.named}. \"The best presents are the ones you make,\" said {f}.",
        '"What would {who} like best?" {h} asked {h.his} friend {f.named}. "Something that you made," said {f} at once.',
        "{h} told only {h.his} friend {f.named}. The two of them put their heads together and whispered for a long time.",
    )
    t.tell(
        "So {h} decided to make {gift}. {h.He} needed {row.needs}.",
        '"I will make {gift}!" said {h}. {h.He} ran to get {row.needs}.',
    )
    t.paragraph()
    _make(t)


def _make(t: Telling) -> None:
    """The making, the mishap, the rescue and the birthday."""
    t.tell(
        "In secret, {h} set to work. {h.He} {row.making}.",
        "Every [morning|evening], when {who} was out, {h} worked in secret. {h.He} {row.making}.",
        "{h} hid [behind the door|in the shed|in the attic|behind a big bush] and began. {h.He} {row.making}.",
    )
    t.tell(
        'But then {row.wrong}! "Oh no, it is spoiled!" {h} <cried>.',
        "Everything went well until {row.wrong}. {h} almost cried.",
    )
    t.tell(
        "Then {h.he} took a deep breath and <thought>. In the end, {right}.",
        '"Wait," said {f}. "Maybe it is not as bad as it looks." And so {right}.',
        "{h} looked at it again, first from one side and then from the other. Then {right}.",
    )
    t.paragraph()
    t.tell(
        'On the birthday, {h} [cried|shouted], "Surprise!" {who} opened {who.his} eyes wide.',
        "At last the big day came. \"Close your eyes,\" said {h}. When {who} opened them again, there was {gift}.",
        "On the morning of the birthday, {h} could hardly stand still. \"This is for you,\" {h.he} said.",
    )
    t.tell(
        '"You made this for me?" asked {who}. "It is the best present I have ever had!"',
        "{who} laughed, and then {who.he} cried a little, because {who.he} was so happy.",
        '"Every part of it tells me that you thought of me," {who} said <warmly>.',
    )
    t.tell("{who} gave {h} a long, tight hug.", "{h} and {f} winked at each other.", "{h} told {who.him} the story of how it almost went wrong, and they all laughed.")
    close_story(
        t,
        "{h} learned that a present made with love is worth more than gold.",
        "{h} found out that it is just as nice to give as to get.",
        "And {h.he} began to think about what to make next.",
        percent=35,
    )


def _seem_forgotten(t: Telling) -> None:
    """Nobody seems to remember the hero's birthday."""
    first, second = t.pick(FORGOTTEN)
    t.bind(first=first, second=second, hidden=t.pick(HIDDEN), place=t.pick(t.cast.outdoors))
    open_story(t, "Soon it was going to be {h.his} birthday, and {h} was so excited that {h.he} could hardly sleep.",
               "{h} had counted the days. At last {h.his} birthday had come!", day=False)  # fmt: skip
    t.paragraph()
    t.tell(
        "On the morning of the birthday, {h} jumped out of bed. But {p} {first}. {h} waited for a kiss or a song, but none came.",
        "{h} ran to {p} early in the morning. But {p} {first}. There was no cake on the table and no song.",
    )
    t.tell(
        "Then {h} went to see {h.his} best friend, {f.named}. But {f} {second}.",
        "{h} looked for {h.his} friend {f.named}. But {f} {second}.",
    )
    t.tell('"They have all forgotten me," {h} <whispered>. {h.His} eyes grew wet.', "{h} felt <sad>. Nobody had remembered what day it was.")
    t.paragraph()
    t.tell(
        "{h} walked alone to {place} and sat there for a long time. When the sun was low, {h.he} went slowly home.",
        "All afternoon, {h} sat alone {place.at} and drew circles on the ground with a stick. At last {h.he} was hungry and went home.",
    )
    t.tell(
        "The house was dark and quiet. {h} pushed the door open. \"Surprise!\" called many voices at once.",
        "It was strangely quiet at home. {h} took one step inside, and then another. \"Surprise!\" everyone shouted.",
    )
    t.tell("Then {h} saw {hidden}.", "{h} could not believe {h.his} eyes. {h.He} saw {hidden}.")
    t.paragraph()
    t.tell(
        '"Did you think that we had forgotten you?" asked {p} with a smile. "We had so much to prepare!"',
        '"It was so hard not to tell you," said {f}. "I had to run away so that I would not laugh."',
        '"We could never forget you," said {p}, and {p.he} kissed {h.him} on the nose.',
    )
    t.tell("{h} laughed and cried at the same time.", "Now {h} was <very_happy>.", "{h} hugged everyone, one after another.")
    t.tell(
        "They danced and sang until the moon came up. {h} thought that it was the best birthday of all.",
        "It was the best birthday that {h} had ever had.",
        "{h} learned that sometimes, when it is very quiet, something wonderful is on its way.",
    )
    t.maybe(30, *CLOSINGS)


PLOT = Plot("surprise", "any", tell)
