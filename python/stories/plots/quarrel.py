"""Two friends want different things, fall out, miss each other and find a way for both."""

from __future__ import annotations

from typing import NamedTuple

from ..beats import close_story, open_story
from ..telling import Telling
from .plot import Plot


class Dispute(NamedTuple):
    """What they do together, what each wants, what the quarrel spoils, and what suits both."""

    worlds: str
    doing: str
    wants: str
    other: str
    spoiled: str
    both: str


DISPUTES = (
    Dispute("any", "build a hut out of branches", "a hut with a tower", "a hut with a wide door", "the branches fell down with a crash", "a hut with a wide door and a tower on top"),
    Dispute("seaside", "build a sandcastle", "a castle with a deep moat", "a castle with high walls", "a wave came and washed half of the castle away", "a castle with high walls and a moat that caught the waves"),
    Dispute("hills snow", "build a snowman", "a tall, thin snowman", "a short, fat one", "the head rolled down the hill", "a whole snow family, tall and short, fat and thin"),
    Dispute("any", "paint a big picture", "a picture of the night", "a picture of the day", "the paint pot tipped over, and the paper was ruined", "a picture with the sun on one side and the moon on the other"),
    Dispute("any", "put on a play", "to be the king", "to be the king, too", "nobody was left to watch or to act", "a play with two kings who rule together, one by day and one by night"),
    Dispute("any", "play a game", "to play hide-and-seek", "to play tag", "neither of them played anything at all", "a new game in which you hide first and then run"),
    Dispute("any", "make up a song", "a loud, fast song", "a soft, slow song", "they sang against each other until even the frogs put their hands over their ears", "a song that began softly, grew louder and louder and ended in a whisper"),
    Dispute("any", "bake a cake", "a cake with nuts", "a cake with berries", "the batter was left alone too long and dried up", "a cake with a ring of nuts and a heart of berries"),
    Dispute("any", "fly one kite", "to hold the string first", "to hold the string first", "they both pulled, and the string broke", "a knot in the string and turns of a hundred counts each"),
    Dispute("any", "build a raft", "to put up a red sail", "to put up a blue sail", "the raft floated away while they were shouting", "a sail with red and blue stripes"),
    Dispute("village town farm", "plant a garden bed", "to plant only flowers", "to plant only vegetables", "the seeds got trampled into the path", "a bed with beans in the middle and marigolds all around"),
    Dispute("any", "plan a picnic", "to go up the hill", "to go down to the water", "it got late, and the food stayed in the basket", "lunch on top of the hill and dessert down by the water"),
    Dispute("any", "share a new book", "to look at the pictures first", "to read the words first", "a page tore right down the middle", "one who read aloud and one who turned the pages and showed the pictures"),
    Dispute("any", "build a wagon", "to steer it", "to steer it, too", "one wheel came off because each pulled a different way", "one who steered down the hill and one who steered across the meadow"),
    Dispute("any", "find a name for a lost kitten", "to call it Snowball", "to call it Whisper", "the kitten got scared by the loud voices and hid", "a kitten with a long, grand name, Snowball Whisper"),
    Dispute("any", "decorate a big tree for the feast", "to hang up only lanterns", "to hang up only ribbons", "the ladder fell over, and everything lay in a tangle", "a tree with a ribbon on every lantern"),
)  # fmt: skip


def tell(t: Telling) -> None:
    """Tells the plot."""
    world = t.cast.world.name
    rows = [row for row in DISPUTES if row.worlds == "any" or world in row.worlds.split()]
    if world == "snow":
        rows = [row for row in rows if not any(word in row.doing for word in ("branches", "tree", "wagon", "raft", "picnic"))]
    t.bind(row=t.pick(rows), wise=t.pick((t.cast.parent, t.cast.elder)))
    open_story(
        t,
        "{h} had a best friend, {f.named}. They did everything together.",
        "{h} and {h.his} friend {f.named} were together from morning to night.",
        "{h.His} best friend was {f.named}, and they had never had a quarrel.",
    )
    t.paragraph()
    t.tell("{when}, the two friends wanted to {row.doing}. {h} wanted {row.wants}, but {f} wanted {row.other}.",
           '{when}, {h} said to {f}, "Let us {row.doing}!" {f} liked the idea. But then {h} wanted {row.wants}, and {f} wanted {row.other}.')  # fmt: skip
    t.tell(
        '"My way is better!" said {h}. "No, mine is!" said {f}. Their voices grew louder and louder.',
        '"You never listen to me!" {h} [cried|shouted]. "And you always want to decide!" {f} shouted back.',
        '"No!" said {h}. "Yes!" said {f}. "No!" "Yes!" Neither of them wanted to give in.',
    )
    t.tell("In the end, {row.spoiled}.", "And while they were fighting, {row.spoiled}.")
    t.tell(
        '"It is all your fault!" they said at the same time. {f} turned around and went home. {h} went home, too.',
        "\"I don't want to play with you any more,\" said {h}. {f} [walked|stamped] away without a word.",
    )
    t.paragraph()
    _make_up(t)


def _make_up(t: Telling) -> None:
    """They miss each other, listen and find a way for both."""
    t.tell(
        "At home, {h} tried to play alone, but it was no fun. {h.He} kept turning around to say something to {f}, and {f} was not there.",
        "{h} sat down in a corner. At first {h.he} was <cross>. Then {h.he} was only <sad>.",
        "The afternoon was long and empty. {h} missed {f.s} laugh.",
    )
    t.tell(
        "{wise} sat down beside {h.him}. \"What is more important,\" {wise.he} asked, \"to be right or to have a friend?\"",
        '"I was right," {h} told {wise}. "Maybe," said {wise}, "but are you happy?"',
        '"There may be a way that has room for both of you," said {wise}. "You only find it if you listen."',
    )
    t.tell("{h} was quiet for a long time. Then {h.he} got up and ran to {f}.", "{h} <thought>. Then {h.he} knew what to do.", "That made {h} think.")
    t.paragraph()
    t.tell(
        "Halfway there, {h.he} met {f}, who was coming to see {h.him}. \"I am sorry,\" they both said at once, and then they had to laugh.",
        "{h} knocked at {f.s} door. \"I am sorry that I shouted,\" {h.he} said. \"I am sorry, too,\" said {f}.",
    )
    t.tell(
        '"Tell me your idea again," said {h}. "This time I will listen." They talked for a while, and then they had it: {row.both}.',
        "They sat down and listened to each other. And soon they had an idea that both of them liked: {row.both}.",
    )
    t.tell("It turned out better than anything that one of them could have made alone.", "And it was [wonderful|much more fun] that way.")
    close_story(
        t,
        "{h} learned that two ideas together are often better than one.",
        "After that, when they did not agree, they listened first.",
        '"Even friends fight sometimes," said {wise}, "but real friends make up again."',
        "From then on, the first words of every game were, \"What would you like?\"",
        percent=30,
    )


PLOT = Plot("quarrel", "any", tell)
