"""Adaptive concurrency: how many requests a cluster can bear is measured, not configured.

A queue in front of an upstream makes every answer later and no answer more. Latency shows the queue
before anything fails, so the limit of requests at a time follows it, by the gradient method: after
each window the limit is multiplied by how fast answers are *without* a load (the base) over how
fast they are *now*, and gets a little room to grow::

    limit' = limit * min(1, base * TOLERANCE / now) + sqrt(limit)

Why the gradient and not Vegas: Vegas adds and subtracts a constant, so a limit of hundreds needs
minutes to follow an upstream that has lost half of its hosts. The gradient halves it in one window,
and its room to grow has the right size for small and large limits alike.

The base is what both methods live on, and it goes out of date:

- While less than half of the limit is in use, our load cannot be what makes answers slow. The base
  then follows the latency in both directions, and the limit stays as it is: nobody has tested it.
- Under load the base only falls. When answers have been slower than it for ``probe_interval``, the
  limit is a quarter for one window; what is measured then is the new base. Requests are lost to
  that only when there are too many anyway.
"""

from __future__ import annotations

from math import inf, isqrt
from typing import TYPE_CHECKING, Final

from mosntx.config.schema import AdaptiveConcurrency
from mosntx.stats.structs import ClusterStats

if TYPE_CHECKING:
    from mosntx.upstream.limits import Limits

#: The limit before anything was measured. Small enough for one busy host, and from there it takes a
#: second to a hundred.
FIRST_LIMIT: Final = 20

#: Answers that a window needs at least; it lasts longer when there are fewer. The mean of fewer
#: says more about chance than about load.
MIN_SAMPLES: Final = 20

#: Percent of the base that an answer may take before the limit falls: room for chance.
TOLERANCE: Final = 125

#: The limit falls at most to this part of itself in one window, so that one bad window is no end.
MOST_FALL: Final = 2

#: One answer counts as at most so many times the base. A few that time out must not pull the limit
#: of all hosts down; that is what outlier detection is for.
CLIP: Final = 4

#: Part of the difference by which the base follows one window (a moving average).
FOLLOW: Final = 8

#: Part of the limit that a probe leaves. The limit settles below twice of what the upstream serves
#: at a time, so a quarter has no queue.
PROBE_PART: Final = 4

_MICRO: Final = 1_000_000


class AdaptiveLimit:
    """Sets ``maxRequests`` of a cluster's limits. Latencies are integers of microseconds.

    :ivar limit: requests at a time, as of now.
    """

    __slots__ = (
        "_base",
        "_before",
        "_confirmed",
        "_count",
        "_end",
        "_limits",
        "_most",
        "_peak",
        "_since",
        "_stats",
        "_sum",
        "config",
        "limit",
    )

    def __init__(self, limits: Limits, config: AdaptiveConcurrency, stats: ClusterStats) -> None:
        self.config = config
        self._limits = limits
        self._stats = stats
        self._base = 0  # latency without a load; 0 = not known yet
        self._most = 0  # one answer counts as at most this; 0 = no bound
        self._before = 0  # limit before the probe that is under way; 0 = none is
        self._confirmed = -inf  # when answers were last as fast as the base
        self._since = -inf  # answers to requests that began earlier do not count
        self._end = -inf  # of the window
        self._count = self._sum = self._peak = 0
        self.limit = 0
        self.set(FIRST_LIMIT)

    def set(self, limit: int) -> None:
        """Take another limit, within the configured bounds, which are followed at once."""
        config = self.config
        self.limit = limit = max(min(limit, config.max_limit), config.min_limit)
        self._limits.hold(limit)
        self._stats.adaptive_limit = limit

    def sample(self, now: float, began: float) -> None:
        """An answer has come, or the time for it is over.

        :param began: when the host had the request; seconds like ``now``.
        """
        used = self._limits.requests
        if used > self._peak:
            self._peak = used
        if began < self._since:
            if self._since == inf and used <= self.limit:  # the probe has emptied the queue
                self._since = now
                self._begin(now)
            return
        micros = int((now - began) * _MICRO)
        most = self._most
        self._sum += most if most and micros > most else micros
        self._count += 1
        if now >= self._end and self._count >= MIN_SAMPLES:
            self._over(now, self._sum // self._count, self._peak)

    def _begin(self, now: float) -> None:
        self._end = now + self.config.window
        self._count = self._sum = self._peak = 0

    def _over(self, now: float, mean: int, peak: int) -> None:
        """A window has ended."""
        self._begin(now)
        limit, base = self.limit, self._base
        if self._before:
            base, limit, self._before = mean, self._before, 0
            self._since, self._confirmed = -inf, now
        elif 2 * peak < limit:
            base += (mean - base) // FOLLOW if base else mean
            self._confirmed = now
        else:
            if not base:
                base = mean
            elif mean < base:
                base -= (base - mean) // FOLLOW
            if mean * 100 <= base * TOLERANCE or self._confirmed == -inf:
                self._confirmed = now
            elif now - self._confirmed >= self.config.probe_interval:
                self._probe(limit)
                return
            limit = grown(limit, base, mean)
        self._base = max(base, 1)
        self._most = self._base * CLIP
        if limit != self.limit:
            self.set(limit)

    def _probe(self, limit: int) -> None:
        """Look how fast answers are without a queue, as soon as it is empty."""
        self._before = limit
        self._since = inf
        self._most = 0
        self.set(limit // PROBE_PART)


def grown(limit: int, base: int, mean: int) -> int:
    """Return the limit after a window with this mean latency; see the module."""
    allowed = base * TOLERANCE // 100
    if mean > allowed:
        limit = max(limit * allowed // mean, limit // MOST_FALL, 1)
    return limit + isqrt(limit)
