"""Tests of how `mosntx.net.transports` read."""

from __future__ import annotations

import os
import socket

from twisted.internet.error import ConnectionLost

from mosntx.net.transports import READ_GROWTH, READ_LIMIT, READ_SECONDS
from tests.net.sockets import Noting
from tests.net.test_transports import PLENTY, TransportCase


class ReadTests(TransportCase):
    """How octets are read."""

    def test_adapts(self):
        """Full reads double the next one up to a limit, a small one takes it back."""
        pair = self.pair()
        pair.transport.bufferSize = usual = 1000
        pair.peer.send(PLENTY[:12_500])
        for _ in range(5):
            self.reactor.read(pair.transport)
        most = READ_GROWTH * usual
        self.assertEqual(self.protocol.reads, [usual, 2 * usual, most, most, 1500])
        for size in (usual, 5 * usual):
            pair.peer.send(PLENTY[:size])
            self.reactor.read(pair.transport)
        self.assertEqual(self.protocol.reads[5:], [usual, usual])

    def test_slowProtocol(self):
        """Who has much to do with a read gets no larger ones, so that others have their turn."""

        class Slow(Noting):
            def dataReceived(self, data):
                super().dataReceived(data)
                clock.advance(READ_SECONDS if slow else READ_SECONDS / 4)

        clock, slow = self.reactor, True
        pair = self.pair(Slow())
        pair.transport.bufferSize = usual = 1000
        pair.peer.send(PLENTY[: 11 * usual])
        for _ in range(3):
            self.reactor.read(pair.transport)
        slow = False
        for _ in range(2):
            self.reactor.read(pair.transport)
        slow = True
        for _ in range(2):
            self.reactor.read(pair.transport)
        self.assertEqual(self.protocol.reads, [usual] * 4 + [2 * usual, 4 * usual, usual])

    def test_limit(self):
        """No growth passes the limit; a larger usual size stays what it is."""
        pair = self.pair()
        pair.peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * READ_LIMIT)
        pair.transport.bufferSize = READ_LIMIT - 1000
        pair.peer.send(PLENTY[: 2 * READ_LIMIT - 1000])
        self.reactor.read(pair.transport)
        self.reactor.read(pair.transport)
        self.assertLessEqual(max(self.protocol.reads), READ_LIMIT)
        pair.transport.bufferSize = 2 * READ_LIMIT
        self.assertEqual(pair.transport._grown, READ_LIMIT)

    def test_nothing(self):
        """A needless event is harmless."""
        pair = self.pair()
        self.reactor.read(pair.transport)
        self.assertEqual((self.protocol.reads, self.protocol.reasons), ([], []))

    def test_broken(self):
        """A socket that cannot be read is a lost connection."""
        pair = self.pair()
        os.close(pair.socket.detach())
        self.assertIsInstance(pair.transport.doRead(), ConnectionLost)
