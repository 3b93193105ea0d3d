"""Tests of `mosntx.upstream.hosts`."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.config.schema import Host as HostConfig
from mosntx.contracts.upstream import IHost
from mosntx.stats.structs import HostStats
from mosntx.testing.upstream import FakePool
from mosntx.upstream.hosts import FAILED_ACTIVE_CHECK, FAILED_OUTLIER, AddressTable, Host


class Listening:
    """What a host wants of its cluster: somebody to tell."""

    def __init__(self) -> None:
        self.told: list[tuple[str, bool]] = []

    def healthChanged(self, host: Any) -> None:
        self.told.append((host.address, host.healthy))


CLUSTER: Any = Listening()


def newHost(address: str = "127.0.0.1:80", poolFactory=FakePool, **more) -> Any:
    config = HostConfig(address=address, **more)
    return Host(config, CLUSTER, HostStats("c", address), poolFactory)


class HostTests(SynchronousTestCase):
    """One host."""

    def test_interface(self):
        """It provides its contract."""
        verifyObject(IHost, newHost())

    def test_settings(self):
        """It has what is configured; weights are clamped to 1 and 128."""
        host = newHost(hostname="h", metadata={"a": "b"}, tls_disable=True)
        self.assertEqual((host.hostname, host.metadata, host.tlsDisable), ("h", {"a": "b"}, True))
        self.assertEqual([newHost(weight=w).weight for w in (0, 1, 128, 200)], [1, 1, 128, 128])
        self.assertEqual((newHost(priority=2).priority, host.priority), (2, 0))
        zones = [newHost(**keys).zone for keys in ({}, {"metadata": {"zone": "m"}}, {"zone": "z"})]
        self.assertEqual(zones, ["", "m", "z"])
        self.assertTrue(host.healthy)
        self.assertIs(host.cluster, CLUSTER)

    def test_pool(self):
        """There is one pool per protocol, made when asked for."""
        host = newHost()
        self.assertEqual(dict(host.pools()), {})
        pool = host.pool("Http1")
        self.assertIs(host.pool("Http1"), pool)
        self.assertIsNot(host.pool("bolt"), pool)
        self.assertEqual((pool.host, pool.protocol), (host, "Http1"))

    def test_drain(self):
        """A host that has left gives only pools that are draining."""
        host = newHost()
        before = host.pool("Http1")
        closing = host.drain()
        self.assertEqual(closing, [before.drained])
        self.assertIs(host.pool("Http1"), before)
        self.assertIsNotNone(host.pool("bolt").drained)

    def test_renew(self):
        """Renewed pools drain while new ones serve."""
        host = newHost()
        before = host.pool("Http1")
        self.assertEqual(host.renewPools(), [before.drained])
        self.assertIsNot(host.pool("Http1"), before)
        self.assertIsNone(host.pool("Http1").drained)

    def test_successor(self):
        """A host with other settings goes on with stats and pools of the one before."""
        host = newHost(weight=1)
        pool = host.pool("Http1")
        after = host.successor(HostConfig(address=host.address, weight=7, metadata={"a": "b"}))
        self.assertEqual((after.weight, after.metadata), (7, {"a": "b"}))
        self.assertEqual((host.weight, host.metadata), (1, {}))
        self.assertIs(after.stats, host.stats)
        self.assertIs(after.pool("Http1"), pool)
        self.assertTrue(after.sharesPools(host))
        self.assertIs(host.pool("bolt"), after.pool("bolt"))

    def test_successorTls(self):
        """Connections with TLS do not serve a host without."""
        host = newHost()
        after = host.successor(HostConfig(address=host.address, tls_disable=True))
        self.assertFalse(after.sharesPools(host))
        self.assertIsNot(after.pool("Http1"), host.pool("Http1"))

    def test_repr(self):
        """It is shown with address and health."""
        host = newHost()
        self.assertEqual(repr(host), "<Host 127.0.0.1:80>")
        host.healthy = False
        self.assertEqual(repr(host), "<Host 127.0.0.1:80 unhealthy>")


class AddressTableTests(SynchronousTestCase):
    """Health flags (scenario 98)."""

    def setUp(self):
        self.table = AddressTable()
        self.host = newHost("a:1")
        self.table.attach(self.host)

    def test_flags(self):
        """A host is healthy when no flag is set; only turns are reported."""
        self.assertTrue(self.table.setFlag("a:1", FAILED_ACTIVE_CHECK))
        self.assertFalse(self.host.healthy)
        self.assertFalse(self.table.setFlag("a:1", FAILED_ACTIVE_CHECK))
        self.assertFalse(self.table.setFlag("a:1", FAILED_OUTLIER))
        self.assertEqual(self.table.flags("a:1"), 3)
        self.assertFalse(self.table.clearFlag("a:1", FAILED_ACTIVE_CHECK))
        self.assertFalse(self.host.healthy)
        self.assertTrue(self.table.clearFlag("a:1", FAILED_OUTLIER))
        self.assertTrue(self.host.healthy)
        self.assertFalse(self.table.clearFlag("a:1", FAILED_OUTLIER))

    def test_told(self):
        """The cluster of a host is told of turns, and only of them."""
        del CLUSTER.told[:]
        self.table.setFlag("a:1", FAILED_ACTIVE_CHECK)
        self.table.setFlag("a:1", FAILED_OUTLIER)
        self.table.clearFlag("a:1", FAILED_OUTLIER)
        self.table.clearFlag("a:1", FAILED_ACTIVE_CHECK)
        self.assertEqual(CLUSTER.told, [("a:1", False), ("a:1", True)])

    def test_shared(self):
        """All hosts of an address share its health, also one that comes later."""
        same, other = newHost("a:1"), newHost("b:1")
        self.table.attach(other)
        self.table.setFlag("a:1", FAILED_OUTLIER)
        self.table.attach(same)
        self.assertEqual((same.healthy, other.healthy), (False, True))
        self.table.clearFlag("a:1", FAILED_OUTLIER)
        self.assertEqual((self.host.healthy, same.healthy), (True, True))

    def test_forgotten(self):
        """When nobody uses an address any more its flags are forgotten."""
        same = newHost("a:1")
        self.table.attach(same)
        self.table.setFlag("a:1", FAILED_OUTLIER)
        self.table.detach(self.host)
        self.assertEqual((len(self.table), self.table.flags("a:1")), (1, FAILED_OUTLIER))
        self.table.detach(same)
        self.table.detach(same)
        self.assertEqual((len(self.table), self.table.flags("a:1")), (0, 0))
        self.table.attach(same)
        self.assertTrue(same.healthy)

    def test_unknown(self):
        """Flags of an address that nobody uses are not kept."""
        self.assertFalse(self.table.setFlag("x:1", FAILED_OUTLIER))
        self.assertEqual((len(self.table), self.table.flags("x:1")), (1, 0))
