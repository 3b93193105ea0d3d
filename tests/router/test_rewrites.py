"""Tests of `mosntx.router.rewrites`."""

from __future__ import annotations

from random import Random
from typing import Any, ClassVar

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import Match, RegexPattern, RegexRewrite
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import ResponseHead
from mosntx.router.compiler import compileRouter
from mosntx.router.errors import RouterConfigError
from mosntx.router.variables import Variables
from mosntx.testing.requests import RpcRequest, httpRequest
from mosntx.testing.upstream import FakeCluster, FakeExchange, FakeHost
from tests.router.build import acting, added, config, host, routing, to

#: Octets that a request target may hold.
SENDABLE = [octet for octet in range(0x21, 0x100) if octet not in b"#\x7f"]


def regex(pattern: str, substitution: str) -> RegexRewrite:
    return RegexRewrite(pattern=RegexPattern(regex=pattern), substitution=substitution)


def rewritten(route, head, **more):
    """The head after a route's rewrite; the route must match."""
    found = routing(route, **more).route(head)
    exchange = FakeExchange(head)
    exchange.host = FakeHost(hostname="host.name")
    exchange.cluster = FakeCluster(type="STRICT_DNS")
    if found.rewriteRequest is not None:
        found.rewriteRequest(exchange, head)
    return head


class PathTests(SynchronousTestCase):
    """Rewriting the path."""

    def path(self, head, match: Match | None = None, **action) -> tuple[bytes, bytes | None]:
        head = rewritten(acting(match, **action), head)
        return head.path, head.headers.get(b"x-mosn-original-path")

    def test_none(self):
        """A route without rewrites has none, so the client's octets stay."""
        route = routing(acting()).route(httpRequest(b"/aa%20bb//c"))
        self.assertIsNone(route.rewriteRequest)
        self.assertIsNone(route.rewriteResponse)

    def test_prefix(self):
        """The matched prefix is replaced and the old path kept in a header (scenario 38)."""
        found = self.path(
            httpRequest(b"/index/page/"),
            Match(prefix="/index/"),
            prefix_rewrite="/abc/",
            regex_rewrite=regex("page", "no"),
        )
        self.assertEqual(found, (b"/abc/page/", b"/index/page/"))

    def test_query(self):
        """The query stays as it is."""
        head = httpRequest(b"/a/b?x=%20/a&y")
        self.assertEqual(
            self.path(head, Match(prefix="/a"), prefix_rewrite="/c")[0], b"/c/b?x=%20/a&y"
        )

    def test_escaped(self):
        """A new path is escaped, and what would break a header is not put into one."""
        head = httpRequest(b"/a/%0d%0aX:%20y/%C3%A9")
        path, before = self.path(head, Match(prefix="/a"), prefix_rewrite="/ü")
        self.assertEqual(path, b"/%C3%BC/%0D%0AX:%20y/%C3%A9")
        self.assertEqual(before, b"/a/%0D%0AX:%20y/%C3%A9")

    def test_empty(self):
        """A path is never empty and always begins with a slash."""
        self.assertEqual(
            self.path(httpRequest(b"/ab"), Match(prefix="/a"), prefix_rewrite="c")[0], b"/cb"
        )
        found = self.path(httpRequest(b"/ab"), Match(prefix="/"), regex_rewrite=regex("/.*", ""))
        self.assertEqual(found, (b"/", b"/ab"))

    def test_pathRule(self):
        """A path rule rewrites only a path in the configured case (spec/router.md 9.3)."""
        match = Match(path="/Test")
        folded = Match(prefix="/TE", ignore_case=True)
        self.assertEqual(self.path(httpRequest(b"/test"), folded, prefix_rewrite="/x")[0], b"/xst")
        self.assertEqual(self.path(httpRequest(b"/Test"), match, prefix_rewrite="/x")[0], b"/x")
        self.assertEqual(
            self.path(httpRequest(b"/test"), match, prefix_rewrite="/x"), (b"/test", None)
        )

    def test_regexRule(self):
        """For a rule by pattern the pattern's text is the prefix, so usually nothing happens."""
        match = Match(regex="/[a-z]+")
        self.assertEqual(self.path(httpRequest(b"/ab"), match, prefix_rewrite="/x")[0], b"/ab")
        self.assertEqual(
            self.path(httpRequest(b"/ab"), Match(regex="/ab"), prefix_rewrite="/x")[0], b"/x"
        )

    def test_regex(self):
        """Everything found is replaced (scenario 39)."""
        found = self.path(
            httpRequest(b"/service/foo/v1/api"),
            regex_rewrite=regex("^/service/([^/]+)(/.*)$", "${2}/instance/${1}"),
        )
        self.assertEqual(found, (b"/v1/api/instance/foo", b"/service/foo/v1/api"))

    def test_regexUnchanged(self):
        """A path that stays the same keeps its octets and gets no header."""
        rewrite = regex("x", "y")
        self.assertEqual(
            self.path(httpRequest(b"/a%20b"), regex_rewrite=rewrite), (b"/a%20b", None)
        )

    def test_regexShort(self):
        """A pattern of one character is none (MOSN)."""
        self.assertIsNone(
            routing(acting(regex_rewrite=regex("a", "b"))).route(httpRequest()).rewriteRequest
        )

    def test_noPath(self):
        """RPC, CONNECT and ``OPTIONS *`` have no path to rewrite."""
        for head in (
            RpcRequest({"service": "s"}),
            httpRequest(b"", method=b"CONNECT"),
            httpRequest(b"*", method=b"OPTIONS"),
        ):
            before = head.path
            route = acting(Match(), regex_rewrite=regex("^.*$", "/new"))
            self.assertEqual(rewritten(route, head).path, before)

    def test_badRegex(self):
        """A pattern that is none is an error with a path."""
        error = self.assertRaises(RouterConfigError, routing, acting(regex_rewrite=regex("a)", "")))
        self.assertIn("virtual_hosts[0].routers[0].route", error.path)

    @given(st.lists(st.sampled_from(SENDABLE), max_size=30).map(lambda tail: b"/" + bytes(tail)))
    def test_any(self, target: bytes):
        """Any path can be rewritten: what comes out may be sent."""
        head = httpRequest(target)
        rewritten(acting(prefix_rewrite="/new", regex_rewrite=regex("", "")), head)
        self.assertTrue(head.path.startswith(b"/new"))


