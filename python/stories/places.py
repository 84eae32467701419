"""Where stories happen: worlds, the homes in them and the places to go.

A world decides who can live there (children or which animals) and which places
are near. Each place knows its own hiding spots, so that a lost thing is found
under a bench in the park and not under a bench in the sea.
"""

from __future__ import annotations

from typing import NamedTuple


class World(NamedTuple):
    """A kind of surroundings. `kinds` are the animals that live there; empty means children."""

    name: str
    homes: tuple[str, ...]  # follow "lived" or open a sentence: "in a small village by the sea"
    kinds: tuple[str, ...]


class Place(NamedTuple):
    """A place near home. Every spot follows "looked" and "it was lying"."""

    the: str
    prep: str
    worlds: tuple[str, ...]
    spots: tuple[str, ...]

    @property
    def at(self) -> str:
        """The place with its preposition, as in "they met at the market"."""
        return f"{self.prep} {self.the}"

    @property
    def indoors(self) -> bool:
        """Whether the place has a roof: no clouds, flowers or wind there."""
        return self.the in INDOORS

    def __str__(self) -> str:
        return self.the


INDOORS = ("the library", "the toy shop", "the train station", "the barn", "the henhouse", "the stable", "the lighthouse")


def _split(text: str) -> tuple[str, ...]:
    """Splits at commas."""
    return tuple(part.strip() for part in text.split(","))


WORLDS = (
    World("village", _split(
        "in a small village by the sea, in a quiet village between two hills, in a village with red roofs, "
        "in a little village beside a river, in a sleepy village near the woods, in a village of stone cottages, "
        "in a snug cottage at the edge of a village, in a village where everyone knew each other"), ()),
    World("town", _split(
        "in a busy little town, in a tall brick house in town, in a town full of bicycles, "
        "in a small flat above a bakery, in a yellow house on Maple Street, in a cozy house near the park, "
        "in a town with a clock tower, at the end of a narrow street, in a blue house with a round window, "
        "in an apartment with a tiny balcony"), ()),
    World("farm", _split(
        "on a small farm, on a farm with a red barn, on a farm at the foot of a green hill, "
        "in a farmhouse with a creaky gate, on a farm where apples grew, in a white farmhouse near a windmill"), ()),
    World("seaside", _split(
        "in a little house by the sea, near a lighthouse, on a small green island, in a fishing village, "
        "in a wooden cabin above the beach, beside a quiet harbor, in a town where the seagulls sang all day"), ()),
    World("hills", _split(
        "in a village high in the mountains, in a log cabin near a lake, in a valley full of flowers, "
        "on the side of a windy hill, in a hut beneath a snowy peak, at the edge of a pine forest"), ()),
    World("forest", _split(
        "in a deep green forest, in a hollow tree, in a cozy den under an oak tree, at the edge of the woods, "
        "in a snug burrow beneath the roots of a beech tree, in a forest full of birdsong, "
        "in the middle of a mossy wood"),
        _split("rabbit, fox, squirrel, bear, hedgehog, mouse, badger, deer, raccoon, chipmunk, owl, mole, wolf, skunk, "
               "porcupine, woodpecker")),
    World("pond", _split(
        "beside a quiet pond, near a lily pond, on the bank of a slow river, among the tall reeds, "
        "in a reed house by a lake, beside a bubbling stream"),
        _split("duck, frog, turtle, otter, beaver, swan, newt, goose, heron, toad, water vole, dragonfly")),
    World("meadow", _split(
        "in a sunny meadow, in a warm burrow under the clover, at the edge of a wheat field, "
        "in a garden full of roses, behind an old stone wall, in a field of daisies"),
        _split("mouse, rabbit, hedgehog, ladybug, bumblebee, butterfly, snail, beetle, sparrow, robin, grasshopper, "
               "shrew, hare, ant")),
    World("barnyard", _split(
        "on a busy farm, in a big red barn, on a farm beside a wide river, in a barnyard full of friends, "
        "on a little farm with a windmill"),
        _split("pig, lamb, calf, chick, pony, goat, duckling, kitten, puppy, donkey, foal, hen, rooster, gosling, cat, "
               "dog")),
    World("jungle", _split(
        "in a warm green jungle, near a wide brown river, on a grassy plain, under the tall palm trees, "
        "beside a waterfall in the jungle"),
        _split("monkey, elephant, lion, tiger, parrot, giraffe, zebra, hippo, leopard, toucan, gorilla, lemur, "
               "panda, koala, kangaroo, sloth")),
    World("snow", _split(
        "in the land of ice and snow, on a snowy island, near the frozen sea, in a snow cave, "
        "at the cold top of the world"),
        _split("penguin, polar bear, seal, arctic fox, reindeer, snow hare, walrus, snowy owl, husky, puffin")),
)  # fmt: skip

