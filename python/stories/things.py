"""Small things that somebody can own, carry, lose, find, lend and share.

A `Thing` knows the adjectives that suit it and what it is good for, so that a
wooden flute is played and a woollen scarf is worn.
"""

from __future__ import annotations

from dataclasses import dataclass

from .draws import Draws


@dataclass(frozen=True)
class Thing:
    """One particular thing: noun, adjective, and what its owner does with it ("wear it")."""

    noun: str
    adjective: str
    use: str

    def __str__(self) -> str:
        return f"{self.adjective} {self.noun}"

    @property
    def a(self) -> str:
        """With the indefinite article (`grammar.fix_articles` makes it agree)."""
        return f"a {self}"

    @property
    def the(self) -> str:
        """With the definite article."""
        return f"the {self}"


# noun: adjectives: use
_TREASURES = """
ball: red, blue, striped, bouncy, rubber, spotted, yellow: throw it high into the air
kite: red, paper, diamond-shaped, bright, rainbow, silk: fly it on windy days
hat: straw, woolly, green, floppy, pointed, velvet: wear it everywhere
scarf: woolly, striped, long, soft, purple, knitted: wear it on cold mornings
mitten: woolly, warm, red, knitted, blue, fuzzy: wear it in the cold
button: shiny, brass, round, golden, pearl, wooden: spin it on the table
bell: silver, tiny, brass, copper, golden: ring it at breakfast
whistle: tin, wooden, silver, shiny, loud: blow it to call everyone to play
marble: glass, green, swirly, blue, crystal, speckled: roll it down the path
shell: pink, curly, spiral, white, pearly: hold it to one ear and listen to the sea
feather: white, long, peacock, blue, fluffy, silver: tickle everyone's nose with it
drum: little, round, tin, wooden, red: beat it like a marching band
flute: wooden, silver, bamboo, slender: play soft tunes on it
spoon: wooden, silver, big, painted: stir everything with it
book: picture, thick, little, old, leather, fairy tale: read it under the covers
map: old, folded, hand-drawn, treasure, colorful: plan great adventures with it
key: golden, rusty, tiny, iron, brass: wear it on a string
lantern: paper, brass, little, green, tin: carry it in the dark
basket: wicker, round, little, straw, willow: fill it with berries
ribbon: yellow, silk, satin, long, velvet, pink: wave it in the wind
umbrella: yellow, polka-dot, little, blue, striped: twirl it in the rain
cup: blue, painted, clay, tiny, tin: drink warm milk from it
blanket: soft, patchwork, woolly, warm, fuzzy, quilted: cuddle up in it
boat: toy, wooden, paper, little, white: sail it in puddles
car: toy, red, wind-up, tin, racing: race it across the floor
top: spinning, wooden, striped, humming, painted: spin it for hours
bear: teddy, stuffed, fuzzy, brown, one-eyed: hug it at night
puppet: wooden, sock, funny, painted, finger: put on little shows with it
notebook: blue, little, lined, leather, spotted: draw pictures in it
pencil: yellow, long, colored, magic, stubby: draw funny faces with it
paintbrush: thin, soft, wooden, fine: paint pictures of clouds with it
necklace: bead, silver, shell, pearl, golden: wear it on special days
bracelet: bead, woven, copper, friendship, silver: wear it day and night
ring: silver, tiny, golden, glass: wear it on special days
acorn: golden, smooth, round, lucky, polished: keep it safe for good luck
stone: smooth, lucky, speckled, heart-shaped, white, striped: rub it for good luck
coin: old, silver, shiny, copper, foreign: flip it and catch it again
watch: pocket, silver, old, golden, ticking: listen to it tick
compass: brass, old, little, round: find the way north with it
spyglass: brass, little, old, wooden: look at the far hills through it
music box: wooden, tiny, painted, silver: listen to its gentle song
harmonica: silver, little, shiny, tin: play merry tunes on it
bag: cloth, green, leather, little, canvas, striped: carry all sorts of treasures in it
pillow: soft, velvet, round, feather, square: rest on it after lunch
cape: red, shiny, velvet, long, star-covered: wear it and play hero
crown: paper, golden, leafy, cardboard, silver: wear it and play king of the castle
magnet: strong, horseshoe, red, little: pick up pins with it
mirror: round, hand, little, silver: make sunlight dance on the walls with it
magnifying glass: round, little, old, brass: look at tiny bugs through it
jump rope: pink, long, striped, new: skip with it all day
yo-yo: green, wooden, shiny, bouncing: make it dance up and down
pinwheel: paper, rainbow, shiny, tin: watch it spin in the breeze
rattle: wooden, seed, painted, gourd: shake it and sing along
wagon: little, red, wooden, squeaky: pull it up and down the hill
comb: wooden, ivory, little, shell: use it every morning
bow: red, velvet, spotted, silk: wear it to parties
locket: silver, heart-shaped, tiny, golden: open it and look at the picture inside
horn: brass, little, curved, shiny: toot it from the top of the hill
clock: little, cuckoo, round, wooden: wait for it to chime
vest: red, knitted, striped, velvet: wear it on fine days
apron: checkered, blue, flowery, white: wear it to bake
trumpet: toy, golden, plastic, tin: play loud parades on it
puzzle: wooden, animal, round, little: put it together on rainy days
dinosaur: toy, green, plastic, stuffed: make it roar
train: toy, wooden, tin, blue: push it around and around
rabbit: stuffed, velvet, gray, floppy: hug it at bedtime
star: tin, paper, glittering, silver: hang it above the bed
bottle: green, glass, tiny, blue: keep sand of many colors in it
fan: paper, painted, silk, feather: wave it on hot days
shovel: little, tin, red, sturdy: dig deep holes with it
bucket: blue, tin, little, yellow: fill it with water and sand
ladle: copper, big, old, shiny: pour soup with it
banner: striped, flying, purple, silk: march behind it
telescope: small, brass, long, toy: look at the moon through it
lamp: bedside, round, owl-shaped, little: read by its light
jar: honey, glass, painted, clay: keep fireflies in it for a moment before letting them go
"""


def _parse(table: str) -> tuple[tuple[str, tuple[str, ...], str], ...]:
    """Reads a table of "noun: adjectives: use" lines."""
    rows = []
    for line in table.strip().splitlines():
        noun, adjectives, use = (part.strip() for part in line.split(":"))
        rows.append((noun, tuple(word.strip() for word in adjectives.split(",")), use))
    return tuple(rows)


TREASURES = _parse(_TREASURES)

# Where a treasure came from; each follows "It was" or stands after the thing: "a kite".
ORIGINS = (
    "a birthday present from {h.his} {giver}",
    "a gift from {h.his} {giver}",
    "something {h.his} {giver} had made by hand",
    "the first thing {h.he} had ever bought with {h.his} own money",
    "a prize {h.he} had won at the [summer|autumn|village|spring] fair",
    "a present from {h.his} {giver}, who lived far away",
    "something {h.he} had found on a long walk with {h.his} {giver}",
    "a gift {h.his} {giver} had brought back from a long journey",
)
GIVERS = ("aunt", "uncle", "cousin", "godmother", "big sister", "big brother", "old neighbor", "godfather")


def draw_treasure(draws: Draws) -> Thing:
    """Draws one treasure."""
    noun, adjectives, use = draws.choice(TREASURES)
    return Thing(noun, draws.choice(adjectives), use)
