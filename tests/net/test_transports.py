"""Tests of `mosntx.net.transports`: real sockets, a reactor that takes notes."""

from __future__ import annotations

import os
import socket
from typing import Any

from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IFileDescriptorReceiver,
    IHalfCloseableProtocol,
    IPullProducer,
    IPushProducer,
)
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mosntx.net.transports import UnixServer
from tests.net.sockets import Noting, NotingReactor, Pair

#: Octets that no socket buffer below takes at once.
PLENTY = b"0123456789abcdef" * 65536

#: Octets of a small send buffer; the kernel doubles it.
ROOM = 4096


class TransportCase(SynchronousTestCase):
    """Has a reactor."""

    def setUp(self):
        self.reactor = NotingReactor()

    def pair(self, protocol=None, **options):
        """Return a connected transport and its peer."""
        self.protocol: Any = Noting() if protocol is None else protocol
        pair = Pair(self.reactor, self.protocol, **options)
        self.addCleanup(pair.close)
        self.protocol.makeConnection(pair.transport)
        return pair

    def drained(self, pair):
        """Return all octets, letting the transport write while the peer reads."""
        arrived = pair.arrived()
        while pair.transport in self.reactor.writers:
            self.reactor.writable(pair.transport)
            arrived += pair.arrived()
        return arrived


class WriteTests(TransportCase):
    """How octets are sent."""

    def test_joined(self):
        """Writes of one turn are sent when it ends, without epoll."""
        pair = self.pair()
        pair.transport.write(b"head ")
        pair.transport.writeSequence([b"body ", b"tail"])
        pair.transport.write(b"")
        self.assertEqual(pair.arrived(), b"")
        self.reactor.endTurn()
        self.assertEqual((pair.arrived(), self.reactor.armed), (b"head body tail", 0))
        self.assertEqual(self.reactor.turn.waiting, [])

    def test_nextTurn(self):
        """Each turn has its own octets."""
        pair = self.pair()
        for each in (b"one", b"two"):
            pair.transport.write(each)
            self.reactor.endTurn()
            self.assertEqual(pair.arrived(), each)

    def test_notBytes(self):
        """What is no bytes is refused as by Twisted."""
        pair = self.pair()
        self.assertRaises(TypeError, pair.transport.write, "text")
        self.assertRaises(TypeError, pair.transport.write, bytearray(b"octets"))

    def test_kernelRefuses(self):
        """What the kernel does not take waits for epoll, which is disarmed after it."""
        pair = self.pair(room=ROOM)
        pair.transport.write(PLENTY[:100_000])
        self.reactor.endTurn()
        self.assertEqual((self.reactor.writers, self.reactor.armed), ({pair.transport}, 1))
        pair.transport.write(b"the end")
        self.assertEqual(self.reactor.turn.waiting, [])
        self.assertEqual(self.drained(pair), PLENTY[:100_000] + b"the end")
        self.assertEqual((self.reactor.writers, self.reactor.armed), (set(), 1))
        pair.transport.write(b"more")
        self.reactor.endTurn()
        self.assertEqual((pair.arrived(), self.reactor.armed), (b"more", 1))

    def test_muchAtOnce(self):
        """More than Twisted sends at once arrives whole."""
        pair = self.pair()
        pair.transport.write(PLENTY)
        self.reactor.endTurn()
        self.assertEqual(self.drained(pair), PLENTY)

    def test_peerGone(self):
        """Writing to a peer that is gone ends the connection, once."""
        pair = self.pair()
        pair.peer.close()
        pair.transport.write(b"late")
        self.reactor.endTurn()
        self.assertEqual(self.protocol.reasons, [ConnectionLost])
        pair.transport.write(b"later")
        self.reactor.endTurn()
        self.assertEqual(self.protocol.reasons, [ConnectionLost])

    def test_failingProtocol(self):
        """A protocol that fails while it is told of the end harms no other transport."""

        class Failing(Noting):
            def connectionLost(self, reason=None):
                raise ValueError("end")

        bad, good = self.pair(Failing()), self.pair()
        bad.peer.close()
        bad.transport.write(b"x")
        good.transport.write(b"y")
        self.reactor.endTurn()
        self.assertEqual(good.arrived(), b"y")
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)


@implementer(IHalfCloseableProtocol)
class Halves(Noting):
    """A protocol that hears of halves."""

    halves = ""

    def readConnectionLost(self):
        """See ``IHalfCloseableProtocol``."""
        self.halves += "r"

    def writeConnectionLost(self):
        """See ``IHalfCloseableProtocol``."""
        self.halves += "w"


