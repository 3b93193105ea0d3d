"""Tests of `mosntx.proxy.record`: the accounts of an exchange."""

from __future__ import annotations

from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import AdaptiveConcurrency
from mosntx.contracts.stream import (
    CONNECTION_FAILED,
    CONNECTION_TERMINATION,
    GLOBAL_TIMEOUT,
    IDLE_TIMEOUT,
    LOCAL_RESET,
    OVERFLOW,
    PENDING_TIMEOUT,
    PER_TRY_TIMEOUT,
    PROTOCOL_ERROR,
    REMOTE_RESET,
    REUSE_RACE,
    UPSTREAM_RESET,
)
from mosntx.proxy.record import failureReason, recordFailure, recordResponse
from mosntx.stats.latency import Latency
from mosntx.testing.mesh import Peer
from mosntx.upstream.adaptive import MIN_SAMPLES, AdaptiveLimit
from mosntx.upstream.pools.errors import PoolDraining, PoolOverflow, PoolTimeout
from tests.proxy.build import GET, OK, MeshTestCase, response
from tests.proxy.fakes import ExchangeTestCase, head
from tests.router.build import acting

KEYS = (
    "request_timeout",
    "request_remote_reset",
    "request_local_reset",
    "request_failure_eject",
)


#: Ends that say nothing of how long an answer takes.
FAILED = ((CONNECTION_FAILED, False), (REMOTE_RESET, False), (OVERFLOW, False))


class FailureTests(ExchangeTestCase):
    """Counters of the host."""

    def test_reasons(self) -> None:
        """Each reason has its counters."""
        for reason, counted in (
            (GLOBAL_TIMEOUT, (1, 0, 0, 0)),
            (PER_TRY_TIMEOUT, (1, 0, 0, 0)),
            (REMOTE_RESET, (0, 1, 0, 0)),
            (UPSTREAM_RESET, (0, 1, 0, 0)),
            (REUSE_RACE, (0, 1, 0, 0)),
            (PROTOCOL_ERROR, (0, 1, 0, 0)),
            (CONNECTION_TERMINATION, (0, 1, 0, 1)),
            (CONNECTION_FAILED, (0, 0, 0, 1)),
            (LOCAL_RESET, (0, 0, 1, 0)),
            (IDLE_TIMEOUT, (0, 0, 1, 0)),
            (OVERFLOW, (0, 0, 0, 0)),
            (PENDING_TIMEOUT, (0, 0, 0, 0)),
        ):
            exchange = self.requested()
            recordFailure(exchange, reason)
            found = tuple(getattr(self.host.stats, key) for key in KEYS)
            self.assertEqual(found, counted, reason)
            exchange.responseHead(head(), True)

    def test_latency(self) -> None:
        """A host that times out or breaks off counts as slow and failed, when somebody looks."""
        for reason, counted in ((PER_TRY_TIMEOUT, 1.0), (REMOTE_RESET, 1.0), (LOCAL_RESET, 0.0)):
            exchange = self.requested()
            self.host.stats.latency = latency = Latency()
            recordFailure(exchange, reason)
            self.assertEqual((latency.total, latency.serverErrors), (counted, counted))
            exchange.responseHead(head(), True)
        self.host.stats.latency = None

    def test_latencyOfResponse(self) -> None:
        """The time of a host is from the end of the request to the head of the response."""
        exchange = self.requested()
        self.host.stats.latency = latency = Latency()
        self.clock.advance(0.25)
        exchange.responseHead(head(404), True)
        self.assertEqual((latency.duration, latency.clientErrors), (0.25, 1.0))

    def measured(self) -> AdaptiveLimit:
        """Let latency limit the cluster."""
        self.cluster.limits.adapt(AdaptiveConcurrency(), self.cluster.stats)
        adaptive = self.cluster.limits.adaptive
        assert adaptive is not None
        return adaptive

    def test_adaptive(self) -> None:
        """Answers and timeouts change the measured limit; errors and lost connections do not."""
        for ends, changes in ((200, True), (404, True), (503, False)):
            exchange = self.requested()
            adaptive = self.measured()
            before = self.cluster.limits.requests = adaptive.limit
            for _ in range(MIN_SAMPLES):
                recordResponse(exchange, ends)
            self.assertEqual(adaptive.limit != before, changes, ends)
            self.cluster.limits.requests = 1
            exchange.responseHead(head(), True)
        for reason, changes in ((PER_TRY_TIMEOUT, True), (GLOBAL_TIMEOUT, True), *FAILED):
            exchange = self.requested()
            adaptive = self.measured()
            before = self.cluster.limits.requests = adaptive.limit
            for _ in range(MIN_SAMPLES):
                recordFailure(exchange, reason)
            self.assertEqual(adaptive.limit != before, changes, reason)
            self.cluster.limits.requests = 1
            exchange.responseHead(head(), True)

    def test_adaptiveConnect(self) -> None:
        """A CONNECT says nothing of latency: its answer is ours."""
        exchange = self.requested(acting(allow_connect=True), method=b"CONNECT")
        adaptive = self.measured()
        for _ in range(MIN_SAMPLES * 2):
            self.cluster.limits.requests = 20
            recordResponse(exchange, 200)
        self.assertEqual(adaptive.limit, 20)

    def test_withoutHost(self) -> None:
        """Without a host nobody is to blame."""
        exchange = self.begin()
        recordFailure(exchange, GLOBAL_TIMEOUT)
        recordResponse(exchange, 200)
        self.assertEqual(self.host.stats.response_success, 0)

    def test_responses(self) -> None:
        """Below 500 is success."""
        for status, success, failed in ((200, 1, 0), (499, 1, 0), (500, 0, 1), (599, 0, 1)):
            exchange = self.requested()
            exchange.responseHead(head(status), True)
            stats = self.host.stats
            self.assertEqual((stats.response_success, stats.response_failed), (success, failed))
            self.assertOver(status)


