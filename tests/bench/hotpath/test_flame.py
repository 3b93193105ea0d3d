"""Tests of the flame graphs."""

from __future__ import annotations

import signal
from time import process_time
from xml.etree import ElementTree

from twisted.trial.unittest import SynchronousTestCase

from bench.hotpath.flame import Sampler, colour, folded, svg

STACKS = {("a.one", "a.two"): 3, ("a.one",): 1, ("b.<lambda>",): 4}
SVG = "{http://www.w3.org/2000/svg}"


def spin() -> None:
    """Take 20 ms of CPU."""
    end = process_time() + 0.02
    while process_time() < end:
        pass


def outer() -> None:
    """Not of interest."""
    spin()


class SamplerTests(SynchronousTestCase):
    """Stacks of running code."""

    def test_stacks(self) -> None:
        """They begin below the given function; the signal is as before afterwards."""
        before = signal.getsignal(signal.SIGPROF)
        sampler = Sampler("outer")
        sampler.run(outer, 0.1)
        self.assertEqual({stack[0] for stack in sampler.stacks}, {f"{__name__}.spin"})
        self.assertIs(signal.getsignal(signal.SIGPROF), before)

    def test_elsewhere(self) -> None:
        """What the function did not call is left out."""
        sampler = Sampler("outer")
        sampler.run(spin, 0.05)
        self.assertEqual(dict(sampler.stacks), {})


class DrawingTests(SynchronousTestCase):
    """Text and pictures."""

    def test_folded(self) -> None:
        """One line for each stack, in order."""
        self.assertEqual(folded(STACKS), "a.one 1\na.one;a.two 3\nb.<lambda> 4\n")

    def test_svg(self) -> None:
        """Each function has a box as wide as its time, inner ones above."""
        tree = ElementTree.fromstring(svg(STACKS, "all of it"))
        boxes = {}
        for group in tree.iter(f"{SVG}g"):
            title, rect = group.find(f"{SVG}title"), group.find(f"{SVG}rect")
            assert title is not None and rect is not None
            boxes[title.text] = (float(rect.attrib["width"]), float(rect.attrib["y"]))
        self.assertEqual(boxes["all of it: 100.0 %"][0], 1200.0)
        self.assertEqual(boxes["a.one: 50.0 %"][0], 600.0)
        self.assertEqual(boxes["a.two: 37.5 %"][0], 450.0)
        self.assertEqual(boxes["b.<lambda>: 50.0 %"][1], boxes["a.one: 50.0 %"][1])
        self.assertLess(boxes["a.two: 37.5 %"][1], boxes["a.one: 50.0 %"][1])

    def test_narrow(self) -> None:
        """What nobody could see is left out; an empty picture is one too."""
        self.assertNotIn("tiny", svg({("big",): 100_000, ("tiny",): 1}, "x"))
        self.assertIn("<svg", svg({}, "x"))

    def test_colour(self) -> None:
        """It is the module's."""
        self.assertEqual(colour("a.one"), colour("a.two"))
        self.assertNotEqual(colour("a.one"), colour("b.one"))
