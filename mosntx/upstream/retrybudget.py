"""The retry budget of a cluster: repetitions may not become a second flood.

When all hosts of a cluster fail, every request would be repeated as often as its route allows, and
the load on hosts that are already in trouble would be a multiple of what clients send. The budget
holds it to a share of the requests of the last moments, whatever the routes say.
"""

from __future__ import annotations

from collections import deque

#: Repetitions per request, and per second however few the requests are (linkerd's default).
SHARE = 0.2
LEAST = 10.0

#: Seconds that are looked back on. Short, so that a sudden failure cannot spend what a long quiet
#: time has saved up.
WINDOW = 1.0

#: Parts of the window; what is older than the window goes out part by part.
PARTS = 8


class RetryBudget:
    """Counts repetitions against requests.

    Nothing is done for requests: whoever asks says how many there have been.

    :ivar share: repetitions per request.
    :ivar least: repetitions per second that are allowed however few the requests are.
    """

    __slots__ = ("_marks", "_retries", "least", "share")

    def __init__(self, share: float = SHARE, least: float = LEAST) -> None:
        self.share = share
        self.least = least
        self._retries = 0
        #: ``(time, attempts, retries)`` at moments when somebody asked, the oldest first.
        self._marks: deque[tuple[float, int, int]] = deque()

    def start(self, now: float, attempts: int = 0) -> None:
        """Requests count from now on. Without it they do from the first repetition on."""
        self._marks.append((now, attempts, self._retries))

    def take(self, now: float, attempts: int) -> bool:
        """Take one repetition out of the budget; false when there is none.

        :param now: seconds of a monotonic clock.
        :param attempts: those begun so far, the repetitions included.
        """
        marks = self._marks
        if not marks:
            self.start(now, attempts)
        if now - marks[-1][0] >= WINDOW / PARTS:
            marks.append((now, attempts, self._retries))
            while len(marks) > 1 and marks[1][0] <= now - WINDOW:
                marks.popleft()
        began, attemptsThen, retriesThen = marks[0]
        retries = self._retries - retriesThen
        requests = attempts - attemptsThen - retries
        if now - began > WINDOW:  # nobody has asked for long: what a window of that time held
            requests = int(requests * WINDOW / (now - began))
            if now - began > WINDOW + WINDOW / PARTS:  # what was taken at this mark is older, too
                retries = self._retries - marks[1][2]
        if retries >= max(requests * self.share, self.least * WINDOW):
            return False
        self._retries += 1
        return True
