"""Getting both programs ready, and saying which ones they are."""

from __future__ import annotations

import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from processes import Failure, clean_environment, run

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
REQUIREMENTS = HERE / "requirements.txt"
# For this processor, and without llama.cpp's own programs, which would double the build.
CMAKE_ARGUMENTS = ("-DGGML_NATIVE=ON", "-DLLAVA_BUILD=OFF")
CMAKE_INCLUDE = f"-DCMAKE_PROJECT_llama.cpp_INCLUDE={HERE / 'only_the_library.cmake'}"
# What decides how fast a kernel can be.
INSTRUCTIONS = (
    *("avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512vl", "avx512_vnni"),
    *("avx512_bf16", "avx512_fp16", "amx_int8", "amx_bf16", "asimd", "asimddp", "i8mm", "sve"),
)


@dataclass(frozen=True)
class Gollm:
    """The program to measure, and the commit it was built from."""

    path: Path
    source: str


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def llama_python(folder: Path) -> Path:
    """The Python of an environment that has llama.cpp; makes the environment if there is none."""
    python, stamp = folder / "bin" / "python", folder / "peers.installed"
    wanted = REQUIREMENTS.read_text(encoding="utf-8") + shlex.join(CMAKE_ARGUMENTS)
    if stamp.is_file() and python.exists():
        if stamp.read_text(encoding="utf-8") == wanted:
            return python
        shutil.rmtree(folder)
    if not any(map(shutil.which, (os.environ.get("CXX", "c++"), "g++", "clang++"))):
        raise Failure("a C++ compiler is missing; on Debian: apt install g++")
    is_new = not folder.exists()
    say(f"building llama.cpp from source in {folder}; this takes some minutes")
    try:
        install(folder, python)
        stamp.write_text(wanted, encoding="utf-8")
    except BaseException:
        if is_new:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    return python


def install(folder: Path, python: Path) -> None:
    if not python.exists():
        run([sys.executable, "-m", "venv", folder])
    # Sources and object files go into a folder of ours, so that none stay when pip is ended. No
    # cache, because a build with other settings, or for another processor, would be taken from it.
    arguments = shlex.join([*CMAKE_ARGUMENTS, CMAKE_INCLUDE])
    with tempfile.TemporaryDirectory(prefix="gollm-peers-build-") as scratch:
        words = ["--disable-pip-version-check", "--no-cache-dir", "--no-binary", "llama-cpp-python"]
        run(
            [python, "-m", "pip", "install", *words, "-r", REQUIREMENTS],
            os.environ | {"CMAKE_ARGS": arguments, "TMPDIR": scratch},
        )
    run([python, "-c", "import gguf, llama_cpp"])


def gollm(path: Path | None, *features: str) -> Gollm:
    """The program that was named, or this checkout's, built as it is released with `features`."""
    if path is not None:
        if not os.access(path, os.X_OK) or path.is_dir():
            raise Failure(f"{path} is not a program that can be run")
        return Gollm(path.resolve(), "a binary that was named, of unknown source and settings")
    if shutil.which("cargo") is None:
        raise Failure("Rust is missing; install it from https://rustup.rs, or name a --gollm")
    chosen = ["--features", ",".join(features)] if features else []
    say(shlex.join(["cargo", "build", "--release", "-p", "gollm-cli", *chosen]))
    manifest = REPOSITORY / "Cargo.toml"
    words = ["--release", "--locked", "-p", "gollm-cli", "--manifest-path", manifest, *chosen]
    answer = run(["cargo", "build", "--message-format", "json", *words]).stdout
    for line in answer.splitlines():
        message = json.loads(line) if line.startswith("{") else {}
        if message.get("executable") and message["target"]["name"] == "gollm":
            return Gollm(Path(message["executable"]), f"commit {commit()}, {rust_version()}")
    raise Failure("cargo built gollm but did not say where; name it with --gollm")


def commit() -> str:
    """This checkout's commit, with `-dirty` where files differ."""
    return ask(["git", "describe", "--always", "--dirty", "--exclude", "*"])


def rust_version() -> str:
    """In the checkout, because a toolchain may be pinned there."""
    return ask(["rustc", "--version"])


def ask(command: list[str]) -> str:
    try:
        answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=REPOSITORY)
    except (OSError, subprocess.SubprocessError):
        return f"{command[0]}: unknown"
    return answer.stdout.strip()


def gollm_version(program: Gollm) -> str:
    version = run([program.path, "--version"], clean_environment()).stdout.splitlines()
    return f"{version[0] if version else 'gollm'} ({program.source})"


def n_processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor() -> str:
    """The processor's name and those of its instructions that matter here."""
    name, flags = platform.processor() or platform.machine(), set[str]()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        key, _, value = (part.strip() for part in line.partition(":"))
        if key == "model name":
            name = value
        elif key in ("flags", "Features"):
            flags = set(value.split())
    known = " ".join(flag for flag in INSTRUCTIONS if flag in flags) or "instructions unknown"
    return f"{name}, {n_processors()} processors; {known}"
