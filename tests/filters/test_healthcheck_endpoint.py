"""Tests of `mosntx.filters.healthcheck`: HTTP requests for a path."""

from __future__ import annotations

from typing import Any

from mosntx.contracts.filters import CONTINUE, REPLIED, STOP
from mosntx.filters.heartbeats import PROBE_TIMEOUT, SHARE_TIMEOUT
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import ResponseHead
from mosntx.testing.requests import httpRequest
from mosntx.testing.upstream import FakeExchange
from tests.filters.test_healthcheck import HeartbeatTestCase
from tests.proxy.build import OK, MeshTestCase, response, toCluster

CHECK = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"


class PassingEndpointTests(HeartbeatTestCase):
    """A path that is passed through, step by step."""

    def request(self) -> FakeExchange:
        """Let a request come; its verdict is in `verdicts`."""
        exchange = FakeExchange(httpRequest(b"/health?x=1"))
        verdict = self.filter.requestHead(exchange, exchange.request, True)
        self.verdicts.append(verdict)
        return exchange

    def setUp(self) -> None:
        self.verdicts: list[int] = []
        self.begin(passthrough=True, endpoint="/health", cache_time=10.0)

    def respond(self, exchange: FakeExchange, status: int) -> None:
        """Let the response of the application come, and the exchange end."""
        head = ResponseHead(status, Headers([]))
        self.assertEqual(self.filter.responseHead(exchange, head, True), CONTINUE)
        self.filter.complete(exchange)

    def test_otherPaths(self) -> None:
        """Other requests are none of its business, RPC's least of all."""
        for path in (b"/", b"/healthy", b"/health/", b"/HEALTH"):
            exchange = FakeExchange(httpRequest(path))
            self.assertEqual(self.filter.requestHead(exchange, exchange.request, True), CONTINUE)
            self.filter.responseHead(exchange, ResponseHead(200, Headers([])), True)
            self.filter.complete(exchange)
        self.assertEqual(self.context.wheel.active, 0)

    def test_shared(self) -> None:
        """The first goes to the application, the others wait for its answer or get it later."""
        for status, answer in ((200, 200), (204, 200), (500, 503), (302, 503), (404, 503)):
            self.setUp()
            first, second, third = self.request(), self.request(), self.request()
            self.respond(first, status)
            later = self.request()
            self.assertEqual(self.verdicts, [CONTINUE, STOP, STOP, REPLIED])
            self.assertEqual(first.replies, [])
            for exchange in (second, third, later):
                self.assertEqual([reply[0] for reply in exchange.replies], [answer])
                self.filter.complete(exchange)
            self.assertEqual(self.context.wheel.active, 0)
            self.wait(10.0)
            self.request()
            self.assertEqual(self.verdicts[-1], CONTINUE)

    def test_clientOfProbeLeaves(self) -> None:
        """A client that leaves says nothing: the next one's request goes to the application."""
        first, second, third = self.request(), self.request(), self.request()
        self.filter.complete(first)
        self.assertEqual((second.resumed, third.resumed), (1, 0))
        self.respond(second, 200)
        self.assertEqual((second.replies, [reply[0] for reply in third.replies]), ([], [200]))

    def test_allClientsLeave(self) -> None:
        """Nothing is left when all leave, and the next request is passed."""
        for exchange in (self.request(), self.request()):
            self.filter.complete(exchange)
        self.assertEqual(self.context.wheel.active, 0)
        self.request()
        self.assertEqual(self.verdicts[-1], CONTINUE)

    def test_waitingClientLeaves(self) -> None:
        """One that waits and leaves gets no answer."""
        first, second = self.request(), self.request()
        self.filter.complete(second)
        self.respond(first, 200)
        self.assertEqual((second.replies, self.context.wheel.active), ([], 0))

    def test_late(self) -> None:
        """After a second the result before is given out."""
        self.respond(self.request(), 200)
        self.wait(10.0)
        first, second = self.request(), self.request()
        self.wait(SHARE_TIMEOUT)
        self.assertEqual(([reply[0] for reply in second.replies], first.replies), ([200], []))

    def test_timeout(self) -> None:
        """An application that does not answer in time is not well, for the first as for all."""
        first = self.request()
        self.wait(PROBE_TIMEOUT - SHARE_TIMEOUT / 2)
        second = self.request()
        self.wait(SHARE_TIMEOUT / 2)
        self.assertEqual([reply[0] for reply in first.replies], [503])
        self.assertEqual([reply[0] for reply in second.replies], [503])
        self.respond(first, 503)
        self.assertEqual(self.context.wheel.active, 0)


