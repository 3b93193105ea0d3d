"""Tests of `mosntx.proxy.proxy`: the network filter, and how it finds the protocol."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mosntx.contracts.codec import MULTIPLEX
from mosntx.contracts.net import CONTINUE, INetworkFilter, INetworkFilterFactory, INetworkFilterType
from mosntx.contracts.stream import IExchangeFactory
from mosntx.net.filters import NetworkFilter
from mosntx.net.timers import TimerWheel
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.proxy.proxy import Proxy
from mosntx.service.catalog import Catalog, standardCatalog
from mosntx.service.protocols import http1
from mosntx.stats.structs import DownstreamStats
from mosntx.testing.mesh import MemoryMesh
from mosntx.testing.net import FakeConnection
from tests.proxy.build import GET, NO_CONTENT, OK, MeshTestCase, proxyConfig

AUTO = {"downstream_protocol": "Auto"}


class DetectionTests(MeshTestCase):
    """``downstream_protocol: Auto``."""

    def test_found(self) -> None:
        """The first octets decide; none is lost, however they are cut."""
        for size in (1, 3, 100):
            mesh = self.begin(proxy=AUTO)
            client = mesh.client("front")
            for start in range(0, len(GET), size):
                client.send(GET[start : start + size])
            upstream = mesh.upstream()
            self.assertEqual(upstream.take(), GET)
            upstream.send(NO_CONTENT)
            self.assertEqual(client.take(), NO_CONTENT)
            client.send(GET)
            self.assertEqual(upstream.take(), GET)
            self.tearDown()

    def test_unknown(self) -> None:
        """Octets of no protocol close the connection and are counted."""
        mesh = self.begin(proxy=AUTO)
        client = mesh.client("front")
        client.send(b"\x16\x03\x01\x02\x00\x01\x00")
        self.assertTrue(client.closed)
        self.assertEqual(mesh.value("protocol_error_total", listener="front"), 1)

    def test_tooSlow(self) -> None:
        """Octets that do not become a protocol have a deadline."""
        mesh = self.begin(proxy={**AUTO, "detect_timeout": "3s"})
        client = mesh.client("front")
        client.send(b"GE")
        mesh.advance(2.9)
        self.assertFalse(client.closed)
        mesh.advance(0.2)
        self.assertTrue(client.closed)

    def test_goneBeforeTheDecision(self) -> None:
        """A client that leaves takes the deadline along."""
        mesh = self.begin(proxy=AUTO)
        client = mesh.client("front")
        client.send(b"GE")
        client.reset()
        mesh.advance(60.0)
        self.assertEqual(mesh.value("connection_destroy", listener="front"), 1)
        self.assertEqual(mesh.value("protocol_error_total", listener="front"), 0)


class Echo(NetworkFilter):
    """Sends octets back."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def bytesReceived(self, buffer: bytearray) -> int:
        """See `INetworkFilter`."""
        self._connection.write(bytes(buffer))
        buffer.clear()
        return CONTINUE


@implementer(INetworkFilterType, INetworkFilterFactory)
class EchoType:
    """A row of the catalog, and its factory."""

    name = "echo"
    configClass = None

    def build(self, config: Any, context: Any) -> EchoType:
        """See `INetworkFilterType.build`."""
        return self

    def createFilter(self, connection: Any) -> Echo:
        """See `INetworkFilterFactory.createFilter`."""
        return Echo(connection)


class FallbackTests(SynchronousTestCase):
    """``fallback_for_unknown_protocol``."""

    def begin(self, **proxy: Any) -> MemoryMesh:
        """Start with a filter behind the proxy that sends octets back."""
        config = proxyConfig(proxy={**AUTO, "fallback_for_unknown_protocol": True, **proxy})
        chain = config["servers"][0]["listeners"][0]["filter_chains"][0]["filters"]
        chain.append({"type": "echo"})
        mesh = MemoryMesh(config, catalog=standardCatalog().extended(networkFilters=[EchoType()]))
        self.addCleanup(mesh.advance, 2.0)
        self.addCleanup(mesh.sidecar.stopService)
        self.addCleanup(mesh.hangUp)
        return mesh

    def test_unknown(self) -> None:
        """Octets of no protocol go to the next filter, the first ones too."""
        mesh = self.begin()
        client = mesh.client("front")
        client.send(b"\x16\x03")
        client.send(b"\x01\x02\x00\x01\x00")
        client.send(b"more")
        self.assertEqual(client.take(), b"\x16\x03\x01\x02\x00\x01\x00more")
        self.assertEqual(mesh.value("protocol_error_total", listener="front"), 0)

    def test_undecided(self) -> None:
        """Also those that were not enough to tell in time."""
        mesh = self.begin(detect_timeout="3s")
        client = mesh.client("front")
        client.send(b"GE")
        self.assertEqual(client.take(), b"")
        mesh.advance(3.1)
        self.assertEqual(client.take(), b"GE")
        client.send(b"T")
        self.assertEqual(client.take(), b"T")

    def test_known(self) -> None:
        """A known protocol is the proxy's."""
        mesh = self.begin()
        client = mesh.client("front")
        client.send(GET)
        mesh.upstream().send(OK)
        self.assertEqual(client.take(), OK)


class CountTests(MeshTestCase):
    """Connections and errors."""

    def test_connections(self) -> None:
        """Counted when they come and when they go."""
        mesh = self.begin()
        first, _ = mesh.client("front"), mesh.client("front")
        first.reset()
        found = [
            mesh.value(f"connection_{key}", listener="front")
            for key in ("total", "active", "destroy")
        ]
        self.assertEqual(found, [2, 1, 1])


class ProxyTests(SynchronousTestCase):
    """The object that a filter chain has."""

    def make(self) -> Proxy:
        """Return one without anything behind it."""
        clock = Clock()
        nothing: Any = None
        return Proxy(
            name="l",
            protocols=[Http1Protocol()],
            router=nothing,
            clusters=nothing,
            stats=DownstreamStats("l"),
            wheel=TimerWheel(clock, clock.seconds),
            timeouts=lambda route, head: (0.0, 0.0),
        )

    def test_contracts(self) -> None:
        """It provides what it claims, and so do its filters."""
        proxy = self.make()
        verifyObject(IExchangeFactory, proxy)
        verifyObject(INetworkFilterFactory, proxy)
        verifyObject(INetworkFilter, proxy.createFilter(FakeConnection()))

    def test_receiver(self) -> None:
        """A protocol of one stream at a time has its streams."""
        proxy = self.make()
        receiver: Any = proxy.receiver(FakeConnection(), proxy.protocols[0])
        self.assertEqual(receiver.protocol, proxy.protocols[0])


class SeveralProtocolsTests(SynchronousTestCase):
    """Detection among several."""

    def test_order(self) -> None:
        """With several protocols named, octets are looked at."""
        standard = standardCatalog()
        self.assertIsInstance(standard, Catalog)
        catalog = evolve(standard, protocols={**standard.protocols, "Http1b": http1})
        config = proxyConfig(proxy=AUTO)
        mesh = MemoryMesh(config, catalog=catalog)
        client = mesh.client("front")
        client.send(GET)
        mesh.upstream().send(OK)
        self.assertEqual(client.take(), OK)
        self.assertNotEqual(MULTIPLEX, http1(None).poolMode)
        mesh.hangUp()
        mesh.sidecar.stopService()
        mesh.advance(2.0)
