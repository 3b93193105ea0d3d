"""Tests of the contract suite for routers: it has to notice what it promises to notice."""

from __future__ import annotations

import unittest
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mosntx.contracts.route import IRouter
from mosntx.testing.contracts.router import RouterSuite
from mosntx.testing.requests import httpRequest
from tests.router.build import acting, routing


def failing(change=None, route=None) -> set[str]:
    """The tests of the suite that a router fails.

    :param change: is given each route, to spoil it.
    :param route: is given each request head, before routing.
    """

    @implementer(IRouter)
    class Spoiled:
        name = "r"

        def __init__(self):
            self.good = routing(acting())

        def route(self, head, source=""):
            if route is not None:
                route(head)
            found: Any = self.good.route(head)
            if change is not None:
                change(found)
            return found

    class Tests(RouterSuite, SynchronousTestCase):
        def router(self):
            return Spoiled()

        def matching(self):
            return httpRequest()

    failed = set()
    for name in dir(Tests):
        if name.startswith("test_"):
            result = unittest.TestResult()
            Tests(name).run(result)
            if not result.wasSuccessful():
                failed.add(name)
    return failed


class SuiteTests(SynchronousTestCase):
    """Each mistake fails some tests."""

    def test_good(self):
        """A router that keeps the contract passes."""
        self.assertEqual(failing(), set())

    def test_values(self):
        """Times and criteria that make no sense are noticed."""
        for name, value in (
            ("timeout", -1.0),
            ("tryTimeout", 60.0),
            ("metadataMatch", ()),
        ):
            self.assertEqual(
                failing(lambda found, n=name, v=value: setattr(found, n, v))
                - {"test_anyHttpRequest", "test_anyRpcRequest"},
                {"test_values"},
            )

    def test_changedHead(self):
        """Changing the request is noticed."""
        found = failing(route=lambda head: head.headers.set(b"a", b"b"))
        self.assertEqual(found, {"test_headStays"})

    def test_raises(self):
        """Raising for what a client sends is noticed."""
        found = failing(route=lambda head: head.path.decode("ascii"))
        self.assertEqual(found, {"test_anyHttpRequest"})
