"""The text of a run, as the trainer uses it: tokenizer, shards and batches together.

The work is in `data.py`; here is only the order of it: find or train the tokenizer, tokenize
both splits into the run's folder (once, by the main process), and hand out batches.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from checkpoint import write_atomically
from config import Config, ConfigError
from data import Shards, Source, Windows, open_source, prepare, take_bytes
from distributed import Processes
from gollm_module import gollm

# The validation text, as a part of the training text, between these bounds (bytes).
VALIDATION_PART, VALIDATION_LEAST, VALIDATION_MOST = 50, 200_000, 2_000_000


class CorpusBatches:
    """The batches of a run (`trainer.Batches`) and the tokenizer they were made with."""

    def __init__(self, config: Config, tokenizer: Any, train: Shards, validation: Shards) -> None:
        training = config.training
        length = training.sequence_length or config.model.context_length
        self.tokenizer = tokenizer
        self.batch_size = training.batch_size
        self.train_windows = Windows(train, length, training.seed)
        # Its own constant seed: the validation batches are the same whatever the run's seed.
        self.validation_windows = Windows(validation, length, seed=0)

    def train(self, step: int, rank: int, world_size: int) -> Tensor:
        """This process's sequences of a step, `[n_sequences, sequence_length + 1]`."""
        rows = self.train_windows.sequences(step, self.batch_size, rank, world_size)
        return torch.from_numpy(rows)

    def validation(self, index: int, rank: int, world_size: int) -> Tensor:
        """The same for a batch of the held-out text."""
        rows = self.validation_windows.sequences(index, self.batch_size, rank, world_size)
        return torch.from_numpy(rows)

    def description(self) -> dict[str, Any]:
        """What the model was trained on, for the provenance."""
        train, validation = self.train_windows.shards, self.validation_windows.shards
        return {
            "source": train.index["source"],
            "train_tokens": train.n_tokens,
            "train_documents": train.n_documents,
            "train_bytes": train.n_bytes,
            "validation_tokens": validation.n_tokens,
            "validation_bytes": validation.n_bytes,
        }


def open_corpus(
    config: Config, run: Path, tokenizer_file: Path | None, processes: Processes
) -> CorpusBatches:
    """Prepares the data in the main process; the others wait and open what it made."""
    source = open_source(config.training.data)
    folder = run / "data"
    if processes.is_main:
        run.mkdir(parents=True, exist_ok=True)
        tokenizer = find_tokenizer(config, run, tokenizer_file, source)
        most = config.training.data_bytes
        least = min(VALIDATION_MOST, max(VALIDATION_LEAST, most // VALIDATION_PART))
        prepare(source, tokenizer, folder, split="train", max_bytes=most)
        prepare(source, tokenizer, folder, split="validation", max_bytes=least)
    processes.wait()
    text = (run / "tokenizer.json").read_text(encoding="utf-8")
    tokenizer = gollm().Tokenizer.from_json(text)
    train, validation = Shards.open(folder, "train"), Shards.open(folder, "validation")
    return CorpusBatches(config, tokenizer, train, validation)


def find_tokenizer(config: Config, run: Path, file: Path | None, source: Source) -> Any:
    """The tokenizer of the run: the one named, the run's own, or a new one trained on the text.

    Leaves it in the run's folder as `tokenizer.json`. Raises `ConfigError` when its size is not
    the model's `vocab_size`.
    """
    saved = run / "tokenizer.json"
    tokenizers = gollm().Tokenizer
    if file is not None:
        tokenizer = tokenizers.load(str(file))
    elif saved.is_file():
        tokenizer = tokenizers.from_json(saved.read_text(encoding="utf-8"))
    else:
        texts = list(take_bytes(source.documents("train"), config.training.vocab_bytes))
        tokenizer = tokenizers.train(texts, config.model.vocab_size)
    if tokenizer.vocab_size != config.model.vocab_size:
        raise ConfigError(
            f"the tokenizer {file or 'trained on the data'} has {tokenizer.vocab_size} ids and "
            f"the model's vocab_size is {config.model.vocab_size}: change vocab_size, give more "
            f"text (training.vocab_bytes), or choose another tokenizer"
        )
    if file is not None or not saved.is_file():
        write_atomically(saved, tokenizer.to_json().encode("utf-8"))
    return tokenizer