class EndpointMeshTests(MeshTestCase):
    """A path, end to end."""

    def start(self, **config: Any) -> None:
        """Start a Sidecar with the filter in front of one cluster with a TCP check."""
        self.begin(
            toCluster(),
            filters=[{"type": "healthcheck", "config": {"endpoint": "/health", **config}}],
            cluster={
                "health_check": {
                    "service_name": "app",
                    "initial_delay_seconds": "1s",
                    "interval": "5s",
                    "interval_jitter": "1ns",
                }
            },
        )

    def asked(self) -> bytes:
        """Return the answer to a health check on a new connection."""
        client = self.running.client("front")
        client.send(CHECK)
        return client.take()

    def test_byClusters(self) -> None:
        """Well until the checks have found the host ill, and again when it is back."""
        self.start(cluster_min_healthy_percentages={"app": 50})
        mesh = self.running
        self.assertStatus(self.asked(), 200)
        mesh.advance(1.1)
        mesh.refuse()
        answer = self.asked()
        self.assertStatus(answer, 503)
        self.assertTrue(answer.endswith(b"\r\n\r\nunhealthy\n"), answer)
        self.assertEqual(mesh.value("healty", service="app"), 0)
        mesh.advance(5.1)
        self.assertTrue(mesh.upstream().closed)
        self.assertStatus(self.asked(), 200)
        self.assertEqual(mesh.value("attempt", service="app"), 2)
        self.assertEqual(mesh.dialled, [])

    def test_passThrough(self) -> None:
        """The application is asked once per cache time; others get its answer."""
        self.start(passthrough=True, cache_time="10s")
        mesh = self.running
        first, upstream = self.get(CHECK)
        second = mesh.client("front")
        second.send(CHECK)
        self.assertEqual(second.take(), b"")
        upstream.send(OK)
        self.assertStatus(first.take(), 200)
        self.assertStatus(second.take(), 200)
        self.assertStatus(self.asked(), 200)
        self.assertEqual(upstream.take().count(b"GET /health "), 1)
        mesh.advance(0.5)
        client = mesh.client("front")
        client.send(CHECK)
        self.assertStatus(client.take(), 200)

    def test_passThroughFails(self) -> None:
        """A bad answer reaches the one who asked as it is, and the others as 503."""
        self.start(passthrough=True, cache_time="10s")
        client, upstream = self.get(CHECK)
        upstream.send(response(b"no", b"500 Internal Server Error"))
        self.assertStatus(client.take(), 500)
        self.assertStatus(self.asked(), 503)

    def test_silentApplication(self) -> None:
        """Without an answer in three seconds the client gets 503."""
        self.start(passthrough=True, cache_time="10s")
        client, _upstream = self.get(CHECK)
        self.running.advance(PROBE_TIMEOUT + 0.1)
        self.assertStatus(client.take(), 503)
        self.assertStatus(self.asked(), 503)

    def test_unreachableApplication(self) -> None:
        """A host that refuses is not well."""
        self.start(passthrough=True, cache_time="10s")
        client = self.running.client("front")
        client.send(CHECK)
        while self.running.dialled:
            self.running.refuse()
            self.running.advance(0.1)
        self.assertStatus(client.take(), 502)
        self.assertStatus(self.asked(), 503)

    def test_clientLeaves(self) -> None:
        """When the client of the probe leaves, the next one's request is passed."""
        self.start(passthrough=True)
        first, _upstream = self.get(CHECK)
        second = self.running.client("front")
        second.send(CHECK)
        first.reset()
        self.running.upstream().send(OK)
        self.assertStatus(second.take(), 200)

    def test_otherRequests(self) -> None:
        """Requests for other paths pass."""
        self.start()
        client, upstream = self.get()
        upstream.send(OK)
        self.assertEqual(client.take(), OK)
