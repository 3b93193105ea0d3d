"""The engine on hyper-h2: pure Python, always there.

Its checks of header lists are switched off, for ours (`mosntx.protocol.http2.fields`) are made for
either engine. It does not see Content-Length, of which it would make an error of the connection
where RFC 9113 8.1.1 wants one of the stream. GOAWAY frames never reach it: after one it would
refuse to go on with the streams that are open, which RFC 9113 6.8 wants finished.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    DataReceived,
    InformationalResponseReceived,
    PingAckReceived,
    PushedStreamReceived,
    RemoteSettingsChanged,
    RequestReceived,
    ResponseReceived,
    SettingsAcknowledged,
    StreamReset,
    TrailersReceived,
    WindowUpdated,
)
from h2.exceptions import ProtocolError as H2ProtocolError
from h2.settings import SettingCodes, Settings
from hpack import HeaderTuple
from hpack.exceptions import HPACKError

from mosntx.protocol.http2.codes import (
    COMPRESSION_ERROR,
    DEFAULT_WINDOW,
    FRAME_SIZE_ERROR,
    H2_PROTOCOL_ERROR,
    INTERNAL_ERROR,
    MAX_31,
    PREFACE,
    SETTINGS_FRAME,
)
from mosntx.protocol.http2.engine import Engine, EngineError, EngineEvents
from mosntx.protocol.http2.hpack_cache import CachingDecoder, CachingEncoder
from mosntx.protocol.http2.limits import Http2Limits

_GOAWAY = 0x7
_PRIORITY_UPDATE = 0x10
_LOOKED_AT = frozenset((SETTINGS_FRAME, _GOAWAY, _PRIORITY_UPDATE))
_ACK = 0x1
_HEADER = 9
#: Stands for Content-Length below. It is known by identity: a peer's field of this name is not it.
_HIDDEN = b"(content-length)"
#: Frames that h2 gets at once. What each new stream costs it grows with the number of those that
#: have begun since the last time: 3 600 in one read would take a second.
_AT_ONCE = 64


class H2Engine(Engine):
    """See `Engine`."""

    __slots__ = ("_begun", "_conn", "_peer", "_pending", "_skip", "_window")

    def __init__(self, peer: EngineEvents, client: bool, limits: Http2Limits) -> None:
        config = H2Configuration(
            client_side=client,
            header_encoding=None,
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
            validate_inbound_headers=False,
            normalize_inbound_headers=False,
        )
        conn = self._conn = H2Connection(config)
        self._peer = peer
        self._pending = b""
        self._window = limits.stream_window
        self._begun = 0  # frames received
        self._skip = 0 if client else len(PREFACE)
        initial = {
            # The codec counts streams: h2 would end the connection for one too many.
            SettingCodes.MAX_CONCURRENT_STREAMS: MAX_31,
            SettingCodes.MAX_HEADER_LIST_SIZE: limits.max_header_list_size,
        }
        if client:
            initial[SettingCodes.ENABLE_PUSH] = int(limits.enable_push)
        else:
            initial[SettingCodes.ENABLE_CONNECT_PROTOCOL] = int(limits.enable_connect_protocol)
        conn.local_settings = Settings(client=client, initial_values=initial)
        conn.encoder = CachingEncoder()
        conn.decoder = _Decoder()
        conn.decoder.max_header_list_size = limits.engineListSize
        conn.initiate_connection()
        conn.data_to_send()  # the codec writes SETTINGS itself, with its own count of streams
        # They bind the peer once it has acknowledged them (RFC 9113 6.5.3).
        conn.local_settings[SettingCodes.HEADER_TABLE_SIZE] = limits.header_table_size
        conn.local_settings[SettingCodes.INITIAL_WINDOW_SIZE] = limits.stream_window
        conn.increment_flow_control_window(limits.wholeWindow - DEFAULT_WINDOW)

    def receive(self, data: bytes, whole: bool = True) -> None:
        """See `Engine.receive`."""
        if self._pending:
            data = self._pending + data
        start = position = self._skip if len(data) >= self._skip else 0
        if self._skip and not start:  # the preface, or what should be it
            if not PREFACE.startswith(data):
                self._feed(data)
            self._pending = data
            return
        start = count = 0
        size = len(data)
        while position + _HEADER <= size:
            length = int.from_bytes(data[position : position + 3], "big")
            kind = data[position + 3]
            if length > self._conn.max_inbound_frame_size or kind in _LOOKED_AT or self._begun < 1:
                self._feed(data[start:position])
                start = position
                self._check(data[position : position + _HEADER], length, kind)
            end = position + _HEADER + length
            if end > size:
                break
            if kind == _GOAWAY:
                self._gone(data[position + _HEADER : end])
                start = end
            position = end
            self._begun += 1
            count += 1
            if count == _AT_ONCE:
                self._feed(data[start:position])
                start, count = position, 0
        self._skip = 0
        self._feed(data[start:position])
        self._pending = data[position:]

    def _check(self, header: bytes, length: int, kind: int) -> None:
        """Refuse what h2 would take, wait for, or refuse with another code.

        :raises EngineError: RFC 9113 3.4, 4.2, 6.5, 6.8; RFC 9218 7.1.
        """
        flags = header[4]
        number = int.from_bytes(header[5:], "big") & MAX_31
        if length > self._conn.max_inbound_frame_size:
            raise EngineError(FRAME_SIZE_ERROR, "a frame that is too long")
        if not self._begun and (kind != SETTINGS_FRAME or flags & _ACK):
            raise EngineError(H2_PROTOCOL_ERROR, "the first frame is not SETTINGS")
        if kind == SETTINGS_FRAME and flags & _ACK and length:
            raise EngineError(FRAME_SIZE_ERROR, "an acknowledgement with a payload")
        if kind in (_GOAWAY, _PRIORITY_UPDATE) and number:
            raise EngineError(H2_PROTOCOL_ERROR, "a frame of the connection on a stream")
        if kind == _PRIORITY_UPDATE and length < 4:
            raise EngineError(FRAME_SIZE_ERROR, "a PRIORITY_UPDATE frame that is too short")

    def _gone(self, payload: bytes) -> None:
        if len(payload) < 8:
            raise EngineError(FRAME_SIZE_ERROR, "a GOAWAY frame that is too short")
        last = int.from_bytes(payload[:4], "big") & MAX_31
        self._peer.goAwayReceived(last, int.from_bytes(payload[4:8], "big"))

    def _feed(self, data: bytes) -> None:
        if not data:
            return
        try:
            events = self._conn.receive_data(data)
        except H2ProtocolError as error:
            code = int(error.error_code)
            if isinstance(error.__cause__, HPACKError) and code == H2_PROTOCOL_ERROR:
                code = COMPRESSION_ERROR
            raise EngineError(code, _text(error)) from None
        except Exception as error:  # hpack's and hyperframe's, and what they forgot to catch
            raise EngineError(INTERNAL_ERROR, type(error).__name__) from None
        peer = self._peer
        for event in events:
            if type(event) is SettingsAcknowledged:
                self._reopen()
            handle = _HANDLERS.get(type(event))
            if handle is not None:
                handle(peer, event)

    def _reopen(self) -> None:
        """Let streams go on that a smaller window, now acknowledged, has left with none at all.

        The library would credit what was consumed before only when more is, and none can come.
        """
        conn = self._conn
        for number in list(conn.streams):
            with suppress(H2ProtocolError):  # a stream that is over
                window = conn.remote_flow_control_window(number)
                if window <= 0 < self._window:
                    conn.increment_flow_control_window(self._window - window, number)

    def take(self) -> bytes:
        """See `Engine.take`."""
        return self._conn.data_to_send() or b""

    def request(self, fields: Any, end: bool) -> int:
        """See `Engine.request`."""
        conn = self._conn
        number = conn.get_next_available_stream_id()
        conn.send_headers(number, fields, end_stream=end)
        conn.streams[number].request_method = None  # data for HEAD would end the connection
        return number

    def response(self, number: int, fields: Any, end: bool) -> None:
        """See `Engine.response`."""
        self._conn.send_headers(number, fields, end_stream=end)

    def interim(self, number: int, fields: Any) -> None:
        """See `Engine.interim`."""
        self._conn.send_headers(number, fields)

    def data(self, number: int, data: bytes, end: bool) -> None:
        """See `Engine.data`."""
        conn = self._conn
        most = conn.max_outbound_frame_size
        if len(data) <= most:
            conn.send_data(number, data, end_stream=end)
            return
        for start in range(0, len(data), most):
            piece = data[start : start + most]
            conn.send_data(number, piece, end_stream=end and start + most >= len(data))

    def trailers(self, number: int, fields: Any) -> None:
        """See `Engine.trailers`."""
        self._conn.send_headers(number, fields, end_stream=True)

    def reset(self, number: int, code: int) -> None:
        """See `Engine.reset`."""
        self._conn.reset_stream(number, code)

    def push(self, number: int, fields: Any) -> int:
        """See `Engine.push`."""
        promised = self._conn.get_next_available_stream_id()
        self._conn.push_stream(number, promised, fields)
        return promised

    def consumed(self, number: int, size: int) -> None:
        """See `Engine.consumed`."""
        self._conn.acknowledge_received_data(size, number)

    def ping(self, payload: bytes) -> None:
        """See `Engine.ping`."""
        self._conn.ping(payload)


class _Decoder(CachingDecoder):
    """Hides Content-Length from the library."""

    def decode(self, data: bytes, raw: bool = False) -> Iterable[HeaderTuple]:
        return [
            field if field[0] != b"content-length" else HeaderTuple(_HIDDEN, field[1])
            for field in super().decode(data, raw)
        ]


def _shown(fields: Sequence[Any]) -> Sequence[Any]:
    """Return what `_Decoder` has read."""
    return [field if field[0] is not _HIDDEN else (b"content-length", field[1]) for field in fields]


def _text(error: Exception) -> str:
    """The library's words may quote the peer: only the kind of the error is shown."""
    return f"HTTP/2: {type(error).__name__}"


