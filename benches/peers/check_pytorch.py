"""Whether the decoder that is timed computes what python/model.py computes, on a tiny config."""

from __future__ import annotations

import torch
from config import ModelConfig
from model import Decoder
from torch import Tensor

from static_decoder import StaticDecoder

TINY = ModelConfig(
    vocab_size=97,
    context_length=32,
    emb_dim=48,
    n_heads=6,
    n_kv_heads=2,
    head_dim=16,
    hidden_dim=80,
    n_layers=3,
)
# Logits are about 1. Both ways add up the same products of f32, some hundred at most, in another
# order; a wrong position or mask moves a logit by a tenth and more.
TOLERANCE = 1e-4
N_TOKENS, N_READ, LENGTH = 20, 7, 24


def largest_difference(device: torch.device, mode: str | None) -> float:
    """Between the logits of model.py over a whole text, and those of reading its start and then
    decoding the rest token by token; both with the same weights, in f32. `mode` compiles."""
    model = Decoder(TINY)
    model.init_weights(seed=1)
    model.to(device).requires_grad_(False)
    generator = torch.Generator().manual_seed(2)
    ids = torch.randint(TINY.vocab_size, (2, N_TOKENS), generator=generator).to(device)
    decoder = StaticDecoder(model, batch=2, length=LENGTH)
    for attention in decoder.attentions:
        # What an earlier text left behind must not be seen.
        for left in attention.buffers(recurse=False):
            left.copy_(torch.randn(left.shape, generator=generator))
    with torch.inference_mode():
        whole = model(ids)[:, N_READ - 1 :]
        return float((decode(decoder, ids, mode) - whole).abs().max())


def decode(decoder: StaticDecoder, ids: Tensor, mode: str | None) -> Tensor:
    """The logits after token `N_READ` and every later one, `[batch, n, vocab_size]`."""
    read, step = decoder.read, decoder.step
    if mode is not None:
        torch.compiler.reset()
        read = torch.compile(read, mode=mode, fullgraph=True, dynamic=False)
        step = torch.compile(step, mode=mode, fullgraph=True, dynamic=False)
    # Copies, because a CUDA graph writes its next result over the last one.
    logits = [read(ids[:, :N_READ]).clone()]
    position = torch.tensor([N_READ], device=ids.device)
    token = ids[:, :1].clone()
    for place in range(N_READ, N_TOKENS):
        token.copy_(ids[:, place : place + 1])
        logits.append(step(token, position).clone())
        position.add_(1)
    return torch.stack(logits, dim=1)
