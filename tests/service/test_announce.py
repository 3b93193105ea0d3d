"""Tests of `mosntx.service.announce`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import LogLevel
from zope.interface.verify import verifyObject

from mosntx.contracts.net import IListenerEventHandler
from mosntx.contracts.stream import (
    CONNECTION_FAILED,
    DOWNSTREAM_GONE,
    GLOBAL_TIMEOUT,
    IStreamEventHandler,
)
from mosntx.service.announce import FAILURES_PER_SECOND, FailureLog, ListenerLog
from mosntx.testing.mesh import MemoryMesh
from mosntx.testing.net import FakeConnection
from mosntx.testing.requests import httpRequest
from mosntx.testing.upstream import FakeCluster, FakeExchange, FakeHost
from tests.service.build import REQUEST, TEXT, ServiceCase


def exchange(**more):
    """Return one that failed."""
    made = FakeExchange(httpRequest(b"/shop"))
    made.listener = SimpleNamespace(name="in")
    made.attempts = 2
    for name, value in more.items():
        setattr(made, name, value)
    return made


class ListenerLogTests(ServiceCase):
    """The life of listeners in the log."""

    listener: Any = SimpleNamespace(name="in", boundAddress="127.0.0.1:2045", active=3)

    def test_contract(self):
        """It is a listener event handler."""
        verifyObject(IListenerEventHandler, ListenerLog())

    def test_lines(self):
        """Each event but the accepted connection has its line."""
        log = ListenerLog()
        log.listenerOpened(self.listener)
        log.connectionAccepted(self.listener, FakeConnection())
        log.listenerDraining(self.listener)
        log.listenerClosed(self.listener)
        self.assertEqual(
            self.lines(LogLevel.info),
            [
                "listener in on 127.0.0.1:2045",
                "listener in accepts no more, 3 connections are left",
                "listener in is closed",
            ],
        )

    def test_refused(self):
        """A refused connection is a warning with its reason."""
        ListenerLog().connectionRefused(self.listener, "too many")
        self.assertEqual(self.lines(LogLevel.warn), ["listener in refuses a connection: too many"])


class FailureLogTests(ServiceCase):
    """Failed requests in the log."""

    def setUp(self):
        super().setUp()
        self.clock = Clock()
        self.log = FailureLog(self.clock.seconds)

    def failed(self, times=1, reason=GLOBAL_TIMEOUT):
        for _ in range(times):
            self.log.streamReset(exchange(), reason)

    def test_contract(self):
        """It is a stream event handler."""
        verifyObject(IStreamEventHandler, self.log)

    def test_line(self):
        """One line says what one wants to know."""
        cluster, host = FakeCluster("shop"), FakeHost("127.0.0.1:2047")
        self.log.streamReset(exchange(cluster=cluster, host=host), CONNECTION_FAILED)
        self.assertEqual(
            self.lines(LogLevel.warn),
            [
                "in: 'GET' '/shop' failed: connection failure; "
                "cluster shop, host 127.0.0.1:2047, attempt 2"
            ],
        )

    def test_nobody(self):
        """Without cluster and host there are dashes."""
        self.failed()
        self.assertIn("cluster -, host -, attempt 2", self.lines()[0])

    def test_clientGone(self):
        """A client that leaves is no failure."""
        self.failed(3, DOWNSTREAM_GONE)
        self.assertEqual(self.lines(), [])

    def test_longPath(self):
        """A path is cut after 200 octets and cannot break the line."""
        self.log.streamReset(
            exchange(request=httpRequest(b"/\n\xff" + b"x" * 9000)), GLOBAL_TIMEOUT
        )
        (line,) = self.lines()
        self.assertLess(len(line), 300)
        self.assertNotIn("\n", line)

    def test_rateLimit(self):
        """No more than so many lines in a second, then again."""
        self.failed(FAILURES_PER_SECOND)
        self.assertEqual(len(self.lines()), FAILURES_PER_SECOND)
        self.failed(10)
        self.assertEqual(len(self.lines()), FAILURES_PER_SECOND)
        self.clock.advance(1)
        self.failed()
        self.assertEqual(len(self.lines()), FAILURES_PER_SECOND + 2)

    def test_summary(self):
        """The first failure of a later second says how many were passed over, once."""
        self.failed(FAILURES_PER_SECOND + 7)
        self.clock.advance(5)
        self.failed(2)
        self.assertEqual(self.lines()[FAILURES_PER_SECOND], "7 more requests failed meanwhile")
        self.assertEqual(len(self.lines()), FAILURES_PER_SECOND + 3)

    def test_noSummary(self):
        """Nothing was passed over: no summary."""
        self.failed(FAILURES_PER_SECOND)
        self.clock.advance(1)
        self.failed()
        self.assertEqual(len(self.lines()), FAILURES_PER_SECOND + 1)

    def test_sidecar(self):
        """Every Sidecar has it: a dead upstream shows in the log."""
        mesh = MemoryMesh(TEXT)
        mesh.client("in").send(REQUEST)
        while mesh.dialled:
            mesh.refuse()
            mesh.advance(1)
        self.assertIn("connection failure; cluster c, host 127.0.0.1:2047", self.lines()[-1])
        mesh.hangUp()
