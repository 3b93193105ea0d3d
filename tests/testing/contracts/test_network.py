"""The suites of the NET/IO layer find what they are for."""

from __future__ import annotations

import unittest

from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mosntx.contracts.net import CONTINUE, INetworkFilterFactory
from mosntx.net.filters import NetworkFilter
from mosntx.testing.contracts.network import NetworkFilterSuite, ReceiverSuite
from mosntx.testing.net import HalfClosingReceiver


class Polite(HalfClosingReceiver):
    """A receiver that closes when it is asked to."""

    def drain(self):
        """See `IBytesReceiver.drain`."""
        self.connection.close()

    def readClosed(self):
        """See `IBytesReceiver`."""
        self.connection.close()


class ReceiverSuiteTests(ReceiverSuite, SynchronousTestCase):
    """The suite accepts the simplest good receiver."""

    def receiver(self, connection):
        return Polite()


@implementer(INetworkFilterFactory)
class Nothing:
    """A factory of filters that do nothing."""

    name = "nothing"

    def createFilter(self, connection):
        """See `INetworkFilterFactory.createFilter`."""
        return NetworkFilter()


class NetworkFilterSuiteTests(NetworkFilterSuite, SynchronousTestCase):
    """The suite accepts the simplest good filter."""

    def factory(self):
        return Nothing()


class Forgetful(NetworkFilter):
    """Leaves a timer behind."""

    def __init__(self, wheel):
        self.wheel = wheel

    def bytesReceived(self, buffer):
        """See `INetworkFilter.bytesReceived`."""
        self.wheel.schedule(1.0, lambda: None)
        return CONTINUE


class FindingTests(SynchronousTestCase):
    """The suites refuse bad providers."""

    def failures(self, suite, name):
        """Return how many failures one test of a suite has."""
        result = unittest.TestResult()
        suite(name).run(result)
        self.assertEqual(result.testsRun, 1)
        return len(result.failures)

    def test_stubbornReceiver(self):
        """A receiver that does not close when drained is found."""

        class Suite(ReceiverSuite, SynchronousTestCase):
            def receiver(self, connection):
                return HalfClosingReceiver()

        self.assertEqual(self.failures(Suite, "test_idleDrain"), 1)
        self.assertEqual(self.failures(Suite, "test_peerFinishedAtOnce"), 1)
        self.assertEqual(self.failures(Suite, "test_lostAtOnce"), 0)

    def test_forgetfulFilter(self):
        """A filter that leaves a timer is found."""

        class Forgetting(Nothing):
            def __init__(self, wheel):
                self.wheel = wheel

            def createFilter(self, connection):
                return Forgetful(self.wheel)

        class Suite(NetworkFilterSuite, SynchronousTestCase):
            def factory(self):
                return Forgetting(self.wheel)

        self.assertEqual(self.failures(Suite, "test_lostAfterOctets"), 1)
        self.assertEqual(self.failures(Suite, "test_lostAtOnce"), 0)
