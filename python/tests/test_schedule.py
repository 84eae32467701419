"""The learning rate's end points and shape, and which weights decay."""

from __future__ import annotations

import pytest
import torch
from conftest import tiny_model
from hypothesis import given
from hypothesis import strategies as st

from config import TrainingConfig
from optimizer import decay_groups, make_optimizer
from schedule import learning_rate

PLAN = TrainingConfig(steps=100, warmup_steps=10, learning_rate=1e-3, min_learning_rate=1e-4)


def test_the_rate_starts_above_zero_peaks_after_warm_up_and_ends_at_the_minimum() -> None:
    assert learning_rate(0, PLAN) == pytest.approx(1e-4)
    assert learning_rate(9, PLAN) == pytest.approx(1e-3)
    assert learning_rate(99, PLAN) == pytest.approx(1e-4)
    assert learning_rate(1000, PLAN) == pytest.approx(1e-4)


def test_half_way_down_the_cosine_is_the_mean() -> None:
    plan = TrainingConfig(steps=101, warmup_steps=1, learning_rate=1.0, min_learning_rate=0.5)
    assert learning_rate(50, plan) == pytest.approx(0.75)


@given(st.integers(1, 500), st.integers(0, 600))
def test_the_rate_rises_then_falls_and_stays_within_its_bounds(steps: int, warmup: int) -> None:
    plan = TrainingConfig(
        steps=steps, warmup_steps=warmup, learning_rate=1e-3, min_learning_rate=1e-5
    )
    rates = [learning_rate(step, plan) for step in range(steps)]
    assert all(0.0 < rate <= 1e-3 * (1 + 1e-12) for rate in rates)
    peak = rates.index(max(rates))
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)


def test_matrices_decay_and_norms_do_not() -> None:
    model = tiny_model(tie_embeddings=False)
    decaying, others = decay_groups(model, 0.1)
    names = {id(p): name for name, p in model.named_parameters()}
    assert (decaying["weight_decay"], others["weight_decay"]) == (0.1, 0.0)
    assert {names[id(p)] for p in others["params"]} == {
        name for name in names.values() if "norm" in name
    }
    assert len(decaying["params"]) + len(others["params"]) == len(names)


def test_decay_is_decoupled_from_the_gradient() -> None:
    # With a gradient of zero Adam's own step is zero, and what is left is w ← w · (1 − lr · decay).
    model = tiny_model()
    optimizer = make_optimizer(model, TrainingConfig(learning_rate=0.1, weight_decay=0.5))
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    for p in model.parameters():
        p.grad = torch.zeros_like(p)
    optimizer.step()
    for name, p in model.named_parameters():
        factor = 1.0 if "norm" in name else 0.95
        assert torch.allclose(p, before[name] * factor, rtol=1e-6)
