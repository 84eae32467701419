"""Qwen2, Qwen3 and its experts: our decoder, in PyTorch and in Rust, beside transformers'."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from qwen_models import FAMILIES, N_GREEDY, PROMPT, family, greedy, hugging_face

from gollm_module import gollm
from model import Decoder, Moe

# The same sums in another order, through two layers; logits reach about 20.
LOGITS_ATOL = 1e-4


@pytest.mark.parametrize("name", FAMILIES)
def test_logits_and_greedy_tokens_are_transformers(name: str, tmp_path: Path) -> None:
    model = family(name)
    theirs = hugging_face(model)
    with torch.no_grad():
        expected = theirs(torch.tensor([PROMPT])).logits[0].numpy()
        ours = model(torch.tensor([PROMPT]))[0].numpy()
    np.testing.assert_allclose(ours, expected, rtol=0, atol=LOGITS_ATOL)
    tokens = greedy(theirs, PROMPT, N_GREEDY)
    assert model.generate(PROMPT, N_GREEDY) == tokens

    path = tmp_path / "model.gollm"
    weights = {n: p.detach().numpy() for n, p in model.named_parameters()}
    gollm().write_model(str(path), json.dumps(model.config.to_dict()), weights, "f32")
    rust = gollm().Model.load(str(path), verify=True)
    for chunk_size in (1, 3, 128):
        logits = rust.logits(PROMPT, chunk_size=chunk_size)
        np.testing.assert_allclose(logits, expected, rtol=0, atol=LOGITS_ATOL)
    assert list(rust.generate_ids(PROMPT, N_GREEDY, ignore_end_of_text=True)) == tokens
    assert rust.config == model.config.to_dict()


def test_a_mixture_of_equal_experts_is_one_of_them() -> None:
    """Weights that sum to 1 over experts that agree: the router cannot matter."""
    moe = Moe(FAMILIES["qwen3moe"])
    for expert in moe.experts:
        expert.load_state_dict(moe.experts[0].state_dict())
    x = torch.randn(2, 5, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(moe(x), moe.experts[0](x))


def test_a_mixture_can_be_trained() -> None:
    """Every weight gets a gradient, the router's through the weights of the outputs."""
    model = Decoder(FAMILIES["qwen3moe"])
    model.init_weights(3)
    ids = torch.arange(64).view(2, 32)
    model(ids).logsumexp(-1).sum().backward()
    silent = [
        name
        for name, parameter in model.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().sum() > 0
    ]
    assert silent == []
