"""Sources, shards and windows: framing, reuse, exact resume, and a message for each mistake."""

from __future__ import annotations

import json
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import data
import stories
from data import (
    DataError,
    HuggingFaceTexts,
    Shards,
    StoryCorpus,
    TextFiles,
    Windows,
    open_source,
    prepare,
    take_bytes,
)
from text_pieces import pieces_of_files
from token_windows import permuted

BEGIN, END = 256, 257


class ByteTokenizer:
    """A stand-in for `gollm.Tokenizer`: each byte is its own id."""

    def __init__(self, vocab_size: int = 258, special: bool = True) -> None:
        self.vocab_size = vocab_size
        self._special = {data.BEGIN_OF_TEXT: BEGIN, data.END_OF_TEXT: END} if special else {}
        self.n_calls = 0

    def encode_batch(self, texts: list[str]) -> tuple[NDArray[np.uint32], NDArray[np.uint64]]:
        self.n_calls += 1
        encoded = [text.encode() for text in texts]
        offsets = np.cumsum([0, *map(len, encoded)], dtype=np.uint64)
        return np.frombuffer(b"".join(encoded), dtype=np.uint8).astype(np.uint32), offsets

    def special_id(self, text: str) -> int | None:
        return self._special.get(text)

    def to_json(self) -> str:
        return json.dumps({"kind": "bytes", "vocab_size": self.vocab_size})


def write_documents(folder: Path, n: int = 60) -> TextFiles:
    """A .jsonl file of `n` short documents."""
    folder.mkdir(exist_ok=True)
    lines = [json.dumps({"text": f"Document {i} is här."}) + "\n" for i in range(n)]
    (folder / "documents.jsonl").write_text("".join(lines), encoding="utf-8")
    return TextFiles(folder)


def all_tokens(shards: Shards) -> list[int]:
    tokens: list[int] = shards.tokens(0, shards.n_tokens).tolist()
    return tokens


def framed(texts: list[str]) -> list[int]:
    """What the tokens of these documents should be."""
    return [id for text in texts for id in (BEGIN, *text.encode(), END)]


# Sources


def test_stories_are_a_source_with_two_splits() -> None:
    source = open_source("stories", seed=3)
    assert source == StoryCorpus(3)
    assert source.is_endless
    assert next(source.documents("train")) == stories.story(3, 0)
    assert next(source.documents("validation")) == stories.story(3, 0, "validation")
    identity = source.identity()
    assert identity["seed"] == 3
    assert len(identity["generator_sha256"]) == 64


def test_a_folder_is_read_in_the_order_of_names_with_every_20th_held_out(tmp_path: Path) -> None:
    write_documents(tmp_path, 60)
    (tmp_path / "ignored.png").write_bytes(b"\x89PNG")
    source = open_source(tmp_path)
    train, validation = list(source.documents("train")), list(source.documents("validation"))
    assert validation == [f"Document {i} is här." for i in (19, 39, 59)]
    assert len(train) == 57
    assert not set(train) & set(validation)


def test_a_long_file_is_cut_after_paragraphs_and_nothing_is_lost(tmp_path: Path) -> None:
    file = tmp_path / "book.txt"
    text = "".join(f"Paragraph {i} says something.\n\n" for i in range(9000))
    file.write_text(text, encoding="utf-8")
    pieces = list(pieces_of_files([file]))
    assert "".join(pieces) == text
    assert len(pieces) > 100
    assert all(piece.endswith(".\n\n") for piece in pieces)
    assert max(map(len, pieces)) < 10_000


