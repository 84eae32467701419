"""Bad weather comes, something has to be saved or somebody sheltered, and then the sky clears."""

from __future__ import annotations

from typing import NamedTuple

from ..beats import close_story, open_story
from ..telling import Telling
from .plot import Plot


class Weather(NamedTuple):
    """The signs, the coming, the trouble outside, and how it looks when it is over."""

    worlds: str
    what: str
    signs: str
    comes: str
    after: str


class Shelter(NamedTuple):
    """Who or what is in danger outside and how it is made safe."""

    worlds: str
    danger: str
    idea: str
    deed: str
    thanks: str


WARM = "village town farm hills forest meadow barnyard pond seaside jungle"
WEATHERS = (
    Weather(WARM, "storm", "The swallows flew low, and the air was still and heavy", "Black clouds rolled in, the wind howled, and lightning flashed over the hills",
            "a rainbow stood over the wet hills"),
    Weather(WARM, "rain", "Gray clouds crept over the hills, and it smelled of wet dust", "First came one drop, then ten, and then it rained so hard that the paths turned into streams",
            "every leaf shone, and the puddles were full of sky"),
    Weather(WARM, "wind", "The treetops whispered, and the clouds ran across the sky", "The wind blew harder and harder. It bent the trees and carried hats and leaves through the air",
            "the air was clear, and you could see all the way to the end of the world"),
    Weather("seaside", "storm", "The gulls cried and flew inland, and the sea turned dark green", "The waves grew as tall as houses and crashed against the rocks",
            "the beach was covered with shells that nobody had ever seen before"),
    Weather("hills snow", "snowstorm", "The sky was as gray as a mouse, and the air smelled of snow", "Thick flakes whirled so fast that nobody could see the end of their own nose",
            "the whole world lay white and quiet and glittered in the sun"),
    Weather("snow", "blizzard", "A ring of light stood around the moon, and all the birds were silent", "The wind roared over the ice and blew the snow into high walls",
            "green lights danced in the clear night sky"),
    Weather("village farm hills town meadow barnyard", "hail", "A strange yellow cloud came up behind the woods", "Balls of ice as big as cherries rattled on the roofs and jumped on the ground",
            "the ice melted in the sun and dripped from every roof"),
    Weather("seaside village hills pond", "fog", "A white veil rose from the water", "The fog grew so thick that the houses and the trees disappeared one by one",
            "the sun came through like a big warm lamp"),
)  # fmt: skip
SHELTERS = (
    Shelter("village town farm hills", "the little kitten from next door sat crying on the shed roof", "take the big laundry basket",
            "held up the basket, called softly, and the kitten jumped right into it", "The kitten slept in {h.his} lap all evening"),
    Shelter("village farm hills barnyard", "three lambs stood alone in the far field", "take the bell and lead them home",
            "rang the bell with every step, and the lambs followed the sound to the barn", "The lambs curled up in the straw and shut their eyes"),
    Shelter("any", "{e} was still out there and could not see the way", "put a light in the highest window",
            "lit the brightest lamp and swung it back and forth until a shape came nearer and nearer", "\"Your light saved me,\" said {e}"),
    Shelter("any", "{f.named} was at home all alone", "fetch {f.him} so that nobody has to be alone",
            "ran with {p} to {f.s} door and brought {f.him} back under a big coat", "\"I was so scared, and now I am not,\" said {f}"),
    Shelter("village farm town meadow", "the young tomato plants had nothing to protect them", "cover them with buckets and pots",
            "ran up and down the rows and put a bucket over every plant", "Not one tomato plant was broken"),
    Shelter("seaside pond", "the little rowboat was not tied up", "use the strongest rope and a double knot",
            "pulled the boat up on the sand and tied it to a post with a double knot", "The boat was the only one that had not been washed away"),
    Shelter("forest meadow pond", "a family of mice had lost its home under the roots", "make room in the warm kitchen",
            "carried the smallest mice inside, one after another, wrapped in a leaf", "The mice sang a squeaky song of thanks"),
    Shelter("jungle forest", "two little birds clung to a thin branch that was about to break", "let them in where it is dry",
            "climbed up, held out a basket and waited until both birds had hopped in", "The birds shook their feathers and sang the sweetest song"),
    Shelter("any", "the youngest children of the neighbors were crying in the dark", "tell them a story",
            "went over, lit a candle and told them a story about a storm that only wanted to play", "One after another, the little ones fell asleep"),
    Shelter("snow", "a young seal had lost its way behind the ridge of ice", "stamp a path in the snow",
            "stamped a long, straight path and called until the seal found it", "The seal's mother lifted one flipper to say thank you"),
    Shelter("hills snow forest", "a tired traveler knocked at the door, shaking with cold", "heat the soup and bring the thickest blanket",
            "stirred the soup, warmed the blanket by the fire and gave up the best seat", "The traveler paid with a story from far, far away"),
)  # fmt: skip


