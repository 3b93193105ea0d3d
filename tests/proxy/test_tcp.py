"""The network filter ``tcp_proxy``."""

from __future__ import annotations

from random import Random
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mosntx.contracts.net import (
    CONTINUE,
    LOCAL_CLOSE,
    READ_ERROR_CLOSE,
    REMOTE_CLOSE,
    STOP,
    WRITE_ERROR_CLOSE,
)
from mosntx.contracts.upstream import IClusters, ILoadBalancerContext
from mosntx.net.connector import ConnectFailed, ConnectTimeout
from mosntx.proxy.tcp import MAX_DRAWS, DownstreamEnd, TcpProxy, TcpProxyFilter, UpstreamEnd
from mosntx.testing.contracts.network import NetworkFilterSuite, ReceiverSuite
from mosntx.testing.net import FakeConnection, FakeConnector
from mosntx.testing.upstream import FakeCluster, FakeHost, hosts
from mosntx.upstream.balancers.random import RandomChoice
from mosntx.upstream.balancers.roundrobin import RoundRobin

REFUSED = ConnectFailed("10.0.0.0:80", "connection refused")


@implementer(IClusters)
class Clusters:
    """Clusters by name."""

    def __init__(self, *clusters):
        self.clusters = {cluster.name: cluster for cluster in clusters}

    def get(self, name):
        """See `IClusters.get`."""
        return self.clusters.get(name)

    def names(self):
        """See `IClusters.names`."""
        return sorted(self.clusters)


class Case(SynchronousTestCase):
    """A filter chain with one cluster of given hosts behind it."""

    name = "fake"

    def setUp(self):
        super().setUp()
        self.use(hosts(1, 1, 1, 1))

    def use(self, hosts):
        self.cluster: Any = FakeCluster("fake", hosts)
        balancer: Any = RoundRobin(hosts, Random(1))
        self.cluster.loadBalancer = balancer
        self.connector = FakeConnector()

    def tcpProxy(self):
        return TcpProxy(
            "front",
            lambda connection: self.name,
            Clusters(self.cluster),
            lambda host, receiver: self.connector.connect(host.address, 3.0, receiver),
        )

    def begin(self, **attributes):
        """Return a client's connection and its filter."""
        client = FakeConnection()
        for name, value in attributes.items():
            setattr(client, name, value)
        networkFilter = self.tcpProxy().createFilter(client)
        self.verdict = networkFilter.newConnection()
        return client, networkFilter

    def relay(self):
        """Return the two connections of a relay."""
        client, _ = self.begin()
        return client, self.connector.attempts[-1].succeed()


class ContractTests(NetworkFilterSuite, Case):
    """What every network filter keeps to."""

    def setUp(self):
        NetworkFilterSuite.setUp(self)
        Case.setUp(self)

    def factory(self):
        return self.tcpProxy()

    def test_balancerContext(self):
        """The filter is what balancers ask."""
        client, networkFilter = self.begin()
        verifyObject(ILoadBalancerContext, networkFilter)
        self.assertEqual((networkFilter.hashKey(), networkFilter.metadata()), (None, None))
        self.assertEqual((networkFilter.destination(b"h"), networkFilter.local), ("", client.local))


class EndSuite(ReceiverSuite):
    """What both ends keep to, as receivers of octets; `other` is the other side."""

    other: FakeConnection

    def test_idleDrain(self):
        """Draining ends no relay: it has begun by being there."""
        connection, _ = self.handedOver()
        connection.drain()
        self.clock.advance(1000)
        self.assertFalse(connection.closing)
        connection.lose()

    def test_peerFinishedAtOnce(self):
        """A peer that leaves is closed, and so is the other side."""
        connection, _ = self.handedOver()
        connection.peerFinished()
        self.assertTrue(connection.closed)
        self.assertEqual((self.other.closing, self.other.lingering), (True, True))


class DownstreamEndTests(EndSuite, SynchronousTestCase):
    """The client's end."""

    def receiver(self, connection):
        self.other = FakeConnection(2)
        return DownstreamEnd(self.other, FakeCluster().stats)


class UpstreamEndTests(EndSuite, SynchronousTestCase):
    """The host's end."""

    def receiver(self, connection):
        self.other = FakeConnection(2)
        return UpstreamEnd(self.other, FakeCluster(), FakeHost())