def test_a_file_without_a_space_is_still_cut(tmp_path: Path) -> None:
    file = tmp_path / "one.txt"
    file.write_text("x" * 100_000, encoding="utf-8")
    pieces = list(pieces_of_files([file]))
    assert "".join(pieces) == "x" * 100_000
    assert len(pieces) > 50


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("bad.jsonl", b'{"text": "a"}\n{"no": 1}\n', "line 2"),
        ("bad.jsonl", b'{"text": 5}\n', "not text"),
        ("bad.txt", b"\xff\xfe\x00", "not UTF-8"),
        ("empty.txt", b"", "holds no text"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        list(TextFiles(tmp_path / name).documents("train"))


def test_a_path_that_is_not_there_says_what_could_be_given(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no such file.*stories.*hf:NAME"):
        open_source(tmp_path / "nothing")


def test_hugging_face_names_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_source("hf:a/b:plain@v1") == HuggingFaceTexts("a/b", "plain", "v1")
    assert open_source("hf:a/b") == HuggingFaceTexts("a/b")
    with pytest.raises(DataError, match="names no dataset"):
        open_source("hf:")


class FakeDatasets:
    """A stand-in for the package `datasets`."""

    rows: list[dict[str, object]]

    def load_dataset(self, name: str, config: str | None, **options: object) -> object:
        if not self.rows:
            raise ConnectionError("no network")
        return iter(self.rows)


def fake_datasets(monkeypatch: pytest.MonkeyPatch, rows: list[dict[str, object]]) -> None:
    fake = FakeDatasets()
    fake.rows = rows
    monkeypatch.setitem(sys.modules, "datasets", fake)


def test_hugging_face_rows_become_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_datasets(monkeypatch, [{"text": f"row {i}"} for i in range(40)])
    source = HuggingFaceTexts("a/b")
    assert list(source.documents("validation")) == ["row 19", "row 39"]
    assert len(list(source.documents("train"))) == 38


def test_hugging_face_troubles_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    source = HuggingFaceTexts("a/b")
    fake_datasets(monkeypatch, [])
    with pytest.raises(DataError, match=r"no network.*work offline"):
        next(source.documents("train"))
    fake_datasets(monkeypatch, [{"content": "x"}])
    with pytest.raises(DataError, match="no column `text`"):
        next(source.documents("train"))

    monkeypatch.setitem(sys.modules, "datasets", None)  # importing it now fails
    with pytest.raises(DataError, match="pip install datasets"):
        next(source.documents("train"))


def test_take_bytes_stops_after_the_document_that_reaches_the_limit() -> None:
    assert list(take_bytes(iter(["aa", "ää", "cc", "dd"]), 5)) == ["aa", "ää"]
    assert list(take_bytes(iter(["aa", "bb"]), None)) == ["aa", "bb"]


# Shards


@pytest.mark.parametrize("shard_tokens", [1, 7, 100, 1_000_000])
def test_documents_are_framed_in_order_over_any_number_of_shards(
    tmp_path: Path, shard_tokens: int
) -> None:
    source = write_documents(tmp_path / "texts", 20)
    made = prepare(
        source, ByteTokenizer(), tmp_path / "out", split="train", shard_tokens=shard_tokens
    )
    texts = list(source.documents("train"))
    assert all_tokens(made) == framed(texts)
    assert made.n_documents == len(texts) == 19
    assert made.n_bytes == sum(len(text.encode()) for text in texts)
    for start, count in ((0, 1), (5, 20), (made.n_tokens - 1, 1), (made.n_tokens, 0)):
        expected = framed(texts)[start : start + count]
        assert made.tokens(start, count).tolist() == expected


def test_many_batches_of_text_give_the_same_tokens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_documents(tmp_path / "texts", 40)
    monkeypatch.setattr("prepare_shards.BATCH_CHARACTERS", 50)
    tokenizer = ByteTokenizer()
    made = prepare(source, tokenizer, tmp_path / "out", split="train")
    assert tokenizer.n_calls > 5
    assert all_tokens(made) == framed(list(source.documents("train")))


def test_a_large_vocabulary_is_stored_in_four_bytes(tmp_path: Path) -> None:
    source = write_documents(tmp_path / "texts")
    small = prepare(source, ByteTokenizer(1 << 16), tmp_path / "small", split="train")
    large = prepare(source, ByteTokenizer((1 << 16) + 1), tmp_path / "large", split="train")
    assert [m.maps[0].dtype.itemsize for m in (small, large)] == [2, 4]
    assert all_tokens(small) == all_tokens(large)


def test_shards_are_reused_until_something_changes(tmp_path: Path) -> None:
    source, out = write_documents(tmp_path / "texts"), tmp_path / "out"

    def encodes(tokenizer: ByteTokenizer, **changes: int) -> bool:
        prepare(TextFiles(source.path), tokenizer, out, split="train", **changes)
        return tokenizer.n_calls > 0

    assert encodes(ByteTokenizer())
    assert not encodes(ByteTokenizer())
    assert encodes(ByteTokenizer(300))
    assert not encodes(ByteTokenizer(300))
    assert encodes(ByteTokenizer(300), max_bytes=100)
    write_documents(source.path, 61)
    assert encodes(ByteTokenizer(300), max_bytes=100)
    next(out.glob("*.bin")).write_bytes(b"short")
    assert encodes(ByteTokenizer(300), max_bytes=100)
    (out / "train.json").write_text("{}")
    assert encodes(ByteTokenizer(300), max_bytes=100)
    assert not encodes(ByteTokenizer(300), max_bytes=100)


def test_a_failed_preparation_leaves_no_index_and_no_passing_files(tmp_path: Path) -> None:
    source, out = write_documents(tmp_path / "texts"), tmp_path / "out"
    prepare(source, ByteTokenizer(), out, split="train")

    class Broken(ByteTokenizer):
        def encode_batch(self, texts: list[str]) -> tuple[NDArray[np.uint32], NDArray[np.uint64]]:
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        prepare(source, Broken(300), out, split="train")
    with pytest.raises(DataError, match="prepare the data first"):
        Shards.open(out, "train")
    assert not [file for file in out.iterdir() if file.name.startswith(".")]


def test_damage_is_found_by_size_always_and_by_checksum_when_asked(tmp_path: Path) -> None:
    out = tmp_path / "out"
    prepare(write_documents(tmp_path / "texts"), ByteTokenizer(), out, split="train")
    file = next(out.glob("*.bin"))
    content = bytearray(file.read_bytes())
    content[10] ^= 1
    file.write_bytes(content)
    Shards.open(out, "train")
    with pytest.raises(DataError, match="checksum"):
        Shards.open(out, "train", verify=True)
    file.write_bytes(content[:-1])
    with pytest.raises(DataError, match=r"bytes, the index says"):
        Shards.open(out, "train")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "has format 2"),
        ({"dtype": "<f8"}, "known type"),
        ({"shards": []}, "no shards"),
        ({"shards": [{"file": "../secret", "n_tokens": 1}]}, "outside its folder"),
        ({"shards": [{"file": "a.bin", "n_tokens": -1}]}, "-1 tokens"),
        ({"shards": 5}, "not an index"),
    ],
)
def test_a_wrong_index_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    prepare(write_documents(tmp_path / "texts"), ByteTokenizer(), tmp_path, split="train")
    index = json.loads((tmp_path / "train.json").read_text()) | change
    (tmp_path / "train.json").write_text(json.dumps(index))
    with pytest.raises(DataError, match=message):
        Shards.open(tmp_path, "train")


