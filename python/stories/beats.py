"""Beats that many plots share: how a story opens, how it closes, what is said in between."""

from __future__ import annotations

from .telling import Telling

# {lead} is what the plot wants known about the hero, a whole sentence.
OPENINGS_CLASSIC = (
    "Once upon a time, there was a {h.look} named {h}. {h.He} lived with {h.his} {p.role} {home}.",
    "Once upon a time, there was a {h.look} named {h} who lived {home}.",
    "Once upon a time, a {h.look} named {h} lived with {h.his} {p.role} {home}.",
    "Once upon a time, {home}, there lived a {h.look} named {h}.",
    "Once upon a time, there lived a {h.look} named {h}. {h.His} home was {home}.",
    "Once upon a time, there was a {h.look}. {h.His} name was {h}, and {h.he} lived {home}.",
)
OPENINGS_OTHER = (
    "There once was a {h.look} named {h} who lived {home}.",
    "{home}, there lived a {h.look} named {h}.",
    "{home}, a {h.look} named {h} lived with {h.his} {p.role}.",
    "Long ago, {home}, there lived a {h.look} called {h}.",
    "Not so long ago, a {h.look} called {h} lived {home}.",
    "{h} was a {h.look} who lived {home}.",
    "{h} was a {h.look}. {h.He} lived with {h.his} {p.role} {home}.",
    "This is the story of a {h.look} named {h}, who lived {home}.",
)
# These take the place of the first event's time, so {when} goes on from them.
OPENINGS_DAY = (
    "One day, a {h.look} named {h} woke up early. {h.He} lived {home} with {h.his} {p.role}.",
    "One <fine> <day>, a {h.look} named {h} was looking for something to do. {h.He} lived {home}.",
    "One day, a {h.look} named {h} was sitting on the doorstep and watching the clouds. {h.He} lived {home}.",
    "One <fine> <day>, a {h.look} named {h} stretched and yawned in the sunshine. {h.He} lived {home}.",
    "It was a <fine> <day> {home}, and a {h.look} named {h} was in a [good|cheerful|happy] mood.",
)
WHENS = (
    "one day", "one day", "one <fine> <day>", "one <fine> <day>", "one <day>", "one <fine> [spring|summer] <day>",
    "one [spring|summer|autumn] <day>", "early one morning", "one day after breakfast", "late one afternoon",
    "one weekend", "on a <fine> <day>",
)  # fmt: skip
WHENS_SAME_DAY = (
    "a little later", "after breakfast", "that day", "after a while", "before long", "later that day",
    "a short time later",
)  # fmt: skip

CLOSINGS = (
    "{h} went to bed that night with a warm and happy heart.",
    "That night, {h} fell asleep with a smile.",
    "{h} never forgot that day.",
    "It had been a very good day.",
    "And {h} was <very_happy>.",
    "And that night, {h} dreamed [sweet|happy|golden|lovely] dreams.",
    "{h.s} heart felt as warm as [the sun|a summer day|fresh bread|a stove in winter].",
    "{h.s} heart felt as light as [a feather|a cloud|a bubble|a butterfly].",
    "And {h} thought, \"[What a good day|What a day|Today was a good day|I am glad].\"",
)
# Only where {p} was not there to see it.
CLOSINGS_AT_HOME = (
    "{h} told {p} all about it, and {p} gave {h.him} a [big|warm|tight|long] hug.",
    "When {p} heard the whole story, {p.he} smiled and gave {h.him} a [kiss|hug|wink].",
    "In the evening, {h} told {p} everything, from the beginning to the end.",
)


def open_story(t: Telling, *leads: str, day: bool = True) -> None:
    """Writes the opening and one of the leads, and fixes {when} for the first event.

    About half of the stories begin with "Once upon a time". With `day` false the opening names
    no day, for plots that bring their own.
    """
    roll = t.draws.below(100 if day else 82)
    if roll < (52 if day else 43):
        t.tell(*OPENINGS_CLASSIC)
    elif roll < 82:
        t.tell(*OPENINGS_OTHER)
    else:
        t.tell(*OPENINGS_DAY)
    if leads:
        t.tell(*leads)
    t.fix(when=t.pick(WHENS if roll < 82 else WHENS_SAME_DAY))


def close_story(t: Telling, *lessons: str, percent: int = 60) -> None:
    """Writes one of the lessons and, in `percent` of 100 stories, a closing line after it."""
    t.tell(*lessons)
    if t.has_said("That night") or t.has_said("That evening"):
        return
    closings = CLOSINGS if t.has_said(t.cast.parent.name) else CLOSINGS + CLOSINGS_AT_HOME
    t.maybe(percent, *closings)
