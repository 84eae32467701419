"""The module `gollm`: writing model files, opening them, and what a model computes and writes.

Whether its numbers are PyTorch's is the parity tests' question; here they must agree with
themselves.
"""

from __future__ import annotations

import _thread
import json
import math
import signal
import threading
from pathlib import Path
from typing import Any

import gollm
import numpy as np
import numpy.typing as npt
import pytest
from interpreter_watch import assert_others_run_during

Tensors = dict[str, npt.NDArray[np.float32]]

TALE = "Once upon a time there was a small red boat, and the boat was glad. " * 4
TOKENIZER = gollm.Tokenizer.train([TALE], 290)
CONFIG: dict[str, Any] = {
    "vocab_size": 290,
    "context_length": 48,
    "emb_dim": 24,
    "n_heads": 4,
    "n_kv_heads": 2,
    "head_dim": 6,
    "hidden_dim": 37,
    "n_layers": 2,
}


def random_tensors(config: dict[str, Any], seed: int = 0) -> Tensors:
    """Weights that nobody trained, large enough that every part of the model matters."""
    random = np.random.default_rng(seed)
    emb, hidden = config["emb_dim"], config["hidden_dim"]
    q, kv = (config[heads] * config["head_dim"] for heads in ("n_heads", "n_kv_heads"))

    def matrix(rows: int, columns: int) -> npt.NDArray[np.float32]:
        return np.asarray(random.normal(0.0, 0.3, (rows, columns)), np.float32)

    def scales() -> npt.NDArray[np.float32]:
        return np.asarray(random.normal(1.0, 0.1, emb), np.float32)

    tensors = {"tok_emb.weight": matrix(config["vocab_size"], emb), "final_norm.weight": scales()}
    for i in range(config["n_layers"]):
        block = {
            "attn_norm": scales(),
            "attn.q_proj": matrix(q, emb),
            "attn.k_proj": matrix(kv, emb),
            "attn.v_proj": matrix(kv, emb),
            "attn.o_proj": matrix(emb, q),
            "ffn_norm": scales(),
            "ffn.gate_proj": matrix(hidden, emb),
            "ffn.up_proj": matrix(hidden, emb),
            "ffn.down_proj": matrix(emb, hidden),
        }
        tensors.update({f"blocks.{i}.{name}.weight": value for name, value in block.items()})
    return tensors


TENSORS = random_tensors(CONFIG)


def write(path: Path, dtype: str = "f32", **changes: Any) -> Path:
    """Writes the model of this file, with the arguments of `write_model` that are named."""
    arguments: dict[str, Any] = {
        "config_json": json.dumps(CONFIG),
        "tensors": TENSORS,
        "tokenizer_json": TOKENIZER.to_json(),
        "provenance_json": '{"steps": 7, "by": "test_gollm_models.py"}',
        **changes,
    }
    gollm.write_model(path, dtype=dtype, **arguments)
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> gollm.Model:
    return gollm.Model.load(write(tmp_path_factory.mktemp("model") / "tiny.gollm"))


IDS = [288, 4, 71, 256, 9, 9, 280, 33, 260, 1]


# Files


def test_a_written_file_says_what_was_put_into_it(model: gollm.Model) -> None:
    assert {key: model.config[key] for key in CONFIG} == CONFIG
    assert model.config["dtype"] == "f32"
    metadata = model.metadata()
    assert metadata["config"] == model.config
    assert metadata["provenance"] == {"steps": 7, "by": "test_gollm_models.py"}
    assert "tokenizer" not in metadata
    assert model.chat_template is None
    assert model.tokenizer is not None
    assert model.tokenizer.to_json() == TOKENIZER.to_json()
    assert model.device == "cpu"
    assert "2 layers, emb_dim 24, vocab_size 290, f32, on cpu" in repr(model)


def test_tensors_come_back_as_they_were_written(model: gollm.Model) -> None:
    assert sorted(model.tensor_names) == sorted(TENSORS)
    for name, expected in TENSORS.items():
        found = model.tensor(name)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, expected)
    with pytest.raises(KeyError, match="no_such_tensor"):
        model.tensor("no_such_tensor")


def test_a_narrow_type_rounds_matrices_and_leaves_vectors(tmp_path: Path) -> None:
    path = write(tmp_path / "f16.gollm", "f16", chat_template="{{ text }}")
    model = gollm.Model.load(path, mmap=False, verify=True)
    assert model.config["dtype"] == "f16"
    assert model.chat_template == "{{ text }}"
    for name, written in TENSORS.items():
        expected = written if written.ndim == 1 else written.astype(np.float16).astype(np.float32)
        np.testing.assert_array_equal(model.tensor(name), expected)


