"""Where text comes from: the story generator, text files, or Hugging Face by name.

A source yields documents of two splits, "train" and "validation", that share none. The order
and the splitting depend on nothing but the source, so two runs see the same text.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Protocol

import stories
from text_pieces import TEXT_SUFFIXES, DataError, file_sha256, pieces_of_files, text_files_below

Split = Literal["train", "validation"]
SPLITS: tuple[Split, ...] = ("train", "validation")

# One document in this many is held out, where a source does not say so itself.
HELD_OUT_ONE_IN = 20


# Every so manyth story of the training split stands twice in a row.
TOLD_TWICE = 2


class Source(Protocol):
    """Text in a fixed order."""

    @property
    def is_endless(self) -> bool:
        """Whether `documents` never stops, so that a number of bytes has to be asked for."""

    def documents(self, split: Split) -> Iterator[str]:
        """Yields the documents of one split, always the same ones in the same order."""

    def identity(self) -> dict[str, Any]:
        """What decides the text, as JSON: equal identities give equal documents."""


@dataclass(frozen=True)
class StoryCorpus:
    """The stories of `stories/`: endless, and the same for ever for one seed.

    The validation split draws from another seed and from pairs of plot and hero that training
    never sees (`stories.is_held_out`).
    """

    seed: int = 1

    @property
    def is_endless(self) -> bool:
        """There is always one more story."""
        return True

    def documents(self, split: Split) -> Iterator[str]:
        """Yields stories without end; of the training split, every second one twice in a row.

        The second telling can be foreseen only by looking back at the first. That is how a small
        model learns to look back at all, and so to keep the names of a story (docs/log.md).
        """
        told = stories.stories(self.seed, split=_checked_split(split))
        for index, story in enumerate(told):
            yield story
            if split == "train" and index % TOLD_TWICE == 0:
                yield story

    def identity(self) -> dict[str, Any]:
        """The seed, and a digest of the generator's own files."""
        return {
            "kind": "stories",
            "seed": self.seed,
            "told_twice": TOLD_TWICE,
            "generator_sha256": _generator_digest(),
        }


@dataclass(frozen=True)
class TextFiles:
    """A UTF-8 text file, or every `.txt`, `.md`, `.text` and `.jsonl` file below a folder.

    Each line of a `.jsonl` file is one document, `{"text": "..."}`. Other files are read in
    pieces that end where a paragraph ends, so a file need not fit in memory; each piece is one
    document. Every 20th document is held out for validation.
    """

    path: Path
    files: tuple[Path, ...] = field(init=False)

    def __post_init__(self) -> None:
        path = self.path
        if not path.exists():
            raise DataError(
                f"{path}: no such file or folder; give a text file, a folder of text files, "
                f"`stories`, or hf:NAME for a Hugging Face dataset"
            )
        files = [path] if path.is_file() else text_files_below(path)
        if not any(file.stat().st_size for file in files):
            raise DataError(f"{path}: holds no text (looked for {', '.join(TEXT_SUFFIXES)})")
        object.__setattr__(self, "files", tuple(files))

    @property
    def is_endless(self) -> bool:
        """Files end."""
        return False

    def documents(self, split: Split) -> Iterator[str]:
        """Yields the documents of one split."""
        return _every_nth_held_out(pieces_of_files(self.files), _checked_split(split))

    def identity(self) -> dict[str, Any]:
        """The names, sizes and digests of the files."""
        base = self.path if self.path.is_dir() else self.path.parent
        return {
            "kind": "files",
            "files": [
                [f.relative_to(base).as_posix(), f.stat().st_size, file_sha256(f)]
                for f in self.files
            ],
        }


