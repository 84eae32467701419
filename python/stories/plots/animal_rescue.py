"""A small animal is in trouble, and the hero finds a gentle way to help it."""

from __future__ import annotations

from typing import NamedTuple

from ..beats import close_story, open_story
from ..telling import Telling
from .plot import Plot


class Rescue(NamedTuple):
    """Who is in trouble, how, what does not help, what does, and how thanks are given."""

    worlds: str
    animal: str
    sound: str
    trouble: str
    wrong: str
    right: str
    thanks: str


CHILD_AND_WOODS = "village town farm hills forest meadow barnyard"
RESCUES = (
    Rescue(CHILD_AND_WOODS, "baby bird", "a thin little cheep", "had fallen out of its nest and could not fly",
           "jumped up to reach the nest, but it was too high", "{e} brought a ladder, and {h} carried the bird up in {h.his} hat and set it down among its brothers and sisters",
           "every morning a bird sang at {h.his} window"),
    Rescue("village town farm hills seaside", "kitten", "a sad meow", "was stuck high up in a tree and did not dare to climb down",
           "called to it, but it only clung tighter to the branch", "{h} put a basket on a rope, laid a bit of fish in it, and {e} helped to pull it up. The kitten smelled the fish, climbed in and rode down",
           "the kitten rubbed its head against {h.his} legs and purred"),
    Rescue("village farm hills forest meadow pond barnyard", "hedgehog", "a quiet rustle and a sniff", "had its prickles tangled in an old net",
           "pulled at the net, but the hedgehog rolled into a ball", "{h} sat still until it unrolled again. Then {e} helped to cut the net, one string at a time",
           "that evening the hedgehog came back and ate all the slugs in the garden"),
    Rescue("seaside", "sea turtle", "a slow scraping in the sand", "was lying on its back and waving its flippers",
           "pushed with both hands, but the turtle was too heavy", "{h} and {f} dug a little slope in the sand next to it. Then they pushed together, and the turtle rolled over onto its tummy",
           "far out in the waves, the turtle lifted one flipper as if it wanted to wave goodbye"),
    Rescue("seaside snow", "baby seal", "a soft, lonely cry", "had lost its mother and lay alone on a rock",
           "tried to feed it bread, but it turned its head away", "{e} told {h} to keep still and far away, so that the mother would not be afraid. They waited, and at last a round gray head popped out of the water. It was the mother",
           "the two seals swam three circles before they dived"),
    Rescue("seaside", "crab", "a tiny click, click, click", "was caught in a plastic cup and could not get out",
           "shook the cup, but the crab was stuck tight", "{h} asked {e} for scissors. {e} cut the cup very carefully along the side, and the crab walked out sideways",
           "after that, {h} took a bag along to the beach and picked up every cup that {h.he} saw"),
    Rescue(CHILD_AND_WOODS, "butterfly", "no sound at all, only a trembling", "was caught in a spider web and could not open its wings",
           "blew at the web, but the threads were sticky", "{h} broke off a thin blade of grass and loosened the threads one after another, as gently as a breath",
           "the butterfly danced once around {h.his} head before it flew away"),
    Rescue("village farm hills barnyard", "lamb", "a faint bleating", "had slipped into a ditch and could not climb the steep side",
           "reached down, but {h.his} arms were too short", "{h} ran to {e}, and together they laid a board into the ditch. The lamb walked up it on shaky legs",
           "the lamb ran straight to its mother, and the mother said baa in a way that sounded like thank you"),
    Rescue("village town farm pond barnyard", "duckling", "a worried peeping", "had fallen behind and could not find its family",
           "set it in the pond, but it only swam in circles", "{h} followed the trail of tiny wet footprints along the path, and the duckling waddled behind {h.him}. Around the bend, there was the mother duck with five more",
           "now all six ducklings swam in one neat line"),
    Rescue("village town farm", "puppy", "a soft whimper", "had a thorn in its paw and was limping",
           "wanted to pull out the thorn, but the puppy drew its paw away", "{h} stroked it until it was calm. {e} held the paw, and {h} pulled out the thorn with one quick tug",
           "a whole family came running down the road. The puppy belonged to them, and they thanked {h} a hundred times"),
    Rescue("forest meadow pond hills", "firefly", "a tiny tapping", "was shut in an old glass jar, and its light was growing weak",
           "shook the jar, but the lid was rusty and tight", "{h} and {f} held the jar together, one turning left and one turning right, until the lid came off with a pop",
           "that night, a hundred fireflies lit the way home"),
    Rescue("snow", "puffin chick", "a weak little squawk", "had its foot caught in an old fishing net",
           "tugged at the net, but the knots only grew tighter", "{h} loosened the knots one at a time with a thin piece of ice, while {f} sang softly to keep the chick calm",
           "from that day on, there was always one fresh fish in front of {h.his} door"),
    Rescue("snow", "fish", "a faint flapping", "had jumped too high and landed on the ice",
           "tried to pick it up, but it was as slippery as soap", "{h} and {f} pushed a heap of soft snow under it and slid it along, snow and all, until it splashed into the water",
           "a silver tail slapped the water twice, as if to say thank you"),
    Rescue("jungle pond", "baby turtle", "a tiny scratching", "had walked the wrong way and was far from the water",
           "pointed toward the river, but the little turtle did not understand", "{h} carried it on a big leaf, and {f} went ahead to push the stones out of the way. At the water, they set it down and let it walk the last steps alone",
           "the next time {h} went to the river, a small green head came up and nodded"),
    Rescue("jungle", "little parrot", "a sad squawk", "had a wing caught in a tangle of vines",
           "pulled at the vines, but they only grew tighter", "{h} bit through the thinnest vine, and {f} held the parrot so that it would not fall. One by one, the vines came off",
           "soon the whole jungle knew about it, because the parrot told everyone"),
    Rescue("forest jungle meadow", "caterpillar", "a very small sigh", "had floated away on a leaf and was drifting down the stream",
           "threw a stone to make waves, but the leaf only spun around", "{h} and {f} laid a long stick across the water. The leaf bumped against it, and the caterpillar crawled along the stick to the shore",
           "weeks later, an orange butterfly landed on {h.his} nose and stayed there for a while"),
    Rescue("jungle", "baby monkey", "a frightened squeak", "was hanging from a thin vine over the river",
           "called for it to jump, but it was too scared", "{h} bent a long branch of bamboo down over the water, and {f} helped to hold it. The baby monkey grabbed it with both hands and climbed to safety",
           "its whole family brought a heap of ripe bananas"),
    Rescue("snow", "penguin chick", "a shivery peep", "had slid down into a hole in the ice",
           "leaned over the edge, but the chick was too far down", "{h} and {f} filled the hole with snow, one push at a time. The chick stepped up and up, until it could hop out",
           "it followed {h} around for the rest of the day like a small gray shadow"),
    Rescue("village farm hills meadow barnyard", "bee", "a tired buzz", "was lying on the cold ground and was too weak to fly",
           "carried it into the sun, but it did not move", "{e} told {h} to mix a drop of honey with a drop of water. {h} held it out on a leaf, and the bee drank and drank",
           "that summer, the garden was full of flowers, because the bees came every day"),
    Rescue("forest hills", "fawn", "a rustle and a soft cry", "had caught its leg between two fallen branches",
           "pulled at the leg, but that only hurt the fawn", "{h} let go at once. With {f}, {h.he} lifted the top branch just a little, and the fawn drew out its leg",
           "at the edge of the trees, a big deer bowed its head before both of them ran away"),
)  # fmt: skip


