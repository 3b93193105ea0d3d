"""Tests of the client, against a server in the same process."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from bench.balancing import named_server
from bench.balancing.calls import NO_ANSWER, Load, parseAnswer, withEvents

Factory = Callable[[], asyncio.Protocol]


class Deaf(asyncio.Protocol):
    """Hangs up as soon as something is asked."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Hang up."""
        self._transport.close()


class ParseTests(SynchronousTestCase):
    """Reading answers."""

    def test_whole(self) -> None:
        """An answer is complete with its last octet, not before."""
        octets = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
        for end in range(len(octets)):
            self.assertIsNone(parseAnswer(octets[:end]))
        self.assertEqual(parseAnswer(octets), (200, "abc"))

    def test_wrong(self) -> None:
        """Without a length, and with more than one answer, it is no answer."""
        for octets in (
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc",
        ):
            self.assertRaises(ValueError, parseAnswer, octets)


class LoadTests(SynchronousTestCase):
    """Sending requests."""

    def run_(self, factory: Factory, total: int, rate: float | None = None) -> Load:
        """Send requests to a server of these connections."""

        async def run() -> Load:
            loop = asyncio.get_running_loop()
            server = await loop.create_server(factory, "127.0.0.1", 0)
            load = Load(server.sockets[0].getsockname()[1], 4, rate)
            await withEvents(load, total, [(0.0, self.happened)])
            server.close()
            return load

        return asyncio.run(run())

    def setUp(self) -> None:
        """Count the events."""
        self.events = 0

    def happened(self) -> None:
        """An event."""
        self.events += 1

    def test_all(self) -> None:
        """Every request has its answer, and events happen once."""
        counter = named_server.Counter(b"me", 503)
        load = self.run_(lambda: named_server.Connection(counter), 100)
        found = Counter((answer.status, answer.host) for answer in load.answers)
        self.assertEqual(found, {(503, "me"): 100})
        self.assertEqual((counter.count, self.events), (100, 1))

    def test_steady(self) -> None:
        """With a rate, no request is sent before its time."""
        counter = named_server.Counter(b"me", 200)
        load = self.run_(lambda: named_server.Connection(counter), 20, 200.0)
        for number, at in enumerate(sorted(answer.at for answer in load.answers)):
            self.assertGreater(at, number / 200.0 - 0.002)

    def test_hungUp(self) -> None:
        """A connection that ends is a request without answer; the next one has a new one."""
        load = self.run_(Deaf, 10)
        self.assertEqual([answer.status for answer in load.answers], [NO_ANSWER] * 10)

    def test_nobody(self) -> None:
        """Without a server each request fails."""
        load = Load(1, 2)
        asyncio.run(load.run(4))
        self.assertEqual([answer.status for answer in load.answers], [NO_ANSWER] * 4)
