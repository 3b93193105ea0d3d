"""What stands behind a heartbeat: the health of clusters, or one question to the application.

Used by the stream filter ``healthcheck`` (wire/heartbeat.md, legs i and iii).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from mosntx.contracts.upstream import ICluster, IClusters, IHost
from mosntx.net.timers import Timer, TimerWheel

log = Logger()

#: Seconds for the application's answer. A heartbeat has no timeout of its own; clients give up
#: after one (SOFABolt) to three.
PROBE_TIMEOUT: Final = 3.0
#: Seconds that others wait for a probe under way before they get the result before.
SHARE_TIMEOUT: Final = 1.0


def healthyEnough(clusters: IClusters, percentages: Mapping[str, float]) -> bool:
    """Say whether each cluster named has its percentage of healthy hosts.

    A cluster that does not exist fails; one without hosts fails unless 0 is asked (Envoy's
    health_check filter).
    """
    for name, least in percentages.items():
        cluster = clusters.get(name)
        if cluster is None:
            return False
        hosts = cluster.hosts
        healthy = sum(1 for host in hosts if host.healthy)
        if 100 * healthy < least * len(hosts) or (not hosts and least > 0):
            return False
    return True


def routedClusters(config: Any) -> frozenset[str]:
    """Return the clusters that the routes of a router name.

    :param config: `mosntx.config.schema.RouterConfig`, or ``None``.
    """
    names = set()
    for host in config.virtual_hosts if config is not None else ():
        for route in host.routers:
            action = route.route
            if action is not None:
                weighted = [each.name for each in action.weighted_clusters]
                names.update(weighted or [action.cluster_name])
    return frozenset(names - {""})


#: Takes a result; ``None`` says that the probe was given up and the one who is told has to go on.
Answer = Callable[[bool | None], object]


class Waiter:
    """Somebody who waits for a `SharedResult`."""

    __slots__ = ("answer", "timer")

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.timer: Timer | None = None


class SharedResult:
    """What the last probe found, for all who ask meanwhile.

    :ivar healthy: the result that counts; ``False`` before there was any.
    :ivar probing: a probe is under way.
    """

    __slots__ = ("_life", "_until", "_waiters", "_wheel", "healthy", "probing")

    def __init__(self, wheel: TimerWheel, life: float) -> None:
        """:param life: seconds that a result is good for; 0.0 = for those who wait for it only."""
        self._wheel = wheel
        self._life = life
        self._until = float("-inf")
        self._waiters: dict[Waiter, None] = {}
        self.healthy = False
        self.probing = False

    @property
    def fresh(self) -> bool:
        """Whether `healthy` may be given out."""
        return self._wheel.seconds() < self._until

    def wait(self, answer: Answer) -> Waiter:
        """Call ``answer`` with the result of the probe under way.

        With the one before when it takes more than `SHARE_TIMEOUT`.
        """
        waiter = Waiter(answer)
        waiter.timer = self._wheel.schedule(SHARE_TIMEOUT, lambda: self._late(waiter))
        self._waiters[waiter] = None
        return waiter

    def leave(self, waiter: Waiter) -> None:
        """Do not call any more."""
        if waiter.timer is not None:
            waiter.timer.cancel()
        self._waiters.pop(waiter, None)

    def settle(self, healthy: bool) -> None:
        """The probe has ended: keep the result and tell those who wait."""
        self.probing = False
        self.healthy = healthy
        self._until = self._wheel.seconds() + self._life
        waiters, self._waiters = self._waiters, {}
        for waiter in waiters:
            self._tell(waiter, healthy)

    def abandon(self) -> None:
        """The probe will not end: let the one who waits longest make another."""
        self.probing = False
        for waiter in self._waiters:
            del self._waiters[waiter]
            self._tell(waiter, None)
            return

    def _late(self, waiter: Waiter) -> None:
        self._waiters.pop(waiter, None)
        self._tell(waiter, self.healthy)

    def _tell(self, waiter: Waiter, healthy: bool | None) -> None:
        if waiter.timer is not None:
            waiter.timer.cancel()
        try:
            waiter.answer(healthy)
        except Exception:
            log.failure("answering a health check")


class Question:
    """One heartbeat to one host, on a connection of its pool."""

    __slots__ = ("_checkout", "_done", "_number", "_streams")

    def __init__(self, host: IHost, protocol: str, done: Callable[[bool], object]) -> None:
        """:param done: called once with whether the answer was good; never after `cancel`."""
        self._done: Callable[[bool], object] | None = done
        self._streams: Any = None
        self._number = 0
        self._checkout: Deferred[Any] | None = None
        pool = host.pool(protocol)
        streams = pool.tryCheckout()
        if streams is not None:
            self._ask(streams)
            return
        checkout = self._checkout = pool.checkout()
        checkout.addCallbacks(self._ask, self._refused)

    def cancel(self) -> None:
        """Want no answer any more."""
        self._done = None
        checkout, self._checkout = self._checkout, None
        if checkout is not None:
            checkout.cancel()
        streams, self._streams = self._streams, None
        if streams is not None:
            streams.forgetHeartbeat(self._number)

    def _ask(self, streams: Any) -> None:
        self._checkout = None
        self._streams = streams
        self._number = streams.heartbeat(self._answered)

    def _answered(self, status: int | None) -> None:
        self._end(status == 0)

    def _refused(self, failure: Failure) -> None:
        self._checkout = None
        if not failure.check(CancelledError):
            log.info("heartbeat not sent: {why}", why=failure.value)
        self._end(False)

    def _end(self, good: bool) -> None:
        self._streams = None
        done, self._done = self._done, None
        if done is not None:
            done(good)


class HostsProbe:
    """Asks a host of each of some clusters; all must be well.

    :ivar done: called once with the result.
    """

    __slots__ = ("_done", "_open", "_questions", "_timer")

    def __init__(
        self,
        clusters: Iterable[ICluster | None],
        protocol: str,
        wheel: TimerWheel,
        done: Callable[[bool], object],
    ) -> None:
        """:param clusters: ``None`` stands for one that does not exist."""
        hosts = [None if one is None else one.loadBalancer.chooseHost(None) for one in clusters]
        self._done: Callable[[bool], object] | None = done
        self._questions: list[Question] = []
        self._open = len(hosts)
        self._timer: Timer | None = None
        if not hosts or None in hosts:
            self._end(False)
            return
        self._timer = wheel.schedule(PROBE_TIMEOUT, lambda: self._end(False))
        for host in hosts:
            if host is not None and not self._over:
                self._questions.append(Question(host, protocol, self._answered))
        if self._over:  # one has failed at once
            self._cancel()

    @property
    def _over(self) -> bool:
        return self._done is None

    def _answered(self, good: bool) -> None:
        self._open -= 1
        if not good or not self._open:
            self._end(good)

    def _end(self, good: bool) -> None:
        done, self._done = self._done, None
        if self._timer is not None:
            self._timer.cancel()
        self._cancel()
        if done is not None:
            done(good)

    def _cancel(self) -> None:
        for question in self._questions:
            question.cancel()
        self._questions.clear()
