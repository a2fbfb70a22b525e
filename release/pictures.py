"""The card's picture: what was predicted beside what happened."""

from __future__ import annotations

from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from release.judging import Calibration

_BLUE, _GREY = "#1f5f99", "#8a8f98"


def draw_calibration(found: Calibration, path: Path) -> None:
    """Write the calibration curve to `path`, by matplotlib's objects: pyplot's figures are process-wide state."""
    picture = Figure(figsize=(5, 5), layout="constrained")
    FigureCanvasAgg(picture)
    axes = picture.subplots()
    top = 1.05 * max(found.predicted.max(), found.observed.max())
    axes.plot([0, top], [0, top], color=_GREY, linewidth=1, label="as predicted")
    axes.plot(found.predicted, found.observed, "o-", color=_BLUE, label="observed")
    axes.set(
        xlim=(0, top),
        ylim=(0, top),
        xlabel="mean predicted probability",
        ylabel="share that had the label",
        title=f"Calibration on the hold-out (error {found.error:.4f})",
    )
    axes.legend(frameon=False)
    picture.savefig(path, dpi=110)
