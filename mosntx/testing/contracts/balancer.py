"""What every load balancer keeps to."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any
from unittest import TestCase

from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from mosntx.config.schema import Cluster
from mosntx.contracts.upstream import IHealthAware, ILoadBalancer, ILoadBalancerFactory
from mosntx.testing.upstream import FakeExchange, FakeHost, hosts
from mosntx.upstream.balancers.settings import BalancerSettings

if TYPE_CHECKING:
    _Base = TestCase
else:
    _Base = object


class BalancerSuite(_Base):
    """A mixin for ``SynchronousTestCase``: `ILoadBalancer` and `ILoadBalancerFactory`.

    A subclass defines `factory`.
    """

    def factory(self) -> ILoadBalancerFactory:
        """Return the factory under test."""
        raise NotImplementedError

    def settings(self, seed: int = 1, **more: Any) -> BalancerSettings:
        """Return what the balancers are made with.

        :param more: of `BalancerSettings`.
        """
        more.setdefault("config", self.config())
        return BalancerSettings(random=Random(seed), seconds=self.clock().seconds, **more)

    def config(self) -> Cluster:
        """Return the settings of the cluster."""
        return Cluster(name="fake")

    def clock(self) -> Clock:
        """Return the time of a test; it begins at an hour and moves when the test moves it."""
        clock: Clock | None = self.__dict__.get("_clock")
        if clock is None:
            clock = self.__dict__["_clock"] = Clock()
            clock.advance(3600.0)
        return clock

    def balancer(self, among: list[FakeHost], seed: int = 1, **more: Any) -> ILoadBalancer:
        """Return a balancer over these hosts.

        :param more: of `BalancerSettings`.
        """
        return self.factory().build(among, self.settings(seed, **more))

    def request(self, number: int) -> FakeExchange:
        """Return a new request; for balancers by hash, with a key.

        :param number: of requests before.
        """
        return FakeExchange()

    def choose(self, balancer: ILoadBalancer, times: int) -> list[Any]:
        """Return the choices for so many new requests: hosts and ``None``."""
        return [balancer.chooseHost(self.request(number)) for number in range(times)]

    def turn(self, balancer: ILoadBalancer, host: FakeHost, healthy: bool) -> None:
        """Change the health of a host, and tell the balancer when it wants to know."""
        if host.healthy != healthy:
            host.healthy = healthy
            if IHealthAware.providedBy(balancer):
                balancer.healthChanged(host)

    def test_interfaces(self) -> None:
        """Factory and balancer provide their contracts."""
        verifyObject(ILoadBalancerFactory, self.factory())
        verifyObject(ILoadBalancer, self.balancer(hosts(1, 1)))

    def test_name(self) -> None:
        """The factory has a name in MOSN's form."""
        self.assertRegex(self.factory().name, "^LB_[A-Z_]+$")

    def test_noHosts(self) -> None:
        """Without hosts nothing is chosen, however often one asks."""
        self.assertEqual(self.choose(self.balancer([]), 3), [None] * 3)

    def test_oneHost(self) -> None:
        """A single healthy host is chosen each time."""
        only = hosts(5)
        self.assertEqual(self.choose(self.balancer(only), 5), only * 5)

    def test_oneHostUnhealthy(self) -> None:
        """A single unhealthy host is never chosen."""
        self.assertEqual(self.choose(self.balancer(hosts(1, unhealthy=[0])), 5), [None] * 5)

    def test_allUnhealthy(self) -> None:
        """Nothing is chosen when no host is healthy."""
        sick = hosts(1, 2, 3, unhealthy=[0, 1, 2])
        self.assertEqual(self.choose(self.balancer(sick), 10), [None] * 10)

    def test_neverUnhealthy(self) -> None:
        """A healthy host is found at each choice, whichever hosts are not healthy."""
        for sick in range(1, 2**5 - 1):
            for weights in ((1,) * 5, (1, 100, 3, 50, 128)):
                among = hosts(*weights, unhealthy=[n for n in range(5) if sick >> n & 1])
                chosen = self.choose(self.balancer(among, seed=sick), 40)
                self.assertTrue(all(host is not None and host.healthy for host in chosen))

    def test_healthChanges(self) -> None:
        """Health counts as it is at each choice, not as it was when the balancer was made."""
        among = hosts(1, 1, 1)
        balancer = self.balancer(among)
        self.choose(balancer, 4)
        self.turn(balancer, among[0], False)
        self.turn(balancer, among[1], False)
        self.assertEqual(self.choose(balancer, 6), [among[2]] * 6)
        self.turn(balancer, among[2], False)
        self.assertEqual(self.choose(balancer, 2), [None] * 2)
        self.turn(balancer, among[1], True)
        self.assertEqual(self.choose(balancer, 6), [among[1]] * 6)

    def test_noContext(self) -> None:
        """A choice can be made for no request at all, as L4 proxies do."""
        only = hosts(1)
        self.assertIn(self.balancer(only).chooseHost(None), [None, *only])

    def test_repeatable(self) -> None:
        """The same randomness gives the same choices."""
        among = hosts(3, 1, 2, 2)
        first = self.choose(self.balancer(among, seed=7), 50)
        self.assertEqual(first, self.choose(self.balancer(among, seed=7), 50))

    def test_keepsItsHosts(self) -> None:
        """A list that changes later does not change the balancer."""
        among = hosts(1, 1)
        balancer = self.balancer(among)
        gone = among.pop()
        self.choose(balancer, 10)
        among.clear()
        chosen = self.choose(balancer, 10)
        self.assertNotIn(None, chosen)
        self.turn(balancer, gone, False)
        self.assertNotIn(gone, self.choose(balancer, 10))
