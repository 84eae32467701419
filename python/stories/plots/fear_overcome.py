"""A fear is met with small steps and someone's help."""

from __future__ import annotations

from typing import NamedTuple

from ..beats import close_story, open_story
from ..telling import Telling
from .plot import Plot


class Fear(NamedTuple):
    """A fear; "{h} was afraid of {what}". `discover` is what the hero finds out by daring."""

    who: str
    what: str
    why: str
    moment: str
    advice: str
    steps: str
    discover: str


FEARS = (
    Fear("any", "the dark", "At night, every shadow looked like a monster with long arms",
         "the candle went out, and everything was black", "Let us look at the shadows one by one. Hold my hand",
         "They walked through the dark room together and touched each shadow. One was [a coat|a chair|a basket], and one was [a broom|a curtain|a heap of blankets]",
         "the dark was only the day with its eyes closed"),
    Fear("any", "thunder", "The loud booms made {h.him} hide under the blanket",
         "black clouds rolled in, and thunder shook the walls", "Count with me between the flash and the boom",
         "They counted one, two, three, four. Each time they counted further, because the storm was moving away",
         "thunder was only noise, and it could not come inside"),
    Fear("any", "deep water", "The water looked dark, and {h.he} could not see the bottom",
         "everyone jumped in to cool off, and {h} stood alone on the bank", "Just put one toe in. I will stay beside you",
         "First {h} put in one toe, then a foot, and then {h.he} sat down in the shallow water. [Small waves tickled {h.his} tummy|It was cool and soft]",
         "the water could hold {h.him} up if {h.he} did not fight it"),
    Fear("any", "high places", "When {h.he} looked down, {h.his} legs began to shake",
         "a friend called from the top of the hill, and the path up was steep", "Do not look down. Look at the next step only",
         "{h} took one step and breathed. Then {h.he} took another, and another. Step by step, the top came nearer",
         "the view from the top was the most beautiful thing {h.he} had ever seen"),
    Fear("child", "the big dog next door", "It barked so loudly that the windows rattled",
         "the ball flew over the fence and landed right beside the dog", "A dog that wags its tail wants to be friends. Hold out your hand and stand still",
         "{h} held out one hand and stood very still. The dog sniffed {h.his} fingers and licked them with a warm tongue",
         "the dog had only barked because it was lonely"),
    Fear("child", "the dentist", "{h.He} had heard that the chair was tall and the lamp was bright",
         "{h.his} tooth began to hurt", "Ask the dentist to show you everything first",
         "The dentist showed {h} the little mirror and let {h.him} push the button of the chair. Up it went, and down again, like a slow ride",
         "it was over before {h.he} could count to fifty"),
    Fear("child", "speaking in front of people", "{h.His} cheeks turned red and the words ran away",
         "the teacher asked {h} to read a poem at the school party", "Read it to your teddy bear first, then to me, then to the whole family",
         "{h} read the poem to the bear, then to {p}, then to the cat and all the neighbors. Each time {h.his} voice grew stronger",
         "people were smiling at {h.him}, not laughing"),
    Fear("any", "the old bridge", "It creaked and swayed above the water",
         "{h.he} had to cross it to bring {h.his} sick cousin some soup", "Hold the rail, and sing a song as you go",
         "{h} held the rail with all {h.his} might and began to sing. With every line of the song, {h.he} took one more step",
         "the bridge was old, but it was strong"),
    Fear("any", "spiders", "They had too many legs and moved without a sound",
         "a spider hung its web right across the doorway", "Do not run. Watch what it does for a little while",
         "{h} sat down at a safe distance and watched. The spider spun round and round, and soon drops of dew hung on the web like [pearls|tiny diamonds]",
         "the spider was a patient little artist"),
    Fear("any", "the wind", "It howled in the chimney like a hungry wolf",
         "a great wind came up and whistled around the house", "Let us find out what the wind is singing. Listen with me",
         "They listened. In the chimney the wind sang low, and at the window it sang high. {h} began to hum along, and it became a song",
         "the wind was a singer and not a wolf"),
    Fear("animal", "leaving home alone", "The world outside seemed so wide and so loud",
         "{p} ran out of berries and asked {h} to fetch some from the nearest bush", "Go only as far as you can still see our door, and then look back",
         "{h} went ten steps and looked back. The door was still there. {h.He} went twenty steps more and looked back again, and then {h.he} reached the bush",
         "home stayed right where it was and waited for {h.him}"),
    Fear("any", "meeting strangers", "{h.He} never knew what to say",
         "a new family moved in next door, and everyone went to greet them", "Start with one word. The word is hello",
         "{h} walked up to the youngest of the strangers and took a deep breath. \"Hello,\" {h.he} said. \"Hello,\" said the stranger shyly, and then they both laughed",
         "a stranger was often just as shy as {h.he} was"),
    Fear("any", "the cave on the hill", "Strange sounds came out of it, and nobody knew what was inside",
         "{h.his} friend's kite flew right into the mouth of the cave", "Take a light, and go with a friend",
         "They lit a lamp and went in, one small step at a time. \"Hello!\" called {h}, and the cave called back, \"Hello, hello, hello!\"",
         "the strange sounds were only echoes"),
    Fear("child", "the swing", "{h.He} thought that it would throw {h.him} into the sky",
         "all the other children were swinging and laughing", "I will push you only as high as a cat can jump",
         "First the swing went as high as a cat can jump, and then as high as a dog. \"Higher!\" cried {h}, and soon {h.his} toes pointed at the clouds",
         "flying felt wonderful when {h.he} held on tight"),
    Fear("child", "sleeping away from home", "{h.He} thought that {h.he} would miss {h.his} own bed",
         "{h.his} cousin asked {h.him} to stay for the night", "Take something that smells of home",
         "{h} packed {h.his} own pillow and a picture of {p}. At bedtime {h.he} put {h.his} nose into the pillow and felt at home",
         "home was something that {h.he} could carry along"),
    Fear("animal", "jumping", "The branch on the other side looked very far away",
         "all the others jumped across the ditch, and {h} was left behind", "Practice on a small gap first. Then make it a little wider each time",
         "{h} jumped over a twig, then over a log, and then over a puddle. At last {h.he} ran, closed {h.his} eyes and leaped over the ditch",
         "{h.his} legs had been strong enough all along"),
)  # fmt: skip


