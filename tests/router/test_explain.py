"""Tests of `mosntx.router.explain`: the words, and that they are true."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.message import IRequestHead
from mosntx.router.compiler import compileRouter
from mosntx.router.explain import RouteExplanation, explainRoute
from mosntx.testing.requests import RpcRequest, httpRequest
from tests.config.samples import load, minimal

SOURCE = "10.0.0.7:40000"


def routerOf(*hosts: dict[str, Any]) -> Any:
    """Return a router with these virtual hosts."""
    config = minimal()
    config["servers"][0]["routers"] = [{"router_config_name": "r", "virtual_hosts": list(hosts)}]
    (made,) = load(config).config.server.routers
    return compileRouter(made, random=Random(1))


def host(*matches: dict[str, Any], domains: tuple[str, ...] = ("*",)) -> dict[str, Any]:
    """Return a virtual host with a route for each match."""
    cluster = minimal()["cluster_manager"]["clusters"][0]["name"]
    routes = [{"match": match, "route": {"cluster_name": cluster}} for match in matches]
    return {"name": "h", "domains": list(domains), "routers": routes}


def header(name: str, value: str = "", **more: Any) -> dict[str, Any]:
    """Return a match of one header besides the prefix."""
    return {"prefix": "/", "headers": [{"name": name, "value": value, **more}]}


class WhyTests(SynchronousTestCase):
    """Why a route is not taken."""

    def why(self, match: dict[str, Any], head: IRequestHead) -> str:
        """Return what is said of a route that does not match."""
        said = explainRoute(routerOf(host(match)), head, SOURCE)
        self.assertIsNone(said.route)
        (tried,) = said.tried
        self.assertFalse(tried.matches)
        return tried.why

    def test_paths(self) -> None:
        """The path that was seen, and what it should have been."""
        head = httpRequest(b"/b%20c?x=1")
        for match, why in (
            ({"prefix": "/a"}, "the path '/b c' does not begin with '/a'"),
            ({"prefix": "/A", "ignore_case": True}, "the path '/b c' does not begin with '/A'"),
            ({"path": "/b"}, "the path '/b c' is not '/b'"),
            ({"regex": "^/c"}, "'^/c' is not found in '/b c'"),
        ):
            self.assertEqual(self.why(match, head), why)

    def test_headers(self) -> None:
        """The first condition that does not hold, with the value that is there."""
        head = httpRequest(headers={"a": "1", "cookie": "c=2"})
        query = {"prefix": "/", "query_parameters": [{"name": "q", "value": "1"}]}
        cookie = {"prefix": "/", "cookies": [{"name": "c", "value": "9"}]}
        for match, why in (
            (header("a", "2"), "header 'a' is '1', not '2'"),
            (header("a", "^2", regex=True), "header 'a' is '1', not like '^2'"),
            (header("b", "2"), "header 'b' is absent"),
            (header("a", "1", invert=True), "header 'a' is '1', which the route does not want"),
            (header("method", "PUT"), "the 'method' is 'GET', not 'PUT'"),
            (query, "query parameter 'q' is absent"),
            (cookie, "cookie 'c' is '2', not '9'"),
        ):
            self.assertEqual(self.why(match, head), why)

    def test_rpc(self) -> None:
        """Services, and routes that RPC never gets."""
        head = RpcRequest({"service": "a"})
        service = {"headers": [{"name": "service", "value": "b"}]}
        self.assertEqual(self.why(service, head), "the service is 'a', not 'b'")
        self.assertEqual(self.why(service, httpRequest()), "the request has no service")
        self.assertEqual(self.why({"prefix": "/"}, head), "the request has no path")

    def test_others(self) -> None:
        """Variables and expressions."""
        variables = {"variables": [{"name": "x-mosn-method", "value": "PUT"}]}
        self.assertEqual(self.why(variables, httpRequest()), "no group of variables is as asked")
        expression = 'request.method == "PUT"'
        said = self.why({"dsl_expressions": [{"expression": expression}]}, httpRequest())
        self.assertEqual(said, f"a dsl_expression is not true: {expression}")

    def test_longValue(self) -> None:
        """A long value is shortened."""
        said = self.why({"prefix": "/a"}, httpRequest(b"/" + b"x" * 500))
        self.assertLess(len(said), 150)


class HostTests(SynchronousTestCase):
    """Why a virtual host, or none."""

    def explain(self, router: Any, head: IRequestHead) -> RouteExplanation:
        """Explain a request."""
        return explainRoute(router, head, SOURCE)

    def test_hosts(self) -> None:
        """Which domain was found."""
        everything = {"prefix": "/"}
        router = routerOf(host(everything, domains=("a.test",)), host(everything))
        table = (
            (b"a.test", "its domain is for 'a.test'"),
            (b"b.test", "no other domain is 'b.test', so the default domain *"),
            (b"", "the request names no host, and there are other domains than *"),
        )
        for name, why in table:
            self.assertEqual(self.explain(router, httpRequest(host=name)).why, why)
        only = routerOf(host(everything))
        self.assertEqual(
            self.explain(only, httpRequest()).why, "the only virtual host, for all domains"
        )
        other = routerOf(host(everything, domains=("a.test",)))
        self.assertEqual(
            self.explain(other, httpRequest(host=b"c")).why, "no domain is for 'c', and none is *"
        )

    def test_noRouter(self) -> None:
        """A listener whose router does not exist."""
        self.assertIn("does not exist", explainRoute(None, httpRequest(), SOURCE).why)

    def test_order(self) -> None:
        """Routes behind the one that matches are not looked at."""
        router = routerOf(host({"prefix": "/a"}, {"prefix": "/"}, {"prefix": "/b"}))
        said = self.explain(router, httpRequest(b"/b"))
        self.assertEqual([one.matches for one in said.tried], [False, True])
        self.assertEqual(said.route, router.route(httpRequest(b"/b")))


class TruthTests(SynchronousTestCase):
    """The explanation and the router never disagree."""

    router = routerOf(
        host({"path": "/a/b"}, {"prefix": "/a"}, header("x", "1"), domains=("a.test",)),
        host({"regex": "b$"}, {"prefix": "/a/"}, {"path": "/"}, header("x", present=True)),
    )

    @given(
        st.sampled_from([b"/", b"/a", b"/a/b", b"/A/B", b"/c", b"/ab", b"//a/./b"]),
        st.sampled_from([b"a.test", b"b.test", b""]),
        st.sampled_from([{}, {"x": "1"}, {"x": "2"}]),
    )
    def test_same(self, path: bytes, name: bytes, headers: dict[str, str]) -> None:
        """What is explained is what is served."""
        head = httpRequest(path, name, headers)
        said = explainRoute(self.router, head, SOURCE)
        self.assertIs(said.route, self.router.route(head, SOURCE))
