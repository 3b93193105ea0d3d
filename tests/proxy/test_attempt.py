"""Tests of `mosntx.proxy.attempt`: hosts, connections, repetition."""

from __future__ import annotations

from twisted.internet.defer import fail

from mosntx.contracts.filters import (
    NO_HEALTHY_UPSTREAM,
    UPSTREAM_CONNECTION_FAILURE,
)
from mosntx.contracts.stream import CONNECTION_FAILED, OVERFLOW, REFUSED, REMOTE_RESET
from mosntx.testing.requests import httpRequest
from mosntx.testing.upstream import FakeHost, FirstHost
from tests.proxy.build import GET, NO_CONTENT, OK, MeshTestCase, post, response, toCluster
from tests.proxy.fakes import ExchangeTestCase, FakeClientStreams, head

RETRY = {"retry_on": True, "num_retries": 1}


class ConnectFailureTests(MeshTestCase):
    """A host that cannot be connected to."""

    def test_anotherHostIsTried(self) -> None:
        """After a pause another host gets the request, and the client notices nothing."""
        mesh = self.begin(hosts=2)
        client = mesh.client("front")
        client.send(GET)
        first = mesh.dialled
        mesh.refuse()
        self.assertEqual(mesh.dialled, [])
        mesh.advance(0.05)
        self.assertNotEqual(mesh.dialled, first)
        upstream = mesh.upstream()
        self.assertEqual(upstream.take(), GET)
        upstream.send(NO_CONTENT)
        self.assertEqual(client.take(), NO_CONTENT)
        self.assertEnded((204, 0))
        self.assertEqual(self.last.attempts, 2)
        self.assertEqual(mesh.value("request_retry", cluster="app"), 1)

    def test_postIsRepeatedToo(self) -> None:
        """Nothing was sent, so any method may be repeated, with what of its body has come."""
        mesh = self.begin()
        client = mesh.client("front")
        client.send(post(b"abc", length=6))
        mesh.refuse()
        mesh.advance(0.05)
        upstream = mesh.upstream()
        client.send(b"def")
        self.assertTrue(upstream.take().endswith(b"\r\n\r\nabcdef"))
        upstream.send(NO_CONTENT)
        self.assertStatus(client.take(), 204)

    def test_numRetries(self) -> None:
        """No more than ``num_retries`` repetitions; three without a policy."""
        for policy, retries in (({}, 3), ({"num_retries": 1}, 1), ({"num_retries": 5}, 5)):
            mesh = self.begin(toCluster(retry_policy=policy) if policy else toCluster())
            client = mesh.client("front")
            client.send(GET)
            for _ in range(retries + 1):
                mesh.refuse()
                mesh.advance(0.3)
            self.assertEqual(mesh.dialled, [])
            self.assertStatus(client.take(), 502)
            self.assertEnded((502, UPSTREAM_CONNECTION_FAILURE))
            self.assertEqual(self.last.attempts, retries + 1)
            self.tearDown()

    def test_connectTimeout(self) -> None:
        """A host that does not answer is left after ``connect_timeout``."""
        mesh = self.begin(hosts=2, cluster={"connect_timeout": "2s"})
        client = mesh.client("front")
        client.send(GET)
        mesh.advance(1.9)
        (first,) = mesh.dialled
        mesh.advance(0.2)
        (second,) = mesh.dialled
        self.assertNotEqual(first, second)
        self.assertEqual(mesh.value("request_timeout", cluster="app") > 0, True)

    def test_noHostLeft(self) -> None:
        """When the cluster has lost its hosts meanwhile, the repetition is a 502."""
        mesh = self.begin()
        client = mesh.client("front")
        client.send(GET)
        mesh.refuse()
        mesh.sidecar.clusters.updateHosts("app", [])
        mesh.advance(0.05)
        self.assertStatus(client.take(), 502)
        self.assertEnded((502, NO_HEALTHY_UPSTREAM))

    def test_clientLeavesDuringThePause(self) -> None:
        """Nobody is asked any more for a client that has gone."""
        mesh = self.begin()
        client = mesh.client("front")
        client.send(GET)
        mesh.refuse()
        client.reset()
        mesh.advance(1.0)
        self.assertEqual(mesh.dialled, [])
        self.assertEnded((504, 0))