def test_arrays_may_lie_in_memory_in_any_way(tmp_path: Path) -> None:
    scattered = {name: np.asfortranarray(value) for name, value in TENSORS.items()}
    backwards = dict(reversed(scattered.items()))
    one, other = write(tmp_path / "a"), write(tmp_path / "b", tensors=backwards)
    assert one.read_bytes() == other.read_bytes()


def test_verify_reports_every_tensor(tmp_path: Path) -> None:
    path = write(tmp_path / "whole.gollm")
    report = gollm.verify(path)
    n_parameters = sum(value.size for value in TENSORS.values())
    assert report["n_parameters"] == n_parameters
    assert report["file_bytes"] == path.stat().st_size
    assert [t["name"] for t in report["tensors"]] == gollm.Model.load(path).tensor_names
    assert all(t["dtype"] == "f32" and t["n_nan"] == 0 for t in report["tensors"])


def test_a_damaged_file_is_a_gollm_error_that_names_it(tmp_path: Path) -> None:
    path = write(tmp_path / "damaged.gollm")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    gollm.Model.load(path)  # the data is not read yet
    for check in (gollm.verify, lambda path: gollm.Model.load(path, verify=True)):
        with pytest.raises(gollm.GollmError, match=r"damaged\.gollm: tensor .* is damaged"):
            check(path)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(gollm.GollmError, match="cut short"):
        gollm.Model.load(path)
    path.write_text("Once upon a time")
    with pytest.raises(gollm.GollmError, match=r"not a \.gollm model file"):
        gollm.Model.load(path)


