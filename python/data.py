"""Data for training: from text to batches of token ids. This file gathers the whole interface.

    source = open_source("stories", seed=1)              # or a file, a folder, "hf:NAME"
    texts = take_bytes(source.documents("train"), 4_000_000)   # to train a tokenizer on
    train = prepare(source, tokenizer, "runs/x/data", split="train", max_bytes=20_000_000)
    valid = prepare(source, tokenizer, "runs/x/data", split="validation", max_bytes=500_000)
    windows = Windows(train, sequence_length=512, seed=1234)
    windows.sequences(step, batch_size, rank, world_size)   # int64 [batch_size / world_size, 513]
    windows.batch(step, batch_size, rank, world_size)       # (inputs, targets), each [.., 512]

- `text_sources.py`: where text comes from. A source has two splits, "train" and
  "validation", that share no document, and yields them in a fixed order.
- `token_shards.py`, `prepare_shards.py`: `prepare` tokenizes a split into memory-mapped shards
  (reused when nothing has changed), documents framed as `<|begin_of_text|> ... <|end_of_text|>`.
- `token_windows.py`: the batch of a step is a pure function of the seed and the step, the same
  for any number of processes; each process takes its slice. So resuming is exact.

Only one process should call `prepare`; the others wait for it and call `Shards.open`.
Every error that a user can cause is a `DataError` (a `ValueError`).

    python data.py hf:roneneldan/TinyStories --out data/tinystories --tokenizer FILE
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gollm_module import gollm
from prepare_shards import BEGIN_OF_TEXT, END_OF_TEXT, Tokenizer, prepare
from text_pieces import DataError
from text_sources import (
    HuggingFaceTexts,
    Source,
    Split,
    StoryCorpus,
    TextFiles,
    open_source,
    take_bytes,
)
from token_shards import Shards
from token_windows import Windows

__all__ = [
    "BEGIN_OF_TEXT",
    "END_OF_TEXT",
    "DataError",
    "HuggingFaceTexts",
    "Shards",
    "Source",
    "Split",
    "StoryCorpus",
    "TextFiles",
    "Tokenizer",
    "Windows",
    "open_source",
    "prepare",
    "take_bytes",
]


def main(arguments: list[str] | None = None) -> int:
    """Tokenizes a source into shards ahead of training; returns the exit code."""
    parser = argparse.ArgumentParser(prog="data.py", description="Tokenize text into shards.")
    parser.add_argument("source", help="`stories`, a text file or folder, or hf:NAME[:CONFIG]")
    parser.add_argument("--out", type=Path, required=True, help="folder for the shards")
    parser.add_argument(
        "--tokenizer", type=Path, required=True, help="a run's, or saved by gollm.Tokenizer"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the stories")
    parser.add_argument("--max-bytes", type=int, help="text per split (needed for `stories`)")
    parsed = parser.parse_args(arguments)
    try:
        tokenizer = gollm().Tokenizer.load(str(parsed.tokenizer))
        source = open_source(parsed.source, parsed.seed)
        splits: tuple[Split, ...] = ("train", "validation")
        for split in splits:
            made = prepare(source, tokenizer, parsed.out, split=split, max_bytes=parsed.max_bytes)
            print(f"{split}: {made.n_documents:,} documents, {made.n_tokens:,} tokens")
    except (ValueError, OSError, RuntimeError) as error:
        print(f"data.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
