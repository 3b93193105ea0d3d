"""What an idle keep-alive connection costs in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from bench.candidate import Candidate
from bench.drivers.idle import IdleConnections
from bench.procfs import Memory
from bench.results import Goal, Metric, Sample
from bench.scenarios.base import Scenario, Stage

#: Connections made and closed before the first look, so that caches and pools exist already.
WARM_UP_CONNECTIONS = 128
#: Memory counts as settled when two looks this many seconds apart differ by less than `SETTLED`.
LOOK_EVERY = 0.25
SETTLED = 64 * 1024
MOST_LOOKS = 20

PER_CONNECTION = Metric("rss_bytes_per_connection", "RSS KiB/conn", 1 / 1024, 2, ratio=True)
PSS_PER_CONNECTION = Metric("pss_bytes_per_connection", "PSS KiB/conn", 1 / 1024, 2)
CONNECTIONS = Metric("connections", "connections")
BEFORE = Metric("rss_bytes_before", "RSS MiB before", 2**-20, 1)
AFTER = Metric("rss_bytes_after", "RSS MiB after", 2**-20, 1)


class Idle(Scenario):
    """10 000 connections; each makes one request and stays."""

    name = "idle"
    summary = "memory per idle HTTP/1.1 connection that has made one request"
    metrics = (PER_CONNECTION, PSS_PER_CONNECTION, CONNECTIONS, BEFORE, AFTER)
    goals: ClassVar[tuple[Goal, ...]] = (Goal(PER_CONNECTION.key, atMost=16 * 1024),)
    # A process that has served a crowd before reuses that memory and seems to need none.
    fresh = True
    defaultIdle = 10_000

    def crowd(self, port: int, stage: Stage) -> IdleConnections:
        """Return the clients; none is connected yet."""
        return IdleConnections(port, stage.body)

    def measure(self, candidate: Candidate, stage: Stage, turn: int) -> Sample:
        """See `Scenario.measure`."""
        with self.crowd(candidate.port, stage) as few:
            few.open(WARM_UP_CONNECTIONS)
        before = settledMemory(candidate.memory, stage.pause)
        with self.crowd(candidate.port, stage) as crowd:
            crowd.open(self.idle)
            after = settledMemory(candidate.memory, stage.pause)
            crowd.countBroken()
            count = crowd.count
        return Sample(turn, idleValues(before, after, count), crowd.errors)


def settledMemory(look: Callable[[], Memory], pause: Callable[[float], object]) -> Memory:
    """Return the memory as soon as it stops changing, at the latest after `MOST_LOOKS`.

    :param look: returns the memory now.
    :param pause: waits for some seconds.
    """
    last = look()
    for _ in range(MOST_LOOKS):
        pause(LOOK_EVERY)
        now = look()
        if abs(now.rss - last.rss) < SETTLED:
            return now
        last = now
    return last


def idleValues(before: Memory, after: Memory, count: int) -> dict[str, float]:
    """Return the figures of `Idle.metrics`; those per connection only if there are connections."""
    values = {
        CONNECTIONS.key: float(count),
        BEFORE.key: float(before.rss),
        AFTER.key: float(after.rss),
    }
    if count:
        values[PER_CONNECTION.key] = (after.rss - before.rss) / count
        values[PSS_PER_CONNECTION.key] = (after.pss - before.pss) / count
    return values


SCENARIO = Idle
