"""Tests of `mosntx.stats.console`."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.stats import Sample
from mosntx.stats import console
from mosntx.stats.store import StatsStore
from mosntx.stats.structs import ClusterStats

SAMPLES: list[Sample] = [
    ("downstream", (("proxy", "global"),), "request_total", "counter", 5),
    ("upstream", (("cluster", "c"), ("host", "127.0.0.1:8080")), "request_total", "counter", 3),
    ("upstream", (("cluster", "c"),), "lb_subsets_created", "gauge", 2.0),
    ("xds", (), "cds_update_success", "counter", 1),
]


class ConsoleTests(SynchronousTestCase):
    """The tree and its text."""

    def test_tree(self) -> None:
        """Type, namespace, key, and every value a string of an integer."""
        self.assertEqual(
            console.tree(SAMPLES),
            {
                "downstream": {"proxy.global": {"request_total": "5"}},
                "upstream": {
                    "cluster.c.host.127.0.0.1:8080": {"request_total": "3"},
                    "cluster.c": {"lb_subsets_created": "2"},
                },
                "xds": {"": {"cds_update_success": "1"}},
            },
        )

    def test_render(self) -> None:
        """The text is JSON indented by tabs."""
        text = console.render(SAMPLES) or ""
        self.assertIn('\n\t\t"proxy.global": {\n\t\t\t"request_total": "5"', text)
        self.assertEqual(json.loads(text), console.tree(SAMPLES))

    def test_one(self) -> None:
        """One scope is chosen by type and namespace."""
        name = "upstream.cluster.c.host.127.0.0.1:8080"
        found = console.tree(SAMPLES, name)
        self.assertEqual(
            found, {"upstream": {"cluster.c.host.127.0.0.1:8080": {"request_total": "3"}}}
        )
        self.assertEqual(list(console.tree(SAMPLES, "xds")), ["xds"])

    def test_unknown(self) -> None:
        """A scope that is not there gives nothing, nor does a part of a name."""
        for name in ("upstream.cluster.d", "upstream", "downstream.proxy", ""):
            self.assertIsNone(console.render(SAMPLES, name))

    def test_hostile(self) -> None:
        """A name with quotes and line ends stays one JSON string."""
        store = StatsStore()
        store.register(ClusterStats('a"\n\t}'))
        text = console.render(store.samples()) or ""
        self.assertIn('cluster.a"\n\t}', json.loads(text)["upstream"])
