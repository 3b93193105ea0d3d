"""Token buckets: so many at once, so many a second."""

from __future__ import annotations

import attrs


@attrs.frozen
class Rate:
    """How often something may happen.

    :param burst: how many at once, after a quiet time.
    :param per_second: how many a second in the long run.
    """

    burst: int
    per_second: float


class Bucket:
    """Starts with `Rate.burst` tokens; fills with time up to as many, never beyond.

    :ivar name: the name of the limit that it counts for.
    :ivar rate: what it was made with.
    """

    __slots__ = ("_at", "_burst", "_perSecond", "_tokens", "name", "rate")

    def __init__(self, name: str, rate: Rate) -> None:
        self.name = name
        self.rate = rate
        self._burst = float(rate.burst)
        self._perSecond = rate.per_second
        self._tokens = self._burst
        self._at = 0.0  # whatever the clock says first: a full bucket does not fill

    def take(self, now: float) -> bool:
        """Take a token, and return whether there was one.

        :param now: seconds of a monotonic clock. One that goes back fills nothing until it has
            caught up.
        """
        tokens = self._tokens
        if now > self._at:
            if tokens < self._burst:
                tokens = min(self._burst, tokens + (now - self._at) * self._perSecond)
            self._at = now
        if tokens < 1.0:
            self._tokens = tokens
            return False
        self._tokens = tokens - 1.0
        return True

    def earn(self, tokens: int) -> None:
        """Add tokens that were earned otherwise than by waiting, also beyond the burst."""
        self._tokens += tokens
