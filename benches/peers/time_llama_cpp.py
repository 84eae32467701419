"""Times llama.cpp once, as llama-bench does. Runs in the environment of compare.py.

Each test has a context of its own and runs twice, of which the second time counts. Calling through
Python adds some microseconds to a step of milliseconds.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import json
import math
import random
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Any: it lives in an environment of its own, where no type checker looks.
llama: Any = importlib.import_module("llama_cpp.llama_cpp")

# Tokens that are computed at once.
N_BATCH = 512


def peak_bytes() -> int:
    """The most memory that this process had so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@contextmanager
def open_context(model: Any, n_tokens: int, n_threads: int, flash: bool) -> Iterator[Any]:
    parameters = llama.llama_context_default_params()
    parameters.n_ctx = n_tokens
    parameters.n_batch = parameters.n_ubatch = N_BATCH
    parameters.n_threads = parameters.n_threads_batch = n_threads
    parameters.flash_attn_type = (
        llama.LLAMA_FLASH_ATTN_TYPE_ENABLED if flash else llama.LLAMA_FLASH_ATTN_TYPE_DISABLED
    )
    context = llama.llama_init_from_model(model, parameters)
    if not context:
        raise SystemExit("llama.cpp cannot make a context")
    try:
        yield context
    finally:
        llama.llama_free(context)


def decode(context: Any, batches: list[list[int]]) -> float:
    """Seconds that it takes to decode the batches one after the other, from an empty cache.

    Only the last token of a batch gets logits, as `llama_batch_get_one` has it.
    """
    arrays = [(llama.llama_token * len(tokens))(*tokens) for tokens in batches]
    llama.llama_memory_clear(llama.llama_get_memory(context), False)
    llama.llama_synchronize(context)
    start = time.perf_counter()
    for array in arrays:
        status = llama.llama_decode(context, llama.llama_batch_get_one(array, len(array)))
        if status != 0:
            raise SystemExit(f"llama_decode answers {status}")
        llama.llama_synchronize(context)
    return time.perf_counter() - start


def check_logits(context: Any, vocab_size: int) -> None:
    """Nonsense, but numbers: arithmetic on NaN can take another time."""
    logits = llama.llama_get_logits_ith(context, -1)
    if not logits or not math.isfinite(sum(logits[:vocab_size])):
        raise SystemExit("llama.cpp computed logits that are not finite")


def measure(model: Any, arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    vocab_size: int = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(model))
    draw = random.Random(1)  # noqa: S311 (keeps no secret)
    for name, n_tokens, n_at_once in (
        ("pp", arguments.n_prompt, N_BATCH),
        ("tg", arguments.n_gen, 1),
    ):
        if n_tokens == 0:
            continue
        tokens = [draw.randrange(vocab_size) for _ in range(n_tokens)]
        batches = [tokens[i : i + n_at_once] for i in range(0, n_tokens, n_at_once)]
        with open_context(model, n_tokens, arguments.threads, arguments.flash) as context:
            decode(context, batches)
            seconds = decode(context, batches)
            check_logits(context, vocab_size)
        yield {"test": f"{name}{n_tokens}", "avg_ts": n_tokens / seconds}


def text(function: str) -> str:
    """What a function without arguments says, or "unknown" where this version lacks it."""
    try:
        call = llama._lib[function]
    except AttributeError:
        return "unknown"
    call.restype = ctypes.c_char_p
    return (call() or b"unknown").decode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--n-prompt", type=int, required=True)
    parser.add_argument("--n-gen", type=int, required=True)
    parser.add_argument("--flash", action="store_true")
    arguments = parser.parse_args()
    before = peak_bytes()
    llama.llama_backend_init()
    model = llama.llama_model_load_from_file(
        arguments.model.encode(), llama.llama_model_default_params()
    )
    if not model:
        raise SystemExit("llama.cpp cannot load the model")
    rows = list(measure(model, arguments))
    llama.llama_model_free(model)
    answer = {
        "rows": rows,
        "bytes_before_loading": before,
        "version": text("llama_version"),
        "commit": text("ggml_commit"),
        "system": text("llama_print_system_info"),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
