"""The way of octets through a connection: read filters, receiver, write filters, pausing.

::

    transport -> dataReceived -> read filters -> receiver    until `handOver`, and later when a
                                                             filter in front looks at octets
    transport -> dataReceived -> receiver                    otherwise
    receiver -> write -> write filters -> transport          without such filters: directly
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from twisted.logger import Logger

from mosntx.contracts.net import IBytesReceiver
from mosntx.net.filters import FilterChain

log = Logger()

#: Octets in the write buffer at which senders are paused, octets that filters may leave unconsumed,
#: and the size of a read, which `mosntx.net.transports` lets grow while reads are full (MOSN:
#: PerConnBufferLimitBytes, which it does not enforce).
BUFFER_LIMIT = 32768

#: No event: the connection has not begun to end.
NO_EVENT = -1

# Who has paused reading, a bit mask.
_BY_RECEIVER = 1
_BY_CHAIN = 2


def ignoreOctets(data: bytes) -> None:
    """Drop octets that came too late."""


class OctetPath(ABC):
    """The part of a connection that octets pass.

    :ivar dataReceived: what the transport calls: the way of octets as it is now, so that nothing is
        asked on it.
    """

    __slots__ = (
        "_bufferLimit",
        "_chain",
        "_ending",
        "_paused",
        "_readEnded",
        "_receive",
        "_receiver",
        "_send",
        "_transport",
        "bytesRead",
        "bytesWritten",
        "closed",
        "dataReceived",
        "id",
    )

    def __init__(self, number: int, bufferLimit: int) -> None:
        self.id = number
        self.bytesRead = self.bytesWritten = 0
        self.closed = False
        self.dataReceived: Callable[[bytes], None] = self._filterRead
        self._bufferLimit = bufferLimit
        self._chain: FilterChain | None = None
        self._receiver: IBytesReceiver | None = None
        self._receive: Callable[[bytes], object] = ignoreOctets
        self._send: Callable[[bytes], object] = ignoreOctets
        self._transport: Any = None
        self._paused = 0
        self._readEnded = False  # the peer has sent its FIN
        self._ending = NO_EVENT  # the event by which our side has begun to end it

    def write(self, data: bytes) -> None:
        """See `IConnection.write`."""
        self.bytesWritten += len(data)
        # Read, then called: in one step CPython 3.11 takes a slot for a method, and looks for that.
        send = self._send
        send(data)  # targets other than the transport take the count back

    def pauseReading(self) -> None:
        """See `IConnection.pauseReading`."""
        self._pause(_BY_RECEIVER)

    def resumeReading(self) -> None:
        """See `IConnection.resumeReading`."""
        self._resume(_BY_RECEIVER)

    def continueReading(self) -> None:
        """See `IConnection.continueReading`."""
        if self._chain is not None:
            self._run(self._chain.resume)

    @abstractmethod
    def abort(self) -> None:
        """See `IConnection.abort`."""

    @abstractmethod
    def _tellReadClosed(self) -> None:
        """The peer has sent its FIN, and all octets before it were seen by those concerned."""

    def _filterWith(self, chain: FilterChain) -> None:
        """Send octets through a chain from now on, and show it the connection."""
        self._chain = chain
        if chain.writers:
            self._send = self._filterWrite
        self._run(chain.run)

    def _receiveWith(self, receiver: IBytesReceiver) -> None:
        """Send octets to a receiver from now on."""
        front = self._chain is not None and self._chain.handOver()
        self._receive = receiver.bytesReceived
        self.dataReceived = self._filterRead if front else self._deliver
        self._resume(_BY_CHAIN)

    def _deliver(self, data: bytes) -> None:
        """Octets go straight to the receiver: this is the hot path."""
        self.bytesRead += len(data)
        receive = self._receive  # as in `write`
        receive(data)

    def _filterRead(self, data: bytes) -> None:
        """Octets go through the read filters."""
        self.bytesRead += len(data)
        if self._chain is not None:
            self._chain.buffer += data
            self._run(self._chain.run)

    def _run(self, visit: Callable[[], bool]) -> None:
        """Let filters see the buffer, give the receiver what they left, and mind the limit."""
        chain = self._chain
        assert chain is not None
        try:
            if visit() and chain.buffer and self._receiver is not None:
                data = bytes(chain.buffer)
                chain.buffer.clear()
                self._receive(data)
            if self._readEnded and not chain.buffer:
                self._tellReadClosed()
        except Exception:
            log.failure("connection {id}: a filter or its receiver failed", id=self.id)
            self.abort()
        if len(chain.buffer) > self._bufferLimit:
            self._pause(_BY_CHAIN)
        else:
            self._resume(_BY_CHAIN)

    def _filterWrite(self, data: bytes) -> None:
        """Octets go through the write filters."""
        self.bytesWritten -= len(data)
        assert self._chain is not None
        try:
            for bytesWritten in self._chain.writers:
                result = bytesWritten(data)
                if not result:
                    return
                data = result
        except Exception:
            log.failure("connection {id}: a write filter failed", id=self.id)
            self.abort()
            return
        self.bytesWritten += len(data)
        self._transport.write(data)

    def _discard(self, data: bytes) -> None:
        """Octets come after the end."""
        self.bytesWritten -= len(data)

    def _pause(self, who: int) -> None:
        """:param who: has a reason to read no more: a bit."""
        if not self._paused and not self._isOver() and not self._readEnded:
            self._transport.pauseProducing()
        self._paused |= who

    def _resume(self, who: int) -> None:
        """:param who: has no reason any more."""
        if self._paused:
            self._paused &= ~who
            if not self._paused and not self._isOver() and not self._readEnded:
                self._transport.resumeProducing()

    def _isOver(self) -> bool:
        """The connection ends or has ended."""
        return self.closed or self._ending != NO_EVENT
