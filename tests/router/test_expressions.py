"""Tests of `mosntx.router.expressions`: what expressions see of a request."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.expressions.compiler import ATTRIBUTES
from mosntx.config.expressions.functions import FIELDS
from mosntx.config.schema import DslExpression
from mosntx.router.expressions import READERS, ExpressionsMatcher
from mosntx.router.paths import matchPath
from mosntx.testing.requests import RpcRequest, httpRequest
from tests.router.build import cluster, routing, to

HTTP = httpRequest(
    b"/a%20b//c?x=1&y=%26",
    b"WWW.a.com:81",
    {"X-A": "v", "Cookie": "c=2", "Referer": "r", "User-Agent": "u"},
    method=b"POST",
)
RPC = RpcRequest({"service": "svc", "Key": "v"}, method=b"say")


def read(name: str, head, field: bytes = b"", source: str = "10.0.0.1:99"):
    subject = (head, matchPath(head.path), source)
    return READERS[name](subject, field) if field else READERS[name](subject)


class AttributeTests(SynchronousTestCase):
    """Each attribute of the table."""

    def test_http(self):
        """What an HTTP request has."""
        for name, value in {
            "api.operation": None,
            "api.service": None,
            "context.protocol": b"http",
            "request.host": b"www.a.com:81",
            "request.method": b"POST",
            "request.path": b"/a b/c",
            "request.query": b"x=1&y=%26",
            "request.referer": b"r",
            "request.scheme": b"http",
            "request.url_path": b"/a b/c?x=1&y=%26",
            "request.useragent": b"u",
            "source.address": b"10.0.0.1:99",
            "source.ip": b"10.0.0.1",
        }.items():
            self.assertEqual(read(name, HTTP), value, name)
        for name, field, value in (
            ("request.headers", b"x-a", b"v"),
            ("request.headers", b"X-A", b"v"),
            ("request.headers", b"none", None),
            ("request.cookies", b"c", b"2"),
            ("request.query_params", b"y", b"&"),
            ("request.query_params", b"z", None),
        ):
            self.assertEqual(read(name, HTTP, field), value, (name, field))

    def test_rpc(self):
        """What an RPC request has, and that nothing fails on what it has not."""
        self.assertEqual(read("api.service", RPC), b"svc")
        self.assertEqual(read("api.operation", RPC), b"say")
        self.assertEqual(read("context.protocol", RPC), b"rpc")
        self.assertEqual(read("request.headers", RPC, b"Key"), b"v")
        self.assertIsNone(read("request.headers", RPC, b"key"))
        for name, kind in ATTRIBUTES.items():
            if name.startswith("request.") and kind != FIELDS:
                self.assertIsNone(read(name, RPC), name)

    def test_source(self):
        """Addresses of IPv6 have no brackets and no zone; unix sockets have none."""
        self.assertEqual(read("source.ip", HTTP, source="[fe80::1%eth0]:1"), b"fe80::1")
        self.assertIsNone(read("source.ip", HTTP, source="/run/a.sock"))
        self.assertIsNone(read("source.ip", HTTP, source=""))


class MatcherTests(SynchronousTestCase):
    """Expressions in routes."""

    def test_all(self):
        """Every expression must be true."""
        matcher = ExpressionsMatcher(
            [DslExpression(expression="true"), DslExpression(expression="'X-A' in request.headers")]
        )
        self.assertTrue(matcher.matches(HTTP, b"/"))
        self.assertFalse(matcher.matches(RPC, b""))

    def test_client(self):
        """A route for a network of clients only."""
        inside = DslExpression(expression='source.ip.inNetwork("10.0.0.0/8")')
        found = routing(to("inside", dsl_expressions=(inside,)), to("outside", prefix="/"))
        self.assertEqual(found.route(HTTP, "10.9.9.9:1").clusterName(HTTP), "inside")
        self.assertEqual(found.route(HTTP, "11.9.9.9:1").clusterName(HTTP), "outside")
        self.assertEqual(cluster(found, HTTP), "outside")
