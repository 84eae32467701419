"""The decoder of python/model.py with a cache of fixed size, as `torch.compile` wants it.

`model.py` appends to its cache with `torch.cat`: the shapes change at every step, so a compiled
step could never be used again. Here keys and values have their place from the start, and the
position is a tensor. Projections, norms, rotation and feed-forward are those of `model.py`;
`check_pytorch.py` compares the logits. Runs with `python/` on its path, as pytorch.py starts it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from model import Decoder, GroupedQueryAttention, apply_rope
from torch import Tensor, nn


class StaticAttention(nn.Module):
    """One layer's attention with room for `length` tokens of `batch` sequences.

    Keys and values: `[batch, n_kv_heads, length, head_dim]`. They are buffers, because CUDA graphs
    may write to what belongs to a module, and to no other input.
    """

    keys: Tensor
    values: Tensor

    def __init__(self, attention: GroupedQueryAttention, batch: int, length: int) -> None:
        super().__init__()
        self.attention = attention
        weight = attention.k_proj.weight
        shape = (batch, attention.n_kv_heads, length, attention.head_dim)
        for name in ("keys", "values"):
            self.register_buffer(name, torch.zeros(shape, dtype=weight.dtype, device=weight.device))

    def project(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of `x`, each `[batch, heads, n_tokens, head_dim]`."""
        its = self.attention
        batch, n_tokens, _ = x.shape
        q = its.q_proj(x).view(batch, n_tokens, its.n_heads, its.head_dim).transpose(1, 2)
        k = its.k_proj(x).view(batch, n_tokens, its.n_kv_heads, its.head_dim).transpose(1, 2)
        v = its.v_proj(x).view(batch, n_tokens, its.n_kv_heads, its.head_dim).transpose(1, 2)
        return apply_rope(q, cos, sin), apply_rope(k, cos, sin), v

    def read(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Attention of a prompt, of which nothing is in the cache yet."""
        batch, n_tokens, _ = x.shape
        q, k, v = self.project(x, cos, sin)
        self.keys[:, :, :n_tokens] = k
        self.values[:, :, :n_tokens] = v
        if q.is_cuda and q.dtype == torch.float32:
            # PyTorch's only fused kernel for f32 on CUDA takes no groups; without it, all scores
            # would be written to memory. A copy of the keys costs less.
            k, v = (part.repeat_interleave(q.shape[1] // k.shape[1], dim=1) for part in (k, v))
        grouped = q.shape[1] != k.shape[1]
        context = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=grouped)
        out: Tensor = self.attention.o_proj(context.transpose(1, 2).reshape(batch, n_tokens, -1))
        return out

    def step(self, x: Tensor, cos: Tensor, sin: Tensor, position: Tensor, mask: Tensor) -> Tensor:
        """Attention of one new token of each sequence.

        The query heads that share a key head stand where tokens would: they see the same keys, so
        these are read once and not copied. `mask`, `[1, 1, 1, length]`, is added to the scores.
        """
        q, k, v = self.project(x, cos, sin)
        self.keys.index_copy_(2, position, k)
        self.values.index_copy_(2, position, v)
        batch, n_kv_heads, _, head_dim = k.shape
        shared = q.reshape(batch, n_kv_heads, -1, head_dim)
        context = F.scaled_dot_product_attention(shared, self.keys, self.values, attn_mask=mask)
        out: Tensor = self.attention.o_proj(context.reshape(batch, 1, -1))
        return out


class StaticDecoder(nn.Module):
    """`model.py`'s decoder with one cache of fixed size. The weights stay the model's."""

    def __init__(self, model: Decoder, batch: int, length: int) -> None:
        super().__init__()
        self.model = model
        self.length = length
        self.attentions = nn.ModuleList(
            StaticAttention(block.attn, batch, length)  # type: ignore[arg-type]
            for block in model.blocks
        )

    def read(self, ids: Tensor) -> Tensor:
        """Reads prompts `[batch, n_tokens]` into the empty cache: their last tokens' logits."""
        n_tokens = ids.shape[1]
        cos, sin = self.model.cos[:n_tokens], self.model.sin[:n_tokens]
        x = self.model.tok_emb(ids)
        for block, attention in zip(self.model.blocks, self.attentions, strict=True):
            x = x + attention.read(block.attn_norm(x), cos, sin)  # type: ignore[operator]
            x = x + block.ffn(block.ffn_norm(x))  # type: ignore[operator]
        return self.model.head(self.model.final_norm(x[:, -1]))

    def step(self, ids: Tensor, position: Tensor) -> Tensor:
        """Logits `[batch, vocab_size]` after `ids`, `[batch, 1]`, all at `position`, `[1]`."""
        cos, sin = (table.index_select(0, position) for table in (self.model.cos, self.model.sin))
        x = self.model.tok_emb(ids)
        later = torch.arange(self.length, device=ids.device) > position
        # Once for all layers, and in the type that attention adds.
        mask = torch.zeros(self.length, dtype=x.dtype, device=x.device)
        mask = mask.masked_fill(later, float("-inf")).view(1, 1, 1, -1)
        for block, attention in zip(self.model.blocks, self.attentions, strict=True):
            normed = block.attn_norm(x)  # type: ignore[operator]
            x = x + attention.step(normed, cos, sin, position, mask)  # type: ignore[operator]
            x = x + block.ffn(block.ffn_norm(x))  # type: ignore[operator]
        return self.model.head(self.model.final_norm(x[:, -1]))
