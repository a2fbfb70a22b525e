"""A picture: the question it answers, how to read it, the data, and how they are drawn."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.text import Text

from report.style import GREY, INK, drawable, styled

_LINE_LENGTH = 104
_TITLE_HEIGHT, _LINE_HEIGHT = 0.28, 0.15
_POINTS = 72  # per inch
_IDS = re.compile(r'(?<= id=")|(?<="#)|(?<=url\(#)')
_VIEW = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
_CODE = re.compile(r"\\u([0-9a-f]{4})|\\U(0010[0-9a-f]{4}|000[0-9a-f]{5})")
_GROUP = re.compile(r'<g id="[^"]*">')


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture of a sweep.

    Attributes
    ----------
    name : str
        Of its files: ``NAME.png``, and ``NAME.csv`` with the data.
    question : str
        That it answers.
    caption : str
        What its marks mean.
    data : DataFrame
        All of it, also where the picture shows a part.
    draw : callable
        Returns a figure of the data, without a title.
    """

    name: str
    question: str
    caption: str
    data: pd.DataFrame
    draw: Callable[[], Figure]

    def save(self, folder: Path) -> str:
        """Write both files into `folder`, and return the drawing for a page, as SVG."""
        self.data.to_csv(folder / f"{self.name}.csv", index=False)
        with styled():
            figure = self.draw()
            words = self._said(figure)
            FigureCanvasAgg(figure).print_png(folder / f"{self.name}.png")  # savefig() would draw all of it twice
            figure.set_layout_engine("none")  # all has its place by now
            for each in words:
                each.set_visible(False)
            drawn = io.StringIO()
            FigureCanvasSVG(figure).print_svg(drawn, metadata={"Date": None})
        return embedded(drawn.getvalue(), self.name, self.question, self._margins())

    @property
    def _lines(self) -> list[str]:
        return textwrap.wrap(drawable(self.caption), _LINE_LENGTH)

    def _margins(self) -> tuple[float, float]:
        """Return how many inches question and caption take, above and below."""
        return _TITLE_HEIGHT, _LINE_HEIGHT * len(self._lines)

    def _said(self, figure: Figure) -> list[Text]:
        """Put question and caption around the drawing, and make room for them."""
        figure.set_figheight(figure.get_figheight() + sum(self._margins()))
        question = figure.suptitle(drawable(self.question), x=0.012, ha="left", fontsize=11, color=INK)
        caption = figure.supxlabel("\n".join(self._lines), x=0.012, ha="left", fontsize=7.5, color=GREY)
        return [question, caption]


def embedded(svg: str, name: str, title: str, margins: tuple[float, float] = (0.0, 0.0)) -> str:
    """Return the drawing as an element of a page, without its margins: as wide as there is room, its ids its own."""
    start = svg.index("<svg")
    body = _GROUP.sub("<g>", svg[start:])
    body = _IDS.sub(f"{name}-", body)
    body = _CODE.sub(_character, body)
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    head, rest = body.split(">", 1)
    head = re.sub(r' (width|height)="[^"]*"', "", head)
    head = _VIEW.sub(lambda found: _cropped(float(found[1]), float(found[2]), *margins), head)
    return f'{head} role="img" aria-label="{_attribute(title)}">{rest}'.strip()


def _character(code: re.Match[str]) -> str:
    """Return the character that no font here has: a page's reader may have one."""
    character = chr(int(code[1] or code[2], 16))
    return character if ord(character) > 127 and character.isprintable() else code[0]


def _cropped(width: float, height: float, above: float, below: float) -> str:
    top, bottom = _POINTS * above, _POINTS * below
    return f'viewBox="0 {top:g} {width:g} {height - top - bottom:g}"'


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
