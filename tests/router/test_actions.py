"""Tests of `mosntx.router.actions`."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import (
    ClusterWeight,
    DirectResponse,
    HashHeader,
    HashPolicy,
    Match,
    Redirect,
    Route,
    RouteAction,
    WeightedCluster,
)
from mosntx.router.actions import WeightedSplit
from mosntx.router.errors import RouterConfigError
from mosntx.testing.requests import RpcRequest, httpRequest
from mosntx.testing.upstream import FakeExchange
from tests.router.build import acting, cluster, routing


def weighted(**weights: int) -> tuple[WeightedCluster, ...]:
    return tuple(
        WeightedCluster(cluster=ClusterWeight(name=name, weight=weight))
        for name, weight in weights.items()
    )


class DirectResponseTests(SynchronousTestCase):
    """Answers (scenario 44)."""

    def answer(self, head, **settings):
        route = Route(
            direct_response=DirectResponse(**settings),
            redirect=Redirect(path_redirect="/x"),
            route=RouteAction(cluster_name="c"),
        )
        return routing(route).route(head).localReply(head)

    def test_answer(self):
        """Status and text as configured; it wins over redirect and cluster."""
        for head in (httpRequest(), RpcRequest()):
            self.assertEqual(self.answer(head, status=500, body="süß"), (500, "süß".encode(), []))
        self.assertEqual(self.answer(httpRequest(), status=204), (204, b"", []))

    def test_fresh(self):
        """Each answer has a list of its own."""
        head = httpRequest()
        reply = routing(Route(direct_response=DirectResponse(status=200))).route(head).localReply
        reply(head)[2].append((b"a", b"b"))
        self.assertEqual(reply(head)[2], [])

    def test_badStatus(self):
        """A status that ends no exchange is an error."""
        for status in (0, 100, 101, 199, 600, -1):
            self.assertRaises(RouterConfigError, self.answer, httpRequest(), status=status)

    def test_none(self):
        """A route to a cluster has no answer."""
        self.assertIsNone(routing(acting()).route(httpRequest()).localReply)


class RedirectTests(SynchronousTestCase):
    """Redirects (scenario 43)."""

    def location(self, head=None, **settings) -> bytes:
        head = head or httpRequest(b"/a%20b/c?x=%20", b"H.com:8080")
        status, body, fields = self.reply(head, **settings)
        self.assertEqual((status, body, len(fields)), (301, b"", 1))
        self.assertEqual(fields[0][0], b"Location")
        return fields[0][1]

    def reply(self, head, **settings):
        return routing(Route(redirect=Redirect(**settings))).route(head).localReply(head)

    def test_parts(self):
        """What is not given stays, the query always."""
        self.assertEqual(self.location(), b"http://h.com:8080/a%20b/c?x=%20")
        self.assertEqual(self.location(path_redirect="/n w"), b"http://h.com:8080/n%20w?x=%20")
        self.assertEqual(self.location(host_redirect="o.com"), b"http://o.com/a%20b/c?x=%20")
        self.assertEqual(
            self.location(scheme_redirect="HTTPS"), b"https://h.com:8080/a%20b/c?x=%20"
        )
        self.assertEqual(
            self.location(path_redirect="p", host_redirect="o:1", scheme_redirect="ftp"),
            b"ftp://o:1/p?x=%20",
        )

    def test_port(self):
        """A port that was the old scheme's default goes when the scheme changes."""
        for scheme, host, to, result in (
            (b"http", b"h:80", "https", b"https://h/"),
            (b"https", b"h:443", "http", b"http://h/"),
            (b"http", b"[::1]:80", "https", b"https://[::1]/"),
            (b"http", b"h:443", "https", b"https://h:443/"),
            (b"http", b"h:8080", "https", b"https://h:8080/"),
            (b"http", b"h:80", "http", b"http://h:80/"),
            (b"http", b"h:80", "", b"http://h:80/"),
        ):
            head = httpRequest(b"/", host)
            head.scheme = scheme
            self.assertEqual(self.location(head, scheme_redirect=to), result)

    def test_normalised(self):
        """The path sent back is the normalised one: no way to another host."""
        head = httpRequest(b"//evil.com/%2e%2e/x", b"")
        self.assertEqual(self.location(head), b"/x")

    def test_noSplit(self):
        """Line breaks in the path stay escaped."""
        head = httpRequest(b"/%0d%0aSet-Cookie:x")
        self.assertEqual(self.location(head), b"http://www.example.com/%0D%0ASet-Cookie:x")

    def test_codes(self):
        """Five codes are allowed, 0 is 301."""
        for code, status in ((0, 301), (301, 301), (302, 302), (303, 303), (307, 307), (308, 308)):
            self.assertEqual(self.reply(httpRequest(), response_code=code)[0], status)
        for code in (200, 300, 304, 400):
            error = self.assertRaises(
                RouterConfigError, self.reply, httpRequest(), response_code=code
            )
            self.assertIn("redirect code not supported yet", str(error))

    def test_invalid(self):
        """Schemes and hosts that are none are errors."""
        for settings in (
            {"scheme_redirect": "1http"},
            {"scheme_redirect": "ht tp"},
            {"scheme_redirect": "http\n"},
            {"host_redirect": "a b"},
            {"host_redirect": "a\r\nb"},
        ):
            self.assertRaises(RouterConfigError, self.reply, httpRequest(), **settings)

    def test_rpc(self):
        """A protocol without paths cannot be redirected."""
        status, _, fields = self.reply(RpcRequest(), path_redirect="/x")
        self.assertEqual((status, fields), (500, []))


