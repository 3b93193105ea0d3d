"""Tests of `mosntx.proxy.exchange`: ``max_body`` of a route."""

from __future__ import annotations

from mosntx.contracts.filters import REQUEST_ENTITY_TOO_LARGE
from mosntx.testing.frames import boltRequest
from tests.proxy.build import OK, MeshTestCase, post, toCluster
from tests.proxy.test_exchange_bolt import SERVICE, rpcRoute

CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


class BodyLimitTests(MeshTestCase):
    """What clients notice of a route's limit."""

    def assertRefused(self, octets: bytes) -> None:
        """Check answer and accounts."""
        self.assertStatus(octets, 413)
        self.assertEnded((413, REQUEST_ENTITY_TOO_LARGE))
        self.assertEqual(self.running.value("request_failed", listener="front"), 1)

    def test_declared(self) -> None:
        """A length that is too large is refused before the upstream is asked."""
        mesh = self.begin(toCluster(max_body=10))
        client = mesh.client("front")
        client.send(post(length=11))
        self.assertRefused(client.take())
        self.assertEqual(mesh.dialled, [])

    def test_chunked(self) -> None:
        """A body without a length is refused as soon as it is too long; no more goes up."""
        self.begin(toCluster(max_body=10))
        client, upstream = self.get(CHUNKED + b"a\r\n0123456789\r\n")
        self.assertTrue(upstream.take().endswith(b"0123456789\r\n"))
        client.send(b"1\r\nx\r\n")
        self.assertRefused(client.take())
        self.assertTrue(upstream.closed)
        self.assertEqual(upstream.take(), b"")

    def test_chunkedAtOnce(self) -> None:
        """A body that comes with its head is refused before anything goes up."""
        mesh = self.begin(toCluster(max_body=10))
        client = mesh.client("front")
        client.send(CHUNKED + b"b\r\n0123456789x\r\n0\r\n\r\n")
        self.assertRefused(client.take())

    def test_answering(self) -> None:
        """When the answer has begun it is broken off: nobody may take it for complete."""
        self.begin(toCluster(max_body=10))
        client, upstream = self.get(CHUNKED + b"1\r\nx\r\n")
        upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n1")
        client.send(b"a\r\n0123456789\r\n")
        self.assertTrue(client.closed)
        self.assertTrue(upstream.closed)

    def test_allowed(self) -> None:
        """Exactly the limit is fine, and so is anything on another route."""
        for route, size in ((toCluster(max_body=10), 10), (toCluster(), 100)):
            self.begin(route)
            client, upstream = self.get(post(b"x" * size))
            upstream.send(OK)
            self.assertEqual(client.take(), OK)
            self.tearDown()

    def test_bolt(self) -> None:
        """The content of a frame is a body."""
        mesh = self.begin(rpcRoute(max_body=4), proxy={"downstream_protocol": "bolt"})
        client = mesh.client("front")
        client.send(boltRequest(1, b"12345", SERVICE))
        self.assertEnded((413, REQUEST_ENTITY_TOO_LARGE))
        self.assertEqual(mesh.dialled, [])
        client.send(boltRequest(2, b"1234", SERVICE))
        self.assertIn(b"1234", mesh.upstream().take())
