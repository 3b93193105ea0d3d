"""An HTTP/2 client on a blocking socket, which opens its windows only when it is told to."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence
from typing import Any

import attrs
from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)

from mosntx.testing.h2frames import priority, priorityUpdate

#: Seconds to wait for anything.
PATIENCE = 20.0


@attrs.define
class Answer:
    """What has come on one stream."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = attrs.field(factory=list)
    body: bytearray = attrs.field(factory=bytearray)
    trailers: list[tuple[bytes, bytes]] = attrs.field(factory=list)
    reset: int | None = None
    over: bool = False


class Http2Client:
    """One connection.

    :ivar answers: by stream.
    :ivar goAways: the last stream in each GOAWAY frame.
    :ivar order: the streams of DATA frames, as they came.
    :ivar closed: the server has closed the connection.
    """

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        # Small frames one after the other must not wait for acknowledgements of the kernel.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._h2 = H2Connection(
            H2Configuration(header_encoding=None, validate_outbound_headers=False)
        )
        self._h2.initiate_connection()
        self._greedy: set[int] = set()
        self.answers: dict[int, Answer] = {}
        self.goAways: list[int | None] = []
        self.order: list[int] = []
        self.closed = False
        self._send()

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        greedy: bool = True,
        end: bool = True,
        fields: Sequence[tuple[str, str]] = (),
    ) -> int:
        """Send a request; return the number of its stream.

        :param fields: further fields of its head.
        :param greedy: give back windows for what comes.
        """
        number = self._h2.get_next_available_stream_id()
        headers = [(":method", method), (":scheme", "http"), (":authority", "test")]
        self._h2.send_headers(number, [*headers, (":path", path), *fields], body is None and end)
        self.answers[number] = Answer()
        if greedy:
            self._greedy.add(number)
        self._send()
        if body is not None:
            self.send(number, body, end)
        return number

    def send(self, number: int, body: bytes, end: bool) -> None:
        """Send a small part of a request's body."""
        self._h2.send_data(number, body, end)
        self._send()

    def connect(self, authority: str, protocol: str = "", path: str = "/") -> int:
        """Ask for a tunnel; return the number of its stream.

        :param protocol: of an extended CONNECT (RFC 8441), with its path.
        """
        number = self._h2.get_next_available_stream_id()
        headers = [(":method", "CONNECT"), (":authority", authority)]
        if protocol:
            headers += [(":protocol", protocol), (":scheme", "http"), (":path", path)]
            headers += [("sec-websocket-version", "13")]
        self._h2.send_headers(number, headers)
        self.answers[number] = Answer()
        self._greedy.add(number)
        self._send()
        return number

    def sendAll(self, number: int, octets: bytes, end: bool = False) -> None:
        """Send as much as it is, as the windows allow it."""
        while octets:
            size = min(self._h2.local_flow_control_window(number), 16384, len(octets))
            if size:
                self._h2.send_data(number, octets[:size], end and size == len(octets))
                octets = octets[size:]
                self._send()
            else:
                self.turn()

    def allows(self, setting: int) -> int | None:
        """Return what the server has said about a setting."""
        value: int | None = self._h2.remote_settings.get(setting)
        return value

    def openConnection(self, size: int) -> None:
        """Enlarge the window of the connection."""
        self._h2.increment_flow_control_window(size)
        self._send()

    def openStream(self, number: int, size: int, greedy: bool = True) -> None:
        """Enlarge the window of a stream.

        :param greedy: give back what it takes from now on.
        """
        self._h2.increment_flow_control_window(size, number)
        if greedy:
            self._greedy.add(number)
        self._send()

    def prioritise(self, number: int, value: bytes) -> None:
        """Give a stream another priority (RFC 9218 7.1)."""
        self._socket.sendall(priorityUpdate(number, value))

    def depend(self, number: int, parent: int) -> None:
        """Let a stream depend on another (RFC 7540 5.3)."""
        self._socket.sendall(priority(number, parent, 1, True))

    def reset(self, number: int) -> None:
        """Give up a stream."""
        self._h2.reset_stream(number, 8)
        self._send()

    def finish(self, number: int) -> Answer:
        """Return the whole answer of a stream."""
        answer = self.answers[number]
        while not answer.over:
            self.turn()
        return answer

    def outlast(self) -> None:
        """Wait for the server to close the connection."""
        with contextlib.suppress(ConnectionError):
            while not self.closed:
                self.turn()

    def turn(self) -> None:
        """Read once.

        :raises TimeoutError: when nothing comes.
        :raises ConnectionError: when nothing more comes.
        """
        octets = self._socket.recv(1 << 18)
        if not octets:
            self.closed = True
            raise ConnectionError(f"closed by the server: {self.answers}, {self.goAways}")
        for event in self._h2.receive_data(octets):
            self._take(event)
        self._send()

    def _take(self, event: Any) -> None:
        if isinstance(event, ConnectionTerminated):
            self.goAways.append(event.last_stream_id)
            # h2 takes every GOAWAY for the end; streams that have begun go on all the same.
            self._h2.state_machine.state = ConnectionState.CLIENT_OPEN
            return
        answer = self.answers.get(getattr(event, "stream_id", None) or 0)
        if answer is None:
            return
        if isinstance(event, ResponseReceived):
            answer.headers = [(bytes(name), bytes(value)) for name, value in event.headers]
            answer.status = int(dict(answer.headers)[b":status"])
        elif isinstance(event, DataReceived):
            answer.body += event.data
            self.order.append(event.stream_id)
            size, number = event.flow_controlled_length, event.stream_id
            if size and number in self._greedy:
                self._h2.acknowledge_received_data(size, number)
        elif isinstance(event, TrailersReceived):
            answer.trailers = [(bytes(name), bytes(value)) for name, value in event.headers]
        elif isinstance(event, StreamReset):
            answer.reset, answer.over = int(event.error_code), True
        elif isinstance(event, StreamEnded):
            answer.over = True

    def _send(self) -> None:
        octets = self._h2.data_to_send()
        if octets:
            self._socket.sendall(octets)
