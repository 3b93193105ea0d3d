"""Tests of `mosntx.testing.upstream`."""

from __future__ import annotations

from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.contracts.filters import IExchange
from mosntx.contracts.upstream import (
    ICluster,
    IConnectionPool,
    IHost,
    ILoadBalancer,
    ILoadBalancerContext,
)
from mosntx.testing.upstream import (
    FakeCluster,
    FakeExchange,
    FakeHost,
    FakePool,
    FirstHost,
    hosts,
)


class FakesTests(SynchronousTestCase):
    """The fakes keep to their contracts."""

    def test_interfaces(self):
        """Each fake provides what it stands for."""
        for interface, fake in (
            (IConnectionPool, FakePool()),
            (IHost, FakeHost()),
            (ILoadBalancer, FirstHost()),
            (ICluster, FakeCluster()),
            (IExchange, FakeExchange()),
            (ILoadBalancerContext, FakeExchange()),
        ):
            verifyObject(interface, fake)

    def test_pool(self):
        """A pool gives what is ready, and lets others wait."""
        pool = FakeHost().pool("Http1")
        self.assertIsNone(pool.tryCheckout())
        waiter = pool.checkout()
        self.assertEqual(pool.waiting, 1)
        waiter.cancel()
        self.failureResultOf(waiter, CancelledError)
        self.assertEqual(pool.waiting, 0)
        pool.ready.append("a")
        self.assertEqual((self.successResultOf(pool.checkout()), pool.active), ("a", 1))
        pool.checkin("a")
        self.assertEqual((pool.returned, pool.active), (["a"], 0))
        self.assertIs(pool.drain(), pool.drain())

    def test_hosts(self):
        """Hosts have pools of their own, one per protocol, and the health they are given."""
        sick, well = hosts(1, 2, unhealthy=[0])
        self.assertEqual((sick.healthy, well.healthy, well.weight), (False, True, 2))
        self.assertIs(well.pool("a"), well.pool("a"))
        self.assertIsNot(well.pool("a"), well.pool("b"))
        self.assertIs(FakeCluster(hosts=[sick, well]).loadBalancer.chooseHost(None), well)

    def test_exchange(self):
        """An exchange notes what it is told."""
        exchange = FakeExchange()
        exchange.reply(503, b"why", 4)
        exchange.resume()
        exchange.abort()
        self.assertEqual(exchange.replies, [(503, b"why", 4)])
        self.assertEqual((exchange.flags, exchange.resumed, exchange.aborted), (4, 1, True))
        exchange.key, exchange.criteria = 9, (("a", "b"),)
        self.assertEqual((exchange.hashKey(), exchange.metadata()), (9, (("a", "b"),)))
