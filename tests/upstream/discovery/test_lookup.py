"""Tests of `mosntx.upstream.discovery.lookup`."""

from __future__ import annotations

from twisted.names import dns
from twisted.names.hosts import Resolver as HostsResolver
from twisted.names.resolve import ResolverChain
from twisted.trial.unittest import SynchronousTestCase

from mosntx.testing.names import MemoryResolver
from mosntx.upstream.discovery.context import Nameservers
from mosntx.upstream.discovery.lookup import (
    Found,
    LookupFailed,
    NoRecordsError,
    Place,
    candidates,
    find,
)


class CandidatesTests(SynchronousTestCase):
    """Which names are tried (resolv.conf(5))."""

    def test_candidates(self) -> None:
        """With enough dots the name itself is first, else last; a final dot ends it."""
        search = ("x.test", "y.test.")
        for name, ndots, expected in (
            ("a", 1, ["a.x.test", "a.y.test", "a"]),
            ("a.b", 1, ["a.b", "a.b.x.test", "a.b.y.test"]),
            ("a.b", 2, ["a.b.x.test", "a.b.y.test", "a.b"]),
            ("a.b.", 5, ["a.b"]),
        ):
            self.assertEqual(list(candidates(name, search, ndots)), expected)
        self.assertEqual(list(candidates("a", (), 1)), ["a"])


class FindTests(SynchronousTestCase):
    """Questions and answers."""

    def setUp(self) -> None:
        self.resolver = MemoryResolver()
        self.servers = Nameservers(self.resolver, (1,), search=("x.test",))

    def test_search(self) -> None:
        """The first name of the list that has an address is the one."""
        self.resolver.set("a.x.test", "10.0.0.1", ttl=9)
        found = self.successResultOf(find(self.servers, "a", "", False))
        self.assertEqual(found, Found({dns.A: (Place("10.0.0.1"),)}, 9))

    def test_shortestTtl(self) -> None:
        """An answer holds as long as its shortest record."""
        self.resolver.set("a.test", "10.0.0.1", ttl=9)
        self.resolver.setServices("_s._tcp.t", (0, 0, 1, "a.test"), ttl=99)
        found = self.successResultOf(find(self.servers, "_s._tcp.t.", "", True))
        self.assertEqual(found.ttl, 9)

    def test_serverInTroubleEndsTheSearch(self) -> None:
        """A name that could not be asked for is not another name."""
        self.resolver.broken = "server"
        failure = self.failureResultOf(find(self.servers, "a", "", False), LookupFailed)
        self.assertFalse(failure.check(NoRecordsError))
        self.assertEqual(len(self.resolver.asked), 1)

    def test_nothing(self) -> None:
        """A name that nobody knows in any domain is said to be none."""
        failure = self.failureResultOf(find(self.servers, "a.b", "ALL", False), NoRecordsError)
        self.assertEqual(len(self.resolver.asked), 4)
        self.assertIn("has no address", failure.getErrorMessage())

    def test_hostsFile(self) -> None:
        """Names of the system's hosts file are found without a question."""
        path = self.mktemp()
        with open(path, "w") as file:
            file.write("10.0.0.5 db db.test\n::1 six.test\n")
        chain = ResolverChain([HostsResolver(path.encode(), ttl=0), self.resolver])
        servers = Nameservers(chain)
        for name, family, expected in (
            ("db.test", "", {dns.A: (Place("10.0.0.5"),)}),
            ("six.test", "V6_ONLY", {dns.AAAA: (Place("::1"),)}),
        ):
            found = self.successResultOf(find(servers, name, family, False))
            self.assertEqual(found.places, expected)
        self.resolver.setServices("_s._tcp.t", (0, 0, 1, "db.test"))
        found = self.successResultOf(find(servers, "_s._tcp.t", "", True))
        self.assertEqual(found.places, {dns.SRV: (Place("10.0.0.5", 1),)})

    def test_brokenServerIsNoEmptyHostsFile(self) -> None:
        """With a hosts file in front, what the name server says is what counts."""
        chain = ResolverChain([HostsResolver(b"/dev/null"), self.resolver])
        self.resolver.broken = "timeout"
        failure = self.failureResultOf(find(Nameservers(chain), "a.b", "", False), LookupFailed)
        self.assertIn("no name server answers", failure.getErrorMessage())
