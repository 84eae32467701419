"""A run that is killed and resumed gives the same losses as one that is not."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from checkpoint import checkpoints, load_checkpoint
from run_log import RunLog, read_log

PROGRAM = str(Path(__file__).with_name("tiny_run.py"))
STEPS = 60


def start(out: Path, *flags: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, PROGRAM, "--out", str(out), "--steps", str(STEPS), *flags]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def without_speed(out: Path) -> list[dict[str, Any]]:
    """The log's entries less the one value that depends on the clock."""
    entries = read_log(out / "log.jsonl")
    for entry in entries:
        entry.pop("tokens_per_second", None)
    return entries


def wait_for_step(out: Path, step: int) -> None:
    deadline = time.monotonic() + 60
    log = out / "log.jsonl"
    while time.monotonic() < deadline:
        if log.exists() and any(entry["step"] >= step for entry in read_log(log)):
            return
        time.sleep(0.002)
    pytest.fail(f"the run did not reach step {step} within a minute")


def test_a_killed_run_resumes_exactly(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert start(whole).wait() == 0

    process = start(killed)
    wait_for_step(killed, 23)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    seen = without_speed(killed)
    assert 23 <= seen[-1]["step"] < STEPS, "the kill came too late to test anything"
    assert checkpoints(killed), "no checkpoint to resume from"

    assert start(killed, "--resume").wait() == 0
    # Exactly equal: the same operations in the same order on the same numbers.
    assert without_speed(killed) == without_speed(whole)
    last, expected = (load_checkpoint(checkpoints(run)[-1]) for run in (killed, whole))
    assert all(weight.equal(expected.weights[name]) for name, weight in last.weights.items())


def test_the_log_is_cut_back_to_the_checkpoint(tmp_path: Path) -> None:
    log = RunLog(tmp_path / "log.jsonl", enabled=True)
    for step in range(1, 8):
        log.write("train", step, loss=1.0)
    with open(log.path, "a", encoding="utf-8") as file:
        file.write('{"kind": "train", "st')  # cut off by a kill
    log.cut_after(5)
    assert [entry["step"] for entry in read_log(log.path)] == [1, 2, 3, 4, 5]
