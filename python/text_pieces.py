"""Text files as documents: lines of .jsonl, and other files in pieces that end with a paragraph.

A file need not fit in memory: it is read a megabyte at a time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

TEXT_SUFFIXES = (".txt", ".md", ".text", ".jsonl")
# A piece of a file is its text up to a paragraph's end after about this many bytes.
LARGEST_PIECE = 64 * 1024
SMALLEST_PIECE = 256
READ_BYTES = 1024 * 1024


class DataError(ValueError):
    """Data that cannot be used; the message says what was found and what to do."""


def pieces_of_files(files: Sequence[Path]) -> Iterator[str]:
    """Yields the documents of all files in their order.

    Raises `DataError` for a file that is not UTF-8 and for a line that is not a document.
    """
    total = sum(file.stat().st_size for file in files)
    piece_bytes = max(SMALLEST_PIECE, min(LARGEST_PIECE, total // 200))
    for file in files:
        try:
            yield from _lines(file) if file.suffix == ".jsonl" else _pieces(file, piece_bytes)
        except UnicodeDecodeError as error:
            raise DataError(f"{file}: is not UTF-8 text ({error}); convert it first") from error


def text_files_below(folder: Path) -> list[Path]:
    """The text files in a folder and its subfolders, in the order of their names."""
    return sorted(
        (f for f in folder.rglob("*") if f.is_file() and f.suffix.lower() in TEXT_SUFFIXES),
        key=lambda file: file.relative_to(folder).as_posix(),
    )


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, read a megabyte at a time."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _lines(file: Path) -> Iterator[str]:
    """Yields the `text` of each line of a .jsonl file."""
    with open(file, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                text = json.loads(line)["text"]
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(
                    f'{file}, line {number}: expected {{"text": "..."}}, found {line[:60]!r}'
                ) from error
            if not isinstance(text, str):
                raise DataError(f"{file}, line {number}: `text` is {type(text).__name__}, not text")
            if text:
                yield text


def _pieces(file: Path, piece_bytes: int) -> Iterator[str]:
    """Yields a text file in pieces of about `piece_bytes` characters, cut after a paragraph."""
    rest = ""
    with open(file, encoding="utf-8") as text:
        while block := text.read(max(piece_bytes, READ_BYTES)):
            rest += block
            start = 0
            # The last piece waits for more text, unless the file ends.
            while len(rest) - start > 2 * piece_bytes:
                end = _cut(rest, start + piece_bytes, start + 2 * piece_bytes)
                yield rest[start:end]
                start = end
            rest = rest[start:]
    if rest.strip():
        yield rest


def _cut(text: str, earliest: int, latest: int) -> int:
    """The best place to cut: after a blank line, else a line, else a word, else at `latest`."""
    for mark in ("\n\n", "\n", " "):
        found = text.find(mark, earliest, latest)
        if found >= 0:
            return found + len(mark)
    return latest