class StatusRetryTests(MeshTestCase):
    """Responses that are thrown away for another attempt."""

    def test_retried(self) -> None:
        """A 5xx is repeated under ``retry_on``; the client gets only the last answer."""
        mesh = self.begin(toCluster(retry_policy=RETRY))
        client, upstream = self.get()
        upstream.send(response(b"no", b"503 Service Unavailable"))
        self.assertEqual(client.take(), b"")
        mesh.advance(0.05)
        upstream = mesh.upstream() if mesh.dialled else upstream
        upstream.send(OK)
        self.assertEqual(client.take(), OK)
        self.assertEnded((200, 0))

    def test_notWithoutRetryOn(self) -> None:
        """Without ``retry_on`` a 5xx is the answer."""
        self.begin(toCluster(retry_policy={"num_retries": 2}))
        client, upstream = self.get()
        upstream.send(response(b"no", b"503 Service Unavailable"))
        self.assertStatus(client.take(), 503)
        self.assertEnded((503, 0))

    def test_onlyListedStatuses(self) -> None:
        """With ``status_codes`` only these are repeated, also below 500."""
        mesh = self.begin(toCluster(retry_policy={**RETRY, "status_codes": [409]}))
        client, upstream = self.get()
        upstream.send(response(b"no", b"503 Service Unavailable"))
        self.assertStatus(client.take(), 503)
        client.send(GET)
        upstream.take()
        upstream.send(response(b"no", b"409 Conflict"))
        self.assertEqual(client.take(), b"")
        mesh.advance(0.05)
        upstream = mesh.upstream() if mesh.dialled else upstream
        upstream.send(OK)
        self.assertEqual(client.take(), OK)

    def test_lastAnswerIsPassedOn(self) -> None:
        """After the last repetition the upstream's own answer goes to the client."""
        mesh = self.begin(toCluster(retry_policy=RETRY))
        client, upstream = self.get()
        bad = response(b"no", b"500 Internal Server Error")
        for turn in range(2):
            upstream.send(bad)
            mesh.advance(0.05)
            if turn == 0 and mesh.dialled:
                upstream = mesh.upstream()
        self.assertEqual(client.take(), bad)
        self.assertEqual(self.last.attempts, 2)

    def test_bodyIsReplayed(self) -> None:
        """A POST of up to 64 KiB is sent again as a whole."""
        body = bytes(range(256)) * 256
        mesh = self.begin(toCluster(retry_policy=RETRY))
        client, upstream = self.get(post(body[:1000], length=len(body)))
        client.send(body[1000:])
        self.assertTrue(upstream.take().endswith(body))
        upstream.send(response(b"", b"503 Service Unavailable"))
        mesh.advance(0.05)
        upstream = mesh.upstream() if mesh.dialled else upstream
        self.assertTrue(upstream.take().endswith(b"\r\n\r\n" + body))
        upstream.send(OK)
        self.assertEqual(client.take(), OK)

    def test_bigBodyIsNot(self) -> None:
        """A body beyond 64 KiB is not kept, so the answer is the client's."""
        body = bytes(65537)
        mesh = self.begin(toCluster(retry_policy=RETRY))
        client, upstream = self.get(post(length=len(body)))
        client.send(body)
        upstream.send(response(b"", b"503 Service Unavailable"))
        mesh.advance(0.05)
        self.assertStatus(client.take(), 503)

    def test_uploadGoesOnAfterARetry(self) -> None:
        """A client that was paused for the first upstream is read again for the second."""
        mesh = self.begin(toCluster(retry_policy=RETRY))
        client, upstream = self.get(post(b"abc", length=6))
        upstream.block()
        self.assertFalse(client.reading)
        upstream.send(response(b"", b"503 Service Unavailable"))
        mesh.advance(0.05)
        again = mesh.upstream()
        self.assertTrue(client.reading)
        client.send(b"def")
        self.assertTrue(again.take().endswith(b"abcdef"))
        again.send(OK)
        self.assertEqual(client.take(), OK)

    def test_notAfterTheResponseBegan(self) -> None:
        """What the client has begun to read is never repeated."""
        mesh = self.begin(toCluster(retry_policy=RETRY))
        client, upstream = self.get()
        upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        upstream.reset()
        mesh.advance(0.05)
        self.assertEqual(mesh.dialled, [])
        self.assertTrue(client.take().endswith(b"abc"))
        self.assertTrue(client.closed)


