"""The training loop: a `Trainer` takes a run from its start, or from a checkpoint, to its end.

Everything that happens in a step is a function of the configuration and of the step's number:
the batch, the learning rate and the sample's seed. The weights and the optimizer's state are the
only memory, and a checkpoint holds both, so a run that was killed and resumed gives the same
losses as one that was not.

Source: book sections 5.2 and appendix D.
"""

from __future__ import annotations

import contextlib
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_state_dict,
    set_model_state_dict,
    set_state_dict,
)
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from checkpoint import Checkpoint, save_checkpoint
from config import Config, TrainingConfig
from distributed import Processes, distribute
from model import Decoder
from optimizer import make_optimizer, set_learning_rate
from run_log import RunLog, draw_loss_curve
from schedule import learning_rate

# Whole tensors on the CPU, under the names of model.py, whatever the model is wrapped in.
FULL_STATE = StateDictOptions(full_state_dict=True, cpu_offload=True)


class Batches(Protocol):
    """Where the tokens come from: each batch is a pure function of its arguments."""

    def train(self, step: int, rank: int, world_size: int) -> Tensor:
        """This process's slice of a step's sequences, `[n_sequences, sequence_length + 1]`."""

    def validation(self, index: int, rank: int, world_size: int) -> Tensor:
        """The same for batch `index` of the text that is held out."""


class Text(Protocol):
    """The part of a tokenizer that the trainer uses, to print samples."""

    def encode(self, text: str) -> Any: ...
    def decode(self, ids: Any) -> str: ...
    def special_id(self, text: str) -> int | None: ...
    def to_json(self) -> str: ...


@dataclass
class Options:
    """What the command line adds to the configuration."""

    compile: bool = False
    fsdp: bool = False
    precision: str = "auto"
    """`auto` (bf16 where the device computes in it), `bf16` or `f32`."""


class Interrupted(Exception):
    """The user asked the run to stop; a checkpoint of its last step is saved."""


