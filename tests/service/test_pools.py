"""Tests of `mosntx.service.pools`."""

from __future__ import annotations

from random import Random
from typing import Any

from attrs import evolve
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.config.load import decodeMapping
from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.contracts.codec import FRAMED, MULTIPLEX
from mosntx.contracts.upstream import IConnectionPool
from mosntx.net.timers import TimerWheel
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.service.catalog import standardCatalog
from mosntx.service.pools import Pools, framedLimits, multiplexLimits, pingPongLimits
from mosntx.service.protocols import http1, http2
from mosntx.stream.keepalive import ANSWER_TIMEOUT
from mosntx.testing.mesh import MemoryMesh
from mosntx.testing.net import FakeConnector
from mosntx.upstream.clusters import Clusters
from mosntx.upstream.pools.errors import PoolDraining
from mosntx.upstream.pools.framed import FramedPool
from mosntx.upstream.pools.multiplex import MultiplexPool
from mosntx.upstream.pools.pingpong import PingPongPool
from tests.config.samples import cluster
from tests.service.build import REQUEST, config


def clusterConfig(**keys):
    """Return the configuration of a cluster."""
    names = evolve(standardCatalog().names(), features={"keepalive", "circuit_breakers"})
    return decodeMapping(ClusterConfig, cluster(**keys), names=names)


class FrameProtocol(Http1Protocol):
    """Says that many streams share a connection."""

    name = "frames"
    poolMode = MULTIPLEX


class FramedProtocol(Http1Protocol):
    """Says that streams come in parts."""

    name = "framed"
    poolMode = FRAMED


class PoolsTests(SynchronousTestCase):
    """Which pool a host gets."""

    def setUp(self):
        self.made = []
        self.idle = []
        clock = Clock()
        self.pools = Pools(
            {"Http1": self.row(http1), "frames": self.row(lambda _: FrameProtocol())},
            self.connector,
            TimerWheel(clock, clock.seconds),
        )

    def row(self, make):
        def makeNoted(config):
            self.made.append(config)
            return make(config)

        return makeNoted

    def connector(self, idle):
        self.idle.append(idle)
        self.last = FakeConnector()
        return self.last

    def host(self, **keys):
        clusters = Clusters(
            balancers=standardCatalog().balancers,
            poolFactory=self.pools,
            random=Random(1),
            seconds=Clock().seconds,
        )
        return clusters.update(clusterConfig(**keys)).hosts[0]

    def test_framed(self):
        """Framed streams have a pool of their own."""
        clock = Clock()
        rows = {"framed": lambda _: FramedProtocol()}
        pools = Pools(rows, self.connector, TimerWheel(clock, clock.seconds))
        pool: Any = pools(self.host(), "framed")
        verifyObject(IConnectionPool, pool)
        self.assertIsInstance(pool, FramedPool)

    def test_pingPong(self):
        """HTTP/1 has a connection for each request."""
        pool: Any = self.pools(self.host(), "Http1")
        verifyObject(IConnectionPool, pool)
        self.assertIsInstance(pool, PingPongPool)
        self.assertEqual(pool.address, "127.0.0.1:2047")

    def test_multiplex(self):
        """Protocols of frames share connections."""
        pool = self.pools(self.host(), "frames")
        verifyObject(IConnectionPool, pool)
        self.assertIsInstance(pool, MultiplexPool)

    def test_oneProtocol(self):
        """A protocol is made once, without a listener's limits; pools are made anew."""
        host = self.host()
        self.assertIsNot(self.pools(host, "Http1"), self.pools(host, "Http1"))
        self.assertEqual(self.made, [None])

    def streams(self, host):
        """Return how many streams a first connection in HTTP/2 takes."""
        host.pool("Http2").checkout().addErrback(lambda failure: failure.trap(PoolDraining))
        receiver: Any = self.last.attempts[0].receiver
        return receiver.capacity

    def test_http2(self):
        """HTTP/2 has options and counters for each cluster; these stay when those change."""
        clock = Clock()
        pools = Pools({"Http2": http2}, self.connector, TimerWheel(clock, clock.seconds))
        clusters = Clusters(
            balancers=standardCatalog().balancers,
            poolFactory=pools,
            random=Random(1),
            seconds=clock.seconds,
        )
        options = {"Http2": {"max_concurrent_streams": 3}}
        (host,) = clusters.update(clusterConfig(protocol_options=options)).hosts
        self.assertEqual(self.streams(host), 3)
        options["Http2"]["max_concurrent_streams"] = 4
        clusters.update(clusterConfig(protocol_options=options))
        self.assertEqual(self.streams(host), 4)
        keys = [key for key, _ in host.cluster.stats.protocols.counts()]
        self.assertEqual(len(keys), len(set(keys)))
        self.assertIn("http2_goaway_received_total", keys)

    def test_idle(self):
        """The cluster's idle timeout is the connections'; 0.0 without."""
        self.pools(self.host(idle_timeout="40s"), "Http1")
        self.pools(self.host(), "frames")
        self.assertEqual(self.idle, [40.0, clusterConfig().idle_timeout or 0.0])

    def test_connects(self):
        """A pool connects to its host with the cluster's time."""
        pool = self.pools(self.host(connect_timeout="3s"), "Http1")
        pool.checkout()
        (attempt,) = self.last.attempts
        self.assertEqual((attempt.address, attempt.timeout), ("127.0.0.1:2047", 3.0))

    def test_unknown(self):
        """A protocol that nobody has is a mistake of ours, not a silent one."""
        self.assertRaises(KeyError, self.pools, self.host(), "smoke")