def tell(t: Telling) -> None:
    """Tells the plot."""
    kinds = (t.cast.hero.kind, t.cast.friend.kind)
    world = t.cast.world.name
    rows = [row for row in RESCUES if world in row.worlds.split() and not any(kind in row.animal for kind in kinds)]
    row = t.pick(rows)
    t.bind(row=row, place=t.pick(t.cast.outdoors))
    open_story(
        t,
        "{h} loved [all animals|every living thing|all creatures, big and small].",
        "{h} had [good ears|sharp ears|a soft heart], and {h.he} always noticed small things.",
        "",
    )
    t.paragraph()
    together = (
        "{when}, {h} and {h.his} friend {f.named} were playing near {place}. <suddenly>, {h} stopped. There was {row.sound}.",
        "{when}, {h} went to {place} with {h.his} friend {f.named}. \"Listen!\" said {h}. There was {row.sound}.",
    )
    alone = ("{when}, {h} was walking near {place} when {h.he} heard something. It was {row.sound}.",)
    # Where the friend helps later, the friend has to be there from the start.
    t.tell(*(together if "{f}" in row.right else together[:1] + alone))
    t.tell(
        "{h} looked around and found a {row.animal}. It {row.trouble}.",
        "{h} <crept> closer. There was a {row.animal}! It {row.trouble}.",
        "It was a <small> {row.animal}. The poor thing {row.trouble}.",
    )
    t.paragraph()
    _help(t)


def _help(t: Telling) -> None:
    """A first try goes wrong, and a gentler one goes right."""
    t.tell(
        '"Don\'t be afraid," {h} <whispered>. "I will help you."',
        '"You poor thing!" said {h}. "I won\'t leave you alone."',
        "{h.His} heart [ached|hurt] when {h.he} saw how scared it was. \"I must do something,\" {h.he} said.",
    )
    t.tell("First, {h} {row.wrong}.", "{h} {row.wrong}.", "At once, {h} {row.wrong}.")
    t.tell(
        "So {h.he} stopped and <thought>. Then {h.he} had a better idea.",
        '"That is not the way," {h.he} said, and {h.he} thought again.',
        "{h} did not give up. There had to be a [gentler|better|wiser] way.",
    )
    t.tell("{row.right}.")
    t.paragraph()
    t.tell(
        "The {row.animal} was safe! {h} <laughed>.",
        "The {row.animal} was out of danger, and {h} was <very_happy>.",
        '"There you go, little one," said {h}, and {h.he} felt warm inside.',
    )
    t.tell("And {row.thanks}.")
    close_story(
        t,
        '"You have a kind heart," said {p} when {p.he} heard about it.',
        "{h} knew now that gentle hands can do great things.",
        "{h} learned that [helping takes patience|it is good to think before you act|even a small helper can do something big].",
        "{h} never walked past anyone in trouble, no matter how small.",
        percent=45,
    )


PLOT = Plot("animal rescue", "any", tell)
