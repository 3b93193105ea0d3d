"""Tests of `mosntx.config.checksubsets`: subsets that nobody finds."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.load import loadText
from mosntx.config.names import Names
from mosntx.config.problems import Problem
from tests.config import samples

CLUSTER = "cluster_manager.clusters[0]"
SUBSET = f"{CLUSTER}.lb_subset_config"
ACTION = "servers[0].routers[0].virtual_hosts[0].routers[0].route"


def labels(**pairs: str) -> dict[str, Any]:
    """Metadata as configured."""
    return {"filter_metadata": {"mosn.lb": pairs}}


def problems(obj: dict[str, Any]) -> list[Problem]:
    """What is found; every finding is a warning."""
    loaded = list(samples.load(obj).problems)
    assert all(problem.severity == "warning" for problem in loaded), loaded
    return loaded


def paths(obj: dict[str, Any]) -> list[str]:
    """Where something is found."""
    return [problem.path for problem in problems(obj)]


def selecting(*selectors: list[str], **more: Any) -> dict[str, Any]:
    """A cluster of two hosts with these selectors."""
    hosts = [
        {"address": "127.0.0.1:1", "metadata": labels(version="1", stage="prod")},
        {"address": "127.0.0.1:2", "metadata": labels(version="2")},
    ]
    return {"hosts": hosts, "lb_subset_config": {"subset_selectors": list(selectors), **more}}


def routed(cluster: dict[str, Any], **action: Any) -> dict[str, Any]:
    """A configuration with one cluster and one route to it."""
    route = {"match": {"prefix": "/"}, "route": {"cluster_name": "c", **action}}
    obj = samples.withRoutes(route)
    obj["cluster_manager"]["clusters"] = [samples.cluster(**cluster)]
    return obj


class SelectorTests(SynchronousTestCase):
    """What a cluster says of its subsets."""

    def test_good(self) -> None:
        """Selectors whose keys some host has are fine."""
        obj = routed(selecting(["version"], ["version", "stage"]))
        self.assertEqual(paths(obj), [])

    def test_twice(self) -> None:
        """The same keys in another order are the same selector."""
        (problem,) = problems(routed(selecting(["version", "stage"], ["stage", "version"])))
        self.assertEqual(problem.path, f"{SUBSET}.subset_selectors[1]")
        self.assertIn(f"{SUBSET}.subset_selectors[0]", problem.message)

    def test_nobody(self) -> None:
        """A selector with a key that no host has together with the others builds nothing."""
        (problem,) = problems(routed(selecting(["zone", "version"])))
        self.assertEqual(problem.path, f"{SUBSET}.subset_selectors[0]")
        self.assertIn("no host has metadata for [version, zone]", problem.message)
        later = selecting(["zone"])
        later["hosts"] = []
        self.assertEqual(paths(routed(later)), [])

    def test_default(self) -> None:
        """A default subset is used with policy 2 only, and needs hosts."""
        good = {"fall_back_policy": 2, "default_subset": {"version": "2"}}
        self.assertEqual(paths(routed(selecting(["version"], **good))), [])
        cases: list[tuple[dict[str, Any], str]] = [
            ({"default_subset": {"version": "2"}}, "default_subset"),
            ({"default_subset": {"version": "2"}, "fall_back_policy": 1}, "default_subset"),
            ({"default_subset": {"version": "3"}, "fall_back_policy": 2}, "default_subset"),
            ({"fall_back_policy": 2}, "fall_back_policy"),
        ]
        for more, key in cases:
            self.assertEqual(paths(routed(selecting(["version"], **more))), [f"{SUBSET}.{key}"])

    def test_withoutSelectors(self) -> None:
        """A policy without selectors does nothing; no settings at all are no mistake."""
        self.assertEqual(paths(routed(selecting(fall_back_policy=1))), [SUBSET])
        self.assertEqual(paths(routed(selecting())), [])

    def test_notBuilt(self) -> None:
        """A build without subsets says only that, not what is wrong with them."""
        obj = routed(selecting(["zone"]), metadata_match=labels(zone="a"))
        names = Names(
            protocols={"Http1"},
            networkFilters=["proxy"],
            balancers={"LB_RANDOM"},
            clusterTypes={"SIMPLE"},
        )
        found = samples.load(obj, names).problems
        self.assertTrue(found)
        self.assertEqual([one for one in found if one.path.startswith(f"{SUBSET}.")], [])


class CriteriaTests(SynchronousTestCase):
    """What routes ask for."""

    def test_good(self) -> None:
        """A selector of exactly these keys, in any order."""
        obj = routed(
            selecting(["version", "stage"]), metadata_match=labels(stage="prod", version="1")
        )
        self.assertEqual(paths(obj), [])

    def test_noSelector(self) -> None:
        """Part of a selector is none; the message names the one that was probably meant."""
        selectors = selecting(["version", "stage"], ["stage"])
        (problem,) = problems(routed(selectors, metadata_match=labels(version="1")))
        self.assertEqual(problem.path, f"{ACTION}.metadata_match")
        self.assertIn("cluster 'c' has no selector [version]", problem.message)
        self.assertIn("match exactly [stage, version]", problem.fix)
        self.assertIn("add [version]", problem.fix)
        (problem,) = problems(routed(selectors, metadata_match=labels(zone="1")))
        self.assertEqual(problem.fix, "add [zone] to its 'subset_selectors'")

    def test_place(self) -> None:
        """The warning has line and column of the file."""
        text = """\
servers:
  - routers:
      - router_config_name: r
        virtual_hosts:
          - domains: ["*"]
            routers:
              - match: {prefix: /}
                route:
                  cluster_name: c
                  metadata_match: {filter_metadata: {mosn.lb: {v: "1"}}}
cluster_manager:
  clusters:
    - name: c
      hosts: [{address: "127.0.0.1:1"}]
"""
        (problem,) = loadText(text, "mosn.yaml", samples.EVERYTHING).problems
        self.assertEqual((problem.line, problem.column), (10, 35))

    def test_noSubsets(self) -> None:
        """A cluster without selectors takes every host, which a route should know."""
        (problem,) = problems(routed({}, metadata_match=labels(version="1")))
        self.assertIn("has no effect", problem.message)
        self.assertEqual(problem.path, f"{ACTION}.metadata_match")

    def test_weighted(self) -> None:
        """Each entry is looked at; the route's own criteria do not count beside them."""
        entries = [
            {"cluster": {"name": "c", "weight": 1, "metadata_match": labels(version="1")}},
            {"cluster": {"name": "c", "weight": 1, "metadata_match": labels(stage="prod")}},
            {"cluster": {"name": "c", "weight": 1}},
        ]
        obj = routed(
            selecting(["version"]),
            weighted_clusters=entries,
            metadata_match=labels(version="2"),
        )
        wanted = [
            f"{ACTION}.metadata_match",
            f"{ACTION}.weighted_clusters[1].cluster.metadata_match",
        ]
        self.assertEqual(paths(obj), wanted)

    def test_otherRoutes(self) -> None:
        """Routes that lead to no cluster of the file are somebody else's business."""
        for route in (
            {"direct_response": {"status": 200}},
            {"route": {"cluster_variable": "x", "metadata_match": labels(v="1")}},
        ):
            obj = samples.withRoutes({"match": {"prefix": "/"}, **route})
            self.assertEqual(paths(obj), [])
