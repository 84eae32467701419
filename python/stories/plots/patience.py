"""Something good needs time; the hero hurries it, spoils a little, and learns to wait."""

from __future__ import annotations

from typing import NamedTuple

from ..beats import close_story, open_story
from ..telling import Telling
from .plot import Plot


class Wait(NamedTuple):
    """What is waited for, how long, what hurrying does, how the time is spent, how it ends."""

    worlds: str
    what: str
    sign: str
    hurry: str
    spoiled: str
    why: str
    end: str


WAITS = (
    Wait("any", "the bread in the oven", "The warm smell filled the whole house", "opened the oven door to peek", "one loaf sank like a tired balloon", "Bread needs heat and peace to rise", "the second loaf came out tall, brown and crackling"),
    Wait("village town farm hills forest meadow barnyard", "a caterpillar in its cocoon", "It hung from a twig like a little brown bag", "poked it with a straw", "it shook and grew very still", "Inside, it is making its wings, and nobody can do that faster", "a butterfly came out, dried its orange wings and flew up to the sun"),
    Wait("farm barnyard village pond", "the eggs in the nest", "The mother sat on them day and night", "lifted one egg to listen", "the mother got up in fright, and the eggs grew cool", "An egg must be warm and quiet", "with a crick and a crack, five wet little heads came out"),
    Wait("any", "the jam in the pot", "It bubbled and smelled of summer", "stuck a spoon in and licked it", "{h.he} burned the tip of {h.his} tongue", "Hot things are kind only when they are cool", "{h.he} ate it on a slice of bread, cool and sweet and red"),
    Wait("any", "a letter from far away", "It was to come from {h.his} cousin across the sea", "ran to the gate a hundred times a day", "{h.he} fell over the bucket and scraped both knees", "The letter has a long way to go, and running does not make it faster", "the letter came at last, with a pressed flower inside"),
    Wait("village town farm hills forest meadow", "the pears on the tree", "They hung high up, green and hard", "climbed up and bit into one", "it was so sour that {h.his} whole face shrank", "The sun has to sweeten them, and the sun takes its time", "the pears turned golden and dropped into the grass, soft and juicy"),
    Wait("any", "the paint on {h.his} new boat", "It was bright blue and still wet", "put the boat into the water", "the paint ran off in long blue stripes", "Paint dries when it is left alone", "the boat sailed out, as blue as the summer sky"),
    Wait("any", "the full moon", "Everyone wanted to have a feast when it was round", "lit all the lanterns three nights too early", "the candles were used up", "The moon grows one thin slice each night", "the moon rose, so big and bright that nobody needed a lantern"),
    Wait("any", "the soup for the feast", "Carrots, onions and herbs swam in the pot", "poured out a bowl much too soon", "the carrots were as hard as wood", "Soup gets better every minute", "the soup was thick and golden, and everyone asked for more"),
    Wait("any", "{h.his} loose tooth to fall out", "It wiggled to the left and it wiggled to the right", "pulled at it with a string", "it hurt, and the tooth stayed where it was", "It will go when the new one is ready", "it dropped out all by itself in the middle of a laugh") ,
    Wait("hills village snow forest", "the first snow", "{h.His} sled stood ready by the door", "tried to ride it on the bare ground", "the runners screeched and got scratched", "Snow comes when the clouds are cold enough", "the world was white one morning, and the sled flew down the hill"),
    Wait("seaside pond", "the low tide", "Then the path to the little island would be dry", "stepped into the water much too early", "the water came over {h.his} knees and pushed {h.him} back", "The sea comes and goes as it likes", "the path lay open, and there were shells on both sides of it"),
    Wait("any", "the clay bowl to harden", "{h} had shaped it for a whole afternoon", "filled it with water to try it", "it went soft and leaned to one side", "Clay must dry slowly, or it cracks", "the bowl rang like a bell when {h.he} tapped it"),
    Wait("any", "the fish to bite", "{h} sat by the water with a rod and a bit of bread", "pulled in the line every minute", "the bread fell off, and the fish swam away", "Fish come to those who can sit still", "the line jerked, and a big silver fish looked {h.him} in the eye before {h.he} let it go"),
    Wait("any", "the candles to cool", "They had poured the wax into walnut shells", "pulled one out by its string", "the wax was still soft and dripped on {h.his} toes", "Let them get hard in peace", "twelve small lights floated on the water in the evening"),
    Wait("any", "the stars to come out", "{p} had promised to show {h.him} the Great Bear", "kept asking every minute if it was time", "all the asking made everyone grumpy", "The stars are shy and come one by one", "the sky was full of them, and {h.he} found the Great Bear all alone"),
)  # fmt: skip
MEANWHILE = (
    "carved a little boat out of bark", "swept the steps and sang a song", "learned to count to two hundred",
    "played a long game of marbles with {f}", "sorted all {h.his} buttons by color", "drew a map of the whole neighborhood",
    "helped {e} to carry firewood", "told {f} a story with seven chapters", "made a paper crown for {f} and one for {h.himself}",
    "watched the clouds with {f} and gave each of them a name", "picked a bowl of berries with {f}",
    "practiced standing on one leg", "wrote a poem about a frog", "built a bridge of twigs for the ants",
)  # fmt: skip


