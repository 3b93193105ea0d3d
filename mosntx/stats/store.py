"""All stats of one Sidecar: who publishes, what is left out, and the sums over all listeners.

Source: spec/admin-observability.md 3 (MOSN pkg/metrics/store.go, matcher.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from mosntx.contracts.stats import IStatsScope, Sample
from mosntx.stats.scope import HistogramSample, Labels, StatsStruct
from mosntx.stats.structs import DownstreamStats

#: Labels of the sums over all listeners that have the ``proxy`` network filter.
GLOBAL_LABELS: Labels = (("proxy", "global"),)


def _names(names: Iterable[str]) -> frozenset[str]:
    """Return names as a set."""
    return frozenset(names)


def _withExtremes(keys: Iterable[str]) -> frozenset[str]:
    """Return ``keys`` and what a histogram of such a name publishes besides."""
    return frozenset(f"{key}{suffix}" for key in keys for suffix in ("", "_min", "_max"))


@attrs.frozen
class StatsMatcher:
    """What is not published: ``metrics.stats_matcher``.

    :param rejectAll: nothing is.
    :param exclusionLabels: scopes that have a label of one of these names are not.
    :param exclusionKeys: these keys are not, in any scope.
    """

    rejectAll: bool = False
    exclusionLabels: frozenset[str] = attrs.field(default=(), converter=_names)
    exclusionKeys: frozenset[str] = attrs.field(default=(), converter=_withExtremes)

    @classmethod
    def fromConfig(cls, config: Any) -> StatsMatcher:
        """Take ``metrics.stats_matcher`` (`mosntx.config.schema.StatsMatcher`)."""
        return cls(config.reject_all, config.exclusion_labels, config.exclusion_keys)

    def admits(self, labels: Labels, key: str) -> bool:
        """Say whether a value of this key in a scope of these labels is published."""
        return not (
            self.rejectAll
            or key in self.exclusionKeys
            or any(name in self.exclusionLabels for name, _ in labels)
        )


class StatsStore:
    """The scopes of one Sidecar. Registering costs nothing later: all work is done when read."""

    def __init__(self, matcher: StatsMatcher | None = None) -> None:
        self._matcher = matcher or StatsMatcher()
        self._scopes: dict[tuple[str, Labels], IStatsScope] = {}
        self._leaving: list[DownstreamStats] = []
        self._departed = DownstreamStats("")

    def register(self, scope: IStatsScope) -> None:
        """Publish ``scope`` from now on.

        :raises ValueError: when another scope has the same type and labels.
        """
        name = (scope.type, scope.labels)
        if self._scopes.setdefault(name, scope) is not scope:
            raise ValueError(f"two stats scopes are called {scope.type} {dict(scope.labels)}")

    def unregister(self, scope: IStatsScope) -> None:
        """Publish ``scope`` no longer; ignored when it is not registered.

        A listener's requests stay in the global sums, also those that end later.
        """
        name = (scope.type, scope.labels)
        if self._scopes.get(name) is scope:
            del self._scopes[name]
            if isinstance(scope, DownstreamStats) and scope.joinsGlobal:
                self._leaving.append(scope)

    def samples(self) -> Iterator[Sample]:
        """Return every published value as of now; the global sums come first."""
        admits = self._matcher.admits
        for scope in (self._globalStats(), *self._scopes.values()):
            for sample in scope.samples():
                if admits(sample[1], sample[2]):
                    yield sample

    def histograms(self) -> Iterator[HistogramSample]:
        """Return every published histogram, for percentiles; ``samples`` has the rest of them."""
        admits = self._matcher.admits
        for scope in (self._globalStats(), *self._scopes.values()):
            if isinstance(scope, StatsStruct):
                for found in scope.histograms():
                    if admits(found[1], found[2]):
                        yield found

    def _globalStats(self) -> DownstreamStats:
        """Return the sums over all listeners that ever were."""
        for stats in [stats for stats in self._leaving if stats.idle]:
            self._departed.fold(stats)
            self._leaving.remove(stats)
        total = DownstreamStats("")
        total.labels = GLOBAL_LABELS
        present = (
            scope
            for scope in self._scopes.values()
            if isinstance(scope, DownstreamStats) and scope.joinsGlobal
        )
        for stats in (self._departed, *self._leaving, *present):
            total.fold(stats)
        return total
