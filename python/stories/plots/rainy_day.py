"""A dull day is turned into an adventure with a few plain things and imagination."""

from __future__ import annotations

from typing import NamedTuple

from ..beats import close_story, open_story
from ..telling import Telling
from .plot import Plot


class Game(NamedTuple):
    """What plain things become, the danger in the game and how it is met with another thing."""

    things: str
    becomes: str
    voyage: str
    danger: str
    tool: str
    escape: str


GAMES = (
    Game("a big cardboard box", "a pirate ship", "sailed over the seven seas of the carpet", "a sea monster stuck its head out from behind the sofa", "a wooden spoon", "tickled the monster with the spoon until it begged for mercy"),
    Game("two chairs and a sheet", "a castle", "stood guard on the high walls", "an army of giants marched up the stairs", "a pot lid", "held up the pot lid as a shield, and the giants saw their own faces in it and ran away"),
    Game("a row of pillows", "a train", "rattled through tunnels under the table", "a landslide of blankets blocked the track", "a ladle", "shoveled the track free with the ladle and blew the whistle"),
    Game("an old laundry basket", "a flying balloon", "rose above the clouds and waved to the birds", "a storm threw the balloon from side to side", "a long scarf", "threw out the scarf as an anchor and caught the tip of a mountain"),
    Game("a wide rug", "an island", "built a hut out of cushions and fished with a shoelace", "the tide rose higher and higher", "a broom", "tied a towel to the broom and sailed away just in time"),
    Game("a long bench", "a space rocket", "counted down from ten and flew past the moon", "a cloud of comets came straight at them", "a sieve", "put the sieve on as a helmet and steered between the comets"),
    Game("the space under the table", "a deep cave", "wrote secret signs on the walls", "a bear woke up in the back of the cave", "an empty honey jar", "rolled the jar to the bear, and while it licked, they tiptoed out"),
    Game("a heap of old clothes", "a royal court", "walked up and down in long robes", "a wicked wizard turned the queen into a teapot", "a feather duster", "waved the feather duster three times, and the teapot curtsied and was a queen again"),
    Game("ten tin cans and a board", "a band", "played in the biggest halls of the world", "all the lights went out in the middle of the concert", "a candle stump", "lit the stump, and the song in the soft light was the finest of all"),
    Game("a wooden crate", "a race car", "roared around the corners of the room", "a tire burst in the last lap", "a cookie", "changed the tire for a round cookie, won the race and ate the tire"),
    Game("a heap of straw", "a nest of eagles", "spread their wings and looked far over the land", "a fox crept up to the eggs", "a tin plate", "beat the plate like thunder, and the fox ran for its life"),
    Game("a mountain of cushions", "the highest peak in the world", "climbed up with ropes around their waists", "an avalanche of cushions came down", "an umbrella", "opened the umbrella and floated gently into the valley"),
)  # fmt: skip
DULL = (
    "the rain drummed on the roof, and nobody could go out", "the fog was so thick that even the birds stayed at home",
    "it was so cold that the windows were full of frost flowers", "{h} had a cold and had to stay inside",
    "the wind was so strong that it blew the hats off the chimneys", "all the others were away, and the house was very quiet",
    "it had been raining for three days, and every game had been played twice",
)  # fmt: skip


def tell(t: Telling) -> None:
    """Tells the plot."""
    kinds = (t.cast.hero.kind, t.cast.friend.kind)
    game = t.pick([row for row in GAMES if not any(kind and kind in row.danger for kind in kinds)])
    t.bind(g=game, dull=t.pick(DULL))
    open_story(t, "{h} liked to be outside, where there was always something to see.", "{h} was hardly ever bored.", "", day=False)
    t.paragraph()
    t.tell("But one day, {dull}.", "One gray morning, {dull}.", "On a long afternoon, {dull}.")
    t.tell(
        '"I am bored," said {h} to {h.his} friend {f.named}, who had come to visit. "Me too," said {f}. They looked at the ceiling.',
        "{h} and {h.his} friend {f.named} sat at the window with long faces. \"There is nothing to do,\" said {h}. \"Nothing at all,\" said {f}.",
    )
    t.tell(
        '{p} heard it. "Nothing?" {p.he} asked. "I see {g.things}. What do you see?"',
        '"Let me see what I can find," said {p}. All {p.he} brought was {g.things}. "That is everything you need," {p.he} said with a wink.',
    )
    t.tell("{h} looked, and {f} looked. At first it was only {g.things}.", '"That is only {g.things}," said {f}.')
    t.paragraph()
    _play(t)


def _play(t: Telling) -> None:
    """The plain things become an adventure, until supper."""
    t.tell('Then {h} jumped up. "No," {h.he} cried, "it is {g.becomes}!"', 'But {h} tilted {h.his} head. "If you look long enough," {h.he} said slowly, "it is {g.becomes}!"')
    t.tell('"[Yes|Here we go|Hooray|Ready]!" shouted {f}. They {g.voyage}.', "And off they went. They {g.voyage}.")
    t.tell("But then {g.danger}!", '"Watch out!" cried {f}, for {g.danger}.')
    t.tell('"We are lost!" said {f}. "Not yet," said {h}. There was still {g.tool}. Together they {g.escape}.', '"Quick, take {g.tool}!" cried {h}. With pounding hearts, they {g.escape}.')
    t.tell("That was close!", "They shook hands like real heroes." if t.cast.is_child else "They danced like real heroes.", '"Hurrah!" they both shouted.')
    t.paragraph()
    t.tell("They did not notice how the hours went by. When {p} called them to supper, they were surprised.", "When {p} came in with [cocoa|warm milk|tea] and cookies, the explorers were very hungry.", '"Is it evening already?" asked {f}. Outside, the first star was shining.')
    t.tell('"So, were you bored?" asked {p}. {h} and {f} looked at each other and burst out laughing.', '"What did you do all day?" asked {p}. "We saved the world," said {h}.', '"Can we do it again tomorrow?" asked {f}. {h} nodded. "Tomorrow it will be something else," {h.he} said.')
    close_story(
        t,
        "{h} learned that the best toys are in your own head.",
        "From then on, {h} almost hoped for bad weather.",
        "And in the corner stood {g.things}, waiting quietly for the next adventure.",
        percent=25,
    )


PLOT = Plot("rainy day", "any", tell)