CHILD_WORLDS = tuple(world for world in WORLDS if not world.kinds)
ANIMAL_WORLDS = tuple(world for world in WORLDS if world.kinds)


def _place(the: str, prep: str, worlds: str, spots: str) -> Place:
    """Builds a place from comma lists."""
    return Place(the, prep, tuple(worlds.split()), _split(spots))


PLACES = (
    _place("the park", "in", "town village",
           "under a bench, behind the slide, beside the fountain, next to the swings, under the big chestnut tree, "
           "in the sandbox, beside the duck pond"),
    _place("the market", "at", "town village",
           "under the apple stall, behind a stack of baskets, beside the flower cart, between two barrels, "
           "next to the cheese stand, in an empty crate"),
    _place("the library", "in", "town village",
           "between two thick books, under a reading table, behind a shelf, on the window seat, beside the globe, "
           "under a soft armchair"),
    _place("the playground", "at", "town village",
           "under the seesaw, at the bottom of the slide, behind the climbing frame, beside the sandbox, "
           "under the monkey bars, next to the gate"),
    _place("the school yard", "in", "town village",
           "beside the drinking fountain, under the oak bench, behind the bicycle rack, near the flower pots, "
           "next to the big door, under the climbing net"),
    _place("the train station", "at", "town",
           "under a wooden bench, beside the ticket machine, behind a suitcase, near the big clock, "
           "next to the newspaper stand"),
    _place("the toy shop", "in", "town",
           "behind a rocking horse, under a shelf of puzzles, beside a row of dolls, next to the puppet stage, "
           "in a box of building blocks"),
    _place("the town square", "in", "town village",
           "beside the fountain, at the foot of the statue, under the linden tree, next to the bakery steps, "
           "behind the bandstand"),
    _place("the village green", "on", "village",
           "under the maypole, beside the old well, behind the cricket hut, near the stone bench, in the long grass"),
    _place("the garden", "in", "town village farm hills meadow",
           "under the rose bush, behind the watering can, between the cabbages, beside the shed, under a flower pot, "
           "among the strawberries, in the wheelbarrow"),
    _place("the orchard", "in", "village farm hills barnyard meadow",
           "under an apple tree, beside the wooden ladder, in a pile of leaves, behind the beehives, in an old basket, "
           "among the fallen pears"),
    _place("the barn", "in", "farm barnyard",
           "under the hay, behind the tractor, beside a milk bucket, in a corner full of straw, on top of a hay bale, "
           "next to the saddle"),
    _place("the henhouse", "in", "farm barnyard",
           "under a nest, behind the water bowl, in the straw, beside the ramp, next to the feed sack"),
    _place("the cornfield", "in", "farm barnyard",
           "between two rows of corn, under the scarecrow, beside a ditch, behind a tall stalk, near the fence post"),
    _place("the stable", "in", "farm barnyard hills",
           "under a horse blanket, behind the oat barrel, beside a bridle, in the manger, next to the broom"),
    _place("the pumpkin patch", "in", "farm barnyard",
           "behind the biggest pumpkin, under a broad leaf, beside the scarecrow, between two vines, next to the cart"),
    _place("the duck pond", "by", "farm barnyard village",
           "among the reeds, beside the wooden bridge, under a willow tree, on a flat stone, behind the old boat"),
    _place("the beach", "on", "seaside",
           "under a striped umbrella, behind a sand dune, beside a tide pool, under a rowboat, between two rocks, "
           "next to a sandcastle, in a heap of seaweed"),
    _place("the harbor", "at", "seaside",
           "behind a coil of rope, under a fishing net, beside an old anchor, in a wooden crate, next to the ferry, "
           "among the lobster traps"),
    _place("the lighthouse", "at", "seaside",
           "under the winding stairs, beside the great lamp, behind the green door, on the window ledge, "
           "next to the brass bell"),
    _place("the rock pools", "by", "seaside",
           "between two mossy rocks, under a clump of seaweed, beside a sleepy crab, behind a pile of shells, "
           "on a flat wet stone"),
    _place("the sand dunes", "in", "seaside",
           "in the long dune grass, under a piece of driftwood, behind a wooden fence, half buried in the sand, "
           "beside a faded sign"),
    _place("the mountain path", "on", "hills",
           "under a pine tree, behind a gray boulder, beside a tiny waterfall, among the blueberry bushes, "
           "next to a wooden signpost"),
    _place("the lake", "by", "hills",
           "under the wooden dock, among the reeds, beside a canoe, behind a fallen log, on a smooth pebble beach"),
    _place("the pine forest", "in", "hills village",
           "under a carpet of needles, behind a tree stump, beside a patch of mushrooms, in a hollow log, "
           "among the ferns"),
    _place("the sheep pasture", "on", "hills farm",
           "beside the stone wall, under a thorn bush, behind a woolly sheep, near the water trough, in the clover"),
    _place("the clearing", "in", "forest",
           "under a fern, behind a mossy log, among the bluebells, beside a ring of mushrooms, in a pile of leaves"),
    _place("the old oak tree", "under", "forest meadow",
           "between two roots, behind a heap of acorns, in a small hole in the trunk, under a curled leaf, "
           "beside a round stone"),
    _place("the berry bushes", "by", "forest meadow",
           "under a thorny branch, behind a clump of nettles, beside a spider web, in the tall grass, "
           "under a heap of leaves"),
    _place("the stream", "by", "forest hills meadow",
           "on a stepping stone, under a bent willow, beside a beaver dam, among the water lilies, behind a wet rock"),
    _place("the hollow log", "near", "forest",
           "inside the log, under a piece of bark, behind a family of toadstools, beside an ant hill, "
           "in a patch of moss"),
    _place("the bluebell wood", "in", "forest village",
           "among the bluebells, behind a birch tree, under a low branch, beside a rabbit hole, on a mossy stump"),
    _place("the hilltop", "on", "forest meadow hills village",
           "beside a tall stone, in the long grass, under a lonely pine tree, behind a gorse bush, "
           "in a patch of buttercups"),
    _place("the lily pond", "by", "pond forest",
           "on a lily pad, among the cattails, beside a sunken log, under a drooping willow, behind a tuft of reeds"),
    _place("the river bank", "on", "pond barnyard meadow",
           "between two stones, under a tree root, behind a bank of mud, in the rushes, beside the ferry rope"),
    _place("the little waterfall", "near", "pond forest",
           "behind the falling water, on a slippery rock, under a fern, beside a pool, in a crack in the stone"),
    _place("the wooden bridge", "by", "pond farm village",
           "under the bridge, beside a post, between two planks, among the reeds, behind a big stone"),
    _place("the muddy bank", "on", "pond",
           "in a muddy footprint, under a broken branch, behind a clump of rushes, beside a puddle, "
           "next to a snail shell"),
    _place("the clover field", "in", "meadow barnyard",
           "under a clover leaf, behind a dandelion, beside a molehill, among the daisies, near the garden gate"),
    _place("the stone wall", "by", "meadow farm",
           "in a gap between the stones, under a strand of ivy, behind a loose brick, beside a sunny ledge, "
           "among the poppies"),
    _place("the vegetable patch", "in", "meadow farm",
           "behind a cabbage, under a lettuce leaf, beside a row of carrots, between two pumpkins, under a clay pot"),
    _place("the banana grove", "in", "jungle",
           "under a banana leaf, behind a bunch of bananas, beside a termite hill, among the vines, "
           "at the foot of a palm tree"),
    _place("the watering hole", "by", "jungle",
           "in the soft mud, behind a sleepy hippo, under a thorn tree, beside a flat rock, among the tall grass"),
    _place("the tall fig tree", "under", "jungle",
           "between two thick roots, behind a curtain of vines, in a heap of figs, under a wide leaf, "
           "beside a line of ants"),
    _place("the river crossing", "at", "jungle",
           "on a stepping stone, among the bamboo, behind a fallen trunk, under a bush of red flowers, "
           "beside the rope bridge"),
    _place("the ice cliff", "near", "snow",
           "behind a block of ice, under a snowdrift, beside a frozen pool, in a crack in the ice, on a cold ledge"),
    _place("the snowy valley", "in", "snow",
           "under a heap of snow, behind a frozen bush, beside a trail of footprints, in a snow hole, "
           "next to a shiny icicle"),
    _place("the frozen lake", "by", "snow",
           "beside a fishing hole, behind a ridge of ice, under a frosty log, among the frozen reeds, "
           "on a bank of snow"),
    _place("the icy shore", "on", "snow",
           "between two ice blocks, under a piece of driftwood, behind a sleeping walrus, beside a pile of pebbles, "
           "among the frosty rocks"),
)  # fmt: skip


def places_in(world: World) -> tuple[Place, ...]:
    """Returns the places that are near a home in this world."""
    return tuple(place for place in PLACES if world.name in place.worlds)
