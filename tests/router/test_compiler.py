"""Tests of `mosntx.router.compiler`."""

from __future__ import annotations

from random import Random
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import (
    Match,
    Redirect,
    RetryPolicy,
    Route,
    RouteAction,
    RouterConfig,
    VirtualHost,
)
from mosntx.router.compiler import compileRouter
from mosntx.router.errors import RouterConfigError
from mosntx.testing.requests import httpRequest
from tests.router.build import acting, added, config, header, host, routing, to


class CompilerTests(SynchronousTestCase):
    """From configuration to routes."""

    def route(self, **action):
        return routing(acting(**action)).route(httpRequest())

    def test_defaults(self):
        """A route that says nothing has MOSN's defaults."""
        route = self.route()
        self.assertEqual((route.timeout, route.tryTimeout), (60.0, 0.0))
        self.assertEqual(route.retryPolicy.attempts, 3)
        self.assertFalse(route.retryPolicy.onStatus)
        self.assertEqual((route.upstreamProtocol, route.allowConnect), ("", False))
        self.assertEqual(route.filterConfig, {})

    def test_settings(self):
        """What a route says it has."""
        route = self.route(
            timeout=5.0,
            retry_policy=RetryPolicy(retry_on=True, retry_timeout=1.0, num_retries=7),
            upstream_protocol="Http2",
            allow_connect=True,
        )
        self.assertEqual((route.timeout, route.tryTimeout), (5.0, 1.0))
        self.assertEqual(route.retryPolicy.attempts, 7)
        self.assertEqual((route.upstreamProtocol, route.allowConnect), ("Http2", True))

    def test_compat(self):
        """MOSN's number of retries is a switch."""
        policy = RetryPolicy(retry_on=True, num_retries=1)
        tables: Any = compileRouter(
            config(host("*", routes=(acting(retry_policy=policy),))), random=Random(1), compat=True
        )
        self.assertEqual(tables.route(httpRequest()).retryPolicy.attempts, 3)

    def test_filterConfig(self):
        """The route's filter settings replace the virtual host's, filter by filter."""
        route = Route(match=Match(prefix="/"), per_filter_config={"a": 1})
        virtualHost = VirtualHost(
            domains=("*",), routers=(route,), per_filter_config={"a": 0, "b": 2}
        )
        tables: Any = compileRouter(config(virtualHost), random=Random(1))
        self.assertEqual(tables.route(httpRequest()).filterConfig, {"a": 1, "b": 2})

    def test_paths(self):
        """Routes know where they are written, with and without a loader."""
        self.assertIn("virtual_hosts[0].routers[0]", self.route().path)
        written = Route(match=Match(prefix="/"), path="servers[0].routers[1]")
        self.assertEqual(routing(written).route(httpRequest()).path, "servers[0].routers[1]")

    def test_noVirtualHosts(self):
        """A router without virtual hosts is an error (scenario 23)."""
        error = self.assertRaises(RouterConfigError, compileRouter, config(), random=Random(1))
        self.assertIn("'r'", error.path)

    def test_allMistakes(self):
        """All mistakes of a router are found at once, each with its path."""
        bad = RouterConfig(
            router_config_name="r",
            path="servers[0].routers[0]",
            virtual_hosts=(
                host("a", "a", routes=(to("c", regex="("), acting())),
                host(
                    "b",
                    routes=(
                        acting(),
                        Route(
                            match=Match(prefix="/", headers=(header("a", "(", regex=True),)),
                            redirect=Redirect(response_code=200),
                            route=RouteAction(request_headers_to_add=(added("a b", "c"),)),
                        ),
                    ),
                ),
            ),
        )
        error = self.assertRaises(RouterConfigError, compileRouter, bad, random=Random(1))
        base = "servers[0].routers[0].virtual_hosts"
        self.assertEqual(
            [path for path, _ in error.problems],
            [
                f"{base}[0].routers[0].match",
                f"{base}[0].domains[1]",
                f"{base}[1].routers[1].match",
                f"{base}[1].routers[1].redirect",
                f"{base}[1].routers[1].route",
            ],
        )


class EncodedSlashTests(SynchronousTestCase):
    """``encoded_slash`` of a router configuration."""

    def tables(self, how: str, *routes):
        written = config(host("*", routes=routes), encoded_slash=how)
        return compileRouter(written, random=Random(1))

    def test_reject(self):
        """Requests with an encoded slash in the path are answered with 400."""
        tables = self.tables("reject", to("c", prefix="/"))
        head = httpRequest(b"/a%2fb")
        self.assertEqual(tables.route(head).localReply(head)[0], 400)
        self.assertIsNone(tables.route(httpRequest(b"/a/b?%2f")).localReply)

    def test_keep(self):
        """A kept slash does not reach a rule behind a slash, and stays through a rewrite."""
        tables = self.tables(
            "keep",
            to("inner", prefix="/a/"),
            acting(Match(prefix="/a"), cluster_name="outer", prefix_rewrite="/z"),
        )
        head = httpRequest(b"/a%2fb%25c?q")
        route = tables.route(head)
        self.assertEqual(route.cluster, "outer")
        route.rewriteRequest(None, head)
        self.assertEqual(head.path, b"/z%2Fb%25c?q")

    def test_decode(self):
        """The default: an encoded slash is one, as in MOSN."""
        tables = self.tables("decode", to("inner", prefix="/a/"), to("outer", prefix="/"))
        self.assertEqual(tables.route(httpRequest(b"/a%2Fb")).cluster, "inner")
