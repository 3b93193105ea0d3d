"""How a host answers: its times and failures, the older the less they count.

Source: spec/upstream.md 4 (MOSN pkg/metrics/ewma). MOSN adds up decaying durations, which grow
with the number of requests; here they are divided by it, so that they are durations.
"""

from __future__ import annotations

import math

#: What is left of one answer after a second: e^-5 after 30 s (MOSN's default).
KEPT_PER_SECOND = math.exp(-5 / 30)


class Latency:
    """Decaying sums over the answers of one host, or of all hosts of a cluster.

    All decay alike, so that one step brings them to the present.

    :ivar total: answers.
    :ivar duration: seconds that they took.
    :ivar clientErrors: of them, those with a status from 400 to 499.
    :ivar serverErrors: of them, those with a status of 500 or more, or no answer at all.
    """

    __slots__ = ("_at", "_whole", "clientErrors", "duration", "serverErrors", "total")

    def __init__(self, whole: Latency | None = None) -> None:
        """:param whole: the cluster's, which gets all answers as well."""
        self._whole = whole
        self._at = 0.0
        self.total = self.duration = self.clientErrors = self.serverErrors = 0.0

    def decay(self, now: float) -> None:
        """Bring the sums to the present.

        :param now: monotonic seconds.
        """
        age = now - self._at
        if age > 0.0:
            self._at = now
            kept = KEPT_PER_SECOND**age
            self.total *= kept
            self.duration *= kept
            self.clientErrors *= kept
            self.serverErrors *= kept

    def record(self, now: float, duration: float, status: int) -> None:
        """An answer has come, or will never come.

        :param now: monotonic seconds.
        :param duration: seconds that it took.
        :param status: of the answer; 500 or more without one.
        """
        self.decay(now)
        self.total += 1.0
        self.duration += duration
        if status >= 500:
            self.serverErrors += 1.0
        elif status >= 400:
            self.clientErrors += 1.0
        if self._whole is not None:
            self._whole.record(now, duration, status)

    def mean(self) -> float:
        """Seconds of an answer, 0.0 without any."""
        return self.duration / self.total if self.total else 0.0
