"""Tests of the contract suite for balancers: it has to notice what it promises to notice."""

from __future__ import annotations

import unittest

from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mosntx.contracts.upstream import ILoadBalancer, ILoadBalancerFactory
from mosntx.testing.contracts.balancer import BalancerSuite
from mosntx.testing.upstream import FirstHost


@implementer(ILoadBalancer)
class _Blind:
    """Looks at no host's health."""

    def __init__(self, hosts, random):
        self.hosts = hosts

    def chooseHost(self, context):
        return self.hosts[0] if self.hosts else None


@implementer(ILoadBalancer)
class _Cached:
    """Looks at health once."""

    def __init__(self, hosts, random):
        self.hosts = [host for host in hosts if host.healthy]

    def chooseHost(self, context):
        return self.hosts[0] if self.hosts else None


@implementer(ILoadBalancer)
class _Forgetful:
    """Fails when there is nothing to choose from."""

    def __init__(self, hosts, random):
        self.hosts = list(hosts)

    def chooseHost(self, context):
        return next(host for host in self.hosts if host.healthy)


def failing(make) -> set[str]:
    """The tests of the suite that a balancer fails."""

    @implementer(ILoadBalancerFactory)
    class Factory:
        name = "LB_TEST"

        def build(self, hosts, settings):
            return make(hosts, settings.random)

    class Tests(BalancerSuite, SynchronousTestCase):
        def factory(self):
            return Factory()

    failed = set()
    for name in dir(Tests):
        if name.startswith("test_"):
            result = unittest.TestResult()
            Tests(name).run(result)
            if not result.wasSuccessful():
                failed.add(name)
    return failed


class SuiteTests(SynchronousTestCase):
    """Each mistake fails some tests."""

    def test_good(self):
        """A balancer that keeps the contract passes."""
        self.assertEqual(failing(lambda hosts, random: FirstHost(hosts)), set())

    def test_blind(self):
        """Choosing an unhealthy host is noticed, and so is keeping the caller's list."""
        found = failing(_Blind)
        self.assertLessEqual(
            {"test_neverUnhealthy", "test_allUnhealthy", "test_keepsItsHosts"}, found
        )

    def test_cached(self):
        """Looking at health only once is noticed."""
        self.assertEqual(failing(_Cached) - {"test_keepsItsHosts"}, {"test_healthChanges"})

    def test_forgetful(self):
        """Raising instead of choosing nothing is noticed."""
        self.assertLessEqual({"test_noHosts", "test_allUnhealthy"}, failing(_Forgetful))

    def test_chance(self):
        """Choices that do not follow from the randomness given are noticed."""
        turn = iter(range(10**6))

        @implementer(ILoadBalancer)
        class Restless:
            def __init__(self, hosts):
                self.hosts = tuple(hosts)

            def chooseHost(self, context):
                healthy = [host for host in self.hosts if host.healthy]
                return healthy[next(turn) % 3 % len(healthy)] if healthy else None

        self.assertEqual(failing(lambda hosts, random: Restless(hosts)), {"test_repeatable"})
