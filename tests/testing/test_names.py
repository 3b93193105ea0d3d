"""Tests of `mosntx.testing.names`."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, TimeoutError
from twisted.internet.interfaces import IResolver
from twisted.names import dns
from twisted.names.error import DNSNameError, DNSServerError
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.config.schema import Cluster
from mosntx.testing.names import MemoryResolver


class MemoryResolverTests(SynchronousTestCase):
    """It answers as Twisted's resolvers do."""

    def setUp(self) -> None:
        self.resolver: Any = MemoryResolver()
        self.resolver.set("a.test", "10.0.0.1", "::1", ttl=7)

    def test_interface(self) -> None:
        """It keeps the contract of Twisted, and makes the name servers of any cluster."""
        verifyObject(IResolver, self.resolver)
        self.assertIs(self.resolver.nameservers(Cluster(name="c")).resolver, self.resolver)

    def test_records(self) -> None:
        """Each type has its records, with names, TTL and types as from a name server."""
        self.resolver.setServices("_s._tcp.t", (1, 2, 3, "a.test"))
        ((header,), _, _) = self.successResultOf(self.resolver.lookupAddress("a.test"))
        self.assertEqual((header.type, header.ttl), (dns.A, 7))
        self.assertEqual(header.payload.dottedQuad(), "10.0.0.1")
        ((header,), _, _) = self.successResultOf(self.resolver.lookupIPV6Address("a.test"))
        self.assertEqual(header.type, dns.AAAA)
        ((header,), _, _) = self.successResultOf(self.resolver.lookupService("_s._tcp.t"))
        service = header.payload
        self.assertEqual((service.priority, service.weight, service.port), (1, 2, 3))
        self.resolver.set("four.test", "10.0.0.1")
        answers, _, _ = self.successResultOf(self.resolver.lookupIPV6Address("four.test"))
        self.assertEqual(answers, ())

    def test_failures(self) -> None:
        """It fails with the exceptions of Twisted."""
        self.failureResultOf(self.resolver.lookupAddress("b.test"), DNSNameError)
        self.resolver.forget("a.test")
        self.failureResultOf(self.resolver.lookupAddress("a.test"), DNSNameError)
        for broken, expected in (("timeout", TimeoutError), ("server", DNSServerError)):
            self.resolver.broken = broken
            self.failureResultOf(self.resolver.lookupAddress("a.test"), expected)

    def test_failing(self) -> None:
        """One kind of question may fail while others are answered."""
        self.resolver.failing.add(("a.test", dns.AAAA))
        self.failureResultOf(self.resolver.lookupIPV6Address("a.test"), DNSServerError)
        self.successResultOf(self.resolver.lookupAddress("a.test"))

    def test_held(self) -> None:
        """Questions may wait, and be given up meanwhile."""
        self.resolver.held = True
        first, second = (self.resolver.lookupAddress("a.test") for _ in range(2))
        self.assertNoResult(first)
        second.cancel()
        self.failureResultOf(second, CancelledError)
        self.resolver.release()
        self.successResultOf(first)
        self.assertEqual(self.resolver.cancelled, 1)
