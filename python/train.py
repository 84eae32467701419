"""Trains a model from a YAML configuration: `python train.py [--config C] [--out DIR] …`.

With no arguments it trains configs/gollm-stories.yaml on stories that the repository writes
itself (no network), with a tokenizer trained on the same stories. `--resume` goes on after a
kill, and `torchrun --nproc_per_node N train.py …` uses several processes. What a run leaves
behind is described in `checkpoint.py` and `run_log.py`.
"""

from __future__ import annotations

import argparse
import ctypes
import dataclasses
import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from checkpoint import (
    Checkpoint,
    CheckpointError,
    checkpoints,
    find_checkpoint,
    load_checkpoint,
    write_atomically,
)
from config import Config, ConfigError, load_config, model_config, training_config
from corpus import CorpusBatches, open_corpus
from distributed import Processes, join_processes
from gollm_module import GollmMissing
from provenance import describe_run
from trainer import Interrupted, Options, Trainer

HERE = Path(__file__).resolve().parent
DEFAULT_CONFIG = HERE.parent / "configs" / "gollm-stories.yaml"

# Settings of a run that may differ when it is resumed: they say what is shown, not what is learnt.
FREE_TO_CHANGE = {
    "log_every", "sample_every", "sample_prompt", "sample_tokens", "checkpoint_every",
    "micro_batch_size",
}  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit code: 0, 1 failed, 2 usage, 130 interrupted."""
    parsed = make_parser().parse_args(arguments)
    try:
        return train(parsed)
    except (ConfigError, CheckpointError, GollmMissing, ValueError, FileNotFoundError) as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 2
    except (OSError, FloatingPointError) as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 1


def make_parser() -> argparse.ArgumentParser:
    """The flags; each that is left out keeps the configuration's value."""
    parser = argparse.ArgumentParser(prog="train.py", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--config", type=Path, help="YAML file (default: configs/gollm-stories.yaml)")
    add("--out", type=Path, help="folder of the run (default: python/runs/<name of the config>)")
    add("--resume", action="store_true", help="go on from the newest checkpoint in --out")
    add(
        "--init-from", type=Path, help="run or checkpoint whose weights and tokenizer to start from"
    )
    add("--data", help="`stories` (default), a text file or folder, or hf:NAME (Hugging Face)")
    add(
        "--tokenizer",
        type=Path,
        help="a run's tokenizer.json, or what gollm.Tokenizer saved (default: train one)",
    )
    add("--steps", type=int, help="optimizer steps of the whole run")
    add("--seed", type=int, help="seed of the weights, the data and the samples")
    add("--batch-size", type=int, help="sequences per step, all processes together")
    add("--micro-batch-size", type=int, help="sequences per forward pass of one process")
    add("--sequence-length", type=int, help="tokens per sequence")
    add("--learning-rate", type=float, help="peak learning rate")
    add("--device", default="auto", help="auto (default), cpu, cuda, cuda:1, mps")
    add("--precision", default="auto", choices=("auto", "bf16", "f32"), help="of matrix products")
    add("--threads", type=int, help="CPU threads (default: PyTorch's choice)")
    add("--compile", action="store_true", help="torch.compile: slow start, faster steps")
    add("--fsdp", action="store_true", help="under torchrun: split weights and optimizer (FSDP)")
    return parser


def train(parsed: argparse.Namespace) -> int:
    """Prepares a run from the flags, trains it, and says what to do next."""
    if parsed.threads is not None:
        if parsed.threads < 1:
            raise ConfigError(f"--threads is {parsed.threads}, expected 1 or more")
        torch.set_num_threads(parsed.threads)
    keep_freed_memory()
    name, config, checkpoint, run = plan_run(parsed)
    processes = join_processes(parsed.device)
    try:
        torch.manual_seed(config.training.seed)
        start = None if parsed.resume else load_start(parsed.init_from, config, run, processes)
        batches = open_corpus(config, run, parsed.tokenizer, processes)
        trainer = make_trainer(name, config, batches, run, processes, parsed)
        if start is not None:
            trainer.start_from(start)
        if checkpoint is not None:
            check_same_data(checkpoint, trainer)
            trainer.resume(checkpoint)
        say_start(config, run, trainer, batches, processes)
        return follow(trainer, run)
    finally:
        processes.close()


def plan_run(parsed: argparse.Namespace) -> tuple[str, Config, Checkpoint | None, Path]:
    """Decides the configuration and the folder, and finds the checkpoint to go on from.

    A folder that already holds a run is never written over: it is resumed, or another is named.
    """
    path: Path = parsed.config or DEFAULT_CONFIG
    run: Path = parsed.out or HERE / "runs" / path.stem
    if not parsed.resume:
        if checkpoints(run):
            raise CheckpointError(
                f"{run} already holds a run: add --resume to go on with it, or choose another "
                f"folder with --out"
            )
        return path.stem, with_flags(load_config(path), parsed), None, run
    checkpoint = load_checkpoint(find_checkpoint(run))
    saved = saved_config(checkpoint.meta)
    # Without --config a resumed run goes on as it was started.
    asked = with_flags(saved if parsed.config is None else load_config(path), parsed)
    check_same_run(saved, asked, run)
    return str(checkpoint.meta["provenance"]["config"]), asked, checkpoint, run


def load_start(
    path: Path | None, config: Config, run: Path, processes: Processes
) -> Checkpoint | None:
    """The checkpoint whose weights a new run starts from; its tokenizer becomes the run's.

    The weights mean nothing with another tokenizer, and do not fit another model.
    """
    if path is None:
        return None
    start = load_checkpoint(find_checkpoint(path))
    theirs = model_config(start.meta["model"])
    if dataclasses.replace(theirs, dtype=config.model.dtype) != config.model:
        raise ConfigError(f"--init-from {path}: its model is another than the configuration's")
    if processes.is_main:
        run.mkdir(parents=True, exist_ok=True)
        write_atomically(run / "tokenizer.json", start.tokenizer_json.encode("utf-8"))
    processes.wait()
    return start


def with_flags(config: Config, parsed: argparse.Namespace) -> Config:
    """The configuration with the flags' values in place, checked again."""
    names = (
        "steps", "seed", "batch_size", "micro_batch_size", "sequence_length", "learning_rate",
        "data",
    )  # fmt: skip
    given = {name: getattr(parsed, name) for name in names if getattr(parsed, name) is not None}
    if config.training.sequence_length is None:
        given.setdefault("sequence_length", config.model.context_length)
    return Config(config.model, dataclasses.replace(config.training, **given))


def saved_config(meta: dict[str, Any]) -> Config:
    """The configuration that a checkpoint was trained with."""
    return Config(model_config(meta["model"]), training_config(meta["training"]))


def check_same_run(saved: Config, asked: Config, run: Path) -> None:
    """Raises `ConfigError` when a resumed run would no longer be the run that was started."""
    before = saved.model.to_dict() | dataclasses.asdict(saved.training)
    now = asked.model.to_dict() | dataclasses.asdict(asked.training)
    for key, value in before.items():
        if key not in FREE_TO_CHANGE and now[key] != value:
            raise ConfigError(
                f"{run} was started with {key} = {value}, now it is {now[key]}: resume with the "
                f"settings it was started with (leave out --config and the flags), or start a "
                f"new run with another --out"
            )


def check_same_data(checkpoint: Checkpoint, trainer: Trainer) -> None:
    """Raises `ConfigError` when the tokens are not those that the run was started on."""
    before, now = checkpoint.meta["provenance"]["data"], trainer.provenance["data"]
    if before != now:
        raise ConfigError(
            f"the data differ from those that the run was started on (were {json.dumps(before)}, "
            f"are {json.dumps(now)}): bring the old data back, or start a new run"
        )


def make_trainer(
    name: str,
    config: Config,
    batches: CorpusBatches,
    run: Path,
    processes: Processes,
    parsed: argparse.Namespace,
) -> Trainer:
    """The trainer of this run, with its provenance."""
    options = Options(compile=parsed.compile, fsdp=parsed.fsdp, precision=parsed.precision)
    provenance = describe_run(
        name, config.training.seed, batches.description(), processes.world_size
    )
    run.mkdir(parents=True, exist_ok=True)
    return Trainer(config, batches, batches.tokenizer, run, processes, options, provenance)


def follow(trainer: Trainer, run: Path) -> int:
    """Trains to the end, or to the end of the step in which Ctrl-C was pressed."""

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        if trainer.should_stop:
            raise KeyboardInterrupt  # pressed twice: leave now, the last checkpoint stands
        trainer.should_stop = True
        if trainer.processes.is_main:
            print("\nstopping after this step (again: at once)", file=sys.stderr)

    previous = {s: signal.signal(s, ask_to_stop) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        trainer.run()
    except (Interrupted, KeyboardInterrupt):
        if trainer.processes.is_main:
            print(f"stopped; go on with: python train.py --resume --out {run}", file=sys.stderr)
        return 130
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    if trainer.processes.is_main:
        say_end(trainer, run)
    return 0


def say_start(
    config: Config, run: Path, trainer: Trainer, batches: CorpusBatches, processes: Processes
) -> None:
    """Says on stderr what is about to be trained, on what, and where it goes."""
    if not processes.is_main:
        return
    training = config.training
    tokens = training.steps * training.batch_size * (training.sequence_length or 0)
    lines = [
        f"model     {config.model.n_parameters():,} parameters, seed {training.seed}",
        f"data      {json.dumps(batches.description(), ensure_ascii=False)}",
        f"training  steps {trainer.step} to {training.steps}, {tokens:,} tokens in all, "
        f"{trainer.n_passes} pass(es) of {trainer.sequences_per_pass} sequences of "
        f"{training.sequence_length} tokens per step and process",
        f"device    {processes.device}, {torch.get_num_threads()} thread(s), "
        f"{processes.world_size} process(es)",
        f"run       {run}",
    ]
    print("\n".join(lines), file=sys.stderr)


def say_end(trainer: Trainer, run: Path) -> None:
    """Says how to go on from a finished run."""
    out = run / "model.gollm"
    print(
        f"\ntrained {trainer.step} steps, validation loss {trainer.validation_loss:.4f}\n"
        f"the loss curve is {run / 'loss.png'}\n"
        f"export it:    python {HERE / 'export.py'} --checkpoint {run} --out {out}\n"
        f'let it write: gollm generate -m {out} "{trainer.config.training.sample_prompt}"'
    )


def keep_freed_memory() -> None:
    """Asks the C library to keep freed memory for the next step (Linux with glibc only).

    By default glibc returns each large buffer to the system and faults its pages in again in the
    next step; keeping them made a step of the small model about 10 % faster. A library without
    `mallopt` changes nothing.
    """
    if not sys.platform.startswith("linux") or "MALLOC_TRIM_THRESHOLD_" in os.environ:
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    trim_threshold, mmap_threshold = -1, -3  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD in malloc.h
    mallopt(trim_threshold, 2**31 - 1)
    mallopt(mmap_threshold, 2**30)


if __name__ == "__main__":
    sys.exit(main())
