"""Tests of `mosntx.service.places`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.load import loadMapping, loadText
from mosntx.config.problems import ERROR, Problem
from mosntx.service.catalog import standardCatalog
from mosntx.service.places import placed
from tests.service.build import TEXT, config


def problem(path, line=0, file=""):
    """Return a problem at a configuration path."""
    return Problem(ERROR, file, line, 0, path, "is wrong", "mend it")


class PlacedTests(SynchronousTestCase):
    """From configuration paths to lines."""

    def setUp(self):
        self.loaded = loadText(TEXT, "mosn.yaml", standardCatalog().names())

    def test_exact(self):
        """The place of a value; the rest of the problem stays."""
        (found,) = placed(self.loaded, [problem("servers[0].listeners[0].address")])
        self.assertEqual(
            str(found),
            "mosn.yaml:5:18: error: servers[0].listeners[0].address: is wrong; mend it",
        )

    def test_nearest(self):
        """A path that is not written has the place of the nearest part that is."""
        (found,) = placed(self.loaded, [problem("servers[0].listeners[0].use_original_dst.x")])
        self.assertEqual((found.file, found.line), ("mosn.yaml", 4))

    def test_known(self):
        """A problem that has a place keeps it, and the order stays."""
        given = [problem("cluster_manager", 77, "other.yaml"), problem("servers")]
        found = placed(self.loaded, given)
        self.assertEqual([(p.file, p.line) for p in found], [("other.yaml", 77), ("mosn.yaml", 2)])

    def test_unknown(self):
        """A path of nothing is at the begin of the text."""
        (found,) = placed(self.loaded, [problem("nothing.like.it")])
        self.assertEqual((found.file, found.line), ("mosn.yaml", 1))

    def test_mapping(self):
        """A mapping has no lines, but a name; a file that is known is kept."""
        loaded = loadMapping(config(), standardCatalog().names())
        found = placed(loaded, [problem("servers[0].listeners[0].address")])
        self.assertEqual([(p.file, p.line) for p in found], [("<mapping>", 0)])
