"""A whole run of the trainer on made-up tokens, as a program that a test can start and kill.

`python tiny_run.py --out DIR [--resume] [--fsdp] [--steps N]`. The tokens are a random walk over
97 symbols, so there is something to learn and nothing to prepare.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from checkpoint import find_checkpoint, load_checkpoint
from config import Config, ModelConfig, TrainingConfig
from distributed import join_processes
from trainer import Options, Trainer

VOCAB, LENGTH, BATCH = 97, 32, 8


class Walk:
    """Batches that are pure functions of the step: each token is one of four followers."""

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        self.followers = torch.randint(0, VOCAB, (VOCAB, 4), generator=generator)

    def train(self, step: int, rank: int, world_size: int) -> Tensor:
        return self._batch(step, rank, world_size)

    def validation(self, index: int, rank: int, world_size: int) -> Tensor:
        return self._batch(1_000_000 + index, rank, world_size)

    def _batch(self, seed: int, rank: int, world_size: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        rows = torch.empty(BATCH, LENGTH + 1, dtype=torch.int64)
        rows[:, 0] = torch.randint(0, VOCAB, (BATCH,), generator=generator)
        choices = torch.randint(0, 4, (BATCH, LENGTH), generator=generator)
        for t in range(LENGTH):
            rows[:, t + 1] = self.followers[rows[:, t], choices[:, t]]
        return rows.chunk(world_size)[rank]


class Numbers:
    """A tokenizer whose text is numbers."""

    def encode(self, text: str) -> list[int]:
        return [int(word) for word in text.split()]

    def decode(self, ids: list[int]) -> str:
        return " ".join(str(i) for i in ids)

    def special_id(self, text: str) -> int | None:
        return None

    def to_json(self) -> str:
        return "{}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--fsdp", action="store_true")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--micro-batch-size", type=int)
    parsed = parser.parse_args()
    torch.set_num_threads(1)
    model = ModelConfig(VOCAB, LENGTH, 32, 4, 2, 37, 2)
    training = TrainingConfig(
        steps=parsed.steps,
        batch_size=BATCH,
        micro_batch_size=parsed.micro_batch_size,
        sequence_length=LENGTH,
        learning_rate=1e-2,
        warmup_steps=3,
        log_every=1,
        checkpoint_every=5,
        validate_every=5,
        sample_every=10,
        sample_prompt="1 2",
        sample_tokens=5,
    )
    processes = join_processes("cpu")
    parsed.out.mkdir(parents=True, exist_ok=True)
    options = Options(fsdp=parsed.fsdp)
    config = Config(model, training)
    trainer = Trainer(config, Walk(), Numbers(), parsed.out, processes, options, {})
    if parsed.resume:
        trainer.resume(load_checkpoint(find_checkpoint(parsed.out)))
    trainer.run()
    processes.close()


if __name__ == "__main__":
    main()
