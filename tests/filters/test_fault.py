"""Tests of `mosntx.filters.fault`: delays and failures on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.problems import ConfigError
from mosntx.contracts.filters import DELAY_INJECTED, FAULT_INJECTED, IStreamFilterFactory
from mosntx.filters.fault import FaultAbort, FaultConfig, FaultDelay, FaultFactory, FaultHeader
from mosntx.testing.contracts.filter import FakeFilterContext, FilterSuite
from tests.proxy.build import GET, OK, MeshTestCase, post, toCluster

ALWAYS = {"abort": {"percentage": 100, "status": 500}}


def fault(**config: Any) -> dict[str, Any]:
    """Return the filter as it stands in a configuration."""
    return {"type": "fault", "config": config}


class FaultSuiteTests(FilterSuite, SynchronousTestCase):
    """The contract of stream filters."""

    def factory(self) -> IStreamFilterFactory:
        """See `FilterSuite`."""
        return FaultFactory()

    def configs(self) -> Sequence[Any]:
        """See `FilterSuite`."""
        return [
            FaultConfig(),
            FaultConfig(delay=FaultDelay(100, 1.0)),
            FaultConfig(abort=FaultAbort(100)),
            FaultConfig(upstream_cluster="x", abort=FaultAbort(100)),
            FaultConfig(headers=(FaultHeader("x", "y"),), abort=FaultAbort(100)),
        ]


class BadConfigTests(SynchronousTestCase):
    """What cannot work."""

    def test_bad(self) -> None:
        """Shares beyond 100 per cent, statuses that are none, patterns that are broken."""
        for config, word in (
            (FaultConfig(delay=FaultDelay(101)), "delay.percentage"),
            (FaultConfig(abort=FaultAbort(-1)), "abort.percentage"),
            (FaultConfig(abort=FaultAbort(1, 199)), "abort.status"),
            (FaultConfig(abort=FaultAbort(1, 600)), "abort.status"),
            (FaultConfig(headers=(FaultHeader("x", "(", True),)), "("),
        ):
            with self.assertRaises(ValueError) as caught:
                FaultFactory().build(config, FakeFilterContext())
            self.assertIn(word, str(caught.exception))


class FaultTests(MeshTestCase):
    """What clients notice."""

    def test_abort(self) -> None:
        """The upstream is not asked."""
        mesh = self.begin(filters=[fault(**ALWAYS)])
        client = mesh.client("front")
        client.send(GET)
        octets = client.take()
        self.assertStatus(octets, 500)
        self.assertIn(b"fault injected", octets)
        self.assertEqual(mesh.dialled, [])
        self.assertEnded((500, FAULT_INJECTED))
        self.assertEqual(mesh.value("request_failed", listener="front"), 1)

    def test_delay(self) -> None:
        """A request goes up later."""
        delay = {"percentage": 100, "fixed_delay": "2s"}
        mesh = self.begin(filters=[fault(delay=delay)])
        client = mesh.client("front")
        client.send(post(b"abc"))
        mesh.advance(1.9)
        self.assertEqual(mesh.dialled, [])
        mesh.advance(0.2)
        upstream = mesh.upstream()
        self.assertTrue(upstream.take().endswith(b"abc"))
        upstream.send(OK)
        self.assertEqual(client.take(), OK)
        self.assertEnded((200, DELAY_INJECTED))

    def test_delayThenAbort(self) -> None:
        """Both, one after the other."""
        delay = {"percentage": 100, "fixed_delay": "2s"}
        mesh = self.begin(filters=[fault(delay=delay, **ALWAYS)])
        client = mesh.client("front")
        client.send(GET)
        self.assertEqual(client.take(), b"")
        mesh.advance(2.1)
        self.assertStatus(client.take(), 500)
        self.assertEnded((500, DELAY_INJECTED | FAULT_INJECTED))

    def test_clientDoesNotWait(self) -> None:
        """A client that leaves takes its timer along."""
        delay = {"percentage": 100, "fixed_delay": "2s"}
        mesh = self.begin(filters=[fault(delay=delay)])
        client = mesh.client("front")
        client.send(GET)
        client.reset()
        mesh.advance(5.0)
        self.assertEqual(mesh.dialled, [])

    def test_share(self) -> None:
        """About as many requests as configured are hit."""
        mesh = self.begin(
            {"match": {"prefix": "/"}, "direct_response": {"status": 200}},
            filters=[fault(abort={"percentage": 30, "status": 503})],
        )
        client = mesh.client("front")
        client.send(GET * 400)
        hit = client.take().count(b"HTTP/1.1 503")
        self.assertGreater(hit, 80)
        self.assertLess(hit, 160)

    def test_none(self) -> None:
        """Nought per cent is never."""
        self.begin(filters=[fault(abort={"percentage": 0}, delay={"fixed_delay": "1s"})])
        client, upstream = self.get()
        upstream.send(OK)
        self.assertEqual(client.take(), OK)

    def test_headers(self) -> None:
        """Only requests with all these headers, by value or pattern."""
        headers = [
            {"name": "X-A", "value": "1"},
            {"name": "x-b", "value": "^v[0-9]$", "regex": True},
        ]
        mesh = self.begin(
            {"match": {"prefix": "/"}, "direct_response": {"status": 200}},
            filters=[fault(headers=headers, **ALWAYS)],
        )
        client = mesh.client("front")
        for fields, status in (
            (b"x-a: 1\r\nX-B: v2\r\n", 500),
            (b"x-a: 2\r\nX-B: v2\r\n", 200),
            (b"x-a: 1\r\nX-B: w2\r\n", 200),
            (b"x-a: 1\r\n", 200),
            (b"", 200),
        ):
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n")
            self.assertStatus(client.take(), status)

    def test_cluster(self) -> None:
        """Only requests for one cluster; none without a route."""
        mesh = self.begin(
            toCluster(prefix="/app"), filters=[fault(upstream_cluster="app", **ALWAYS)]
        )
        client = mesh.client("front")
        client.send(b"GET /app HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertStatus(client.take(), 500)
        client.send(b"GET /other HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertStatus(client.take(), 404)

    def test_perRoute(self) -> None:
        """A route's own configuration replaces the listener's."""
        mild = {"fault": {"abort": {"percentage": 100, "status": 418}}}
        answer = {"direct_response": {"status": 200}}
        mesh = self.begin(
            {"match": {"prefix": "/own"}, **answer, "per_filter_config": mild},
            {"match": {"prefix": "/none"}, **answer, "per_filter_config": {"fault": {}}},
            {"match": {"prefix": "/"}, **answer},
            filters=[fault(**ALWAYS)],
        )
        client = mesh.client("front")
        for path, status in ((b"/own", 418), (b"/none", 200), (b"/", 500), (b"/own", 418)):
            client.send(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % path)
            self.assertStatus(client.take(), status)

    def test_notWithoutTheFilter(self) -> None:
        """A route cannot switch on what the listener does not have."""
        own = {"fault": ALWAYS}
        mesh = self.begin(
            {"match": {"prefix": "/"}, "direct_response": {"status": 200}, "per_filter_config": own}
        )
        client = mesh.client("front")
        client.send(GET)
        self.assertStatus(client.take(), 200)

    def test_badConfigHasAPlace(self) -> None:
        """A mistake is reported with the path of the filter."""
        with self.assertRaises(ConfigError) as caught:
            self.begin(filters=[fault(abort={"percentage": 101})])
        (problem,) = caught.exception.problems
        self.assertEqual(problem.path, "servers[0].listeners[0].stream_filters[0]")
