"""What ends connections: watches for idle ones, slow readers, peers that do not close."""

from __future__ import annotations

import math
from typing import Any, Protocol

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from mosntx.net.timers import Timer, TimerWheel

#: Seconds between two looks at an idle connection, at most (MOSN: its read timeout).
IDLE_STEP = 15.0

#: Looks during a timeout, at least.
LOOKS = 4

#: Seconds without any progress after which a peer that does not read is given up (MOSN:
#: DefaultConnWriteTimeout; the slow-read attack). Also the longest flush of a closing connection
#: that makes no progress.
WRITE_STALL_TIMEOUT = 15.0


class Watched(Protocol):
    """What the watches know of a connection."""

    bytesRead: int
    bytesWritten: int

    def isBusy(self) -> bool:
        """Something is under way though no octets move."""

    def idle(self) -> None:
        """Nothing has moved for the idle timeout."""

    def writeBlocked(self) -> None:
        """The write buffer has passed its high-water mark."""

    def writeResumed(self) -> None:
        """The write buffer is empty again."""

    def writeStalled(self) -> None:
        """The peer has taken nothing for `WRITE_STALL_TIMEOUT`."""


class LingerWatch:
    """Closes a connection whose peer says nothing any more, or has not ended in time.

    :param quiet: seconds of silence.
    :param latest: when it ends though the peer goes on, in the wheel's seconds.
    """

    __slots__ = ("_latest", "_quiet", "_spoken", "_timer", "_transport", "_wheel")

    def __init__(self, transport: Any, wheel: TimerWheel, quiet: float, latest: float) -> None:
        self._transport = transport
        self._wheel = wheel
        self._quiet = quiet
        self._latest = latest
        self._spoken = False
        self._timer = wheel.schedule(quiet, self._look)

    def cancel(self) -> None:
        """Watch no more."""
        self._timer.cancel()

    def speaks(self, _octets: bytes) -> None:
        """The peer has sent octets that nobody reads any more."""
        self._spoken = True

    def _look(self) -> None:
        if self._spoken and self._wheel.seconds() < self._latest:
            self._spoken = False
            self._timer = self._wheel.schedule(self._quiet, self._look)
        else:
            self._transport.loseConnection()


class IdleWatch:
    """Notices when no octet has come or gone for a while.

    It compares the counters of the connection now and then, so octets cost nothing. A timeout of
    ``T`` seconds is noticed between ``T`` and ``T + min(15, T / 4)`` seconds after the last octet.
    Octets that wait for a slow reader are no idleness; they are the business of `WriteWatch`. Nor
    is an exchange whose answer takes long, which has timeouts of its own (MOSN cuts it).

    :param timeout: seconds, more than 0.
    """

    __slots__ = ("_connection", "_looks", "_quiet", "_seen", "_step", "_timer", "_wheel")

    def __init__(self, connection: Watched, wheel: TimerWheel, timeout: float) -> None:
        self._connection = connection
        self._wheel = wheel
        self._looks = math.ceil(timeout / min(IDLE_STEP, timeout / LOOKS))
        self._step = timeout / self._looks
        self._quiet = 0
        self._seen = 0
        self._timer = wheel.schedule(self._step, self._look)

    def stop(self) -> None:
        """Watch no more."""
        self._timer.cancel()

    def _look(self) -> None:
        connection = self._connection
        octets = connection.bytesRead + connection.bytesWritten
        if octets != self._seen or connection.isBusy():
            self._seen = octets
            self._quiet = 0
        else:
            self._quiet += 1
            if self._quiet >= self._looks:
                connection.idle()
                return
        self._timer = self._wheel.schedule(self._step, self._look)


@implementer(IPushProducer)
class WriteWatch:
    """The producer that a connection registers with its transport.

    Twisted pauses a producer at each write beyond the mark; here pausing and resuming take turns.
    While octets wait, it looks for progress, as it does from ``closing`` on.

    :ivar blocked: the buffer has passed the mark and was not empty since.
    """

    __slots__ = ("_connection", "_looks", "_seen", "_timer", "_transport", "_wheel", "blocked")

    def __init__(self, connection: Watched, wheel: TimerWheel, transport: Any) -> None:
        self._connection = connection
        self._wheel = wheel
        self._transport = transport
        self._looks = 0
        self._seen: object = None
        self._timer: Timer | None = None
        self.blocked = False

    def pauseProducing(self) -> None:
        """The buffer has passed its high-water mark."""
        if not self.blocked:
            self.blocked = True
            self.watch()
            self._connection.writeBlocked()

    def resumeProducing(self) -> None:
        """The buffer is empty."""
        if self.blocked:
            self.blocked = False
            self.stop()
            self._connection.writeResumed()

    def stopProducing(self) -> None:
        """The transport is gone; its ``connectionLost`` follows."""

    def watch(self) -> None:
        """From now on the peer must take something every now and then."""
        self.stop()
        self._looks = 0
        self._seen = unsent(self._transport)
        self._timer = self._wheel.schedule(WRITE_STALL_TIMEOUT / LOOKS, self._look)

    def stop(self) -> None:
        """Watch no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        seen = unsent(self._transport)
        if seen != self._seen:
            self._seen = seen
            self._looks = 0
        else:
            self._looks += 1
            if self._looks >= LOOKS:
                self._timer = None
                self._connection.writeStalled()
                return
        self._timer = self._wheel.schedule(WRITE_STALL_TIMEOUT / LOOKS, self._look)


def unsent(transport: Any) -> object:
    """Return something that changes whenever a transport has sent octets of its buffer.

    Known for sockets of Twisted's reactors, also below TLS. For others it never changes: they have
    `WRITE_STALL_TIMEOUT` for everything.
    """
    bottom = getattr(transport, "transport", transport)
    return len(getattr(bottom, "dataBuffer", b"")), getattr(bottom, "offset", 0)
