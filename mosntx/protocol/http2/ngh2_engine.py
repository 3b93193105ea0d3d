"""The engine on libnghttp2 (package ``ngh2``, extra ``fast``): about thirty times as fast as h2."""

from __future__ import annotations

from typing import Any

from ngh2 import (
    Configuration,
    Connection,
    ConnectionClosed,
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
)
from mosntx.protocol.http2.engine import Engine, EngineError, EngineEvents
from mosntx.protocol.http2.fields import FIELD_COST
from mosntx.protocol.http2.limits import Http2Limits

#: The library's own limits of rates stand behind ours, which have counters.
_BEHIND = 4


class Ngh2Engine(Engine):
    """See `Engine`."""

    __slots__ = ("_conn", "_finished", "_out", "_peer")

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
        conn.initiate_connection(settings)
        conn.data_to_send()  # the codec writes SETTINGS itself, with its own count of streams
        conn.set_local_window_size(limits.wholeWindow)

    def receive(self, data: bytes) -> None:
        """See `Engine.receive`."""
        conn = self._conn
        if self._finished:
            return
        try:
            conn.receive_data(data)
        except DenialOfServiceError as error:
            raise EngineError(ENHANCE_YOUR_CALM, str(error)) from None
        except Exception as error:
            raise EngineError(H2_PROTOCOL_ERROR, type(error).__name__) from None
        self._tell()
        if conn.want_write:  # a mistake of the peer shows when its GOAWAY is written
            self._out += conn.data_to_send()
            self._tell()

    def _tell(self) -> None:
        peer = self._peer
        event: Any
        for event in self._conn.events():
            kind = type(event)
            if kind is ConnectionClosed:
                if event.error_code:
                    raise EngineError(event.error_code, "HTTP/2: the connection is broken")
                self._finished = True  # both sides have said that they leave, and nothing is open
            handle = _HANDLERS.get(kind)
            if handle is not None:
                handle(peer, event)

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
        self._conn.send_data(number, data, end_stream=end)

    def trailers(self, number: int, fields: Any) -> None:
        """See `Engine.trailers`."""
        if fields:
            self._conn.send_trailers(number, fields)
        else:
            self._conn.end_stream(number)

    def reset(self, number: int, code: int) -> None:
        """See `Engine.reset`."""
        self._conn.reset_stream(number, code)

    def push(self, number: int, fields: Any) -> int:
        """See `Engine.push`."""
        return self._conn.send_push_promise(number, fields)

    def consumed(self, number: int, size: int) -> None:
        """See `Engine.consumed`."""
        self._conn.acknowledge_received_data(size, number)

    def ping(self, payload: bytes) -> None:
        """See `Engine.ping`."""
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


def _closed(peer: EngineEvents, event: Any) -> None:
    if event.error_code:
        peer.resetReceived(event.stream_id, event.error_code, True)


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
    StreamClosed: _closed,
    PushedStreamReceived: _push,
    GoAwayReceived: _goAway,
    SettingsReceived: _settings,
    WindowUpdated: _window,
    PingAcknowledged: _pong,
}
