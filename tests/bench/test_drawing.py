"""Tests of `bench.drawing`."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bench.drawing import GRID, HEIGHT, NAME_WIDTH, WIDTH, Curves, stepFor

SVG = "{http://www.w3.org/2000/svg}"


class CurvesTests(SynchronousTestCase):
    """A drawing."""

    def test_drawing(self) -> None:
        """It is XML with a curve for each series inside the frame, and with all words."""
        series = {"a<b": [0.0, 5.0, 10.0], "c": [1.0, 1.0, 1.0]}
        root = ElementTree.fromstring(Curves("T & U", "seconds", 2.0, series, [(3.0, "now")]).svg())
        curves = [each.attrib["points"] for each in root.iter(f"{SVG}polyline")]
        self.assertEqual(len(curves), 2)
        places = [
            tuple(map(float, place.split(","))) for curve in curves for place in curve.split()
        ]
        self.assertEqual(len(places), 6)
        for x, y in places:
            self.assertTrue(0 < x < WIDTH and 0 < y < HEIGHT)
        # Larger values stand higher.
        self.assertLess(places[2][1], places[1][1])
        words = {each.text for each in root.iter(f"{SVG}text")}
        self.assertLessEqual({"T & U", "seconds", "a<b", "c", "now"}, words)

    def test_nothing(self) -> None:
        """Values of zero can be drawn."""
        ElementTree.fromstring(Curves("t", "x", 1.0, {"a": [0.0]}).svg())

    def test_labels(self) -> None:
        """Labels stand below their values, each value is a dot, and long names do not overlap."""
        series = {"a rather long name": [1.0, 2.0, 3.0], "b": [3.0, 2.0, 1.0]}
        drawing = Curves("t", "hosts", 1.0, series, labels=["1", "10", "100"])
        root = ElementTree.fromstring(drawing.svg())
        dots = {each.attrib["cx"] for each in root.iter(f"{SVG}circle")}
        words = {each.text: each.attrib["x"] for each in root.iter(f"{SVG}text")}
        self.assertEqual({words["1"], words["10"], words["100"]}, dots)
        room = float(words["b"]) - float(words["a rather long name"])
        self.assertGreaterEqual(room, NAME_WIDTH)

    @given(st.floats(0.1, 1e9))
    def test_grid(self, highest: float) -> None:
        """The grid has few lines, at round places."""
        step = stepFor(highest)
        self.assertLessEqual(highest / step, GRID)
        self.assertIn(f"{step:.0e}"[0], "125")
