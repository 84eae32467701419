"""How much of a device's memory bandwidth and arithmetic a program used, by the config's counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from report import Subject, table, threads

BANDWIDTH, PEAK = "bandwidth", "matrix peak"


@dataclass
class Limits:
    """What bounds one subject, and what its tests need of it."""

    # What the device reached in each repetition: bytes and operations a second.
    reached: dict[str, list[float]] = field(default_factory=lambda: {BANDWIDTH: [], PEAK: []})
    # By test: which limit, and how much of it a token needs, by program.
    needs: dict[str, tuple[str, dict[str, float]]] = field(default_factory=dict)

    def fraction(self, test: str, program: str, rate: float) -> float:
        limit, needed = self.needs[test]
        return rate * needed[program] / median(self.reached[limit])


def described(subjects: list[tuple[Subject, Limits]]) -> str:
    """One line for each subject: what was measured beside it."""
    lines = []
    for subject, limits in subjects:
        bandwidth, peak = (median(limits.reached[name]) for name in (BANDWIDTH, PEAK))
        where = f", {subject.n_threads} threads" if subject.n_threads else ""
        lines.append(
            f"- {subject.dtype}{where}: memory {bandwidth / 1e9:.1f} GB/s, "
            f"arithmetic {peak / 1e12:.2f} TFLOP/s"
        )
    return "\n".join(lines)


def fractions(subjects: list[tuple[Subject, Limits]], programs: list[str]) -> str:
    rows = []
    for subject, limits in subjects:
        for test, rates in subject.rates.items():
            cells = [
                f"{100 * limits.fraction(test, program, median(rates[program])):.1f} %"
                for program in programs
            ]
            rows.append([subject.dtype, threads(subject), test, limits.needs[test][0], *cells])
    return table(["type", "threads", "test", "limit", *programs], rows, 4)