class HostTests(SynchronousTestCase):
    """Rewriting the host (scenario 42)."""

    def host(self, head, **action) -> bytes:
        return rewritten(acting(**action), head).authority

    def test_constant(self):
        """A constant wins, and becomes the Host field."""
        head = httpRequest(headers={"real": "other"})
        found = self.host(
            head, host_rewrite="mosn.io", auto_host_rewrite_header="real", auto_host_rewrite=True
        )
        self.assertEqual(found, b"mosn.io")
        self.assertEqual(head.headers.get(b"host"), b"mosn.io")

    def test_header(self):
        """The value of a header becomes the host; without it the host stays."""
        head = httpRequest(headers={"realyHost": "a.b:80"})
        self.assertEqual(self.host(head, auto_host_rewrite_header="realyHost"), b"a.b:80")
        self.assertEqual(
            self.host(httpRequest(), auto_host_rewrite_header="realyHost"), b"www.example.com"
        )

    def test_headerInvalid(self):
        """What the client sends as host must be one."""
        for value in ("", "a b", "a/b", "u@h", "a:99999", "a,b"):
            head = httpRequest(headers={"real": value})
            found = self.host(head, auto_host_rewrite_header="real")
            self.assertEqual(found, b"www.example.com", value)

    def test_automatic(self):
        """The chosen host's name is sent, for clusters whose hosts have names."""
        self.assertEqual(self.host(httpRequest(), auto_host_rewrite=True), b"host.name")
        route = routing(acting(auto_host_rewrite=True)).route(httpRequest())
        exchange, head = FakeExchange(), httpRequest()
        exchange.host = FakeHost(hostname="host.name")
        exchange.cluster = FakeCluster(type="SIMPLE")
        route.rewriteRequest(exchange, head)
        self.assertEqual(head.authority, b"www.example.com")

    def test_badConstant(self):
        """A constant that is no host is an error."""
        self.assertRaises(RouterConfigError, routing, acting(host_rewrite="a b"))

    def test_added(self):
        """``host`` among the headers to add replaces the host."""
        field = added("Host", "a.b")
        self.assertEqual(self.host(httpRequest(), request_headers_to_add=(field,)), b"a.b")


