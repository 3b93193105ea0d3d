"""How accepted connections of a sequential protocol end, and the waits that end them."""

from __future__ import annotations

from abc import ABC, abstractmethod

from mosntx.contracts.codec import Event, IServerCodec
from mosntx.contracts.net import IConnection
from mosntx.contracts.stream import DOWNSTREAM_GONE, IRequestSink
from mosntx.net.timers import Timer, TimerWheel


class ServerEndings(ABC):
    """The part of a `SequentialServer` that times waits and closes."""

    __slots__ = (
        "_busy",
        "_closed",
        "_codec",
        "_graceTimer",
        "_number",
        "_requestOpen",
        "_responseOpen",
        "_sink",
        "_tunnel",
        "_waitTimer",
        "_wheel",
        "connection",
    )

    def __init__(self, connection: IConnection, codec: IServerCodec, wheel: TimerWheel) -> None:
        self.connection = connection
        self._codec = codec
        self._wheel = wheel
        self._sink: IRequestSink | None = None
        self._number = 0
        self._busy = False
        self._requestOpen = False
        self._responseOpen = False
        self._tunnel = False  # data are raw octets, and each direction ends for itself
        self._closed = False
        self._waitTimer: Timer | None = None
        self._graceTimer: Timer | None = None

    @abstractmethod
    def _deliver(self, events: list[Event]) -> None:
        """Hand parts to the exchange."""

    def readClosed(self) -> None:
        """The client sends no more.

        It has left, as far as anybody can tell: an exchange under way is cancelled (MOSN, Envoy).
        Only a tunnel goes on in the other direction.
        """
        if self._tunnel:
            if self._requestOpen:
                self._deliver(self._codec.receiveEof())
        elif self._responseOpen:
            self._gone()
            self.connection.abort()
        else:
            self._close(False)

    def connectionClosed(self, event: int) -> None:
        """See `IBytesReceiver.connectionClosed`."""
        self._gone()

    # tunnels

    def _endResponse(self) -> bool:
        """A tunnel has nothing more for the client. Say whether the client may go on sending."""
        if self.connection.endWriting():
            return True
        self._tunnel = False  # there is no half of it
        if self._sink is not None:
            self._sink.requestData(b"", True)
        return False

    def _giveUpRequest(self) -> None:
        """A tunnel has told the client its end, and takes no more from it either."""
        self._sink = None
        self._close(True)

    # waits

    def _watchWait(self) -> None:
        """Time the wait that the codec is in, or forget the timer of one that is over."""
        limit = self._codec.waitLimit
        if limit:
            if self._waitTimer is None:
                self._waitTimer = self._wheel.schedule(limit, self._waitedTooLong)
        elif self._waitTimer is not None:
            self._waitTimer.cancel()
            self._waitTimer = None

    def _waitedTooLong(self) -> None:
        """The head that began did not end in time."""
        self._waitTimer = None
        self._deliver(self._codec.timeout())

    # closing

    def _gone(self) -> None:
        """The client has left."""
        self._cancelTimers()
        self._closed = True
        self._responseOpen = self._requestOpen = False
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.requestReset(DOWNSTREAM_GONE)

    def _close(self, linger: bool) -> None:
        """Close when all is sent.

        ``linger`` when the client may still be sending (RFC 9112 9.6).
        """
        self._cancelTimers()
        self._closed = True
        self.connection.close(linger)

    def _graceOver(self) -> None:
        """Draining: close unless a request has begun; its response will be the last."""
        self._graceTimer = None
        if not self._busy and self._waitTimer is None and not self._closed:
            self._close(False)

    def _cancelTimers(self) -> None:
        for timer in (self._waitTimer, self._graceTimer):
            if timer is not None:
                timer.cancel()
        self._waitTimer = self._graceTimer = None
