#!/usr/bin/env python3
"""Compares `gollm bench` with PyTorch on this machine, and prints Markdown tables.

PyTorch runs python/model.py with a static cache, eager and through torch.compile. The programs take
turns, each time in a process of its own. README.md says how to read the result. Run this with a
Python that has PyTorch (`make python` makes one), and nothing else meanwhile.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import limits
import report
from command_line import to_the_end
from limits import BANDWIDTH, PEAK, Limits
from processes import clean_environment, run
from programs import HERE, REPOSITORY, ask, gollm, gollm_version, processor, say
from pytorch_options import parse
from report import GOLLM, Subject

EAGER, COMPILED = "PyTorch eager", "PyTorch compiled"
# Settings of gollm that may be chosen for a comparison; the tables name those that were.
KEPT = ("GOLLM_CUDA_LIB", "GOLLM_CUDA_CACHE", "GOLLM_CUDA_GRAPH", "GOLLM_CUBLAS")
Rows = list[dict[str, Any]]


@dataclass
class Comparison:
    """Both programs and what to ask them."""

    gollm: Path
    arguments: argparse.Namespace
    # What the programs say about themselves.
    device: str = ""
    pytorch: str = ""

    @property
    def programs(self) -> list[str]:
        return [GOLLM, EAGER] if self.arguments.no_compile else [GOLLM, EAGER, COMPILED]

    def measure(self, dtype: str, n_threads: int) -> tuple[Subject, Limits]:
        subject, bounds = Subject(dtype, n_threads), Limits()
        for repetition in range(self.arguments.repetitions):
            # There and back again: a machine that grows slower favours neither.
            turns = self.programs if repetition % 2 == 0 else self.programs[::-1]
            counted: Rows = []
            for program in turns:
                if program == GOLLM:
                    counted = rows = self.run_gollm(subject, bounds)
                else:
                    rows, n_cached = self.run_pytorch(subject, bounds, program)
                said = [f"{row['test']} {row['avg_ts']:.1f} t/s" for row in rows]
                count = f"{repetition + 1} of {self.arguments.repetitions}"
                say(f"{dtype}, {count}, {program}: {', '.join(said)}")
                for row in rows:
                    subject.add_rate(row["test"], program, row["avg_ts"])
            self.add_needs(bounds, counted, dtype, n_cached)
        return subject, bounds

    def run_gollm(self, subject: Subject, bounds: Limits) -> Rows:
        asked = self.arguments
        # `bench` takes one length of prompt, so each has a process; the last one also writes.
        last = len(asked.n_prompt) - 1
        rows: Rows = []
        for place, n_prompt in enumerate(asked.n_prompt):
            n_gen = asked.n_gen if place == last else 0
            if n_prompt + n_gen == 0:
                continue
            words: list[object] = ["--random", asked.config, "--type", subject.dtype]
            words += [
                "-p",
                n_prompt,
                "-n",
                n_gen,
                "-b",
                ",".join(map(str, asked.batch)),
                "-r",
                asked.rounds,
                "-o",
                "json",
            ]
            words += ["--device", asked.device]
            words += ["-t", subject.n_threads] if subject.n_threads else []
            done = run([self.gollm, "bench", *words], clean_environment(kept()))
            rows += json.loads(done.stdout)
            self.device = next(iter(done.stderr.splitlines()), "nothing")
        if asked.device == "cpu":
            # A copy would also write: gollm measures how fast this processor reads.
            bounds.reached[BANDWIDTH].append(1e9 * rows[0]["bandwidth_gb_s"])
            bounds.reached[PEAK].append(1e9 * rows[0]["peak_gflop_s"])
        return rows

    def run_pytorch(self, subject: Subject, bounds: Limits, program: str) -> tuple[Rows, int]:
        asked = self.arguments
        words: list[object] = ["--dtype", subject.dtype]
        words += ["--n-prompt", ",".join(map(str, asked.n_prompt))]
        words += ["--n-gen", asked.n_gen, "--batch", ",".join(map(str, asked.batch))]
        words += ["--rounds", asked.rounds]
        words += ["--threads", subject.n_threads] if subject.n_threads else []
        words += ["--compile"] if program == COMPILED else []
        measures_limits = program == EAGER and asked.device != "cpu"
        answer = self.ask_pytorch([*words, *(["--limits"] if measures_limits else [])])
        if measures_limits:
            bounds.reached[BANDWIDTH].append(answer["limits"]["bytes_per_second"])
            bounds.reached[PEAK].append(answer["limits"]["flops_per_second"])
        return answer["rows"], answer["n_cached"]

    def ask_pytorch(self, words: list[object]) -> dict[str, Any]:
        script, asked = HERE / "time_pytorch.py", self.arguments
        environment = clean_environment(
            {
                "PYTHONPATH": str(REPOSITORY / "python"),
                # A compiled step that cannot become a CUDA graph is an error, not a slow peer.
                "TORCHINDUCTOR_CUDAGRAPH_OR_ERROR": "1",
            }
        )
        command = [sys.executable, script, asked.config, "--device", asked.device, *words]
        answer: dict[str, Any] = json.loads(run(command, environment).stdout.splitlines()[-1])
        self.pytorch = answer["software"]
        return answer

    def check(self) -> str:
        words: list[object] = ["--check"] if self.arguments.no_compile else ["--check", "--compile"]
        differences = self.ask_pytorch(words)["differences"]
        said = ", ".join(f"{name} {value:.1e}" for name, value in differences.items())
        return f"largest difference of a logit from python/model.py, f32, tiny config: {said}"

    def add_needs(self, bounds: Limits, counted: Rows, dtype: str, n_cached: int) -> None:
        """What a token needs, as `gollm bench` counts it; it counts a cache of f32, which is put
        right here for those that keep 16 bits."""
        cpu = self.arguments.device == "cpu"
        for row in counted:
            if row["test"].startswith("pp"):
                flops = row["flops_per_step"] / int(row["test"].removeprefix("pp"))
                bounds.needs[row["test"]] = (PEAK, dict.fromkeys(self.programs, flops))
                continue
            half = row["n_batch"] * n_cached * 2 * ((self.arguments.n_gen + 1) // 2)
            needed = {}
            for program in self.programs:
                full_cache = cpu if program == GOLLM else dtype == "f32"
                n_bytes = row["bytes_per_step"] - (0 if full_cache else half)
                needed[program] = n_bytes / row["n_batch"]
            bounds.needs[row["test"]] = (BANDWIDTH, needed)


def kept() -> dict[str, str]:
    return {name: os.environ[name] for name in KEPT if name in os.environ}


def compare(arguments: argparse.Namespace) -> str:
    load = os.getloadavg()[0]
    if arguments.check:
        return Comparison(Path(), arguments).check() + "\n"
    if load > 0.5:
        say(f"warning: the machine is not idle (load {load:.1f}); ratios will be unsteady")
    on_gpu = arguments.device == "cuda"
    program = gollm(arguments.gollm, *(["cuda"] if on_gpu else []))
    version = gollm_version(program)
    comparison = Comparison(program.path, arguments)
    checked = comparison.check()
    say(checked)
    threads = [0] if on_gpu else arguments.threads
    subjects = [
        comparison.measure(dtype, n_threads) for dtype in arguments.dtypes for n_threads in threads
    ]
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    settings = " ".join(f"{name}={value}" for name, value in kept().items()) or "none"
    facts = [
        f"- command: `{shlex.join(['python3', 'benches/peers/pytorch.py', *sys.argv[1:]])}`",
        f"- date: {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}",
        f"- processor: {processor()}; load at the start {load:.1f}",
        *([f"- GPU, driver: {ask(query)}"] if on_gpu else []),
        f"- {version}; settings: {settings}; it says: {comparison.device}",
        f"- PyTorch {comparison.pytorch}",
        f"- {checked}",
        f"- model: {arguments.config.stem}, random weights; medians of {arguments.repetitions} "
        f"processes, each with the mean of {arguments.rounds} passes, least and greatest in "
        "brackets; ratio: gollm to the quicker PyTorch, above 1 gollm is quicker",
    ]
    speed = report.speed([subject for subject, _ in subjects], comparison.programs)
    bounds = limits.fractions(subjects, comparison.programs)
    measured = f"Fraction of what the device reached meanwhile:\n\n{limits.described(subjects)}"
    return "\n\n".join(["\n".join(facts), speed, measured, bounds]) + "\n"


def main() -> int:
    arguments = parse(__doc__)
    return to_the_end(lambda: compare(arguments), arguments.out)


if __name__ == "__main__":
    sys.exit(main())
