"""Tests of `mosntx.config.checkroutes`."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.checkroutes import patternProblem, splitDomain
from tests.config import samples
from tests.config.samples import found, minimal, problemsOf, withRoutes

HOST = "servers[0].routers[0].virtual_hosts[0]"
ROUTE = f"{HOST}.routers[0]"
TO_C: dict[str, Any] = {"cluster_name": "c"}


def domains(*groups: list[str]) -> list[tuple[str, str]]:
    """What is found with these domains, one list per virtual host."""
    obj = minimal()
    hosts = obj["servers"][0]["routers"][0]["virtual_hosts"]
    obj["servers"][0]["routers"][0]["virtual_hosts"] = [
        {**hosts[0], "domains": group} for group in groups
    ]
    return found(obj)


def route(**keys: Any) -> list[tuple[str, str]]:
    """What is found with one route, paths relative to it."""
    return [
        (severity, path.removeprefix(f"{ROUTE}.")) for severity, path in found(withRoutes(keys))
    ]


class NewMatchTests(SynchronousTestCase):
    """Keys of matches that only mosntx has, and expressions."""

    def test_expressions(self) -> None:
        """A mistake in an expression is reported with its column."""
        match = {"dsl_expressions": [{"expression": "true"}, {"expression": "request.metod == 1"}]}
        [problem] = problemsOf(withRoutes({"match": match, "route": TO_C}))
        self.assertEqual(problem.path, f"{ROUTE}.match.dsl_expressions[1].expression")
        self.assertIn("column 1 of the expression: requests have no", str(problem))
        self.assertIn("did you mean 'request.method'?", str(problem))

    def test_patterns(self) -> None:
        """Patterns of query parameters and cookies are looked at, where they count."""
        bad = {"name": "a", "value": "(", "regex": True}
        for key in ("query_parameters", "cookies", "headers"):
            self.assertEqual(
                route(match={"prefix": "/", key: [bad]}, route=TO_C),
                [("error", f"match.{key}[0].value")],
            )
            present = {**bad, "present": True}
            self.assertEqual(route(match={"prefix": "/", key: [present]}, route=TO_C), [])

    def test_ignoreCase(self) -> None:
        """Only prefixes can ignore case; old keys still have no effect and no meaning."""
        self.assertEqual(
            route(match={"regex": "/", "ignore_case": True}, route=TO_C),
            [("warning", "match.ignore_case")],
        )
        self.assertEqual(route(match={"prefix": "/", "ignore_case": True}, route=TO_C), [])


class DomainTests(SynchronousTestCase):
    """Domains of virtual hosts (spec/router.md section 2)."""

    def test_worked_example(self) -> None:
        """The list of MOSN's own example is fine."""
        names = ["www.test.com", "www.test.com:8080", "www.test.com:*", "*.test.com:30888"]
        names += ["*.com:30888", "*.com:*", "*.com", "*:*", "*:80"]
        self.assertEqual(domains(*([name] for name in names)), [])

    def test_duplicates(self) -> None:
        """The same host and port twice, in any case, and all spellings of the default."""
        for first, second in (("a.com", "A.com"), ("*", "*:*"), ("*.a:1", "*.a:1"), ("*", "*")):
            self.assertEqual(
                domains([first], [second])[0][1][-23:], "virtual_hosts[1].domains[0]"[-23:]
            )
        self.assertEqual(domains(["a", "a"]), [("error", f"{HOST}.domains[1]")])
        self.assertEqual(domains(["a", "a:1", "a:*", "*.a"]), [])

    def test_malformed(self) -> None:
        """Stars inside, several colons and nothing at all are errors."""
        for domain in ("a*b", "a.*", "**", "a:b:c", "::1", "", ":", "[::1]"):
            self.assertEqual(domains([domain]), [("error", f"{HOST}.domains[0]")], domain)

    def test_split(self) -> None:
        """Host in lower case and port."""
        self.assertEqual(splitDomain("A.com:80"), ("a.com", "80"))
        self.assertEqual(splitDomain("[::1]:80"), ("::1", "80"))
        self.assertEqual(splitDomain("*"), ("*", ""))

    def test_nothingToMatch(self) -> None:
        """A virtual host without domains and a configuration without virtual hosts are odd."""
        self.assertEqual(domains([]), [("warning", HOST)])
        self.assertEqual(domains(), [("warning", "servers[0].routers[0]")])


