"""Remakes the files in `test_data/` that Python makes, and keeps the manifest of them all.

    python goldens.py                # remake goldens/ and the held-out text, and describe them
    python goldens.py --check        # compare every file with the manifest
    python goldens.py --record FILE --script CMD [--arguments …] [--seed N] [--note …]
                                     # describe a file that something else made

What is in the files: `golden_models.py`, `golden_book.py` and `golden_text.py`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import golden_text
from checkpoint import write_atomically
from golden_book import SEED, book_examples
from golden_models import CONFIGS, make_golden, pack
from gollm_module import GollmMissing, gollm
from manifest import Entry, ManifestError, check_manifest, read_manifest, sha256, write_manifest
from provenance import versions

TEST_DATA = Path(__file__).resolve().parent.parent / "test_data"
SCRIPT = "python/goldens.py"


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit code: 0, 1 the check failed, 2 usage."""
    parser = argparse.ArgumentParser(prog="goldens.py", description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare test_data with the manifest")
    parser.add_argument("--record", metavar="FILE", help="describe one file of test_data")
    parser.add_argument("--script", default="", help="with --record: the command that makes it")
    parser.add_argument("--arguments", default="", help="with --record: the command's arguments")
    parser.add_argument("--seed", type=int, default=0, help="with --record: the seed it used")
    parser.add_argument("--note", default="", help="with --record: what it is")
    parsed = parser.parse_args(arguments)
    try:
        if parsed.check:
            print(f"{check_manifest(TEST_DATA)} files of test_data are as the manifest says")
        elif parsed.record is not None:
            record(parsed)
        else:
            remake(TEST_DATA)
    except (ManifestError, OSError) as error:
        print(f"goldens.py: {error}", file=sys.stderr)
        return 1
    except GollmMissing as error:
        print(f"goldens.py: {error}", file=sys.stderr)
        return 2
    return 0


def remake(folder: Path) -> None:
    """Writes `goldens/`, the held-out text and their entries; other files keep theirs."""
    made = {
        "goldens/book.json": (SEED, "operations by themselves", json_bytes(book_examples())),
        golden_text.NAME: (
            golden_text.SEED,
            f"{golden_text.N_STORIES} stories of the validation split, to measure models on",
            golden_text.held_out_stories(),
        ),
    }
    goldens = folder / "goldens"
    goldens.mkdir(parents=True, exist_ok=True)
    entries = {
        path: entry
        for path, entry in read_manifest(folder).items()
        if not path.startswith("goldens/")
    }
    for name in CONFIGS:
        golden = make_golden(name)
        description, data = pack(golden)
        made[f"goldens/{name}.json"] = (
            golden.seed,
            f"{name}: index, ids, loss",
            json_bytes(description),
        )
        made[f"goldens/{name}.bin"] = (golden.seed, f"{name}: outputs of every layer", data)
        path = goldens / f"{name}.gollm"
        gollm().write_model(
            str(path),
            json.dumps(golden.model.config.to_dict()),
            {n: p.detach().numpy() for n, p in golden.model.named_parameters()},
            "f32",
            provenance_json=json.dumps({"trainer": SCRIPT, "seed": golden.seed}),
        )
        entries[f"goldens/{name}.gollm"] = entry(
            folder, f"goldens/{name}.gollm", golden.seed, f"{name}: the model, float32"
        )
        print(f"{name}: seed {golden.seed}, smallest lead {golden.lead:.3f}")
    for relative, (seed, note, content) in made.items():
        write_atomically(folder / relative, content)
        entries[relative] = entry(folder, relative, seed, note)
    for path in goldens.iterdir():
        if f"goldens/{path.name}" not in entries:
            path.unlink()  # of a configuration that is no more
    write_manifest(folder, entries)


def entry(
    folder: Path, path: str, seed: int, note: str, script: str = SCRIPT, arguments: str = ""
) -> Entry:
    """The manifest's entry of a file that is there."""
    used = ", ".join(f"{name} {version}" for name, version in sorted(versions().items()))
    return Entry(path, script, arguments, seed, used, note, sha256(folder / path))


def record(parsed: argparse.Namespace) -> None:
    """Adds or renews the entry of one file; what is not given is kept from the old entry."""
    entries = read_manifest(TEST_DATA)
    path = Path(parsed.record)
    relative = (path if path.is_absolute() else TEST_DATA / path).resolve()
    if not relative.is_file() or not relative.is_relative_to(TEST_DATA):
        raise ManifestError(f"{parsed.record} is not a file in {TEST_DATA}")
    name = relative.relative_to(TEST_DATA).as_posix()
    old = entries.get(name)
    script = parsed.script or (old.script if old else "")
    if not script:
        raise ManifestError(f"say what makes {name}: --script 'the command'")
    entries[name] = entry(
        TEST_DATA,
        name,
        parsed.seed or (old.seed if old else 0),
        parsed.note or (old.note if old else ""),
        script,
        parsed.arguments or (old.arguments if old else ""),
    )
    write_manifest(TEST_DATA, entries)


def json_bytes(value: Any) -> bytes:
    """JSON with one key per line at the top, numbers on long lines: short diffs, small files."""
    lines = [f" {json.dumps(key)}: {json.dumps(part)}" for key, part in value.items()]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode("utf-8")


if __name__ == "__main__":
    sys.exit(main())
