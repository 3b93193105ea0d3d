"""Outlier detection: hosts that answer badly are left out for a while (row H2).

Nobody is asked; what requests show is enough. Three things eject a host: failures one after the
other, a success rate far below that of the others, a share of failures that is too high. An ejected
host comes back by itself; each time it has to wait longer. The words and most defaults are Envoy's.
"""

from __future__ import annotations

from statistics import fmean, pstdev

from attrs import define, field, frozen
from twisted.logger import Logger
from zope.interface import implementer

from mosntx.config.schema import OutlierDetection
from mosntx.contracts.filters import IBackground
from mosntx.contracts.upstream import IHost, IOutlierDetector
from mosntx.net.timers import Timer, TimerWheel
from mosntx.upstream.cluster import Cluster
from mosntx.upstream.ejections import Ejections

log = Logger()


@define(eq=False)
class _Record:
    """What is known of one host.

    :ivar ejections: how often it was ejected of late, which makes the next ejection longer.
    :ivar back: when it is let in again; ``None`` while it is not ejected.
    """

    consecutive: int = 0
    successes: int = 0
    failures: int = 0
    ejections: int = 0
    back: Timer | None = None

    @property
    def requests(self) -> int:
        """Answers and failures of the present interval."""
        return self.successes + self.failures


@implementer(IOutlierDetector)
@frozen(eq=False)
class Detector:
    """See `IOutlierDetector`: the detection of one cluster."""

    _cluster: Cluster
    config: OutlierDetection
    _ejections: Ejections
    _wheel: TimerWheel
    _records: dict[str, _Record] = field(factory=dict)
    _sweep: list[Timer] = field(factory=list)

    def start(self) -> None:
        """Begin with the hosts that are there."""
        self.follow()
        self._next()

    def stop(self) -> None:
        """End, and let every host in again."""
        for timer in self._sweep:
            timer.cancel()
        self._sweep.clear()
        for address in list(self._records):
            self._forget(address)

    def follow(self) -> None:
        """The cluster may have other hosts."""
        present = {host.address for host in self._cluster.hosts}
        for address in [each for each in self._records if each not in present]:
            self._forget(address)
        for address in present:
            if address not in self._records:
                self._records[address] = _Record()

    def success(self, host: IHost) -> None:
        """See `IOutlierDetector.success`."""
        record = self._records.get(host.address)
        if record is not None:
            record.consecutive = 0
            record.successes += 1

    def failure(self, host: IHost, reason: int) -> None:
        """See `IOutlierDetector.failure`."""
        record = self._records.get(host.address)
        if record is None:
            return
        record.failures += 1
        record.consecutive += 1
        limit = self.config.consecutive_5xx
        if limit and record.consecutive >= limit and record.back is None:
            self._eject(host.address, record, f"{record.consecutive} failures one after the other")

    # the end of an interval

    def _next(self) -> None:
        self._sweep[:] = [self._wheel.schedule(self.config.interval, self._intervalOver)]

    def _intervalOver(self) -> None:
        self._bySuccessRate()
        self._byFailurePercentage()
        for record in self._records.values():
            record.successes = record.failures = 0
            if record.back is None and record.ejections:
                record.ejections -= 1
        self._next()

    def _measured(self, volume: int, hosts: int) -> dict[str, _Record]:
        """Hosts with enough requests to be judged; nobody if they are too few."""
        found = {
            address: record
            for address, record in self._records.items()
            if record.back is None and record.requests >= max(volume, 1)
        }
        return found if len(found) >= hosts else {}

    def _bySuccessRate(self) -> None:
        config = self.config
        if not config.success_rate_stdev_factor:
            return
        volume = config.success_rate_request_volume
        measured = self._measured(volume, config.success_rate_minimum_hosts)
        if not measured:
            return
        rates = {address: one.successes / one.requests for address, one in measured.items()}
        mean = fmean(rates.values())
        least = mean - pstdev(rates.values()) * config.success_rate_stdev_factor / 1000
        for address, rate in rates.items():
            if rate < least:
                why = f"{rate:.1%} of its answers are good, {mean:.1%} of all"
                self._eject(address, measured[address], why)

    def _byFailurePercentage(self) -> None:
        config = self.config
        if not config.failure_percentage_threshold:
            return
        volume = config.failure_percentage_request_volume
        for address, one in self._measured(volume, config.failure_percentage_minimum_hosts).items():
            share = 100 * one.failures / one.requests
            if share >= config.failure_percentage_threshold:
                self._eject(address, one, f"{share:.0f}% of its requests failed")

    # ejection

    def _eject(self, address: str, record: _Record, why: str) -> None:
        record.consecutive = 0
        stats = self._cluster.stats
        if not self._mayEject(address):
            stats.outlier_ejections_overflow += 1
            return
        config = self.config
        record.ejections += 1
        longest = max(config.max_ejection_time, config.base_ejection_time)
        seconds = min(config.base_ejection_time * record.ejections, longest)
        record.back = self._wheel.schedule(seconds, lambda: self._admit(address, record))
        stats.outlier_ejections_total += 1
        stats.outlier_ejections_active += 1
        self._ejections.eject(address)
        log.warn(
            "{cluster}: host {host} is ejected for {seconds:g} s: {why}",
            cluster=self._cluster.name,
            host=address,
            seconds=seconds,
            why=why,
        )

    def _mayEject(self, address: str) -> bool:
        """Say whether the others are enough.

        One host may always go if another one is healthy: of three hosts a tenth is none.
        """
        hosts = self._cluster.hosts
        if not any(host.healthy for host in hosts if host.address != address):
            return False
        ejected = sum(record.back is not None for record in self._records.values())
        most = len(hosts) * self.config.max_ejection_percent // 100
        return ejected < max(most, 1)

    def _admit(self, address: str, record: _Record) -> None:
        self._comeBack(address, record)
        log.info("{cluster}: host {host} is let in again", cluster=self._cluster.name, host=address)

    def _comeBack(self, address: str, record: _Record) -> None:
        record.back = None
        record.consecutive = 0
        self._cluster.stats.outlier_ejections_active -= 1
        self._ejections.admit(address)

    def _forget(self, address: str) -> None:
        record = self._records.pop(address)
        if record.back is not None:
            record.back.cancel()
            self._comeBack(address, record)


@implementer(IBackground)
class OutlierDetections:
    """The detectors of all clusters of one Sidecar; nothing is detected before `start`."""

    def __init__(self, ejections: Ejections, wheel: TimerWheel) -> None:
        self._ejections = ejections
        self._wheel = wheel
        self._clusters: dict[Cluster, None] = {}
        self._started = False

    def start(self) -> None:
        """Begin with the clusters that are there."""
        self._started = True
        for cluster in list(self._clusters):
            self.changed(cluster)

    def stop(self) -> None:
        """End all detection and let every host in again."""
        self._started = False
        for cluster in self._clusters:
            self._end(cluster)

    def changed(self, cluster: Cluster) -> None:
        """A cluster is new, has other hosts or settings, or has been drained."""
        if cluster.drained:
            self._clusters.pop(cluster, None)
            self._end(cluster)
            return
        self._clusters[cluster] = None
        if not self._started:
            return
        config = cluster.config.outlier_detection
        detector = cluster.outlier
        if isinstance(detector, Detector) and detector.config == config:
            detector.follow()
            return
        self._end(cluster)
        if config is not None:
            detector = cluster.outlier = Detector(cluster, config, self._ejections, self._wheel)
            detector.start()

    def _end(self, cluster: Cluster) -> None:
        detector, cluster.outlier = cluster.outlier, None
        if isinstance(detector, Detector):
            detector.stop()
