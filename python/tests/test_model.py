"""The decoder: shapes, names, and the properties that the book's chapters 3 and 4 claim."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from conftest import TINY, tiny_model
from hypothesis import given, settings
from hypothesis import strategies as st

from config import ModelConfig, RopeScaling
from model import (
    Decoder,
    GroupedQueryAttention,
    KvCache,
    RMSNorm,
    apply_rope,
    rope_frequencies,
    rope_tables,
)

LLAMA3 = RopeScaling(8.0, 1.0, 4.0, 8192)


def random_ids(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randint(0, 97, shape, generator=torch.Generator().manual_seed(seed))


def test_token_ids_become_one_row_of_logits_each() -> None:
    assert tiny_model()(random_ids(3, 7)).shape == (3, 7, 97)


@pytest.mark.parametrize("tied", [True, False])
def test_the_parameters_have_the_names_and_shapes_of_the_file(tied: bool) -> None:
    model = tiny_model(tie_embeddings=tied)
    shapes = {name: tuple(p.shape) for name, p in model.named_parameters()}
    expected = {"tok_emb.weight": (97, 24), "final_norm.weight": (24,)}
    for i in range(3):
        expected |= {
            f"blocks.{i}.attn_norm.weight": (24,),
            f"blocks.{i}.attn.q_proj.weight": (24, 24),
            f"blocks.{i}.attn.k_proj.weight": (12, 24),
            f"blocks.{i}.attn.v_proj.weight": (12, 24),
            f"blocks.{i}.attn.o_proj.weight": (24, 24),
            f"blocks.{i}.ffn_norm.weight": (24,),
            f"blocks.{i}.ffn.gate_proj.weight": (37, 24),
            f"blocks.{i}.ffn.up_proj.weight": (37, 24),
            f"blocks.{i}.ffn.down_proj.weight": (24, 37),
        }
    if not tied:
        expected["out_head.weight"] = (97, 24)
    assert shapes == expected
    # The tables are made from the config, so a checkpoint holds the parameters and no more.
    assert set(model.state_dict()) == set(expected)


def test_a_norm_by_hand() -> None:
    norm = RMSNorm(2, eps=0.0)
    norm.weight.data = torch.tensor([1.0, 10.0])
    # mean(9, 16) = 12.5, so 3 → 3/√12.5 and 4 → 10 · 4/√12.5.
    expected = torch.tensor([3.0, 40.0]) / math.sqrt(12.5)
    assert torch.allclose(norm(torch.tensor([3.0, 4.0])), expected, atol=1e-6)


@pytest.mark.parametrize("position", [0, 3, 9])
def test_a_later_token_cannot_change_an_earlier_one(position: int) -> None:
    model = tiny_model()
    ids = random_ids(1, 10)
    changed = ids.clone()
    changed[0, position] = (ids[0, position] + 1) % 97
    before, after = model(ids), model(changed)
    assert torch.equal(before[:, :position], after[:, :position])
    assert not torch.allclose(before[:, position:], after[:, position:], atol=1e-3)


def test_attention_equals_the_book_s_loop_over_heads() -> None:
    model = tiny_model()
    attention = model.blocks[0].attn
    assert isinstance(attention, GroupedQueryAttention)
    x = torch.randn(1, 5, 24, generator=torch.Generator().manual_seed(2))
    cos, sin = model.cos[:5], model.sin[:5]
    q = apply_rope(attention.q_proj(x).view(5, 4, 6).transpose(0, 1), cos, sin)
    k = apply_rope(attention.k_proj(x).view(5, 2, 6).transpose(0, 1), cos, sin)
    v = attention.v_proj(x).view(5, 2, 6).transpose(0, 1)
    context = torch.zeros(5, 24)
    for head in range(4):
        group = head // 2
        for t in range(5):
            scores = k[group, : t + 1] @ q[head, t] / math.sqrt(6)
            weights = torch.softmax(scores, dim=0)
            context[t, head * 6 : (head + 1) * 6] = weights @ v[group, : t + 1]
    expected = attention.o_proj(context)
    assert torch.allclose(attention(x, cos, sin)[0], expected, atol=1e-5)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_any_cut_into_cached_pieces_gives_the_whole_prompt_s_logits(
    pieces: list[int], seed: int
) -> None:
    model = tiny_model()
    ids = random_ids(1, sum(pieces), seed=seed)
    cache = KvCache(3)
    rows = [model(part, cache) for part in torch.split(ids, pieces, dim=1)]
    assert cache.length == sum(pieces)
    # Relative to the logits' size (about 10 here): float32 sums in another order.
    assert torch.allclose(torch.cat(rows, dim=1), model(ids), rtol=1e-5, atol=1e-4)


def test_a_rotation_keeps_the_length() -> None:
    x = torch.randn(1, 2, 32, 6, generator=torch.Generator().manual_seed(3))
    turned = apply_rope(x, *rope_tables(TINY))
    assert torch.allclose(turned.norm(dim=-1), x.norm(dim=-1), rtol=1e-5)
    assert not torch.allclose(turned, x, atol=0.1)


@given(st.integers(0, 15), st.integers(0, 15), st.integers(0, 16))
@settings(max_examples=30, deadline=None)
def test_only_the_distance_between_two_positions_matters(a: int, b: int, shift: int) -> None:
    cos, sin = rope_tables(TINY)
    generator = torch.Generator().manual_seed(4)
    q, k = torch.randn(6, generator=generator), torch.randn(6, generator=generator)

    def score(at_q: int, at_k: int) -> torch.Tensor:
        return apply_rope(q, cos[at_q], sin[at_q]) @ apply_rope(k, cos[at_k], sin[at_k])

    assert torch.allclose(score(a, b), score(a + shift, b + shift), atol=1e-5)


def test_position_zero_is_not_turned() -> None:
    cos, sin = rope_tables(TINY)
    x = torch.arange(6.0)
    assert torch.equal(apply_rope(x, cos[0], sin[0]), x)


def test_the_pairs_are_split_halves() -> None:
    # A quarter turn moves the first half's number into the second half: (1, 0) → (0, 1).
    x = torch.tensor([1.0, 2.0, 3.0, 0.0, 0.0, 0.0])
    turned = apply_rope(x, torch.zeros(3), torch.ones(3))
    assert turned.tolist() == [0.0, 0.0, 0.0, 1.0, 2.0, 3.0]


def test_llama_3_scaling_slows_the_slow_pairs_and_leaves_the_fast_ones() -> None:
    plain = rope_frequencies(128, 500_000.0)
    scaled = rope_frequencies(128, 500_000.0, LLAMA3)
    turns = 8192 * plain / (2 * math.pi)
    fast, slow = turns > 4.0, turns < 1.0
    assert torch.equal(scaled[fast], plain[fast])
    assert torch.allclose(scaled[slow], plain[slow] / 8.0, rtol=1e-15)
    between = ~fast & ~slow
    assert int(between.sum()) > 0
    assert bool((scaled[between] < plain[between]).all())
    assert bool((scaled[between] > plain[between] / 8.0).all())


def test_the_tables_are_rounded_once() -> None:
    config = ModelConfig(97, 4096, 8, 1, 1, 8, 1, head_dim=8)
    cos, _ = rope_tables(config)
    # Position 4095, pair 0: 4095 radians. In float32 all the way the angle of pair 1
    # (409.5) would already carry an error of 1e-5.
    assert cos[4095, 0].item() == torch.tensor(math.cos(4095.0)).item()
    assert cos[4095, 1].item() == torch.tensor(math.cos(4095.0 * 10_000.0**-0.25)).item()


def test_more_tokens_than_the_context_holds_is_an_error() -> None:
    with pytest.raises(ValueError, match="33 tokens do not fit into the context_length of 32"):
        tiny_model()(random_ids(1, 33))


def test_generation_stops_when_the_context_is_full() -> None:
    new = tiny_model().generate(random_ids(30).tolist(), 100)
    # 30 given; the tokens at positions 30 and 31 are read, and one more is predicted.
    assert len(new) == 3


def test_greedy_generation_takes_the_most_likely_token_of_a_full_pass() -> None:
    model = tiny_model()
    ids = random_ids(5).tolist()
    for token in model.generate(ids, 8):
        assert token == int(model(torch.tensor([ids]))[0, -1].argmax())
        ids.append(token)


def test_a_stop_token_ends_the_text_and_is_left_out() -> None:
    model = tiny_model()
    ids = random_ids(5).tolist()
    free = model.generate(ids, 8)
    stop = free[-1]
    assert model.generate(ids, 8, stop_ids=frozenset((stop,))) == free[: free.index(stop)]


def test_the_same_seed_draws_the_same_text() -> None:
    model = tiny_model()
    draws = [model.generate([1, 2], 20, temperature=1.5, seed=seed) for seed in (5, 5, 6)]
    assert draws[0] == draws[1]
    assert draws[0] != draws[2]


def test_new_weights_have_the_documented_spread_and_follow_the_seed() -> None:
    config = ModelConfig(500, 16, 128, 4, 2, 256, 8)
    models = [Decoder(config) for _ in range(3)]
    for model, seed in zip(models, (1, 1, 2), strict=True):
        model.init_weights(seed)
    first, same, other = (dict(m.named_parameters()) for m in models)
    for name, weight in first.items():
        assert torch.equal(weight, same[name])
        if weight.dim() == 1:
            assert torch.equal(weight, torch.ones_like(weight))
            continue
        assert not torch.equal(weight, other[name])
        residual = "o_proj" in name or "down_proj" in name
        expected = weight.shape[1] ** -0.5 / (math.sqrt(16) if residual else 1.0)
        # 16,384 draws or more: the standard deviation's own error is below 1 %.
        assert weight.std().item() == pytest.approx(expected, rel=0.03)


def test_an_untrained_model_knows_nothing() -> None:
    model = Decoder(TINY)
    model.init_weights(0)
    ids = random_ids(8, 32)
    loss = F.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())
    # Guessing among 97 tokens costs ln 97 nats. New logits have variance 1, a random opinion that
    # costs half a nat more: the mean of e^x over such x is e^(1/2).
    assert loss.item() == pytest.approx(math.log(97) + 0.5, abs=0.2)
