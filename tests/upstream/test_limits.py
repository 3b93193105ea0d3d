"""Tests of `mosntx.upstream.limits`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.upstream.limits import Limits

#: Counter, limit, and the two methods of each resource.
RESOURCES = (
    ("connections", "maxConnections", "tryConnection", "releaseConnection"),
    ("pending", "maxPending", "tryPending", "releasePending"),
    ("requests", "maxRequests", "tryRequest", "releaseRequest"),
    ("retries", "maxRetries", "tryRetry", "releaseRetry"),
)


class LimitsTests(SynchronousTestCase):
    """Circuit breakers."""

    def test_each(self):
        """Each resource has its own limit and count."""
        for counter, limit, take, release in RESOURCES:
            limits = Limits(**{limit: 2})
            self.assertEqual([getattr(limits, take)() for _ in range(3)], [True, True, False])
            self.assertEqual(getattr(limits, counter), 2)
            getattr(limits, release)()
            self.assertTrue(getattr(limits, take)())
            for other, _, takeOther, _ in RESOURCES:
                if other != counter:
                    self.assertEqual(getattr(limits, other), 0)
                    self.assertTrue(getattr(limits, takeOther)())

    def test_unlimited(self):
        """A limit of 0 is none, and counts nevertheless."""
        limits = Limits()
        self.assertTrue(all(limits.tryRequest() for _ in range(5000)))
        self.assertEqual(limits.requests, 5000)

    def test_configure(self):
        """A new limit finds the counts of before (scenario 53)."""
        limits = Limits()
        for _ in range(3):
            limits.tryRetry()
        limits.configure(1, 1, 1, 3)
        self.assertFalse(limits.tryRetry())
        limits.configure(1, 1, 1, 4)
        self.assertTrue(limits.tryRetry())
        self.assertEqual(limits.retries, 4)

    @given(st.lists(st.tuples(st.sampled_from(RESOURCES), st.booleans())))
    def test_balanced(self, steps):
        """Counts stay between 0 and the limit, and come back to 0."""
        limits = Limits(2, 2, 2, 2)
        held = dict.fromkeys(RESOURCES, 0)
        for resource, take in steps:
            if take:
                held[resource] += getattr(limits, resource[2])()
            elif held[resource]:
                getattr(limits, resource[3])()
                held[resource] -= 1
            self.assertEqual(getattr(limits, resource[0]), held[resource])
            self.assertLessEqual(held[resource], 2)
        for resource, number in held.items():
            for _ in range(number):
                getattr(limits, resource[3])()
            self.assertEqual(getattr(limits, resource[0]), 0)
