"""The options of pytorch.py, refused with status 2 where they cannot be met."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import Any

from command_line import among, at_least_one, check_out, counts, length, lengths, thread_counts
from programs import REPOSITORY, n_processors

TYPES = ("f32", "bf16", "f16")


def parse(description: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--dtypes", type=among(TYPES), default=list(TYPES), help="such as bf16,f16")
    parser.add_argument("--batch", type=counts, default=[1, 8, 64], help="texts written at once")
    parser.add_argument(
        "--n-prompt", type=lengths, default=[512, 2048], help="0 leaves the test out"
    )
    parser.add_argument("--n-gen", type=length, default=128, help="0 leaves the test out")
    parser.add_argument("--repetitions", type=at_least_one, default=5, help="processes")
    parser.add_argument(
        "--rounds", type=at_least_one, help="passes that count in a process (cpu: 1, cuda: 20)"
    )
    parser.add_argument(
        "--threads", type=thread_counts, default=[n_processors()], help="such as 1,2; cpu only"
    )
    parser.add_argument("--config", type=Path, default=REPOSITORY / "configs" / "gollm-85m.yaml")
    parser.add_argument("--out", type=Path, help="also write the tables to this file")
    parser.add_argument("--gollm", type=Path, help="measure this program instead of building one")
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    parser.add_argument("--check", action="store_true", help="compare logits and stop")
    arguments = parser.parse_args()
    if not any(arguments.n_prompt) and arguments.n_gen == 0:
        parser.error("--n-prompt and --n-gen are both 0, so there is nothing to measure")
    check_out(parser, arguments.out)
    arguments.rounds = arguments.rounds or (1 if arguments.device == "cpu" else 20)
    check_torch(parser, arguments.device)
    return arguments


def check_torch(parser: argparse.ArgumentParser, device: str) -> None:
    try:
        torch: Any = importlib.import_module("torch")
    except ImportError as error:
        parser.error(
            f"this Python has no PyTorch ({error}): run `make python`, "
            "then .venv/bin/python benches/peers/pytorch.py"
        )
    if device == "cpu":
        return
    if not torch.cuda.is_available():
        parser.error(
            f"--device cuda: PyTorch {torch.__version__} finds no CUDA device; "
            "see nvidia-smi, or choose --device cpu"
        )
    if torch.cuda.device_count() > 1:
        parser.error(
            f"--device cuda: there are {torch.cuda.device_count()} GPUs, and the programs might "
            "take different ones: choose with CUDA_VISIBLE_DEVICES=0"
        )
