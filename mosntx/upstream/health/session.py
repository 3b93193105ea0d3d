"""The checks of one host of one cluster: when to ask, and what the answers come to.

::

    start --initialDelay--> check --answer, failure or timeout--> interval + jitter --> check ...

Consecutive results count: a success forgets the failures before it and the other way round, so
results that flap never reach a threshold above 1 (MOSN pkg/upstream/healthcheck/healthchecker.go).
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from mosntx.contracts.upstream import IHost
from mosntx.net.connector import ConnectFailed
from mosntx.net.timers import Timer, TimerWheel
from mosntx.upstream.health.probe import IProbe, ProbeError
from mosntx.upstream.health.stats import HealthCheckStats
from mosntx.upstream.hosts import FAILED_ACTIVE_CHECK, AddressTable

log = Logger()

#: What a check found.
SUCCESS = 0
ACTIVE_FAILURE = 1  # the host answered, and badly
NETWORK_FAILURE = 2  # it did not answer


@frozen
class Schedule:
    """When hosts are asked, and how often they must agree; times in seconds.

    :ivar jitter: less than this is added to each interval, at random.
    """

    initialDelay: float = 1.0
    interval: float = 15.0
    jitter: float = 0.005
    timeout: float = 1.0
    healthyThreshold: int = 1
    unhealthyThreshold: int = 1


class Session:
    """Asks one host as long as it is in its cluster.

    The host counts as healthy until the flag of its address says otherwise; other clusters may
    check the same address and share the flag.

    :ivar host: the host as its cluster has it now.
    """

    __slots__ = (
        "_addresses",
        "_failures",
        "_probe",
        "_probing",
        "_random",
        "_report",
        "_schedule",
        "_stats",
        "_stopped",
        "_successes",
        "_timer",
        "_wheel",
        "host",
    )

    def __init__(
        self,
        host: IHost,
        probe: IProbe,
        schedule: Schedule,
        addresses: AddressTable,
        wheel: TimerWheel,
        random: Random,
        stats: HealthCheckStats,
        report: Callable[[Session, int, bool], object],
    ) -> None:
        """:param report: called after each check: ``(session, result, health has changed)``."""
        self.host = host
        self._probe = probe
        self._schedule = schedule
        self._addresses = addresses
        self._wheel = wheel
        self._random = random
        self._stats = stats
        self._report = report
        self._successes = 0
        self._failures = 0
        self._stopped = False
        self._timer: Timer | None = None
        self._probing: Deferred[Any] | None = None

    def start(self) -> None:
        """Ask for the first time after the initial delay."""
        self._timer = self._wheel.schedule(self._schedule.initialDelay, self._check)

    def stop(self) -> None:
        """Ask no more. Nothing is reported afterwards."""
        if self._stopped:
            return
        self._stopped = True
        self._cancelTimer()
        probing, self._probing = self._probing, None
        if probing is not None:
            probing.cancel()
        self._probe.close()

    def _check(self) -> None:
        self._stats.attempt += 1
        self._timer = self._wheel.schedule(self._schedule.timeout, self._timedOut)
        probing = self._probing = maybeDeferred(self._probe.check, self.host)
        probing.addBoth(self._answered, probing)

    def _answered(self, result: Any, probing: Deferred[Any]) -> None:
        if self._probing is not probing:  # too late, or stopped
            return
        self._probing = None
        self._cancelTimer()
        if isinstance(result, Failure):
            if not result.check(ProbeError, ConnectFailed):
                log.failure("health check of {host} failed", result, host=self.host.address)
            self._ended(NETWORK_FAILURE)
        else:
            self._ended(SUCCESS if result else ACTIVE_FAILURE)

    def _timedOut(self) -> None:
        self._timer = None
        probing, self._probing = self._probing, None
        if probing is not None:
            probing.cancel()
        self._ended(NETWORK_FAILURE)

    def _ended(self, result: int) -> None:
        """Count a result, tell about it, and wait for the next check."""
        self._count(result)
        changed = self._succeeded() if result == SUCCESS else self._failed()
        try:
            self._report(self, result, changed)
        except Exception:
            log.failure("report of a health check of {host}", host=self.host.address)
        if not self._stopped:  # whoever was told may have removed the host
            schedule = self._schedule
            pause = schedule.interval + self._random.random() * schedule.jitter
            self._timer = self._wheel.schedule(pause, self._check)

    def _count(self, result: int) -> None:
        stats = self._stats
        if result == SUCCESS:
            stats.success += 1
            return
        stats.failure += 1
        if result == NETWORK_FAILURE:
            stats.network_failure += 1
        else:
            stats.active_failure += 1

    def _succeeded(self) -> bool:
        self._failures = 0
        address = self.host.address
        if not self._addresses.flags(address) & FAILED_ACTIVE_CHECK:
            return False
        self._successes += 1
        if self._successes < self._schedule.healthyThreshold:
            return False
        self._successes = 0
        self._addresses.clearFlag(address, FAILED_ACTIVE_CHECK)
        return True

    def _failed(self) -> bool:
        self._successes = 0
        address = self.host.address
        if self._addresses.flags(address) & FAILED_ACTIVE_CHECK:
            return False
        self._failures += 1
        if self._failures < self._schedule.unhealthyThreshold:
            return False
        self._failures = 0
        self._addresses.setFlag(address, FAILED_ACTIVE_CHECK)
        return True

    def _cancelTimer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
