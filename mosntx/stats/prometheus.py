"""Prometheus' text exposition of all stats, and the ``prometheus`` sink's configuration.

Families are called ``<type>_<key>`` and stand together; label values are escaped. The lines of
our own stats are written here and not by prometheus-client, which appends ``_total`` to the name of
every counter: MOSN has counters called ``request_active`` and ``response_success``. Its collectors
give the ``process_*`` and ``python_*`` families.

Source: spec/admin-observability.md 4.1 (MOSN pkg/metrics/sink/prometheus).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from mosntx.contracts.stats import Sample
from mosntx.stats.scope import HistogramSample, Labels

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# Of names of families and labels; colons are for recording rules only.
_NO_NAME = re.compile(r"[^a-zA-Z0-9_]")
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def _endpoint(path: str) -> str:
    """Check the path of the exposition.

    :raises ValueError: when it does not begin with a slash.
    """
    if not path.startswith("/"):
        raise ValueError(f"endpoint must begin with '/', not {path!r}")
    return path


def _port(port: int) -> int:
    """Check the port.

    :raises ValueError: when it is missing, zero or no port.
    """
    if not 0 < port < 65536:
        raise ValueError(f"port must be a number from 1 to 65535, not {port}")
    return port


def _percentiles(percents: Iterable[int]) -> tuple[int, ...]:
    """Check percentiles; each is kept once.

    :raises ValueError: when one is not within 0 to 100.
    """
    kept = tuple(dict.fromkeys(percents))
    for percent in kept:
        if not 0 <= percent <= 100:
            raise ValueError(f"percentiles lie between 0 and 100, {percent} does not")
    return kept


@attrs.frozen
class PrometheusOptions:
    """``config`` of a sink of type ``prometheus``.

    :param port: 0 for the exposition on the admin port, which has no port of its own.
    """

    port: int = 0
    endpoint: str = "/metrics"
    percentiles: tuple[int, ...] = ()
    collectProcess: bool = True
    collectPython: bool = True

    @classmethod
    def fromConfig(cls, config: Any) -> PrometheusOptions:
        """Take the sink's configuration (`mosntx.config.schema.PrometheusSink`).

        :raises ValueError: when the sink cannot work so; names the key.
        """
        if config.export_url:
            raise ValueError("export_url: pushing to a gateway is not supported")
        return cls(
            port=_port(config.port),
            endpoint=_endpoint(config.endpoint),
            percentiles=_percentiles(config.percentiles),
            collectProcess=not config.disable_collect_process,
            collectPython=not config.disable_collect_go,
        )


def processFamilies(*, process: bool = True, python: bool = True) -> Callable[[], bytes]:
    """Return a function that gives the ``process_*`` and ``python_*`` families of this process."""
    registry = CollectorRegistry()
    if process:
        ProcessCollector(registry=registry)
    if python:
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
    return lambda: generate_latest(registry)


def _percentileSamples(
    histograms: Iterable[HistogramSample], percents: tuple[int, ...]
) -> Iterator[Sample]:
    """Return one gauge for each histogram and each of ``percents``."""
    for type_, labels, key, histogram in histograms:
        values = histogram.percentiles(percents)
        for percent, value in zip(percents, values, strict=True):
            yield type_, (*labels, ("percentile", f"P{percent}")), key, "gauge", value


def labelText(labels: Labels) -> str:
    """Return labels in braces, sorted by name and escaped; empty without labels."""
    if not labels:
        return ""
    pairs = ",".join(
        f'{_NO_NAME.sub("_", name)}="{value.translate(_ESCAPES)}"' for name, value in sorted(labels)
    )
    return f"{{{pairs}}}"


def render(
    samples: Iterable[Sample],
    histograms: Iterable[HistogramSample] = (),
    percents: tuple[int, ...] = (),
) -> str:
    """Return samples as text, one family after the other, each with one ``# TYPE`` line.

    :param histograms: where the percentiles come from.
    :param percents: percentiles to publish as ``<key>{…,percentile="P<n>"}``.
    """
    families: dict[tuple[str, str], list[str]] = {}
    names: dict[tuple[str, str], str] = {}
    byName: dict[str, list[str]] = {}
    labelTexts: dict[Labels, str] = {}

    def add(type_: str, labels: Labels, key: str, kind: str, value: float) -> None:
        family = (type_, key)
        lines = families.get(family)
        if lines is None:
            name = names[family] = _NO_NAME.sub("_", f"{type_}_{key}")
            lines = families[family] = byName.setdefault(name, [f"# TYPE {name} {kind}\n"])
        text = labelTexts.get(labels)
        if text is None:
            text = labelTexts[labels] = labelText(labels)
        lines.append(f"{names[family]}{text} {float(value)!r}\n")

    for sample in samples:
        add(*sample)
    if percents:
        for sample in _percentileSamples(histograms, percents):
            add(*sample)
    return "".join(line for lines in byName.values() for line in lines)


class Exposition:
    """Everything one endpoint publishes.

    :param samples: the store's values, for example `mosntx.stats.store.StatsStore.samples`.
    :param histograms: the store's histograms.
    """

    def __init__(
        self,
        samples: Callable[[], Iterable[Sample]],
        histograms: Callable[[], Iterable[HistogramSample]],
        options: PrometheusOptions | None = None,
    ) -> None:
        self._samples = samples
        self._histograms = histograms
        self._options = options or PrometheusOptions()
        self._process = processFamilies(
            process=self._options.collectProcess, python=self._options.collectPython
        )

    def render(self) -> bytes:
        """Return the whole body, as of now; its type is `CONTENT_TYPE`."""
        own = render(self._samples(), self._histograms(), self._options.percentiles)
        return self._process() + own.encode("utf-8", "backslashreplace")
