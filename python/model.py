"""The decoder in PyTorch: the same parts, names and shapes as the Rust crate `gollm-model`.

Each class names the Rust file that it mirrors, and the parameter names are those of the
`.gollm` file (`tok_emb.weight`, `blocks.0.attn.q_proj.weight`, …), so that a trained
model moves to Rust without a renaming table. What is not here is what a trainer does not
need: stored types, backends and memory mapping.

Shapes in the comments: `batch` sequences of `n_tokens` tokens.

Source: "Build a Large Language Model (From Scratch)", S. Raschka, 2024, chapters 3 and 4,
with LLaMA's parts (Touvron et al. 2023, <https://arxiv.org/abs/2302.13971>, section 2.2) in
place of GPT-2's.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from config import ModelConfig, RopeScaling


class RMSNorm(nn.Module):
    """Rescales each token's vector to unit root-mean-square. Mirrors `rms_norm.rs`.

    `y_i = x_i / sqrt(mean(x²) + eps) · w_i`

    Source: Zhang & Sennrich 2019, <https://arxiv.org/abs/1910.07467>, eq. 4.
    """

    def __init__(self, dim: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.weight.shape, self.weight, self.eps)


def rope_frequencies(
    head_dim: int, rope_theta: float, scaling: RopeScaling | None = None
) -> Tensor:
    """The angle in radians by which each pair turns per position. Mirrors `rope.rs`.

    `freq_i = theta^(-2i / head_dim)` for `i` in `0..head_dim/2`; with Llama 3 scaling, pairs
    that turn slowly (a wavelength longer than the original context holds) turn `factor`
    times slower still, fast pairs are left alone, and those between are blended.

    Returns `[head_dim / 2]` in float64, so that the only rounding is the last one.

    Source: Su et al. 2021, <https://arxiv.org/abs/2104.09864>, section 3.2; the scaling is the
    formula of Meta's published model code (`apply_scaling`).
    """
    exponents = torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim
    frequencies = torch.pow(torch.tensor(rope_theta, dtype=torch.float64), -exponents)
    if scaling is None:
        return frequencies
    wavelengths = 2 * math.pi / frequencies
    # How often a pair turns within the original context: many times = fast, less than once = slow.
    turns = scaling.original_context_length / wavelengths
    keep = (turns - scaling.low_freq_factor) / (scaling.high_freq_factor - scaling.low_freq_factor)
    keep = keep.clamp(0.0, 1.0)
    return (1 - keep) * frequencies / scaling.factor + keep * frequencies


def rope_tables(config: ModelConfig) -> tuple[Tensor, Tensor]:
    """Cosines and sines for every position, each `[context_length, head_dim / 2]`, float32.

    Computed in float64 and rounded once, as in Rust: float32 angles are already wrong in the
    third digit at position 10,000.
    """
    frequencies = rope_frequencies(config.head_dim, config.rope_theta, config.rope_scaling)
    positions = torch.arange(config.context_length, dtype=torch.float64)
    angles = torch.outer(positions, frequencies)
    return angles.cos().float(), angles.sin().float()


def apply_rope(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotates pair `(x_i, x_{i + head_dim/2})` of each token by its position's angle.

    Mirrors the split-halves layout of `rope.rs` (Hugging Face's, not Meta's adjacent pairs).

    Shapes: `x` is `[batch, n_heads, n_tokens, head_dim]`, `cos` and `sin` are
    `[n_tokens, head_dim / 2]`.
    """
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


