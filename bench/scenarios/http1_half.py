"""HTTP/1.1 at half load: latency at a constant rate, half of what a proxy can carry.

Each round asks a candidate for its maximum first, because machines are not always as fast, and then
sends half of it at a constant rate. That is what "half load" means here: each candidate on half of
its own maximum, the share of a core that one plans with. A second measurement sends everybody the
rate that is half of mosntx's maximum; a faster proxy has less than half a load then.

A third one sends the first rate to the upstream itself: what the load generator, the upstream and
the kernel take and swing without any proxy.
"""

from __future__ import annotations

from typing import ClassVar

from bench.candidate import Candidate
from bench.drivers import rate
from bench.drivers.rate import RateReport
from bench.results import OTHERS_SHARE, Goal, Metric, Sample
from bench.scenarios.base import P50, P99, PATIENCE, Clocks, Settings, Stage
from bench.scenarios.http1 import Http1

#: Whose maximum gives the rate that all get.
REFERENCE = "mosntx"
#: Of its maximum.
LOAD = 0.5
#: A run with less than this share of the rate asked for was no run at that rate.
KEPT = 0.98

_MS = 1e3

RATE = Metric("rate_per_s", "requests/s")
P999 = Metric("p999_s", "p99.9 ms", _MS, 2, ratio=True)
MOST = Metric("max_s", "max ms", _MS, 2)
BUSY = Metric("half_core_share", "core %", 100)
OTHERS = Metric(OTHERS_SHARE, "others %", 100)
SAME_P50 = Metric("same_p50_s", "same rate p50", _MS, 2)
SAME_P99 = Metric("same_p99_s", "same rate p99 ms", _MS, 2, ratio=True)
SAME_P999 = Metric("same_p999_s", "p99.9", _MS, 2)
DIRECT_P50 = Metric("direct_p50_s", "no proxy p50", _MS, 2)
DIRECT_P99 = Metric("direct_p99_s", "p99", _MS, 2)
DIRECT_P999 = Metric("direct_p999_s", "p99.9", _MS, 2)
LATE = Metric("lateness_p99_s", "late p99", _MS, 2)


class Http1Half(Http1):
    """64 connections; wrk for the maximum, a load generator of ours for the rest."""

    name = "http1-half"
    summary = "HTTP/1.1 at half load: a constant rate, half of each candidate's maximum"
    metrics = (
        P99,
        RATE,
        P50,
        P999,
        MOST,
        BUSY,
        OTHERS,
        SAME_P50,
        SAME_P99,
        SAME_P999,
        DIRECT_P50,
        DIRECT_P99,
        DIRECT_P999,
        LATE,
    )
    goals: ClassVar[tuple[Goal, ...]] = (Goal(P99.key, "nginx", atMost=2.0),)

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        #: Round to the rate that all get.
        self._common: dict[int, float] = {}

    def measure(self, candidate: Candidate, stage: Stage, turn: int) -> Sample:
        """See `Scenario.measure`."""
        maximum = self.drive(candidate.port, stage, max(1, self.settings.warmup))
        if maximum.errors or not maximum.requests:
            return Sample(turn, {}, {**maximum.errors, "no maximum": 1})
        half = maximum.rate * LOAD
        before = Clocks.read(candidate, stage.proxyCore)
        own = self.send(candidate.port, stage, half)
        used = Clocks.read(candidate, stage.proxyCore) - before
        same = None
        if candidate.name == REFERENCE:
            self._common[turn] = half
            same = own
        elif turn in self._common:
            same = self.send(candidate.port, stage, self._common[turn])
        direct = self.send(candidate.upstreamPort, stage, half)
        values = halfValues(half, own, same, direct, used, self.settings.duration)
        return Sample(turn, values, halfErrors(half, own, same, direct))

    def send(self, port: int, stage: Stage, wanted: float) -> RateReport:
        """Send requests at a constant rate.

        :param wanted: per second.
        :raises ProcessError: when the load generator fails.
        :raises ReportError: when its report cannot be read.
        """
        body = stage.folder / "rate.body"
        body.write_bytes(stage.body)
        seconds = self.settings.duration
        command = rate.command(port, self.connections, wanted, seconds, body)
        limit = seconds + PATIENCE
        return rate.parse(
            stage.nursery.run(rate.PROGRAM, command, stage.folder, stage.loadCore, limit)
        )


def halfValues(
    wanted: float,
    own: RateReport,
    same: RateReport | None,
    direct: RateReport,
    used: Clocks,
    duration: int,
) -> dict[str, float]:
    """Return the figures of `Http1Half.metrics`.

    :param wanted: the rate of `own` and `direct`.
    :param used: CPU time used in the course of `own`, which took `duration` seconds.
    """
    values = {
        RATE.key: wanted,
        P50.key: own.p50,
        P99.key: own.p99,
        P999.key: own.p999,
        MOST.key: own.most,
        DIRECT_P50.key: direct.p50,
        DIRECT_P99.key: direct.p99,
        DIRECT_P999.key: direct.p999,
        LATE.key: own.lateness,
        BUSY.key: used.candidate / duration,
    }
    if used.core is not None:
        values[OTHERS.key] = max(0.0, used.core - used.candidate) / duration
    if same is not None:
        values[SAME_P50.key] = same.p50
        values[SAME_P99.key] = same.p99
        values[SAME_P999.key] = same.p999
    return values


def halfErrors(
    wanted: float, own: RateReport, same: RateReport | None, direct: RateReport
) -> dict[str, int]:
    """Return what went wrong in any of the runs, kind to number."""
    errors: dict[str, int] = {}
    for name, run in (("", own), ("same rate: ", same), ("no proxy: ", direct)):
        if run is not None:
            errors.update({f"{name}{kind}": number for kind, number in run.errors.items()})
    if own.rate < wanted * KEPT:
        errors["rate not kept"] = 1
    return errors


SCENARIO = Http1Half
