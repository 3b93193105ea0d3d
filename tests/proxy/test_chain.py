"""Tests of `mosntx.proxy.chain`: filters of requests and responses, as exchanges run them."""

from __future__ import annotations

from typing import Any

from mosntx.contracts.filters import (
    AFTER_CHOOSE_HOST,
    AFTER_ROUTE,
    BEFORE_ROUTE,
    CONTINUE,
)
from mosntx.filters.base import StreamFilter
from mosntx.proxy.chain import FilterChain, FilterEntry
from tests.proxy.build import GET, OK, EndCounter, MeshTestCase, post, toCluster
from tests.proxy.scripts import Script, raises, replies, stops

CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def direct(case: MeshTestCase) -> None:
    """The route answers by itself."""
    case.running.client("front").send(b"GET /no HTTP/1.1\r\nHost: a\r\n\r\n")


def answered(case: MeshTestCase) -> None:
    """The upstream answers."""
    case.get()[1].send(OK)


def clientGone(case: MeshTestCase) -> None:
    """The client leaves."""
    case.get()[0].reset()


def upstreamGone(case: MeshTestCase) -> None:
    """The upstream leaves."""
    case.get()[1].reset()


def timedOut(case: MeshTestCase) -> None:
    """The upstream says nothing."""
    case.get()
    case.running.advance(5.0)


def brokenOff(case: MeshTestCase) -> None:
    """The upstream leaves in the middle of its answer."""
    upstream = case.get()[1]
    upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
    upstream.reset()


def aborted(case: MeshTestCase) -> None:
    """Somebody ends the exchange."""
    case.get()
    case.witness.exchanges[0].abort()


def notUnderstood(case: MeshTestCase) -> None:
    """The client breaks the protocol."""
    case.get(CHUNKED)[0].send(b"nonsense\r\n")


ENDINGS = (
    direct,
    answered,
    clientGone,
    upstreamGone,
    timedOut,
    brokenOff,
    aborted,
    notUnderstood,
)


class OrderTests(MeshTestCase):
    """Who is called when."""

    def test_phases(self) -> None:
        """Phases in their order, filters of a phase in the order of the configuration."""
        log: list[Any] = []
        seen = []

        def look(exchange: Any, head: Any) -> int:
            seen.append((exchange.route is not None, exchange.host is not None))
            return CONTINUE

        self.begin(
            filters=[
                Script("host", log, AFTER_CHOOSE_HOST, requestHead=look),
                Script("route", log, AFTER_ROUTE, requestHead=look),
                Script("first", log, BEFORE_ROUTE, requestHead=look),
                Script("second", log, BEFORE_ROUTE, requestHead=look),
            ]
        )
        client, upstream = self.get()
        self.assertEqual([name for name, _ in log], ["first", "second", "route", "host"])
        self.assertEqual(seen, [(False, False)] * 2 + [(True, False), (True, True)])
        upstream.send(OK)
        self.assertEqual(client.take(), OK)

    def test_everyHook(self) -> None:
        """Both directions go through the filters in the same order; complete comes last."""
        log: list[Any] = []
        self.begin(filters=[Script("a", log), Script("b", log)])
        client, upstream = self.get(CHUNKED + b"1\r\nx\r\n0\r\nX-T: 1\r\n\r\n")
        upstream.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        upstream.send(b"1\r\ny\r\n")
        upstream.send(b"0\r\nX-T: 1\r\n\r\n")
        self.assertTrue(client.take().endswith(b"1\r\ny\r\n0\r\nX-T: 1\r\n\r\n"))
        hooks = ["requestHead", "requestData", "requestTrailers"]
        hooks += ["responseHead", "responseData", "responseTrailers", "complete"]
        self.assertEqual(log, [(name, hook) for hook in hooks for name in "ab"])

    def test_notOverriddenIsNotCalled(self) -> None:
        """A filter that overrides one hook costs nothing elsewhere."""
        one = EndCounter()
        chain = FilterChain([FilterEntry("one", one), FilterEntry("none", StreamFilter())])
        self.assertFalse(chain.empty)
        self.assertEqual([entry.name for _, entry in chain.complete], ["one"])
        for hooks in (*chain.requestHead, chain.requestData, chain.requestTrailers):
            self.assertEqual(hooks, ())
        for hooks in (chain.responseHead, chain.responseData, chain.responseTrailers):
            self.assertEqual(hooks, ())

    def test_completeInEveryEnding(self) -> None:
        """However an exchange ends, each filter hears of it once."""
        for ending in ENDINGS:
            ends = EndCounter()
            no = {"match": {"prefix": "/no"}, "direct_response": {"status": 404}}
            self.begin(no, toCluster(timeout="3s"), filters=[ends])
            ending(self)
            self.tearDown()
            self.assertEqual(list(ends.ends.values()), [1], ending.__name__)

    def test_completeOfOthersWhenOneFails(self) -> None:
        """A filter that raises in complete does not keep it from the others."""
        log: list[Any] = []
        self.begin(filters=[Script("bad", log, complete=raises), Script("good", log)])
        self.get()[1].send(OK)
        self.assertEqual(log[-2:], [("bad", "complete"), ("good", "complete")])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)


