"""Configurations: what a file may say, and one clear message for each mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from config import Config, ConfigError, ModelConfig, load_config, parse_config
from model import Decoder

CONFIGS = Path(__file__).resolve().parents[2] / "configs"

GOOD = {
    "vocab_size": 97,
    "context_length": 16,
    "emb_dim": 12,
    "n_heads": 4,
    "n_kv_heads": 2,
    "head_dim": 6,
    "hidden_dim": 37,
    "n_layers": 2,
}
# What Qwen's models have beside these.
OPTIONS = {
    "qkv_bias": True,
    "qk_norm": True,
    "n_experts": 5,
    "n_experts_per_token": 2,
    "norm_topk_prob": True,
}


def with_changes(**changes: object) -> str:
    """The good configuration as YAML, with some keys changed (`...` removes one)."""
    values = {**GOOD, **changes}
    text: str = yaml.safe_dump({k: value for k, value in values.items() if value is not ...})
    return text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (with_changes(vocab_sizes=5), "unknown key `vocab_sizes`"),
        (with_changes(hidden_dim=...), "the key `hidden_dim` is missing"),
        (with_changes(n_layers=0), "n_layers is 0, expected a whole number from 1"),
        (with_changes(context_length=-4), "context_length is -4, expected a whole number from 1"),
        (with_changes(emb_dim="wide"), "emb_dim is 'wide', expected a whole number"),
        (with_changes(emb_dim=12.5), "emb_dim is 12.5, expected a whole number"),
        (with_changes(n_heads=True), "n_heads is True, expected a whole number"),
        (with_changes(vocab_size=2**40), "expected a whole number from 1 to 16777216"),
        (with_changes(n_heads=2**18, head_dim=8), "n_heads · head_dim is 2097152"),
        (with_changes(context_length=2**24, head_dim=4096), "RoPE keeps that many cosines"),
        (with_changes(vocab_size=2**24, emb_dim=2**20), "expected at most 4398046511104"),
        (with_changes() + "n_layers: 3\n", "the key `n_layers` is given twice"),
        (with_changes(head_dim=0), "head_dim is 0, expected 1 or more"),
        (with_changes(n_kv_heads=3), "n_heads (4) must be a multiple of n_kv_heads (3)"),
        (with_changes(head_dim=5), "head_dim is 5, but RoPE rotates pairs"),
        (with_changes(head_dim=..., emb_dim=13), "emb_dim (13) is not a multiple of n_heads (4)"),
        (with_changes(norm_eps=0.0), "norm_eps is 0.0, expected a number greater than 0"),
        (with_changes(rope_theta=-1.0), "rope_theta is -1.0, expected a finite number"),
        (with_changes(norm_eps=float("nan")), "norm_eps is nan, expected a finite number"),
        (with_changes(norm_eps="small"), "norm_eps is 'small', expected a number"),
        (with_changes(dtype="f64"), "dtype is 'f64', expected one of f32, f16, bf16, q8_0, q4_0"),
        (with_changes(tie_embeddings=1), "tie_embeddings is 1, expected true or false"),
        (with_changes(qkv_bias=1), "qkv_bias is 1, expected true or false"),
        (with_changes(n_experts=-1), "n_experts is -1, expected a whole number from 0 to 1024"),
        (with_changes(n_experts=5), "n_experts_per_token is 0, expected a whole number from 1 to"),
        (
            with_changes(n_experts=1024, n_experts_per_token=1, n_layers=40),
            "n_layers · n_experts is 40960, expected at most 32768",
        ),
        (with_changes(n_experts_per_token=2), "say something about experts, but n_experts is 0"),
        (with_changes(norm_topk_prob=True), "say something about experts, but n_experts is 0"),
        (with_changes(rope_scaling=8), "rope_scaling: expected keys below it"),
        (with_changes(rope_scaling={"factor": 8.0}), "`rope_scaling.low_freq_factor` is missing"),
        (
            with_changes(
                rope_scaling={
                    "factor": 8.0,
                    "low_freq_factor": 4.0,
                    "high_freq_factor": 4.0,
                    "original_context_length": 8,
                }
            ),
            "must be greater than rope_scaling.low_freq_factor",
        ),
        (with_changes(training={"learning_rat": 1}), "unknown key `training.learning_rat`"),
        (with_changes(training=3), "training: expected keys below it, found 3"),
        (with_changes(training={"steps": 0}), "training.steps is 0"),
        (with_changes(training={"beta1": 1.0}), "training.beta1 is 1.0, expected a number in"),
        (with_changes(training={"weight_decay": -0.1}), "training.weight_decay is -0.1"),
        (
            with_changes(training={"learning_rate": 1e-4, "min_learning_rate": 1e-3}),
            "training.min_learning_rate (0.001) is above",
        ),
        (
            with_changes(training={"sequence_length": 17}),
            "training.sequence_length (17) is longer than context_length (16)",
        ),
        ("- a\n- b\n", "expected `key: value` lines, found a list"),
        ("", "expected `key: value` lines, found nothing"),
        ("a: [1", "is not YAML"),
    ],
)
def test_each_mistake_has_its_message(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(text)
    assert message in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: no such file"):
        load_config(tmp_path / "nowhere.yaml")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(ConfigError, match="cannot be read as text"):
        load_config(path)


def test_absent_keys_take_the_documented_defaults() -> None:
    config = parse_config(with_changes(head_dim=..., emb_dim=24)).model
    assert (config.head_dim, config.rope_theta, config.norm_eps) == (6, 10_000.0, 1e-5)
    assert config.tie_embeddings
    assert config.rope_scaling is None


def test_a_number_without_a_dot_is_still_a_number() -> None:
    # YAML 1.1, which PyYAML reads, takes `1e-5` for text.
    assert parse_config(with_changes() + "norm_eps: 1e-5\n").model.norm_eps == 1e-5


def test_the_values_survive_a_round_trip() -> None:
    scaling = {
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_context_length": 8,
    }
    model = parse_config(with_changes(rope_scaling=scaling)).model
    again = parse_config(yaml.safe_dump(model.to_dict())).model
    assert again == model


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_configuration_of_the_repository_is_valid(path: Path) -> None:
    assert isinstance(load_config(path), Config)


def test_the_85m_configuration_has_the_stated_number_of_parameters() -> None:
    config = load_config(CONFIGS / "gollm-85m.yaml").model
    assert config.n_parameters() == 100_682_496
    assert config.n_parameters() - config.vocab_size * config.emb_dim == 75_516_672


def test_options_of_other_models_are_written_only_where_they_say_something() -> None:
    plain = ModelConfig(**GOOD)  # type: ignore[arg-type]
    assert not plain.to_dict().keys() & set(OPTIONS)
    other = ModelConfig(**{**GOOD, **OPTIONS})  # type: ignore[arg-type]
    assert OPTIONS.items() <= other.to_dict().items()
    assert parse_config(yaml.safe_dump(other.to_dict())).model == other


@pytest.mark.parametrize(
    "changes", [{"tie_embeddings": True}, {"tie_embeddings": False}, OPTIONS], ids=str
)
def test_the_count_of_parameters_is_the_model_s(changes: dict[str, Any]) -> None:
    config = ModelConfig(**{**GOOD, **changes})
    assert sum(p.numel() for p in Decoder(config).parameters()) == config.n_parameters()
