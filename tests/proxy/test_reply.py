"""Tests of `mosntx.proxy.reply`: from failures to the answers that clients get."""

from __future__ import annotations

from mosntx.contracts.filters import (
    FAILED_HERE,
    NO_HEALTHY_UPSTREAM,
    NO_ROUTE_FOUND,
    UPSTREAM_CONNECTION_FAILURE,
    UPSTREAM_CONNECTION_TERMINATION,
    UPSTREAM_LOCAL_RESET,
    UPSTREAM_OVERFLOW,
    UPSTREAM_REMOTE_RESET,
    UPSTREAM_REQUEST_TIMEOUT,
)
from mosntx.contracts.stream import (
    CONNECTION_FAILED,
    CONNECTION_TERMINATION,
    DOWNSTREAM_GONE,
    GLOBAL_TIMEOUT,
    IDLE_TIMEOUT,
    LOCAL_RESET,
    OVERFLOW,
    PENDING_TIMEOUT,
    PER_TRY_TIMEOUT,
    PROTOCOL_ERROR,
    REFUSED,
    REMOTE_RESET,
    RESET_NAMES,
    REUSE_RACE,
    UPSTREAM_RESET,
)
from mosntx.proxy.reply import FAILURES
from mosntx.testing.requests import httpRequest
from tests.proxy.build import GET, MeshTestCase, toCluster
from tests.proxy.fakes import ExchangeTestCase, FakeClientStreams, head

#: spec/proxy.md 6.2
TABLE = (
    (UPSTREAM_RESET, 502, 0),
    (LOCAL_RESET, 502, UPSTREAM_LOCAL_RESET),
    (REMOTE_RESET, 502, UPSTREAM_REMOTE_RESET),
    (PROTOCOL_ERROR, 502, UPSTREAM_LOCAL_RESET),
    (OVERFLOW, 503, UPSTREAM_OVERFLOW),
    (PENDING_TIMEOUT, 503, UPSTREAM_OVERFLOW),
    (GLOBAL_TIMEOUT, 504, UPSTREAM_REQUEST_TIMEOUT),
    (PER_TRY_TIMEOUT, 504, UPSTREAM_REQUEST_TIMEOUT),
    (CONNECTION_TERMINATION, 500, UPSTREAM_CONNECTION_TERMINATION),
    (IDLE_TIMEOUT, 408, 0),
)


class ResetTableTests(ExchangeTestCase):
    """What a client gets when the upstream's stream dies before its response."""

    def test_table(self) -> None:
        """Each reason has its status and its flag, and ends the exchange once."""
        for reason, status, flag in TABLE:
            exchange = self.requested()
            exchange.responseReset(reason)
            self.assertEqual(self.down.sent[0][:2], ("head", status), RESET_NAMES[reason])
            self.assertEqual(self.witness.resets, [reason])
            self.assertOver(status, flag)
            failed = int(bool(flag & FAILED_HERE))
            self.assertEqual(self.listener.stats.request_failed, failed, RESET_NAMES[reason])

    def test_connectionFailed(self) -> None:
        """A connect that fails each time is a 502 after three repetitions."""
        exchange = self.begin()
        self.pool.ready = [FakeClientStreams(CONNECTION_FAILED) for _ in range(10)]
        exchange.requestHead(httpRequest(), True)
        self.clock.pump([0.03] * 10)
        self.assertEqual((len(self.pool.ready), exchange.attempts), (6, 4))
        self.assertEqual(self.down.sent[0][:2], ("head", 502))
        self.assertOver(502, UPSTREAM_CONNECTION_FAILURE)

    def test_refused(self) -> None:
        """A refusal that is not hidden any more is a 503 (its repetition is in the attempts)."""
        self.assertEqual(FAILURES[REFUSED][:2], (503, UPSTREAM_REMOTE_RESET))

    def test_reuseRaceOfAPost(self) -> None:
        """A race that must not be hidden is a 502 without a flag."""
        exchange = self.requested(method=b"POST")
        exchange.responseReset(REUSE_RACE)
        self.assertOver(502, 0)

    def test_everyReasonHasAnAnswer(self) -> None:
        """No reason but the client's own leaving lacks a row."""
        reasons = set(range(1, len(RESET_NAMES))) - {DOWNSTREAM_GONE}
        self.assertEqual(set(FAILURES), reasons)

    def test_afterTheHead(self) -> None:
        """Once the response has begun, the client's stream is reset instead; nothing is made up."""
        for reason, _status, _flag in TABLE:
            exchange = self.requested()
            exchange.responseHead(head(), False)
            exchange.responseReset(reason)
            self.assertEqual([what for what, *_ in self.down.sent], ["head", "reset"])
            self.assertOver(200)


class LocalReplyTests(MeshTestCase):
    """Answers without any attempt."""

    def test_noRoute(self) -> None:
        """404 when nothing matches; the text says why, and nothing of the request is echoed."""
        mesh = self.begin(toCluster(prefix="/known"))
        client = mesh.client("front")
        client.send(b"GET /x HTTP/1.1\r\nHost: a\r\nX-Secret: s3cret\r\nCookie: c00kie\r\n\r\n")
        octets = client.take()
        self.assertStatus(octets, 404)
        self.assertIn(b"no route matches the request", octets)
        self.assertNotIn(b"s3cret", octets)
        self.assertNotIn(b"c00kie", octets)
        self.assertEnded((404, NO_ROUTE_FOUND))
        self.assertEqual(mesh.value("request_failed", listener="front"), 1)

    def test_noHost(self) -> None:
        """502 when the cluster has no host."""
        mesh = self.begin(hosts=0)
        client = mesh.client("front")
        client.send(GET)
        self.assertStatus(client.take(), 502)
        self.assertEnded((502, NO_HEALTHY_UPSTREAM))

    def test_unknownCluster(self) -> None:
        """404 when the cluster has gone."""
        mesh = self.begin()
        mesh.sidecar.clusters.remove("app")
        client = mesh.client("front")
        client.send(GET)
        self.assertStatus(client.take(), 404)
        self.assertEnded((404, NO_ROUTE_FOUND))

    def test_head(self) -> None:
        """A HEAD request gets the head of the answer only, and the connection goes on."""
        mesh = self.begin(hosts=0)
        client = mesh.client("front")
        for _ in range(2):
            client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
            octets = client.take()
            self.assertStatus(octets, 502)
            self.assertTrue(octets.endswith(b"\r\n\r\n"))
        self.assertFalse(client.closed)

    def test_directResponse(self) -> None:
        """A route may answer by itself."""
        mesh = self.begin(
            {"match": {"prefix": "/"}, "direct_response": {"status": 418, "body": "tea"}}
        )
        client = mesh.client("front")
        client.send(GET)
        octets = client.take()
        self.assertStatus(octets, 418)
        self.assertIn(b"tea", octets)
        self.assertEnded((418, 0))

    def test_redirect(self) -> None:
        """A route may send the client elsewhere."""
        redirect = {"response_code": 307, "path_redirect": "/new", "host_redirect": "b"}
        mesh = self.begin({"match": {"prefix": "/"}, "redirect": redirect})
        client = mesh.client("front")
        client.send(GET)
        octets = client.take()
        self.assertStatus(octets, 307)
        self.assertIn(b"http://b/new\r\n", octets)
        self.assertEnded((307, 0))

    def test_connectIsRefused(self) -> None:
        """CONNECT needs a route that allows it."""
        mesh = self.begin()
        client = mesh.client("front")
        client.send(b"CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n")
        self.assertStatus(client.take(), 405)
        self.assertEnded((405, 0))
        self.assertEqual(mesh.dialled, [])