@dataclass(frozen=True)
class HuggingFaceTexts:
    """The training split of a Hugging Face dataset, streamed by name, column `text`.

    Every 20th document is held out for validation. Needs the package `datasets` and, unless the
    dataset is in the local cache, the network.
    """

    name: str
    config: str | None = None
    revision: str | None = None

    @property
    def is_endless(self) -> bool:
        """Datasets end."""
        return False

    def documents(self, split: Split) -> Iterator[str]:
        """Yields the documents of one split."""
        return _every_nth_held_out(self._all_documents(), _checked_split(split))

    def _all_documents(self) -> Iterator[str]:
        """Yields the texts of the dataset in its own order."""
        try:
            datasets = importlib.import_module("datasets")
        except ImportError:
            raise DataError(
                f"hf:{self.name} needs the package `datasets`: run `pip install datasets`. "
                f"Without a network, train on `stories` or on a folder of text files"
            ) from None
        try:
            rows = datasets.load_dataset(
                self.name, self.config, split="train", streaming=True, revision=self.revision
            )
            for row in rows:
                yield self._text(row)
        except DataError:
            raise
        except Exception as error:
            raise DataError(
                f"hf:{self.name}: could not be read ({type(error).__name__}: {error}). Check the "
                f"name and the network. To work offline, download the dataset's text once and "
                f"pass its folder to --data, or train on `stories`"
            ) from error

    def _text(self, row: dict[str, Any]) -> str:
        """The text of one row."""
        text = row.get("text")
        if not isinstance(text, str):
            raise DataError(
                f"hf:{self.name}: has no column `text` of strings, only {', '.join(sorted(row))}; "
                f'write the wanted column to a .jsonl file of {{"text": ...}} lines and use that'
            )
        return text

    def identity(self) -> dict[str, Any]:
        """The dataset's name, configuration and revision."""
        return {
            "kind": "hugging face",
            "name": self.name,
            "config": self.config,
            "revision": self.revision,
        }


def open_source(spec: str | Path, seed: int = 1) -> Source:
    """Opens what `--data` names: `stories`, `hf:NAME[:CONFIG][@REVISION]`, or a path."""
    text = str(spec)
    if text == "stories":
        return StoryCorpus(seed)
    if text.startswith("hf:"):
        name, _, revision = text[3:].partition("@")
        name, _, config = name.partition(":")
        if not name:
            raise DataError(f"{text!r} names no dataset; expected hf:NAME, such as hf:user/stories")
        return HuggingFaceTexts(name, config or None, revision or None)
    return TextFiles(Path(text))


def take_bytes(documents: Iterable[str], max_bytes: int | None) -> Iterator[str]:
    """Yields documents until they have at least `max_bytes` bytes of UTF-8; None yields all."""
    taken = 0
    for document in documents:
        yield document
        taken += len(document.encode("utf-8", "surrogatepass"))
        if max_bytes is not None and taken >= max_bytes:
            return


def _checked_split(split: Split) -> Split:
    """Returns `split` if it is one."""
    if split not in SPLITS:
        raise DataError(f"split is {split!r}, expected one of {', '.join(SPLITS)}")
    return split


def _every_nth_held_out(documents: Iterator[str], split: Split) -> Iterator[str]:
    """Keeps the documents of one split: each 20th is validation, the others are training."""
    for number, document in enumerate(documents):
        if (number % HELD_OUT_ONE_IN == HELD_OUT_ONE_IN - 1) == (split == "validation"):
            yield document


@lru_cache(maxsize=1)
def _generator_digest() -> str:
    """The SHA-256 of the generator's source files: another wording is another corpus."""
    digest = hashlib.sha256()
    folder = Path(stories.__file__).parent
    for file in sorted(folder.rglob("*.py"), key=lambda file: file.relative_to(folder).as_posix()):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(file.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()


def _text_files_below(folder: Path) -> list[Path]:
    """The text files in a folder and its subfolders, in the order of their names."""
    return sorted(
        (f for f in folder.rglob("*") if f.is_file() and f.suffix.lower() in TEXT_SUFFIXES),
        key=lambda file: file.relative_to(folder).as_posix(),
    )