def test_limits_and_special_tokens_are_checked(tmp_path: Path) -> None:
    texts = write_documents(tmp_path / "texts")
    with pytest.raises(DataError, match="never ends"):
        prepare(StoryCorpus(), ByteTokenizer(), tmp_path, split="train")
    with pytest.raises(DataError, match="max_bytes is 0"):
        prepare(texts, ByteTokenizer(), tmp_path, split="train", max_bytes=0)
    with pytest.raises(DataError, match="shard_tokens is 0"):
        prepare(texts, ByteTokenizer(), tmp_path, split="train", shard_tokens=0)
    with pytest.raises(DataError, match="no special token"):
        prepare(texts, ByteTokenizer(special=False), tmp_path, split="train")
    few = write_documents(tmp_path / "few", 5)
    with pytest.raises(DataError, match="no text for the validation split"):
        prepare(few, ByteTokenizer(), tmp_path / "few-out", split="validation")
    with pytest.raises(DataError, match="expected one of train"):
        prepare(texts, ByteTokenizer(), tmp_path, split="test")  # type: ignore[arg-type]


def test_stories_become_tokens(tmp_path: Path) -> None:
    made = prepare(StoryCorpus(2), ByteTokenizer(), tmp_path, split="train", max_bytes=20_000)
    texts = list(islice(StoryCorpus(2).documents("train"), made.n_documents))
    assert all_tokens(made) == framed(texts)
    assert 20_000 <= made.n_bytes < 22_000


# Windows


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Shards:
    """About 1,400 tokens in shards of 100."""
    folder = tmp_path_factory.mktemp("shards")
    source = write_documents(folder / "texts")
    return prepare(source, ByteTokenizer(), folder / "out", split="train", shard_tokens=100)


@given(size=st.integers(1, 500), seed=st.integers(0, 2**64 - 1))
@settings(max_examples=50, deadline=None)
def test_the_shuffle_is_a_permutation(size: int, seed: int) -> None:
    assert sorted(permuted(i, size, seed) for i in range(size)) == list(range(size))


def test_the_shuffle_changes_with_the_seed_and_spreads_evenly() -> None:
    orders = {tuple(permuted(i, 20, seed) for i in range(20)) for seed in range(100)}
    assert len(orders) == 100
    # Where place 0 goes, over 2,000 seeds: each of 20 values about 100 times. With 19 degrees of
    # freedom chi-squared above 43.8 has probability 0.001, and the seeds are fixed.
    counts = np.bincount([permuted(0, 20, seed) for seed in range(2000)], minlength=20)
    assert ((counts - 100) ** 2 / 100).sum() < 43.8


