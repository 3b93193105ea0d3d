"""Tests of `mosntx.stats.store`."""

from __future__ import annotations

import types

from twisted.trial.unittest import SynchronousTestCase

from mosntx.stats.scope import Labels
from mosntx.stats.store import StatsMatcher, StatsStore
from mosntx.stats.structs import ClusterStats, DownstreamStats

GLOBAL: Labels = (("proxy", "global"),)


def value(store: StatsStore, labels: Labels, key: str) -> float | None:
    """Return one published value, ``None`` when it is not published."""
    found = [sample[4] for sample in store.samples() if sample[1:3] == (labels, key)]
    return found[0] if found else None


class StatsStoreTests(SynchronousTestCase):
    """Registering and reading."""

    def test_register(self) -> None:
        """Registered scopes are published until they are taken out."""
        store, stats = StatsStore(), ClusterStats("c")
        store.register(stats)
        self.assertEqual(value(store, stats.labels, "request_total"), 0)
        store.unregister(stats)
        self.assertIsNone(value(store, stats.labels, "request_total"))
        store.unregister(stats)

    def test_twice(self) -> None:
        """The same scope may be registered again, another one of the same name not."""
        store, stats = StatsStore(), DownstreamStats("in")
        store.register(stats)
        store.register(stats)
        error = self.assertRaises(ValueError, store.register, DownstreamStats("in"))
        self.assertIn("'listener': 'in'", str(error))
        store.unregister(DownstreamStats("in"))
        self.assertIsNotNone(value(store, stats.labels, "request_total"))

    def test_two(self) -> None:
        """Two stores know nothing of each other."""
        first, second = StatsStore(), StatsStore()
        stats = DownstreamStats("in")
        stats.request_total = 5
        first.register(stats)
        self.assertEqual(value(first, GLOBAL, "request_total"), 5)
        self.assertEqual(value(second, GLOBAL, "request_total"), 0)

    def test_globalSums(self) -> None:
        """Listeners with a proxy filter are summed, statuses and histograms included."""
        store = StatsStore()
        for number in (1, 2):
            stats = DownstreamStats(f"in{number}")
            stats.request_total = number
            stats.codes[200] = number
            stats.request_time.record(number * 10)
            store.register(stats)
        layer4 = DownstreamStats("tcp", joinsGlobal=False)
        layer4.bytes_read_total = 100
        store.register(layer4)
        self.assertEqual(value(store, GLOBAL, "request_total"), 3)
        self.assertEqual(value(store, GLOBAL, "request_200_total"), 3)
        self.assertEqual(value(store, GLOBAL, "request_time_max"), 20)
        self.assertEqual(value(store, GLOBAL, "bytes_read_total"), 0)
        self.assertEqual(value(store, layer4.labels, "bytes_read_total"), 100)
        self.assertEqual(next(iter(store.histograms()))[3].count, 2)

    def test_departedListener(self) -> None:
        """A listener that was removed stays in the global sums, also what ends later."""
        store, stats = StatsStore(), DownstreamStats("in")
        store.register(stats)
        stats.request_total = stats.request_active = 1
        store.unregister(stats)
        self.assertEqual(value(store, GLOBAL, "request_active"), 1)
        stats.request_active = 0
        stats.request_failed = 1
        for _ in range(3):
            self.assertEqual(value(store, GLOBAL, "request_active"), 0)
            self.assertEqual(value(store, GLOBAL, "request_total"), 1)
            self.assertEqual(value(store, GLOBAL, "request_failed"), 1)
        store.register(DownstreamStats("in"))
        self.assertEqual(value(store, GLOBAL, "request_total"), 1)


class StatsMatcherTests(SynchronousTestCase):
    """What is left out."""

    def store(self, matcher: StatsMatcher) -> StatsStore:
        store = StatsStore(matcher)
        store.register(DownstreamStats("in"))
        store.register(ClusterStats("c"))
        return store

    def test_rejectAll(self) -> None:
        """Nothing is published, not even the sums."""
        store = self.store(StatsMatcher(rejectAll=True))
        self.assertEqual(list(store.samples()), [])
        self.assertEqual(list(store.histograms()), [])

    def test_labels(self) -> None:
        """A label name hides its scopes, and hidden scopes still join the sums."""
        store = self.store(StatsMatcher(exclusionLabels=["listener", "cluster"]))
        self.assertEqual({sample[1] for sample in store.samples()}, {GLOBAL})

    def test_keys(self) -> None:
        """A key is hidden everywhere; a histogram's with its extremes, but not its total."""
        store = self.store(StatsMatcher(exclusionKeys=["request_total", "request_time"]))
        keys = {sample[2] for sample in store.samples()}
        self.assertNotIn("request_total", keys)
        self.assertNotIn("request_time_min", keys)
        self.assertNotIn("request_time_max", keys)
        self.assertIn("request_time_total", keys)
        self.assertIn("process_time_min", keys)
        self.assertNotIn("request_time", {found[2] for found in store.histograms()})

    def test_exact(self) -> None:
        """Names are compared whole: no patterns."""
        store = self.store(StatsMatcher(exclusionLabels=["list"], exclusionKeys=["request_*"]))
        full = self.store(StatsMatcher())
        self.assertEqual(len(list(store.samples())), len(list(full.samples())))

    def test_fromConfig(self) -> None:
        """The configuration's names are taken over."""
        config = types.SimpleNamespace(
            reject_all=True, exclusion_labels=("host",), exclusion_keys=("x",)
        )
        self.assertEqual(
            StatsMatcher.fromConfig(config),
            StatsMatcher(rejectAll=True, exclusionLabels={"host"}, exclusionKeys={"x"}),
        )
