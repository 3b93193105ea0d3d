"""The host that answers best: fast, rarely with errors, and with little to do.

Source: spec/upstream.md 4 (MOSN pkg/upstream/cluster/loadbalancer.go, pkg/metrics/ewma). Unlike
MOSN's, durations are means: see `mosntx.stats.latency`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zope.interface import implementer

from mosntx.contracts.upstream import (
    IBalancerSettings,
    IHost,
    ILoadBalancer,
    ILoadBalancerContext,
    ILoadBalancerFactory,
)
from mosntx.stats.latency import Latency
from mosntx.upstream.balancers.leastactive import choiceCount
from mosntx.upstream.balancers.roundrobin import RoundRobin
from mosntx.upstream.balancers.slowstart import needsSchedule, rising
from mosntx.upstream.balancers.weighted import Weighted

#: Seconds of an answer while nobody knows anything (MOSN).
UNKNOWN_DURATION = 10.0
#: Errors make a host at most ten times worse (MOSN).
MIN_SUCCESS = 0.1


class Score:
    """Says how good hosts are; small is good.

    Until there is an answer of a host, it is taken to be like the cluster's mean. Each answer
    counts as much as that guess; when they are too old to count, the guess is what is left, so that
    a host that was slow gets another chance.
    """

    __slots__ = ("_activeBias", "_clientBias", "_seconds", "_serverBias", "_unknown", "_whole")

    def __init__(self, settings: IBalancerSettings) -> None:
        config, lb = settings.config, settings.lbConfig
        self._seconds: Callable[[], float] = settings.seconds
        self._unknown = config.connect_timeout + (config.idle_timeout or 0.0) or UNKNOWN_DURATION
        self._activeBias = lb.active_request_bias
        self._clientBias = lb.client_error_bias
        self._serverBias = lb.server_error_bias
        if settings.stats.latency is None:
            settings.stats.latency = Latency()
        self._whole: Latency = settings.stats.latency

    def watch(self, hosts: Sequence[IHost]) -> None:
        """Let the answers of these hosts be recorded."""
        for host in hosts:
            if host.stats.latency is None:
                host.stats.latency = Latency(self._whole)

    def usual(self) -> float:
        """Return the score of a host of which nothing is known and that has nothing to do."""
        return self._whole.mean() or self._unknown

    def __call__(self, host: IHost) -> float:
        """Return the score of a host as of now."""
        stats = host.stats
        latency = stats.latency
        latency.decay(self._seconds())
        evidence = latency.total + 1.0
        duration = (latency.duration + self.usual()) / evidence
        success = (1.0 - latency.clientErrors / evidence) ** self._clientBias * (
            1.0 - latency.serverErrors / evidence
        ) ** self._serverBias
        active = (stats.request_active + 1) ** self._activeBias
        return float(duration * active / max(success, MIN_SUCCESS))


@implementer(ILoadBalancer)
class PeakEwma:
    """See `ILoadBalancer`. For hosts of one weight.

    Few hosts are all compared, of many some at random. When these are all unhealthy, a round robin
    decides.
    """

    __slots__ = ("_choices", "_count", "_hosts", "_instead", "_next", "_score")

    def __init__(
        self, hosts: Sequence[IHost], settings: IBalancerSettings, score: Callable[[IHost], float]
    ) -> None:
        self._hosts = tuple(hosts)
        self._count = len(self._hosts)
        self._choices = min(choiceCount(settings), self._count)
        self._next = settings.random.random
        self._score = score
        self._instead = RoundRobin(hosts, settings.random)

    def chooseHost(self, context: ILoadBalancerContext | None) -> IHost | None:
        """See `ILoadBalancer.chooseHost`."""
        hosts, count, choices, draw = self._hosts, self._count, self._choices, self._next
        if not count:
            return None
        best, least = None, 0.0
        every = choices == count
        index = int(draw() * count)
        for _ in range(choices):
            host = hosts[index]
            if host.healthy:
                score = self._score(host)
                if best is None or score < least:
                    best, least = host, score
            index = (index + 1) % count if every else int(draw() * count)
        return self._instead.chooseHost(context) if best is None else best


@implementer(ILoadBalancerFactory)
class PeakEwmaFactory:
    """See `ILoadBalancerFactory`."""

    name = "LB_PEAK_EWMA"

    def build(self, hosts: Sequence[IHost], settings: IBalancerSettings) -> ILoadBalancer:
        """See `ILoadBalancerFactory.build`."""
        score = Score(settings)
        score.watch(hosts)
        if not needsSchedule(hosts, settings):
            return PeakEwma(hosts, settings, score)

        def weigh(host: IHost) -> float:
            # Relative to the mean: a deadline from the time when answers took long, or when nobody
            # knew, would keep a host from being picked for thousands of requests.
            return float(host.weight * score.usual() / score(host))

        instead = PeakEwma(hosts, settings, score)
        return Weighted(hosts, settings.random, rising(settings, weigh), instead)
