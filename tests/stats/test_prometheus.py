"""Tests of `mosntx.stats.prometheus`."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import PrometheusSink
from mosntx.contracts.stats import Sample
from mosntx.stats.histogram import Histogram
from mosntx.stats.prometheus import Exposition, PrometheusOptions, render
from mosntx.stats.store import StatsStore
from mosntx.stats.structs import ClusterStats, DownstreamStats

GLOBAL = {"proxy": "global"}


def parsed(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return (name, labels) -> value, as Prometheus would read it.

    Prometheus leaves names as they are; this parser appends ``_total`` to MOSN's odd counters.
    """
    text = re.sub("(?m)^(# TYPE .*(?<!_total)) counter$", r"\1 untyped", text)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def oneSample(name: str, value: float, label: str = "x") -> Sample:
    return ("t", (("label", label),), name, "counter", value)


class RenderTests(SynchronousTestCase):
    """The text."""

    def store(self) -> StatsStore:
        store, listener, cluster = StatsStore(), DownstreamStats("egress"), ClusterStats("c")
        listener.request_total = 5
        listener.request_time.record(1_500_000)
        cluster.hostStats("127.0.0.1:8080").response_success = 4
        store.register(listener)
        store.register(cluster)
        return store

    def test_names(self) -> None:
        """Values are found under MOSN's family names and labels."""
        found = parsed(render(self.store().samples()))
        self.assertEqual(found["downstream_request_total", (("proxy", "global"),)], 5)
        self.assertEqual(found["downstream_request_total", (("listener", "egress"),)], 5)
        labels = (("cluster", "c"), ("host", "127.0.0.1:8080"))
        self.assertEqual(found["upstream_response_success", labels], 4)
        self.assertEqual(found["upstream_response_success", (("cluster", "c"),)], 4)
        self.assertEqual(found["downstream_request_time_min", (("proxy", "global"),)], 1_500_000)

    def test_text(self) -> None:
        """A family is one TYPE line and its samples, which look like MOSN's."""
        text = render([oneSample("request_active", 5), oneSample("request_active", 7, "y")])
        self.assertEqual(
            text,
            "# TYPE t_request_active counter\n"
            't_request_active{label="x"} 5.0\n'
            't_request_active{label="y"} 7.0\n',
        )

    def test_grouped(self) -> None:
        """Each family stands together, whatever the order of the samples."""
        seen: list[str] = []
        for line in render(self.store().samples()).splitlines():
            name = line.split()[2] if line.startswith("#") else line.partition("{")[0]
            if not seen or seen[-1] != name:
                seen.append(name)
        self.assertEqual(len(seen), len(set(seen)))

    def test_allSamples(self) -> None:
        """No sample is lost, and no series appears twice."""
        store = self.store()
        text = render(store.samples())
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        self.assertEqual(len(lines), len(list(store.samples())))
        self.assertEqual(len(parsed(text)), len(lines))

    def test_sanitised(self) -> None:
        """Characters that no metric name may have become underscores."""
        text = render([("meta", (("mosn", "info"),), "version:1.6.0-rc", "gauge", 1)])
        self.assertEqual(list(parsed(text)), [("meta_version_1_6_0_rc", (("mosn", "info"),))])
        text = render([("t", (("a-b", "c"),), "k", "gauge", 1)])
        self.assertEqual(list(parsed(text)), [("t_k", (("a_b", "c"),))])

    @given(st.text(st.characters(codec="utf-8"), max_size=40))
    def test_escaped(self, label: str) -> None:
        """Any label value comes back as it was and forges no line."""
        text = render([oneSample("k", 1, label)])
        self.assertEqual(text.count("\n"), 2)
        self.assertEqual(list(parsed(text)), [("t_k", (("label", label),))])

    @given(st.floats() | st.integers(-(2**60), 2**60).map(float))
    def test_values(self, value: float) -> None:
        """Any value comes back, also those that are no numbers."""
        found = parsed(render([oneSample("k", value)]))["t_k", (("label", "x"),)]
        self.assertTrue(found == value or (found != found and value != value))

    def test_percentiles(self) -> None:
        """Percentiles are gauges of the histogram's name with a label."""
        histogram = Histogram()
        for value in range(1, 101):
            histogram.record(value)
        text = render([], [("u", (("cluster", "c"),), "time", histogram)], (50, 99))
        self.assertIn("# TYPE u_time gauge\n", text)
        found = parsed(text)
        self.assertEqual(found["u_time", (("cluster", "c"), ("percentile", "P50"))], 50)
        self.assertAlmostEqual(
            found["u_time", (("cluster", "c"), ("percentile", "P99"))], 99, delta=2
        )

    def test_noLabels(self) -> None:
        """A scope without labels has no braces."""
        self.assertIn("\nxds_k 1.0\n", render([("xds", (), "k", "counter", 1)]))


class ExpositionTests(SynchronousTestCase):
    """The whole body."""

    def body(self, options: PrometheusOptions | None = None) -> str:
        store, stats = StatsStore(), DownstreamStats("a\udc80")
        stats.request_time.record(10)
        store.register(stats)
        return Exposition(store.samples, store.histograms, options).render().decode()

    def test_process(self) -> None:
        """The process's own families are there unless switched off."""
        names = {name for name, _ in parsed(self.body())}
        self.assertIn("process_resident_memory_bytes", names)
        self.assertIn("python_info", names)
        bare = PrometheusOptions(collectProcess=False, collectPython=False)
        names = {name for name, _ in parsed(self.body(bare))}
        self.assertEqual({name for name in names if not name.startswith("downstream_")}, set())

    def test_percentiles(self) -> None:
        """The configured percentiles are published, and none without."""
        self.assertIn('percentile="P95"', self.body(PrometheusOptions(percentiles=(95,))))
        self.assertNotIn("percentile=", self.body())


class OptionsTests(SynchronousTestCase):
    """``config`` of the sink."""

    def options(self, **config: Any) -> PrometheusOptions:
        return PrometheusOptions.fromConfig(PrometheusSink(**config))

    def test_good(self) -> None:
        """All keys are understood."""
        options = self.options(
            port=34903,
            endpoint="/stats",
            percentiles=(50, 90, 50),
            disable_collect_process=True,
            disable_collect_go=True,
        )
        self.assertEqual(options, PrometheusOptions(34903, "/stats", (50, 90), False, False))

    def test_defaults(self) -> None:
        """Only the port is required."""
        self.assertEqual(self.options(port=1), PrometheusOptions(1))

    def test_bad(self) -> None:
        """Each key that makes MOSN refuse the sink is refused, and named."""
        for config, word in (
            ({"port": 0}, "port"),
            ({"port": 70000}, "port"),
            ({"port": 1, "endpoint": "metrics"}, "endpoint"),
            ({"port": 1, "endpoint": ""}, "endpoint"),
            ({"port": 1, "percentiles": (101,)}, "percentiles"),
            ({"port": 1, "percentiles": (50, -1)}, "percentiles"),
            ({"port": 1, "export_url": "http://push"}, "export_url"),
        ):
            error = self.assertRaises(ValueError, self.options, **config)
            self.assertIn(word, str(error))
