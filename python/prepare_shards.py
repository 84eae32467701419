"""Making token shards (see `token_shards.py` for what they are) from a source and a tokenizer.

Every document is framed as `<|begin_of_text|> ... <|end_of_text|>`. Files are written under a
passing name, flushed and renamed, and the index comes last.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from text_pieces import DataError
from text_sources import Source, Split, take_bytes
from token_shards import FORMAT_VERSION, Shards

BEGIN_OF_TEXT = "<|begin_of_text|>"
END_OF_TEXT = "<|end_of_text|>"

# Text handed to the tokenizer at a time, in characters.
BATCH_CHARACTERS = 4 * 1024 * 1024
DEFAULT_SHARD_TOKENS = 64 * 1024 * 1024


class Tokenizer(Protocol):
    """The part of `gollm.Tokenizer` that is needed here."""

    @property
    def vocab_size(self) -> int: ...

    def encode_batch(self, texts: list[str]) -> tuple[NDArray[np.uint32], NDArray[np.uint64]]:
        """Ids of all texts in a row, and where each text begins (one more offset than texts)."""

    def special_id(self, text: str) -> int | None: ...

    def to_json(self) -> str: ...


def prepare(
    source: Source,
    tokenizer: Tokenizer,
    directory: str | Path,
    *,
    split: Split,
    max_bytes: int | None = None,
    shard_tokens: int = DEFAULT_SHARD_TOKENS,
) -> Shards:
    """Tokenizes one split of a source into `directory`, or reuses what is there.

    `max_bytes` ends the text after the document that reaches it; an endless source needs it.
    Files appear under their names only when they are whole. Raises `DataError` when there is
    no text, no limit, or a tokenizer without the two special tokens.
    """
    _check_limits(source, max_bytes, shard_tokens)
    directory = Path(directory)
    key = _key(source, tokenizer, split, max_bytes, shard_tokens)
    reused = _reuse(directory, split, key)
    if reused is not None:
        return reused
    directory.mkdir(parents=True, exist_ok=True)
    # Without its index a folder counts as empty, whatever happens from here on.
    (directory / f"{split}.json").unlink(missing_ok=True)
    framed = _FramedTokens(take_bytes(source.documents(split), max_bytes), tokenizer)
    shards = list(_write_shards(framed, directory, split, np.dtype(key["dtype"]), shard_tokens))
    if not shards:
        raise DataError(
            f"there is no text for the {split} split: give more data "
            f"(one document in twenty is held out for validation)"
        )
    counts = {"n_tokens": framed.n_tokens, "n_documents": framed.n_documents}
    index = key | counts | {"n_bytes": framed.n_bytes, "shards": shards}
    text = json.dumps(index, indent=1, ensure_ascii=False) + "\n"
    _write_atomically(directory / f"{split}.json", text.encode())
    return Shards.open(directory, split)


def _check_limits(source: Source, max_bytes: int | None, shard_tokens: int) -> None:
    """Raises `DataError` for a number that cannot be meant."""
    if source.is_endless and max_bytes is None:
        raise DataError("this source never ends: say how many bytes of text to prepare (max_bytes)")
    if max_bytes is not None and max_bytes < 1:
        raise DataError(f"max_bytes is {max_bytes}, expected 1 or more")
    if shard_tokens < 1:
        raise DataError(f"shard_tokens is {shard_tokens}, expected 1 or more")


def _key(
    source: Source, tokenizer: Tokenizer, split: Split, max_bytes: int | None, shard_tokens: int
) -> dict[str, Any]:
    """Everything that decides the bytes of the shards."""
    key = {
        "format": FORMAT_VERSION,
        "split": split,
        "dtype": "<u2" if tokenizer.vocab_size <= 1 << 16 else "<u4",
        "tokenizer_sha256": hashlib.sha256(tokenizer.to_json().encode()).hexdigest(),
        "vocab_size": tokenizer.vocab_size,
        "source": source.identity(),
        "max_bytes": max_bytes,
        "shard_tokens": shard_tokens,
    }
    # As it will be read back, so that tuples and lists compare equal.
    result: dict[str, Any] = json.loads(json.dumps(key))
    return result


def _reuse(directory: Path, split: Split, key: dict[str, Any]) -> Shards | None:
    """The shards that are there, if they are whole and were made from the same things."""
    try:
        shards = Shards.open(directory, split)
    except DataError:
        return None
    return shards if all(shards.index.get(name) == key[name] for name in key) else None


class _FramedTokens:
    """The tokens of documents in a row, each between the begin and the end token; counts them."""

    def __init__(self, documents: Iterable[str], tokenizer: Tokenizer) -> None:
        self._documents = documents
        self._tokenizer = tokenizer
        self._begin = _special(tokenizer, BEGIN_OF_TEXT)
        self._end = _special(tokenizer, END_OF_TEXT)
        self.n_tokens = self.n_documents = self.n_bytes = 0

    def __iter__(self) -> Iterator[NDArray[np.uint32]]:
        batch: list[str] = []
        characters = 0
        for document in self._documents:
            batch.append(document)
            characters += len(document)
            if characters >= BATCH_CHARACTERS:
                yield self._frame(batch)
                batch, characters = [], 0
        if batch:
            yield self._frame(batch)

    def _frame(self, texts: list[str]) -> NDArray[np.uint32]:
        """The ids of some documents, framed."""
        ids, offsets = self._tokenizer.encode_batch(texts)
        bounds = offsets.astype(np.int64)
        out = np.empty(len(ids) + 2 * len(texts), dtype=np.uint32)
        # Before document i stand i begin and i end tokens.
        shifts = 2 * np.arange(len(texts), dtype=np.int64)
        begins = bounds[:-1] + shifts
        ends = bounds[1:] + shifts + 1
        inside = np.ones(len(out), dtype=bool)
        inside[begins] = inside[ends] = False
        out[begins], out[ends], out[inside] = self._begin, self._end, ids
        self.n_tokens += len(out)
        self.n_documents += len(texts)
        self.n_bytes += sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
        return out


def _special(tokenizer: Tokenizer, text: str) -> int:
    """The id of a special token that must be there."""
    found = tokenizer.special_id(text)
    if found is None:
        raise DataError(
            f"the tokenizer has no special token {text}, which frames documents; train one with "
            f"gollm.Tokenizer.train, whose default special tokens include it"
        )
    return found


def _write_shards(
    framed: Iterable[NDArray[np.uint32]],
    directory: Path,
    split: Split,
    dtype: np.dtype[Any],
    shard_tokens: int,
) -> Iterator[dict[str, Any]]:
    """Writes the tokens into files of `shard_tokens` each (the last may be shorter)."""
    pieces = iter(framed)
    rest: NDArray[np.uint32] = np.empty(0, dtype=np.uint32)
    number = 0
    while True:
        parts = [rest]
        while sum(map(len, parts)) < shard_tokens:
            piece = next(pieces, None)
            if piece is None:
                break
            parts.append(piece)
        tokens = np.concatenate(parts)
        tokens, rest = tokens[:shard_tokens], tokens[shard_tokens:]
        if len(tokens) == 0:
            return
        content = tokens.astype(dtype).tobytes()
        name = f"{split}-{number:05}.bin"
        _write_atomically(directory / name, content)
        digest = hashlib.sha256(content).hexdigest()
        yield {"file": name, "n_tokens": len(tokens), "sha256": digest}
        number += 1


def _write_atomically(path: Path, content: bytes) -> None:
    """Writes a file under a passing name, flushes it to the disk and renames it."""
    descriptor, passing = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(passing, path)
    except BaseException:
        Path(passing).unlink(missing_ok=True)
        raise