class StopTests(MeshTestCase):
    """Filters that wait."""

    def test_resume(self) -> None:
        """The exchange goes on with the next filter; the one that stopped is not called again."""
        log: list[Any] = []
        mesh = self.begin(filters=[Script("a", log, requestHead=stops), Script("b", log)])
        client = mesh.client("front")
        client.send(GET)
        self.assertEqual((log, mesh.dialled), ([("a", "requestHead")], []))
        self.witness.exchanges[0].resume()
        self.assertEqual(log, [("a", "requestHead"), ("b", "requestHead")])
        mesh.upstream().send(OK)
        self.assertEqual(client.take(), OK)

    def test_resumeInEachPhase(self) -> None:
        """Every phase may be stopped in."""
        for phase in (BEFORE_ROUTE, AFTER_ROUTE, AFTER_CHOOSE_HOST):
            mesh = self.begin(filters=[Script("a", [], phase, requestHead=stops)])
            client = mesh.client("front")
            client.send(GET)
            self.witness.exchanges[0].resume()
            self.witness.exchanges[0].resume()  # nothing stopped: ignored
            mesh.upstream().send(OK)
            self.assertEqual(client.take(), OK)
            self.tearDown()

    def test_bodyComesMeanwhile(self) -> None:
        """The body is held, the client paused; all filters see it afterwards, once, in order."""
        parts: list[bytes] = []

        def note(exchange: Any, data: bytes) -> int:
            parts.append(data)
            return CONTINUE

        mesh = self.begin(filters=[Script("a", [], requestHead=stops, requestData=note)])
        client = mesh.client("front")
        client.send(post(b"abc", length=9))
        client.send(b"def")
        self.assertEqual((parts, client.reading), ([], False))
        self.witness.exchanges[0].resume()
        self.assertEqual(parts, [b"abc", b"def"])
        upstream = mesh.upstream()
        self.assertTrue(client.reading)
        client.send(b"ghi")
        self.assertEqual(parts, [b"abc", b"def", b"ghi"])
        self.assertTrue(upstream.take().endswith(b"\r\n\r\nabcdefghi"))
        upstream.send(OK)
        self.assertEqual(client.take(), OK)

    def test_trailersComeMeanwhile(self) -> None:
        """Trailers are held behind the body."""
        log: list[Any] = []
        mesh = self.begin(filters=[Script("a", log, requestHead=stops)])
        client = mesh.client("front")
        client.send(CHUNKED + b"1\r\nx\r\n0\r\nX-T: 1\r\n\r\n")
        self.witness.exchanges[0].resume()
        hooks = [hook for _, hook in log]
        self.assertEqual(hooks, ["requestHead", "requestData", "requestTrailers"])
        self.assertTrue(mesh.upstream().take().endswith(b"1\r\nx\r\n0\r\nX-T: 1\r\n\r\n"))

    def test_heldBodyIsRefused(self) -> None:
        """A filter may refuse what was held; nothing goes up."""
        mesh = self.begin(filters=[Script("a", [], requestHead=stops, requestData=replies(413))])
        client = mesh.client("front")
        client.send(post(b"abc"))
        self.witness.exchanges[0].resume()
        self.assertStatus(client.take(), 413)
        self.assertEqual(mesh.dialled, [])

    def test_forEver(self) -> None:
        """A filter that never resumes does not hold a request for ever."""
        mesh = self.begin(
            filters=[Script("a", [], requestHead=stops)],
            proxy={"stream_idle_timeout": "10s"},
        )
        client = mesh.client("front")
        client.send(GET)
        mesh.advance(25.0)
        self.assertStatus(client.take(), 408)

    def test_clientLeaves(self) -> None:
        """Resuming for a client that has gone does nothing."""
        log: list[Any] = []
        mesh = self.begin(filters=[Script("a", log, requestHead=stops), Script("b", log)])
        client = mesh.client("front")
        client.send(GET)
        client.reset()
        self.witness.exchanges[0].resume()
        self.assertNotIn(("b", "requestHead"), log)
        self.assertEqual(mesh.dialled, [])
        self.assertEnded((504, 0))