class ReasonTests(SynchronousTestCase):
    """Why there is no connection."""

    def test_reasons(self) -> None:
        """A full queue, a wait too long, and anything else is a failed connect."""
        for error, reason in (
            (PoolOverflow("x"), OVERFLOW),
            (PoolTimeout("x"), PENDING_TIMEOUT),
            (PoolDraining("x"), CONNECTION_FAILED),
            (OSError("x"), CONNECTION_FAILED),
        ):
            self.assertEqual(failureReason(Failure(error)), reason)


class OutlierTests(MeshTestCase):
    """``outlier_detection`` of the cluster."""

    def test_ejected(self) -> None:
        """A host that answers five times with 503 is asked no more; the other one serves."""
        settings = {"outlier_detection": {"base_ejection_time": "30s"}}
        mesh = self.begin(hosts=2, cluster=settings)
        client = mesh.client("front")
        peers: list[Peer] = []
        answers = []
        for _ in range(20):
            client.send(GET)
            while mesh.dialled:
                peers.append(mesh.upstream())
            for number, peer in enumerate(peers):
                if peer.take():
                    peer.send(OK if number else response(b"", b"503 Service Unavailable"))
            answers.append(client.take()[9:12])
        self.assertEqual((answers.count(b"503"), answers[-10:]), (5, [b"200"] * 10))
        self.assertEqual(mesh.value("outlier_ejections_active", cluster="app"), 1)
        mesh.advance(31)
        self.assertEqual(mesh.value("outlier_ejections_active", cluster="app"), 0)


class EndTests(ExchangeTestCase):
    """Access logs and those who listen."""

    def test_order(self) -> None:
        """Counters, access logs, filters, event handlers, in this order."""
        from mosntx.filters.base import StreamFilter
        from mosntx.testing.requests import httpRequest

        order: list[str] = []

        class Log:
            def log(self, exchange: object, now: float) -> None:
                order.append(f"log, active {case.listener.stats.request_active}")

        class Last(StreamFilter):
            def complete(self, exchange: object) -> None:
                order.append("filter")

        case = self
        exchange = self.begin(filters=[Last()])
        self.listener.accessLogs = [Log()]  # type: ignore[list-item]
        self.listener.handlers.complete = (lambda _: order.append("handler"),)
        exchange.requestHead(httpRequest(), True)
        exchange.responseHead(head(), True)
        self.assertEqual(order, ["log, active 0", "filter", "handler"])
