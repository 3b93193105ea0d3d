"""Tests of `mosntx.testing.mesh`: what it plays is what a reactor would do."""

from __future__ import annotations

from random import Random

from twisted.internet.interfaces import IReactorTime, ITransport
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.config.problems import ConfigError
from mosntx.net.ports import sharedBinding
from mosntx.testing.mesh import MemoryMesh, MemoryTransport, Peer
from tests.service.build import ANSWER, REQUEST, TEXT, config, inFlight


class Recorder:
    """A protocol that remembers."""

    def __init__(self):
        self.transport = None
        self.events = []

    def makeConnection(self, transport):
        """See ``IProtocol``."""
        self.transport = transport

    def dataReceived(self, data):
        """See ``IProtocol``."""
        self.events.append(data)

    def readConnectionLost(self):
        """See ``IHalfCloseableProtocol``."""
        self.events.append("read lost")

    def connectionLost(self, reason: Failure):
        """See ``IProtocol``."""
        self.events.append(type(reason.value).__name__)

    def pauseProducing(self):
        """See ``IPushProducer``."""
        self.events.append("pause")

    def resumeProducing(self):
        """See ``IPushProducer``."""
        self.events.append("resume")

    def stopProducing(self):
        """See ``IPushProducer``."""
        self.events.append("stop")


class PeerTests(SynchronousTestCase):
    """One connection."""

    def setUp(self):
        self.reactor = MemoryReactorClock()
        self.protocol = Recorder()
        self.transport = MemoryTransport(self.reactor, 80, 50001)
        self.peer = Peer(self.transport, self.protocol)

    def test_transport(self):
        """It is connected with both addresses."""
        verifyObject(ITransport, self.transport)
        self.assertIs(self.protocol.transport, self.transport)
        self.assertEqual(
            (self.transport.getHost().port, self.transport.getPeer().port), (80, 50001)
        )

    def test_octets(self):
        """Octets go both ways; what was taken is gone."""
        self.peer.send(b"to")
        self.transport.write(b"fro")
        self.assertEqual(
            (self.protocol.events, self.peer.take(), self.peer.take()), ([b"to"], b"fro", b"")
        )

    def test_loseConnection(self):
        """A close of ours takes effect in the next turn, once."""
        self.transport.loseConnection()
        self.transport.loseConnection()
        self.assertTrue(self.peer.closed)
        self.assertEqual((self.protocol.events, self.transport.lost), ([], False))
        self.reactor.advance(0)
        self.assertEqual((self.protocol.events, self.transport.lost), (["ConnectionDone"], True))

    def test_abort(self):
        """So does an abort, also after a close."""
        self.transport.loseConnection()
        self.transport.abortConnection()
        self.reactor.advance(0)
        self.assertEqual(len(self.protocol.events), 1)

    def test_abortAlone(self):
        """An abort is no orderly end."""
        self.transport.abortConnection()
        self.assertTrue(self.peer.closed)
        self.reactor.advance(0)
        self.assertEqual(self.protocol.events, ["ConnectionLost"])

    def test_halfClose(self):
        """A FIN of each side is no end of the other direction."""
        self.peer.finish()
        self.transport.write(b"late")
        self.assertEqual((self.protocol.events, self.peer.closed), (["read lost"], False))
        self.transport.loseWriteConnection()
        self.assertEqual((self.peer.take(), self.peer.closed), (b"late", True))

    def test_reset(self):
        """A RST ends it now; nothing comes after it."""
        self.peer.reset()
        self.peer.reset()
        self.peer.send(b"x")
        self.peer.finish()
        self.transport.loseConnection()
        self.reactor.advance(0)
        self.assertEqual(self.protocol.events, ["ConnectionLost"])

    def test_buffer(self):
        """The test says when the write buffer is full; a producer must be there."""
        self.assertRaises(AssertionError, self.peer.block)
        self.transport.registerProducer(self.protocol, True)
        self.peer.block()
        self.peer.unblock()
        self.assertEqual(self.protocol.events, ["pause", "resume"])

    def test_reading(self):
        """It is seen whether octets are taken."""
        self.assertTrue(self.peer.reading)
        self.transport.pauseProducing()
        self.assertFalse(self.peer.reading)
        self.transport.resumeProducing()
        self.assertTrue(self.peer.reading)


