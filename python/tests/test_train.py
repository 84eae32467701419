"""`train.py` from the command line: a whole run on the stories, and each way it can go wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import train
from checkpoint import checkpoints, find_checkpoint, load_checkpoint
from run_log import read_log

PYTHON = Path(__file__).resolve().parents[1]
CONFIG = """
vocab_size: 400
context_length: 64
emb_dim: 32
n_heads: 4
n_kv_heads: 2
hidden_dim: 48
n_layers: 2
dtype: f16
training:
  steps: 40
  batch_size: 4
  learning_rate: 1.0e-2
  warmup_steps: 4
  data_bytes: 150000
  vocab_bytes: 60000
  checkpoint_every: 10
  validate_every: 10
  validation_batches: 2
  sample_every: 20
  sample_tokens: 10
  log_every: 1
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "small.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def finished(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was trained to its end."""
    out = tmp_path_factory.mktemp("runs") / "finished"
    assert train.main(["--config", str(config), "--out", str(out), "--device", "cpu"]) == 0
    return out


def losses(out: Path) -> dict[tuple[str, int], float]:
    return {(e["kind"], e["step"]): e["loss"] for e in read_log(out / "log.jsonl") if "loss" in e}


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, str(PYTHON / "train.py"), *map(str, arguments), "--device", "cpu"]


def test_a_run_learns_and_leaves_what_it_promises(finished: Path) -> None:
    log = losses(finished)
    assert sorted(step for kind, step in log if kind == "train") == list(range(1, 41))
    assert [step for kind, step in log if kind == "validation"] == [0, 10, 20, 30, 40]
    # ln 400 = 5.99 nats is guessing, and new weights guess with random opinions, which cost half a
    # nat more; half a nat below guessing is more than knowing the frequent ids.
    assert log["validation", 0] == pytest.approx(5.99 + 0.5, abs=0.2)
    assert log["validation", 40] < 5.5
    assert (finished / "loss.png").read_bytes().startswith(b"\x89PNG")
    samples = [e for e in read_log(finished / "log.jsonl") if e["kind"] == "sample"]
    assert all(e["text"].startswith("Once upon a time") for e in samples)
    assert {(e["step"], e["temperature"]) for e in samples} == {
        (20, 0.0),
        (20, 0.8),
        (40, 0.0),
        (40, 0.8),
    }


def test_the_provenance_says_how_to_repeat_the_run(finished: Path) -> None:
    meta = load_checkpoint(find_checkpoint(finished)).meta
    provenance = meta["provenance"]
    assert (provenance["config"], provenance["seed"]) == ("small", 1234)
    assert set(provenance["versions"]) == {"python", "torch", "numpy"}
    assert provenance["data"]["source"]["kind"] == "stories"
    assert provenance["data"]["train_tokens"] > 10_000
    assert meta["validation_loss"] == losses(finished)["validation", 40]


def test_a_run_ends_by_saying_how_to_export_and_generate(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main(["--config", str(config), "--out", str(tmp_path), "--steps", "1"]) == 0
    said = capsys.readouterr().out
    assert f"export.py --checkpoint {tmp_path} --out" in said
    assert "gollm generate -m" in said


def test_a_finished_run_is_not_written_over(
    finished: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main(["--config", str(config), "--out", str(finished)]) == 2
    assert "already holds a run: add --resume" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--learning-rate", "0.5"], "was started with learning_rate = 0.01, now it is 0.5"),
        (["--steps", "99"], "was started with steps = 40, now it is 99"),
        (["--batch-size", "8"], "was started with batch_size = 4, now it is 8"),
    ],
)
def test_a_run_is_not_resumed_as_another_run(
    finished: Path, capsys: pytest.CaptureFixture[str], flags: list[str], message: str
) -> None:
    assert train.main(["--resume", "--out", str(finished), *flags]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--data", "/no/such/folder"], "/no/such/folder: no such file or folder"),
        (["--steps", "0"], "training.steps is 0, expected more than 0"),
        (["--threads", "0"], "--threads is 0, expected 1 or more"),
        (["--sequence-length", "65"], "longer than context_length (64)"),
        (["--device", "abacus"], "--device abacus: not a device"),
        (["--tokenizer", "/no/such/tokenizer"], "/no/such/tokenizer"),
        (["--resume"], "no checkpoint here"),
    ],
)
def test_each_wrong_flag_has_its_message(
    config: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
    message: str,
) -> None:
    assert train.main(["--config", str(config), "--out", str(tmp_path), *flags]) == 2
    assert message in capsys.readouterr().err


