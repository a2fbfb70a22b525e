r"""How every picture looks, said once: colours, type, sizes.

Colours are Okabe and Ito's ("Color Universal Design", 2008), which people with any colour vision tell apart, and a
second mark (a hollow dot, a cross, a frame) says whatever a colour says. A picture is as wide as half a desktop: in
MLflow's pane it is shown at its own size, and on a phone its words can still be read.

Names in Chinese need a font that has them, which few servers have. ``fonts/hanzi.otf`` is a subset of Noto Sans CJK SC
(SIL Open Font License, ``fonts/OFL.txt``) with the characters that our own data speak of, 36 kB of its 16 MB; an
installed font of a wide range is asked first. A character that no font has is written as its code, ``\u5c0f``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, INK, GREY, PALE = "#CC79A7", "#56B4E9", "#1b1f24", "#6b7280", "#e4e6ea"
SERIES = (BLUE, ORANGE, GREEN, PURPLE, SKY)
SCALE = "cividis"  # even in lightness, and made for the colour-blind
WIDTH = 6.4
DPI = 150
_LATIN = "DejaVu Sans"  # comes with matplotlib
_BUNDLED = "Gridfold Hanzi"
_WIDE = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "Droid Sans Fallback",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "SimHei",
    "Arial Unicode MS",
)
_RULES: dict[str, Any] = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "axes.unicode_minus": False,
    "grid.color": PALE,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "text.parse_math": False,  # a name with two dollar signs is a name
    "svg.fonttype": "none",  # a page's own fonts know more characters than ours
    "svg.hashsalt": "gridfold",
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the house's style for the length of the block; the user's own settings stay as they are."""
    with matplotlib.rc_context({**_RULES, "font.family": list(families())}):
        yield


def figure(height: float, width: float = WIDTH, **of_grid: Any) -> Figure:
    """Return an empty figure of so many inches.

    By matplotlib's objects, never by pyplot: it keeps figures in process-wide state, and looks for a display.
    """
    return Figure(figsize=(width, height), dpi=DPI, layout="constrained", **of_grid)


@cache
def families() -> tuple[str, ...]:
    """Return the fonts that are asked for a character, one after the other."""
    fontManager.addfont(Path(__file__).parent / "fonts" / "hanzi.otf")
    installed = {font.name for font in fontManager.ttflist}
    return (_LATIN, *[name for name in _WIDE if name in installed][:1], _BUNDLED)


@cache
def _known() -> frozenset[int]:
    """Return the codes of all characters that can be drawn."""
    fonts = [get_font(findfont(FontProperties(family=[name]))) for name in families()]
    return frozenset(code for font in fonts for code in font.get_charmap())


def drawable(text: str) -> str:
    """Return `text` with codes in place of the characters that no font has, and of those that break a line."""
    return "".join(
        each if ord(each) in _known() and each.isprintable() else each.encode("unicode_escape").decode()
        for each in text
    )


def shortened(text: object, length: int) -> str:
    """Return a name that can be drawn and is no longer than so many characters."""
    drawn = drawable(str(text))
    return drawn if len(drawn) <= length else f"{drawn[: length - 1]}…"


def grid_lines(axes: Axes, axis: str = "both") -> None:
    """Help the eye along one axis or both."""
    axes.grid(axis=axis)  # type: ignore[arg-type]
