"""Tests of the balancer: all that a balancer has to keep to, and its own rule."""

from __future__ import annotations

from first_healthy import FirstHealthyFactory
from twisted.trial.unittest import SynchronousTestCase

from mosntx.testing.contracts.balancer import BalancerSuite
from mosntx.testing.upstream import hosts


class FirstHealthyTests(BalancerSuite, SynchronousTestCase):
    """The first healthy host."""

    def factory(self) -> FirstHealthyFactory:
        """See `BalancerSuite`."""
        return FirstHealthyFactory()

    def test_standBy(self) -> None:
        """The second host serves only while the first cannot."""
        among = hosts(1, 1)
        balancer = self.balancer(among)
        self.assertEqual(self.choose(balancer, 3), [among[0]] * 3)
        self.turn(balancer, among[0], False)
        self.assertEqual(self.choose(balancer, 3), [among[1]] * 3)
