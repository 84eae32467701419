"""Lists of words that any wording may draw from with `<name>`.

Words of one list can stand for each other wherever the list is used. Reporting
verbs are split by what they can report, so that nobody whispers a shout.
"""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    """Splits at commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


LEXICON: dict[str, tuple[str, ...]] = {
    # Reporting verbs.
    "said": _words("said, said, said, said, added, replied, answered"),
    "told": _words("said, said, said, began, murmured, remarked"),
    "replied": _words("said, said, replied, answered, agreed, nodded and said, smiled and said"),
    "asked": _words("asked, asked, asked, wondered aloud, wanted to know"),
    "cried": _words("cried, shouted, called, exclaimed, gasped, cried, said"),
    "cheered": _words("cheered, cried, shouted, called, exclaimed, laughed, sang out"),
    "laughed": _words("laughed, giggled, chuckled, grinned, beamed"),
    "whispered": _words("whispered, said softly, said quietly, murmured, said in a small voice, mumbled"),
    "warmly": _words("kindly, gently, warmly, softly, with a smile, with a warm smile, cheerfully, with twinkling eyes"),
    "smiled": _words("smiled, grinned, beamed, smiled brightly, laughed with joy, smiled from ear to ear"),
    # Feelings.
    "happy": _words("happy, glad, cheerful, delighted, joyful, full of joy, pleased, merry"),
    "very_happy": _words(
        "very happy, so happy, as happy as could be, happier than ever, bursting with joy, full of happiness, "
        "overjoyed, delighted"
    ),
    "sad": _words("sad, unhappy, gloomy, very sad, downhearted, sorrowful, miserable"),
    "worried": _words("worried, uneasy, anxious, troubled, nervous, very worried"),
    "scared": _words("scared, afraid, frightened, nervous, a little scared, very frightened"),
    "proud": _words("proud, very proud, so proud, terribly proud"),
    "cross": _words("angry, cross, grumpy, upset, annoyed"),
    "excited": _words("excited, thrilled, eager, so excited, full of excitement"),
    "sorry": _words("sorry, ashamed, bad, terrible, guilty"),
    # Looks and sizes.
    "small": _words("small, little, tiny, wee"),
    "big": _words("big, large, huge, enormous, great big"),
    "old": _words("old, ancient, very old, worn"),
    "pretty": _words("pretty, lovely, beautiful, charming, wonderful"),
    "good": _words("good, fine, splendid, wonderful, clever, excellent"),
    "delicious": _words("delicious, tasty, sweet, wonderful, yummy"),
    "color": _words(
        "red, blue, green, yellow, purple, orange, pink, white, brown, silver, golden, turquoise, violet, scarlet, "
        "cream, crimson"
    ),
    "dear": _words("my dear, dear, little one, sweetheart, my little one, darling"),
    # Movement and manner.
    "went": _words("went, walked, set off, wandered, strolled, hurried, skipped, headed"),
    "hurried": _words("hurried, rushed, dashed, raced, scurried, ran, sped"),
    "crept": _words("crept, tiptoed, sneaked, moved slowly, stepped quietly"),
    "carefully": _words("carefully, gently, slowly, very carefully, slowly and carefully, with great care"),
    "quickly": _words("quickly, at once, right away, without delay, in a flash, straight away"),
    "suddenly": _words("suddenly, all of a sudden, all at once, just then, at that moment"),
    "soon": _words("soon, before long, in a little while, after a while, in no time"),
    "jumped": _words("jumped for joy, danced with joy, clapped, hopped up and down, jumped up and down, twirled around"),
    "thought": _words("thought hard, thought for a moment, thought about it, thought for a while, sat down to think"),
    "searched": _words("searched, looked, hunted, searched carefully, looked all around"),
    # Times.
    "fine": _words("sunny, warm, bright, fine, clear, quiet, lovely, fresh, golden, peaceful, beautiful, mild"),
    "day": _words("morning, morning, afternoon, day"),
    "day_after": _words("the next day, the next morning, the following day, the day after"),
    "evening": _words("that evening, that night, at bedtime, when the stars came out, at sunset, as the sun went down"),
}
