"""What both ends do with octets: heads are collected and measured, bodies cut by their framing."""

from __future__ import annotations

from mosntx.contracts.codec import DATA, TRAILERS, Event
from mosntx.protocol.errors import ProtocolError
from mosntx.protocol.http1.chunked import ChunkedReader
from mosntx.protocol.http1.fields import FieldParser
from mosntx.protocol.http1.framing import HeadLimits, parseTrailers
from mosntx.protocol.http1.limits import Http1Limits

#: What the reader is in.
HEAD = 1  # a head is expected or has begun
LENGTH = 2  # a body of known length
CHUNKED = 3  # a chunked body
UNTIL_CLOSE = 4  # octets that the close ends: a body (client only) or a tunnel
DONE = 5  # the message is complete; server: wait for next(); client: no request is outstanding
OFFERED = 6  # server: another protocol was offered, and the response decides what comes now
CLOSED = 7  # nothing is looked at any more

_END = b"\r\n\r\n"


class MessageReader:
    """The receiving half. Subclasses read the heads and say what comes after them.

    :param limits: the figures.
    :param fields: reads field blocks; may be shared.
    :param heads: judges the sizes of heads.
    :param headTimeout: seconds that a head may take, 0.0 for any time.
    """

    __slots__ = (
        "_chunks",
        "_fields",
        "_headTimeout",
        "_heads",
        "_held",
        "_left",
        "_limits",
        "_number",
        "_out",
        "_scanned",
        "_state",
        "waitLimit",
    )

    def __init__(
        self, limits: Http1Limits, fields: FieldParser, heads: HeadLimits, headTimeout: float
    ) -> None:
        self._limits = limits
        self._fields = fields
        self._heads = heads
        self._headTimeout = headTimeout
        self._state = HEAD
        self._number = 0
        self._held: bytearray | None = None
        self._scanned = 0
        self._left = 0
        self._chunks: ChunkedReader | None = None
        self._out = b""
        self.waitLimit = 0.0

    def receive(self, data: bytes) -> list[Event]:
        """See `ICodec.receive`."""
        events: list[Event] = []
        try:
            while data:
                state = self._state
                if state == HEAD:
                    data = self._takeHead(data, events)
                elif state == LENGTH:
                    data = self._takeLength(data, events)
                elif state == CHUNKED:
                    data = self._takeChunked(data, events)
                elif state == UNTIL_CLOSE:
                    events.append((DATA, self._number, data, False))
                    break
                elif state == CLOSED:
                    break
                else:
                    self._excess(data)
                    break
        except ProtocolError as error:
            # Traceback and context would keep the octets held so far, in a cycle with the events.
            error.__context__ = None
            self._fail(error.with_traceback(None), events)
        return events

    def bytesToSend(self) -> bytes:
        """See `ICodec.bytesToSend`."""
        out = self._out
        if out:
            self._out = b""
        return out

    def _takeHead(self, data: bytes, events: list[Event]) -> bytes:
        if self._held is not None:
            data = self._join(data)
            if not data:
                return b""
        size = len(data)
        end = data.find(_END)
        if end <= 0:
            if end == 0:
                raise ProtocolError(self._heads.badStatus, "empty lines where a head should be")
            return self._hold(bytearray(data), 0)
        if end > self._heads.quick:
            self._heads.check(data[: end + 4])
        start = data.find(b"\r\n")
        try:
            self._head(data[:start], data[start : end + 4], events)
        except ProtocolError:
            # A stray octet would have been refused first, had the head come in pieces.
            self._heads.check(data[: end + 4])
            raise
        end += 4
        return data[end:] if end < size else b""

    def _join(self, data: bytes) -> bytes:
        """Add to the held beginning of a head; return all of it when it has ended, else ``b''``."""
        held = self._held
        assert held is not None
        held += data
        scanned = self._scanned
        if held.find(_END, max(0, scanned - 3)) < 0:
            return self._hold(held, scanned)
        self._held = None
        self.waitLimit = 0.0
        return bytes(held)

    def _hold(self, held: bytearray, scanned: int) -> bytes:
        """Keep the beginning of a head, of which ``scanned`` octets are known to be good."""
        self._heads.check(held, scanned)
        self._held = held
        self._scanned = len(held)
        # One empty line may stand behind the request before (RFC 9112 2.2): no head has begun yet.
        self.waitLimit = 0.0 if held == b"\r\n" or held == b"\r" else self._headTimeout
        return b""

    def _takeLength(self, data: bytes, events: list[Event]) -> bytes:
        left = self._left
        size = len(data)
        if size < left:
            self._left = left - size
            events.append((DATA, self._number, data, False))
            return b""
        rest = b""
        if size > left:
            rest = data[left:]
            data = data[:left]
        events.append((DATA, self._number, data, True))
        self._ended()
        return rest

    def _takeChunked(self, data: bytes, events: list[Event]) -> bytes:
        chunks = self._chunks
        assert chunks is not None
        number = self._number
        parts: list[bytes] = []
        try:
            rest = chunks.feed(data, parts)
            if rest is not None:
                trailers = parseTrailers(self._fields, chunks.trailers, self._limits)
        except ProtocolError:
            if parts:
                events.append((DATA, number, b"".join(parts), False))
            raise
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        if rest is None:
            if data:
                events.append((DATA, number, data, False))
            return b""
        self._chunks = None
        if trailers is None:
            events.append((DATA, number, data, True))
        else:
            if data:
                events.append((DATA, number, data, False))
            events.append((TRAILERS, number, trailers, True))
        self._ended()
        return rest

    def _stop(self) -> None:
        """Look at nothing any more, and hold nothing."""
        self._state = CLOSED
        self._held = None
        self._chunks = None
        self.waitLimit = 0.0

    def _head(self, line: bytes, block: bytes, events: list[Event]) -> None:
        raise NotImplementedError

    def _ended(self) -> None:
        raise NotImplementedError

    def _excess(self, data: bytes) -> None:
        raise NotImplementedError

    def _fail(self, error: ProtocolError, events: list[Event]) -> None:
        raise NotImplementedError