class LayerCache:
    """The keys and values that one layer has seen. Mirrors `kv_cache.rs`.

    Each is `[batch, n_kv_heads, length, head_dim]`, keys already rotated.
    """

    def __init__(self) -> None:
        self.keys: Tensor | None = None
        self.values: Tensor | None = None

    def append(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Adds the new tokens and returns everything seen so far."""
        if self.keys is not None and self.values is not None:
            keys = torch.cat((self.keys, keys), dim=2)
            values = torch.cat((self.values, values), dim=2)
        self.keys, self.values = keys, values
        return keys, values


class KvCache:
    """One `LayerCache` per block, and how many tokens they hold. Mirrors `kv_cache.rs`."""

    def __init__(self, n_layers: int) -> None:
        self.layers = [LayerCache() for _ in range(n_layers)]

    @property
    def length(self) -> int:
        keys = self.layers[0].keys
        return 0 if keys is None else keys.shape[2]


class GroupedQueryAttention(nn.Module):
    """Causal grouped-query attention. Mirrors `attention.rs`.

    `weights = softmax(q kᵀ / sqrt(head_dim) + mask)`, `out = (weights v) o_projᵀ`; query head
    `h` reads key/value head `h / (n_heads / n_kv_heads)`.

    Source: book sections 3.3-3.6; Ainslie et al. 2023, <https://arxiv.org/abs/2305.13245>.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.n_heads = config.n_heads
        self.n_kv_heads = config.n_kv_heads
        self.head_dim = config.head_dim
        q_dim = config.n_heads * config.head_dim
        kv_dim = config.n_kv_heads * config.head_dim
        self.q_proj = nn.Linear(config.emb_dim, q_dim, bias=config.qkv_bias)
        self.k_proj = nn.Linear(config.emb_dim, kv_dim, bias=config.qkv_bias)
        self.v_proj = nn.Linear(config.emb_dim, kv_dim, bias=config.qkv_bias)
        self.q_norm: nn.Module = nn.Identity()
        self.k_norm: nn.Module = nn.Identity()
        if config.qk_norm:
            self.q_norm = RMSNorm(config.head_dim, config.norm_eps)
            self.k_norm = RMSNorm(config.head_dim, config.norm_eps)
        self.o_proj = nn.Linear(q_dim, config.emb_dim, bias=False)

    def forward(
        self, x: Tensor, cos: Tensor, sin: Tensor, cache: LayerCache | None = None
    ) -> Tensor:
        batch, n_tokens, _ = x.shape
        # [batch, n_tokens, heads * head_dim] → [batch, heads, n_tokens, head_dim]
        q = self.q_proj(x).view(batch, n_tokens, self.n_heads, self.head_dim).transpose(1, 2)
        k = self.k_proj(x).view(batch, n_tokens, self.n_kv_heads, self.head_dim).transpose(1, 2)
        v = self.v_proj(x).view(batch, n_tokens, self.n_kv_heads, self.head_dim).transpose(1, 2)
        q, k = apply_rope(self.q_norm(q), cos, sin), apply_rope(self.k_norm(k), cos, sin)
        past = 0
        if cache is not None:
            k, v = cache.append(k, v)
            past = k.shape[2] - n_tokens
        mask = None if past == 0 else causal_mask(n_tokens, past, x.device)
        context = F.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, is_causal=mask is None, enable_gqa=True
        )
        out: Tensor = self.o_proj(context.transpose(1, 2).reshape(batch, n_tokens, -1))
        return out


def causal_mask(n_tokens: int, past: int, device: torch.device) -> Tensor:
    """True where new token `t` may look: at the `past` cached tokens and at new tokens `0..=t`."""
    allowed = torch.ones(n_tokens, past + n_tokens, dtype=torch.bool, device=device)
    return allowed.tril(diagonal=past)


class FeedForward(nn.Module):
    """SwiGLU: `down(silu(gate(x)) · up(x))`. Mirrors `feed_forward.rs`.

    Source: Shazeer 2020, <https://arxiv.org/abs/2002.05202>, eq. 6.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.emb_dim, config.hidden_dim, bias=False)
        self.up_proj = nn.Linear(config.emb_dim, config.hidden_dim, bias=False)
        self.down_proj = nn.Linear(config.hidden_dim, config.emb_dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        hidden: Tensor = self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
        return hidden


class Moe(nn.Module):
    """Mixture of experts: feed-forwards, of which a router picks a few for each token.

    Mirrors `moe.rs`.

    `out = Σ_e p_e · expert_e(x)` over the `n_experts_per_token` most probable experts,
    `p = softmax(router(x))`, divided by the sum of those taken if `norm_topk_prob`.

    Source: Shazeer et al. 2017, <https://arxiv.org/abs/1701.06538>, eq. 1; "Qwen3 Technical
    Report", 2025, <https://arxiv.org/abs/2505.09388>.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.n_experts_per_token = config.n_experts_per_token
        self.norm_topk_prob = config.norm_topk_prob
        self.router = nn.Linear(config.emb_dim, config.n_experts, bias=False)
        self.experts = nn.ModuleList(FeedForward(config) for _ in range(config.n_experts))

    def forward(self, x: Tensor) -> Tensor:
        tokens = x.reshape(-1, x.shape[-1])
        probabilities = torch.softmax(self.router(tokens).float(), dim=-1)
        weights, chosen = probabilities.topk(self.n_experts_per_token, dim=-1)
        if self.norm_topk_prob:
            weights = weights / weights.sum(dim=-1, keepdim=True)
        out = torch.zeros_like(tokens)
        for index, expert in enumerate(self.experts):
            rows, places = torch.where(chosen == index)
            expert_out = expert(tokens[rows]) * weights[rows, places, None].to(tokens.dtype)
            out = out.index_add(0, rows, expert_out)
        return out.view_as(x)


