"""What the admin API may see and do: functions given by the wiring, no objects of the proxy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from mosntx.admin.clusters import ClusterView
from mosntx.contracts.stats import Sample
from mosntx.stats.scope import HistogramSample


@attrs.frozen(kw_only=True)
class AdminView:
    """Views of one Sidecar. Each is called anew for each request and must not block.

    :param version: of mosntx.
    :param pid: of this process.
    :param state: MOSN's number of the state (spec/proxy.md 13.2), 6 when running.
    :param samples: `mosntx.stats.store.StatsStore.samples`.
    :param metrics: `mosntx.stats.prometheus.Exposition.render`.
    :param histograms: `mosntx.stats.store.StatsStore.histograms`.
    :param configDump: the effective configuration in MOSN's shape, without secrets:
        ``{"mosn_config": …, "listener": {name: …}, "cluster": …, "routers": …, "extends": […]}``;
        empty parts may be missing.
    :param logLevels: path -> level of the logs that have one.
    :param setLogLevel: ``(path, level) -> bool``, false when one is not known.
    :param setLogEnabled: ``(path, enabled) -> bool``, false when the path is not known.
    :param explain: ``(listener, method, url, header fields, client) -> mapping``, see
        `mosntx.service.explain`; raises ``ValueError`` with a sentence.
    :param failures: `mosntx.service.failures.failureReport`: what the flight recorder keeps.
    :param clusters: see `ClusterView`.
    :param features: MOSN's feature gates, name -> on.
    :param environment: environment variables of the process.
    """

    version: str
    pid: int
    state: Callable[[], int]
    samples: Callable[[], Iterable[Sample]]
    metrics: Callable[[], bytes]
    configDump: Callable[[], Mapping[str, Any]]
    logLevels: Callable[[], Mapping[str, str]]
    setLogLevel: Callable[[str, str], bool]
    setLogEnabled: Callable[[str, bool], bool]
    clusters: ClusterView
    explain: Callable[[str, str, str, tuple[tuple[str, str], ...], str], Mapping[str, Any]]
    failures: Callable[[], Mapping[str, Any]] = dict
    histograms: Callable[[], Iterable[HistogramSample]] = tuple
    features: Callable[[], Mapping[str, bool]] = dict
    environment: Callable[[], Mapping[str, str]] = dict