class Trainer:
    """One run: the model, its optimizer, and where they stand."""

    def __init__(
        self,
        config: Config,
        batches: Batches,
        tokenizer: Text,
        run: Path,
        processes: Processes,
        options: Options,
        provenance: dict[str, Any],
    ) -> None:
        self.config, self.batches, self.tokenizer = config, batches, tokenizer
        self.run_folder, self.processes, self.options = run, processes, options
        self.provenance = provenance
        self.step = 0
        self.validation_loss: float | None = None
        self.should_stop = False
        self.model = Decoder(config.model)
        self.model.init_weights(config.training.seed)
        self.model.to(processes.device)
        self.wrapped = distribute(self.model, processes, options.fsdp)
        self.optimizer = make_optimizer(self.model, config.training)
        self.sequences_per_pass, self.n_passes = split_batch(config.training, processes.world_size)
        self.log = RunLog(run / "log.jsonl", processes.is_main)
        self.loss_function: Callable[[nn.Module, Tensor], Tensor] = sequence_loss
        if options.compile:
            self.loss_function = torch.compile(sequence_loss)

    def start_from(self, checkpoint: Checkpoint) -> None:
        """Begins a new run, at step 0, with the weights of another; the provenance names both."""
        set_model_state_dict(self.model, checkpoint.weights, options=FULL_STATE)
        kept = ("step", "validation_loss", "training", "provenance")
        self.provenance["init_from"] = {key: checkpoint.meta.get(key) for key in kept}

    def resume(self, checkpoint: Checkpoint) -> None:
        """Goes on where `checkpoint` was saved."""
        set_state_dict(
            self.model,
            self.optimizer,
            model_state_dict=checkpoint.weights,
            optim_state_dict=checkpoint.optimizer,
            options=FULL_STATE,
        )
        torch.set_rng_state(checkpoint.random_state)
        if (start := checkpoint.meta["provenance"].get("init_from")) is not None:
            self.provenance["init_from"] = start
        self.step = int(checkpoint.meta["step"])
        self.validation_loss = checkpoint.meta.get("validation_loss")
        self.log.cut_after(self.step)

    def run(self) -> None:
        """Trains to the last step. Raises `Interrupted` after saving when asked to stop."""
        training = self.config.training
        if self.step == 0:
            self._validate()
        with self._progress_bar() as bar:
            while self.step < training.steps:
                started = time.perf_counter()
                loss, norm, rate = self._train_step()
                self.step += 1
                seconds = time.perf_counter() - started
                self._report(bar, loss, norm, rate, seconds)
                last = self.step == training.steps
                if last or self.step % training.validate_every == 0:
                    self._validate()
                if last or self.step % training.sample_every == 0:
                    self._sample()
                stop = self.processes.any(self.should_stop)
                if last or stop or self.step % training.checkpoint_every == 0:
                    self._save()
                if stop and not last:
                    raise Interrupted

    def _train_step(self) -> tuple[float, float, float]:
        """One optimizer step: returns the loss, the gradient's norm and the learning rate."""
        training, processes = self.config.training, self.processes
        rate = learning_rate(self.step, training)
        set_learning_rate(self.optimizer, rate)
        batch = self.batches.train(self.step, processes.rank, processes.world_size)
        total = 0.0
        for i, part in enumerate(torch.split(batch, self.sequences_per_pass)):
            with self._gradient_exchange(last=i == self.n_passes - 1):
                loss = self._loss(part) / self.n_passes
                loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
        limit = training.grad_clip if training.grad_clip > 0 else math.inf
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), limit)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        mean = processes.mean(total)
        if not math.isfinite(mean):
            raise FloatingPointError(
                f"the loss of step {self.step} is {mean}: lower training.learning_rate or "
                f"training.grad_clip, and resume from the last checkpoint"
            )
        return mean, float(_whole(norm)), rate

    def _loss(self, sequences: Tensor) -> Tensor:
        """The mean loss of some sequences, on the device and in the precision chosen."""
        sequences = sequences.to(self.processes.device, non_blocking=True)
        with autocast(self.processes.device, self.options.precision):
            return self.loss_function(self.wrapped, sequences)

    @contextlib.contextmanager
    def _gradient_exchange(self, last: bool) -> Iterator[None]:
        """Lets DDP average the gradients once per step and not once per pass."""
        if isinstance(self.wrapped, DistributedDataParallel) and not last:
            with self.wrapped.no_sync():
                yield
        else:
            yield

    @torch.no_grad()
    def _validate(self) -> None:
        """Measures the loss on the held-out text, always on the same batches."""
        training, processes = self.config.training, self.processes
        self.model.eval()
        total = 0.0
        for index in range(training.validation_batches):
            batch = self.batches.validation(index, processes.rank, processes.world_size)
            parts = torch.split(batch, self.sequences_per_pass)
            total += sum(self._loss(part).item() for part in parts) / len(parts)
        self.model.train()
        self.validation_loss = processes.mean(total / training.validation_batches)
        self.log.write("validation", self.step, loss=self.validation_loss)
        self._say(f"step {self.step}: validation loss {self.validation_loss:.4f}")

    def _sample(self) -> None:
        """Writes how the model continues the prompt now: greedily, and drawn at 0.8."""
        training = self.config.training
        ids = [int(i) for i in self.tokenizer.encode(training.sample_prompt)]
        begin = self.tokenizer.special_id("<|begin_of_text|>")
        end = self.tokenizer.special_id("<|end_of_text|>")
        prompt = ids if begin is None else [begin, *ids]
        stop = frozenset() if end is None else frozenset((end,))
        for temperature in (0.0, 0.8):
            # Every process generates: under FSDP each holds a part of the weights.
            new = self.model.generate(
                prompt, training.sample_tokens, temperature=temperature, stop_ids=stop
            )
            text = self.tokenizer.decode(ids + new)
            self.log.write("sample", self.step, text=text, temperature=temperature)
            self._say(f"step {self.step}, temperature {temperature}: {text}")

    def _save(self) -> None:
        """Writes a checkpoint and the loss curve (main process; the others help to gather)."""
        weights, optimizer = get_state_dict(self.model, self.optimizer, options=FULL_STATE)
        if self.processes.is_main:
            meta = {
                "step": self.step,
                "validation_loss": self.validation_loss,
                "model": self.config.model.to_dict(),
                "training": vars(self.config.training),
                "provenance": self.provenance,
            }
            saved = Checkpoint(
                weights, optimizer, torch.get_rng_state(), meta, self.tokenizer.to_json()
            )
            save_checkpoint(self.run_folder, self.step, saved)
            draw_loss_curve(self.log.path, self.run_folder / "loss.png")
        self.processes.wait()

    def _report(self, bar: Any, loss: float, norm: float, rate: float, seconds: float) -> None:
        """Moves the bar and, every `log_every` steps, adds a line to the log."""
        training = self.config.training
        per_step = training.batch_size * (training.sequence_length or 0)
        bar.update(1)
        bar.set_postfix_str(f"loss {loss:.3f}, {per_step / seconds:,.0f} tokens/s", refresh=False)
        if self.step % training.log_every == 0 or self.step == training.steps:
            self.log.write(
                "train",
                self.step,
                loss=loss,
                learning_rate=rate,
                gradient_norm=norm,
                tokens=self.step * per_step,
                tokens_per_second=round(per_step / seconds),
            )

    def _progress_bar(self) -> Any:
        return tqdm(
            total=self.config.training.steps,
            initial=self.step,
            unit="step",
            mininterval=1.0,
            file=sys.stderr,
            disable=not self.processes.is_main,
            dynamic_ncols=True,
        )

    def _say(self, text: str) -> None:
        """Prints above the progress bar, on stderr."""
        if self.processes.is_main:
            tqdm.write(text, file=sys.stderr)


def sequence_loss(model: nn.Module, sequences: Tensor) -> Tensor:
    """Mean cross-entropy, in nats per token, of predicting each token from those before it.

    `sequences` is `[n_sequences, sequence_length + 1]`: the input is all but the last token, the
    target all but the first. Source: book section 5.1.2.
    """
    ids, targets = sequences[:, :-1], sequences[:, 1:]
    logits: Tensor = model(ids)
    return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())


def split_batch(training: TrainingConfig, world_size: int) -> tuple[int, int]:
    """How many sequences a process takes per forward pass, and how many passes make a step.

    Raises `ValueError` when the batch does not divide evenly: unequal shares would weigh some
    sequences more than others.
    """
    if training.batch_size % world_size != 0:
        raise ValueError(
            f"training.batch_size ({training.batch_size}) is not a multiple of the "
            f"{world_size} processes"
        )
    share = training.batch_size // world_size
    sequences = training.micro_batch_size or share
    if share % sequences != 0:
        raise ValueError(
            f"training.micro_batch_size ({sequences}) does not divide the {share} sequences "
            f"that each process takes per step"
        )
    return sequences, share // sequences


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager[Any]:
    """bf16 arithmetic in matrix products where asked for, or where the device is made for it."""
    wanted = precision == "bf16" or (
        precision == "auto" and device.type == "cuda" and torch.cuda.is_bf16_supported()
    )
    if not wanted:
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def _whole(value: Tensor) -> Tensor:
    """The full value of a number that FSDP holds in parts."""
    full: Tensor = value.full_tensor() if hasattr(value, "full_tensor") else value
    return full
