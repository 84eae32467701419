"""The tiny random models that Rust is compared with, layer by layer.

For each configuration below, `test_data/goldens/` holds

- `NAME.gollm`: the model itself, float32;
- `NAME.bin`: what PyTorch computed with it, little-endian float32 one after another;
- `NAME.json`: the token ids, where each array begins in the `.bin` file (name, shape, and offset
  in numbers, not bytes), the loss and the greedy continuation.

The arrays are `tok_emb`, for each block `blocks.{i}.attn_norm`, `blocks.{i}.attn`,
`blocks.{i}.ffn_norm`, `blocks.{i}.ffn` (each the part's own output, before it is added to the
stream) and `blocks.{i}` (the stream after the block), then `final_norm` and `logits`; each is
`[n_tokens, width]`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from config import ModelConfig, RopeScaling
from model import Decoder, KvCache

N_GREEDY = 20
# Rust's float32 sums differ from PyTorch's in the last digits; a most likely token that leads the
# next one by less than this could change places, so such a seed is not used.
SMALLEST_LEAD = 0.01

CONFIGS = {
    # The embedded model's form: a tied head, several query heads per key/value head.
    "tied": ModelConfig(97, 64, 24, 4, 2, 37, 2, head_dim=6),
    # A head of its own, and plain multi-head attention.
    "untied": ModelConfig(97, 64, 24, 4, 4, 37, 2, head_dim=6, tie_embeddings=False),
    # All query heads share one key/value head; another epsilon and base.
    "one_kv_head": ModelConfig(
        97, 64, 24, 4, 1, 37, 2, head_dim=6, rope_theta=500.0, norm_eps=1e-3
    ),
    # Odd sizes: 3 heads of 10 make 30 numbers out of a stream of 22; one layer.
    "odd_sizes": ModelConfig(101, 48, 22, 3, 3, 41, 1, head_dim=10, tie_embeddings=False),
    # Llama 3's stretched frequencies: with these numbers pairs are fast, slow and mixed.
    "llama3_rope": ModelConfig(
        97, 64, 32, 4, 2, 37, 2, head_dim=16, rope_theta=500.0,
        rope_scaling=RopeScaling(8.0, 1.0, 4.0, 32), tie_embeddings=False,
    ),
    # Qwen2's form: queries, keys and values have a bias.
    "qkv_bias": ModelConfig(97, 64, 24, 4, 2, 37, 2, head_dim=6, qkv_bias=True),
    # Qwen3's: each head of the queries and keys is normalized, and heads are wider than the stream.
    "qk_norm": ModelConfig(97, 64, 24, 4, 2, 37, 2, head_dim=10, qk_norm=True, norm_eps=1e-6),
    # Qwen3's mixture: five experts, of which two are active for each token.
    "experts": ModelConfig(
        97, 64, 24, 4, 2, 13, 2, head_dim=10, qk_norm=True, tie_embeddings=False,
        n_experts=5, n_experts_per_token=2, norm_topk_prob=True,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Golden:
    """A tiny model and what it computes."""

    name: str
    seed: int
    model: Decoder
    ids: list[int]
    arrays: dict[str, npt.NDArray[np.float32]]
    loss: float
    greedy: list[int]
    lead: float
    """By how much, at least, each greedy token's logit exceeds the next largest."""


def random_model(config: ModelConfig, seed: int) -> Decoder:
    """A model with large random weights, so that every part changes the result.

    A small start, such as a standard deviation of 0.02, would make a tiny model nearly linear and
    its logits nearly equal. Norm weights are spread around 1 so that a forgotten one shows.
    """
    model = Decoder(config).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            noise = torch.randn(weight.shape, generator=generator)
            is_norm = weight.dim() == 1 and not name.endswith(".bias")
            weight.copy_(1.0 + 0.2 * noise if is_norm else 0.3 * noise)
    return model


@torch.no_grad()
def record_layers(model: Decoder, ids: list[int]) -> dict[str, npt.NDArray[np.float32]]:
    """Runs the model once and keeps the output of each named part."""
    arrays: dict[str, npt.NDArray[np.float32]] = {}

    def keep(name: str, output: Tensor) -> None:
        arrays[name] = np.ascontiguousarray(output[0].float().numpy(), dtype="<f4")

    def keeper(name: str) -> Any:
        return lambda module, inputs, output: keep(name, output)

    parts: list[tuple[str, nn.Module]] = [("tok_emb", model.tok_emb)]
    for i, block in enumerate(model.blocks):
        parts += [
            (f"blocks.{i}.{part}", block.get_submodule(part))
            for part in ("attn_norm", "attn", "ffn_norm", "ffn")
        ]
        parts.append((f"blocks.{i}", block))
    parts.append(("final_norm", model.final_norm))
    handles = [part.register_forward_hook(keeper(name)) for name, part in parts]
    keep("logits", model(torch.tensor([ids])))
    for handle in handles:
        handle.remove()
    return arrays


@torch.no_grad()
def greedy_with_lead(model: Decoder, ids: list[int], n: int) -> tuple[list[int], float]:
    """The most likely continuation, and the smallest lead of a chosen token over the next."""
    cache = KvCache(model.config.n_layers)
    new: list[int] = []
    lead = math.inf
    step = ids
    for _ in range(n):
        logits = model(torch.tensor([step]), cache)[0, -1]
        first, second = logits.topk(2).values.tolist()
        lead = min(lead, first - second)
        new.append(int(logits.argmax()))
        step = new[-1:]
    return new, lead


def make_golden(name: str) -> Golden:
    """The golden of one configuration, from the first seed whose greedy tokens are clear."""
    config = CONFIGS[name]
    for seed in range(1, 100):
        model = random_model(config, seed)
        generator = torch.Generator().manual_seed(1000 + seed)
        ids = torch.randint(0, config.vocab_size, (12,), generator=generator).tolist()
        greedy, lead = greedy_with_lead(model, ids, N_GREEDY)
        # A continuation that repeats itself would hide mistakes of later positions.
        if lead >= SMALLEST_LEAD and len(set(greedy)) >= N_GREEDY // 2:
            arrays = record_layers(model, ids)
            logits = torch.from_numpy(arrays["logits"])
            loss = nn.functional.cross_entropy(logits[:-1], torch.tensor(ids[1:]))
            return Golden(name, seed, model, ids, arrays, loss.item(), greedy, lead)
    raise RuntimeError(f"no seed below 100 gives {name} a clear greedy continuation")


def pack(golden: Golden) -> tuple[dict[str, Any], bytes]:
    """The contents of `NAME.json` and `NAME.bin`."""
    index, offset = [], 0
    for name, array in golden.arrays.items():
        index.append({"name": name, "shape": list(array.shape), "offset": offset})
        offset += array.size
    description = {
        "config": golden.model.config.to_dict(),
        "seed": golden.seed,
        "ids": golden.ids,
        "loss": golden.loss,
        "greedy": golden.greedy,
        "smallest_lead": golden.lead,
        "arrays": index,
    }
    return description, b"".join(array.tobytes() for array in golden.arrays.values())
