"""Prints stories: `python -m stories --seed 1 --start 0 --count 3 --split train`."""

from __future__ import annotations

import argparse
from itertools import islice

from . import stories


def main() -> None:
    """Reads the arguments and prints the stories, a rule between them."""
    parser = argparse.ArgumentParser(prog="python -m stories", description="Print generated stories.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=int, default=0, help="index of the first story")
    parser.add_argument("--count", type=int, default=3)
    parser.add_argument("--split", choices=("train", "validation", "any"), default="train")
    arguments = parser.parse_args()
    print("\n\n---\n\n".join(islice(stories(arguments.seed, arguments.start, arguments.split), arguments.count)))


if __name__ == "__main__":
    main()
