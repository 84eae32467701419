"""Who is in a story: the characters, with their pronouns, and how a cast is drawn.

Slots of every story: `h` the hero, `f` a friend, `p` someone of the family who
looks after the hero, `e` a grown-up or wise animal who lives near.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import names
from .draws import Draws
from .places import ANIMAL_WORLDS, CHILD_WORLDS, Place, World, places_in

TRAITS = (
    "curious", "kind", "shy", "brave", "cheerful", "playful", "quiet", "gentle", "clever", "busy", "dreamy",
    "thoughtful", "merry", "lively", "careful", "friendly", "polite", "helpful", "hopeful", "bright",
    "happy", "sweet", "eager",
)  # fmt: skip


@dataclass(frozen=True)
class Character:
    """Someone in a story. `name` is what the narrator calls them: "Lily", "Mom", "the baker"."""

    name: str
    kind: str
    female: bool
    trait: str = ""
    role: str = ""  # to the hero, for family: "mother"
    look: str = ""  # the words of the first sight: "curious little fox"
    is_child: bool = False

    def __str__(self) -> str:
        return self.name

    @property
    def he(self) -> str:
        """The subject pronoun."""
        return "she" if self.female else "he"

    @property
    def him(self) -> str:
        """The object pronoun."""
        return "her" if self.female else "him"

    @property
    def his(self) -> str:
        """The possessive before a noun."""
        return "her" if self.female else "his"

    @property
    def himself(self) -> str:
        """The reflexive pronoun."""
        return "herself" if self.female else "himself"

    @property
    def He(self) -> str:  # noqa: N802 (a capital pronoun is what the wording asks for)
        """The subject pronoun with a capital letter."""
        return self.he.capitalize()

    @property
    def His(self) -> str:  # noqa: N802
        """The possessive with a capital letter."""
        return self.his.capitalize()

    @property
    def s(self) -> str:
        """The possessive of the name: "Lily's"."""
        return f"{self.name}'s"

    @property
    def named(self) -> str:
        """The name at the first meeting: "Ben", or "Pip the mouse" for an animal."""
        return self.name if self.is_child or not self.kind else f"{self.name} the {self.kind}"


@dataclass(frozen=True)
class Cast:
    """The people (or animals) and the surroundings of one story."""

    hero: Character
    friend: Character
    parent: Character
    elder: Character
    world: World
    home: str
    places: tuple[Place, ...]

    @property
    def outdoors(self) -> tuple[Place, ...]:
        """The places near home that lie in the open air."""
        return tuple(place for place in self.places if not place.indoors)

    @property
    def is_child(self) -> bool:
        """Whether this is a story of children, not of animals."""
        return self.hero.is_child


# What the young of these kinds grow up to be.
GROWN = {
    "calf": "cow", "chick": "hen", "duckling": "duck", "foal": "horse", "gosling": "goose", "kitten": "cat",
    "lamb": "sheep", "puppy": "dog", "rooster": "hen",
}  # fmt: skip

# How people of one story call their family.
MOTHERS = (("Mom", "mother"), ("Mama", "mother"), ("Mommy", "mother"), ("Mum", "mother"))
FATHERS = (("Dad", "father"), ("Papa", "father"), ("Daddy", "father"))
GRANDMOTHERS = (("Grandma", "grandmother"), ("Granny", "grandmother"), ("Nana", "grandmother"))
GRANDFATHERS = (("Grandpa", "grandfather"), ("Grandad", "grandfather"))

TRADES_HE = (
    "the baker", "the postman", "the gardener", "the farmer", "the shoemaker", "the carpenter", "the fisherman",
    "the shepherd", "the miller", "the blacksmith", "the old sailor", "the bus driver",
)  # fmt: skip
TRADES_SHE = (
    "the librarian", "the baker", "the teacher", "the florist", "the seamstress", "the nurse", "the painter",
    "the potter", "the weaver", "the beekeeper", "the violin teacher", "the doctor",
)  # fmt: skip
ELDER_ANIMALS = {
    "forest": ("owl", "badger", "stag", "tortoise", "raven"),
    "pond": ("heron", "toad", "turtle", "pelican", "beaver"),
    "meadow": ("hare", "toad", "crow", "tortoise", "mole"),
    "barnyard": ("horse", "goat", "goose", "donkey", "sheepdog"),
    "jungle": ("elephant", "tortoise", "parrot", "gorilla", "rhino"),
    "snow": ("walrus", "snowy owl", "reindeer", "albatross"),
}
NEAR_CHILDREN = {
    "village": ("cat", "dog", "rabbit", "hedgehog", "duck"),
    "town": ("cat", "dog", "hamster", "parrot", "kitten", "puppy"),
    "farm": ("lamb", "pony", "goat", "piglet", "puppy", "calf"),
    "seaside": ("seagull", "crab", "dog", "seal", "turtle"),
    "hills": ("goat", "dog", "marmot", "pony", "squirrel"),
}


def _look(draws: Draws, kind: str, trait: str) -> str:
    """Draws the words of a first sight."""
    return draws.choice((f"little {kind}", f"{trait} {kind}", f"{trait} little {kind}", f"{trait} {kind}"))


def _young(draws: Draws, world: World, taken: tuple[Character, ...]) -> Character:
    """Draws a young character of this world, with another initial and kind than those taken."""
    female = draws.chance(50)
    if taken and draws.chance(80):
        # Two pronouns keep apart who did what.
        female = not taken[0].female
    if world.kinds:
        kinds = [kind for kind in world.kinds if all(kind != other.kind for other in taken)]
        kind = draws.choice(kinds)
        pool = names.ANIMALS_SHE if female else names.ANIMALS_HE
    else:
        kind = "girl" if female else "boy"
        pool = names.GIRLS if female else names.BOYS
    initials = {other.name[0] for other in taken}
    name = draws.choice([name for name in pool if name[0] not in initials])
    trait = draws.choice(TRAITS)
    return Character(name, kind, female, trait, look=_look(draws, kind, trait), is_child=not world.kinds)


def _parent(draws: Draws, hero: Character) -> Character:
    """Draws the one of the family who is in the story."""
    which = draws.below(10)
    groups = {0: GRANDMOTHERS, 1: GRANDMOTHERS, 2: GRANDFATHERS, 3: FATHERS, 4: FATHERS, 5: FATHERS}
    group = groups.get(which, MOTHERS)
    name, role = draws.choice(group)
    female = group in (MOTHERS, GRANDMOTHERS)
    if not hero.is_child and draws.chance(40):
        name = f"{role.capitalize()} {GROWN.get(hero.kind, hero.kind).title()}"
    elif hero.is_child and draws.chance(12):
        female = draws.chance(50)
        role = "aunt" if female else "uncle"
        name = f"{role.capitalize()} {draws.choice(names.AUNTS if female else names.UNCLES)}"
    return Character(name, "", female, role=role)


def _elder(draws: Draws, world: World, taken: tuple[Character, ...]) -> Character:
    """Draws a grown-up neighbor, or an old animal."""
    female = draws.chance(50)
    if world.kinds:
        kinds = [kind for kind in ELDER_ANIMALS[world.name] if all(kind != other.kind for other in taken)]
        kind = draws.choice(kinds)
        name = draws.choice((f"the old {kind}", f"the wise old {kind}", f"{'Mrs.' if female else 'Mr.'} {kind.title()}"))
        return Character(name, "", female, "wise")
    if draws.chance(50):
        return Character(draws.choice(TRADES_SHE if female else TRADES_HE), "", female)
    return Character(f"{'Mrs.' if female else 'Mr.'} {draws.choice(names.SURNAMES)}", "", female)


def draw_hero(draws: Draws, world: World) -> Character:
    """Draws the hero alone, so that a split can refuse a name before the rest is drawn."""
    return _young(draws, world, ())


def draw_world(draws: Draws, who: str) -> World:
    """Draws a world for `who`: "child", "animal" or "any" (of which six in ten are children)."""
    children = who == "child" or (who == "any" and draws.chance(60))
    return draws.choice(CHILD_WORLDS if children else ANIMAL_WORLDS)


def draw_cast(draws: Draws, world: World, hero: Character) -> Cast:
    """Draws everyone around the hero."""
    friend = _young(draws, world, (hero,))
    parent = _parent(draws, hero)
    elder = _elder(draws, world, (hero, friend))
    return Cast(hero, friend, parent, elder, world, draws.choice(world.homes), places_in(world))
