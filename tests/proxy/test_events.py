"""Tests of `mosntx.proxy.events`: those who are told about exchanges (row E4), and connections."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.contracts.net import IConnection, IConnectionEventHandler
from mosntx.contracts.stream import IStreamEventHandler
from mosntx.proxy.events import StreamEventHandler, StreamEventHandlers
from mosntx.testing.mesh import MemoryMesh
from mosntx.testing.net import EventRecorder
from tests.proxy.build import GET, OK, MeshTestCase, Witness, proxyConfig


class Raising(StreamEventHandler):
    """Fails whenever it is told something."""

    def streamCreated(self, exchange: Any, reason: int = 0) -> None:
        """See `IStreamEventHandler`."""
        raise RuntimeError("a handler's mistake")

    streamHeadSent = streamReset = streamComplete = streamCreated


class OnlyEnds(StreamEventHandler):
    """Wants to know of ends only."""

    def __init__(self) -> None:
        self.ends = 0

    def streamComplete(self, exchange: Any) -> None:
        """See `IStreamEventHandler`."""
        self.ends += 1


class DispatchTests(SynchronousTestCase):
    """Who is called."""

    def test_notOverriddenIsNotCalled(self) -> None:
        """A method that a handler has from the base is never called."""
        handlers = StreamEventHandlers([StreamEventHandler(), OnlyEnds()])
        counts = [len(each) for each in (handlers.created, handlers.headSent, handlers.reset)]
        self.assertEqual((counts, len(handlers.complete)), ([0, 0, 0], 1))
        base = StreamEventHandler()
        exchange: Any = None
        base.streamCreated(exchange)
        base.streamHeadSent(exchange)
        base.streamReset(exchange, 1)
        base.streamComplete(exchange)

    def test_contracts(self) -> None:
        """The base and the witness of these tests provide the contract."""
        for handler in (StreamEventHandler(), Witness()):
            verifyObject(IStreamEventHandler, handler)

    def test_isolation(self) -> None:
        """What one raises is counted, logged, and kept from the others."""
        ends = OnlyEnds()
        handlers = StreamEventHandlers([Raising(), ends])
        for call in (*handlers.complete, *handlers.created):
            call(None)
        self.assertEqual((handlers.failures, ends.ends), (2, 1))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 2)


class StreamEventTests(MeshTestCase):
    """The life of exchanges."""

    def test_order(self) -> None:
        """Created, head sent, complete: once each, in this order."""
        self.begin()
        client, upstream = self.get()
        self.assertEqual(self.witness.log, [("created", 0)])
        upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
        self.assertEqual(self.witness.log[1:], [("headSent", 0)])
        upstream.send(b"k")
        self.assertEqual(self.witness.log[2:], [("complete", 0)])
        client.take()

    def test_reset(self) -> None:
        """An exchange that is broken off hears so before its end."""
        self.begin()
        client, _ = self.get()
        client.reset()
        self.assertEqual(self.witness.log, [("created", 0), ("reset", 0), ("complete", 0)])

    def test_failingHandlerHarmsNobody(self) -> None:
        """A handler that raises each time changes nothing for the client."""
        witness = Witness()
        mesh = MemoryMesh(proxyConfig(), streamEventHandlers=[Raising(), witness])
        client = mesh.client("front")
        client.send(GET)
        mesh.upstream().send(OK)
        self.assertEqual(client.take(), OK)
        client.send(GET)
        client.reset()
        self.assertEqual([event for event, _ in witness.log].count("complete"), 2)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 6)
        mesh.hangUp()
        mesh.sidecar.stopService()
        mesh.advance(2.0)


class OtherEventTests(SynchronousTestCase):
    """Listeners (E2) and connections (N2), by the same way into a Sidecar."""

    def test_listenerAndConnection(self) -> None:
        """Their whole life, in order."""
        listeners, connections = EventRecorder(), EventRecorder()
        mesh = MemoryMesh(
            proxyConfig(),
            listenerEventHandlers=[listeners],
            connectionEventHandlers=[connections],
        )
        client = mesh.client("front")
        client.send(GET)
        mesh.upstream().send(OK)
        client.block()
        client.unblock()
        client.reset()
        mesh.sidecar.stopService()
        mesh.hangUp()
        mesh.advance(2.0)
        names = [event[0] for event in listeners.events]
        self.assertEqual(names, ["opened", "accepted", "draining", "closed"])
        self.assertEqual(
            connections.events, ["connected", "write blocked", "write resumed", "read error"]
        )

    def test_failingHandlersHarmNobody(self) -> None:
        """Exceptions of theirs are logged and reach nobody."""

        class Bad(EventRecorder):
            def connectionEvent(self, connection: IConnection, event: int) -> None:
                raise RuntimeError("connection handler")

            def connectionAccepted(self, listener: Any, connection: IConnection) -> None:
                raise RuntimeError("listener handler")

        bad = Bad()
        verifyObject(IConnectionEventHandler, bad)
        mesh = MemoryMesh(proxyConfig(), listenerEventHandlers=[bad], connectionEventHandlers=[bad])
        client = mesh.client("front")
        client.send(GET)
        mesh.upstream().send(OK)
        self.assertEqual(client.take(), OK)
        mesh.hangUp()
        mesh.sidecar.stopService()
        mesh.advance(2.0)
        self.assertGreater(len(self.flushLoggedErrors(RuntimeError)), 2)