def test_changed_data_are_noticed(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, out = tmp_path / "text.txt", tmp_path / "run"
    text.write_text("the cat sat on the mat and the hen ran\n\n" * 2000, encoding="utf-8")
    flags = ["--out", str(out), "--steps", "2"]
    arguments = ["--config", str(config), "--data", str(text), *flags]
    yaml = config.read_text(encoding="utf-8").replace("vocab_size: 400", "vocab_size: 270")
    small = tmp_path / "small.yaml"
    small.write_text(yaml, encoding="utf-8")
    arguments[1] = str(small)
    assert train.main(arguments) == 0
    with open(text, "a", encoding="utf-8") as file:
        file.write("and then it went home again\n\n" * 500)
    assert train.main(["--resume", "--out", str(out)]) == 2
    assert "the data differ from those that the run was started on" in capsys.readouterr().err


def test_ctrl_c_saves_and_the_resumed_run_gives_the_same_losses(
    config: Path, finished: Path, tmp_path: Path
) -> None:
    out = tmp_path / "interrupted"
    process = subprocess.Popen(
        command("--config", config, "--out", out, "--threads", "1"),
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    log = out / "log.jsonl"
    while not (log.exists() and any(e["step"] >= 5 for e in read_log(log))):
        assert time.monotonic() < deadline, "the run did not reach step 5 within two minutes"
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 130, said
    assert "go on with: python train.py --resume --out" in said
    stopped_at = load_checkpoint(checkpoints(out)[-1]).meta["step"]
    assert 5 <= stopped_at < 40

    assert train.main(["--resume", "--out", str(out), "--threads", "1"]) == 0
    ours, theirs = losses(out), losses(finished)
    assert ours.keys() == theirs.keys()
    # The two runs may have used another number of threads, so their sums another order.
    assert max(abs(ours[key] - theirs[key]) for key in ours) < 1e-3


def test_without_the_module_gollm_it_says_what_to_run(config: Path, tmp_path: Path) -> None:
    (tmp_path / "gollm.py").write_text("raise ImportError('not built')", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    result = subprocess.run(
        command("--config", config, "--out", tmp_path / "run"),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert "run `make python` at the root of the repository" in result.stderr


def test_two_processes_prepare_the_data_once_and_train_alike(
    config: Path, finished: Path, tmp_path: Path
) -> None:
    out = tmp_path / "two"
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    result = subprocess.run(
        [sys.executable, *launcher, *command("--config", config, "--out", out)[1:]],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    ours, theirs = losses(out), losses(finished)
    assert ours.keys() == theirs.keys()
    # 40 steps of Adam at 1e-2 from sums in another order.
    assert max(abs(ours[key] - theirs[key]) for key in ours) < 1e-3
    assert json.loads((out / "data" / "train.json").read_text(encoding="utf-8"))["n_tokens"] > 0


def test_a_tokenizer_of_another_size_is_refused(
    finished: Path, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from gollm_module import gollm

    tokenizer: Any = gollm().Tokenizer.train(["the cat sat on the mat"] * 50, 270)
    tokenizer.save(str(tmp_path / "small.bpe"))
    arguments = ["--config", str(config), "--out", str(tmp_path / "run")]
    assert train.main([*arguments, "--tokenizer", str(tmp_path / "small.bpe")]) == 2
    assert "has 270 ids and the model's vocab_size is 400" in capsys.readouterr().err


def test_the_tokenizer_of_another_run_can_be_used(
    finished: Path, config: Path, tmp_path: Path
) -> None:
    flags = ["--config", str(config), "--steps", "1", "--out", str(tmp_path)]
    assert train.main([*flags, "--tokenizer", str(finished / "tokenizer.json")]) == 0
    assert (tmp_path / "tokenizer.json").read_bytes() == (finished / "tokenizer.json").read_bytes()


def test_a_new_run_can_start_from_the_weights_of_another(
    finished: Path, config: Path, tmp_path: Path
) -> None:
    flags = ["--config", str(config), "--init-from", str(finished), "--steps", "2"]
    assert train.main([*flags, "--out", str(tmp_path)]) == 0
    # Before its first step it knows what the other run knew after its last.
    before = losses(finished)["validation", 40]
    assert losses(tmp_path)["validation", 0] == pytest.approx(before, abs=1e-6)
    assert (tmp_path / "tokenizer.json").read_bytes() == (finished / "tokenizer.json").read_bytes()
    assert train.main(["--resume", "--out", str(tmp_path)]) == 0
    start = load_checkpoint(find_checkpoint(tmp_path)).meta["provenance"]["init_from"]
    assert (start["step"], start["validation_loss"]) == (40, before)


def test_weights_of_another_model_are_refused(
    finished: Path, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(config.read_text().replace("n_layers: 2", "n_layers: 1"), encoding="utf-8")
    flags = ["--config", str(other), "--init-from", str(finished), "--out", str(tmp_path / "run")]
    assert train.main(flags) == 2
    assert "its model is another than the configuration's" in capsys.readouterr().err
