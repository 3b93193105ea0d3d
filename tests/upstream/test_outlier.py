"""Tests of `mosntx.upstream.outlier`."""

from __future__ import annotations

from random import Random
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.config.schema import Host as HostConfig
from mosntx.config.schema import OutlierDetection
from mosntx.contracts.stream import CONNECTION_FAILED
from mosntx.contracts.upstream import IHost, IOutlierDetector
from mosntx.net.timers import TICK, TimerWheel
from mosntx.testing.upstream import FakePool
from mosntx.upstream.balancers.roundrobin import RoundRobinFactory
from mosntx.upstream.cluster import Cluster
from mosntx.upstream.clusters import Clusters
from mosntx.upstream.ejections import Ejections
from mosntx.upstream.hosts import FAILED_ACTIVE_CHECK, AddressTable
from mosntx.upstream.outlier import OutlierDetections


class OutlierCase(SynchronousTestCase):
    """Clusters whose requests a test makes up."""

    def setUp(self) -> None:
        """Start with nothing."""
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)
        self.addresses = AddressTable()
        self.detections = OutlierDetections(Ejections(self.addresses), self.wheel)
        self.clusters = Clusters(
            balancers={"LB_ROUNDROBIN": RoundRobinFactory()},
            poolFactory=FakePool,
            random=Random(1),
            seconds=self.clock.seconds,
            addresses=self.addresses,
            watch=self.detections.changed,
        )
        self.detections.start()

    def update(self, count: int, name: str = "c", **settings: Any) -> Cluster:
        """Add or change a cluster of so many hosts."""
        config = ClusterConfig(name=name, outlier_detection=OutlierDetection(**settings))
        hosts = [HostConfig(address=f"10.0.0.{n}:80") for n in range(count)]
        return self.clusters.update(config, hosts)

    def detector(self, name: str = "c") -> Any:
        """Return the detector of a cluster."""
        cluster = self.clusters.get(name)
        assert cluster is not None
        return cluster.outlier

    def failing(self, number: int, times: int = 1, name: str = "c") -> None:
        """Let requests to a host fail."""
        for _ in range(times):
            self.detector(name).failure(self.host(number, name), 0)

    def succeed(self, number: int, times: int = 1) -> None:
        """Let requests to a host succeed."""
        for _ in range(times):
            self.detector().success(self.host(number))

    def host(self, number: int, name: str = "c") -> IHost:
        """Return a host of a cluster."""
        cluster = self.clusters.get(name)
        assert cluster is not None
        host: IHost = cluster.hosts[number]
        return host

    def out(self, name: str = "c") -> list[int]:
        """Return the numbers of unhealthy hosts."""
        cluster = self.clusters.get(name)
        assert cluster is not None
        return [n for n, host in enumerate(cluster.hosts) if not host.healthy]

    def pass_(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds + TICK)


class ConsecutiveTests(OutlierCase):
    """Failures one after the other."""

    def test_interface(self) -> None:
        """It provides its contract."""
        self.update(2)
        verifyObject(IOutlierDetector, self.detector())

    def test_five(self) -> None:
        """The fifth in a row ejects; a success in between begins anew."""
        cluster = self.update(3)
        self.failing(0, 4)
        self.succeed(0)
        self.failing(0, 4)
        self.assertEqual(self.out(), [])
        self.failing(0)
        self.assertEqual(self.out(), [0])
        self.assertEqual(cluster.stats.outlier_ejections_active, 1)
        self.assertEqual(cluster.stats.outlier_ejections_total, 1)

    def test_deadHost(self) -> None:
        """Failed connects count like bad answers."""
        self.update(2, consecutive_5xx=1)
        self.detector().failure(self.host(0), CONNECTION_FAILED)
        self.assertEqual(self.out(), [0])

    def test_off(self) -> None:
        """0 switches it off."""
        self.update(2, consecutive_5xx=0)
        self.failing(0, 1000)
        self.assertEqual(self.out(), [])

    def test_back(self) -> None:
        """After its time a host is healthy again, and its failures are forgotten."""
        cluster = self.update(2)
        self.failing(0, 5)
        self.pass_(29.9)
        self.assertEqual(self.out(), [0])
        self.pass_(0.1)
        self.assertEqual(self.out(), [])
        self.assertEqual(cluster.stats.outlier_ejections_active, 0)
        self.failing(0, 4)
        self.assertEqual(self.out(), [])

    def test_longer(self) -> None:
        """A host that is ejected again and again stays out longer, up to the limit."""
        self.update(2, consecutive_5xx=1, max_ejection_time=70.0, interval=1000.0)
        for seconds in (30, 60, 70, 70):
            self.failing(0)
            self.pass_(seconds - 1)
            self.assertEqual(self.out(), [0], seconds)
            self.pass_(1)
            self.assertEqual(self.out(), [], seconds)

    def test_forgiven(self) -> None:
        """Intervals without an ejection make the next one shorter again."""
        self.update(2, consecutive_5xx=1)
        self.failing(0)
        self.pass_(30)
        self.pass_(20)
        self.failing(0)
        self.pass_(30)
        self.assertEqual(self.out(), [])


