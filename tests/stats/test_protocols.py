"""Tests of `mosntx.stats.protocols`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.stats.protocols import ProtocolCounts
from mosntx.stats.structs import ClusterStats, DownstreamStats


class Octopus:
    """Counts something."""

    def __init__(self) -> None:
        self.arms = 0

    def counts(self) -> list[tuple[str, int]]:
        """See `Counting.counts`."""
        return [("arms_total", self.arms)]


class ProtocolCountsTests(SynchronousTestCase):
    """The counters of several protocols."""

    def test_sums(self) -> None:
        """Equal keys are summed, as of now."""
        counts = ProtocolCounts()
        first, second = Octopus(), Octopus()
        counts.add(first)
        counts.add(second)
        first.arms, second.arms = 8, 7
        self.assertEqual(dict(counts.counts()), {"arms_total": 15})

    def test_keep(self) -> None:
        """Counters of one name are made once and stay, whoever asks for them."""
        counts = ProtocolCounts()
        octopus = counts.keep("sea", Octopus)
        octopus.arms = 3
        self.assertIs(counts.keep("sea", Octopus), octopus)
        self.assertIsNot(counts.keep("ocean", Octopus), octopus)
        self.assertEqual(dict(counts.counts()), {"arms_total": 3})

    def test_fold(self) -> None:
        """What was folded stays as it was."""
        counts, other = ProtocolCounts(), ProtocolCounts()
        octopus = other.keep("sea", Octopus)
        octopus.arms = 2
        counts.fold(other)
        counts.fold(other)
        octopus.arms = 100
        self.assertEqual(dict(counts.counts()), {"arms_total": 4})

    def test_published(self) -> None:
        """Listeners publish theirs, the sums over listeners too, and so do clusters."""
        stats, total, cluster = DownstreamStats("in"), DownstreamStats(""), ClusterStats("c")
        for each in (stats, cluster):
            each.protocols.keep("sea", Octopus).arms = 8
        total.fold(stats)
        for each in (stats, total, cluster):
            found = [sample for sample in each.samples() if sample[2] == "arms_total"]
            self.assertEqual(found, [(each.type, each.labels, "arms_total", "counter", 8)])
