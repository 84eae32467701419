"""Something is too heavy for one; helpers come one by one, and the smallest makes the difference."""

from __future__ import annotations

from typing import NamedTuple

from ..beats import close_story, open_story
from ..telling import Telling
from .plot import Plot


class Load(NamedTuple):
    """What has to be moved, why, and the words for moving it."""

    worlds: str
    what: str
    noun: str
    trouble: str
    verb: str
    past: str
    gone: str
    then: str


LOADS = (
    Load("village farm hills barnyard meadow", "a cart full of apples", "cart", "was stuck in the mud up to its wheels", "push", "pushed", "rolled out of the mud with a loud smack", "ate an apple, sitting on the edge of the cart"),
    Load("farm barnyard village meadow hills", "a giant turnip", "turnip", "sat so deep in the ground that it did not move an inch", "pull", "pulled", "popped out, and they all fell in a heap", "cooked a soup that lasted for three days"),
    Load("seaside pond", "an old rowboat", "boat", "lay high on the sand, and it was as heavy as a whale", "push", "pushed", "slid into the water with a splash", "rowed out together into the golden evening"),
    Load("any", "a big gray stone", "stone", "had rolled onto the path, and nobody could get by", "push", "pushed", "tipped over, rolled down the slope and came to rest in a hollow", "sat on top of the stone in a row"),
    Load("forest meadow hills village pond", "a fallen tree", "tree", "lay across the stream and held back all the water", "lift", "lifted", "turned and floated away, and the stream began to sing again", "splashed their feet in the cool, clear water"),
    Load("snow hills", "a sled piled with firewood", "sled", "had sunk deep into a snowdrift", "pull", "pulled", "jerked free and glided over the snow", "warmed themselves at a crackling fire"),
    Load("town village", "an enormous piano", "piano", "stood at the bottom of the stairs and would not go up", "lift", "lifted", "stood in the right room at last, and not one key was broken", "sang along while somebody played"),
    Load("farm barnyard village", "the biggest pumpkin in the world", "pumpkin", "had grown too large to carry to the fair", "push", "pushed", "went round and round, down the lane and through the gate of the fair", "won the first prize and shared a huge pie"),
    Load("jungle", "a heavy bunch of coconuts", "bunch", "hung in the mud at the edge of the river", "drag", "dragged", "came up on the dry grass, one coconut after another", "drank sweet coconut milk"),
    Load("any", "a stubborn old donkey", "donkey", "had sat down in the middle of the bridge", "push", "pushed", "stood up with a long hee-haw and walked on as if nothing had happened", "rode home on its back by turns"),
    Load("seaside snow", "a huge log of driftwood", "log", "had frozen fast between two rocks", "pull", "pulled", "came loose with a crack", "made a long bench out of it, with room for everyone"),
    Load("any", "a barrel of rainwater", "barrel", "had to go up the hill to the thirsty flowers" , "push", "pushed", "stood on the top at last, and not one drop was spilled", "watered every flower on the hill"),
    Load("town village farm", "an old bus", "bus", "had stopped in the middle of the hill", "push", "pushed", "coughed, shook and began to run again", "rode to the end of the line, singing at the top of their voices"),
)  # fmt: skip
SMALLEST = (
    ("a tiny mouse", "Let me help, too"), ("a little wren", "I am small, but I can help"), ("a brown beetle", "One more is one more"),
    ("a shy snail", "I am slow, but I am strong for my size"), ("a small gray moth", "Every bit counts"),
    ("a ladybug with seven spots", "I have six legs, and all of them can help"), ("a very young frog", "I have never tried, so I do not know that I cannot"),
)  # fmt: skip


def tell(t: Telling) -> None:
    """Tells the plot."""
    world = t.cast.world.name
    rows = [row for row in LOADS if row.worlds == "any" or world in row.worlds.split()]
    if world == "snow":
        rows = [row for row in rows if "flowers" not in row.trouble and "donkey" not in row.what]
    kinds = (t.cast.hero.kind, t.cast.friend.kind)
    rows = [row for row in rows if not any(kind and kind in row.what for kind in kinds)]
    small, words = t.pick([row for row in SMALLEST if not any(kind and kind in row[0] for kind in kinds)])
    t.bind(row=t.pick(rows), small=small, words=words)
    t.fix(little=small.split(" with ")[0].split()[-1])
    open_story(
        t,
        "{h} was strong for {h.his} size, and {h.he} liked to do everything alone. \"I don't need any help,\" {h.he} often said.",
        "{h} thought that asking for help was only for babies.",
        "{h} was always the first to lend a hand." if t.cast.is_child else "{h} was always the first to help.",
    )
    t.paragraph()
    t.tell("{when}, {h} found {row.what}. The {row.noun} {row.trouble}.", "{when}, {h} came around the bend and stopped. In front of {h.him} was {row.what}. The {row.noun} {row.trouble}.")
    t.tell(
        "\"I can do that,\" said {h}. {h.He} {row.past} with all {h.his} might until {h.his} face was hot, but nothing moved.",
        "{h} {row.past} and {row.past}. {h.He} puffed like a steam train. Nothing happened.",
    )
    t.tell(
        "Then {h.his} friend {f.named} came along. \"May I help?\" asked {f}. They {row.past} together, but it was still too heavy.",
        '"Wait, I will help you!" called {h.his} friend {f.named}. Now there were two of them, and the {row.noun} shook a little, but that was all.',
    )
    t.paragraph()
    _all_together(t)


def _all_together(t: Telling) -> None:
    """More and more helpers come, and the smallest one is needed."""
    t.tell(
        "Next came {e}. \"One, two, three, {row.verb}!\" said {e}. They all {row.past}. The {row.noun} moved by the width of a finger.",
        '"Let me try, too," said {e}, who was passing by. Now there were three. The {row.noun} creaked and moved the tiniest bit.',
    )
    t.tell("{p} saw them and came running. Four of them {row.past} and groaned. It was almost enough, but only almost.", "Then {p} came as well. \"All together now!\" {p.he} called. It was so close!")
    t.tell(
        'At that moment, {small} came by. "{words}," it said. {f} laughed. "You? You are much too little!" But {h} said, "Come, there is room."',
        '"{words}," said a thin voice. It was {small}. Nobody had seen it come. "Thank you," said {h}. "We need everyone."',
    )
    t.tell("They all took a deep breath. One, two, three! And the {row.noun} {row.gone}!", '"Heave!" they cried, all at once. And see, the {row.noun} {row.gone}!')
    t.paragraph()
    t.tell("Everyone cheered, and the {little} cheered loudest of all.", "\"We did it!\" they shouted. They lifted the {little} high up into the air.")
    t.tell("Then they {row.then}.", "When they had rested, they {row.then}.")
    close_story(
        t,
        "{h} learned that many small helpers make one big helper.",
        "From then on, {h} was not ashamed to ask for help.",
        '"Alone I was strong," said {h}, "but together we are stronger."',
        "And nobody ever said again that the {little} was too small.",
        percent=30,
    )


PLOT = Plot("teamwork", "any", tell)
