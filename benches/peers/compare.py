#!/usr/bin/env python3
"""Compares `gollm bench` with llama.cpp on this machine, and prints Markdown tables.

Both run the same sizes in the same storage type with the same number of threads, in turn, each time
in a process of its own. README.md says how to read the result. Run nothing else meanwhile.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shlex
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import report
from command_line import among, at_least_one, check_out, length, thread_counts, to_the_end
from processes import clean_environment, run
from programs import (
    HERE,
    REPOSITORY,
    gollm,
    gollm_version,
    llama_python,
    n_processors,
    processor,
    say,
)
from report import FLASH, GOLLM, PLAIN, Subject

CONFIG = REPOSITORY / "configs" / "gollm-85m.yaml"
TYPES = ("f32", "f16", "bf16", "q8_0", "q4_0")


@dataclass
class Comparison:
    """The two programs and what to ask them."""

    gollm: Path
    python: Path
    n_prompt: int
    n_gen: int
    repetitions: int
    flash: bool
    # What the programs say about themselves.
    kernels: str = ""
    llama: str = ""

    @property
    def programs(self) -> list[str]:
        return [GOLLM, PLAIN, FLASH] if self.flash else [GOLLM, PLAIN]

    def measure(self, dtype: str, n_threads: int, folder: Path) -> Subject:
        subject = Subject(dtype, n_threads)
        self.generate(subject, folder)
        for repetition in range(self.repetitions):
            # There and back again: a machine that grows slower favours neither.
            turns = self.programs if repetition % 2 == 0 else self.programs[::-1]
            for program in turns:
                if program == GOLLM:
                    rows = self.run_gollm(subject)
                else:
                    rows = self.run_llama(subject, folder, program)
                said = [f"{row['test']} {row['avg_ts']:.1f} t/s" for row in rows]
                count = f"{repetition + 1} of {self.repetitions}"
                say(f"{dtype}, threads {n_threads}, {count}, {program}: {', '.join(said)}")
                for row in rows:
                    subject.add_rate(row["test"], program, row["avg_ts"])
        return subject

    def run_gollm(self, subject: Subject) -> list[dict[str, Any]]:
        lengths = ["-p", self.n_prompt, "-n", self.n_gen]
        words = ["--random", CONFIG, "--type", subject.dtype, *lengths, "-r", "1", "-o", "json"]
        command = [self.gollm, "bench", *words, "-t", subject.n_threads]
        done = run(command, clean_environment())
        rows: list[dict[str, Any]] = json.loads(done.stdout)
        self.kernels = f"{rows[0]['device']} {rows[0]['kernels']}"
        subject.add_peak("gollm bench", done.peak_bytes)
        return rows

    def run_llama(self, subject: Subject, folder: Path, program: str) -> list[dict[str, Any]]:
        options = ["--threads", subject.n_threads]
        options += ["--n-prompt", self.n_prompt, "--n-gen", self.n_gen]
        options += ["--flash"] if program == FLASH else []
        command = [self.python, HERE / "time_llama_cpp.py", folder / "model.gguf", *options]
        done = run(command, clean_environment())
        answer = json.loads(done.stdout.splitlines()[-1])
        self.llama = f"{answer['version']} (ggml commit {answer['commit']}); {answer['system']}"
        subject.add_peak(program, done.peak_bytes - answer["bytes_before_loading"])
        rows: list[dict[str, Any]] = answer["rows"]
        return rows

    def generate(self, subject: Subject, folder: Path) -> None:
        """For the memory alone: `bench` also holds the array with which it measures bandwidth."""
        ids = " ".join(str(3 + token % 1000) for token in range(max(1, self.n_prompt)))
        words = ["--prompt-ids", ids, "-n", self.n_gen, "--ignore-eos", "--device", "cpu"]
        command = [self.gollm, "generate", "-m", folder / "model.gollm", *words]
        done = run([*command, "-t", subject.n_threads], clean_environment())
        subject.add_peak("gollm generate", done.peak_bytes)

    def write_models(self, dtype: str, folder: Path) -> None:
        """The same sizes for both, with random weights; those of the last type are overwritten."""
        say(f"{dtype}: writing random weights")
        run([self.python, HERE / "write_gguf.py", CONFIG, dtype, folder / "model.gguf"])
        words = ["--no-tokenizer", "--dtype", dtype, CONFIG, folder / "model.gollm"]
        (folder / "model.gollm").unlink(missing_ok=True)
        run([self.gollm, "random-model", *words], clean_environment())


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    default = [n for n in (1, 2) if n <= n_processors()]
    parser.add_argument("--types", type=among(TYPES), default=["f32", "f16", "q8_0", "q4_0"])
    parser.add_argument("--threads", type=thread_counts, default=default, help="such as 1,2")
    parser.add_argument("--repetitions", type=at_least_one, default=5)
    parser.add_argument("--n-prompt", type=length, default=512, help="0 leaves the test out")
    parser.add_argument("--n-gen", type=length, default=128, help="0 leaves the test out")
    parser.add_argument("--out", type=Path, help="also write the tables to this file")
    parser.add_argument("--gollm", type=Path, help="measure this program instead of building one")
    parser.add_argument("--venv", type=Path, default=HERE / ".venv", help="where llama.cpp goes")
    parser.add_argument("--no-flash", action="store_true", help="leave flash attention out")
    arguments = parser.parse_args()
    if arguments.n_prompt + arguments.n_gen == 0:
        parser.error("--n-prompt and --n-gen are both 0, so there is nothing to measure")
    check_out(parser, arguments.out)
    return arguments


def compare(arguments: argparse.Namespace) -> str:
    load = os.getloadavg()[0]
    if load > 0.5:
        say(f"warning: the machine is not idle (load {load:.1f}); ratios will be unsteady")
    python = llama_python(arguments.venv.absolute())
    program = gollm(arguments.gollm)
    version = gollm_version(program)
    lengths = (arguments.n_prompt, arguments.n_gen)
    flash = not arguments.no_flash
    comparison = Comparison(program.path, python, *lengths, arguments.repetitions, flash)
    subjects = []
    with tempfile.TemporaryDirectory(prefix="gollm-peers-") as name:
        for dtype in arguments.types:
            comparison.write_models(dtype, Path(name))
            for n_threads in arguments.threads:
                subjects.append(comparison.measure(dtype, n_threads, Path(name)))
    facts = [
        f"- command: `{shlex.join(['python3', 'benches/peers/compare.py', *sys.argv[1:]])}`",
        f"- date: {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}",
        f"- processor: {processor()}; load at the start {load:.1f}",
        f"- {version}; {comparison.kernels}",
        f"- llama.cpp {comparison.llama}",
        f"- model: {CONFIG.stem}, random weights; medians of {arguments.repetitions}, least and "
        "greatest in brackets; ratio: gollm to the quicker llama.cpp, above 1 gollm is quicker",
    ]
    speed = report.speed(subjects, comparison.programs)
    memory = f"Most resident memory:\n\n{report.memory(subjects)}"
    return "\n\n".join(["\n".join(facts), speed, memory]) + "\n"


def main() -> int:
    arguments = parse()
    return to_the_end(lambda: compare(arguments), arguments.out)


if __name__ == "__main__":
    sys.exit(main())
