"""Slow start: hosts that have just come, or come back, get less at first (spec/upstream.md 6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mosntx.config.schema import SlowStart
from mosntx.contracts.upstream import IBalancerSettings, IHost

#: The only mode there is.
DURATION = "duration"
#: A host counts as at least this old, in seconds (MOSN): the first steps would be too small.
MIN_AGE = 1.0
#: What stands in for values that make no sense (MOSN).
DEFAULT_AGGRESSION = 1.0
DEFAULT_MIN_WEIGHT = 0.1

#: The weight of a host as of now.
Weigh = Callable[[IHost], float]


class Rising:
    """Weighs hosts by something else, and new ones less."""

    __slots__ = ("_exponent", "_least", "_seconds", "_weigh", "_window")

    def __init__(self, config: SlowStart, seconds: Callable[[], float], weigh: Weigh) -> None:
        """:param weigh: the weight when a host is no longer new."""
        self._window = config.slow_start_duration or 0.0
        aggression = config.aggression if config.aggression > 0 else DEFAULT_AGGRESSION
        self._exponent = 1.0 / aggression
        least = config.min_weight_percent
        self._least = least if least > 0 else DEFAULT_MIN_WEIGHT
        self._seconds = seconds
        self._weigh = weigh

    def __call__(self, host: IHost) -> float:
        """Return the weight of a host as of now."""
        weight = self._weigh(host)
        age = self._seconds() - host.healthySince
        if age >= self._window:
            return weight
        factor = max(MIN_AGE, age) / self._window
        if factor >= 1.0:
            return weight
        return float(weight * max(factor**self._exponent, self._least))


def slowStart(settings: IBalancerSettings) -> SlowStart | None:
    """Return the settings of slow start, ``None`` when it is off."""
    config: SlowStart | None = settings.config.slow_start
    if config is None or config.mode != DURATION or not config.slow_start_duration:
        return None
    return config


def rising(settings: IBalancerSettings, weigh: Weigh) -> Weigh:
    """Return a function that weighs hosts, with slow start when it is configured."""
    config = slowStart(settings)
    return weigh if config is None else Rising(config, settings.seconds, weigh)


def needsSchedule(hosts: Sequence[IHost], settings: IBalancerSettings) -> bool:
    """Say whether hosts must be chosen by weight: these differ, or will when a host comes back."""
    if len(hosts) < 2:
        return False
    return slowStart(settings) is not None or len({host.weight for host in hosts}) > 1
