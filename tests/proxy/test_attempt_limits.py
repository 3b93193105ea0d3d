"""Tests of `mosntx.proxy.attempt`: limits of the cluster, and the reuse race."""

from __future__ import annotations

from mosntx.contracts.filters import (
    UPSTREAM_OVERFLOW,
)
from mosntx.testing.mesh import Peer
from tests.proxy.build import GET, NO_CONTENT, OK, MeshTestCase, post, response, toCluster

RETRY = {"retry_on": True, "num_retries": 1}


class RetryLimitTests(MeshTestCase):
    """The cluster's ``max_retries``."""

    def test_limit(self) -> None:
        """Beyond it the upstream's answer goes to the client, with the overflow flag."""
        breakers = {"circuit_breakers": [{"max_retries": 1}]}
        mesh = self.begin(toCluster(retry_policy=RETRY), cluster=breakers)
        bad = response(b"no", b"503 Service Unavailable")
        pairs = [self.get(), self.get()]
        for _, upstream in pairs:
            upstream.send(bad)
        self.assertEqual([client.take() for client, _ in pairs], [b"", bad])
        self.assertEnded((503, UPSTREAM_OVERFLOW))
        self.assertEqual(mesh.value("request_retry_overflow", cluster="app"), 1)

    def test_ownRepetitionsDoNotAddUp(self) -> None:
        """A request that is repeated twice counts once."""
        breakers = {"circuit_breakers": [{"max_retries": 1}]}
        policy = {"retry_on": True, "num_retries": 2}
        mesh = self.begin(toCluster(retry_policy=policy), cluster=breakers)
        client, upstream = self.get()
        for _ in range(2):
            upstream.send(response(b"no", b"503 Service Unavailable"))
            mesh.advance(0.05)
            upstream = mesh.upstream()
        upstream.send(OK)
        self.assertEqual(client.take(), OK)
        self.assertEnded((200, 0))

    def test_limitLastsAsLongAsTheRepetition(self) -> None:
        """A repetition counts until it is answered, not only until it begins."""
        breakers = {"circuit_breakers": [{"max_retries": 1}]}
        mesh = self.begin(toCluster(retry_policy=RETRY), cluster=breakers)
        bad = response(b"no", b"503 Service Unavailable")
        (first, one), (second, two) = self.get(), self.get()
        one.send(bad)
        mesh.advance(0.05)
        again = mesh.upstream()
        two.send(bad)
        self.assertEqual(second.take(), bad)
        again.send(OK)
        self.assertEqual(first.take(), OK)


class RetryBudgetTests(MeshTestCase):
    """The cluster's ``retry_budget``."""

    def test_totalFailure(self) -> None:
        """When every answer is a 503, the upstream gets at most a fifth more than clients send."""
        breakers = {"circuit_breakers": [{"retry_budget": {"min_per_second": 0}}]}
        mesh = self.begin(toCluster(retry_policy={"retry_on": True}), cluster=breakers)
        bad = response(b"no", b"503 Service Unavailable")
        client = mesh.client("front")
        seen, upstream = 0, None
        for _ in range(500):
            client.send(GET)
            while not client.take():
                upstream = mesh.upstream() if mesh.dialled else upstream
                if upstream is not None and upstream.take():
                    seen += 1
                    upstream.send(bad)
                mesh.advance(0.01)
        self.assertLessEqual(seen, 600)
        self.assertEqual(seen - 500, mesh.value("request_retry", cluster="app"))
        self.assertGreater(mesh.value("request_retry_budget_exceeded", cluster="app"), 300)

    def test_deadHostsCostNothing(self) -> None:
        """A failed connect is repeated without the budget: no upstream has seen the request."""
        breakers = {"circuit_breakers": [{"retry_budget": {"percent": 0, "min_per_second": 0}}]}
        mesh = self.begin(hosts=2, cluster=breakers)
        client = mesh.client("front")
        client.send(GET)
        mesh.refuse()
        mesh.advance(0.05)
        mesh.upstream().send(OK)
        self.assertEqual(client.take(), OK)


