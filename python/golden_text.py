"""The text that models are measured on: `test_data/held-out-stories.txt`.

    gollm perplexity -m MODEL test_data/held-out-stories.txt

The stories are of the validation split, so no model of this project was trained on them, nor on
their pairs of plot and hero. A blank line stands between two stories.
"""

from __future__ import annotations

from itertools import islice

from stories import stories

NAME = "held-out-stories.txt"
# Another seed than the trainer's, whose validation stories have decided when training was done.
SEED = 2
N_STORIES = 48


def held_out_stories() -> bytes:
    """The whole text in UTF-8, about 48 kB."""
    told = islice(stories(SEED, split="validation"), N_STORIES)
    return ("\n\n".join(told) + "\n").encode("utf-8")
