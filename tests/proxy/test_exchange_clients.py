"""Tests of `mosntx.proxy.exchange`: clients that leave."""

from __future__ import annotations

from mosntx.contracts.stream import (
    DOWNSTREAM_GONE,
    PROTOCOL_ERROR,
)
from tests.proxy.build import (
    GET,
    OK,
    MeshTestCase,
)

CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


class ClientGoneTests(MeshTestCase):
    """A client that leaves: its upstream is cancelled, 504 is recorded, everything is released."""

    def assertGone(self, resets: int = 1) -> None:
        """Check the accounts of a client that left before its answer."""
        mesh = self.running
        mesh.advance(1.0)
        self.assertEnded((504, 0))
        self.assertEqual(self.witness.resets, [DOWNSTREAM_GONE])
        self.assertEqual(mesh.value("request_reset", listener="front"), resets)
        self.assertEqual(mesh.value("request_504_total", listener="front"), 1)
        self.assertEqual(mesh.value("request_failed", listener="front"), 0)

    def test_beforeTheConnect(self) -> None:
        """While the upstream connection is being made: it goes to the next request."""
        mesh = self.begin()
        client = mesh.client("front")
        client.send(GET)
        client.reset()
        upstream = mesh.upstream()
        self.assertEqual(upstream.take(), b"")
        self.assertGone()
        self.assertFalse(upstream.closed)

    def test_waitingForAConnection(self) -> None:
        """In the queue of the pool: its place is free again."""
        mesh = self.begin(cluster={"circuit_breakers": [{"max_connections": 1}]})
        first, upstream = self.get()
        client = mesh.client("front")
        client.send(GET)
        client.reset()
        self.assertGone()
        upstream.send(OK)
        self.assertEqual(first.take(), OK)
        self.assertEqual(upstream.take(), GET)

    def test_waitingForTheResponse(self) -> None:
        """The upstream's connection is closed, the only way to take the request back."""
        self.begin()
        client, upstream = self.get()
        client.reset()
        self.assertTrue(upstream.closed)
        self.assertGone()

    def test_halfClose(self) -> None:
        """A FIN while the answer is awaited counts as leaving (MOSN, Envoy)."""
        self.begin()
        client, upstream = self.get()
        client.finish()
        self.assertTrue(upstream.closed)
        self.assertTrue(client.closed)
        self.assertGone()

    def test_inTheRequestBody(self) -> None:
        """A body that breaks off never looks complete to the upstream."""
        self.begin()
        client, upstream = self.get(CHUNKED + b"3\r\nabc\r\n")
        client.reset()
        self.assertTrue(upstream.closed)
        self.assertFalse(upstream.take().endswith(b"0\r\n\r\n"))
        self.assertGone()

    def test_inTheResponseBody(self) -> None:
        """The status is the one that was sent."""
        mesh = self.begin()
        client, upstream = self.get()
        upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        client.reset()
        self.assertTrue(upstream.closed)
        self.assertEnded((200, 0))
        self.assertEqual(mesh.value("request_reset", listener="front"), 1)

    def test_afterTheAnswer(self) -> None:
        """Nothing is wrong, and the upstream's connection is kept."""
        mesh = self.begin()
        client, upstream = self.get()
        upstream.send(OK)
        client.reset()
        self.assertFalse(upstream.closed)
        self.assertEnded((200, 0))
        self.assertEqual(mesh.value("request_reset", listener="front"), 0)

    def test_brokenBody(self) -> None:
        """A client that breaks the protocol in its body gets 400, which is also recorded."""
        mesh = self.begin()
        client, upstream = self.get(CHUNKED + b"3\r\nabc\r\n")
        client.send(b"nonsense\r\n")
        self.assertStatus(client.take(), 400)
        self.assertTrue(upstream.closed)
        mesh.advance(1.0)
        self.assertEnded((400, 0))
        self.assertEqual(self.witness.resets, [PROTOCOL_ERROR])