class RequestLimitTests(MeshTestCase):
    """The cluster's other limits."""

    def test_maxRequests(self) -> None:
        """Beyond it requests are answered with 503 at once."""
        mesh = self.begin(cluster={"circuit_breakers": [{"max_requests": 1}]})
        self.get()
        client = mesh.client("front")
        client.send(GET)
        self.assertStatus(client.take(), 503)
        self.assertEnded((503, UPSTREAM_OVERFLOW))
        self.assertEqual(mesh.value("request_pending_overflow", host="127.0.0.1:9001"), 1)

    def test_adaptive(self) -> None:
        """Beyond the measured limit they are too, with a reason and a counter of their own."""
        adaptive = {"adaptive_concurrency": {"max_limit": 4}, "type": "SIMPLE"}
        mesh = self.begin(cluster=adaptive, proxy={"reason_header": True})
        for _ in range(4):
            self.get()
        client = mesh.client("front")
        client.send(GET)
        answer = client.take()
        self.assertStatus(answer, 503)
        self.assertIn(b"X-Mosntx-Reason: adaptive_limit\r\n", answer)
        self.assertEnded((503, UPSTREAM_OVERFLOW))
        self.assertEqual(mesh.value("adaptive_limit", cluster="app"), 4)
        self.assertEqual(mesh.value("request_adaptive_overflow", cluster="app"), 1)
        (failure,) = mesh.sidecar.failures()["failures"]
        self.assertEqual(failure["limit"], "adaptive_concurrency: 4")

    def test_waitingTooLong(self) -> None:
        """A request that finds no free connection in time is a 503."""
        settings = {"circuit_breakers": [{"max_connections": 1}], "pending_timeout": "1s"}
        mesh = self.begin(cluster=settings)
        self.get()
        client = mesh.client("front")
        client.send(GET)
        mesh.advance(0.9)
        self.assertEqual(client.take(), b"")
        mesh.advance(0.2)
        self.assertStatus(client.take(), 503)
        self.assertEnded((503, UPSTREAM_OVERFLOW))

    def test_queueIsFull(self) -> None:
        """A request that finds no place to wait is a 503 at once."""
        breaker = {"max_connections": 1, "max_pending_requests": 1}
        mesh = self.begin(cluster={"circuit_breakers": [breaker]})
        _, upstream = self.get()
        waiting, refused = mesh.client("front"), mesh.client("front")
        waiting.send(GET)
        refused.send(GET)
        self.assertStatus(refused.take(), 503)
        upstream.send(NO_CONTENT)
        upstream.take()
        upstream.send(OK)
        self.assertEqual(waiting.take(), OK)


class ManyClientsTests(MeshTestCase):
    """500 clients at once, and a host that takes two connections (scenario 109)."""

    def serve(self, clients: list[Peer]) -> int:
        """Answer whatever comes up; return the number of connections to the host."""
        mesh = self.running
        upstreams: list[Peer] = []
        while mesh.dialled:
            upstreams.append(mesh.upstream())
            self.assertLessEqual(len(upstreams), 2)
        for _ in clients:
            for upstream in upstreams:
                if upstream.take():
                    upstream.send(OK)
        self.assertEqual(mesh.dialled, [])
        return len(upstreams)

    def begun(self, **limits: int) -> list[Peer]:
        """Start the Sidecar; return clients that have asked."""
        mesh = self.begin(cluster={"circuit_breakers": [{"max_connections": 2, **limits}]})
        clients = [mesh.client("front") for _ in range(500)]
        for client in clients:
            client.send(GET)
        self.assertEqual(len(mesh.dialled), 2)
        return clients

    def test_allWait(self) -> None:
        """Two connections serve all, one after the other."""
        clients = self.begun()
        self.assertEqual(self.serve(clients), 2)
        self.assertEqual({client.take() for client in clients}, {OK})

    def test_fewMayWait(self) -> None:
        """Those who find no place to wait get 503 at once, as all would with MOSN."""
        clients = self.begun(max_pending_requests=10)
        refused = [client for client in clients if b" 503 " in client.take()]
        self.assertEqual(len(refused), 490)
        self.assertEqual({one.flags for one in self.witness.ended}, {UPSTREAM_OVERFLOW})
        self.assertEqual(self.serve(clients), 2)
        self.assertEqual([client.take() for client in clients].count(OK), 10)