class ConnectingTests(Case):
    """From a client to a host."""

    def gaveUp(self, client):
        """Assert that a client was closed, and that nothing is under way or counted."""
        self.assertEqual((client.closing, client.aborted), (True, False))
        self.assertEqual(self.cluster.limits.connections, 0)

    def test_connects(self):
        """A client causes a connect at once, to the host that the balancer has chosen."""
        client, networkFilter = self.begin()
        [attempt] = self.connector.attempts
        self.assertEqual((attempt.address, attempt.timeout), (networkFilter.host.address, 3.0))
        self.assertIsNone(client.receiver)
        self.assertEqual(self.cluster.limits.connections, 1)
        self.assertEqual(self.verdict, STOP)

    def test_unknownCluster(self):
        """A cluster that is not there closes the client, and so does no matching route."""
        for self.name in ("else", ""):
            self.gaveUp(self.begin()[0])
        self.assertEqual(self.connector.attempts, [])

    def test_noHost(self):
        """A cluster without hosts, or without healthy ones."""
        for nobody in ([], hosts(1, 1, unhealthy=(0, 1))):
            self.use(nobody)
            self.gaveUp(self.begin()[0])

    def test_limit(self):
        """One client more than `max_connections` is closed; when one has gone the next may come."""
        self.cluster.limits.maxConnections = 1
        client, upstream = self.relay()
        another, _ = self.begin()
        self.assertTrue(another.closing)
        self.assertEqual(len(self.connector.attempts), 1)
        client.lose()
        self.assertEqual(self.cluster.limits.connections, 1)
        upstream.lose()
        self.assertEqual(self.cluster.limits.connections, 0)
        self.assertFalse(self.begin()[0].closing)

    def test_otherHosts(self):
        """When a host does not answer others are tried, at most three, none of them twice."""
        client, networkFilter = self.begin()
        for number in range(3):
            self.assertEqual((client.closing, networkFilter.attempts), (False, number + 1))
            self.connector.attempts[-1].fail(REFUSED)
        addresses = [attempt.address for attempt in self.connector.attempts]
        self.assertEqual((len(addresses), len(set(addresses))), (3, 3))
        self.assertEqual(self.cluster.stats.connection_retry, 2)
        failed = [host.stats.connection_con_fail for host in self.cluster.hosts]
        self.assertEqual(sorted(failed), [0, 1, 1, 1])
        self.gaveUp(client)

    def test_fewHosts(self):
        """There are no more attempts than hosts."""
        self.use(hosts(1, 1))
        client, _ = self.begin()
        self.connector.attempts[0].fail(REFUSED)
        self.assertFalse(client.closing)
        self.connector.attempts[1].fail(REFUSED)
        self.assertEqual(len(self.connector.attempts), 2)
        self.gaveUp(client)

    def test_othersAreUnhealthy(self):
        """An attempt fails and no other host is healthy: the client is closed."""
        self.use(hosts(1, 1, unhealthy=(1,)))
        client, _ = self.begin()
        self.connector.attempts[0].fail(REFUSED)
        self.assertEqual(len(self.connector.attempts), 1)
        self.gaveUp(client)

    def test_balancerThatRepeatsItself(self):
        """A balancer at random is asked until it names another host, but not for ever."""
        for seed in range(20):
            both = hosts(1, 1)
            self.use(both)
            self.cluster.loadBalancer = RandomChoice(both, Random(seed))
            self.begin()
            self.connector.attempts[0].fail(REFUSED)
            self.assertEqual(len({attempt.address for attempt in self.connector.attempts}), 2)

        class Stubborn:
            asked = 0

            def chooseHost(self, context):
                self.asked += 1
                return both[0]

        self.cluster.loadBalancer = Stubborn()
        client, _ = self.begin()
        self.connector.attempts[-1].fail(REFUSED)
        self.assertTrue(client.closing)
        self.assertEqual(self.cluster.loadBalancer.asked, 1 + MAX_DRAWS)

    def test_timeout(self):
        """A host that does not answer in time counts where MOSN counts it, and is a failure."""
        client, networkFilter = self.begin()
        stats = networkFilter.host.stats
        self.connector.attempts[0].fail(ConnectTimeout("10.0.0.0:80", 3.0))
        self.assertEqual((stats.request_timeout, stats.connection_con_fail), (1, 0))
        self.connector.attempts[1].succeed()
        self.assertFalse(client.closing)
        self.assertIsInstance(client.receiver, DownstreamEnd)

    def test_failsAtOnce(self):
        """Connects that fail within the call end like others."""

        def connect(host, receiver):
            self.connector.attempts.append(host.address)
            failed: Deferred[Any] = Deferred()
            failed.errback(REFUSED)
            return failed

        factory = TcpProxy("front", lambda _: "fake", Clusters(self.cluster), connect)
        client = FakeConnection()
        factory.createFilter(client).newConnection()
        self.assertEqual(len(set(self.connector.attempts)), 3)
        self.gaveUp(client)

    def test_clientLeaves(self):
        """A client that leaves meanwhile ends the attempt, and no other begins."""
        client, networkFilter = self.begin()
        networkFilter.connectionClosed(REMOTE_CLOSE)
        [attempt] = self.connector.attempts
        self.assertTrue(attempt.cancelled)
        self.assertEqual(self.cluster.limits.connections, 0)
        self.assertFalse(client.closing)
        self.assertEqual(networkFilter.host.stats.connection_con_fail, 0)

    def test_broken(self):
        """A relay that cannot begin is our mistake: it is logged, and the client is cut."""
        client, _ = self.begin()
        client.handOver(UpstreamEnd(FakeConnection(9), self.cluster, FakeHost()), b"")
        self.connector.attempts[0].succeed()
        self.assertTrue(client.aborted)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)