class ClusterTests(SynchronousTestCase):
    """The target of a route."""

    def test_name(self):
        """The name as configured, empty without one."""
        self.assertEqual(cluster(routing(acting(cluster_name="x")), httpRequest()), "x")
        self.assertEqual(cluster(routing(Route()), httpRequest()), "")

    def test_variable(self):
        """A variable names the cluster, unless the route does (scenario 50)."""
        name = "request_header_to"
        both = routing(acting(cluster_name="x", cluster_variable=name))
        only = routing(acting(cluster_name="", cluster_variable=name))
        head = httpRequest(headers={"to": "y"})
        self.assertEqual(cluster(both, head), "x")
        self.assertEqual(cluster(only, head), "y")
        self.assertEqual(cluster(only, httpRequest()), "")
        head._authority = b"\xff"
        self.assertEqual(
            cluster(routing(acting(cluster_name="", cluster_variable="authority")), head), "\ufffd"
        )

    def test_unknownVariable(self):
        """A variable that no request has is an error."""
        route = acting(cluster_name="", cluster_variable="nobody")
        self.assertRaises(RouterConfigError, routing, route)

    def test_hash(self):
        """The hash policy's key; the client's address without one."""
        exchange = FakeExchange(httpRequest(headers={"a": "b"}), peer="0.0.0.7:1")
        self.assertEqual(routing(acting()).route(exchange.request).hashKey(exchange), 7)
        policy = (HashPolicy(header=HashHeader(key="a")),)
        exchange.route = routing(acting(hash_policy=policy)).route(exchange.request)
        self.assertNotIn(exchange.hashKey(), (None, 0, 7))

    def test_metadata(self):
        """Criteria are sorted by key; none is none, not an empty list (scenario 37)."""
        route = routing(acting(metadata_match={"b": "2", "a": "1"})).route(httpRequest())
        self.assertEqual(route.metadataMatch, (("a", "1"), ("b", "2")))
        self.assertIsNone(routing(acting()).route(httpRequest()).metadataMatch)


class SplitTests(SynchronousTestCase):
    """Weighted clusters."""

    def count(self, times: int, seed: int = 1, **weights: int) -> Counter:
        router = routing(acting(weighted_clusters=weighted(**weights)), seed=seed)
        head = httpRequest()
        return Counter(cluster(router, head) for _ in range(times))

    def test_shares(self):
        """Shares are the weights', of any sum; ``cluster_name`` is never used (scenario 34)."""
        for weights in ({"w1": 90, "w2": 10}, {"w1": 9, "w2": 1}, {"w1": 900000, "w2": 100000}):
            count = self.count(20000, **weights)
            self.assertEqual(set(count), {"w1", "w2"})
            self.assertLess(abs(count["w1"] / 20000 - 0.9), 0.01)

    def test_zero(self):
        """A cluster of weight 0 is never chosen, wherever it stands."""
        self.assertEqual(set(self.count(2000, a=0, b=1, c=0, d=1, e=0)), {"b", "d"})

    def test_exact(self):
        """Each value of the random number below the total belongs to exactly one cluster."""

        class Steps(Random):
            """A random number that walks through the total."""

            at = -1

            def random(self):
                self.at += 1
                return self.at / 10

        entries: Any = ["a", "b", "c"]
        split: Any = WeightedSplit(entries, [1, 2, 7], Steps())
        self.assertEqual("".join(split.choose() for _ in range(10)), "abbccccccc")

    def test_seed(self):
        """The same randomness gives the same choices."""
        self.assertEqual(self.count(100, 5, a=1, b=1), self.count(100, 5, a=1, b=1))

    def test_noWeight(self):
        """A sum of 0 is an error, or means ``cluster_name``."""
        none = weighted(a=0)
        self.assertRaises(
            RouterConfigError, routing, acting(cluster_name="", weighted_clusters=none)
        )
        router = routing(acting(cluster_name="x", weighted_clusters=none))
        self.assertEqual(cluster(router, httpRequest()), "x")

    def test_metadata(self):
        """An entry's criteria replace the route's; without them all hosts count (scenario 36)."""
        entries = (
            WeightedCluster(
                cluster=ClusterWeight(name="a", weight=1, metadata_match={"y": "2", "x": "1"})
            ),
            *weighted(b=1),
        )
        router = routing(acting(weighted_clusters=entries, metadata_match={"stage": "prod"}))
        seen = set()
        for _ in range(50):
            route = router.route(httpRequest())
            seen.add((route.clusterName(httpRequest()), route.metadataMatch))
        self.assertEqual(seen, {("a", (("x", "1"), ("y", "2"))), ("b", None)})

    def test_once(self):
        """The choice is made with the route: asking the route again gives the same cluster."""
        router = routing(acting(weighted_clusters=weighted(a=1, b=1)))
        for _ in range(20):
            route = router.route(httpRequest())
            names = {route.clusterName(httpRequest()) for _ in range(5)}
            self.assertEqual(len(names), 1)

    def test_variants(self):
        """A chosen variant is the route in everything else."""
        route = acting(
            Match(prefix="/a"),
            weighted_clusters=weighted(a=1),
            timeout=3.0,
            prefix_rewrite="/b",
            upstream_protocol="Http1",
        )
        found = routing(route).route(httpRequest(b"/a"))
        self.assertEqual((found.timeout, found.upstreamProtocol), (3.0, "Http1"))
        self.assertIs(found.config, route)
        self.assertIn("routers[0]", found.path)
        self.assertIsNotNone(found.rewriteRequest)
        self.assertEqual(found.filterConfig, {})