def tell(t: Telling) -> None:
    """Tells the plot."""
    suits = "child" if t.cast.is_child else "animal"
    fear = t.pick([row for row in FEARS if row.who in ("any", suits)])
    t.bind(fear=fear)
    t.bind(helper=t.pick((t.cast.parent, t.cast.parent, t.cast.elder)))
    t.fix(discover=fear.discover)
    open_story(
        t,
        "{h} was [brave about many things|not afraid of much], but {h.he} was very afraid of {fear.what}. {fear.why}.",
        "There was only one thing that {h} did not like, and that was {fear.what}. {fear.why}.",
        "{h} had a secret. {h.He} was afraid of {fear.what}. {fear.why}.",
        day=False,
    )
    t.paragraph()
    t.tell("Then, one day, {fear.moment}.", "One <day>, {fear.moment}.", "It happened on a <day> in [spring|summer|autumn]: {fear.moment}.")
    t.tell(
        "{h} felt <scared>. {h.His} heart went thump, thump, thump.",
        "{h.His} knees shook. \"I can't do it,\" {h} <whispered>.",
        "{h} wanted to run away and hide. \"I am too scared,\" {h.he} <whispered>.",
        "A cold shiver ran down {h.his} back, and {h.he} could not move.",
    )
    t.paragraph()
    _dare(t)


def _dare(t: Telling) -> None:
    """Someone helps, the hero takes small steps and finds out the truth."""
    t.tell(
        "{helper} saw it and came to {h.him}. \"Everyone is afraid of something,\" {helper.he} said <warmly>. \"{fear.advice}.\"",
        '"I know how you feel," said {helper}. "When I was young, I was afraid of {fear.what}, too. {fear.advice}."',
        "{helper} did not laugh. {helper.He} sat down beside {h} and said <warmly>, \"Being brave means being afraid and trying anyway. {fear.advice}.\"",
    )
    t.tell("{h} took a deep breath and nodded.", "{h} swallowed hard. \"I will try,\" {h.he} said.", "{h} thought about it and stood up straight.", "")
    t.tell("{fear.steps}.")
    t.tell(
        "Little by little, the fear grew smaller.",
        "And [slowly|bit by bit], {h.his} heart stopped thumping.",
        "{h} was still a little scared, but {h.he} did not stop.",
        "",
    )
    t.paragraph()
    t.tell(
        "<soon>, {h} found out that {discover}.",
        "That is how {h} learned that {discover}.",
        '"I did it!" {h} <cheered>. {h.He} had found out that {discover}.',
    )
    t.tell(
        '"I am <proud> of you," said {helper}.',
        "{helper} clapped and said, \"That was very brave.\"",
        "{helper} gave {h.him} a hug. \"Now you know how strong you are,\" {helper.he} said.",
        "",
    )
    close_story(
        t,
        "After that day, {h} was not so afraid of {fear.what} any more.",
        "From then on, whenever {h} was afraid, {h.he} took one small step, and then another.",
        "{h} knew now that being brave begins with one small step.",
        "And when a smaller friend was afraid of {fear.what}, it was {h} who held that friend's hand.",
        percent=45,
    )


PLOT = Plot("fear overcome", "any", tell)
