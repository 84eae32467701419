"""The module `gollm`: its package, its tokenizer, its sampler. Models: test_gollm_models.py."""

from __future__ import annotations

import errno
import json
import pickle
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import gollm
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from interpreter_watch import assert_others_run_during

TALE = (
    "Once upon a time there was a small red boat. The boat was sad, for the sea was far away. "
    "One day a kind girl carried the boat to the sea, and the boat was glad — très heureux! 🎉 "
)
SPECIAL_TOKENS = [
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
]
TOKENIZER = gollm.Tokenizer.train([TALE * 3], 300)


def any_ids() -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, TOKENIZER.vocab_size - 1), max_size=30)


# The package


@pytest.mark.slow
def test_the_package_ships_types_that_agree_with_the_compiled_module() -> None:
    package = files("gollm")
    assert (package / "py.typed").is_file()
    assert (package / "_native.pyi").is_file()
    check = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "gollm"], capture_output=True, text=True
    )
    assert check.returncode == 0, check.stdout + check.stderr


def test_the_version_is_the_distributions() -> None:
    assert gollm.__version__ == version("gollm")


def test_everything_public_says_what_it_is() -> None:
    for name in gollm.__all__:
        thing = getattr(gollm, name)
        assert thing.__doc__, name
        if isinstance(thing, type) and not issubclass(thing, Exception):
            assert thing.__module__ == "gollm"
            for member in (m for m in vars(thing) if not m.startswith("_")):
                assert getattr(thing, member).__doc__, f"{name}.{member}"


# Training


def test_a_trained_tokenizer_has_the_asked_size_with_the_special_tokens_last() -> None:
    assert TOKENIZER.vocab_size == 300
    assert TOKENIZER.pattern == "cl100k"
    assert list(TOKENIZER.special_tokens) == SPECIAL_TOKENS
    assert list(TOKENIZER.special_tokens.values()) == list(range(295, 300))
    assert repr(TOKENIZER) == '<gollm.Tokenizer: 300 ids, pattern "cl100k", 5 of them special>'


def test_special_tokens_and_pattern_can_be_chosen() -> None:
    none = gollm.Tokenizer.train([TALE] * 3, 300, special_tokens=[])
    assert none.special_tokens == {}
    own = gollm.Tokenizer.train([TALE] * 3, 300, pattern="gpt2", special_tokens=["<end>"])
    assert own.special_tokens == {"<end>": 299}
    assert own.pattern == "gpt2"


def test_training_takes_any_iterable_and_the_order_of_texts_does_not_matter() -> None:
    texts = TALE.split(". ") * 3
    expected = gollm.Tokenizer.train(texts, 290).to_json()
    assert gollm.Tokenizer.train(iter(texts), 290).to_json() == expected
    assert gollm.Tokenizer.train(reversed(texts), 290).to_json() == expected


def test_an_exception_of_the_iterable_is_passed_on() -> None:
    def texts() -> Iterator[str]:
        yield TALE
        raise LookupError("the third shelf is empty")

    with pytest.raises(LookupError, match="third shelf"):
        gollm.Tokenizer.train(texts(), 260, special_tokens=[])


def test_training_wants_texts_that_are_strings() -> None:
    with pytest.raises(TypeError, match=r"give \[text\]"):
        gollm.Tokenizer.train(TALE, 260)
    not_text: Any = [TALE, b"bytes"]
    with pytest.raises(TypeError, match="bytes"):
        gollm.Tokenizer.train(not_text, 300)