class LimitTests(OutlierCase):
    """How many may be ejected."""

    def test_lastHost(self) -> None:
        """The last healthy host stays, however bad."""
        cluster = self.update(2, max_ejection_percent=100)
        self.failing(0, 5)
        self.failing(1, 5)
        self.assertEqual(self.out(), [0])
        self.assertEqual(cluster.stats.outlier_ejections_overflow, 1)

    def test_othersAreDown(self) -> None:
        """Hosts that failed their active check are no replacement."""
        self.update(2)
        self.addresses.setFlag(self.host(1).address, FAILED_ACTIVE_CHECK)
        self.failing(0, 5)
        self.assertEqual(self.out(), [1])

    def test_share(self) -> None:
        """No more than the share, but one always."""
        for hosts, percent, most in ((3, 10, 1), (30, 10, 3), (10, 50, 5), (4, 0, 1)):
            self.update(hosts, f"c{hosts}", max_ejection_percent=percent)
            for number in range(hosts):
                self.failing(number, 5, f"c{hosts}")
            self.assertEqual(len(self.out(f"c{hosts}")), most)
            self.clusters.remove(f"c{hosts}")


class RateTests(OutlierCase):
    """What is compared at the end of an interval."""

    def load(self, *rates: float, requests: int = 100) -> None:
        """Let each host answer requests, a share of them well, never five failures in a row."""
        for number, rate in enumerate(rates):
            for n in range(requests):
                good = int((n + 1) * rate) > int(n * rate)
                (self.succeed if good else self.failing)(number)

    def test_successRate(self) -> None:
        """One that is far worse than the others goes."""
        self.update(6, consecutive_5xx=0)
        self.load(1, 1, 1, 1, 1, 0.7)
        self.assertEqual(self.out(), [])
        self.pass_(10)
        self.assertEqual(self.out(), [5])

    def test_allAlike(self) -> None:
        """When all are equally bad nobody is an outlier."""
        self.update(6, consecutive_5xx=0)
        self.load(*[0.7] * 6)
        self.pass_(10)
        self.assertEqual(self.out(), [])

    def test_tooFew(self) -> None:
        """Few hosts, or few requests, prove nothing."""
        self.update(4, consecutive_5xx=0)
        self.load(1, 1, 1, 0)
        self.pass_(10)
        self.update(6, consecutive_5xx=0)
        self.load(1, 1, 1, 1, 1, 0, requests=49)
        self.pass_(10)
        self.assertEqual(self.out(), [])

    def test_failurePercentage(self) -> None:
        """One that mostly fails goes, also without a comparison."""
        self.update(5, consecutive_5xx=0, success_rate_stdev_factor=0)
        self.load(0.2, 0.9, 1, 1, 0.1)
        self.pass_(10)
        self.assertEqual(self.out(), [4])

    def test_intervals(self) -> None:
        """What happened in one interval does not count in the next."""
        self.update(5, consecutive_5xx=0)
        self.load(1, 1, 1, 1, 0.8, requests=49)
        self.pass_(10)
        self.load(1, 1, 1, 1, 0.8, requests=49)
        self.pass_(10)
        self.assertEqual(self.out(), [])


class ChangeTests(OutlierCase):
    """Clusters that change."""

    def test_settingsChange(self) -> None:
        """New settings begin with all hosts; without settings nothing is detected."""
        self.update(3)
        self.failing(0, 5)
        self.update(3, consecutive_5xx=2)
        self.assertEqual(self.out(), [])
        self.failing(0, 2)
        self.assertEqual(self.out(), [0])
        cluster = self.clusters.update(ClusterConfig(name="c"))
        self.assertIsNone(cluster.outlier)
        self.assertEqual(self.out(), [])

    def test_hostsChange(self) -> None:
        """Hosts that stay keep their ejection; one that leaves takes nothing along."""
        self.update(3)
        self.failing(0, 5)
        self.update(4)
        self.assertEqual(self.out(), [0])
        cluster = self.clusters.get("c")
        assert cluster is not None
        self.clusters.removeHosts("c", [self.host(0).address])
        self.assertEqual(cluster.stats.outlier_ejections_active, 0)
        self.update(3)
        self.assertEqual(self.out(), [])

    def test_twoClusters(self) -> None:
        """An address that both have ejected comes back when both let it in."""
        self.update(2, "c")
        self.update(2, "d", base_ejection_time=60.0)
        self.failing(0, 5, "c")
        self.failing(0, 5, "d")
        self.pass_(30)
        self.assertEqual((self.out("c"), self.out("d")), ([0], [0]))
        self.pass_(30)
        self.assertEqual((self.out("c"), self.out("d")), ([], []))

    def test_nothingIsLeft(self) -> None:
        """Removing the cluster, or the end of the Sidecar, cancels every timer."""
        self.update(3)
        self.failing(0, 5)
        self.clusters.remove("c")
        self.update(3)
        self.failing(0, 5)
        self.detections.stop()
        self.assertEqual(self.out(), [])
        self.clock.advance(1000)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_notStarted(self) -> None:
        """Before the start nothing is detected."""
        self.detections.stop()
        cluster = self.update(2)
        self.assertIsNone(cluster.outlier)
        self.detections.start()
        self.failing(0, 5)
        self.assertEqual(self.out(), [0])
