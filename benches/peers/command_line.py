"""What the comparisons have in common on the command line: kinds of options, and how they end."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

from processes import Failure
from programs import n_processors, say


def at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def length(text: str) -> int:
    return 0 if text == "0" else at_least_one(text)


def counts(text: str) -> list[int]:
    return [at_least_one(word) for word in text.split(",")]


def lengths(text: str) -> list[int]:
    return [length(word) for word in text.split(",")]


def thread_counts(text: str) -> list[int]:
    chosen = counts(text)
    if max(chosen) > n_processors():
        message = f"{max(chosen)} threads, but there are {n_processors()} processors"
        raise argparse.ArgumentTypeError(message)
    return chosen


def among(known: tuple[str, ...]) -> Callable[[str], list[str]]:
    """Names separated by commas, all of them known."""

    def names(text: str) -> list[str]:
        chosen = text.split(",")
        for name in chosen:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
        return chosen

    return names


def check_out(parser: argparse.ArgumentParser, out: Path | None) -> None:
    """Before an hour of measuring, not after it."""
    if out and not out.resolve().parent.is_dir():
        parser.error(f"--out: there is no folder {out.resolve().parent}")


def stop(number: int, _frame: FrameType | None) -> NoReturn:
    """A plea to end is answered as Ctrl-C is: by clearing up."""
    raise SystemExit(128 + number)


def to_the_end(compare: Callable[[], str], out: Path | None) -> int:
    """Prints what `compare` finds, and writes it to `out`; answers with the status to end with."""
    if not hasattr(os, "wait4"):
        say("error: this needs Linux or macOS")
        return 1
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        text = compare()
        print(text, end="")
        if out:
            out.write_text(text, encoding="utf-8")
    except KeyboardInterrupt:
        say("interrupted; temporary files are removed")
        return 130
    except (Failure, OSError) as failure:
        say(f"error: {failure}")
        return 1
    return 0
