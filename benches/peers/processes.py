"""Running one program at a time, with the memory it took, and never leaving one behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

# Settings in the environment that would change what a program measures.
SETTINGS = ("GOLLM_", "GGML_", "GOMP_", "KMP_", "LLAMA_", "OMP_")


class Failure(Exception):
    """Something that the user can mend; its message says how."""


@dataclass(frozen=True)
class Finished:
    """What a program printed and the most memory it had at once."""

    stdout: str
    stderr: str
    peak_bytes: int


def run(command: Sequence[object], environment: dict[str, str] | None = None) -> Finished:
    """Runs a program to its end. If it fails, the message holds the last lines of its output."""
    words = [str(word) for word in command]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        try:
            # A session of its own: whoever ends it ends its compilers as well.
            child = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            raise Failure(f"cannot start {words[0]}: {error.strerror}") from error
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            end(child)
            raise
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        errors.seek(0)
        stdout = out.read().decode(errors="replace")
        stderr = errors.read().decode(errors="replace")
    if child.returncode != 0:
        last = "\n".join(f"    {line}" for line in (stdout + stderr).splitlines()[-20:])
        command = " ".join(word if len(word) <= 120 else f"{word[:40]}…" for word in words)
        raise Failure(f"{command}\nended with {child.returncode}:\n{last}")
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return Finished(stdout, stderr, usage.ru_maxrss * unit)


def end(child: subprocess.Popen[bytes]) -> None:
    """Ends a program and all that it started."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=5)


def clean_environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """This process's environment without settings for either program."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    return kept | (extra or {})
