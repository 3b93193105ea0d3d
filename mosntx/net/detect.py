"""Finding out which protocol a connection speaks (MOSN pkg/proxy/proxy.go, protocol_manager)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mosntx.contracts.codec import MATCH, NEED_MORE, NO_MATCH, IProtocol
from mosntx.net.timers import Timer, TimerWheel

#: Seconds for which the first octets may be undecided (MOSN: one read timeout).
DETECT_TIMEOUT = 15.0

#: Octets after which the protocol is unknown: all known ones decide within 24.
MAX_DETECT = 4096


def detect(protocols: Sequence[IProtocol], prefix: bytes) -> tuple[int, IProtocol | None]:
    """Ask each protocol about the first octets of a connection.

    :returns: `MATCH` and the first protocol that is sure; `NEED_MORE` when none is but one may be;
        `NO_MATCH`.
    """
    answer = NO_MATCH
    for protocol in protocols:
        verdict = protocol.detect(prefix)
        if verdict == MATCH:
            return MATCH, protocol
        if verdict == NEED_MORE:
            answer = NEED_MORE
    return answer, None


class Detection:
    """Watches the first octets of one connection until its protocol is known.

    A connection that sends nothing is not decided: its idle timeout is enough. From its first octet
    on it has ``timeout`` seconds.

    :param timeout: seconds.
    :param decided: called exactly once, with the protocol (``None`` = unknown) and all octets so
        far; within `feed`, or by the deadline. Not after `cancel`.
    :ivar done: it was called, or will not be.
    """

    __slots__ = ("_buffer", "_decided", "_protocols", "_timeout", "_timer", "_wheel", "done")

    def __init__(
        self,
        protocols: Sequence[IProtocol],
        wheel: TimerWheel,
        timeout: float,
        decided: Callable[[IProtocol | None, bytes], object],
    ) -> None:
        self._protocols = protocols
        self._wheel = wheel
        self._timeout = timeout
        self._decided = decided
        self._buffer = b""
        self._timer: Timer | None = None
        self.done = False

    def feed(self, data: bytes) -> None:
        """Look at more octets; ignored when all is decided."""
        if self.done or not data:
            return
        self._buffer += data
        verdict, protocol = detect(self._protocols, self._buffer)
        if verdict == NEED_MORE and len(self._buffer) < MAX_DETECT:
            if self._timer is None:
                self._timer = self._wheel.schedule(self._timeout, self._tooLate)
        else:
            self._decide(protocol)

    def cancel(self) -> None:
        """The connection has gone."""
        self.done = True
        self._buffer = b""
        if self._timer is not None:
            self._timer.cancel()

    def _tooLate(self) -> None:
        self._decide(None)

    def _decide(self, protocol: IProtocol | None) -> None:
        octets = self._buffer
        self.cancel()
        self._decided(protocol, octets)
