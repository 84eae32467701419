"""The hero cannot sleep, tries several things that do not help, and finds the one that does."""

from __future__ import annotations

from ..beats import close_story, open_story
from ..telling import Telling
from .plot import Plot

WHY = (
    "The moon shone right on {h.his} nose", "There was too much going on in {h.his} head", "{h.His} pillow felt as hard as a stone",
    "Tomorrow was an important day, and {h.he} could not stop thinking about it", "It was too quiet, and then it was too loud",
    "{h.He} had slept too long in the afternoon", "The blanket was too warm, and without the blanket it was too cold",
    "{h.He} kept hearing the clock, tick, tock, tick, tock", "Something in {h.his} tummy felt like butterflies",
)  # fmt: skip
TRIES = (
    ("counted sheep", "one of the sheep got stuck on the fence, and {h.he} worried about it"),
    ("drank a glass of water", "then {h.he} had to get up again, and {h.his} toes got cold"),
    ("turned the pillow around", "the other side was too cool"),
    ("hummed a song", "it was such a merry song that {h.his} feet began to dance"),
    ("closed {h.his} eyes very tightly", "{h.his} eyes got tired, but the rest of {h.him} did not"),
    ("told {h.himself} a story", "it was so exciting that {h.he} had to know the end"),
    ("lay on {h.his} left side, then on {h.his} right side and then upside down", "the blood ran to {h.his} head"),
    ("counted the stars in the window", "a cloud came, and {h.he} had to begin again"),
    ("made a tent out of the blanket", "it was so nice in there that {h.he} wanted to play"),
    ("ate a piece of dry bread", "the crumbs tickled in the bed"),
    ("tried to think of nothing", "thinking of nothing was very hard work"),
    ("yawned on purpose", "only {h.his} mouth got tired"),
    ("looked out for the moon", "the moon looked back, wide awake"),
    ("hugged a soft toy", "the toy was fast asleep and no company at all"),
)  # fmt: skip
CURES = (
    ("Tell me three good things that happened today", "{h} told {p} about the [snail|puddle|warm bread], about {f.s} funny hat and about the [song|game|smell of rain]. With each good thing, {h.his} voice grew softer"),
    ("Breathe in as if you smelled a flower, and breathe out as if you cooled your soup", "{h} breathed in and out, in and out, slowly, like the waves on the shore"),
    ("Let us say good night to everything", "\"Good night, chair. Good night, shoes. Good night, moon,\" said {h}. At the ninth good night, {h.his} words ran together"),
    ("I will sing the song that my mother sang for me", "The song was about a boat that carries dreams over a quiet lake. {h} listened, and the boat rocked and rocked"),
    ("Imagine that you are a leaf, and the wind carries you up and down", "{h} floated over the roofs, over the river, over the dark woods, up and down, up and down"),
    ("Give me your worry. I will keep it for you until morning", "{h} whispered the worry into {p.s} ear. {p} nodded and put it away in a box that nobody could see"),
    ("Listen to all the others who are sleeping now", "They listened. The birds slept, the bees slept, and the wind breathed softly in the trees"),
    ("Let us draw the day on your back with one finger", "{p} drew a sun, a path, a tree and a house. When {p} drew the moon, {h} did not feel it any more"),
    ("Start at your toes, and tell each part of you to rest", "\"Sleep well, toes,\" {h} said. \"Sleep well, knees. Sleep well, tummy.\" {h.He} did not get as far as the ears"),
)  # fmt: skip
DREAMS = (
    "dreamed of a ship with silver sails", "dreamed that {h.he} could fly over the hills with {f}", "dreamed of a garden where the flowers could sing",
    "dreamed of a cake as high as a tower", "slept so deeply that not even the thunder could wake {h.him}",
    "dreamed of a little cloud that wanted to be {h.his} friend", "dreamed of a train that drove to the moon",
    "dreamed of a warm island with striped umbrellas", "dreamed of a whale who told jokes",
)  # fmt: skip


def tell(t: Telling) -> None:
    """Tells the plot."""
    first, second, third = t.draws.sample(TRIES, 3)
    advice, calm = t.pick(CURES)
    t.bind(one=first[0], one_but=first[1], two=second[0], two_but=second[1], three=third[0], three_but=third[1])
    t.bind(why=t.pick(WHY), advice=advice, calm=calm, dream=t.pick(DREAMS))
    open_story(
        t,
        "{h} had played with {h.his} friend {f.named} all day long, and now it was night.",
        "It had been a long day. {h} had run and jumped with {h.his} friend {f.named}, and now it was bedtime.",
        "One night, after a long day with {h.his} friend {f.named}, {h} lay in bed.",
        day=False,
    )
    t.paragraph()
    t.tell(
        "{p} tucked {h} in and blew out the candle. Everyone was asleep, except for {h}. {why}.",
        "All the lights were out. But {h} lay there with open eyes. {why}.",
        "The whole house was asleep, but {h} was wide awake. {why}.",
    )
    t.tell('"I have to sleep," {h.he} said to {h.himself}. But sleep does not come when you call it.', '"Sleep, where are you?" {h} <whispered>. Sleep did not answer.', "")
    t.paragraph()
    _try(t)


def _try(t: Telling) -> None:
    """Things that do not help, and one that does."""
    t.tell("First {h.he} {one}, but {one_but}.", "{h} {one}. It did not help, because {one_but}.")
    t.tell("Then {h.he} {two}, but {two_but}.", "After that, {h.he} {two}. But {two_but}.")
    t.maybe(55, "In the end, {h.he} {three}, but {three_but}.", "At last {h.he} {three}. But {three_but}.")
    t.tell("{h} sighed and got up. {h.He} <crept> through the dark to find {p}.", '"{p}," {h} <whispered> in the dark, "I can\'t sleep."')
    t.paragraph()
    t.tell('{p} was not <cross>. "Come here," said {p}. "That happens to everyone. {advice}."', '{p} sat down on the edge of the bed. "I know something that helps," {p.he} said <warmly>. "{advice}."')
    t.tell("{calm}.")
    t.tell("{h.His} eyes grew heavy. {h.His} breath grew slow.", "{h} wanted to say something more, but it turned into a yawn.", "Somewhere far away, an owl called once." if "owl" not in (t.cast.hero.kind, t.cast.friend.kind) else "Somewhere far away, a bell rang once.")
    t.tell('"Good night, {h}," {p} whispered, but {h} did not hear it any more.', "And then {h} was asleep.")
    t.paragraph()
    t.tell("{h} {dream}.", "All night long, {h} smiled in {h.his} sleep. {h.He} {dream}.")
    close_story(
        t,
        "In the morning, {h} woke up fresh and happy, and the sun was already in the room.",
        "From then on, {h} knew what to do when sleep would not come.",
        "And {p} stayed a little while longer and listened to {h.him} breathe.",
        "The moon moved on to the next window, quiet and round.",
        percent=0,
    )


PLOT = Plot("sleepless", "any", tell)
