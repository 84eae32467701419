"""Whether other Python threads run while a call is under way."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def ticks_during(call: Callable[[], object]) -> tuple[int, float]:
    """Runs `call` in a thread of its own, and counts how often this thread woke up meanwhile.

    Returns the count and the seconds that the call took. While a call keeps the interpreter to
    itself, this thread cannot run between the call's first moment and its last.
    """

    def timed() -> tuple[float, float]:
        begin = time.perf_counter()
        call()
        return begin, time.perf_counter()

    ticks: list[float] = []
    with ThreadPoolExecutor(max_workers=1) as pool:
        future = pool.submit(timed)
        while not future.done():
            ticks.append(time.perf_counter())
            time.sleep(0.001)
        begin, end = future.result()
    return sum(begin < tick < end for tick in ticks), end - begin


def assert_others_run_during(call: Callable[[int], object], size: int = 1) -> None:
    """Checks that this thread wakes up while `call(size)` runs, at a size that takes a while."""
    for _ in range(16):
        now = size
        ticks, seconds = ticks_during(lambda now=now: call(now))  # type: ignore[misc]
        if seconds >= 0.2:
            # 1 ms apart, some 200 are possible; a busy machine leaves fewer.
            assert ticks >= 5, f"{ticks} ticks in {seconds:.3f} s: the interpreter was held"
            return
        size *= 2
    raise AssertionError(f"the call took only {seconds:.3f} s at size {size}")
