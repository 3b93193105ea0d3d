"""Tests of `mosntx.service.plugins`."""

from __future__ import annotations

from types import SimpleNamespace

from mosntx.service.catalog import Catalog, standardCatalog
from mosntx.service.plugins import GROUP, installedCatalog
from tests.service.build import ServiceCase


class Entry:
    """What ``importlib.metadata`` gives for an entry point.

    :param load: gives the extension, or raises.
    """

    group = GROUP

    def __init__(self, name, load):
        self.name = name
        self.value = f"{name}_package:extend"
        self.load = load


def adding(name):
    """Return an extension with a stream filter."""
    row = SimpleNamespace(name=name, configClass=None)
    return lambda catalog: catalog.extended(streamFilters=[row])


def raising(error):
    """Return a function that raises."""

    def fail(*_args):
        raise error

    return fail


class InstalledTests(ServiceCase):
    """Extensions of other distributions."""

    def catalog(self, *entries):
        return installedCatalog(entries)

    def test_none(self):
        """Without extensions it is the standard catalog."""
        self.assertEqual(self.catalog().names(), standardCatalog().names())

    def test_environment(self):
        """The environment of the process is asked when nothing is given."""
        self.assertIsInstance(installedCatalog(), Catalog)

    def test_good(self):
        """What extensions add is there, from one after the other."""
        made = self.catalog(
            Entry("a", lambda: adding("first")), Entry("b", lambda: adding("second"))
        )
        self.assertLessEqual({"first", "second", "fault"}, set(made.streamFilters))

    def left(self, entry, error):
        """Assert that one is left out, with a line in the log, and the next one counts."""
        made = self.catalog(entry, Entry("good", lambda: adding("good")))
        self.assertEqual(len(self.flushLoggedErrors(error)), 1)
        self.assertEqual(self.lines(), ["extension bad (bad_package:extend) left out"])
        self.assertIn("good", made.streamFilters)

    def test_notImportable(self):
        """One that cannot be imported."""
        self.left(Entry("bad", raising(ImportError("no"))), ImportError)

    def test_raising(self):
        """One that raises."""
        self.left(Entry("bad", lambda: raising(RuntimeError("no"))), RuntimeError)

    def test_clash(self):
        """One whose name is taken."""
        self.left(Entry("bad", lambda: adding("fault")), ValueError)

    def test_nonsense(self):
        """Ones that return something else, or cannot be called."""
        for nonsense in (lambda catalog: None, lambda catalog: "x", lambda: None, 7):
            self.events.clear()
            self.left(Entry("bad", lambda nonsense=nonsense: nonsense), TypeError)
