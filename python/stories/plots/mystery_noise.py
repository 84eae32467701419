"""A strange noise frightens everyone until somebody goes to look."""

from __future__ import annotations

from typing import NamedTuple

from ..beats import close_story, open_story
from ..telling import Telling
from .plot import Plot


class Noise(NamedTuple):
    """A noise: how it sounds, where from, two wrong guesses, what it was, what was done."""

    worlds: str
    sound: str
    where: str
    guess: str
    other_guess: str
    truth: str
    deed: str


NOISES = (
    Noise("any", "tap, tap, tap", "from the window", "a ghost with long fingers", "a robber with a stick", "a branch that the wind was pushing against the glass", "tied the branch back with a piece of string"),
    Noise("any", "scratch, scratch, scratch", "from under the floor", "a monster with sharp claws", "a giant rat", "a mother mouse who was making a bed for five tiny babies", "pushed a bit of soft wool through the crack for the babies"),
    Noise("any", "drip, drop, drip", "from the ceiling", "a dragon with a runny nose", "a leak in the sky", "a hole in the roof, right over the old pot", "put a bucket under it and patched the hole in the morning"),
    Noise("any", "hoo, hoo, hooo", "from the chimney", "a ghost", "a lonely wolf", "the wind, which was blowing over the top of the chimney like over a bottle", "closed the little iron door, and the song stopped"),
    Noise("village town farm hills", "thump, bump, thump", "from the attic", "a troll in heavy boots", "a burglar", "a cat that was chasing a walnut across the boards", "gave the cat a ball of wool, which was much quieter"),
    Noise("any", "crunch, munch, crunch", "from the pantry", "a hungry bear", "a monster that ate houses", "a little hedgehog with its nose in the oat sack", "carried it outside and gave it a bowl of oats of its own"),
    Noise("any", "ting, ting, tingaling", "from the garden", "a fairy with a bell", "a goblin that was counting gold", "an old spoon that hung on a string and knocked against a jar", "hung up more spoons, so that the wind could play a whole song"),
    Noise("forest meadow pond hills farm village", "ribbit, croak, ribbit", "from inside the watering can", "a talking can", "a water spirit", "a fat green frog that could not get out", "tipped the can over and showed the frog the way to the pond"),
    Noise("any", "whoosh, flap, whoosh", "from behind the curtain", "a bat as big as a horse", "a sheet that had come alive", "a lost sparrow that was looking for the way out", "opened the window wide, and the sparrow flew into the blue"),
    Noise("any", "snore, grumble, snore", "from under the bed", "a giant", "a thundercloud that had lost its way", "the old dog, which had crept in from the cold", "gave the dog a warm blanket and let it stay"),
    Noise("any", "squeak, squeak, squeak", "from the yard", "an army of mice", "a very small ghost", "the garden gate, which was moving in the wind", "put a drop of oil on the hinge"),
    Noise("seaside", "boom, hush, boom", "from the cliffs", "a sea monster", "a pirate's cannon", "the waves, which rolled in and out of a hollow rock", "sat on the cliff and listened to the sea breathe"),
    Noise("any", "tick, tock, tick", "from inside the wall", "a beetle with a watch", "a tiny man with a hammer", "the lost kitchen clock, which had slipped behind a loose board", "pulled it out, wiped off the dust and hung it up"),
    Noise("any", "rustle, rustle, crack", "from the bushes", "a tiger", "somebody with a bag", "two hedgehogs who were dancing in the dry leaves", "stood very still and watched the dance to the end"),
    Noise("snow", "crack, groan, crack", "from under the ice", "a giant fish", "a bear made of stone", "the ice, which was stretching in the cold of the night", "told everyone the story of the ice that yawned"),
    Noise("jungle", "boing, splash, boing", "from the river", "a hopping crocodile", "a jumping stone", "ripe coconuts, which were falling from a tree into the water", "fished the coconuts out and shared the sweet milk"),
    Noise("any", "peep, peep, peep", "from the old boot by the door", "a boot with a cold", "a tiny trumpet", "a nest of wrens with four open beaks", "put up a sign that said, Please do not wear this boot"),
    Noise("any", "click, clack, click", "from the kitchen", "a skeleton", "a crab in wooden shoes", "the lid of a pot, which was dancing on the steam", "took the pot from the fire just in time, and the soup was saved"),
)  # fmt: skip


