"""Draws curves as SVG, without any library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

#: Octets do not matter, so everything is in pixels.
WIDTH, HEIGHT = 800, 320
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 40, 44
#: Colours that people who see no red or green can tell apart (Okabe and Ito).
COLOURS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
#: Room for the name of a series: at least, and for one letter.
NAME_WIDTH, LETTER_WIDTH = 80, 6.5
#: Lines of the grid, at most.
GRID = 6


def stepFor(highest: float) -> float:
    """Return a round distance for lines of the grid: 1, 2 or 5 times a power of ten."""
    step = 1.0
    while highest / step > GRID:
        step *= 2.5 if str(step)[0] == "2" else 2.0
    return step


class Curves:
    """A drawing with curves that share both axes.

    :param title: above it.
    :param across: what is along the x axis.
    :param width: of one value, in units of the x axis; values stand in the middle.
    :param series: name to values.
    :param marks: place on the x axis, and what happened there.
    :param labels: of the values, one each: they stand below them instead of a scale.
    """

    def __init__(
        self,
        title: str,
        across: str,
        width: float,
        series: Mapping[str, Sequence[float]],
        marks: Sequence[tuple[float, str]] = (),
        labels: Sequence[str] = (),
    ) -> None:
        self._title = title
        self._across = across
        self._width = width
        self._series = series
        self._marks = marks
        self._labels = labels
        self._end = width * max(len(values) for values in series.values())
        highest = max(max(values) for values in series.values())
        # Room for the words of the marks above the curves.
        self._top = max(highest, 1.0) * 1.25

    def _x(self, value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * value / self._end

    def _y(self, value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self._top

    def svg(self) -> str:
        """Return the document."""
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="12">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
            _text(LEFT, 18, self._title, size=14),
            *self._axes(),
            *self._lines(),
            *self._words(),
            "</svg>",
        ]
        return "\n".join(parts) + "\n"

    def _axes(self) -> list[str]:
        parts = []
        step = stepFor(self._top)
        for number in range(int(self._top / step) + 1):
            y = self._y(number * step)
            parts.append(_line(LEFT, y, WIDTH - RIGHT, y, "#dddddd"))
            parts.append(_text(LEFT - 6, y + 4, f"{number * step:g}", anchor="end"))
        for place, word in self._ticks():
            x = self._x(place)
            parts.append(_text(x, HEIGHT - BOTTOM + 16, word, anchor="middle"))
        middle = (LEFT + WIDTH - RIGHT) / 2
        parts.append(_text(middle, HEIGHT - 8, self._across, anchor="middle"))
        return parts

    def _ticks(self) -> list[tuple[float, str]]:
        """Return places on the x axis and what stands there."""
        if self._labels:
            return [
                ((number + 0.5) * self._width, label) for number, label in enumerate(self._labels)
            ]
        step = stepFor(self._end)
        return [
            (number * step, f"{number * step:g}") for number in range(int(self._end / step) + 1)
        ]

    def _nameEnds(self) -> dict[str, float]:
        """Return where the names of the series end; the last one at the right margin."""
        ends: dict[str, float] = {}
        right: float = WIDTH - RIGHT
        for name in reversed(list(self._series)):
            ends[name] = right
            right -= max(NAME_WIDTH, LETTER_WIDTH * len(name) + 16)
        return ends

    def _lines(self) -> list[str]:
        parts = []
        ends = self._nameEnds()
        for number, (name, values) in enumerate(self._series.items()):
            colour = COLOURS[number % len(COLOURS)]
            dots = [
                (self._x((index + 0.5) * self._width), self._y(value))
                for index, value in enumerate(values)
            ]
            places = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
            parts.append(
                f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2"/>'
            )
            if self._labels:
                parts += [_dot(x, y, colour) for x, y in dots]
            parts.append(_text(ends[name], 18, name, anchor="end", colour=colour))
        return parts

    def _words(self) -> list[str]:
        parts = []
        for number, (place, what) in enumerate(self._marks):
            x, y = self._x(place), TOP + 12 + 14 * (number % 2)
            parts.append(_line(x, TOP, x, HEIGHT - BOTTOM, "#888888"))
            parts.append(_text(x + 4, y, what))
        return parts


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}"/>'


def _dot(x: float, y: float, colour: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", size: int = 12, colour: str = "black"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
        f'fill="{colour}">{escape(text)}</text>'
    )
