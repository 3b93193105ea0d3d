"""Tests of `mosntx.upstream.ejections`."""

from __future__ import annotations

from random import Random

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.config.schema import Host as HostConfig
from mosntx.testing.upstream import FakePool
from mosntx.upstream.balancers.roundrobin import RoundRobinFactory
from mosntx.upstream.cluster import Cluster
from mosntx.upstream.ejections import Ejections
from mosntx.upstream.hosts import AddressTable


class EjectionsTests(SynchronousTestCase):
    """Two who notice the same."""

    def test_counted(self) -> None:
        """An address is healthy again when the last of those who ejected it let it in."""
        addresses = AddressTable()
        cluster = Cluster(
            ClusterConfig(name="c", hosts=(HostConfig(address="a:1"),)),
            balancer=RoundRobinFactory(),
            poolFactory=FakePool,
            random=Random(1),
            seconds=Clock().seconds,
            addresses=addresses,
        )
        (host,) = cluster.hosts
        ejections = Ejections(addresses)
        seen = []
        for change in (ejections.eject, ejections.eject, ejections.admit, ejections.admit):
            change("a:1")
            seen.append(host.healthy)
        self.assertEqual(seen, [False, False, False, True])
