"""Tests of `mosntx.service.sidecar`: event handlers of users."""

from __future__ import annotations

from zope.interface import implementer

from mosntx.contracts.net import IConnectionEventHandler, IListenerEventHandler
from mosntx.proxy.events import StreamEventHandler
from mosntx.testing.mesh import MemoryMesh
from mosntx.testing.net import EventRecorder
from tests.service.build import ANSWER, ELSEWHERE, REQUEST, TEXT, ServiceCase, config, inFlight


class BrokenError(Exception):
    """What a handler of a user raises."""


@implementer(IConnectionEventHandler, IListenerEventHandler)
class Raising:
    """Raises whatever it hears."""

    def __getattr__(self, name):
        if name.startswith(("listener", "connection")):
            return self._fail
        raise AttributeError(name)

    def _fail(self, *_args):
        raise BrokenError


class StreamRecorder(StreamEventHandler):
    """Remembers the events of exchanges with their status.

    :ivar broken: raise too.
    """

    def __init__(self, broken=False):
        self.events = []
        self.broken = broken

    def _note(self, event, exchange):
        self.events.append((event, exchange.status))
        if self.broken:
            raise BrokenError

    def streamCreated(self, exchange):
        """See `IStreamEventHandler`."""
        self._note("created", exchange)

    def streamHeadSent(self, exchange):
        """See `IStreamEventHandler`."""
        self._note("head", exchange)

    def streamReset(self, exchange, reason):
        """See `IStreamEventHandler`."""
        self._note(f"reset {reason}", exchange)

    def streamComplete(self, exchange):
        """See `IStreamEventHandler`."""
        self._note("complete", exchange)


class EventTests(ServiceCase):
    """What handlers hear, and that they cannot disturb."""

    def exchange(self, mesh):
        client, upstream = inFlight(mesh)
        upstream.send(ANSWER)
        self.assertTrue(client.take().endswith(b"ok"))
        return client, upstream

    def test_listener(self):
        """The life of a listener."""
        heard = EventRecorder()
        mesh = MemoryMesh(TEXT, listenerEventHandlers=[heard])
        client, _upstream = self.exchange(mesh)
        mesh.sidecar.stopService()
        client.reset()
        mesh.advance(0)
        self.assertEqual(
            heard.events, [("opened", "in"), ("accepted", 1), ("draining", "in"), ("closed", "in")]
        )
        mesh.hangUp()

    def test_refused(self):
        """A connection beyond the limit."""
        heard = EventRecorder()
        mesh = MemoryMesh(config({"max_connections": 1}), listenerEventHandlers=[heard])
        mesh.client("in")
        at = mesh.reactor.tcpServers[0][1]
        self.assertIsNone(at.buildProtocol(ELSEWHERE))
        self.assertEqual(heard.events[-1][0], "refused")
        self.assertIn("listener in refuses a connection", self.lines()[-1])
        mesh.hangUp()

    def test_connection(self):
        """The life of a client's connection."""
        heard = EventRecorder()
        mesh = MemoryMesh(TEXT, connectionEventHandlers=[heard])
        client, _upstream = self.exchange(mesh)
        self.assertEqual(heard.events, ["connected"])
        client.reset()
        self.assertEqual(heard.events[0], "connected")
        self.assertEqual(len(heard.events), 2)
        mesh.hangUp()

    def test_stream(self):
        """The life of an exchange."""
        heard = StreamRecorder()
        mesh = MemoryMesh(TEXT, streamEventHandlers=[heard])
        self.exchange(mesh)
        mesh.advance(0)
        self.assertEqual([event for event, _ in heard.events], ["created", "head", "complete"])
        self.assertEqual(heard.events[-1], ("complete", 200))
        mesh.hangUp()

    def test_reset(self):
        """A failed attempt is heard with its reason."""
        heard = StreamRecorder()
        mesh = MemoryMesh(TEXT, streamEventHandlers=[heard])
        client = mesh.client("in")
        client.send(REQUEST)
        while mesh.dialled:
            mesh.refuse()
            mesh.advance(1)
        self.assertTrue(client.take().startswith(b"HTTP/1.1 50"))
        self.assertIn("reset 1", [event for event, _ in heard.events])
        mesh.hangUp()

    def test_brokenListenerHandler(self):
        """Exceptions of listener handlers are logged; the next one hears, clients are served."""
        heard = EventRecorder()
        mesh = MemoryMesh(TEXT, listenerEventHandlers=[Raising(), heard])
        self.exchange(mesh)
        mesh.sidecar.stopService()
        mesh.hangUp()
        self.assertEqual(len(heard.events), 4)
        self.assertEqual(len(self.flushLoggedErrors(BrokenError)), 4)

    def test_brokenConnectionHandler(self):
        """Exceptions of connection handlers are logged; the next one hears, clients are served."""
        heard = EventRecorder()
        mesh = MemoryMesh(TEXT, connectionEventHandlers=[Raising(), heard])
        self.exchange(mesh)
        mesh.hangUp()
        self.assertEqual(len(heard.events), len(self.flushLoggedErrors(BrokenError)))

    def test_brokenStreamHandler(self):
        """Exceptions of stream handlers are logged; the next one hears, requests are answered."""
        broken, heard = StreamRecorder(broken=True), StreamRecorder()
        mesh = MemoryMesh(TEXT, streamEventHandlers=[broken, heard])
        self.exchange(mesh)
        mesh.hangUp()
        self.assertEqual(broken.events, heard.events)
        self.assertEqual(len(self.flushLoggedErrors(BrokenError)), 3)