def test_each_window_is_a_run_of_tokens_and_each_epoch_sees_all_of_them(shards: Shards) -> None:
    length = 40  # long enough to hold a document's number, so that no two runs are equal
    windows = Windows(shards, length, seed=9)
    tokens = all_tokens(shards)
    places = {tuple(tokens[i : i + length + 1]): i for i in range(len(tokens) - length)}
    for epoch in range(3):
        numbers = range(epoch * windows.n_windows, (epoch + 1) * windows.n_windows)
        starts = [places[tuple(windows.window(k).tolist())] for k in numbers]
        assert len(set(starts)) == windows.n_windows
        assert len({start % length for start in starts}) == 1
        assert starts != sorted(starts)
    assert windows.n_windows * length >= shards.n_tokens - 2 * length


def test_targets_are_the_inputs_one_token_later(shards: Shards) -> None:
    inputs, targets = Windows(shards, 16, seed=1).batch(3, 4)
    assert inputs.shape == targets.shape == (4, 16)
    assert inputs.dtype == np.int64
    assert (inputs[:, 1:] == targets[:, :-1]).all()


@given(step=st.integers(0, 10_000), world_size=st.sampled_from([1, 2, 3, 4, 6]))
@settings(max_examples=40, deadline=None)
def test_the_slices_of_all_processes_are_the_batch_of_one(
    shards: Shards, step: int, world_size: int
) -> None:
    windows = Windows(shards, 8, seed=4)
    whole = windows.sequences(step, 12)
    parts = [windows.sequences(step, 12, rank, world_size) for rank in range(world_size)]
    assert (np.concatenate(parts) == whole).all()


def test_a_batch_depends_on_seed_and_step_alone(shards: Shards) -> None:
    first, again = Windows(shards, 8, seed=4), Windows(shards, 8, seed=4)
    for step in range(5):
        first.sequences(step, 2)
    assert (first.sequences(77, 4) == again.sequences(77, 4)).all()
    assert (first.sequences(77, 4) != again.sequences(78, 4)).any()
    assert (first.sequences(77, 4) != Windows(shards, 8, seed=5).sequences(77, 4)).any()


def test_windows_that_cannot_be_are_refused(shards: Shards) -> None:
    windows = Windows(shards, shards.n_tokens - 1, seed=0)
    assert windows.window(0).tolist() == all_tokens(shards)
    with pytest.raises(DataError, match=r"one window needs"):
        Windows(shards, shards.n_tokens, seed=0)
    with pytest.raises(DataError, match="sequence_length is 0"):
        Windows(shards, 0, seed=0)
    with pytest.raises(DataError, match="multiple of the number of processes"):
        windows.sequences(0, 3, 0, 2)
    with pytest.raises(DataError, match="rank 2 of 2"):
        windows.sequences(0, 4, 2, 2)
    with pytest.raises(DataError, match="batches of 0"):
        windows.sequences(0, 0)


# The command line and the real tokenizer


def test_the_command_reports_a_mistake_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Fake:
        class Tokenizer:
            @staticmethod
            def load(path: str) -> ByteTokenizer:
                return ByteTokenizer()

    monkeypatch.setattr(data, "gollm", lambda: Fake)
    arguments = ["--out", str(tmp_path / "out"), "--tokenizer", "any"]
    assert data.main([str(tmp_path / "nothing"), *arguments]) == 1
    assert "no such file" in capsys.readouterr().err
    write_documents(tmp_path / "texts")
    assert data.main([str(tmp_path / "texts"), *arguments]) == 0
    assert "train: 57 documents" in capsys.readouterr().out


def test_the_rust_tokenizer_frames_and_gives_back_the_stories(tmp_path: Path) -> None:
    gollm = pytest.importorskip("gollm")
    texts = list(islice(stories.stories(1), 200))
    tokenizer = gollm.Tokenizer.train(texts, 500)
    made = prepare(StoryCorpus(1), tokenizer, tmp_path, split="train", max_bytes=20_000)
    tokens = all_tokens(made)
    begin, end = tokenizer.special_id(data.BEGIN_OF_TEXT), tokenizer.special_id(data.END_OF_TEXT)
    assert tokens.count(begin) == tokens.count(end) == made.n_documents
    assert tokens[0] == begin
    first = tokens[1 : tokens.index(end)]
    assert tokenizer.decode(first) == texts[0]


def test_every_second_training_story_is_told_twice() -> None:
    told = list(islice(StoryCorpus(1).documents("train"), 6))
    single = [stories.story(1, index) for index in range(4)]
    assert told == [single[0], single[0], single[1], single[2], single[2], single[3]]
    validation = list(islice(StoryCorpus(1).documents("validation"), 4))
    assert len(set(validation)) == 4
