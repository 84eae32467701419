"""Several processes: two on the CPU over gloo take the same steps as one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from checkpoint import checkpoints, load_weights
from config import TrainingConfig
from distributed import choose_device
from run_log import read_log
from trainer import split_batch

PROGRAM = str(Path(__file__).with_name("tiny_run.py"))


def run(out: Path, n_processes: int, *flags: str) -> dict[tuple[str, int], float]:
    """Runs to the end; returns the losses by kind and step."""
    command = [sys.executable]
    if n_processes > 1:
        command += ["-m", "torch.distributed.run", "--standalone"]
        command += ["--nproc_per_node", str(n_processes)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    result = subprocess.run(
        [*command, PROGRAM, "--out", str(out), *flags],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    entries = read_log(out / "log.jsonl")
    return {(e["kind"], e["step"]): e["loss"] for e in entries if "loss" in e}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[tuple[str, int], float]]:
    out = tmp_path_factory.mktemp("alone")
    return out, run(out, 1)


@pytest.mark.parametrize("flags", [(), ("--fsdp",), ("--micro-batch-size", "2")])
def test_two_processes_take_the_steps_of_one(
    tmp_path: Path, alone: tuple[Path, dict[tuple[str, int], float]], flags: tuple[str, ...]
) -> None:
    out, expected = alone
    losses = run(tmp_path, 2, *flags)
    assert losses.keys() == expected.keys()
    assert len(losses) >= 20
    # The sums are taken in another order; after 20 steps of Adam at 1e-2 the losses (about 4)
    # were seen to differ by 1e-6 at most.
    worst = max(abs(losses[key] - expected[key]) for key in losses)
    print("largest difference", worst)
    assert worst < 1e-5
    ours, theirs = (load_weights(checkpoints(run)[-1]) for run in (tmp_path, out))
    assert ours.keys() == theirs.keys()
    assert max(float((ours[n] - theirs[n]).abs().max()) for n in ours) < 1e-3


def test_accumulation_takes_the_step_of_the_whole_batch(
    tmp_path: Path, alone: tuple[Path, dict[tuple[str, int], float]]
) -> None:
    losses = run(tmp_path, 1, "--micro-batch-size", "2")
    assert max(abs(losses[key] - alone[1][key]) for key in losses) < 1e-4


def test_a_checkpoint_of_two_processes_resumes_in_one(
    tmp_path: Path, alone: tuple[Path, dict[tuple[str, int], float]]
) -> None:
    run(tmp_path, 2, "--fsdp", "--steps", "20")
    last = checkpoints(tmp_path)[-1]
    last.rename(tmp_path / "put-aside")
    losses = run(tmp_path, 1, "--resume")
    assert max(abs(losses[key] - alone[1][key]) for key in losses) < 1e-4


@pytest.mark.parametrize(
    ("batch", "micro", "processes", "message"),
    [
        (9, None, 2, "training.batch_size (9) is not a multiple of the 2 processes"),
        (8, 3, 2, "training.micro_batch_size (3) does not divide the 4 sequences"),
    ],
)
def test_shares_that_are_not_equal_are_refused(
    batch: int, micro: int | None, processes: int, message: str
) -> None:
    training = TrainingConfig(batch_size=batch, micro_batch_size=micro)
    with pytest.raises(ValueError, match="training") as caught:
        split_batch(training, processes)
    assert message in str(caught.value)


def test_a_device_that_is_not_there_is_an_error_and_not_the_cpu() -> None:
    with pytest.raises(ValueError, match="not a device; try auto"):
        choose_device("abacus")
    import torch

    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="sees no CUDA device; try --device cpu"):
            choose_device("cuda")
