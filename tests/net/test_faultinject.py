"""The network filter ``fault_inject``."""

from __future__ import annotations

from random import Random

from attrs import define
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mosntx.contracts.filters import IFilterContext
from mosntx.contracts.net import STOP, INetworkFilterFactory, INetworkFilterType
from mosntx.net.connection import Connection
from mosntx.net.faultinject import FaultInject, FaultInjectConfig, FaultInjectType
from mosntx.net.filters import NetworkFilter
from mosntx.testing.contracts.network import NetworkFilterSuite
from mosntx.testing.net import FakeReceiver, FakeTransport


@implementer(IFilterContext)
@define
class Context:
    """What the filter is built with."""

    clock: object
    seconds: object
    random: object
    wheel: object
    clusters: object = None
    ejections: object = None


class Last(NetworkFilter):
    """Gives the connection away at once."""

    def __init__(self, connection, receiver):
        self.connection = connection
        self.receiver = receiver

    def newConnection(self):
        """See `INetworkFilter.newConnection`."""
        self.connection.handOver(self.receiver, b"")
        return STOP


@implementer(INetworkFilterFactory)
class Giving:
    """The factory of `Last`."""

    name = "giving"

    def __init__(self, receiver):
        self.receiver = receiver

    def createFilter(self, connection):
        """See `INetworkFilterFactory.createFilter`."""
        return Last(connection, self.receiver)


class FaultInjectTests(NetworkFilterSuite, SynchronousTestCase):
    """Delays."""

    def factory(self, percent=100, duration=1.0, seed=1):
        config = FaultInjectConfig(delay_percent=percent, delay_duration=duration)
        return FaultInject(config, self.wheel, Random(seed))

    def connect(self, factory):
        self.receiver = FakeReceiver()
        self.connection = Connection(1, self.wheel, lambda made: None, lambda gone: None)
        self.transport = FakeTransport(self.connection)
        self.connection.startFilters([factory, Giving(self.receiver)])

    def test_catalogRow(self):
        """The row of the catalog makes the factory from a configuration."""
        context = Context(self.clock, self.clock.seconds, Random(1), self.wheel)
        verifyObject(INetworkFilterType, FaultInjectType())
        factory = FaultInjectType().build(FaultInjectConfig(), context)
        assert isinstance(factory, FaultInject)
        self.assertEqual((factory.name, factory.delay()), ("fault_inject", 0.0))

    def test_delay(self):
        """A delayed read comes later, with what came meanwhile, in order."""
        self.connect(self.factory())
        self.connection.dataReceived(b"ab")
        self.clock.advance(0.5)
        self.connection.dataReceived(b"cd")
        self.clock.advance(0.4)
        self.assertEqual(self.receiver.received, b"")
        self.clock.advance(0.2)
        self.assertEqual(self.receiver.received, b"abcd")
        self.connection.dataReceived(b"e")
        self.assertEqual(self.receiver.received, b"abcd")
        self.clock.advance(1.1)
        self.assertEqual(self.receiver.received, b"abcde")

    def test_percent(self):
        """The configured part of the reads is delayed."""
        for percent in (0, 1, 50, 100):
            factory = self.factory(percent)
            delayed = sum(factory.delay() > 0.0 for _ in range(2000))
            self.assertApproximates(delayed / 20, percent, 5 if 0 < percent < 100 else 0)

    def test_noDuration(self):
        """A delay of nothing is none."""
        self.connect(self.factory(duration=0.0))
        self.connection.dataReceived(b"ab")
        self.assertEqual(self.receiver.received, b"ab")

    def test_lostWhileDelayed(self):
        """A connection that ends during a delay leaves no timer."""
        self.connect(self.factory())
        self.connection.dataReceived(b"ab")
        self.transport.end()
        self.assertEqual((self.wheel.active, self.receiver.received), (0, b""))
