"""Tests of `mosntx.router.virtualhosts`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mosntx.config.schema import DirectResponse, Match, Redirect, Route, VirtualHost
from mosntx.router.errors import RouterConfigError
from mosntx.router.virtualhosts import splitAuthority
from mosntx.testing.contracts.router import RouterSuite
from mosntx.testing.requests import RpcRequest, httpRequest
from tests.router.build import acting, cluster, header, host, router, routing, to


class ContractTests(RouterSuite, SynchronousTestCase):
    """A router with something of everything."""

    def router(self):
        """See `RouterSuite`."""
        return router(
            host(
                "www.example.com", "*.x:81", routes=(to("a", prefix="/", headers=(header("a"),)),)
            ),
            host(
                "*",
                routes=(
                    to("s", headers=(header("service", "s"),)),
                    to("r", regex="^/(a+)+$"),
                    to("h", path="/h", headers=(header("x-a", "a", regex=True),)),
                    Route(match=Match(prefix="/r"), redirect=Redirect(path_redirect="/x")),
                    Route(match=Match(path="/d"), direct_response=DirectResponse(status=200)),
                    to("d", prefix="/"),
                ),
            ),
        )

    def matching(self):
        """See `RouterSuite`."""
        return httpRequest(b"/aa", b"other.com")


class DomainTests(SynchronousTestCase):
    """Which virtual host a Host is for."""

    def found(self, domains: list[str], authority: str) -> str | None:
        tables = router(*(host(domain) for domain in domains))
        return cluster(tables, httpRequest(host=authority.encode()))

    def check(self, domain: str, yes: list[str], no: list[str]) -> None:
        for authority in yes:
            self.assertEqual(self.found([domain], authority), domain, authority)
        for authority in no:
            self.assertIsNone(self.found([domain], authority), authority)

    def test_exact(self):
        """A plain domain is for this host only (scenario 19)."""
        self.check(
            "www.sofa-mosn.test",
            ["www.sofa-mosn.test", "WWW.Sofa-Mosn.Test", "www.sofa-mosn.test:"],
            ["*", "sofa-mosn.test", "www.sofa-mosn", "www.sofa-mosn.test1", "*.sofa-mosn.test"],
        )
        self.check(
            "a.test",
            ["a.test"],
            ["a.test:80", ""],
        )

    def test_case(self):
        """Domains have no case."""
        self.check("WWW.Test.com", ["www.test.com"], [])

    def test_suffix(self):
        """A wildcard stands for at least one character (scenario 20)."""
        self.check(
            "*.test.com",
            ["a.test.com", "a.b.test.com", "*.test.com"],
            [".test.com", "a-test.com", "a.test.net", "*", "a.test.com:80"],
        )
        self.check(
            "*-bar.foo.com",
            ["a-bar.foo.com", "a.b-bar.foo.com"],
            ["-bar.foo.com", "-bar.test.com", "a.foo.com"],
        )

    def test_longest(self):
        """Exact wins, then the longest suffix (scenario 21)."""
        domains = ["f-bar.baz.com", "*.baz.com", "*-bar.baz.com", "*.foo.com"]
        for order in (domains, domains[::-1]):
            for authority, domain in (
                ("f-bar.baz.com", "f-bar.baz.com"),
                ("foo-bar.baz.com", "*-bar.baz.com"),
                ("foo.baz.com", "*.baz.com"),
                ("foo.foo.com", "*.foo.com"),
                ("foo.com", None),
            ):
                self.assertEqual(self.found(order, authority), domain)

    def test_ports(self):
        """Ports: MOSN's table (scenario 22, spec/router.md 2)."""
        domains = ["www.test.com", "www.test.com:8080", "www.test.com:*", "*.test.com:30888"]
        domains += ["*.com:30888", "*.com:*", "*:*", "*:80"]
        for authority, domain in (
            ("www.test.com", "www.test.com"),
            ("www.test.com:8080", "www.test.com:8080"),
            ("www.test.com:80", "www.test.com:*"),
            ("www.test.com:30888", "www.test.com:*"),
            ("hello.test.com:30888", "*.test.com:30888"),
            ("hello.com:30888", "*.com:30888"),
            ("hello.com:30777", "*.com:*"),
            ("hello.com", "*.com:*"),
            ("hello.cn:30777", "*:*"),
            ("hello.cn", "*:*"),
            ("hello.cn:80", "*:80"),
        ):
            self.assertEqual(self.found(domains, authority), domain, authority)

    def test_suffixWithoutPort(self):
        """A wildcard without a port is for requests without a port, before one for any port."""
        domains = ["*.com", "*.com:*"]
        self.assertEqual(self.found(domains, "a.com"), "*.com")
        self.assertEqual(self.found(domains, "a.com:1"), "*.com:*")

    def test_default(self):
        """The default is for hosts that nobody else takes, but not for requests without a host."""
        domains = ["a.com", "*"]
        self.assertEqual(self.found(domains, "b.com:99"), "*")
        self.assertIsNone(self.found(domains, ""))
        self.assertIsNone(self.found(domains, ":80"))

    def test_bareIpv6(self):
        """Hosts with colons that cannot be split have no virtual host, not even the default."""
        domains = ["a.com", "*"]
        for authority in ("::1", "a:b:c", "[::1", "[::1]x", "[::1]:8:0", "a]:80", "[[::1]]"):
            self.assertIsNone(self.found(domains, authority), authority)

    def test_ipv6(self):
        """IPv6 addresses are written in brackets."""
        domains = ["[::1]:80", "[::2]", "[::3]:*"]
        self.assertEqual(self.found(domains, "[::1]:80"), "[::1]:80")
        self.assertIsNone(self.found(domains, "[::1]"))
        self.assertEqual(self.found(domains, "[::2]"), "[::2]")
        self.assertEqual(self.found(domains, "[::3]:99"), "[::3]:*")

    def test_only(self):
        """Without any other domain the default takes everything, RPC too."""
        tables = router(host("*", routes=(to("c"),)))
        self.assertEqual(cluster(tables, RpcRequest()), "c")
        self.assertEqual(cluster(tables, httpRequest(host=b"")), "c")
        self.assertEqual(cluster(tables, httpRequest(host=b"::1")), "c")

    def test_notOnly(self):
        """With a second domain RPC requests have no route (MOSN)."""
        tables = router(host("*", routes=(to("c"),)), host("a.com"))
        self.assertIsNone(tables.route(RpcRequest()))

    def test_hint(self):
        """When only the port is wrong the log says so, once per domain."""
        tables = router(host("a.com"))
        messages: list[LogEvent] = []

        @implementer(ILogObserver)
        def observe(event: LogEvent) -> None:
            messages.append(event)

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        for authority in (b"a.com:81", b"a.com:82", b"b.com:81"):
            self.assertIsNone(tables.route(httpRequest(host=authority)))
        hints = [event for event in messages if event.get("host") == "a.com"]
        self.assertEqual(len(hints), 1)
        self.assertEqual(hints[0]["port"], "81")

    def test_duplicates(self):
        """A domain given twice is an error (scenario 23)."""
        for domains in (
            ["*", "*"],
            ["*", "*:*"],
            ["a.com", "A.com"],
            ["a.com:80", "a.com:80"],
            ["a.com", "a.com:"],
            ["*.com", "*.com"],
            ["*:80", "*:80"],
        ):
            with self.subTest(domains=domains):
                error = self.assertRaises(
                    RouterConfigError, router, *(host(domain) for domain in domains)
                )
                self.assertIn("uplicate", str(error))
                self.assertTrue(error.path.endswith("virtual_hosts[1].domains[0]"), error.path)

    def test_invalid(self):
        """Domains that are none are errors."""
        for domain in ("", ":80", "a*.com", "*.*.com", "**", "a:b:c", "::1", "a.com:8*"):
            with self.subTest(domain=domain):
                self.assertRaises(RouterConfigError, router, host(domain))

    @given(st.text("a.*:[]1", max_size=12))
    def test_split(self, text: str):
        """Any authority can be looked at; what can be split has a port without colons."""
        parts = splitAuthority(text.encode())
        if parts is not None:
            self.assertNotIn(b":", parts[1])


