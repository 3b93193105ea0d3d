"""Flame graphs: where the time of a request goes, as text of stacks and as an SVG.

Stacks are samples by the CPU clock, not traced calls: tracing would make many short functions look
more expensive than they are. A C function counts for the Python function that called it.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from html import escape
from time import process_time
from types import FrameType
from typing import Any
from zlib import crc32

#: Seconds of CPU between samples.
INTERVAL = 0.001
#: A frame that is narrower, in pixels, is left out.
NARROW = 0.5
WIDTH, ROW = 1200, 16

#: Names of functions from the outermost on.
Stack = tuple[str, ...]


class Sampler:
    """Collects stacks while it runs, from the function ``below`` on.

    :param below: qualified name of the function that is not of interest, nor what called it; what
        was not called from there is not either.
    """

    def __init__(self, below: str) -> None:
        self._below = below
        self.stacks: Counter[Stack] = Counter()

    def _sample(self, _number: int, frame: FrameType | None) -> None:
        names = []
        while frame is not None and frame.f_code.co_qualname != self._below:
            names.append(nameOf(frame))
            frame = frame.f_back
        if frame is not None and names:
            self.stacks[tuple(reversed(names))] += 1

    def run(self, work: Callable[[], object], seconds: float) -> None:
        """Do some work again and again and look at it meanwhile.

        :param seconds: of CPU.
        """
        before: Any = signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)
        try:
            end = process_time() + seconds
            while process_time() < end:
                work()
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)


def nameOf(frame: FrameType) -> str:
    """Return module and function, the module without the package where it is one of ours."""
    module = str(frame.f_globals.get("__name__", "?"))
    return f"{module.removeprefix('mosntx.')}.{frame.f_code.co_qualname}"


def folded(stacks: Mapping[Stack, int]) -> str:
    """Return one line for each stack with its samples, which other programs draw too."""
    lines = (f"{';'.join(stack)} {samples}\n" for stack, samples in sorted(stacks.items()))
    return "".join(lines)


class _Frame:
    """A box of the picture."""

    def __init__(self) -> None:
        self.samples = 0
        self.inner: dict[str, _Frame] = {}

    def add(self, stack: Iterable[str], samples: int) -> None:
        """Count a stack."""
        frame = self
        frame.samples += samples
        for name in stack:
            frame = frame.inner.setdefault(name, _Frame())
            frame.samples += samples

    def depth(self) -> int:
        """Rows of boxes."""
        return 1 + max((inner.depth() for inner in self.inner.values()), default=0)


def svg(stacks: Mapping[Stack, int], title: str) -> str:
    """Return the picture: width is time, what is above was called by what is below."""
    root = _Frame()
    for stack, samples in stacks.items():
        root.add(stack, samples)
    height = (root.depth() + 2) * ROW
    scale = WIDTH / max(root.samples, 1)
    boxes: list[str] = []
    _draw(boxes, root, title, 0.0, height - 2 * ROW, scale, root.samples)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="sans-serif" font-size="11">\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>\n{"".join(boxes)}</svg>\n'
    )


def _draw(
    boxes: list[str], frame: _Frame, name: str, left: float, top: int, scale: float, whole: int
) -> None:
    """Add the box of a frame and those above it."""
    width = frame.samples * scale
    if width < NARROW:
        return
    share = 100 * frame.samples / max(whole, 1)
    short = ".".join(name.rsplit(".", 2)[-2:]) if "." in name and " " not in name else name
    shown = short[: int(width / 6)] if width > 24 else ""
    boxes.append(
        f'<g><title>{escape(name)}: {share:.1f} %</title><rect x="{left:.1f}" y="{top}" '
        f'width="{width:.1f}" height="{ROW - 1}" fill="{colour(name)}"/>'
        f'<text x="{left + 2:.1f}" y="{top + 11}">{escape(shown)}</text></g>\n'
    )
    for inner, each in sorted(frame.inner.items()):
        _draw(boxes, each, inner, left, top - ROW, scale, whole)
        left += each.samples * scale


def colour(name: str) -> str:
    """Return the same colour for all functions of a module: pictures can be compared."""
    number = crc32(name.rpartition(".")[0].encode())
    return f"hsl({number % 360},{50 + number // 360 % 20}%,{72 + number // 7200 % 10}%)"
