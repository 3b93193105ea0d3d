"""Heartbeats: whether the peer of a connection still lives.

Source: spec/upstream.md 12.3 (MOSN pkg/stream/xprotocol/keepalive.go).
"""

from __future__ import annotations

from typing import Any

from mosntx.net.timers import Timer, TimerWheel

#: Seconds without an octet from the peer after which a heartbeat is sent (MOSN:
#: DefaultConnReadTimeout).
READ_IDLE = 15.0

#: Looks during that time; the heartbeat is late by one of them at most.
LOOKS = 4

#: Seconds in which the answer must come (MOSN).
ANSWER_TIMEOUT = 1.0

#: Heartbeats without an answer, in a row, that close the connection (MOSN).
MISSES = 6


class Keepalive:
    """Asks the peer of one connection whether it lives, when it has been silent for a while.

    It compares the connection's counter of octets now and then, so traffic costs nothing. After
    some heartbeats without an answer the connection is given up.

    :param interval: seconds between heartbeats on a fixed schedule besides; 0.0 = none.
    :param timeout: seconds for the answer.
    :param silence: seconds without an octet after which there is one.
    :param misses: heartbeats without an answer, in a row, that are the end.
    :param idle: ask also while there are no streams on the connection. If not, it is left to its
        idle timeout, which heartbeats would put off for ever.
    """

    __slots__ = (
        "_answerTimer",
        "_awaited",
        "_fixedTimer",
        "_idle",
        "_idleTimer",
        "_interval",
        "_misses",
        "_most",
        "_quiet",
        "_seen",
        "_silence",
        "_streams",
        "_timeout",
        "_wheel",
    )

    def __init__(
        self,
        wheel: TimerWheel,
        interval: float = 0.0,
        timeout: float = ANSWER_TIMEOUT,
        silence: float = READ_IDLE,
        misses: int = MISSES,
        idle: bool = True,
    ) -> None:
        self._wheel = wheel
        self._interval = interval
        self._timeout = timeout
        self._silence = silence
        self._most = misses
        self._idle = idle
        self._streams: Any = None
        self._seen = 0
        self._quiet = 0
        self._misses = 0
        self._awaited: int | None = None
        self._idleTimer: Timer | None = None
        self._fixedTimer: Timer | None = None
        self._answerTimer: Timer | None = None

    def start(self, streams: Any) -> None:
        """Watch the connection of ``streams``."""
        self._streams = streams
        self._seen = streams.connection.bytesRead
        self._idleTimer = self._wheel.schedule(self._silence / LOOKS, self._look)
        if self._interval:
            self._fixedTimer = self._wheel.schedule(self._interval, self._fixed)

    def stop(self) -> None:
        """Watch no more; an answer that is still awaited changes nothing."""
        for timer in (self._idleTimer, self._fixedTimer, self._answerTimer):
            if timer is not None:
                timer.cancel()
        self._idleTimer = self._fixedTimer = self._answerTimer = None
        self._streams = None

    def _look(self) -> None:
        octets = self._streams.connection.bytesRead
        self._quiet = self._quiet + 1 if octets == self._seen else 0
        self._seen = octets
        self._idleTimer = self._wheel.schedule(self._silence / LOOKS, self._look)
        if self._quiet >= LOOKS:
            self._quiet = 0
            self._ask()

    def _fixed(self) -> None:
        self._fixedTimer = self._wheel.schedule(self._interval, self._fixed)
        self._ask()

    def _ask(self) -> None:
        if not self._idle and not self._streams.active:
            return
        if self._answerTimer is None:  # else the one before may still be answered
            self._answerTimer = self._wheel.schedule(self._timeout, self._missed)
            self._awaited = self._streams.heartbeat(self._answered)

    def _answered(self, status: int | None) -> None:
        """Any answer will do: its status says how the upstreams of the peer are."""
        self._awaited = None
        if self._answerTimer is not None:
            self._answerTimer.cancel()
            self._answerTimer = None
        if status is not None:
            self._misses = 0

    def _missed(self) -> None:
        if self._awaited is not None:
            self._streams.forgetHeartbeat(self._awaited)
        self._awaited = None
        self._answerTimer = None
        self._misses += 1
        if self._misses >= self._most:
            self._streams.giveUp()