class PlayedAttemptTests(ExchangeTestCase):
    """What no real HTTP/1 upstream brings about."""

    def test_overflowIsNotRepeated(self) -> None:
        """Limits and refusals are no reason to try again."""
        for reason, status in ((OVERFLOW, 503), (REMOTE_RESET, 502)):
            exchange = self.requested()
            exchange.responseReset(reason)
            self.assertEqual(self.down.sent[0][1], status)
            self.assertEqual(exchange.attempts, 1)

    def test_sameHostWhenThereIsNoOther(self) -> None:
        """A single host is tried again."""
        exchange = self.begin()
        good = FakeClientStreams()
        self.pool.ready = [good, FakeClientStreams(CONNECTION_FAILED)]
        exchange.requestHead(httpRequest(), True)
        self.clock.advance(0.05)
        exchange.responseHead(head(204), True)
        self.assertOver(204)
        self.assertEqual(good.sent, [("head", b"GET", True)])

    def test_refusedAtOnce(self) -> None:
        """A connection that has left meanwhile opens no stream: the next one gets all, once."""
        exchange = self.begin()
        good = FakeClientStreams()
        self.pool.ready = [good, FakeClientStreams(REFUSED)]
        exchange.requestHead(httpRequest(method=b"POST"), False)
        exchange.requestData(b"ab", False)
        exchange.requestData(b"c", True)
        exchange.responseHead(head(204), True)
        self.assertOver(204)
        self.assertEqual(exchange.attempts, 1)
        self.assertEqual(good.sent[0], ("head", b"POST", False))
        self.assertEqual(b"".join(part for _, part, _ in good.sent[1:]), b"abc")
        self.assertEqual([end for *_, end in good.sent], [False] * (len(good.sent) - 1) + [True])

    def test_anotherHostIsAskedForThreeTimes(self) -> None:
        """A balancer that insists on the same host gets its way."""
        exchange = self.begin()
        asked = []

        class Stubborn(FirstHost):
            def chooseHost(self, context: object) -> FakeHost:
                asked.append(context)
                return host

        host = self.host
        self.cluster.loadBalancer = Stubborn()
        self.pool.ready = [FakeClientStreams(), FakeClientStreams(CONNECTION_FAILED)]
        exchange.requestHead(httpRequest(), True)
        self.clock.advance(0.05)
        self.assertEqual(len(asked), 4)
        exchange.responseHead(head(204), True)
        self.assertOver(204)

    def test_mistakeOfOurs(self) -> None:
        """A connection that comes and cannot be used must not leave the client waiting."""
        exchange = self.begin()
        self.pool.ready = []
        exchange.requestHead(httpRequest(), True)
        waiter = self.pool.waiters[0]
        waiter.callback(None)
        self.assertEqual(len(self.flushLoggedErrors(AttributeError)), 1)
        self.assertEqual(self.down.sent[0][:2], ("head", 500))

    def test_checkoutFailsAtOnce(self) -> None:
        """A pool may say no before `checkout` returns."""
        exchange = self.begin()
        self.pool.ready = []
        self.pool.checkout = lambda: fail(ValueError("no"))  # type: ignore[method-assign]
        exchange.requestHead(httpRequest(), True)
        for _ in range(4):
            self.clock.advance(0.05)
        self.assertOver(502, UPSTREAM_CONNECTION_FAILURE)

    def test_oneway(self) -> None:
        """A request without an answer is over when it is sent; what comes is ignored."""
        exchange = self.begin()
        request = httpRequest()
        request.__class__ = type("Oneway", (type(request),), {"oneway": True, "__slots__": ()})
        exchange.requestHead(request, True)
        self.assertEqual(self.up.sent, [("head", b"GET", True)])
        self.assertOver(0)
        exchange.responseReset(REMOTE_RESET)
        self.assertEqual(self.down.sent, [])