def _head(peer: EngineEvents, event: Any) -> None:
    peer.headersReceived(event.stream_id, _shown(event.headers), event.stream_ended is not None)


def _interim(peer: EngineEvents, event: Any) -> None:
    peer.interimReceived(event.stream_id, _shown(event.headers))


def _data(peer: EngineEvents, event: Any) -> None:
    end = event.stream_ended is not None
    peer.dataReceived(event.stream_id, event.data, event.flow_controlled_length, end)


def _trailers(peer: EngineEvents, event: Any) -> None:
    peer.trailersReceived(event.stream_id, _shown(event.headers))


def _reset(peer: EngineEvents, event: Any) -> None:
    peer.resetReceived(event.stream_id, int(event.error_code), not event.remote_reset)


def _push(peer: EngineEvents, event: Any) -> None:
    peer.pushReceived(event.parent_stream_id, event.pushed_stream_id, _shown(event.headers))


def _settings(peer: EngineEvents, event: Any) -> None:
    changed = event.changed_settings
    peer.settingsReceived({int(key): change.new_value for key, change in changed.items()})


def _window(peer: EngineEvents, event: Any) -> None:
    peer.windowReceived(event.stream_id or 0, event.delta)


def _pong(peer: EngineEvents, event: Any) -> None:
    peer.pongReceived(event.ping_data)


_HANDLERS: dict[Any, Any] = {
    RequestReceived: _head,
    ResponseReceived: _head,
    InformationalResponseReceived: _interim,
    DataReceived: _data,
    TrailersReceived: _trailers,
    StreamReset: _reset,
    PushedStreamReceived: _push,
    RemoteSettingsChanged: _settings,
    WindowUpdated: _window,
    PingAckReceived: _pong,
}
