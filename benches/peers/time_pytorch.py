"""Times PyTorch once, the work being that of `gollm bench`. pytorch.py starts it.

A pass is a prompt read, or so many tokens decoded; each has a cache of its own. Passes that warm up
(and compile, and record CUDA graphs) do not count. The logits are copied to the host after each
call, as `gollm bench` does, which also waits for the device.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from config import ModelConfig, load_config
from model import Decoder
from torch import Tensor

from check_pytorch import TOLERANCE, largest_difference
from static_decoder import StaticDecoder

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}
# A compiled function is compiled by its first call, recorded by the second, replayed by the third.
N_WARM_UP_CALLS = 3


def compile_mode(device: torch.device) -> str:
    """CUDA graphs take a launch's cost away; the processor has none to take."""
    return "reduce-overhead" if device.type == "cuda" else "default"


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def random_model(config: ModelConfig, dtype: torch.dtype, device: torch.device) -> Decoder:
    """Weights spread as those of `gollm bench --random`: how fast a GPU is depends on them."""
    model = Decoder(config).to(device).requires_grad_(False)
    generator = torch.Generator(device).manual_seed(0)
    for weight in model.parameters():
        if weight.dim() > 1:
            weight.uniform_(-0.035, 0.035, generator=generator)
    return model.to(dtype)


def rates_of(
    amount: float, device: torch.device, work: Callable[[], object], n: int
) -> list[float]:
    """`amount` by the seconds that `work` takes, `n` times."""
    rates = []
    for _ in range(n):
        synchronize(device)
        start = time.perf_counter()
        work()
        synchronize(device)
        rates.append(amount / (time.perf_counter() - start))
    return rates


class Pytorch:
    """One model on one device, eager or compiled."""

    def __init__(self, model: Decoder, rounds: int, compiled: bool) -> None:
        self.model = model
        self.device = model.tok_emb.weight.device
        self.rounds = rounds
        self.compiled = compiled
        self.generator = torch.Generator().manual_seed(1)

    def prompt(self, n_tokens: int) -> dict[str, Any]:
        ids = self.ids(1, n_tokens)
        decoder = StaticDecoder(self.model, 1, n_tokens)
        read, host = self.prepared(decoder.read), self.host(1)

        def work() -> None:
            host.copy_(read(ids))

        return self.row(f"pp{n_tokens}", n_tokens, work, 1, host)

    def write(self, n_tokens: int, batch: int) -> dict[str, Any]:
        ids = self.ids(batch, 1)
        decoder = StaticDecoder(self.model, batch, n_tokens)
        step, host = self.prepared(decoder.step), self.host(batch)
        position = torch.zeros(1, dtype=torch.int64, device=self.device)

        def work() -> None:
            position.zero_()
            for _ in range(n_tokens):
                host.copy_(step(ids, position))
                position.add_(1)

        name = f"tg{n_tokens}" if batch == 1 else f"tg{n_tokens}@{batch}"
        return self.row(name, n_tokens * batch, work, n_tokens, host)

    def ids(self, batch: int, n_tokens: int) -> Tensor:
        shape = (batch, n_tokens)
        ids = torch.randint(self.model.config.vocab_size, shape, generator=self.generator)
        return ids.to(self.device)

    def host(self, batch: int) -> Tensor:
        """Where logits arrive: page-locked for a GPU, which copies there at full speed."""
        shape, dtype = (batch, self.model.config.vocab_size), self.model.tok_emb.weight.dtype
        return torch.empty(shape, dtype=dtype, pin_memory=self.device.type == "cuda")

    def prepared(self, call: Callable[..., Tensor]) -> Callable[..., Tensor]:
        if not self.compiled:
            return call
        # Forgets the last test's code and graphs, which nothing uses any more.
        torch.compiler.reset()
        mode = compile_mode(self.device)
        return torch.compile(call, mode=mode, fullgraph=True, dynamic=False)

    def row(
        self, test: str, n_tokens: int, work: Callable[[], None], n_calls: int, host: Tensor
    ) -> dict[str, Any]:
        with torch.inference_mode():
            for _ in range(math.ceil(N_WARM_UP_CALLS / n_calls)):
                work()
            rates = rates_of(n_tokens, self.device, work, self.rounds)
        # Nonsense, but numbers: arithmetic on NaN can take another time.
        if not bool(host.isfinite().all()):
            raise SystemExit(f"{test}: PyTorch computed logits that are not finite")
        return {"test": test, "avg_ts": mean(rates)}