class EndTests(TransportCase):
    """How connections end."""

    def test_lose(self):
        """What was written before a close arrives; the protocol hears of it later."""
        pair = self.pair()
        pair.transport.write(b"bye")
        pair.transport.loseConnection()
        self.assertEqual(self.protocol.reasons, [])
        self.reactor.endTurn()
        self.assertEqual((pair.arrived(), self.protocol.reasons), (b"bye", [ConnectionDone]))
        self.assertEqual((self.reactor.readers, self.reactor.writers), (set(), set()))

    def test_loseMuch(self):
        """A close waits for all that was written."""
        pair = self.pair(room=ROOM)
        pair.transport.write(PLENTY[:100_000])
        pair.transport.loseConnection()
        self.reactor.endTurn()
        self.assertEqual(self.protocol.reasons, [])
        self.assertEqual(self.drained(pair), PLENTY[:100_000])
        self.assertEqual(self.protocol.reasons, [ConnectionDone])

    def test_loseSilently(self):
        """A close without octets comes at the end of the turn too."""
        pair = self.pair()
        pair.transport.loseConnection()
        self.reactor.endTurn()
        self.assertEqual((self.protocol.reasons, pair.ended()), ([ConnectionDone], True))

    def test_halfClose(self):
        """Our half is closed after its octets; the other one goes on."""
        pair = self.pair(Halves())
        pair.transport.write(b"all")
        pair.transport.loseWriteConnection()
        self.reactor.endTurn()
        self.assertEqual((pair.arrived(), pair.ended()), (b"all", True))
        pair.peer.send(b"answer")
        self.reactor.read(pair.transport)
        self.assertEqual((self.protocol.received, self.protocol.halves), (b"answer", "w"))
        pair.peer.close()
        self.reactor.read(pair.transport)
        self.assertEqual((self.protocol.halves, self.protocol.reasons), ("wr", []))
        pair.transport.loseConnection()
        self.assertEqual(self.protocol.reasons, [ConnectionDone])

    def test_abort(self):
        """An abort drops what was written, waiting or refused."""
        for written in (b"x", PLENTY):
            pair = self.pair(room=ROOM)
            pair.transport.write(written)
            if written is PLENTY:
                self.reactor.endTurn()
                pair.arrived()
            pair.transport.abortConnection()
            pair.transport.write(b"after")
            self.reactor.endTurn()
            self.assertEqual(self.protocol.reasons, [ConnectionAborted])
            self.assertEqual((pair.arrived(), self.reactor.writers), (b"", set()))

    def test_lostWhileWaiting(self):
        """A connection that is lost before its turn ends sends nothing."""
        pair = self.pair()
        pair.transport.write(b"x")
        pair.peer.close()
        self.reactor.read(pair.transport)
        self.assertEqual(self.protocol.reasons, [ConnectionDone])
        self.reactor.endTurn()
        self.assertEqual(self.protocol.reasons, [ConnectionDone])


@implementer(IPushProducer)
class Push:
    """Notes what it is asked."""

    def __init__(self):
        self.log = []

    def pauseProducing(self):
        """See ``IPushProducer``."""
        self.log.append("pause")

    def resumeProducing(self):
        """See ``IPushProducer``."""
        self.log.append("resume")

    def stopProducing(self):
        """See ``IPushProducer``."""
        self.log.append("stop")


@implementer(IPullProducer)
class Pull:
    """Writes a piece whenever it is asked, then goes."""

    def __init__(self, transport, pieces):
        self.transport = transport
        self.pieces = pieces

    def resumeProducing(self):
        """See ``IPullProducer``."""
        self.transport.write(self.pieces.pop(0))
        if not self.pieces:
            self.transport.unregisterProducer()

    def stopProducing(self):
        """See ``IPullProducer``."""


