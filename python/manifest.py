"""`test_data/MANIFEST.toml`: for every file in `test_data/`, how it was made and what it holds.

    [[file]]
    path = "goldens/tied.bin"
    script = "python/goldens.py"
    arguments = ""
    seed = 1
    versions = "numpy 2.4.0, python 3.11.2, torch 2.10.0"
    note = "…"
    sha256 = "…"

Only this form is written and read: a key, an equals sign and a JSON value on each line, which is
a part of TOML. (Python reads TOML by itself only from 3.11 on, and writes it never.)
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from checkpoint import write_atomically

NAME = "MANIFEST.toml"
HEADER = (
    "# How each file here was made. Written by python/goldens.py; `python goldens.py --check`\n"
    "# compares the files with it. docs/format.md describes .gollm, python/goldens.py the rest.\n"
)


class ManifestError(ValueError):
    """The manifest and the folder disagree; the message says where and how to mend it."""


@dataclass(frozen=True)
class Entry:
    """One file of the folder."""

    path: str
    """Relative to the folder, with forward slashes."""
    script: str
    """What makes it, from the root of the repository."""
    arguments: str
    seed: int
    versions: str
    note: str
    sha256: str


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_manifest(folder: Path) -> dict[str, Entry]:
    """The entries by path; none where there is no manifest yet."""
    path = folder / NAME
    if not path.exists():
        return {}
    entries: dict[str, Entry] = {}
    values: dict[str, object] = {}
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate([*lines, "[[file]]"], start=1):
        if line == "[[file]]":
            if values:
                entry = _entry(path, number, values)
                entries[entry.path] = entry
            values = {}
        elif line.strip() and not line.startswith("#"):
            key, _, value = line.partition(" = ")
            try:
                values[key] = json.loads(value)
            except ValueError:
                raise ManifestError(
                    f"{path}, line {number}: {line!r} is not `key = value`"
                ) from None
    return entries


def _entry(path: Path, number: int, values: dict[str, object]) -> Entry:
    """One entry, with every key there and no other."""
    try:
        return Entry(**values)  # type: ignore[arg-type]
    except TypeError as error:
        raise ManifestError(f"{path}, before line {number}: {error}") from None


def write_manifest(folder: Path, entries: dict[str, Entry]) -> None:
    """Replaces the manifest, entries in the order of their paths."""
    parts = [HEADER]
    for path in sorted(entries):
        lines = [
            f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in asdict(entries[path]).items()
        ]
        parts.append("\n[[file]]\n" + "\n".join(lines) + "\n")
    write_atomically(folder / NAME, "".join(parts).encode("utf-8"))


def check_manifest(folder: Path) -> int:
    """Compares every file with its entry and returns how many there are.

    Raises `ManifestError` that lists what is missing, changed or not described.
    """
    entries = read_manifest(folder)
    present = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.name != NAME and not path.name.startswith(".")
    }
    problems = [
        f"{path} is missing: remake it with {e.script} {e.arguments}".rstrip()
        for path, e in sorted(entries.items())
        if path not in present
    ]
    problems += [
        f"{path} is not described: record it with python/goldens.py --record {path}"
        for path in sorted(present - entries.keys())
    ]
    problems += [
        f"{path} is not the file recorded: remake it with {e.script} {e.arguments}".rstrip()
        for path, e in sorted(entries.items())
        if path in present and sha256(folder / path) != e.sha256
    ]
    if problems:
        raise ManifestError(f"{folder}:\n  " + "\n  ".join(problems))
    return len(entries)