def tell(t: Telling) -> None:
    """Tells the plot."""
    world = t.cast.world.name
    kinds = (t.cast.hero.kind, t.cast.friend.kind)
    rows = [row for row in NOISES if row.worlds == "any" or world in row.worlds.split()]
    rows = [row for row in rows if not any(kind and kind in row.truth for kind in kinds)]
    if world == "snow":
        rows = [row for row in rows if not any(word in row.where + row.truth for word in ("garden", "bushes", "branch", "bed", "sparrow", "hedgehog", "wrens"))]
    t.bind(row=t.pick(rows))
    open_story(t, "{h} had very good ears. {h.He} could hear a leaf fall.", "{h} loved riddles, and most of all {h.he} loved to find out how things really were.", "", day=False)
    t.paragraph()
    t.tell(
        "One night, {h} lay in bed and could not sleep. {h.His} friend {f.named} was staying with {h.him}. <suddenly>, there was a noise.",
        "One dark evening, {h} and {h.his} friend {f.named} were sitting by the fire. <suddenly>, they heard something.",
        "One windy night, {h.his} friend {f.named} came to stay. They had just put out the light when they heard a noise.",
    )
    t.tell('"{row.sound}," it went, {row.where}.', 'It came {row.where}. "{row.sound}," it went, and again, "{row.sound}."')
    t.tell('"What was that?" {f} <whispered>. {h} did not know.', '"Did you hear that?" asked {h}. {f} nodded and held {h.his} arm tight.' if t.cast.is_child else '"Did you hear that?" asked {h}. {f} nodded and moved closer.')
    t.paragraph()
    _look(t)


def _look(t: Telling) -> None:
    """They guess, they go and look, and they laugh."""
    t.tell(
        '"Maybe it is {row.guess}," said {f} with wide eyes. "Or {row.other_guess}," {h} <whispered>. They pulled the blanket up to their noses.',
        '"It must be {row.guess}!" said {f}. "It sounds more like {row.other_guess}," said {h}. Both of them shivered.',
    )
    t.tell("There it was again. \"{row.sound}.\"", "The noise did not stop. \"{row.sound}.\"")
    t.tell(
        'Then {h} sat up. "We only know what it is if we look," {h.he} said. "Will you come with me?"',
        "\"If we don't look, we will be afraid all night,\" said {h}. \"Let us go together.\"",
        '{h} swallowed. "A noise cannot bite," {h.he} said. "Come, let us see who makes it."',
    )
    t.tell("They took a lamp and <crept> closer, one step at a time. {h.His} heart was beating like a drum.", "Side by side they <crept> through the dark with a small light. Nearer and nearer they came.")
    t.paragraph()
    t.tell("{h} lifted the lamp. And what did they see? It was only {row.truth}!", "Then the light fell on it, and they both began to laugh. It was {row.truth}.", '"Look!" {h} <cried>. It was not {row.guess} at all. It was {row.truth}.')
    t.tell("They {row.deed}.", "First they laughed until they had to sit down. Then they {row.deed}.", "So they {row.deed}.")
    t.tell('"And I thought it was {row.guess}!" said {f}.', "In the morning, they told {p} all about it, and {p} laughed, too.", '"Fear makes big shadows," said {p} when {p.he} heard about it.', "")
    close_story(
        t,
        "{h} learned that most scary things grow small when you shine a light on them.",
        "From then on, when {h} heard a strange noise, {h.he} did not hide. {h.He} went to look.",
        "That night, they slept soundly until the sun came up.",
        "{h} was glad that {h.he} had been brave enough to look.",
        percent=25,
    )


PLOT = Plot("mystery noise", "any", tell)
