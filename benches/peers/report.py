"""Tables of what was measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

MIB = 1 << 20
# The programs, in the order of the columns.
GOLLM, PLAIN, FLASH = "gollm", "llama.cpp", "llama.cpp, flash attention"


@dataclass
class Subject:
    """One type and thread count: the figures of every repetition, by program."""

    dtype: str
    # 0: not on the processor.
    n_threads: int
    # By test, then by program: tokens a second.
    rates: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    # By process: bytes.
    peaks: dict[str, list[int]] = field(default_factory=dict)

    def add_rate(self, test: str, program: str, rate: float) -> None:
        self.rates.setdefault(test, {}).setdefault(program, []).append(rate)

    def add_peak(self, process: str, n_bytes: int) -> None:
        self.peaks.setdefault(process, []).append(n_bytes)


def with_range(values: list[float]) -> str:
    """The median, with the least and the greatest where there are several."""
    middle = f"{median(values):.1f}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):.1f}–{max(values):.1f})"


def speed(subjects: list[Subject], programs: list[str]) -> str:
    peers = [program for program in programs if program != GOLLM]
    names = [f"{program} t/s" for program in programs]
    header = ["type", "threads", "test", *names, "ratio"]
    rows = []
    for subject in subjects:
        for test, rates in subject.rates.items():
            cells = [with_range(rates[program]) for program in programs]
            quickest = max(median(rates[peer]) for peer in peers)
            ratio = f"{median(rates[GOLLM]) / quickest:.2f}"
            rows.append([subject.dtype, threads(subject), test, *cells, ratio])
    return table(header, rows, 3)


def threads(subject: Subject) -> str:
    return str(subject.n_threads) if subject.n_threads else "–"


def memory(subjects: list[Subject]) -> str:
    processes = list(subjects[0].peaks)
    rows = [
        [
            subject.dtype,
            threads(subject),
            *(f"{median(subject.peaks[process]) / MIB:.0f}" for process in processes),
        ]
        for subject in subjects
    ]
    return table(["type", "threads", *(f"{process} MiB" for process in processes)], rows, 2)


def table(header: list[str], rows: list[list[str]], n_left: int) -> str:
    """A Markdown table whose columns line up; the first `n_left` are aligned to the left."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]

    def line(cells: list[str]) -> str:
        padded = (
            cell.ljust(width) if place < n_left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return f"| {' | '.join(padded)} |"

    rule = "|".join(
        f":{'-' * (width + 1)}" if place < n_left else f"{'-' * (width + 1)}:"
        for place, width in enumerate(widths)
    )
    return "\n".join([line(header), f"|{rule}|", *map(line, rows)])