class Block(nn.Module):
    """One layer: attention and feed-forward, each normed before and added after.

    Mirrors `block.rs`. Source: book section 4.5 (shortcuts: 4.4).
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.attn_norm = RMSNorm(config.emb_dim, config.norm_eps)
        self.attn = GroupedQueryAttention(config)
        self.ffn_norm = RMSNorm(config.emb_dim, config.norm_eps)
        self.ffn = FeedForward(config) if config.n_experts == 0 else Moe(config)

    def forward(
        self, x: Tensor, cos: Tensor, sin: Tensor, cache: LayerCache | None = None
    ) -> Tensor:
        x = x + self.attn(self.attn_norm(x), cos, sin, cache)
        out: Tensor = x + self.ffn(self.ffn_norm(x))
        return out


class Decoder(nn.Module):
    """Token ids in, logits out. Mirrors `decoder.rs`. Source: book section 4.6."""

    cos: Tensor
    sin: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.tok_emb = nn.Embedding(config.vocab_size, config.emb_dim)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layers))
        self.final_norm = RMSNorm(config.emb_dim, config.norm_eps)
        # A tied model has no head of its own: the table of embeddings, read the other way.
        self.out_head: nn.Linear | None = None
        if not config.tie_embeddings:
            self.out_head = nn.Linear(config.emb_dim, config.vocab_size, bias=False)
        cos, sin = rope_tables(config)
        # Computed from the config, so not part of a checkpoint or of the export.
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def init_weights(self, seed: int) -> None:
        """Draws every weight from its own seeded generator, so that a seed gives one model.

        Matrices and the embedding: normal, standard deviation `1 / sqrt(inputs)`, so that numbers
        of variance 1 stay so (LeCun et al. 1998, section 4.6). The two projections that write into
        the residual stream (`o_proj`, `down_proj`) are divided by `sqrt(2 · n_layers)`, so that the
        stream's variance does not grow with depth (GPT-2, section 2.3). Norm weights: 1. Biases: 0.
        """
        generator = torch.Generator(device="cpu").manual_seed(seed)
        residual_scale = 1 / math.sqrt(2 * self.config.n_layers)
        with torch.no_grad():
            for name, weight in self.named_parameters():
                if weight.dim() == 1:
                    weight.fill_(0.0 if name.endswith(".bias") else 1.0)
                    continue
                residual = name.endswith(("o_proj.weight", "down_proj.weight"))
                std = weight.shape[1] ** -0.5 * (residual_scale if residual else 1.0)
                # Drawn on the CPU whatever the device: the same seed, the same model everywhere.
                weight.copy_(torch.randn(weight.shape, generator=generator) * std)

    def forward(self, ids: Tensor, cache: KvCache | None = None) -> Tensor:
        """Logits `[batch, n_tokens, vocab_size]` for token ids `[batch, n_tokens]`.

        With a cache, `ids` are the tokens after those that the cache holds.
        """
        return self.head(self.hidden(ids, cache))

    def hidden(self, ids: Tensor, cache: KvCache | None = None) -> Tensor:
        """The final norm's output, `[batch, n_tokens, emb_dim]`: everything but the head."""
        start = 0 if cache is None else cache.length
        end = start + ids.shape[1]
        if end > self.config.context_length:
            raise ValueError(
                f"{end} tokens do not fit into the context_length of {self.config.context_length}"
            )
        cos, sin = self.cos[start:end], self.sin[start:end]
        x = self.tok_emb(ids)
        for i, block in enumerate(self.blocks):
            x = block(x, cos, sin, None if cache is None else cache.layers[i])
        out: Tensor = self.final_norm(x)
        return out

    def head(self, x: Tensor) -> Tensor:
        """Logits of final-norm outputs: one dot product with each row of the table."""
        weight = self.tok_emb.weight if self.out_head is None else self.out_head.weight
        return F.linear(x, weight)

    @torch.no_grad()
    def generate(
        self,
        ids: list[int],
        max_tokens: int,
        *,
        temperature: float = 0.0,
        stop_ids: frozenset[int] = frozenset(),
        seed: int = 0,
    ) -> list[int]:
        """Continues `ids`; temperature 0 takes the most likely token (the first of equals).

        Stops at a stop id, after `max_tokens`, or when the context is full. Source: book
        sections 4.7 and 5.3; the full chain of samplers is in `gollm-sampler`.
        """
        was_training = self.training
        self.eval()
        device = self.tok_emb.weight.device
        generator = torch.Generator(device="cpu").manual_seed(seed)
        cache = KvCache(self.config.n_layers)
        new: list[int] = []
        step = torch.tensor([ids], device=device)
        while len(new) < max_tokens and cache.length + step.shape[1] <= self.config.context_length:
            logits = self(step, cache)[0, -1].float().cpu()
            if temperature == 0.0:
                token = int(logits.argmax())
            else:
                probabilities = torch.softmax(logits / temperature, dim=-1)
                token = int(torch.multinomial(probabilities, 1, generator=generator))
            if token in stop_ids:
                break
            new.append(token)
            step = torch.tensor([[token]], device=device)
        self.train(was_training)
        return new
