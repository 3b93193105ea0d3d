"""Routes with the real daemon, real hosts and real clients of three protocols."""

from __future__ import annotations

from typing import Any

from tests.system.daemon import until
from tests.system.traffic import HTTP, TrafficCase, cluster


def to(name: str, **match: Any) -> dict[str, Any]:
    """Return a route to a cluster."""
    return {"match": match, "route": {"cluster_name": name}}


def entry(name: str, value: str, **more: Any) -> list[dict[str, Any]]:
    """Return a list with one condition."""
    return [{"name": name, "value": value, **more}]


MATCHES = [
    to("header", prefix="/h", headers=entry("x-beta", "^y.s$", regex=True)),
    to("query", prefix="/", query_parameters=entry("v", "a&b")),
    to("cookie", prefix="/", cookies=entry("group", "beta")),
    to("path", path="/Exactly/this"),
    to("expression", dsl_expressions=[{"expression": 'request.headers["x-n"] in ["7", "8"]'}]),
    to("service", dsl_expressions=[{"expression": 'api.service == "depot"'}]),
    to("both", headers=[*entry("x-one", "1"), *entry("x-two", "", invert=True, present=True)]),
]
NAMES = ("header", "query", "cookie", "path", "expression", "service", "both", "rest")
#: Path, headers, and the cluster that gets it.
HTTP_CASES: tuple[tuple[str, dict[str, str], str], ...] = (
    ("/h", {"x-beta": "yes"}, "header"),
    ("/h", {"x-beta": "yes!"}, "rest"),
    ("/g", {"x-beta": "yes"}, "rest"),
    ("/?v=a%26b", {}, "query"),
    ("/?v=a&b", {}, "rest"),
    ("/", {"cookie": "a=b; group=beta"}, "cookie"),
    ("/", {"cookie": "group=alpha; group=beta"}, "rest"),
    ("/exactly/THIS?q=1", {}, "path"),
    ("/exactly/%74his", {}, "path"),
    ("/exactly/this/", {}, "rest"),
)
CASES = (
    ("/", {"x-n": "8"}, "expression"),
    ("/", {"x-n": "9"}, "rest"),
    ("/", {"x-one": "1"}, "both"),
    ("/", {"x-one": "1", "x-two": "any"}, "rest"),
)

REWRITES = [
    {"match": {"path": "/direct"}, "direct_response": {"status": 418, "body": "tea"}},
    {
        "match": {"prefix": "/old/"},
        "redirect": {
            "path_redirect": "/new/",
            "response_code": 308,
            "host_redirect": "new.example",
        },
    },
    {
        "match": {"prefix": "/short/"},
        "route": {
            "cluster_name": "rest",
            "prefix_rewrite": "/",
            "host_rewrite": "inner.example",
            "request_headers_to_add": [
                {"header": {"key": "x-added", "value": "in"}, "append": False}
            ],
            "request_headers_to_remove": ["x-secret"],
            "response_headers_to_add": [{"header": {"key": "x-out", "value": "out"}}],
        },
    },
    {
        "match": {"prefix": "/swap/"},
        "route": {
            "cluster_name": "rest",
            "regex_rewrite": {
                "pattern": {"regex": "^/swap/([a-z]+)/([a-z]+)"},
                "substitution": "/$2/$1",
            },
        },
    },
]


