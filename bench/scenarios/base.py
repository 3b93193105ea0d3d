"""What a scenario is: the load put on every candidate, and the figures taken from it."""

from __future__ import annotations

import abc
import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, Self

import attrs

from bench import procfs
from bench.candidate import Candidate
from bench.drivers.base import Load
from bench.peers.base import Peer
from bench.place import HTTP1
from bench.process import Nursery
from bench.results import CORE_SHARE, OTHERS_SHARE, Goal, Metric, Sample

#: Seconds a load generator may take longer than it was told.
PATIENCE = 30.0


@attrs.frozen
class Settings:
    """How much load; None stands for the scenario's own default.

    :param connections: clients' connections under load.
    :param streams: requests in flight on each, where the protocol can.
    :param duration: whole seconds of one measurement.
    :param warmup: whole seconds of load before each measurement, 0 for none.
    :param idle: connections without traffic, where the scenario has some.
    """

    connections: int | None = None
    streams: int | None = None
    duration: int = 3
    warmup: int = 1
    idle: int | None = None


@attrs.frozen
class Stage:
    """What a scenario may use while it measures.

    :param loadCore: the core of the load generator.
    :param proxyCore: the core of the candidate.
    :param body: what every answer has to be.
    :param pause: waits for some seconds.
    """

    nursery: Nursery
    folder: Path
    loadCore: int | None
    proxyCore: int | None
    body: bytes
    pause: Callable[[float], object]


class Scenario(abc.ABC):
    """A kind of load.

    :param settings: how much of it.
    """

    #: The name in options, tables and JSON, and a line that describes it.
    name: ClassVar[str]
    summary: ClassVar[str]
    #: The protocol of each leg, the clients' first; a candidate has one process between any two.
    legs: ClassVar[tuple[str, ...]] = (HTTP1, HTTP1)
    #: The columns, the most important one first.
    metrics: ClassVar[tuple[Metric, ...]]
    goals: ClassVar[tuple[Goal, ...]] = ()
    #: Whether each round needs a newly started candidate.
    fresh: ClassVar[bool] = False
    defaultConnections: ClassVar[int] = 64
    defaultStreams: ClassVar[int] = 1
    defaultIdle: ClassVar[int] = 0

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.connections = settings.connections or self.defaultConnections
        self.streams = settings.streams or self.defaultStreams
        #: Connections without traffic; 0 in scenarios that have none, whatever is wished.
        self.idle = (settings.idle or self.defaultIdle) if self.defaultIdle else 0

    def missing(self) -> str | None:
        """Return which tool it needs is not there and how to install it; None when all are."""
        return None

    def legsFor(self, peer: Peer) -> tuple[str, ...]:
        """Return the legs a peer is measured with; a scenario may make it easier for some."""
        return self.legs

    def noteFor(self, peer: Peer) -> str:
        """Return what has to be said beside a peer's figures, usually nothing."""
        return ""

    @abc.abstractmethod
    def measure(self, candidate: Candidate, stage: Stage, turn: int) -> Sample:
        """Warm up, put the load on a candidate that runs, and take the figures.

        :param turn: the round, counted from 1.
        :raises ProcessError: when the load generator fails.
        :raises ReportError: when its report cannot be read.
        """


REQUESTS = Metric("requests_per_s", "requests/s", ratio=True)
P50 = Metric("p50_s", "p50 ms", scale=1e3, digits=2)
P99 = Metric("p99_s", "p99 ms", scale=1e3, digits=2, ratio=True)
CPU = Metric("cpu_s_per_request", "CPU µs/request", scale=1e6, digits=1, ratio=True)
BUSY = Metric(CORE_SHARE, "core %", scale=100)
OTHERS = Metric(OTHERS_SHARE, "others %", scale=100)
RSS = Metric("rss_bytes", "RSS MiB", scale=2**-20, digits=1)


@attrs.frozen
class Clocks:
    """CPU time in seconds: of the candidate, and of all programs on its core (None: no core)."""

    candidate: float
    core: float | None

    @classmethod
    def read(cls, candidate: Candidate, core: int | None) -> Self:
        """Look at both now."""
        return cls(candidate.cpuSeconds(), None if core is None else procfs.coreSeconds(core))

    def __sub__(self, earlier: Self) -> Clocks:
        """Return what was used since `earlier`."""
        core = None
        if self.core is not None and earlier.core is not None:
            core = self.core - earlier.core
        return Clocks(self.candidate - earlier.candidate, core)


class LoadScenario(Scenario):
    """A load generator sends as many requests as the candidate answers."""

    metrics: ClassVar[tuple[Metric, ...]] = (REQUESTS, P50, P99, CPU, BUSY, OTHERS, RSS)

    @abc.abstractmethod
    def drive(self, port: int, stage: Stage, duration: int) -> Load:
        """Run the load generator for `duration` seconds.

        :raises ProcessError: when it fails.
        :raises ReportError: when its report cannot be read.
        """

    def measure(self, candidate: Candidate, stage: Stage, turn: int) -> Sample:
        """See `Scenario.measure`."""
        if self.settings.warmup:
            self.drive(candidate.port, stage, self.settings.warmup)
        before = Clocks.read(candidate, stage.proxyCore)
        load = self.drive(candidate.port, stage, self.settings.duration)
        used = Clocks.read(candidate, stage.proxyCore) - before
        # wrk does not call it an error when no connection ever gets an answer.
        errors = load.errors if load.requests else {**load.errors, "no answer at all": 1}
        return Sample(turn, loadValues(load, used, candidate.memory().rss), errors)


def loadValues(load: Load, used: Clocks, rss: int) -> dict[str, float]:
    """Return the figures of `LoadScenario.metrics`.

    :param used: CPU time used meanwhile.
    :param rss: octets of memory the candidate has afterwards.
    """
    values = {REQUESTS.key: load.rate, P50.key: load.p50, P99.key: load.p99, RSS.key: float(rss)}
    if load.requests:
        elapsed = load.requests / load.rate
        values[CPU.key] = used.candidate / load.requests
        values[BUSY.key] = used.candidate / elapsed
        if used.core is not None:
            values[OTHERS.key] = max(0.0, used.core - used.candidate) / elapsed
    return values


def loadScenario(table: Mapping[str, str], name: str, settings: Settings) -> Scenario:
    """Make the scenario called `name`.

    :param table: name to the module that has it as ``SCENARIO``.
    :raises KeyError: when the table does not have it.
    """
    made = importlib.import_module(table[name]).SCENARIO(settings)
    assert isinstance(made, Scenario)
    return made