def best_rate(amount: float, device: torch.device, work: Callable[[], object]) -> float:
    """The most of `amount` a second in ten tries, after three that do not count."""
    return max(rates_of(amount, device, work, 13)[3:])


def copy_rate(n_bytes: int, device: torch.device) -> float:
    source = torch.zeros(n_bytes, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return best_rate(2 * n_bytes, device, lambda: target.copy_(source))


def product_rate(size: int, dtype: torch.dtype, device: torch.device) -> float:
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    out = torch.empty_like(a)
    return best_rate(2 * size**3, device, lambda: torch.mm(a, b, out=out))


def limits(dtype: torch.dtype, device: torch.device) -> dict[str, float]:
    """What the device reaches at its best: bytes read and written by a copy of half a GiB, and
    operations of a large matrix product of random numbers in `dtype`. (pytorch.py asks for neither
    on a processor, where the product is a small one: some types have no quick kernel.)"""
    size = 8192 if device.type == "cuda" else 512
    return {
        "bytes_per_second": copy_rate(1 << 29, device),
        "flops_per_second": product_rate(size, dtype, device),
    }


def check(device: torch.device, compiled: bool) -> dict[str, float]:
    """The largest difference of each mode; ends the program if one is too large."""
    modes = {"eager": None} | ({"compiled": compile_mode(device)} if compiled else {})
    differences = {}
    for name, mode in modes.items():
        difference = largest_difference(device, mode)
        if not difference <= TOLERANCE:
            raise SystemExit(
                f"the decoder of static_decoder.py, {name} on {device}, gives other logits than "
                f"python/model.py: expected at most {TOLERANCE} apart, found {difference}; "
                "timing it would mean nothing"
            )
        differences[name] = difference
    return differences


def software(device: torch.device) -> str:
    cuda = f", CUDA {torch.version.cuda}" if device.type == "cuda" else ""
    precision = torch.get_float32_matmul_precision()
    products = f", f32 products at precision {precision!r}" if device.type == "cuda" else ""
    return f"{torch.__version__}{cuda}{products}, Python {platform.python_version()}"


def measure(model: Decoder, arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    pytorch = Pytorch(model, arguments.rounds, arguments.compile)
    for n_tokens in filter(None, arguments.n_prompt):
        yield pytorch.prompt(n_tokens)
    for batch in arguments.batch:
        if arguments.n_gen > 0:
            yield pytorch.write(arguments.n_gen, batch)


def numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--device", type=torch.device, required=True)
    parser.add_argument("--dtype", choices=DTYPES, default="f32")
    parser.add_argument("--threads", type=int, help="leave out for a GPU")
    parser.add_argument("--n-prompt", type=numbers, default=[])
    parser.add_argument("--n-gen", type=int, default=0)
    parser.add_argument("--batch", type=numbers, default=[1])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--limits", action="store_true", help="measure the device as well")
    parser.add_argument("--check", action="store_true", help="compare logits; times nothing")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    answer: dict[str, Any] = {"software": software(arguments.device)}
    if arguments.check:
        print(json.dumps(answer | {"differences": check(arguments.device, arguments.compile)}))
        return
    config = load_config(arguments.config).model
    dtype = DTYPES[arguments.dtype]
    answer["rows"] = list(measure(random_model(config, dtype, arguments.device), arguments))
    if arguments.limits:
        answer["limits"] = limits(dtype, arguments.device)
    # Numbers that one token leaves in the cache.
    answer["n_cached"] = 2 * config.n_layers * config.n_kv_heads * config.head_dim
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
