"""The engine on libnghttp2 (package ``ngh2``, extra ``fast``): about thirty times as fast as h2."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ngh2 import (
    Configuration,
    Connection,
    ConnectionClosed,
    ConnectionStateError,
    DataReceived,
    DenialOfServiceError,
    GoAwayReceived,
    InformationalResponseReceived,
    PingAcknowledged,
    PushedStreamReceived,
    RequestReceived,
    ResponseReceived,
    Role,
    SettingsReceived,
    StreamClosed,
    StreamReset,
    StreamUnavailableError,
    TrailersReceived,
    WindowUpdated,
)

from mosntx.protocol.http2.codes import (
    ENABLE_CONNECT_PROTOCOL,
    ENABLE_PUSH,
    ENHANCE_YOUR_CALM,
    H2_PROTOCOL_ERROR,
    HEADER_TABLE_SIZE,
    INITIAL_WINDOW_SIZE,
    MAX_31,
    MAX_CONCURRENT_STREAMS,
    MAX_HEADER_LIST_SIZE,
    NO_ERROR,
    REFUSED_STREAM,
)
from mosntx.protocol.http2.engine import Engine, EngineError, EngineEvents
from mosntx.protocol.http2.fields import FIELD_COST
from mosntx.protocol.http2.frames import windowUpdateFrame
from mosntx.protocol.http2.limits import Http2Limits

#: The library's own limits of rates stand behind ours, which have counters.
_BEHIND = 4


class Ngh2Engine(Engine):
    """See `Engine`.

    What was said is written before anything is received and before another stream has its turn.
    So it leaves in the order of the outbox, not by the library's own priorities, and a GOAWAY or
    new SETTINGS of the peer find no request in the library that waits to begin.
    """

    __slots__ = (
        "_conn",
        "_dead",
        "_ends",
        "_finished",
        "_gone",
        "_late",
        "_out",
        "_peer",
        "_stops",
        "_turn",
        "_whole",
    )

    def __init__(self, peer: EngineEvents, client: bool, limits: Http2Limits) -> None:
        burst, rate = 1000 * _BEHIND, 33 * _BEHIND
        config = Configuration(
            auto_window_update=False,
            peer_max_concurrent_streams=limits.max_concurrent_streams,
            max_reserved_remote_streams=limits.max_concurrent_streams,
            max_send_header_block_length=MAX_31,
            max_inbound_header_list_size=limits.engineListSize,
            max_inbound_header_count=limits.engineListSize // FIELD_COST,
            stream_reset_rate_limit=(burst, rate),
        )
        settings = {
            HEADER_TABLE_SIZE: limits.header_table_size,
            INITIAL_WINDOW_SIZE: limits.stream_window,
            # The codec counts streams: the library would end the connection for one too many.
            MAX_CONCURRENT_STREAMS: MAX_31,
            MAX_HEADER_LIST_SIZE: limits.max_header_list_size,
        }
        if client:
            settings[ENABLE_PUSH] = int(limits.enable_push)
        else:
            settings[ENABLE_CONNECT_PROTOCOL] = int(limits.enable_connect_protocol)
        conn = self._conn = Connection(Role.CLIENT if client else Role.SERVER, config)
        self._peer = peer
        self._out = b""
        self._finished = False
        self._turn = 0  # the stream that has given data last
        self._dead: set[int] = set()  # streams whose reset is known above
        self._gone: tuple[int, bytes] | None = None  # code and text of the peer's GOAWAY
        self._late: list[Any] = []  # events, to be told with the next octets
        self._ends: dict[int, Any] = {}  # streams and trailers, for `_endShut`
        self._stops: list[int] = []  # those of them to be reset with NO_ERROR behind it
        self._whole = True  # nothing of a frame, or of a field block, has come without its rest
        conn.initiate_connection(settings)
        conn.data_to_send()  # the codec writes SETTINGS itself, with its own count of streams
        conn.set_local_window_size(limits.wholeWindow)

    def receive(self, data: bytes, whole: bool = True) -> None:
        """See `Engine.receive`."""
        conn = self._conn
        if self._finished:
            return
        self._write()
        try:
            conn.receive_data(data)
        except DenialOfServiceError as error:
            raise EngineError(ENHANCE_YOUR_CALM, str(error)) from None
        except ConnectionStateError:  # our last frame was the end of it, or what came before
            if not self._tell():
                raise EngineError(H2_PROTOCOL_ERROR, "frames behind the end") from None
            return
        except Exception as error:
            raise EngineError(H2_PROTOCOL_ERROR, type(error).__name__) from None
        self._tell()
        if conn.want_write:  # a mistake of the peer shows when its GOAWAY is written
            self._write()
            self._tell()
        self._dead.clear()
        self._whole = whole
        if self._ends and whole:
            self._endLate()

    def _write(self) -> None:
        """Have the library write what it was told."""
        octets = self._conn.data_to_send()
        if octets:
            self._out += octets

    def _tell(self) -> bool:
        """Tell what has happened; return whether both sides are done with the connection."""
        peer = self._peer
        events: list[Any] = self._conn.events()
        if self._late:
            events = self._late + events
            self._late = []
        for event in events:
            kind = type(event)
            if kind is StreamClosed:
                if event.error_code:
                    self._closed(event)
                continue
            if kind is StreamReset:
                self._dead.add(event.stream_id)
            elif kind is GoAwayReceived:
                self._gone = (event.error_code, event.debug_data)
            elif kind is ConnectionClosed:
                # The library gives back the code of the peer's GOAWAY when the last stream is over.
                if event.error_code and self._gone != (event.error_code, event.debug_data):
                    raise EngineError(event.error_code, "HTTP/2: the connection is broken")
                self._finished = True  # both sides have said that they leave, and nothing is open
            handle = _HANDLERS.get(kind)
            if handle is not None:
                handle(peer, event)
        return self._finished

    def _closed(self, event: Any) -> None:
        """A stream is over before its time; tell it when nobody knows.

        The library itself never refuses a stream: it says so of those that a GOAWAY leaves out.
        What it could not send (``local_error``) is no mistake of the peer either.
        """
        number, code = event.stream_id, event.error_code
        if number not in self._dead:
            ours = code != REFUSED_STREAM and event.local_error is None
            self._peer.resetReceived(number, code, ours)

    def take(self) -> bytes:
        """See `Engine.take`."""
        octets: bytes = b"" if self._finished else self._conn.data_to_send()
        if self._out:
            octets = self._out + octets
            self._out = b""
        return octets

    def request(self, fields: Any, end: bool) -> int:
        """See `Engine.request`."""
        return self._conn.send_request(fields, end_stream=end)

    def response(self, number: int, fields: Any, end: bool) -> None:
        """See `Engine.response`."""
        self._conn.send_response(number, fields, end_stream=end)

    def interim(self, number: int, fields: Any) -> None:
        """See `Engine.interim`."""
        self._conn.send_informational_response(number, fields)

    def data(self, number: int, data: bytes, end: bool) -> None:
        """See `Engine.data`."""
        if number != self._turn:
            self._turn = number
            self._write()
        if data:
            self._conn.send_data(number, data, end_stream=end)
        else:
            self._end(number, None)

    def trailers(self, number: int, fields: Any) -> None:
        """See `Engine.trailers`."""
        self._end(number, fields)

    def _end(self, number: int, fields: Any) -> None:
        """End a stream with nothing or with trailers, whether its windows are open or shut."""
        conn = self._conn
        if conn.remote_window_size <= 0 or conn.stream_remote_window_size(number) <= 0:
            if self._whole:
                self._endShut(number, fields)
            else:
                self._ends[number] = fields
        elif fields:
            conn.send_trailers(number, fields)
        else:
            conn.end_stream(number)

    def _endShut(self, number: int, fields: Any) -> None:
        """End a stream while a window is shut: what has no octets needs none (RFC 9113 6.9).

        The library holds back even that. So it gets an octet of data and the window for it, and
        the octet is cut out of what it writes. Its windows are then as before.
        """
        conn = self._conn
        self._write()
        shut = conn.remote_window_size <= 0
        if shut:
            conn.receive_data(windowUpdateFrame(0, 1))
        increment = 1
        while conn.stream_remote_window_size(number) <= 0:  # it may be far below 0
            conn.receive_data(windowUpdateFrame(number, increment))
            increment *= 2
        conn.send_data(number, b"\0", end_stream=not fields)
        if fields:
            conn.send_trailers(number, fields)
        octets: bytes = conn.data_to_send()
        if not shut:
            with suppress(ConnectionStateError):  # it was the last stream of one that is left
                conn.receive_data(windowUpdateFrame(0, 1))
        self._out += octets[10:] if fields else b"\0\0\0" + octets[3:9] + octets[10:]
        self._late += [each for each in conn.events() if type(each) is not WindowUpdated]

    def _endLate(self) -> None:
        """End the streams that could not be ended in the middle of a frame of the peer."""
        ends, self._ends = self._ends, {}
        stops, self._stops = self._stops, []
        for number, fields in ends.items():
            with suppress(StreamUnavailableError):  # the peer has reset it meanwhile
                self._end(number, fields)
                if number in stops:
                    self._write()
                    self.reset(number, NO_ERROR)

    def reset(self, number: int, code: int) -> None:
        """See `Engine.reset`."""
        if number in self._ends:
            if code == NO_ERROR:  # what was said is to arrive whole
                self._stops.append(number)
                return
            del self._ends[number]
        self._dead.add(number)
        self._conn.reset_stream(number, code)

    def push(self, number: int, fields: Any) -> int:
        """See `Engine.push`."""
        return self._conn.send_push_promise(number, fields)

    def consumed(self, number: int, size: int) -> None:
        """See `Engine.consumed`."""
        self._conn.acknowledge_received_data(size, number)

    def ping(self, payload: bytes) -> None:
        """See `Engine.ping`."""
        with suppress(ConnectionStateError):  # nobody is left who could answer
            self._conn.ping(payload)


def _head(peer: EngineEvents, event: Any) -> None:
    peer.headersReceived(event.stream_id, event.headers, event.end_stream)


def _interim(peer: EngineEvents, event: Any) -> None:
    peer.interimReceived(event.stream_id, event.headers)


def _data(peer: EngineEvents, event: Any) -> None:
    data = event.data
    peer.dataReceived(event.stream_id, data, len(data), event.end_stream)


def _trailers(peer: EngineEvents, event: Any) -> None:
    peer.trailersReceived(event.stream_id, event.headers)


def _reset(peer: EngineEvents, event: Any) -> None:
    peer.resetReceived(event.stream_id, event.error_code, False)


def _push(peer: EngineEvents, event: Any) -> None:
    peer.pushReceived(event.stream_id, event.promised_stream_id, event.headers)


def _goAway(peer: EngineEvents, event: Any) -> None:
    peer.goAwayReceived(event.last_stream_id, event.error_code)


def _settings(peer: EngineEvents, event: Any) -> None:
    peer.settingsReceived(event.settings)


def _window(peer: EngineEvents, event: Any) -> None:
    peer.windowReceived(event.stream_id, event.increment)


def _pong(peer: EngineEvents, event: Any) -> None:
    peer.pongReceived(event.opaque_data)


_HANDLERS: dict[Any, Any] = {
    RequestReceived: _head,
    ResponseReceived: _head,
    InformationalResponseReceived: _interim,
    DataReceived: _data,
    TrailersReceived: _trailers,
    StreamReset: _reset,
    PushedStreamReceived: _push,
    GoAwayReceived: _goAway,
    SettingsReceived: _settings,
    WindowUpdated: _window,
    PingAcknowledged: _pong,
}