class LimitsTests(SynchronousTestCase):
    """From the configuration of a cluster to limits of its pools."""

    def test_pingPong(self):
        """Every key has its limit."""
        limits = pingPongLimits(
            clusterConfig(
                connect_timeout="3s",
                pending_timeout="4s",
                max_requests_per_connection=5,
                circuit_breakers=[{"max_connections": 6, "max_pending_requests": 7}],
            )
        )
        self.assertEqual(
            (
                limits.connectTimeout,
                limits.pendingTimeout,
                limits.maxStreams,
                limits.maxConnections,
                limits.maxPending,
            ),
            (3.0, 4.0, 5, 6, 7),
        )

    def test_pingPongDefaults(self):
        """Without keys: any number of connections, and a bounded queue."""
        limits = pingPongLimits(clusterConfig())
        self.assertEqual(
            (limits.maxConnections, limits.maxPending, limits.maxStreams), (0, 1024, 0)
        )

    def test_framedLimits(self):
        """Every key has its limit."""
        limits = framedLimits(
            clusterConfig(
                pending_timeout="4s",
                max_requests_per_connection=5,
                circuit_breakers=[{"max_connections": 6, "max_pending_requests": 7}],
            )
        )
        self.assertEqual(
            (limits.pendingTimeout, limits.maxStreams, limits.connections, limits.maxPending),
            (4.0, 5, 6, 7),
        )

    def test_multiplex(self):
        """Every key has its limit."""
        limits = multiplexLimits(
            clusterConfig(
                connect_timeout="3s",
                circuit_breakers=[{"max_connections": 6, "max_pending_requests": 7}],
                keepalive={"interval": "20s", "timeout": "2s"},
            )
        )
        self.assertEqual(
            (limits.connectTimeout, limits.connections, limits.maxPending), (3.0, 6, 7)
        )
        self.assertEqual((limits.heartbeatInterval, limits.heartbeatTimeout), (20.0, 2.0))

    def test_multiplexDefaults(self):
        """Without keys, and with a nonsensical number of connections, there is one."""
        limits = multiplexLimits(clusterConfig())
        self.assertEqual(
            (limits.connections, limits.heartbeatInterval, limits.heartbeatTimeout),
            (1, 0.0, ANSWER_TIMEOUT),
        )
        many = clusterConfig(circuit_breakers=[{"max_connections": 4294967295}])
        self.assertEqual(multiplexLimits(many).connections, 1)

    def test_sidecar(self):
        """`max_connections` of a configuration is what upstreams see."""
        breakers = [{"max_connections": 1, "max_pending_requests": 1}]
        made = config(cluster_manager={"clusters": [cluster(circuit_breakers=breakers)]})
        mesh = MemoryMesh(made)
        clients = [mesh.client("in") for _ in range(3)]
        for client in clients:
            client.send(REQUEST)
        self.assertEqual(mesh.dialled, [("127.0.0.1", 2047)])
        mesh.advance(0)
        refused = [client for client in clients if client.take().startswith(b"HTTP/1.1 503")]
        self.assertEqual(len(refused), 2)
        mesh.hangUp()