class HeaderTests(SynchronousTestCase):
    """Adding and removing headers."""

    LEVELS = config(
        host(
            "*",
            routes=(
                acting(
                    request_headers_to_add=(added("Level", "1"),),
                    request_headers_to_remove=("Route",),
                    response_headers_to_add=(added("Level", "1"),),
                    response_headers_to_remove=("route",),
                ),
            ),
            request_headers_to_add=(added("level", "2"),),
            request_headers_to_remove=("vhost",),
            response_headers_to_add=(added("level", "2"),),
            response_headers_to_remove=("vhost",),
        ),
        request_headers_to_add=(added("level", "3"),),
        request_headers_to_remove=("global",),
        response_headers_to_add=(added("level", "3"),),
        response_headers_to_remove=("global",),
    )
    FIELDS: ClassVar = {"ROUTE": "x", "vhost": "x", "Global": "x", "stays": "x"}

    def field(self, change, fields: dict[str, str], name: bytes = b"a", **more) -> list[bytes]:
        head = httpRequest(headers=fields)
        rewritten(acting(request_headers_to_add=(change,)), head, **more)
        return head.headers.getAll(name)

    def test_levelsOfRequests(self):
        """Route, virtual host and router apply in this order (scenario 40)."""
        head = httpRequest(headers=self.FIELDS)
        route: Any = compileRouter(self.LEVELS, random=Random(1)).route(head)
        route.rewriteRequest(FakeExchange(head), head)
        self.assertEqual(head.headers.getAll(b"level"), [b"1,2,3"])
        self.assertEqual([name for name, _ in head.headers.items()], [b"Host", b"stays", b"level"])

    def test_levelsOfResponses(self):
        """The same for responses."""
        pairs = [(name.encode(), value.encode()) for name, value in self.FIELDS.items()]
        head = ResponseHead(200, Headers(pairs))
        route: Any = compileRouter(self.LEVELS, random=Random(1)).route(httpRequest())
        route.rewriteResponse(FakeExchange(), head)
        self.assertEqual(list(head.headers.items()), [(b"stays", b"x"), (b"level", b"1,2,3")])

    def test_append(self):
        """A value is joined to one that is there and not empty, by a comma."""
        self.assertEqual(self.field(added("a", "new"), {"A": "old"}), [b"old,new"])
        self.assertEqual(self.field(added("a", "new"), {"a": ""}), [b"new"])
        self.assertEqual(self.field(added("a", "new"), {}), [b"new"])

    def test_replace(self):
        """Without ``append`` all there is is replaced (scenario 41)."""
        self.assertEqual(self.field(added("A", "new", False), {"a": "old"}), [b"new"])

    def test_variable(self):
        """A whole value may name a variable; unset is empty, unknown is text."""
        for value, result in (
            ("%x-mosn-method%", b"GET"),
            ("%x-mosn-querystring%", b""),
            ("%nobody%", b"%nobody%"),
            ("%", b"%"),
            ("%%", b"%%"),
            ("m %x-mosn-method%", b"m %x-mosn-method%"),
        ):
            with self.subTest(value=value):
                self.assertEqual(self.field(added("a", value), {}), [result])

    def test_resolved(self):
        """Variables of the wiring are read from the exchange."""
        variables = Variables(lambda exchange, name: exchange.connection.peer.encode())
        change = added("a", "%downstream_remote_address%")
        self.assertEqual(self.field(change, {}, variables=variables), [b"127.0.0.1:50000"])

    def test_variableCannotSplit(self):
        """Nothing that a client sends can end a header early."""
        head = httpRequest(b"/%0d%0aevil:%20yes")
        rewritten(acting(request_headers_to_add=(added("a", "%x-mosn-path%"),)), head)
        self.assertEqual(head.headers.get(b"a"), b"/evil: yes")

    def test_variableRoutes(self):
        """Variable routes add headers like all others; MOSN leaves them out."""
        route = acting(
            Match(variables=to("x").match.variables), request_headers_to_add=(added("a", "b"),)
        )
        head = rewritten(route, RpcRequest())
        self.assertEqual(head.headers.get(b"a"), b"b")

    def test_localReply(self):
        """A route without a cluster has the outer levels' response headers."""
        router = config(host("*", routes=(to("c"),)), response_headers_to_add=(added("a", "b"),))
        route: Any = compileRouter(router, random=Random(1)).route(httpRequest())
        self.assertIsNone(route.rewriteRequest)
        self.assertIsNotNone(route.rewriteResponse)

    def test_invalid(self):
        """Names and values that no header can have are errors, and so is the framing."""
        for change in (
            added("a b", "x"),
            added("", "x"),
            added(":path", "x"),
            added("a", "x\r\ny"),
            added("host", "x\n"),
            added("Content-Length", "1"),
        ):
            with self.subTest(change=change):
                self.assertRaises(
                    RouterConfigError, routing, acting(request_headers_to_add=(change,))
                )
                if change.key != "host":
                    self.assertRaises(
                        RouterConfigError, routing, acting(response_headers_to_add=(change,))
                    )
        for name in ("transfer-encoding", "a:"):
            self.assertRaises(
                RouterConfigError, routing, acting(response_headers_to_remove=(name,))
            )
