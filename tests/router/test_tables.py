"""Tests of `mosntx.router.tables`."""

from __future__ import annotations

from functools import partial
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from mosntx.router.compiler import compileRouter
from mosntx.router.errors import RouterConfigError
from mosntx.router.tables import Routers, UnknownRouterError
from mosntx.testing.contracts.router import RouterSuite
from mosntx.testing.requests import httpRequest
from tests.router.build import cluster, config, host, to


def routers() -> Routers:
    return Routers(partial(compileRouter, random=Random(1)))


class ContractTests(RouterSuite, SynchronousTestCase):
    """What a listener holds is a router like the one behind it."""

    def router(self):
        """See `RouterSuite`."""
        tables = routers()
        tables.update(config(host("*")))
        return tables.get("r")

    def matching(self):
        """See `RouterSuite`."""
        return httpRequest()


class RoutersTests(SynchronousTestCase):
    """Routers by name."""

    def setUp(self):
        self.tables = routers()

    def ask(self, name: str = "r", authority: bytes = b"a.com", path: bytes = b"/") -> str | None:
        return cluster(self.tables.get(name), httpRequest(path, authority))

    def test_later(self):
        """A router that does not exist yet has no routes until it comes (scenario 49)."""
        slot = self.tables.get("r")
        self.assertIsNone(slot.route(httpRequest()))
        self.assertEqual(self.tables.names(), [])
        self.tables.update(config(host("*")))
        self.assertEqual(cluster(slot, httpRequest()), "*")
        self.assertEqual(self.tables.names(), ["r"])

    def test_replaced(self):
        """A new configuration acts on who already holds the router (scenario 48)."""
        slot = self.tables.get("r")
        self.tables.update(config(host("*", routes=(to("old"),))))
        self.tables.update(config(host("*", routes=(to("new"),))))
        self.assertEqual(cluster(slot, httpRequest()), "new")
        self.assertIs(self.tables.get("r"), slot)

    def test_invalidNew(self):
        """A new router with mistakes is there without routes (spec/router.md 15)."""
        self.assertRaises(RouterConfigError, self.tables.update, config())
        self.assertEqual(self.tables.names(), ["r"])
        self.assertIsNone(self.ask())
        self.tables.update(config(host("*")))
        self.assertEqual(self.ask(), "*")

    def test_invalidKnown(self):
        """A known router stays as it was when the new one has mistakes."""
        good = config(host("*"))
        self.tables.update(good)
        bad = config(host("*"), host("*"))
        self.assertRaises(RouterConfigError, self.tables.update, bad)
        self.assertEqual(self.ask(), "*")
        self.assertIs(self.tables.get("r").config, good)

    def test_remove(self):
        """A removed router has no routes; removing an unknown one is an error."""
        self.tables.update(config(host("*")))
        self.tables.remove("r")
        self.assertIsNone(self.ask())
        self.assertEqual(self.tables.names(), [])
        self.assertRaises(UnknownRouterError, self.tables.remove, "r")
        self.assertRaises(UnknownRouterError, self.tables.remove, "x")

    def test_addRoute(self):
        """Routes are added behind the others, for a domain or the default (scenario 47)."""
        self.tables.update(config(host("a.com", routes=(to("a", path="/a"),)), host("*")))
        self.tables.addRoute("r", "A.com", to("more", prefix="/"))
        self.tables.addRoute("r", "", to("never", prefix="/"))
        self.tables.addRoute("r", "other.com", to("never", prefix="/"))
        self.assertEqual(self.ask(path=b"/a"), "a")
        self.assertEqual(self.ask(path=b"/b"), "more")
        self.assertEqual(self.ask(authority=b"b.com"), "*")
        written = self.tables.get("r").config
        assert written is not None
        self.assertEqual(len(written.virtual_hosts[1].routers), 3)

    def test_addBadRoute(self):
        """A route with mistakes changes nothing."""
        self.tables.update(config(host("*")))
        self.assertRaises(RouterConfigError, self.tables.addRoute, "r", "", to("x", regex="("))
        self.assertEqual(self.ask(), "*")

    def test_removeRoutes(self):
        """Removing the routes of a domain leaves the others alone (scenario 47)."""
        self.tables.update(config(host("a.com"), host("*")))
        self.tables.removeAllRoutes("r", "a.com")
        self.assertIsNone(self.ask())
        self.assertEqual(self.ask(authority=b"b.com"), "*")
        self.tables.addRoute("r", "a.com", to("new"))
        self.assertEqual(self.ask(), "new")

    def test_unknown(self):
        """There must be a router, and a virtual host for the domain."""
        self.assertRaises(UnknownRouterError, self.tables.addRoute, "r", "", to("x"))
        self.tables.update(config(host("a.com")))
        for domain in ("", "b.com"):
            self.assertRaises(UnknownRouterError, self.tables.addRoute, "r", domain, to("x"))
            self.assertRaises(UnknownRouterError, self.tables.removeAllRoutes, "r", domain)
