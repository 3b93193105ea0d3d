"""Tests of `mosntx.filters.payload_limit`: request bodies that are too large."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.filters import REQUEST_ENTITY_TOO_LARGE, IStreamFilterFactory
from mosntx.filters.payload_limit import PayloadLimitConfig, PayloadLimitFactory
from mosntx.testing.contracts.filter import FakeFilterContext, FilterSuite
from tests.proxy.build import OK, MeshTestCase, post, toCluster

CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def limit(size: int, **more: Any) -> dict[str, Any]:
    """Return the filter as it stands in a configuration."""
    return {"type": "payload_limit", "config": {"max_entity_size": size, **more}}


class PayloadLimitSuiteTests(FilterSuite, SynchronousTestCase):
    """The contract of stream filters."""

    def factory(self) -> IStreamFilterFactory:
        """See `FilterSuite`."""
        return PayloadLimitFactory()

    def configs(self) -> Sequence[Any]:
        """See `FilterSuite`."""
        return [PayloadLimitConfig(), PayloadLimitConfig(1), PayloadLimitConfig(10, 400)]

    def test_bad(self) -> None:
        """Statuses that are none."""
        for status in (0, 199, 600):
            with self.assertRaises(ValueError):
                PayloadLimitFactory().build(PayloadLimitConfig(1, status), FakeFilterContext())


class PayloadLimitTests(MeshTestCase):
    """What clients notice."""

    def assertRefused(self, octets: bytes, status: int = 413) -> None:
        """Check answer and accounts of a refusal."""
        self.assertStatus(octets, status)
        self.assertIn(b"too large", octets)
        self.assertEnded((status, REQUEST_ENTITY_TOO_LARGE))
        self.assertEqual(self.running.value("request_failed", listener="front"), 1)

    def test_declared(self) -> None:
        """A length that is too large is refused before the upstream is asked."""
        mesh = self.begin(filters=[limit(10)])
        client = mesh.client("front")
        client.send(post(length=11))
        self.assertRefused(client.take())
        self.assertEqual(mesh.dialled, [])

    def test_counted(self) -> None:
        """A body without a length is refused when it gets too long."""
        self.begin(filters=[limit(10)])
        client, upstream = self.get(CHUNKED + b"a\r\n0123456789\r\n")
        self.assertTrue(upstream.take().endswith(b"0123456789\r\n"))
        client.send(b"1\r\nx\r\n")
        self.assertRefused(client.take())
        self.assertTrue(upstream.closed)

    def test_atTheLimit(self) -> None:
        """Exactly the limit is fine; so is anything without one."""
        for size in (10, 0):
            self.begin(filters=[limit(size)])
            client, upstream = self.get(post(b"0123456789"))
            self.assertTrue(upstream.take().endswith(b"0123456789"))
            upstream.send(OK)
            self.assertEqual(client.take(), OK)
            self.tearDown()

    def test_status(self) -> None:
        """The status may be another."""
        mesh = self.begin(filters=[limit(10, http_status=400)])
        client = mesh.client("front")
        client.send(post(length=11))
        self.assertRefused(client.take(), 400)

    def test_responseHasBegun(self) -> None:
        """Then the connection breaks off, and the flag says why."""
        self.begin(filters=[limit(1)])
        client, upstream = self.get(CHUNKED)
        upstream.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.send(b"2\r\nxx\r\n")
        self.assertTrue(client.closed)
        self.assertEnded((200, REQUEST_ENTITY_TOO_LARGE))

    def test_perRoute(self) -> None:
        """A route's own configuration replaces the listener's."""
        own = {"payload_limit": {"max_entity_size": 3}}
        route = {**toCluster(prefix="/own"), "per_filter_config": own}
        mesh = self.begin(route, toCluster(), filters=[limit(10)])
        client = mesh.client("front")
        client.send(post(b"0123", path=b"/own"))
        self.assertStatus(client.take(), 413)
        client, upstream = self.get(post(b"0123"))
        upstream.send(OK)
        self.assertEqual(client.take(), OK)

    def test_withoutARoute(self) -> None:
        """Also requests that nothing matches are looked at."""
        mesh = self.begin(toCluster(prefix="/x"), filters=[limit(3)])
        client = mesh.client("front")
        client.send(post(b"0123"))
        self.assertStatus(client.take(), 413)