def tell(t: Telling) -> None:
    """Tells the plot."""
    world = t.cast.world.name
    weather = t.pick([row for row in WEATHERS if world in row.worlds.split()])
    rows = [row for row in SHELTERS if row.worlds == "any" or world in row.worlds.split()]
    kinds = (t.cast.hero.kind, t.cast.friend.kind)
    rows = [row for row in rows if not any(f" {kind}" in row.danger for kind in kinds if kind)]
    t.bind(w=weather, s=t.pick(rows))
    open_story(
        t,
        "{h} loved to watch the sky, because it looked different every day.",
        "{h} liked sunny days and windy days, but not {w.what}. It made {h.him} feel very small." if weather.what in ("hail", "rain", "fog", "wind") else "{h} liked sunny days and windy days, but a {w.what} made {h.him} feel very small.",
        "",
        day=False,
    )
    t.paragraph()
    t.tell("One afternoon, {h} was helping {p} outside. {w.signs}.", "One day, everything was strangely quiet. {w.signs}.", "One evening, {h} stood in front of the house. {w.signs}.")
    t.tell(
        '"Bad weather is coming," said {p}. "Let us bring everything inside." They worked as fast as they could.',
        '{p} looked up. "Come, {h}, we must hurry," {p.he} said. Together they carried everything in and shut the windows.',
    )
    t.tell("{w.comes}.")
    t.paragraph()
    _help(t)


def _help(t: Telling) -> None:
    """Somebody outside is in danger and is helped."""
    t.tell(
        "{h} looked out of the window. Then {h.he} saw that {s.danger}.",
        "<suddenly>, {h} remembered something. {s.danger}!",
        "Everyone was safe inside. But then {h} noticed that {s.danger}.",
    )
    t.tell(
        '"We have to help!" {h} <cried>. {p} nodded. "But we must be careful. What should we do?"',
        "{h} was afraid of the {w.what}. But {h.he} could not just sit there.",
        '{h} felt <scared>, but {h.he} turned to {p}. "We must do something!" {h.he} said.',
    )
    t.tell('{h} <thought>. "I know," {h.he} said. "We can {s.idea}!"', '"Let us {s.idea}," said {h}.')
    t.tell("So {h} {s.deed}.", "And {h} {s.deed}." if t.scope["s"] is SHELTERS[3] else "{p} stayed close, and {h} {s.deed}.")
    t.paragraph()
    t.tell(
        "They sat close together, drank something warm and listened until it was over.",
        "Inside it was warm and dry, and the {w.what} did not sound so bad any more.",
        "{p} put an arm around {h}. \"You kept your head, and you kept your heart,\" {p.he} said." if t.cast.is_child else "{p} pulled {h} close. \"You kept your head, and you kept your heart,\" {p.he} said.",
    )
    t.tell("When the {w.what} was over, {w.after}. {s.thanks}.", "At last it was over, and {w.after}. {s.thanks}.")
    close_story(
        t,
        "{h} was <proud>, because {h.he} had helped even though {h.he} was afraid.",
        "From then on, {h} was no longer afraid of the {w.what}.",
        '"The sun always comes back," said {p}.',
        "{h} learned that bad weather is easier to bear when nobody is alone.",
        percent=35,
    )


PLOT = Plot("storm", "any", tell)
