"""Export and parity: what PyTorch trained is what Rust runs."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from parity import LOGITS_ATOL, torch_logits, torch_twin

import export
from checkpoint import Checkpoint, find_checkpoint, load_checkpoint, save_checkpoint
from config import ModelConfig, model_config
from golden_models import CONFIGS, N_GREEDY, random_model
from goldens import TEST_DATA
from gollm_module import gollm
from model import Decoder

GOLDENS = TEST_DATA / "goldens"
TEXT = ["The cat sat on the mat. The dog saw the cat and ran to the red door."] * 20
PROMPT = "The dog saw the cat"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder with one checkpoint of a model that has a real tokenizer."""
    folder = tmp_path_factory.mktemp("run")
    tokenizer = gollm().Tokenizer.train(TEXT, 280)
    config = ModelConfig(280, 64, 24, 4, 2, 37, 2, head_dim=6, dtype="f16")
    model = random_model(config, seed=5)
    meta = {
        "step": 12,
        "validation_loss": 1.25,
        "model": config.to_dict(),
        "training": {"batch_size": 4, "sequence_length": 64, "learning_rate": 0.01},
        "provenance": {"trainer": "python/train.py", "seed": 5, "git_commit": None},
    }
    weights = {name: p.detach() for name, p in model.named_parameters()}
    state = torch.get_rng_state()
    save_checkpoint(folder, 12, Checkpoint(weights, {}, state, meta, tokenizer.to_json()))
    return folder


def checkpoint_model(run: Path) -> Decoder:
    checkpoint = load_checkpoint(find_checkpoint(run))
    model = Decoder(model_config(checkpoint.meta["model"])).eval()
    model.load_state_dict(checkpoint.weights)
    return model


def test_an_f32_export_runs_in_rust_as_in_pytorch(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "model.gollm"
    assert export.main(["--checkpoint", str(run), "--out", str(out), "--dtype", "f32"]) == 0
    rust, model = gollm().Model.load(str(out)), checkpoint_model(run)
    ids = [int(i) for i in rust.tokenizer.encode(PROMPT)]
    logits = rust.logits(ids)
    assert logits.dtype == np.float32
    np.testing.assert_allclose(logits, torch_logits(model, ids).numpy(), rtol=0, atol=LOGITS_ATOL)
    greedy = rust.generate_ids(ids, 40, ignore_end_of_text=True)
    assert list(greedy) == model.generate(ids, 40)


@pytest.mark.parametrize(
    ("dtype", "digits"),
    # Half the distance between two stored numbers, relative: 2^-11 for f16, 2^-8 for bf16.
    [("f32", 0.0), ("f16", 2.0**-11), ("bf16", 2.0**-8)],
)
def test_each_stored_type_keeps_its_digits(
    run: Path, tmp_path: Path, dtype: str, digits: float
) -> None:
    out = tmp_path / "model.gollm"
    export.export(run, out, dtype)
    rust = gollm().Model.load(str(out))
    for name, weight in checkpoint_model(run).named_parameters():
        stored, exact = rust.tensor(name), weight.detach().numpy()
        # Vectors (the norms) are stored as f32 whatever the type of the matrices.
        bound = digits if weight.dim() == 2 else 0.0
        error = np.abs(stored - exact) / np.maximum(np.abs(exact), 2.0**-14)
        assert error.max() <= bound, name
    assert rust.config["dtype"] == dtype


def test_the_config_decides_the_stored_type_when_no_flag_does(run: Path, tmp_path: Path) -> None:
    export.export(run, tmp_path / "model.gollm")
    report = gollm().verify(str(tmp_path / "model.gollm"))
    types = {tensor["name"]: tensor["dtype"] for tensor in report["tensors"]}
    assert types["tok_emb.weight"] == "f16"
    assert types["final_norm.weight"] == "f32"
    assert report["n_parameters"] == checkpoint_model(run).config.n_parameters()


def test_the_file_carries_tokenizer_and_provenance(run: Path, tmp_path: Path) -> None:
    export.export(run, tmp_path / "model.gollm")
    rust = gollm().Model.load(str(tmp_path / "model.gollm"), verify=True)
    stored = load_checkpoint(find_checkpoint(run)).tokenizer_json
    assert json.loads(rust.tokenizer.to_json()) == json.loads(stored)
    provenance = rust.metadata()["provenance"]
    assert provenance["steps"] == 12
    assert provenance["validation_loss"] == 1.25
    assert provenance["tokens"] == 12 * 4 * 64
    assert provenance["seed"] == 5


def test_the_same_checkpoint_gives_the_same_bytes(run: Path, tmp_path: Path) -> None:
    for name in ("a.gollm", "b.gollm"):
        export.export(run, tmp_path / name)
    assert (tmp_path / "a.gollm").read_bytes() == (tmp_path / "b.gollm").read_bytes()


def test_wrong_arguments_have_their_messages(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path / "model.gollm")]
    assert export.main(["--checkpoint", str(tmp_path), *out]) == 2
    assert "no checkpoint here" in capsys.readouterr().err
    unwritable = str(tmp_path / "no" / "such" / "folder" / "model.gollm")
    assert export.main(["--checkpoint", str(run), "--out", unwritable]) == 1
    assert unwritable in capsys.readouterr().err


@pytest.mark.parametrize("name", CONFIGS)
def test_rust_computes_the_golden_logits_loss_and_tokens(name: str) -> None:
    index = json.loads((GOLDENS / f"{name}.json").read_text(encoding="utf-8"))
    rust = gollm().Model.load(str(GOLDENS / f"{name}.gollm"), verify=True)
    entry = index["arrays"][-1]
    assert entry["name"] == "logits"
    data = np.fromfile(GOLDENS / f"{name}.bin", dtype="<f4")
    golden = data[entry["offset"] :][: math.prod(entry["shape"])].reshape(entry["shape"])
    for chunk_size in (1, 5, 128):
        logits = rust.logits(index["ids"], chunk_size=chunk_size)
        np.testing.assert_allclose(logits, golden, rtol=0, atol=LOGITS_ATOL)
    assert rust.loss(index["ids"]) == pytest.approx(index["loss"], abs=1e-5)
    assert list(rust.generate_ids(index["ids"], N_GREEDY)) == index["greedy"]


def test_two_hundred_greedy_tokens_of_the_embedded_model_are_pytorch_s() -> None:
    rust, model = torch_twin(TEST_DATA / "gollm-stories.gollm")
    begin = rust.tokenizer.special_id("<|begin_of_text|>")
    ids = [begin, *(int(i) for i in rust.tokenizer.encode("Once upon a time"))]
    logits = torch_logits(model, ids).numpy()
    np.testing.assert_allclose(rust.logits(ids), logits, rtol=0, atol=LOGITS_ATOL)
    greedy = rust.generate_ids(ids, 200, ignore_end_of_text=True)
    assert len(greedy) == 200
    assert list(greedy) == model.generate(ids, 200)
