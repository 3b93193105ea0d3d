"""Tests of the upstream that counts, without its sockets."""

from __future__ import annotations

import asyncio

from twisted.trial.unittest import SynchronousTestCase

from bench.balancing.named_server import Connection, Counter

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
ASK = b"GET /count HTTP/1.1\r\nHost: a\r\n\r\n"


class Kept(asyncio.WriteTransport):
    """A transport that remembers what was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Remember it."""
        self.written += bytes(data)


class ServerTests(SynchronousTestCase):
    """A connection."""

    def test_answer(self) -> None:
        """Each request is answered with status and name, however the octets are cut."""
        for size in (1, 3, 1000):
            kept, connection = Kept(), Connection(Counter(b"me", 503))
            connection.connection_made(kept)
            octets = REQUEST * 2
            for start in range(0, len(octets), size):
                connection.data_received(octets[start : start + size])
            self.assertEqual(kept.written, b"HTTP/1.1 503 X\r\nContent-Length: 2\r\n\r\nme" * 2)

    def test_delay(self) -> None:
        """With a delay, the answer comes later."""
        kept, connection = Kept(), Connection(Counter(b"me", 200), 0.01)
        connection.connection_made(kept)

        async def ask() -> bytes:
            connection.data_received(REQUEST)
            atOnce = kept.written
            while not kept.written:
                await asyncio.sleep(0.001)
            return atOnce

        self.assertEqual(asyncio.run(ask()), b"")
        self.assertTrue(kept.written.endswith(b"me"))

    def test_count(self) -> None:
        """Requests of all connections are counted, the question itself is not."""
        counter = Counter(b"me", 200)
        for _ in range(2):
            kept, connection = Kept(), Connection(counter)
            connection.connection_made(kept)
            connection.data_received(REQUEST * 3 + ASK)
        self.assertTrue(kept.written.endswith(b"HTTP/1.1 200 X\r\nContent-Length: 1\r\n\r\n6"))
        self.assertEqual(counter.count, 6)