class PatternTests(SynchronousTestCase):
    """RE2 patterns."""

    def test_problem(self) -> None:
        """RE2's own words; look-around and back-references are refused."""
        self.assertEqual(patternProblem("^/a.*$"), "")
        self.assertIn("missing )", patternProblem("("))
        self.assertTrue(patternProblem("(?=a)"))
        self.assertTrue(patternProblem("(a)\\1"))
        self.assertTrue(patternProblem("a" * 20_000))

    def test_inRoutes(self) -> None:
        """Everywhere a pattern counts, and nowhere else."""
        bad = "("
        cases: list[tuple[dict[str, Any], str]] = [
            ({"regex": bad}, "match.regex"),
            (
                {"prefix": "/", "headers": [{"name": "a", "value": bad, "regex": True}]},
                "match.headers[0].value",
            ),
            ({"headers": [{"name": "a", "value": bad, "regex": True}]}, "match.headers[0].value"),
            ({"variables": [{"name": "a", "regex": bad}]}, "match.variables[0].regex"),
        ]
        for match, path in cases:
            self.assertEqual(route(match=match, route=TO_C), [("error", path)])
        unused: list[dict[str, Any]] = [
            {"prefix": "/", "regex": bad},
            {"headers": [{"name": "service", "value": bad, "regex": True}]},
            {"prefix": "/", "headers": [{"name": "method", "value": bad, "regex": True}]},
            {"prefix": "/", "headers": [{"name": "a", "value": bad}]},
        ]
        for match in unused:
            self.assertEqual(route(match=match, route=TO_C), [])

    def test_rewrite(self) -> None:
        """The pattern of a rewrite, unless `prefix_rewrite` wins."""
        rewrite = {"pattern": {"regex": "("}, "substitution": "x"}
        self.assertEqual(
            route(route={**TO_C, "regex_rewrite": rewrite}),
            [("error", "route.regex_rewrite.pattern.regex")],
        )
        both = {**TO_C, "regex_rewrite": rewrite, "prefix_rewrite": "/"}
        self.assertEqual(route(route=both), [("warning", "route.regex_rewrite")])


class ActionTests(SynchronousTestCase):
    """What a route does."""

    def test_redirect(self) -> None:
        """Five statuses; 0 is 301; a scheme begins with a letter."""
        for code in (0, 301, 302, 303, 307, 308):
            self.assertEqual(route(redirect={"response_code": code}), [])
        self.assertEqual(
            route(redirect={"response_code": 300}), [("error", "redirect.response_code")]
        )
        self.assertEqual(route(redirect={"scheme_redirect": "HTTPS"}), [])
        bad = {"scheme_redirect": "1http"}
        self.assertEqual(route(redirect=bad), [("error", "redirect.scheme_redirect")])

    def test_directResponse(self) -> None:
        """A status that an answer can have."""
        self.assertEqual(route(direct_response={"status": 503, "body": "no"}), [])
        for status in (0, 100, 99, 600, -1):
            problems = route(direct_response={"status": status})
            self.assertEqual(problems, [("error", "direct_response.status")])

    def test_weights(self) -> None:
        """Any sum is fine but 0."""

        def weighted(*weights: int) -> list[tuple[str, str]]:
            items = [{"cluster": {"name": "c", "weight": w}} for w in weights]
            return route(route={"weighted_clusters": items})

        self.assertEqual(weighted(7), [])
        self.assertEqual(weighted(0), [("error", "route.weighted_clusters")])
        self.assertEqual(weighted(1, 2), [("warning", "route.weighted_clusters[1].cluster.name")])

    def test_weightsOfSubsets(self) -> None:
        """A cluster may come twice with weights for two of its subsets, but not for the same."""
        selector = {"subset_selectors": [["v"]], "fall_back_policy": 1}

        def weighted(*versions: str) -> list[tuple[str, str]]:
            items = [
                {"cluster": {"name": "c", "weight": 1, "metadata_match": labelled(version)}}
                for version in versions
            ]
            obj = samples.withCluster(
                lb_subset_config=selector,
                hosts=[{"address": "127.0.0.1:1", "metadata": labelled("1")}],
            )
            rules = [{"match": {"prefix": "/"}, "route": {"weighted_clusters": items}}]
            obj["servers"][0]["routers"] = [samples.router(*rules)]
            return samples.found(obj)

        def labelled(version: str) -> dict[str, Any]:
            return {"filter_metadata": {"mosn.lb": {"v": version}}}

        self.assertEqual(weighted("1", "2"), [])
        ((severity, path),) = weighted("1", "1")
        self.assertEqual(severity, "warning")
        self.assertTrue(path.endswith("weighted_clusters[1].cluster.name"))

    def test_nowhere(self) -> None:
        """A route without any action is answered with 404: a warning."""
        (problem,) = problemsOf(withRoutes({"match": {"prefix": "/"}}))
        self.assertEqual((problem.severity, problem.path), ("warning", ROUTE))
        self.assertEqual(route(route={}), [("warning", ROUTE)])

    def test_variables(self) -> None:
        """An item without value and pattern never matches; models are and/or in any case."""
        match = {"variables": [{"name": "a"}]}
        self.assertEqual(route(match=match, route=TO_C), [("warning", "match.variables[0]")])
        match = {"variables": [{"name": "a", "value": "1", "model": "OR"}]}
        self.assertEqual(route(match=match, route=TO_C), [])
        match = {"variables": [{"name": "a", "value": "1", "model": "xor"}]}
        self.assertEqual(route(match=match, route=TO_C), [("error", "match.variables[0].model")])
