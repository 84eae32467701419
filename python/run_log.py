"""What a run writes down while it trains: `log.jsonl` and `loss.png`.

One JSON object per line of the log; `kind` says which:

- `train`: step, loss (nats per token, of that step), learning_rate, gradient_norm,
  tokens (seen so far), tokens_per_second;
- `validation`: step, loss (nats per token on text that is not trained on);
- `sample`: step, text.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from checkpoint import write_atomically


class RunLog:
    """Appends to a run's `log.jsonl`. A process that is not the main one writes nothing."""

    def __init__(self, path: Path, enabled: bool) -> None:
        self.path = path
        self.enabled = enabled

    def cut_after(self, step: int) -> None:
        """Drops the lines after `step`, which a killed run wrote after its last checkpoint."""
        if not self.enabled or not self.path.exists():
            return
        kept = [entry for entry in read_log(self.path) if entry["step"] <= step]
        text = "".join(json.dumps(entry) + "\n" for entry in kept)
        write_atomically(self.path, text.encode("utf-8"))

    def write(self, kind: str, step: int, **values: Any) -> None:
        """Adds one line and hands it to the system at once, so that a kill loses no line."""
        if not self.enabled:
            return
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps({"kind": kind, "step": step, **values}) + "\n")


def read_log(path: Path) -> list[dict[str, Any]]:
    """The entries of a log; a last line cut off by a kill is left out."""
    entries = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entries.append(json.loads(line))
        except ValueError:
            continue
    return entries


def draw_loss_curve(log: Path, picture: Path) -> None:
    """Draws the training and validation loss of a log into a PNG."""
    import matplotlib

    matplotlib.use("Agg")  # draws to a file: no window, no display needed
    from matplotlib import pyplot

    entries = read_log(log)
    figure, axes = pyplot.subplots(figsize=(8, 4.5), dpi=120)
    for kind, style in (("train", "-"), ("validation", "o--")):
        points = [(entry["step"], entry["loss"]) for entry in entries if entry["kind"] == kind]
        if points:
            axes.plot(*zip(*points, strict=True), style, label=kind, markersize=4)
    axes.set_xlabel("optimizer step")
    axes.set_ylabel("loss (nats per token)")
    axes.grid(True, alpha=0.3)
    axes.legend()
    temporary = picture.with_name(picture.name + ".tmp")
    figure.savefig(temporary, format="png", bbox_inches="tight")
    pyplot.close(figure)
    temporary.replace(picture)