def test_a_file_that_the_system_refuses_is_an_os_error(tmp_path: Path) -> None:
    missing = tmp_path / "no" / "model.gollm"
    for use in (gollm.Model.load, gollm.verify, write):
        with pytest.raises(FileNotFoundError) as caught:
            use(missing)
        assert caught.value.filename == missing


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"config_json": "{"}, ValueError, "not well-formed JSON"),
        ({"config_json": "{}"}, ValueError, "is missing, expected"),
        ({"config_json": json.dumps({**CONFIG, "n_kv_heads": 3})}, ValueError, "n_kv_heads"),
        ({"dtype": "f8"}, ValueError, "unknown storage type `f8`"),
        ({"tokenizer_json": "[1]"}, ValueError, "`tokenizer_json` is .*, expected a JSON object"),
        ({"provenance_json": "me"}, ValueError, "`provenance_json` is not well-formed"),
        ({"tensors": {}}, gollm.GollmError, "missing"),
        ({"tensors": {**TENSORS, "extra": np.zeros(3, np.float32)}}, gollm.GollmError, "`extra`"),
        (
            {"tensors": {**TENSORS, "final_norm.weight": np.zeros(3, np.float32)}},
            gollm.GollmError,
            r"`final_norm.weight` has shape \[3\], expected \[24\]",
        ),
        (
            {"tensors": {**TENSORS, "final_norm.weight": np.full(24, np.nan, np.float32)}},
            gollm.GollmError,
            "NaN at index 0",
        ),
        ({"tensors": {"x": np.zeros(3)}}, TypeError, "array of float64, expected .* float32"),
        ({"tensors": {"x": [1.0]}}, TypeError, "list"),
    ],
)
def test_what_makes_no_model_is_refused_and_leaves_no_file(
    tmp_path: Path, changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        write(tmp_path / "never.gollm", **changes)
    assert list(tmp_path.iterdir()) == []


def test_a_tokenizer_of_another_size_is_refused(tmp_path: Path) -> None:
    other = gollm.Tokenizer.train([TALE], 280)
    path = write(tmp_path / "mismatch.gollm", tokenizer_json=other.to_json())
    with pytest.raises(gollm.GollmError, match="290 ids but the tokenizer has 280"):
        gollm.Model.load(path)


def test_a_device_that_is_not_there_is_a_value_error(tmp_path: Path) -> None:
    path = write(tmp_path / "model.gollm")
    assert gollm.Model.load(path, "reference").device == "reference"
    with pytest.raises(ValueError, match=r'"abacus" is not in this build'):
        gollm.Model.load(path, device="abacus")


# Logits


def test_logits_come_one_row_for_each_id(model: gollm.Model) -> None:
    logits = model.logits(IDS)
    assert logits.dtype == np.float32
    assert logits.shape == (len(IDS), 290)
    assert np.isfinite(logits).all()
    assert model.logits([]).shape == (0, 290)


@pytest.mark.parametrize("chunk_size", [1, 3, 9])
def test_the_cache_does_not_change_the_logits(model: gollm.Model, chunk_size: int) -> None:
    # The tolerance of cached decode against a full pass on one backend.
    np.testing.assert_allclose(
        model.logits(IDS, chunk_size), model.logits(IDS), rtol=1e-5, atol=1e-5
    )


def test_a_later_id_cannot_change_earlier_logits(model: gollm.Model) -> None:
    changed = [*IDS[:-1], 100]
    np.testing.assert_array_equal(model.logits(changed)[:-1], model.logits(IDS)[:-1])


def test_the_loss_is_the_mean_surprise_of_the_logits(model: gollm.Model) -> None:
    logits = model.logits(IDS).astype(np.float64)[:-1]
    logits -= logits.max(axis=1, keepdims=True)
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    surprise = -np.mean([row[id_] for row, id_ in zip(log_p, IDS[1:], strict=True)])
    assert math.isclose(model.loss(IDS), surprise, rel_tol=1e-5)


def test_ids_that_the_model_cannot_take_are_value_errors(model: gollm.Model) -> None:
    for call in (model.logits, model.loss, lambda ids: model.generate_ids(ids, 1)):
        with pytest.raises(ValueError, match="290"):
            call([5, 290])
    with pytest.raises(ValueError, match="48"):
        model.logits([5] * 49)
    with pytest.raises(ValueError, match="leave out at least 1"):
        model.generate_ids([5] * 49, 1)
    with pytest.raises(ValueError, match="prompt is empty"):
        model.generate_ids([], 1)
    with pytest.raises(ValueError, match="at least 2"):
        model.loss([5])
    with pytest.raises(ValueError, match="chunk_size is 0"):
        model.logits(IDS, 0)
    # An error leaves the model as it was.
    assert model.logits(IDS).shape == (10, 290)


# Generation


def test_greedy_ids_are_the_largest_logits_of_a_full_pass(model: gollm.Model) -> None:
    new = model.generate_ids(IDS, 20, ignore_end_of_text=True)
    assert len(new) == 20
    ids = list(IDS)
    for found in new:
        assert found == model.logits(ids)[-1].argmax()
        ids.append(found)


def test_sampled_ids_are_those_of_the_sampler_with_the_same_options(model: gollm.Model) -> None:
    options: dict[str, Any] = {"temperature": 1.5, "top_k": 30, "presence_penalty": 2.0, "seed": 11}
    sampler = gollm.Sampler(**options)
    ids = list(IDS)
    for _ in range(15):
        ids.append(sampler.sample(model.logits(ids, chunk_size=1)[-1], previous=ids))
    found = model.generate_ids(IDS, 15, ignore_end_of_text=True, **options)
    assert found == ids[len(IDS) :]
    assert found != model.generate_ids(IDS, 15, ignore_end_of_text=True, **{**options, "seed": 12})


def test_generation_ends_at_stop_ids_and_at_the_end_of_the_context(model: gollm.Model) -> None:
    free = model.generate_ids(IDS, 1000, ignore_end_of_text=True)
    # The last id is drawn when the context of 48 is full.
    assert len(IDS) + len(free) == 49
    stop = free[5]
    stopped = model.generate_ids(IDS, 1000, stop_ids=[stop], ignore_end_of_text=True)
    assert stopped == free[: free.index(stop)]
    assert model.generate_ids(IDS, 0) == []


def test_text_is_the_decoded_ids_of_a_prompt_that_begins_a_text(model: gollm.Model) -> None:
    options: dict[str, Any] = {"max_tokens": 30, "temperature": 1.0, "seed": 5}
    begin = TOKENIZER.special_tokens["<|begin_of_text|>"]
    prompt = TOKENIZER.encode("Once upon")
    with_begin = model.generate_ids([begin, *prompt], **options)
    without = model.generate_ids(prompt, **options)
    assert with_begin != without
    for ids, begin_of_text in ((with_begin, True), (without, False)):
        shown = [i for i in ids if not TOKENIZER.is_special(i)]
        text = model.generate("Once upon", **options, begin_of_text=begin_of_text)
        assert text == TOKENIZER.decode(shown)


def test_a_stream_gives_the_same_text_in_pieces(model: gollm.Model) -> None:
    options: dict[str, Any] = {"max_tokens": 30, "temperature": 1.0, "seed": 5}
    stream = model.stream("Once upon", **options)
    reason_before = stream.finish_reason
    assert reason_before is None
    pieces = list(stream)
    assert len(pieces) > 1
    assert all(pieces)
    assert "".join(pieces) == model.generate("Once upon", **options)
    assert stream.finish_reason in ("length", "end_of_text")
    assert stream.ids is not None
    assert len(stream.ids) <= 30
    assert list(stream) == []


def test_a_stop_string_ends_the_text_before_itself(model: gollm.Model) -> None:
    options: dict[str, Any] = {"max_tokens": 30, "temperature": 1.0, "seed": 5}
    text = model.generate("Once upon", **options)
    stop = text[len(text) // 2 :][:3]
    before = text[: text.index(stop)]
    assert model.generate("Once upon", **options, stop=["never", stop]) == before
    stream = model.stream("Once upon", **options, stop=[stop])
    assert "".join(stream) == before
    assert stream.finish_reason == "stop_string"


def test_an_error_of_a_stream_is_raised_where_it_is_read(model: gollm.Model) -> None:
    stream = model.stream("Once upon " * 100)
    with pytest.raises(ValueError, match="leave out at least 453"):
        next(stream)
    assert list(stream) == []


def test_sampling_options_are_checked(model: gollm.Model) -> None:
    with pytest.raises(ValueError, match="`temperature` is -1"):
        model.generate("Once", temperature=-1.0)
    with pytest.raises(ValueError, match="`min_p` is 2"):
        model.generate_ids(IDS, 1, min_p=2.0)


def test_weights_alone_generate_ids_but_no_text(tmp_path: Path) -> None:
    config = {**CONFIG, "vocab_size": 97}  # fewer ids than there are bytes
    path = tmp_path / "weights.gollm"
    gollm.write_model(path, json.dumps(config), random_tensors(config), "f32")
    model = gollm.Model.load(path)
    assert model.tokenizer is None
    ids = [1, 2, 3]
    for found in model.generate_ids([1, 2, 3], 10):
        assert found == model.logits(ids)[-1].argmax()
        ids.append(found)
    assert len(ids) == 13
    with pytest.raises(gollm.GollmError, match="no tokenizer"):
        model.generate("Once")


# Threads and signals


@pytest.fixture(scope="module")
def slow_model(tmp_path_factory: pytest.TempPathFactory) -> gollm.Model:
    """A model whose context takes many seconds to fill."""
    config = {**CONFIG, "context_length": 20_000, "n_layers": 8, "emb_dim": 96, "hidden_dim": 300}
    path = tmp_path_factory.mktemp("slow") / "slow.gollm"
    tokenizer = TOKENIZER.to_json()
    gollm.write_model(path, json.dumps(config), random_tensors(config), "f32", tokenizer)
    return gollm.Model.load(path)


def test_other_threads_run_while_a_model_computes(slow_model: gollm.Model) -> None:
    def prefill(size: int) -> object:
        return slow_model.logits([7] * size, chunk_size=size)

    assert_others_run_during(prefill, size=32)

    def generate(size: int) -> object:
        return slow_model.generate_ids([7], size, ignore_end_of_text=True)

    assert_others_run_during(generate, size=32)


def test_two_threads_may_use_one_model(model: gollm.Model) -> None:
    alone = [model.generate_ids([start], 40, ignore_end_of_text=True) for start in range(6)]
    found: dict[int, list[int]] = {}

    def work(start: int) -> None:
        found[start] = model.generate_ids([start], 40, ignore_end_of_text=True)

    threads = [threading.Thread(target=work, args=(start,)) for start in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[start] for start in range(6)] == alone


def test_a_stream_that_nobody_reads_gives_the_model_back(slow_model: gollm.Model) -> None:
    stream = slow_model.stream("Once upon", max_tokens=20_000)
    next(stream)
    del stream
    # Waits for the thread, which would go on for minutes.
    assert slow_model.logits([1]).shape == (1, 290)

    stream = slow_model.stream("Once upon", max_tokens=20_000)
    next(stream)
    stream.close()
    for _ in stream:
        pass
    assert stream.finish_reason == "cancelled"


def test_ctrl_c_ends_a_generation(slow_model: gollm.Model) -> None:
    # A shell starts its background jobs with SIGINT ignored, and Python leaves that alone.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.2, _thread.interrupt_main)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            slow_model.generate_ids([7], 20_000, ignore_end_of_text=True)
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    assert slow_model.logits([1]).shape == (1, 290)