class MeshTests(SynchronousTestCase):
    """A whole Sidecar."""

    def test_config(self):
        """Text and mappings; a wrong one raises what the Sidecar raises."""
        self.assertEqual(list(MemoryMesh(TEXT).sidecar.listeners), ["in"])
        self.assertEqual(list(MemoryMesh(config()).sidecar.listeners), ["in"])
        self.assertRaises(ConfigError, MemoryMesh, "servers: 7")

    def test_sharedPort(self):
        """A port that other processes may have too is found like any other."""
        mesh = MemoryMesh(
            TEXT.replace("bind_port: true", "reuseport: true\n        bind_port: true")
        )
        place = mesh.reactor.tcpServers[0][0]
        self.assertEqual(place, sharedBinding("127.0.0.1", 2045))
        client, upstream = inFlight(mesh)
        upstream.send(ANSWER)
        self.assertTrue(client.take().endswith(b"ok"))
        mesh.hangUp()

    def test_virtual(self):
        """Its clocks are the reactor's."""
        mesh = MemoryMesh(TEXT)
        verifyObject(IReactorTime, mesh.reactor)
        mesh.advance(7.5)
        self.assertEqual(mesh.reactor.seconds(), 7.5)

    def test_options(self):
        """Options reach the Sidecar: random numbers are the same each time, or the test's."""
        text = TEXT.replace(
            "router_config_name: r}", "router_config_name: r, generate_request_id: true}"
        )
        sent = []
        for options in ({}, {}, {"random": Random(7)}):
            mesh = MemoryMesh(text, **options)
            mesh.client("in").send(REQUEST)
            sent.append(mesh.upstream().take())
            mesh.hangUp()
        self.assertEqual(sent[0], sent[1])
        self.assertNotEqual(sent[0], sent[2])

    def test_request(self):
        """The example of the module."""
        mesh = MemoryMesh(TEXT)
        client, upstream = inFlight(mesh)
        upstream.send(ANSWER)
        self.assertTrue(client.take().endswith(b"ok"))
        mesh.hangUp()
        self.assertTrue(all(peer.closed for peer in mesh.peers))

    def test_advance(self):
        """What is due meanwhile happens at its own time, in order, with what it causes."""
        mesh = MemoryMesh(TEXT)
        seen = []
        clock = mesh.reactor

        def tick():
            seen.append(clock.seconds())
            if len(seen) < 3:
                clock.callLater(2, tick)

        clock.callLater(1, tick)
        mesh.advance(4)
        self.assertEqual((seen, clock.seconds()), ([1, 3], 4))
        mesh.advance(10)
        self.assertEqual((seen, clock.seconds()), ([1, 3, 5], 14))

    def test_timers(self):
        """What the reactor still has to do is counted."""
        mesh = MemoryMesh(TEXT)
        self.assertEqual(mesh.timers, 1)  # the next look at the event loop's lag
        inFlight(mesh)
        self.assertGreater(mesh.timers, 1)
        mesh.sidecar.abort()
        mesh.sidecar.stopService()
        mesh.advance(2)
        self.assertEqual(mesh.timers, 0)

    def test_value(self):
        """Counters are summed over all scopes that have the labels."""
        mesh = MemoryMesh(TEXT)
        mesh.client("in")
        self.assertEqual(mesh.value("connection_total", listener="in"), 1)
        self.assertEqual(mesh.value("connection_total", listener="out"), 0)
        self.assertEqual(mesh.value("connection_total"), 2)  # and the sum over all listeners
        self.assertEqual(mesh.value("nothing_like_it"), 0)
        mesh.hangUp()

    def test_nobodyListens(self):
        """A connect to a listener without a port, and an unknown name, are errors of the test."""
        mesh = MemoryMesh(TEXT.replace("bind_port: true", "bind_port: false"))
        self.assertRaises(LookupError, mesh.client, "in")
        self.assertRaises(KeyError, mesh.client, "out")

    def test_ports(self):
        """Clients come from different ports, as access logs and hashes need it."""
        mesh = MemoryMesh(TEXT)
        ports = {mesh.client("in").transport.getPeer().port for _ in range(3)}
        self.assertEqual(len(ports), 3)
        mesh.hangUp()

    def test_dialled(self):
        """Connects under way, oldest first; those answered or given up are gone."""
        mesh = MemoryMesh(TEXT)
        self.assertEqual(mesh.dialled, [])
        self.assertRaises(LookupError, mesh.upstream)
        self.assertRaises(LookupError, mesh.refuse)
        first, second = mesh.client("in"), mesh.client("in")
        first.send(REQUEST)
        second.send(REQUEST)
        self.assertEqual(mesh.dialled, [("127.0.0.1", 2047)] * 2)
        mesh.upstream()
        self.assertEqual(len(mesh.dialled), 1)
        mesh.advance(10)  # the time for a connect
        self.assertEqual(mesh.dialled, [])
        mesh.hangUp()

    def test_givenUp(self):
        """`upstream` passes over connects that the Sidecar has given up."""
        mesh = MemoryMesh(TEXT.replace("type: SIMPLE", "type: SIMPLE\n      connect_timeout: 1s"))
        client = mesh.client("in")
        client.send(REQUEST)
        mesh.advance(2)
        self.assertEqual(len(mesh.reactor.tcpClients), 2)
        self.assertTrue(mesh.reactor.connectors[0].stoppedConnecting)
        upstream = mesh.upstream()
        self.assertTrue(upstream.take().startswith(b"GET "))
        upstream.send(ANSWER)
        self.assertTrue(client.take().endswith(b"ok"))
        mesh.hangUp()

    def test_refuse(self):
        """A refused connect is a failure that the client hears of in the end."""
        mesh = MemoryMesh(TEXT)
        client = mesh.client("in")
        client.send(REQUEST)
        while mesh.dialled:
            mesh.refuse()
            mesh.advance(1)
        self.assertTrue(client.take().startswith(b"HTTP/1.1 50"))
        mesh.hangUp()
