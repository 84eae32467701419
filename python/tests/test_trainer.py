"""Single steps of the trainer: the loss, the precision, and a gradient that is clipped."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from conftest import tiny_model
from tiny_run import Numbers, Walk

from config import Config, ModelConfig, TrainingConfig
from distributed import Processes
from trainer import Options, Trainer, autocast, sequence_loss

CPU = torch.device("cpu")


def make_trainer(out: Path, options: Options | None = None, **training: object) -> Trainer:
    plan = {
        "steps": 10,
        "batch_size": 8,
        "sequence_length": 32,
        "warmup_steps": 2,
        "sample_prompt": "1 2",
    }
    config = Config(ModelConfig(97, 32, 32, 4, 2, 37, 2), TrainingConfig(**{**plan, **training}))  # type: ignore[arg-type]
    alone = Processes(0, 1, CPU)
    return Trainer(config, Walk(), Numbers(), out, alone, options or Options(), {})


def test_the_loss_is_the_mean_surprise_at_each_next_token() -> None:
    model = tiny_model()
    rows = torch.randint(0, 97, (2, 9), generator=torch.Generator().manual_seed(0))
    probabilities = torch.softmax(model(rows[:, :-1]), dim=-1)
    surprises = [
        -math.log(probabilities[row, t, rows[row, t + 1]].item())
        for row in range(2)
        for t in range(8)
    ]
    expected = sum(surprises) / len(surprises)
    assert sequence_loss(model, rows).item() == pytest.approx(expected, rel=1e-5)


def test_bf16_changes_the_digits_and_not_the_loss() -> None:
    model = tiny_model()
    rows = torch.randint(0, 97, (4, 17), generator=torch.Generator().manual_seed(0))
    exact = sequence_loss(model, rows)
    with autocast(CPU, "bf16"):
        rounded = sequence_loss(model, rows)
    rounded.backward()  # type: ignore[no-untyped-call]
    assert rounded.dtype == torch.float32
    assert all(p.grad is not None and p.grad.dtype == torch.float32 for p in model.parameters())
    assert rounded.item() != exact.item()
    # bf16 keeps 8 bits: about 1 part in 256 of logits that spread over some tens.
    assert rounded.item() == pytest.approx(exact.item(), rel=0.02)


def test_auto_precision_on_the_cpu_is_f32() -> None:
    with autocast(CPU, "auto"):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


def test_a_clipped_step_is_smaller_by_the_norm(tmp_path: Path) -> None:
    # The gradient that reaches the optimizer has the limit's norm; Adam alone would hide that.
    trainer = make_trainer(tmp_path, grad_clip=0.01)
    seen: list[float] = []

    def measure(*_: object) -> None:
        squares = [
            float((p.grad**2).sum()) for p in trainer.model.parameters() if p.grad is not None
        ]
        seen.append(math.sqrt(sum(squares)))

    trainer.optimizer.register_step_pre_hook(measure)
    _, norm, _ = trainer._train_step()
    assert norm > 0.1
    assert seen == [pytest.approx(0.01, rel=1e-3)]


def test_a_loss_that_is_not_a_number_stops_the_run(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path)
    with torch.no_grad():
        trainer.model.final_norm.weight.fill_(math.nan)
    with pytest.raises(FloatingPointError, match=r"the loss of step 0 is nan: lower training\."):
        trainer.run()


def test_the_model_learns_the_walk(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, steps=150, learning_rate=1e-2, checkpoint_every=1000)
    trainer.run()
    # Four equally likely followers cost ln 4 = 1.39 nats at best, guessing costs ln 97 = 4.57;
    # 1.56 was seen.
    assert trainer.validation_loss is not None
    assert trainer.validation_loss < 1.8