class RouteOrderTests(SynchronousTestCase):
    """Which rule of a virtual host."""

    def test_order(self):
        """The first rule that matches decides (scenario 24)."""
        rules = (to("path", path="/foo1"), to("regex", regex="/foo[0-9]+"), to("p", prefix="/foo"))
        tables = routing(*rules)
        for path, name in ((b"/foo1", "path"), (b"/foo11", "regex"), (b"/foo", "p"), (b"/", None)):
            self.assertEqual(cluster(tables, httpRequest(path)), name)
        tables = routing(rules[2], rules[0], rules[1])
        for path in (b"/foo1", b"/foo11", b"/foo"):
            self.assertEqual(cluster(tables, httpRequest(path)), "p")

    def test_catchAll(self):
        """``prefix: /`` first takes all of HTTP and leaves RPC to the others."""
        tables = routing(to("http", prefix="/"), to("rpc"))
        for head in (
            httpRequest(b"/x"),
            httpRequest(b"*", method=b"OPTIONS"),
            httpRequest(b"", method=b"CONNECT"),
        ):
            self.assertEqual(cluster(tables, head), "http")
        self.assertEqual(cluster(tables, RpcRequest()), "rpc")

    def test_catchAllWithHeaders(self):
        """With a header it takes only those that have it."""
        tables = routing(to("a", prefix="/", headers=(header("a", "1"),)), to("b", prefix="/"))
        self.assertEqual(cluster(tables, httpRequest(headers={"a": "1"})), "a")
        self.assertEqual(cluster(tables, httpRequest()), "b")

    def test_everything(self):
        """An empty match first takes all."""
        tables = routing(to("all"), to("never", prefix="/"))
        self.assertEqual(cluster(tables, httpRequest()), "all")
        self.assertEqual(cluster(tables, RpcRequest()), "all")

    def test_services(self):
        """Each service has its cluster (scenario 32)."""
        tables = routing(
            *(to(f"cluster#{n}", headers=(header("service", f"service#{n}"),)) for n in range(10)),
        )
        for n in range(10):
            head = RpcRequest({"service": f"service#{n}"})
            self.assertEqual(cluster(tables, head), f"cluster#{n}")
        self.assertIsNone(cluster(tables, RpcRequest({"service": "other"})))

    def test_anyService(self):
        """``service: .*`` first takes every request that names a service, of HTTP too."""
        tables = routing(to("rpc", headers=(header("service", ".*"),)), to("rest"))
        self.assertEqual(cluster(tables, RpcRequest({"service": "a"})), "rpc")
        self.assertEqual(cluster(tables, RpcRequest()), "rest")
        self.assertEqual(cluster(tables, httpRequest(headers={"service": "a"})), "rpc")
        self.assertEqual(cluster(tables, httpRequest()), "rest")

    def test_many(self):
        """In a table of a thousand each path finds its own rule, and order still counts."""
        rules = [to(str(n), prefix=f"/s{n}/") for n in range(1000)]
        tables = routing(to("first", path="/S7/x"), *rules, to("rest", prefix="/s7"))
        self.assertEqual(cluster(tables, httpRequest(b"/s999/a")), "999")
        self.assertEqual(cluster(tables, httpRequest(b"/s7/y")), "7")
        self.assertEqual(cluster(tables, httpRequest(b"/s7/x")), "first")
        self.assertEqual(cluster(tables, httpRequest(b"/s7")), "rest")
        self.assertIsNone(cluster(tables, httpRequest(b"/t")))

    def test_noRules(self):
        """A virtual host without rules has no route, and hides the default."""
        empty = VirtualHost(domains=("a.com",))
        tables = router(empty, host("*"))
        self.assertIsNone(tables.route(httpRequest(host=b"a.com")))
        self.assertEqual(cluster(tables, httpRequest(host=b"b.com")), "*")

    def test_views(self):
        """Virtual hosts can be looked up for views."""
        tables = router(host("a.com", name="first"), host("*"))
        found = tables.virtualHost(b"a.com")
        self.assertEqual((found.name, found.number, len(found.rules)), ("first", 0, 1))
        self.assertIs(tables.default, tables.virtualHosts[1])
        self.assertEqual(routing(acting()).virtualHost(b"").number, 0)