class RoutingTests(TrafficCase):
    """One daemon whose routes lead to clusters of one host each."""

    def test_matches(self) -> None:
        """Headers, queries, cookies, paths and expressions lead where they should."""
        hosts = self.hosts.add(*NAMES)
        clusters = [cluster(host.name, [host]) for host in hosts]
        clients = self.serve(clusters, [*MATCHES, to("rest")])
        for client in clients:
            cases = HTTP_CASES + CASES if isinstance(client, HTTP) else CASES
            for path, fields, expected in cases:
                answer = client.send(path=path, fields=fields)
                self.assertEqual(answer.host, expected, f"{client.name} {path} {fields}")
        answer = clients[2].send(fields={"service": "depot"})
        self.assertEqual(answer.host, "service")

    def test_rewritesAndAnswers(self) -> None:
        """Rewritten paths, hosts and headers, redirects and direct responses; also for RPC."""
        (rest,) = self.hosts.add("rest")
        added = [{"header": {"key": "x-added", "value": "in"}, "append": False}]
        out = [{"header": {"key": "x-out", "value": "out"}}]
        headers = {
            "request_headers_to_add": added,
            "request_headers_to_remove": ["x-secret"],
            "response_headers_to_add": out,
        }
        clients = self.serve([cluster("rest", [rest], route=headers)], REWRITES)
        for client in clients:
            path = "/short/a%20b?q=%26" if isinstance(client, HTTP) else "/"
            answer = client.send("rest", path, {"x-secret": "s", "x-kept": "k"})
            seen = answer.seen["headers"]
            self.assertEqual(answer.headers.get("x-out"), "out", client.name)
            self.assertEqual((seen.get("x-added"), seen.get("x-kept")), ("in", "k"), client.name)
            self.assertNotIn("x-secret", seen, client.name)
            if not isinstance(client, HTTP):
                continue
            self.assertEqual(answer.seen["path"], "/a%20b?q=%26", client.name)
            self.assertEqual(seen["host"], "inner.example", client.name)
            answer = client.send(path="/swap/left/right?q=1")
            self.assertEqual(answer.seen["path"], "/right/left?q=1", client.name)
            asked = len(rest.asked)
            answer = client.send(path="/direct")
            self.assertEqual((answer.status, answer.body), (418, b"tea"), client.name)
            answer = client.send(path="/old/a?q=1")
            self.assertEqual(answer.status, 308, client.name)
            self.assertEqual(answer.headers["location"], "http://new.example/new/?q=1")
            self.assertEqual(len(rest.asked), asked, client.name)

    def test_weights(self) -> None:
        """Of 1000 requests in each protocol about 100 go to the cluster with a tenth."""
        hosts = self.hosts.add("heavy", "light")
        weights = [{"cluster": {"name": "heavy", "weight": 90}}]
        weights.append({"cluster": {"name": "light", "weight": 10}})
        heavy = cluster("heavy", hosts[:1], route={"weighted_clusters": weights})
        for client in self.serve([heavy, cluster("light", hosts[1:])]):
            found = client.hosts(1000, "heavy")
            self.assertEqual(found.total(), found["heavy"] + found["light"], client.name)
            # Six standard deviations.
            self.assertTrue(abs(found["light"] - 100) < 57, f"{client.name}: {found}")

    def test_mirror(self) -> None:
        """Each request is copied as it came; a shadow that is slow or dead harms nobody."""
        main, shadow = self.hosts.add("main", "shadow")
        routes = [
            {
                "match": {"headers": entry("to", "main")},
                "route": {
                    "cluster_name": "main",
                    "request_headers_to_remove": ["x-secret"],
                },
                "request_mirror_policies": {"cluster": "shadow", "percent": 100},
            }
        ]
        clusters = [cluster("main", [main]), cluster("shadow", [shadow])]
        clients = self.serve(clusters, routes, filters=[{"type": "mirror", "config": {}}])
        for client in clients:
            shadow.asked.clear()
            self.assertEqual(client.hosts(20, "main", {"x-secret": "s"}), {"main": 20})
            until(lambda: len(shadow.asked) == 20, f"copies of {client.name}")
            for copy in shadow.asked:
                self.assertEqual(copy.headers.get("x-secret"), "s", client.name)
            self.assertNotIn("x-secret", main.asked[-1].headers)
            shadow.holding = True
            self.assertEqual(client.hosts(20, "main"), {"main": 20}, client.name)
            until(lambda: shadow.held == 20, f"copies of {client.name}")
            shadow.kill()
            self.assertEqual(client.hosts(20, "main"), {"main": 20}, client.name)
            shadow.holding = False
            shadow.start()
