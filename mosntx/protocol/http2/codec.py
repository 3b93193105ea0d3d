"""What both ends of an HTTP/2 connection have in common.

The engine below does framing, HPACK and the states of streams. Here are the rules that hold for
either engine: what a message is (`fields`), who sends when (`outbox`), how often (`guard`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from mosntx.contracts.codec import DATA, FAILED, GOAWAY, HEARTBEAT_ACK, RESET, TRAILERS, Event
from mosntx.contracts.message import Pair
from mosntx.contracts.stream import IDLE_TIMEOUT, PROTOCOL_ERROR
from mosntx.protocol.errors import EncodeError, ProtocolError
from mosntx.protocol.http2.codes import (
    CANCEL,
    H2_PROTOCOL_ERROR,
    INITIAL_WINDOW_SIZE,
    MAX_FRAME_SIZE,
    NO_ERROR,
    codeOf,
    reasonOf,
)
from mosntx.protocol.http2.counters import STREAM_WINDOW_WAIT, Http2Counters
from mosntx.protocol.http2.encode import trailerFields
from mosntx.protocol.http2.engine import Engine, EngineError, EngineEvents
from mosntx.protocol.http2.fields import FieldReader
from mosntx.protocol.http2.frames import Stream, fits, goAwayFrame
from mosntx.protocol.http2.guard import FloodError, FrameGuard
from mosntx.protocol.http2.limits import Http2Limits
from mosntx.protocol.http2.merge import MANY_EVENTS, merged
from mosntx.protocol.http2.outbox import Outbox
from mosntx.protocol.http2.priorities import Priorities
from mosntx.protocol.http2.waits import Waits

MakeEngine = Callable[[EngineEvents, bool, Http2Limits], Engine]


class Http2Codec(EngineEvents):
    """See `mosntx.contracts.codec.IFramedCodec`."""

    __slots__ = (
        "_after",
        "_counters",
        "_dead",
        "_engine",
        "_events",
        "_extra",
        "_guard",
        "_limits",
        "_outbox",
        "_pings",
        "_priorities",
        "_reader",
        "_start",
        "_streams",
        "_waits",
        "corked",
        "now",
    )

    def __init__(
        self,
        limits: Http2Limits,
        reader: FieldReader,
        engine: MakeEngine,
        client: bool,
        counters: Http2Counters | None,
    ) -> None:
        self._limits = limits
        self._counters = counters or Http2Counters()
        self._reader = reader
        self._guard = FrameGuard(limits.floods, client)
        self._outbox = Outbox()
        self._priorities = Priorities(self._guard, self._outbox, not client)
        self._waits = Waits(limits, self._guard, self._outbox)
        self._streams: dict[int, Stream] = {}
        self._events: list[Event] = []
        self._start = b""  # what must leave before all else
        self._extra: list[bytes] = []
        self._after: list[int] = []
        self._pings = 0
        self._dead = False
        self.now = 0.0
        self.corked = False
        self._engine = engine(self, client, limits)

    @property
    def waitLimit(self) -> float:
        """See `ICodec.waitLimit` and `mosntx.protocol.http2.waits`."""
        return 0.0 if self._dead else self._waits.limit(self.corked)

    @property
    def queuedTotal(self) -> int:
        """Octets of all streams that wait."""
        return self._outbox.queued

    @property
    def tripped(self) -> str:
        """The name of the limit for floods that ended the connection; empty without."""
        return self._guard.tripped

    # receiving

    def receive(self, data: bytes) -> list[Event]:
        """See `ICodec.receive`."""
        if self._dead:
            return []
        events = self._events = []
        try:
            flood = self._guard.feed(data, self.now)
            if flood is not None:
                raise flood
            self._engine.receive(data, self._guard.between)
        except (EngineError, FloodError) as error:
            self._die(error.code, error)
        if self._guard.priorities:
            misplaced = self._priorities.take(self._lastHandled(), events)
            if misplaced is not None:
                self._die(H2_PROTOCOL_ERROR, misplaced)
        return events if len(events) <= MANY_EVENTS else merged(events)

    def receiveEof(self) -> list[Event]:
        """See `ICodec.receiveEof`: the close of the connection tells the streams."""
        return []

    def timeout(self) -> list[Event]:
        """See `ICodec.timeout`."""
        events = self._events = []
        late = self._waits.look(self.corked)
        if late is not None:
            self._die(late.code, late)
        for number in self._waits.stalled:
            self._counters.ended(STREAM_WINDOW_WAIT)
            self._resetNow(number, CANCEL)
            events.append((RESET, number, IDLE_TIMEOUT, True))
        return events

    def _die(self, code: int, error: ProtocolError) -> None:
        """The connection cannot go on."""
        if not self._dead:
            self._dead = True
            self._counters.ended(getattr(error, "name", ""))
            self._sayGoAway(self._lastHandled(), code)
            self._streams.clear()
            self._events.append((FAILED, 0, error, True))

    def _sayGoAway(self, last: int, code: int) -> None:
        self._counters.goaway_sent += 1
        self._extra.append(goAwayFrame(last, code))

    def _lastHandled(self) -> int:
        """The highest stream of the peer that was looked at."""
        return 0

    def _malformed(self, number: int) -> None:
        """A message that breaks the rules is the end of its stream (RFC 9113 8.1.1)."""
        known = number in self._streams
        self._resetNow(number, H2_PROTOCOL_ERROR)
        if known:
            self._events.append((RESET, number, PROTOCOL_ERROR, True))
        self._blame()

    def _blame(self) -> None:
        """A stream had to be reset because of the peer: often, nothing more is of interest."""
        flood = self._guard.streamReset(self.now)
        if flood is not None:
            raise flood

    def dataReceived(self, number: int, data: bytes, size: int, end: bool) -> None:
        """See `EngineEvents.dataReceived`."""
        stream = self._streams.get(number)
        if stream is None or stream.recvEnded:
            self._consumed(number, size)
            return
        if stream.paused and not end:
            stream.held += size
        elif size:
            self._consumed(number, size)
        if data or end:
            stream.received += len(data)
            if stream.expected >= 0 and not fits(stream, end):
                self._malformed(number)
                return
            if not self._allowed(number, stream):
                return
            self._events.append((DATA, number, data, end))
        if end:
            self._recvEnded(number, stream)

    def _allowed(self, number: int, stream: Stream) -> bool:
        """Say whether a body may be as long as it has become."""
        return True

    def trailersReceived(self, number: int, fields: Any) -> None:
        """See `EngineEvents.trailersReceived`."""
        stream = self._streams.get(number)
        if stream is None or stream.recvEnded:
            return
        try:
            trailers = self._reader.trailers(fields)
            if stream.offer or not fits(stream, True):
                raise ProtocolError(400, "trailers of a tunnel, or of a body with another length")
        except ProtocolError:
            self._malformed(number)
            return
        self._events.append((TRAILERS, number, trailers, True))
        self._recvEnded(number, stream)

    def resetReceived(self, number: int, code: int, ours: bool) -> None:
        """See `EngineEvents.resetReceived`."""
        if self._streams.pop(number, None) is not None:
            self._outbox.forget(number)
            self._counters.reset(code, ours)
            reason = PROTOCOL_ERROR if ours else reasonOf(code)
            self._events.append((RESET, number, reason, True))
        if ours:
            self._blame()

    def goAwayReceived(self, last: int, code: int) -> None:
        """See `EngineEvents.goAwayReceived`."""
        self._counters.goaway_received += 1
        self._events.append((GOAWAY, 0, last, True))

    def settingsReceived(self, settings: Mapping[int, int]) -> None:
        """See `EngineEvents.settingsReceived`."""
        window = settings.get(INITIAL_WINDOW_SIZE)
        if window is not None:
            self._outbox.setInitial(window)
        frame = settings.get(MAX_FRAME_SIZE)
        if frame is not None:
            self._outbox.frame = frame

    def windowReceived(self, number: int, increment: int) -> None:
        """See `EngineEvents.windowReceived`."""
        self._outbox.credit(number, increment)

    def pongReceived(self, payload: bytes) -> None:
        """See `EngineEvents.pongReceived`."""
        self._events.append((HEARTBEAT_ACK, int.from_bytes(payload, "big"), None, False))

    def _recvEnded(self, number: int, stream: Stream) -> None:
        stream.recvEnded = True
        if stream.sendEnded:
            self._over(number)

    def _over(self, number: int) -> None:
        """Both halves have ended."""
        stream = self._streams.pop(number, None)
        if stream is not None and stream.held:
            self._consumed(number, stream.held)
        self._outbox.forget(number)

    # the peer's flow

    def pauseData(self, streamId: int) -> None:
        """See `IFramedCodec.pauseData`."""
        stream = self._streams.get(streamId)
        if stream is not None:
            stream.paused = True

    def resumeData(self, streamId: int) -> None:
        """See `IFramedCodec.resumeData`."""
        stream = self._streams.get(streamId)
        if stream is not None and stream.paused:
            stream.paused = False
            held, stream.held = stream.held, 0
            self._consumed(streamId, held)

    def _consumed(self, number: int, size: int) -> None:
        try:  # `suppress` would cost three calls for each DATA frame
            if size and not self._dead:
                self._engine.consumed(number, size)
        except Exception:
            return  # a stream that the engine has forgotten

    # sending

    def queued(self, streamId: int) -> int:
        """See `IFramedCodec.queued`."""
        return self._outbox.waiting(streamId)

    def bytesToSend(self) -> bytes:
        """See `ICodec.bytesToSend`."""
        outbox, octets = self._outbox, b""
        if not self._dead:
            if outbox.busy and not self.corked:
                for number, data, end, trailers in outbox.take(self._limits.send_batch):
                    self._piece(number, data, end, trailers)
            octets = self._engine.take()
            if self._after:
                octets += self._resets()
        if self._start:
            octets, self._start = self._start + octets, b""
        if self._extra:
            octets, self._extra = octets + b"".join(self._extra), []
        return octets

    def _resets(self) -> bytes:
        """Reset the streams whose answers have left as a whole."""
        for number in self._after:
            self._resetNow(number, NO_ERROR)
        self._after.clear()
        return self._engine.take()

    def _piece(self, number: int, data: bytes, end: bool, trailers: list[Pair] | None) -> None:
        try:
            if data or end:
                self._send(number, data, end)
            if trailers is not None:
                self._engine.trailers(number, trailers)
                self._sendEnded(number)
        except EncodeError:
            self._resetNow(number, CANCEL)

    def _send(self, number: int, data: bytes, end: bool) -> None:
        try:
            self._engine.data(number, data, end)
        except Exception as error:
            raise _said(error) from error
        self._guard.dataSent(1)
        if end:
            self._sendEnded(number)

    def _sendData(self, number: int, data: bytes, end: bool) -> None:
        stream = self._streams.get(number)
        if stream is None or stream.sendEnded or stream.ending or self._dead:
            return
        if not self.corked and self._outbox.direct(number, len(data)):
            self._send(number, data, end)
        else:
            stream.ending = end
            self._outbox.put(number, data, end)

    def _sendTrailers(self, number: int, trailers: Any) -> None:
        stream = self._streams.get(number)
        if stream is None or stream.sendEnded or stream.ending or self._dead:
            return
        if not (fields := trailerFields(trailers)):
            self._sendData(number, b"", True)
        elif self._outbox.holds(number):
            stream.ending = True
            self._outbox.put(number, b"", False, fields)
        else:
            self._call(self._engine.trailers, number, fields)
            self._sendEnded(number)

    def _call(self, do: Callable[..., Any], *args: Any) -> Any:
        """Ask the engine for something; what it refuses concerns this stream only."""
        if self._dead:
            raise EncodeError(502, "the connection is broken")
        try:
            return do(*args)
        except Exception as error:
            raise _said(error) from error

    def _sendEnded(self, number: int) -> None:
        if (stream := self._streams.get(number)) is None:
            return
        stream.sendEnded = True
        if stream.recvEnded:
            self._over(number)
        elif stream.resetAfter:
            self._after.append(number)

    def _reset(self, number: int, reason: int) -> None:
        stream = self._streams.get(number)
        if stream is None or self._dead:
            return
        if stream.ending or (stream.sendEnded and not stream.recvEnded):
            stream.resetAfter = True
            if stream.sendEnded:
                self._after.append(number)
            return
        self._resetNow(number, codeOf(reason))

    def _resetNow(self, number: int, code: int) -> None:
        self._over(number)
        with suppress(Exception):  # the engine has ended it already
            self._engine.reset(number, code)
            self._counters.reset(code, True)

    def ping(self) -> int:
        """See `IFramedCodec.ping`."""
        self._pings += 1
        if not self._dead:
            self._engine.ping(self._pings.to_bytes(8, "big"))
        return self._pings

    def goAway(self) -> bytes:
        """See `IFramedCodec.goAway`."""
        if not self._dead:
            self._sayGoAway(self._lastHandled(), NO_ERROR)
        return b""


def _said(error: Exception) -> EncodeError:
    return EncodeError(502, f"HTTP/2 cannot say it now: {type(error).__name__}")