@pytest.mark.parametrize(
    ("vocab_size", "pattern", "message"),
    [
        (260, "cl100k", "at least 261"),
        (100_000, "cl100k", "too small for vocab_size 100000"),
        (1 << 40, "cl100k", "too large"),
        (300, "gpt5", "expected gpt2, cl100k, o200k, llama3, qwen2 or smollm"),
    ],
)
def test_what_cannot_be_trained_is_a_value_error(
    vocab_size: int, pattern: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        gollm.Tokenizer.train([TALE], vocab_size, pattern)


def test_other_threads_run_while_a_tokenizer_is_trained() -> None:
    def train(size: int) -> object:
        # Words that are all different: little to read, much to merge.
        words = " ".join(f"{i * 2654435761 % 2**32:x}" for i in range(200 * size))
        return gollm.Tokenizer.train([words], 261 + size)

    assert_others_run_during(train, size=64)


# Encoding


@given(st.text())
def test_decoding_gives_the_encoded_text_back(text: str) -> None:
    ids = TOKENIZER.encode(text)
    assert TOKENIZER.decode(ids) == text
    assert TOKENIZER.decode_bytes(ids) == text.encode()


def test_the_text_of_a_special_token_is_ordinary_text_unless_it_is_trusted() -> None:
    text = f"{TALE}<|eot_id|>"
    eot = TOKENIZER.special_id("<|eot_id|>")
    assert eot is not None
    assert TOKENIZER.is_special(eot)
    assert eot not in TOKENIZER.encode(text)
    assert TOKENIZER.encode(text, allow_special=True) == [*TOKENIZER.encode(TALE), eot]
    assert TOKENIZER.special_id("<|no_such_token|>") is None


@given(st.lists(st.text(), max_size=40), st.booleans(), st.integers(1, 5))
def test_a_batch_equals_single_calls(texts: list[str], special: bool, threads: int) -> None:
    texts = [*texts, "<|eot_id|> and more"]
    ids, offsets = TOKENIZER.encode_batch(texts, special, threads)
    assert [str(array.dtype) for array in (ids, offsets)] == ["uint32", "uint64"]
    assert len(offsets) == len(texts) + 1
    assert (offsets[0], offsets[-1]) == (0, len(ids))
    for i, text in enumerate(texts):
        assert ids[offsets[i] : offsets[i + 1]].tolist() == TOKENIZER.encode(text, special)


def test_a_batch_longer_than_any_block_keeps_its_order() -> None:
    texts = [f"text {i} " * (i % 7) for i in range(1000)]
    ids, offsets = TOKENIZER.encode_batch(texts)
    pieces = [ids[offsets[i] : offsets[i + 1]] for i in range(len(texts))]
    assert [TOKENIZER.decode(piece) for piece in pieces] == texts


def test_a_batch_may_be_empty_but_its_threads_may_not() -> None:
    ids, offsets = TOKENIZER.encode_batch([])
    assert (len(ids), offsets.tolist()) == (0, [0])
    with pytest.raises(ValueError, match="threads is 0"):
        TOKENIZER.encode_batch([TALE], threads=0)
    with pytest.raises(TypeError):
        TOKENIZER.encode_batch(TALE)


def test_other_threads_run_while_a_batch_is_encoded() -> None:
    assert_others_run_during(lambda size: TOKENIZER.encode_batch([TALE * size] * 40), size=16)


def test_a_lone_surrogate_is_no_text() -> None:
    with pytest.raises(UnicodeEncodeError):
        TOKENIZER.encode("\ud800")


# Decoding


def test_ids_may_come_in_any_container_of_integers() -> None:
    ids = TOKENIZER.encode(TALE)
    kinds: list[Any] = [tuple(ids), iter(ids), *(np.array(ids, t) for t in ("u4", "i8", "u2"))]
    kinds.append(np.array([ids, ids], np.uint32).T[:, 0])  # not contiguous
    for kind in kinds:
        assert TOKENIZER.decode(kind) == TALE


@pytest.mark.parametrize(
    ("ids", "error", "message"),
    [
        ([65, 300], ValueError, "token id 300 stands for nothing in this vocabulary of 300"),
        ([65, -1], ValueError, r"ids\[1\] is -1, expected a token id from 0 to 4294967295"),
        ([2**32], ValueError, r"ids\[0\] is 4294967296"),
        ([2**200], ValueError, r"ids\[0\] is 1606938"),
        ([65, "x"], TypeError, r"ids\[1\] is 'x', expected an integer"),
        ([6.5], TypeError, r"ids\[0\] is 6.5"),
        (65, TypeError, "not iterable"),
    ],
)
def test_what_is_no_id_is_refused_with_its_place(
    ids: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        TOKENIZER.decode(ids)


def test_every_id_has_bytes() -> None:
    assert [TOKENIZER.token_bytes(i) for i in range(256)] == [bytes([i]) for i in range(256)]
    assert TOKENIZER.token_bytes(299) == b"<|eot_id|>"
    with pytest.raises(ValueError, match="stands for nothing"):
        TOKENIZER.token_bytes(300)


@given(any_ids())
def test_a_stream_shows_what_decode_shows_and_never_takes_anything_back(ids: list[int]) -> None:
    stream = TOKENIZER.stream()
    shown = "".join(stream.push(i) for i in ids) + stream.finish()
    assert shown == TOKENIZER.decode(ids)


@given(st.text())
def test_a_stream_of_bytes_shows_each_character_with_its_last_byte(text: str) -> None:
    stream = TOKENIZER.stream()
    pieces = [stream.push(byte) for byte in text.encode()]
    assert [piece for piece in pieces if piece] == list(text)
    assert stream.finish() == ""


def test_a_stream_survives_an_unknown_id_and_can_be_used_again() -> None:
    stream = TOKENIZER.stream()
    assert stream.push(0xC3) == ""
    with pytest.raises(ValueError, match="stands for nothing"):
        stream.push(300)
    assert stream.push(0xA9) == "é"
    assert stream.push(0xF0) == ""
    assert stream.finish() == "\ufffd"
    assert stream.push(0x41) == "A"


# Storing


def test_saving_and_loading_give_the_same_tokenizer(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.tiktoken"
    TOKENIZER.save(path)
    assert (tmp_path / "tokenizer.tiktoken.json").is_file()
    assert gollm.Tokenizer.load(str(path)).to_json() == TOKENIZER.to_json()


def test_json_and_pickle_give_the_same_tokenizer() -> None:
    text = TOKENIZER.to_json()
    assert json.loads(text)["pattern"] == "cl100k"
    assert gollm.Tokenizer.from_json(text).to_json() == text
    assert pickle.loads(pickle.dumps(TOKENIZER)).to_json() == text  # noqa: S301


def test_a_published_vocabulary_can_be_given_as_bytes() -> None:
    ranks = [bytes([i]) for i in range(256)] + [b"aa", b"aaa"]
    tokenizer = gollm.Tokenizer.from_ranks(ranks, "gpt2", {"<end>": 300})
    assert tokenizer.encode("aaab") == [257, ord("b")]
    assert tokenizer.vocab_size == 301
    with pytest.raises(gollm.GollmError, match="vocabulary is not usable"):
        gollm.Tokenizer.from_ranks([b"a", b"b"])


def test_a_file_that_is_missing_or_damaged_says_so(tmp_path: Path) -> None:
    missing = tmp_path / "no such file"
    with pytest.raises(FileNotFoundError, match="cannot read") as caught:
        gollm.Tokenizer.load(missing)
    assert caught.value.errno == errno.ENOENT
    assert caught.value.filename == missing
    with pytest.raises(FileNotFoundError, match="cannot write"):
        TOKENIZER.save(missing / "tokenizer")

    path = tmp_path / "tokenizer"
    TOKENIZER.save(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(gollm.GollmError, match="fingerprint"):
        gollm.Tokenizer.load(path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"kind": "words"}'])
def test_json_that_is_no_tokenizer_is_refused(text: str) -> None:
    with pytest.raises(gollm.GollmError, match="tokenizer"):
        gollm.Tokenizer.from_json(text)


# The sampler


def logits_of_a_coin() -> np.ndarray[Any, np.dtype[np.float32]]:
    """Two ids with probabilities 3/4 and 1/4, and one that is out of the question."""
    return np.log(np.array([0.25, 0.75, 1e-30], np.float32))


def plain(**options: Any) -> gollm.Sampler:
    """A sampler with every step switched off but those that are named."""
    return gollm.Sampler(**{"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0, **options})


def test_temperature_zero_takes_the_largest_logit() -> None:
    greedy = gollm.Sampler(temperature=0.0)
    assert [greedy.sample(logits_of_a_coin()) for _ in range(5)] == [1] * 5


def test_the_distribution_is_the_softmax_most_probable_first() -> None:
    ids, probabilities = plain().distribution(logits_of_a_coin())
    assert [str(array.dtype) for array in (ids, probabilities)] == ["uint32", "float32"]
    assert ids.tolist() == [1, 0, 2]
    # The tolerance is that of exp and log in float32.
    np.testing.assert_allclose(probabilities, [0.75, 0.25, 0.0], atol=1e-6)
    assert plain(top_k=1).distribution(logits_of_a_coin())[0].tolist() == [1]


def test_draws_follow_the_distribution_and_the_seed() -> None:
    draws = [plain(seed=seed).sample(logits_of_a_coin()) for seed in range(4000)]
    # Five standard deviations of 4,000 draws with p = 3/4 are 137.
    assert abs(draws.count(1) - 3000) < 137
    sampler, same = plain(seed=7), plain(seed=7)
    first = [sampler.sample(logits_of_a_coin()) for _ in range(50)]
    assert first == [same.sample(logits_of_a_coin()) for _ in range(50)]
    assert len(set(first)) == 2


def test_earlier_ids_are_penalised() -> None:
    sampler = gollm.Sampler(temperature=0.0, presence_penalty=5.0)
    assert sampler.sample(logits_of_a_coin(), previous=[1]) == 0
    assert sampler.sample(logits_of_a_coin(), previous=np.array([0], np.uint32)) == 1


def test_logits_may_be_anything_that_is_an_array_of_numbers() -> None:
    greedy = gollm.Sampler(temperature=0.0)
    assert greedy.sample([0.0, 1.5, 1.0]) == 1
    assert greedy.sample(np.array([0.0, 1.5, 1.0], np.float64)) == 1
    assert greedy.sample(np.arange(12, dtype=np.float32)[::-3]) == 0


@pytest.mark.parametrize(
    ("logits", "previous", "message"),
    [
        ([], [], "empty"),
        ([0.0, float("nan")], [], "logit 1 of 2 is NaN"),
        ([0.0, float("inf")], [], "logit 1 of 2 is inf"),
        ([0.0, 1.0], [2], "earlier id 2"),
    ],
)
def test_what_cannot_be_sampled_is_a_value_error(
    logits: list[float], previous: list[int], message: str
) -> None:
    sampler = gollm.Sampler(presence_penalty=1.0)
    with pytest.raises(ValueError, match=message):
        sampler.sample(np.array(logits, np.float32), previous)


def test_options_are_checked_and_shown() -> None:
    assert repr(gollm.Sampler(seed=3)) == (
        "gollm.Sampler(temperature=0.8, top_k=40, top_p=0.95, min_p=0.05, repetition_penalty=1, "
        "repeat_last_n=64, presence_penalty=0, frequency_penalty=0, seed=3)"
    )
    with pytest.raises(ValueError, match=r"`top_p` is 1\.5"):
        gollm.Sampler(top_p=1.5)
