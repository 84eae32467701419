"""The configuration of a model and of its training, read from one YAML file.

The model keys stand at the top level and are the ones that `gollm-model` reads
(`crates/gollm-model/src/config.rs`); the optional `training:` section is read by
Python only. Every mistake in a file raises `ConfigError` with a message that says
which key, what was expected, what was found and what to do.

Source of the shapes: "Build a Large Language Model (From Scratch)", S. Raschka,
2024, section 4.1, with the names of LLaMA's parts added.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml

DTYPES = ("f32", "f16", "bf16", "q8_0", "q4_0")

# The largest sizes, as in `crates/gollm-model/src/config/validate.rs`: far above every published
# model, and small enough that a slip of the hand is found here and not by an allocation.
MAX_DIM, MAX_TOKENS, MAX_LAYERS, MAX_HEAD_DIM = 2**20, 2**24, 1000, 4096
MAX_ROPE_TABLE, MAX_PARAMETERS = 2**26, 2**42
MAX_EXPERTS, MAX_EXPERTS_IN_ALL = 1024, 2**15


class ConfigError(ValueError):
    """A configuration that cannot be used; the message says what to change."""


@dataclass(frozen=True)
class RopeScaling:
    """Llama 3's stretching of the slow rotations, for contexts longer than the training one.

    Source: "The Llama 3 Herd of Models", 2024, <https://arxiv.org/abs/2407.21783>, section 3.2,
    and the formula in Meta's published model code (`apply_scaling`).
    """

    factor: float
    low_freq_factor: float
    high_freq_factor: float
    original_context_length: int

    def validate(self) -> None:
        """Raises `ConfigError` for a value with which the formula divides by zero or shrinks."""
        _require_at_least("rope_scaling.factor", self.factor, 1.0)
        _require_positive("rope_scaling.low_freq_factor", self.low_freq_factor)
        _require_positive("rope_scaling.high_freq_factor", self.high_freq_factor)
        _require_size(
            "rope_scaling.original_context_length", self.original_context_length, MAX_TOKENS
        )
        if self.high_freq_factor <= self.low_freq_factor:
            raise ConfigError(
                f"rope_scaling.high_freq_factor ({self.high_freq_factor}) must be greater than "
                f"rope_scaling.low_freq_factor ({self.low_freq_factor})"
            )


@dataclass(frozen=True)
class ModelConfig:
    """The shape of a decoder. Mirrors `Config` in `crates/gollm-model/src/config.rs`."""

    vocab_size: int
    context_length: int
    emb_dim: int
    n_heads: int
    n_kv_heads: int
    hidden_dim: int
    n_layers: int
    head_dim: int = 0
    """Width of one head; 0 (or absent in the file) means `emb_dim / n_heads`."""
    rope_theta: float = 10_000.0
    rope_scaling: RopeScaling | None = None
    norm_eps: float = 1e-5
    tie_embeddings: bool = True
    dtype: str = "f32"
    """How weights are stored in the export: f32, f16 or bf16. Training computes in f32."""
    qkv_bias: bool = False
    """Whether queries, keys and values get a learned bias, as in Qwen2."""
    qk_norm: bool = False
    """Whether each head of the queries and keys is normalized before RoPE, as in Qwen3."""
    n_experts: int = 0
    """Experts in each feed-forward part, each of `hidden_dim`; 0: one feed-forward for all."""
    n_experts_per_token: int = 0
    """How many experts are active for each token."""
    norm_topk_prob: bool = False
    """Whether the weights of a token's active experts are made to sum to 1."""

    def __post_init__(self) -> None:
        for name in ("vocab_size", "context_length"):
            _require_size(name, getattr(self, name), MAX_TOKENS)
        for name in ("emb_dim", "n_heads", "n_kv_heads", "hidden_dim"):
            _require_size(name, getattr(self, name), MAX_DIM)
        _require_size("n_layers", self.n_layers, MAX_LAYERS)
        self._check_experts()
        self._check_heads()
        self._check_totals()
        if not 1.0 <= self.rope_theta < math.inf:
            raise ConfigError(
                f"rope_theta is {self.rope_theta}, expected a finite number of at least 1"
            )
        if not 0.0 < self.norm_eps < 1.0:
            raise ConfigError(
                f"norm_eps is {self.norm_eps}, expected a number greater than 0 and less than 1"
            )
        if self.dtype not in DTYPES:
            raise ConfigError(f"dtype is {self.dtype!r}, expected one of {', '.join(DTYPES)}")
        if self.rope_scaling is not None:
            self.rope_scaling.validate()

    def _check_experts(self) -> None:
        if not 0 <= self.n_experts <= MAX_EXPERTS:
            raise ConfigError(
                f"n_experts is {self.n_experts}, expected a whole number from 0 to {MAX_EXPERTS}"
            )
        if self.n_layers * self.n_experts > MAX_EXPERTS_IN_ALL:
            raise ConfigError(
                f"n_layers · n_experts is {self.n_layers * self.n_experts}, expected at most "
                f"{MAX_EXPERTS_IN_ALL}"
            )
        if self.n_experts == 0:
            if self.n_experts_per_token != 0 or self.norm_topk_prob:
                raise ConfigError(
                    "n_experts_per_token and norm_topk_prob say something about experts, but "
                    "n_experts is 0; give n_experts or remove them"
                )
        elif not 1 <= self.n_experts_per_token <= self.n_experts:
            raise ConfigError(
                f"n_experts_per_token is {self.n_experts_per_token}, expected a whole number from "
                f"1 to n_experts = {self.n_experts}"
            )

    def _check_heads(self) -> None:
        if self.head_dim == 0:
            if self.emb_dim % self.n_heads != 0:
                raise ConfigError(
                    f"emb_dim ({self.emb_dim}) is not a multiple of n_heads ({self.n_heads}), so "
                    f"head_dim has no default; change one of them or give head_dim"
                )
            object.__setattr__(self, "head_dim", self.emb_dim // self.n_heads)
        _require_size("head_dim", self.head_dim, MAX_HEAD_DIM)
        if self.head_dim % 2 != 0:
            raise ConfigError(
                f"head_dim is {self.head_dim}, but RoPE rotates pairs of numbers: make it even"
            )
        if self.n_heads % self.n_kv_heads != 0:
            raise ConfigError(
                f"n_heads ({self.n_heads}) must be a multiple of n_kv_heads ({self.n_kv_heads}): "
                f"each key/value head serves the same number of query heads"
            )

    def _check_totals(self) -> None:
        if self.n_heads * self.head_dim > MAX_DIM:
            raise ConfigError(
                f"n_heads · head_dim is {self.n_heads * self.head_dim}, expected at most {MAX_DIM}"
            )
        if self.context_length * self.head_dim > MAX_ROPE_TABLE:
            raise ConfigError(
                f"context_length · head_dim is {self.context_length * self.head_dim}, expected at "
                f"most {MAX_ROPE_TABLE}: RoPE keeps that many cosines and sines"
            )
        if self.n_parameters() > MAX_PARAMETERS:
            raise ConfigError(
                f"the model would have {self.n_parameters()} parameters, expected at most "
                f"{MAX_PARAMETERS}"
            )

    def to_dict(self) -> dict[str, Any]:
        """The model keys as plain values, in the order of the table in the design.

        The options of other families are left out where they say nothing, so that the config of a
        model without them is one that every release reads.
        """
        values = dataclasses.asdict(self)
        order = (
            "vocab_size context_length emb_dim n_heads n_kv_heads head_dim hidden_dim n_layers "
            "rope_theta rope_scaling norm_eps tie_embeddings dtype"
        ).split()
        options = "qkv_bias qk_norm n_experts n_experts_per_token norm_topk_prob".split()
        return {key: values[key] for key in order} | {
            key: values[key] for key in options if values[key]
        }

    def n_parameters(self) -> int:
        """Every trained number of the model; the tied output head counts once."""
        q_dim, kv_dim = self.n_heads * self.head_dim, self.n_kv_heads * self.head_dim
        attention = self.emb_dim * (2 * q_dim + 2 * kv_dim)
        attention += q_dim + 2 * kv_dim if self.qkv_bias else 0
        feed_forward = max(self.n_experts, 1) * 3 * self.emb_dim * self.hidden_dim
        feed_forward += self.n_experts * self.emb_dim  # the router
        norms = 2 * self.emb_dim + (2 * self.head_dim if self.qk_norm else 0)
        tables = 1 if self.tie_embeddings else 2
        return (
            self.n_layers * (attention + feed_forward + norms)
            + self.emb_dim
            + tables * self.vocab_size * self.emb_dim
        )


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained. Each key may stand in the file's `training:` section."""

    steps: int = 1000
    """Optimizer steps of the whole run; the learning rate's cosine ends here."""
    batch_size: int = 32
    """Sequences per optimizer step, over all processes and accumulation steps together."""
    micro_batch_size: int | None = None
    """Sequences per forward pass of one process; null means all of the process's share."""
    sequence_length: int | None = None
    """Tokens per sequence; null means the model's context_length."""
    learning_rate: float = 1e-3
    """The peak, reached after warm-up."""
    min_learning_rate: float = 0.0
    """Where the cosine ends."""
    warmup_steps: int = 100
    weight_decay: float = 0.1
    """Applied to matrices only, see `optimizer.decay_groups`."""
    beta1: float = 0.9
    beta2: float = 0.95
    adam_eps: float = 1e-8
    grad_clip: float = 1.0
    """Largest norm of the whole gradient; 0 turns clipping off."""
    seed: int = 1234
    validate_every: int = 200
    validation_batches: int = 8
    sample_every: int = 500
    sample_prompt: str = "Once upon a time"
    sample_tokens: int = 60
    checkpoint_every: int = 200
    log_every: int = 10
    data: str = "stories"
    """`stories` (the generator, no network), a folder or file of text, or `hf:NAME`."""
    data_bytes: int = 20_000_000
    """How much text is tokenized before training starts, in bytes (for endless sources)."""
    vocab_bytes: int = 4_000_000
    """How much of that text the tokenizer is trained on, in bytes."""

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "sample_tokens", "log_every", "data_bytes"):
            _require_positive(f"training.{name}", getattr(self, name))
        for name in ("validate_every", "sample_every", "checkpoint_every", "validation_batches"):
            _require_positive(f"training.{name}", getattr(self, name))
        for name in ("learning_rate", "adam_eps", "vocab_bytes"):
            _require_positive(f"training.{name}", getattr(self, name))
        for name in ("min_learning_rate", "warmup_steps", "weight_decay", "grad_clip", "seed"):
            _require_at_least(f"training.{name}", getattr(self, name), 0)
        for name in ("micro_batch_size", "sequence_length"):
            if getattr(self, name) is not None:
                _require_positive(f"training.{name}", getattr(self, name))
        for name in ("beta1", "beta2"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ConfigError(
                    f"training.{name} is {getattr(self, name)}, expected a number in [0, 1)"
                )
        if self.min_learning_rate > self.learning_rate:
            raise ConfigError(
                f"training.min_learning_rate ({self.min_learning_rate}) is above "
                f"training.learning_rate ({self.learning_rate})"
            )


@dataclass(frozen=True)
class Config:
    """One YAML file: the model and its training."""

    model: ModelConfig
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def __post_init__(self) -> None:
        length = self.training.sequence_length
        if length is not None and length > self.model.context_length:
            raise ConfigError(
                f"training.sequence_length ({length}) is longer than context_length "
                f"({self.model.context_length})"
            )


def load_config(path: str | Path) -> Config:
    """Reads and checks a YAML file. Raises `ConfigError` with the file's name in the message."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; the configurations are in configs/") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as text: {error}") from error
    try:
        return parse_config(text)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def parse_config(text: str) -> Config:
    """Reads and checks the text of a YAML file."""
    try:
        values = yaml.load(text, Loader=_UniqueKeys)  # noqa: S506 (a SafeLoader, see below)
    except yaml.YAMLError as error:
        raise ConfigError(f"is not YAML: {error}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"expected `key: value` lines, found {_kind(values)}")
    training = values.pop("training", None)
    if values.get("head_dim") == 0:
        raise ConfigError("head_dim is 0, expected 1 or more; leave it out for emb_dim / n_heads")
    return Config(model_config(values), training_config({} if training is None else training))


class _UniqueKeys(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """YAML's safe reader, with a key given twice as an error (PyYAML would take the last)."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise ConfigError(f"the key `{key}` is given twice")
            seen.add(key)
        result: dict[Any, Any] = super().construct_mapping(node, deep)
        return result


def model_config(values: dict[str, Any]) -> ModelConfig:
    """Builds a `ModelConfig` from plain values, as read from YAML or from a checkpoint."""
    values = dict(values)
    if values.get("rope_scaling") is not None:
        values["rope_scaling"] = _build(RopeScaling, values["rope_scaling"], "rope_scaling.")
    return _build(ModelConfig, values, "")


def training_config(values: Any) -> TrainingConfig:
    """Builds a `TrainingConfig` from plain values, as read from YAML or from a checkpoint."""
    return _build(TrainingConfig, values, "training.")


T = TypeVar("T")

# The types that the fields above are written with (as text: annotations are not evaluated).
_CHECKS: dict[str, Any] = {
    "int": (int,),
    "int | None": (int, type(None)),
    "float": (int, float),
    "bool": (bool,),
    "str": (str,),
    "RopeScaling | None": (RopeScaling, type(None)),
}


def _build(cls: type[T], values: Any, prefix: str) -> T:
    """Makes `cls` from a mapping after checking its keys and the type of each value."""
    if not isinstance(values, dict):
        raise ConfigError(f"{prefix.rstrip('.')}: expected keys below it, found {_kind(values)}")
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    unknown = [key for key in values if key not in fields]
    if unknown:
        raise ConfigError(
            f"unknown key `{prefix}{unknown[0]}`; the keys are {', '.join(sorted(fields))}"
        )
    checked: dict[str, Any] = {}
    for name, spec in fields.items():
        has_default = (
            spec.default is not dataclasses.MISSING
            or spec.default_factory is not dataclasses.MISSING
        )
        if values.get(name) is None:
            if not has_default:
                raise ConfigError(f"the key `{prefix}{name}` is missing")
            continue
        checked[name] = _checked(f"{prefix}{name}", str(spec.type), values[name])
    return cls(**checked)


def _checked(name: str, kind: str, value: Any) -> Any:
    """Returns `value` if it is of the annotated `kind`; raises `ConfigError` otherwise."""
    if isinstance(value, str) and kind == "float":
        # YAML 1.1 reads `1e-5` (no dot) as text; every user means the number.
        try:
            value = float(value)
        except ValueError:
            raise ConfigError(f"{name} is {value!r}, expected a number") from None
    # In Python `True` is an int; in a configuration it is a mistake.
    wrong_bool = isinstance(value, bool) and kind != "bool"
    if wrong_bool or not isinstance(value, _CHECKS[kind]):
        expected = {"int": "a whole number", "float": "a number", "bool": "true or false"}
        wanted = expected.get(kind.split(" |")[0], "text")
        raise ConfigError(f"{name} is {value!r}, expected {wanted}")
    if kind == "float":
        value = float(value)
        if not math.isfinite(value):
            raise ConfigError(f"{name} is {value}, expected a finite number")
    return value


def _require_size(name: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise ConfigError(f"{name} is {value}, expected a whole number from 1 to {most}")


def _require_positive(name: str, value: float) -> None:
    if not value > 0:
        raise ConfigError(f"{name} is {value}, expected more than 0")


def _require_at_least(name: str, value: float, low: float) -> None:
    if not value >= low:
        raise ConfigError(f"{name} is {value}, expected {low} or more")


def _kind(value: Any) -> str:
    names = {dict: "a mapping", list: "a list", str: "text", type(None): "nothing"}
    return names.get(type(value), repr(value))
