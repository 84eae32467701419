"""Tokens on disk: a split of a source, tokenized once into memory-mapped files.

A folder holds, for each split, `train-00000.bin`, `train-00001.bin`, ... and `train.json`.
A `.bin` file is nothing but little-endian token ids (uint16 when the vocabulary has at most
65,536 ids, else uint32). The `.json` file is the index: type, counts, the source, the digest of
the tokenizer, and each shard's length and SHA-256. It is written last, so a folder with an index
is complete.

Shards are reused when the index says that they were made from the same text with the same
tokenizer, and are made again otherwise.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from text_pieces import DataError, file_sha256
from text_sources import Split

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Shards:
    """One split of tokens, mapped from disk: as long as the disk allows, whatever the memory."""

    directory: Path
    split: Split
    index: dict[str, Any]
    maps: tuple[NDArray[Any], ...]
    starts: NDArray[np.int64]  # of each shard in the whole, and the total at the end

    @classmethod
    def open(cls, directory: str | Path, split: Split, *, verify: bool = False) -> Shards:
        """Opens prepared shards.

        Sizes are always checked, contents only with `verify` (it reads everything). Raises
        `DataError` when the folder holds no whole set of shards.
        """
        directory = Path(directory)
        index = read_index(directory, split)
        dtype = np.dtype(index["dtype"])
        maps: list[NDArray[Any]] = []
        for shard in index["shards"]:
            path = directory / shard["file"]
            expected = shard["n_tokens"] * dtype.itemsize
            found = path.stat().st_size if path.exists() else None
            if found != expected:
                raise DataError(
                    f"{path}: has {found} bytes, the index says {expected}; "
                    f"delete {directory} and prepare it again"
                )
            if verify and file_sha256(path) != shard["sha256"]:
                raise DataError(f"{path}: differs from its checksum; delete {directory}")
            maps.append(np.memmap(path, dtype=dtype, mode="r"))
        lengths = [0, *(shard["n_tokens"] for shard in index["shards"])]
        return cls(directory, split, index, tuple(maps), np.cumsum(lengths, dtype=np.int64))

    @property
    def n_tokens(self) -> int:
        """How many tokens the split has, the begin and end tokens of its documents included."""
        return int(self.starts[-1])

    @property
    def n_documents(self) -> int:
        """How many documents the split has."""
        return int(self.index["n_documents"])

    @property
    def n_bytes(self) -> int:
        """How many bytes of UTF-8 the documents had; loss per byte needs it."""
        return int(self.index["n_bytes"])

    def tokens(self, start: int, count: int) -> NDArray[np.int64]:
        """Copies `count` tokens from position `start` on, over the seams of shards."""
        if start < 0 or count < 0 or start + count > self.n_tokens:
            raise DataError(
                f"tokens {start} to {start + count} were asked for, the {self.split} split of "
                f"{self.directory} has {self.n_tokens}"
            )
        out = np.empty(count, dtype=np.int64)
        filled = 0
        shard = int(np.searchsorted(self.starts, start, side="right")) - 1
        while filled < count:
            offset = start + filled - int(self.starts[shard])
            part = self.maps[shard][offset : offset + count - filled]
            out[filled : filled + len(part)] = part
            filled += len(part)
            shard += 1
        return out


def read_index(directory: Path, split: Split) -> dict[str, Any]:
    """Reads and checks `train.json` or `validation.json`."""
    path = directory / f"{split}.json"
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
        if index["format"] != FORMAT_VERSION:
            raise DataError(f"{path}: has format {index['format']}, expected {FORMAT_VERSION}")
        if index["dtype"] not in ("<u2", "<u4") or not index["shards"]:
            raise DataError(f"{path}: names no shards of a known type; delete {directory}")
        for shard in index["shards"]:
            if not isinstance(shard["n_tokens"], int) or shard["n_tokens"] < 1:
                raise DataError(f"{path}: has a shard of {shard['n_tokens']!r} tokens")
            if Path(shard["file"]).name != shard["file"]:
                raise DataError(f"{path}: names a file outside its folder, {shard['file']!r}")
    except FileNotFoundError:
        raise DataError(f"{path}: not there; prepare the data first") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: is not an index of shards ({error}); delete it") from error
    result: dict[str, Any] = index
    return result
