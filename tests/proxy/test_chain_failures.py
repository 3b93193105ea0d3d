"""Tests of `mosntx.proxy.chain`: filters that raise."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.filters import (
    AFTER_CHOOSE_HOST,
    AFTER_ROUTE,
    BEFORE_ROUTE,
    CONTINUE,
    FILTER_FAILED,
    IExchange,
)
from mosntx.proxy.chain import FilterChain, FilterEntry
from mosntx.testing.requests import httpRequest
from tests.proxy.build import GET, OK, MeshTestCase, toCluster
from tests.proxy.fakes import ExchangeTestCase, head
from tests.proxy.scripts import Script, raises

CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


class FailureTests(MeshTestCase):
    """Filters that raise."""

    def assertFailed(self) -> None:
        """Check the accounts of one failure."""
        self.assertEqual(self.running.value("filter_failed_total", listener="front"), 1)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertEqual(self.last.flags & FILTER_FAILED, FILTER_FAILED)

    def test_request(self) -> None:
        """An exception on the way up is a 500 of this exchange; the connection goes on."""
        for phase in (BEFORE_ROUTE, AFTER_ROUTE, AFTER_CHOOSE_HOST):
            mesh = self.begin(filters=[Script("a", [], phase, requestHead=raises)])
            client = mesh.client("front")
            client.send(GET)
            octets = client.take()
            self.assertStatus(octets, 500)
            self.assertNotIn(b"mistake", octets)
            self.assertFalse(client.closed)
            self.assertFailed()
            self.tearDown()

    def test_requestBody(self) -> None:
        """In a body or its trailers too; the upstream's request is taken back."""
        for hook in ("requestData", "requestTrailers"):
            self.begin(filters=[Script("a", [], AFTER_ROUTE, **{hook: raises})])
            client, upstream = self.get(CHUNKED)
            client.send(b"1\r\nx\r\n0\r\nX: 1\r\n\r\n")
            self.assertStatus(client.take(), 500)
            self.assertTrue(upstream.closed)
            self.assertFailed()
            self.tearDown()

    def test_response(self) -> None:
        """An exception on the way down replaces the response."""
        self.begin(filters=[Script("a", [], responseHead=raises)])
        client, upstream = self.get()
        upstream.send(OK)
        self.assertStatus(client.take(), 500)
        self.assertFailed()

    def test_responseBody(self) -> None:
        """When it has begun, it breaks off: a client must not take it for complete."""
        for hook in ("responseData", "responseTrailers"):
            self.begin(filters=[Script("a", [], AFTER_ROUTE, **{hook: raises})])
            client, upstream = self.get()
            upstream.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            upstream.send(b"1\r\nx\r\n0\r\nX: 1\r\n\r\n")
            self.assertTrue(client.closed)
            self.assertFalse(client.take().endswith(b"0\r\nX: 1\r\n\r\n"))
            self.assertTrue(self.witness.ended)
            self.assertFailed()
            self.tearDown()

    def test_requestBodyDuringTheResponse(self) -> None:
        """A filter that fails on the upload ends a response that has begun."""
        self.begin(filters=[Script("a", [], requestData=raises)])
        client, upstream = self.get(CHUNKED)
        upstream.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.send(b"1\r\nx\r\n")
        self.assertTrue(client.closed)
        self.assertTrue(upstream.closed)
        self.assertFailed()

    def test_ownReply(self) -> None:
        """A filter that fails on a local reply replaces it, without a loop."""
        mesh = self.begin(toCluster(prefix="/x"), filters=[Script("a", [], responseHead=raises)])
        client = mesh.client("front")
        client.send(GET)
        self.assertStatus(client.take(), 500)
        self.assertFailed()


class FailOpenTests(SynchronousTestCase):
    """Filters that are passed over when they fail."""

    def test_failOpen(self) -> None:
        """The next filter goes on, the failure is counted."""
        case = ExchangeTestCase()
        exchange = case.begin()
        log: list[Any] = []
        bad = Script("bad", log, requestHead=raises, responseHead=raises, responseData=raises)
        case.listener.chain = FilterChain(
            [FilterEntry("bad", bad, failOpen=True), FilterEntry("good", Script("good", log))]
        )
        exchange.requestHead(httpRequest(), True)
        exchange.responseHead(head(), False)
        exchange.responseData(b"x", True)
        self.assertEqual(case.down.sent, [("head", 200, False), ("data", b"x", True)])
        self.assertEqual(case.listener.stats.filter_failed_total, 3)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 3)
        self.assertIn(("good", "requestHead"), log)

    def test_foreignFilter(self) -> None:
        """A filter that does not derive from ours has all hooks it has."""

        class Foreign:
            phase = BEFORE_ROUTE

            def requestHead(self, exchange: IExchange, head: Any, end: bool) -> int:
                return CONTINUE

        foreign: Any = Foreign()
        chain = FilterChain([FilterEntry("foreign", foreign)])
        self.assertEqual(len(chain.requestHead[BEFORE_ROUTE]), 1)
        self.assertEqual(chain.complete, ())