def tell(t: Telling) -> None:
    """Tells the plot."""
    world = t.cast.world.name
    rows = [row for row in WAITS if row.worlds == "any" or world in row.worlds.split()]
    if not t.cast.is_child:
        rows = [row for row in rows if "tooth" not in row.what and "fish" not in row.what]
    meanwhile = MEANWHILE if world != "snow" else MEANWHILE[1:6]
    first, second = t.draws.sample(meanwhile, 2)
    t.bind(row=t.pick(rows), first=first, second=second)
    open_story(
        t,
        "{h} did not like to wait. \"Now!\" was {h.his} favorite word.",
        "{h} was the fastest {h.kind} around. {h.He} ate fast, ran fast and wanted everything at once.",
        "There was one thing that {h} could not do, and that was waiting.",
    )
    t.paragraph()
    t.tell("{when}, {h} was waiting for {row.what}. {row.sign}.", "{when}, {h} sat down next to {p} to wait for {row.what}. {row.sign}.")
    t.tell(
        '"Is it ready?" {h} asked. "Not yet," said {p}. A minute later, {h.he} asked again. "Not yet," said {p}.',
        '"How much longer?" asked {h}. "A good while," said {p}. {h} sighed and wriggled.',
        "{h} counted to ten, and then to twenty. It felt like a hundred years.",
    )
    t.paragraph()
    _hurry_and_wait(t)


def _hurry_and_wait(t: Telling) -> None:
    """Hurrying spoils something, and then the time passes by itself."""
    t.tell("When {p} was not looking, {h} {row.hurry}. But {row.spoiled}.", "At last {h} could not stand it any longer. {h.He} {row.hurry}. But {row.spoiled}!", "\"I can make it go faster,\" thought {h}, and {h.he} {row.hurry}. Then {row.spoiled}.")
    t.tell("\"Oh!\" said {h}. {h.He} felt <sorry>.", "{h} looked at {p} with [big|round|sad] eyes. \"I am sorry,\" {h.he} <whispered>.", "{h} bit {h.his} lip and wished that {h.he} had waited." if t.cast.is_child else "{h} wished that {h.he} had waited.")
    t.tell('"{row.why}," said {p} <warmly>. "Find something to do, and the time will pass."', '{p} was not <cross>. "{row.why}," {p.he} said. "Waiting is easier when you are busy."')
    t.paragraph()
    t.tell(
        "{h} looked around. {h.His} friend {f.named} was playing not far away. First {h.he} {first}. Then {h.he} {second}.",
        "So {h} called {h.his} friend {f.named}. {h} {first}. After that, {h.he} {second}.",
    )
    t.tell("{h.He} was so busy that {h.he} forgot to ask.", "The time went by without {h.his} noticing it.", "For the first time, {h} did not count the minutes.")
    t.tell("And when {h.he} was not even thinking of it, {row.end}.", "And then, at the right time, {row.end}.", '"Now," called {p}. And {row.end}.')
    t.tell('"It was worth waiting for," said {h}.', '"Oh!" {h} <whispered>. That was all {h.he} could say.', "{h} <laughed>. It was even better than {h.he} had dreamed.")
    t.paragraph()
    close_story(
        t,
        "{h} learned that good things have a time of their own.",
        "From then on, {h} had a new favorite word. It was \"soon\".",
        "After that, when {h} had to wait, {h.he} looked for something nice to do, and the waiting was only half as long.",
        '"Now I can do it," {h} told {p}. "I can wait."',
        percent=40,
    )


PLOT = Plot("patience", "any", tell)
