"""A gentle piece of magic: something small is helped and grants a wish, which is spent on someone else."""

from __future__ import annotations

from typing import NamedTuple

from ..beats import close_story, open_story
from ..telling import Telling
from .plot import Plot


class Magic(NamedTuple):
    """Who grants the wish, where it is met, what it needs, how it is helped."""

    who: str
    noun: str
    met: str
    needs: str
    help: str


MAGIC = (
    Magic("a small fallen star", "star", "lying in the grass, and its light was very weak", "I fell out of the sky while I was dancing. I must get back before morning", "climbed the highest hill, held it up as high as {h.he} could and blew, and the star rose like a spark"),
    Magic("a fish with golden scales", "fish", "lying on the dry sand", "The wave threw me out. Please put me back", "carried it to the deep water very gently"),
    Magic("a tiny fairy", "fairy", "sitting in a spider web with crumpled wings", "I flew too fast and did not look", "loosened every thread, and soon the crumpled wings were as smooth as silk"),
    Magic("an old lamp", "lamp", "half buried in the ground, green with age", "Nobody has cleaned me for a thousand years", "rubbed it with {h.his} sleeve until it shone like a little sun"),
    Magic("a snowy white bird", "bird", "hiding under a bush with a ribbon around its foot", "Somebody tied this ribbon on, and I cannot fly far", "loosened the knot, and the bird spread its wings"),
    Magic("a very small dragon", "dragon", "sneezing in a puddle, so that its fire had gone out", "Without my fire, I freeze", "wrapped it up, fed it pepper soup and waited until a small flame came back"),
    Magic("a cloud no bigger than a sheep", "cloud", "caught in the top of a tree", "I came too low, and now I am stuck", "shook the tree ever so softly until the cloud floated free"),
    Magic("a talking acorn", "acorn", "lying on the hard path, where everybody might step on it", "I want to be a tree, but nothing grows on stone", "planted it in soft earth and gave it a drink"),
    Magic("the littlest wind", "wind", "going round and round in a corner", "I have lost the other winds and do not know the way", "opened the gate, pointed to the north and whistled, and far away the big winds whistled back"),
    Magic("a frog with a crown", "frog", "sitting sadly at the bottom of a bucket", "I jumped in, and I cannot jump out", "tipped the bucket over and bowed politely"),
    Magic("a silver moth", "moth", "flying against the window again and again", "I must reach the moon tonight", "put out the lamp and opened the window wide, and now it could see the moon"),
)  # fmt: skip
# What the hero would like, and what somebody else needs more.
OWN = (
    "a mountain of cake", "a red boat with a sail", "a horse as fast as the wind", "a coat with a hundred pockets", "a room full of toys",
    "wings, even if only for a day", "a drum that could be heard in the next valley", "a crown with green stones", "a tree that grew pancakes",
    "boots that could jump over houses", "a bicycle made of silver", "a friend who was a giant",
)  # fmt: skip
OTHERS = (
    ("{p} had a cough that would not go away", "I wish that {p} were well again", "the cough was gone in the morning, and {p} sang at the stove"),
    ("{h.his} friend {f.named} had been sad for days, because {f.his} cat had run away", "I wish that the cat would come home", "the cat sat at the door in the morning and licked its paws"),
    ("{e} could hardly see any more and had stopped reading", "I wish that {e} could see every letter again", "{e} was sitting in the sun in the morning, reading a thick book and laughing"),
    ("the well was dry, and everybody was thirsty", "I wish for water for all of us", "a clear spring bubbled up in the morning, right in the middle of the square"),
    ("{h.his} friend {f.named} could not walk, because {f.his} foot was hurt", "I wish that {f} could run again", "{f} came running in the morning, and they raced to the gate and back"),
    ("the harvest had been poor, and the bowls were half empty", "I wish that nobody had to be hungry this winter", "the pantry was full in the morning, and so was everyone else's"),
    ("{e} lived all alone and never had a visitor", "I wish that {e} had good company", "a lost puppy stood at {e.s} door in the morning, wagged its tail and stayed"),
    ("a fire had burned the roof of {h.his} friend {f.s} house", "I wish that {f} had a roof again", "there was a new red roof in the morning, with a weathercock on top"),
    ("the old bridge was broken, and nobody could visit anybody", "I wish for a bridge that never breaks", "a bridge of white stone stood there in the morning, as light as a bow"),
)  # fmt: skip


def tell(t: Telling) -> None:
    """Tells the plot."""
    magic = t.pick(MAGIC)
    kinds = (t.cast.hero.kind, t.cast.friend.kind)
    if magic.noun in kinds:
        magic = MAGIC[0]
    if t.cast.world.name == "snow":
        magic = t.pick((MAGIC[8], MAGIC[5], MAGIC[10]))
    others = OTHERS if t.cast.is_child else tuple(row for row in OTHERS if not any(word in row[0] + row[2] for word in ("cat", "reading", "square", "puppy")))
    trouble, wish, after = t.pick(others)
    t.bind(m=magic, own=t.pick(OWN), trouble=trouble, wish=wish, after=after)
    open_story(t, "{h} often looked up at the stars and wished for {own}.", "{h} dreamed of {own}. {h.He} talked about it every day.", "More than anything in the world, {h} wanted {own}.", day=False)
    t.paragraph()
    t.tell("One evening, {h} found {m.who}. It was {m.met}.", "One night, {h} heard a thin voice in the dark. There was {m.who}, {m.met}.", "One morning before sunrise, {h} met {m.who}. It was {m.met}.")
    t.tell('"Please help me," said the {m.noun}. "{m.needs}."', '"You can talk!" said {h}. "Of course I can," said the {m.noun}. "But I am in trouble. {m.needs}."')
    t.tell("{h} did not think twice. {h.He} {m.help}.", "{h} felt sorry for the {m.noun}. {h.He} {m.help}.")
    t.paragraph()
    t.tell('"Thank you, kind {h}," said the {m.noun}. "You have one wish. Think well."', '"One good turn deserves another," said the {m.noun}. "You may wish for one thing, and it will come true."')
    t.tell('{h.His} heart leaped. "I wish for," {h.he} began, and {h.he} thought of {own}.', "{h} could hardly breathe. Now {h.he} could have {own}! {h.He} opened {h.his} mouth to say it.")
    t.tell("But then {h.he} remembered that {trouble}.", "Then {h.he} looked toward home. {h.He} thought of how {trouble}.")
    t.tell("{h} was quiet for a while. Then {h.he} said, \"{wish}.\"", '"{wish}," {h.he} said at last, and {h.he} was surprised at how easy it was.')
    t.tell("The {m.noun} [glowed|shone|smiled] for a moment and was gone.", '"That is a wish from a big heart," said the {m.noun}, and it was gone.')
    t.paragraph()
    t.tell("And see, {after}.", "It was not a dream, for {after}.")
    t.tell('"How did that happen?" everybody asked. {h} only smiled.', "Nobody knew how it had happened. Only {h} knew, and {h.he} kept the secret.")
    close_story(
        t,
        "{h} did not get {own}, but {h.he} was happier than if {h.he} had.",
        "{h} learned that the best wishes are the ones we make for others.",
        "And sometimes, at night, {h} heard a [soft|friendly] voice that said {h.his} name.",
        percent=20,
    )


PLOT = Plot("wish", "any", tell)