class ReuseRaceTests(MeshTestCase):
    """A connection that served before dies before any octet of the next response."""

    def test_hidden(self) -> None:
        """A GET is sent again on another connection, at once and unseen."""
        mesh = self.begin()
        client, old = self.get()
        old.send(NO_CONTENT)
        client.take()
        client.send(GET)
        old.reset()
        upstream = mesh.upstream()
        self.assertEqual(upstream.take(), GET)
        upstream.send(OK)
        self.assertEqual(client.take(), OK)
        self.assertEqual(self.last.attempts, 1)

    def test_repeatedOnAFreshConnection(self) -> None:
        """Other connections that waited are as suspect as the dead one: they are closed."""
        mesh = self.begin()
        (one, first), (two, second) = self.get(), self.get()
        for upstream in (first, second):
            upstream.send(NO_CONTENT)
        one.take()
        one.send(GET)
        second.reset()  # the one used last
        mesh.advance(0.05)
        self.assertTrue(first.closed)
        fresh = mesh.upstream()
        self.assertTrue(fresh.take().startswith(b"GET "))
        fresh.reset()  # and only once: a new connection that dies is an error
        mesh.advance(0.05)
        self.assertEqual(mesh.dialled, [])
        self.assertStatus(one.take(), 502)
        two.reset()

    def test_502WhenAHostClosedAllItsConnections(self) -> None:
        """The request gets one dying connection after the other; the client sees none of it."""
        mesh = self.begin()
        (one, first), (two, second) = self.get(), self.get()
        for upstream in (first, second):
            upstream.send(NO_CONTENT)
        for client in (one, two):
            client.take()
            client.send(GET)
        second.reset()  # hidden: the request of `one` waits for a new connection
        first.send(NO_CONTENT)  # and gets this one, which is free before
        self.assertEqual(two.take(), NO_CONTENT)
        first.reset()  # hidden again
        self.assertEqual(one.take(), b"")
        while mesh.dialled:
            fresh = mesh.upstream()
            if fresh.take():
                fresh.send(OK)
        self.assertEqual(one.take(), OK)
        self.assertEqual(self.last.attempts, 1)

    def test_notForAPost(self) -> None:
        """A POST may have been acted upon."""
        mesh = self.begin()
        client, old = self.get()
        old.send(NO_CONTENT)
        client.take()
        client.send(post(b"abc"))
        old.reset()
        self.assertStatus(client.take(), 502)
        self.assertEqual(mesh.dialled, [])

    def test_notOnAFreshConnection(self) -> None:
        """An upstream that closes on its first request does not like the request."""
        mesh = self.begin()
        client, upstream = self.get()
        upstream.reset()
        self.assertStatus(client.take(), 502)
        self.assertEqual(mesh.dialled, [])

    def test_notAfterAnOctet(self) -> None:
        """An upstream that has begun to answer has got the request."""
        mesh = self.begin()
        client, upstream = self.get()
        upstream.send(NO_CONTENT)
        client.take()
        client.send(GET)
        upstream.send(b"HTTP/1.1 2")
        upstream.reset()
        self.assertStatus(client.take(), 502)
        self.assertEqual(mesh.dialled, [])

    def test_finSeenBeforeTheRequest(self) -> None:
        """A connection that the upstream has closed is not used, not even within one turn."""
        mesh = self.begin()
        client, upstream = self.get()
        upstream.send(NO_CONTENT)
        client.take()
        upstream.finish()
        client.send(post(b"abc"))
        self.assertEqual(client.take(), b"")
        mesh.upstream().send(OK)
        self.assertEqual(client.take(), OK)

    def test_idleTimeoutBeforeTheRequest(self) -> None:
        """A connection that we are closing because it was idle is not used."""
        mesh = self.begin(cluster={"idle_timeout": "10s"})
        client, upstream = self.get()
        upstream.send(NO_CONTENT)
        client.take()
        upstream.transport.protocol.idle()  # what its watch calls; it takes until the next turn
        client.send(post(b"abc"))
        self.assertEqual(client.take(), b"")
        mesh.upstream().send(OK)
        self.assertEqual(client.take(), OK)
