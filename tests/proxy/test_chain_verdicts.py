"""Tests of `mosntx.proxy.chain`: filters that answer, go back, or change what passes."""

from __future__ import annotations

from typing import Any

from mosntx.contracts.filters import (
    AFTER_CHOOSE_HOST,
    AFTER_ROUTE,
    BEFORE_ROUTE,
    CONTINUE,
    DOWNSTREAM_TERMINATE,
    NO_ROUTE_FOUND,
    RECHOOSE_HOST,
    REMATCH_ROUTE,
    REPLIED,
)
from mosntx.proxy.exchange import MAX_REMATCH
from tests.proxy.build import GET, OK, MeshTestCase, post, response, toCluster
from tests.proxy.scripts import Script, replies

CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


class VerdictTests(MeshTestCase):
    """Replies, aborts, and going back."""

    def test_replied(self) -> None:
        """No later request filter and no upstream sees the request; response filters do."""
        for phase in (BEFORE_ROUTE, AFTER_ROUTE, AFTER_CHOOSE_HOST):
            log: list[Any] = []
            mesh = self.begin(
                filters=[
                    Script("a", log, phase, requestHead=replies()),
                    Script("b", log, AFTER_CHOOSE_HOST),
                ]
            )
            client = mesh.client("front")
            client.send(GET)
            octets = client.take()
            self.assertStatus(octets, 403)
            self.assertIn(b"from a filter", octets)
            self.assertEqual(mesh.dialled, [])
            self.assertEqual(
                [entry for entry in log if entry[0] == "b"],
                [("b", "responseHead"), ("b", "responseData"), ("b", "complete")],
            )
            self.assertEnded((403, 0))
            self.tearDown()

    def test_abort(self) -> None:
        """A filter may end an exchange without a word."""

        def aborts(exchange: Any, part: Any) -> int:
            exchange.abort()
            return REPLIED

        mesh = self.begin(filters=[Script("a", [], requestHead=aborts)])
        client = mesh.client("front")
        client.send(GET)
        self.assertEqual((client.take(), client.closed), (b"", True))
        self.assertEnded((0, DOWNSTREAM_TERMINATE))

    def test_abortInAResponse(self) -> None:
        """Also instead of the response."""

        def aborts(exchange: Any, part: Any) -> int:
            exchange.abort()
            return CONTINUE

        for hook in ("responseHead", "responseData", "responseTrailers"):
            self.begin(filters=[Script("a", [], AFTER_ROUTE, **{hook: aborts})])
            client, upstream = self.get()
            upstream.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            upstream.send(b"1\r\nx\r\n0\r\nX: 1\r\n\r\n")
            self.assertTrue(client.closed)
            self.assertFalse(client.take().endswith(b"0\r\nX: 1\r\n\r\n"))
            self.assertEqual(self.last.flags, DOWNSTREAM_TERMINATE)
            self.tearDown()

    def test_rematch(self) -> None:
        """After a change of the head the route is found again, and the phase runs again."""
        log: list[Any] = []

        def moves(exchange: Any, head: Any) -> int:
            if head.path == b"/old":
                head.path = b"/new"
                return REMATCH_ROUTE
            return CONTINUE

        no = {"match": {"prefix": "/old"}, "direct_response": {"status": 410}}
        mesh = self.begin(
            no, toCluster(prefix="/new"), filters=[Script("a", log, requestHead=moves)]
        )
        client = mesh.client("front")
        client.send(b"GET /old HTTP/1.1\r\nHost: a\r\n\r\n")
        mesh.upstream().send(OK)
        self.assertEqual(client.take(), OK)
        self.assertEqual(log.count(("a", "requestHead")), 2)

    def test_rematchToNothing(self) -> None:
        """The new route may be none."""

        def moves(exchange: Any, head: Any) -> int:
            if head.path == b"/nowhere":
                return CONTINUE
            head.path = b"/nowhere"
            return REMATCH_ROUTE

        mesh = self.begin(toCluster(prefix="/old"), filters=[Script("a", [], requestHead=moves)])
        client = mesh.client("front")
        client.send(b"GET /old HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertStatus(client.take(), 404)
        self.assertEnded((404, NO_ROUTE_FOUND))

    def test_rechoose(self) -> None:
        """Another host is chosen, and the phase runs again."""
        hosts: list[str] = []

        def picky(exchange: Any, head: Any) -> int:
            hosts.append(exchange.host.address)
            return CONTINUE if len(hosts) > 1 else RECHOOSE_HOST

        mesh = self.begin(hosts=2, filters=[Script("a", [], AFTER_CHOOSE_HOST, requestHead=picky)])
        client = mesh.client("front")
        client.send(GET)
        self.assertEqual(len(set(hosts)), 2)
        mesh.upstream().send(OK)
        self.assertEqual(client.take(), OK)

    def test_rechooseWithoutHosts(self) -> None:
        """There may be no other host."""

        def empties(exchange: Any, head: Any) -> int:
            self.running.sidecar.clusters.updateHosts("app", [])
            return RECHOOSE_HOST

        mesh = self.begin(filters=[Script("a", [], AFTER_CHOOSE_HOST, requestHead=empties)])
        client = mesh.client("front")
        client.send(GET)
        self.assertStatus(client.take(), 502)

    def test_loops(self) -> None:
        """A filter that is never content is a 500, not the end of the process."""
        for phase, verdict in ((AFTER_ROUTE, REMATCH_ROUTE), (AFTER_CHOOSE_HOST, RECHOOSE_HOST)):
            log: list[Any] = []
            mesh = self.begin(
                filters=[Script("a", log, phase, requestHead=lambda *_, say=verdict: say)]
            )
            client = mesh.client("front")
            client.send(GET)
            self.assertStatus(client.take(), 500)
            self.assertLessEqual(log.count(("a", "requestHead")), MAX_REMATCH + 3)
            self.tearDown()


class DataTests(MeshTestCase):
    """Filters that change what passes."""

    def test_replaced(self) -> None:
        """Data may be replaced in both directions; the next filter sees the new data."""
        log: list[bytes] = []

        def upper(exchange: Any, data: bytes) -> int:
            exchange.part = data.upper()
            return CONTINUE

        def note(exchange: Any, data: bytes) -> int:
            log.append(data)
            return CONTINUE

        filters = [
            Script("a", [], requestData=upper, responseData=upper),
            Script("b", [], requestData=note, responseData=note),
        ]
        self.begin(filters=filters)
        client, upstream = self.get(post(b"abc"))
        self.assertTrue(upstream.take().endswith(b"ABC"))
        upstream.send(response(b"xyz"))
        self.assertTrue(client.take().endswith(b"XYZ"))
        self.assertEqual(log, [b"ABC", b"XYZ"])

    def test_replacedWhileHeld(self) -> None:
        """Also what was held, and a local reply's body."""

        def upper(exchange: Any, data: bytes) -> int:
            exchange.part = data.upper()
            return CONTINUE

        mesh = self.begin(filters=[Script("a", [], requestData=upper, responseData=upper)])
        client = mesh.client("front")
        client.send(post(b"abc"))
        upstream = mesh.upstream()
        self.assertTrue(upstream.take().endswith(b"ABC"))
        upstream.send(OK)
        client.take()
        mesh.sidecar.clusters.remove("app")
        client.send(GET)
        self.assertIn(b"THE CLUSTER", client.take())

    def test_echoThroughFilters(self) -> None:
        """An upload goes on after the response has begun, filters or not."""
        self.begin(filters=[Script("a", [])])
        client, upstream = self.get(CHUNKED)
        upstream.take()
        upstream.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(2):
            client.send(b"1\r\nx\r\n")
            self.assertEqual(upstream.take(), b"1\r\nx\r\n")
        client.send(b"0\r\nX: 1\r\n\r\n")
        self.assertEqual(upstream.take(), b"0\r\nX: 1\r\n\r\n")
        upstream.send(b"0\r\n\r\n")
        self.assertTrue(client.take().endswith(b"0\r\n\r\n"))

    def test_replyToData(self) -> None:
        """A filter may refuse a body in the middle."""
        self.begin(filters=[Script("a", [], requestData=replies(413))])
        client, upstream = self.get(post(length=100))
        client.send(b"x")
        self.assertStatus(client.take(), 413)
        self.assertTrue(upstream.closed)

    def test_replyFromAResponseFilter(self) -> None:
        """It replaces the response; what else the upstream sends is dropped."""
        log: list[Any] = []
        self.begin(
            filters=[Script("a", log, responseHead=replies(502)), Script("b", log)],
        )
        client, upstream = self.get()
        upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsecret")
        octets = client.take()
        self.assertStatus(octets, 502)
        self.assertNotIn(b"secret", octets)
        self.assertNotIn(("b", "responseHead"), log)
        self.assertEnded((502, 0))