class FirstOctetsTests(Case):
    """What comes before there is an upstream."""

    def test_octetsWait(self):
        """Octets stay in the chain's buffer until there is an upstream, and are first there."""
        client, networkFilter = self.begin()
        buffer = bytearray(b"he")
        client.bytesRead = 2
        self.assertEqual(networkFilter.bytesReceived(buffer), STOP)
        buffer += b"llo"
        client.bytesRead = 5
        networkFilter.bytesReceived(buffer)
        self.assertEqual(buffer, b"hello")
        upstream = self.connector.attempts[0].succeed()
        client.deliver(b" world")
        self.assertEqual(upstream.written, b"hello world")

    def test_hostSpeaksFirst(self):
        """A host may speak to a client that is silent."""
        client, upstream = self.relay()
        upstream.deliver(b"220 ready")
        self.assertEqual(client.written, b"220 ready")

    def test_heldInFront(self):
        """Octets that a filter in front holds back are waited for, the host's with them."""
        client, networkFilter = self.begin()
        client.bytesRead = 5
        upstream = self.connector.attempts[0].succeed()
        self.assertEqual((client.receiver, upstream.reading), (None, False))
        self.assertEqual(networkFilter.bytesReceived(bytearray(b"hello")), STOP)
        self.assertEqual((upstream.written, upstream.reading), (b"hello", True))

    def test_clientLeavesWhileHeld(self):
        """A client that leaves in that state takes its upstream with it."""
        client, networkFilter = self.begin()
        client.bytesRead = 5
        upstream = self.connector.attempts[0].succeed()
        networkFilter.connectionClosed(READ_ERROR_CLOSE)
        self.assertTrue(upstream.aborted)
        upstream.lose()
        self.assertEqual(self.cluster.limits.connections, 0)

    def test_afterFallback(self):
        """Octets that came before the filter began are shown to it next."""
        self.begin(bytesRead=2)
        self.assertEqual(self.verdict, CONTINUE)


class RelayTests(Case):
    """Both sides are there."""

    def test_bothWays(self):
        """Octets go both ways and are counted once each."""
        client, upstream = self.relay()
        client.deliver(b"12345")
        upstream.deliver(b"123")
        self.assertEqual((upstream.written, client.written), (b"12345", b"123"))
        stats = self.cluster.stats
        self.assertEqual((stats.connection_bytes_write, stats.connection_bytes_read_total), (5, 3))

    def test_backPressure(self):
        """A slow reader on one side pauses the other side, and only that."""
        client, upstream = self.relay()
        upstream.block()
        self.assertEqual((client.reading, upstream.reading), (False, True))
        client.block()
        self.assertEqual((client.reading, upstream.reading), (False, False))
        upstream.unblock()
        self.assertEqual((client.reading, upstream.reading), (True, False))
        client.unblock()
        self.assertEqual((client.reading, upstream.reading), (True, True))

    def test_peerCloses(self):
        """A peer's close reaches the other side after what is buffered there, without a reset."""
        for first in (0, 1):
            pair = self.relay()
            pair[first].deliver(b"last words")
            pair[first].peerFinished()
            other = pair[1 - first]
            self.assertEqual(other.written, b"last words")
            self.assertEqual((other.closing, other.lingering, other.aborted), (True, True, False))
            other.lose()
            self.assertEqual(self.cluster.limits.connections, 0)

    def test_weClose(self):
        """A side that we have closed, because it was idle for example, ends the other one."""
        for first in (0, 1):
            pair = self.relay()
            pair[first].close()
            pair[first].lose()
            other = pair[1 - first]
            self.assertEqual((other.closing, other.lingering, other.aborted), (True, False, False))

    def test_errors(self):
        """A failure on one side cuts the other one."""
        for first in (0, 1):
            for event in (READ_ERROR_CLOSE, WRITE_ERROR_CLOSE):
                pair = self.relay()
                pair[first].lose(event)
                self.assertTrue(pair[1 - first].aborted)

    def test_accounts(self):
        """A connection is counted when it is there, and where it has ended."""
        for event, local in ((LOCAL_CLOSE, 1), (REMOTE_CLOSE, 0), (READ_ERROR_CLOSE, 0)):
            self.use(hosts(1))
            _, upstream = self.relay()
            stats = self.cluster.hosts[0].stats
            self.assertEqual((stats.connection_total, stats.connection_active), (1, 1))
            upstream.lose(event)
            self.assertEqual((stats.connection_total, stats.connection_active), (1, 0))
            self.assertEqual(stats.connection_close, 1)
            self.assertEqual(stats.connection_local_close, local)
            self.assertEqual(stats.connection_remote_close, 1 - local)

    def test_endsAreSmall(self):
        """What lives as long as a connection has slots."""
        client, upstream = self.relay()
        for each in (client.receiver, upstream.receiver, TcpProxyFilter(self.tcpProxy(), client)):
            self.assertFalse(hasattr(each, "__dict__"), each)