class ProducerTests(TransportCase):
    """Producers are paused and asked as by Twisted."""

    def test_push(self):
        """A producer is paused beyond the mark and resumed when all is sent."""
        pair, producer = self.pair(room=ROOM), Push()
        pair.transport.bufferSize = 50_000
        pair.transport.registerProducer(producer, True)
        pair.transport.write(PLENTY[:50_000])
        self.assertEqual(producer.log, [])
        pair.transport.write(PLENTY[50_000:100_000])
        self.assertEqual(producer.log, ["pause"])
        self.reactor.endTurn()
        self.assertEqual(producer.log, ["pause"])
        self.assertEqual(self.drained(pair), PLENTY[:100_000])
        self.assertEqual(producer.log, ["pause", "resume"])

    def test_pushNotPaused(self):
        """A producer goes on when the kernel takes all that is beyond the mark."""
        pair, producer = self.pair(), Push()
        pair.transport.bufferSize = 1000
        pair.transport.registerProducer(producer, True)
        pair.transport.write(PLENTY[:600])
        self.assertEqual(pair.arrived(), b"")
        pair.transport.write(PLENTY[600:1200])
        self.assertEqual((pair.arrived(), producer.log), (PLENTY[:1200], []))
        pair.transport.write(b"the end")
        self.assertEqual(pair.arrived(), b"")
        self.reactor.endTurn()
        self.assertEqual((pair.arrived(), self.reactor.armed), (b"the end", 0))
        self.assertEqual(self.reactor.turn.waiting, [])

    def test_afterUsualWrites(self):
        """Producers that come or are paused after usual writes, and a close, are not overlooked."""
        for streaming in (True, False):
            pair = self.pair(room=ROOM)
            pair.transport.bufferSize = 50_000
            pair.transport.write(b"usual")
            self.reactor.endTurn()
            pair.transport.write(b" again")
            self.reactor.endTurn()
            self.assertEqual(pair.arrived(), b"usual again")
            if streaming:
                producer = Push()
                pair.transport.registerProducer(producer, True)
                pair.transport.write(PLENTY[:100_000])
                self.assertEqual(producer.log, ["pause"])
                self.assertEqual(self.drained(pair), PLENTY[:100_000])
                self.assertEqual(producer.log, ["pause", "resume"])
                pair.transport.unregisterProducer()
            else:
                pull = Pull(pair.transport, [b"1", b"2"])
                pair.transport.registerProducer(pull, False)
                for piece in (b"1", b"2"):
                    self.reactor.endTurn()
                    self.assertEqual(pair.arrived(), piece)
            pair.transport.write(b"bye")
            pair.transport.loseConnection()
            self.reactor.endTurn()
            self.assertEqual((pair.arrived(), self.protocol.reasons), (b"bye", [ConnectionDone]))

    def test_pausedSequence(self):
        """Pieces written in one go beyond the mark pause a producer at once, as by Twisted."""
        pair, producer = self.pair(), Push()
        pair.transport.bufferSize = 1000
        pair.transport.registerProducer(producer, True)
        pair.transport.writeSequence([PLENTY[:600], PLENTY[600:1200]])
        self.assertEqual((pair.arrived(), producer.log), (b"", ["pause"]))
        self.reactor.endTurn()
        self.assertEqual((pair.arrived(), producer.log), (PLENTY[:1200], ["pause", "resume"]))

    def test_pushToOneGone(self):
        """A peer that is gone is noticed at the end of the turn, not in the midst of a write."""
        pair, producer = self.pair(), Push()
        pair.transport.bufferSize = 1000
        pair.transport.registerProducer(producer, True)
        pair.peer.close()
        pair.transport.write(PLENTY[:1200])
        self.assertEqual(self.protocol.reasons, [])
        self.reactor.endTurn()
        self.assertEqual(self.protocol.reasons, [ConnectionLost])

    def test_pushPausedAtTheEnd(self):
        """A close waits for a paused producer, and happens when that has gone."""
        pair, producer = self.pair(room=ROOM), Push()
        pair.transport.bufferSize = 50_000
        pair.transport.registerProducer(producer, True)
        pair.transport.write(PLENTY[:100_000])
        pair.transport.loseConnection()
        self.reactor.endTurn()
        self.drained(pair)
        self.assertEqual((producer.log, self.protocol.reasons), (["pause", "resume"], []))
        pair.transport.unregisterProducer()
        self.reactor.endTurn()
        self.assertEqual(self.protocol.reasons, [ConnectionDone])

    def test_pull(self):
        """A pull producer is asked once per turn, and the close waits for its last piece."""
        pair = self.pair()
        pair.transport.registerProducer(Pull(pair.transport, [b"1", b"2", b"3"]), False)
        pair.transport.loseConnection()
        for piece in (b"1", b"2", b"3"):
            self.reactor.endTurn()
            self.assertEqual(pair.arrived(), piece)
        self.reactor.endTurn()
        self.assertEqual((self.protocol.reasons, self.reactor.armed), ([ConnectionDone], 0))

    def test_lost(self):
        """The producer of a lost connection is stopped."""
        pair, producer = self.pair(), Push()
        pair.transport.registerProducer(producer, True)
        pair.peer.close()
        self.reactor.read(pair.transport)
        self.assertEqual(producer.log, ["stop"])


@implementer(IFileDescriptorReceiver)
class Descriptors(Noting):
    """Takes descriptors."""

    def fileDescriptorReceived(self, descriptor):
        """See ``IFileDescriptorReceiver``."""
        os.close(descriptor)


class UnixTests(TransportCase):
    """Unix sockets carry descriptors too."""

    def test_descriptor(self):
        """A descriptor goes with the octets of its turn."""
        pair = self.pair(Descriptors(), kind=UnixServer)
        with socket.socket() as sent:
            pair.transport.sendFileDescriptor(sent.fileno())
            pair.transport.write(b"with it")
            self.reactor.endTurn()
            octets, descriptors, _, _ = socket.recv_fds(pair.peer, 100, 1)
            octets += pair.arrived()
            self.assertEqual((octets, len(descriptors)), (b"with it", 1))
            with socket.socket(fileno=descriptors[0]) as received:
                self.assertEqual(received.family, sent.family)
