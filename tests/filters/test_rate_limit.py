"""Tests of `mosntx.filters.rate_limit`: no more requests than allowed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.filters import RATE_LIMITED, IStreamFilterFactory
from mosntx.filters.rate_limit import Allowance, RateLimitConfig, RateLimitFactory
from mosntx.testing.contracts.filter import FakeFilterContext, FilterSuite
from mosntx.testing.mesh import Peer
from mosntx.testing.requests import httpRequest
from mosntx.testing.upstream import FakeConnection, FakeExchange
from tests.proxy.build import GET, OK, MeshTestCase, toCluster


def rate(perSecond: float, **more: Any) -> dict[str, Any]:
    """Return the filter as it stands in a configuration."""
    return {"type": "rate_limit", "config": {"requests_per_second": perSecond, **more}}


class RateLimitSuiteTests(FilterSuite, SynchronousTestCase):
    """The contract of stream filters."""

    def factory(self) -> IStreamFilterFactory:
        """See `FilterSuite`."""
        return RateLimitFactory()

    def configs(self) -> Sequence[Any]:
        """See `FilterSuite`."""
        return [RateLimitConfig(), RateLimitConfig(1), RateLimitConfig(5, 2, "client")]

    def test_bad(self) -> None:
        """What cannot work is said when it is built."""
        for config in (RateLimitConfig(-1), RateLimitConfig(1, by="header")):
            with self.assertRaises(ValueError):
                RateLimitFactory().build(config, FakeFilterContext())


class AllowanceTests(SynchronousTestCase):
    """Who shares an allowance with whom."""

    def taken(
        self,
        allowance: Allowance,
        *peers: str,
        now: float = 0.0,
        fields: dict[str, str] | None = None,
    ) -> list[bool]:
        """Send one request of each client."""
        found = []
        for peer in peers:
            head = httpRequest(headers=fields)
            exchange: Any = FakeExchange(head)
            exchange.connection = FakeConnection(peer)
            found.append(allowance.take(exchange, head, now))
        return found

    def test_client(self) -> None:
        """Connections of one address count together; the port does not matter."""
        allowance = Allowance(RateLimitConfig(1, by="client"))
        peers = ("10.0.0.1:1", "10.0.0.1:2", "10.0.0.2:1", "[::1]:5", "[::1]:6")
        self.assertEqual(self.taken(allowance, *peers), [True, False, True, True, False])

    def test_header(self) -> None:
        """Each value has its own; requests without the header share one."""
        allowance = Allowance(RateLimitConfig(1, by="header", header="User"))
        each: dict[str, str]
        for each in ({"user": "a"}, {"user": "b"}, {}):
            self.assertEqual(self.taken(allowance, "x:1", "y:2", fields=each), [True, False])

    def test_keys(self) -> None:
        """A flood of keys does not fill the memory; the quietest key is forgotten first."""
        allowance = Allowance(RateLimitConfig(1, by="client", max_keys=2))
        self.assertEqual(self.taken(allowance, "a:1", "b:1", "a:1"), [True, True, False])
        self.assertEqual(self.taken(allowance, "c:1", "a:1", "b:1"), [True, False, True])
        self.assertEqual(len(allowance._buckets), 2)

    def test_refill(self) -> None:
        """It fills with time, up to the burst."""
        allowance = Allowance(RateLimitConfig(2, burst=3))
        self.assertEqual(self.taken(allowance, *["a:1"] * 4), [True] * 3 + [False])
        self.assertEqual(self.taken(allowance, "a:1", "a:1", now=0.5), [True, False])
        self.assertEqual(self.taken(allowance, *["a:1"] * 4, now=60.0), [True] * 3 + [False])

    def test_none(self) -> None:
        """0 is no limit."""
        self.assertTrue(all(self.taken(Allowance(RateLimitConfig()), *["a:1"] * 1000)))


class RateLimitTests(MeshTestCase):
    """What clients notice."""

    def answers(self, client: Peer, count: int, path: bytes = b"/") -> list[bytes]:
        """Send requests one after the other; return the first line of each answer."""
        found = []
        for _ in range(count):
            client.send(GET.replace(b" / ", b" %b " % path))
            for peer in self.upstreams():
                if peer.take():
                    peer.send(OK)
            found.append(client.take())
        return [one.partition(b"\r\n")[0][9:12] for one in found]

    def upstreams(self) -> list[Peer]:
        """Return the connections to the upstream."""
        known: list[Peer] = self.__dict__.setdefault("known", [])
        while self.running.dialled:
            known.append(self.running.upstream())
        return known

    def test_refused(self) -> None:
        """The third of two a second is a 429 that says when to come back; later all is well."""
        mesh = self.begin(filters=[rate(2)])
        client = mesh.client("front")
        self.assertEqual(self.answers(client, 3), [b"200", b"200", b"429"])
        self.assertEqual(self.last.flags, RATE_LIMITED)
        self.assertEqual(mesh.sidecar.failures()["failures"][0]["reason"], "rate_limited")
        client.send(GET)
        self.assertIn(b"\r\nRetry-After: 1\r\n", client.take())
        mesh.advance(0.5)
        self.assertEqual(self.answers(client, 2), [b"200", b"429"])

    def test_slow(self) -> None:
        """One in ten seconds: the client is told so."""
        mesh = self.begin(filters=[rate(0.1, http_status=503)])
        client = mesh.client("front")
        self.answers(client, 1)
        client.send(GET)
        answer = client.take()
        self.assertStatus(answer, 503)
        self.assertIn(b"\r\nRetry-After: 10\r\n", answer)

    def test_route(self) -> None:
        """A route with its own rate neither uses nor gives of the listener's."""
        own = {
            **toCluster(prefix="/own"),
            "per_filter_config": {"rate_limit": {"requests_per_second": 1}},
        }
        mesh = self.begin(own, toCluster(), filters=[rate(2)])
        client = mesh.client("front")
        self.assertEqual(self.answers(client, 2, b"/own"), [b"200", b"429"])
        self.assertEqual(self.answers(client, 3), [b"200", b"200", b"429"])

    def test_connections(self) -> None:
        """The rate is of the route, over all connections."""
        mesh = self.begin(filters=[rate(1)])
        found = [self.answers(mesh.client("front"), 1) for _ in range(2)]
        self.assertEqual(found, [[b"200"], [b"429"]])
