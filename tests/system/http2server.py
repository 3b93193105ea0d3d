"""An HTTP/2 server that pushes, in a thread: what a page needs is promised with the page."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamReset, UnknownFrameReceived
from h2.settings import SettingCodes, Settings

#: The page, and what else belongs to it: something that leaves at once, and something that has to
#: wait for windows.
PAGE = b'<html><link rel="stylesheet" href="/style.css"><img src="/logo.png"></html>'
PUSHED = {"/style.css": b"body { color: green }", "/logo.png": b"\x89PNG" + bytes(300000)}

_NO_RFC7540_PRIORITIES = 0x9
_PRIORITY_UPDATE = 0x10


class PushingServer:
    """Answers ``/`` with `PAGE` and pushes `PUSHED`; 404 for the rest.

    A request with a body is answered when all of it has come.

    :ivar resets: streams that the client has given up, with the error code.
    :ivar promised: streams that were promised, and their paths.
    :ivar asked: paths that were asked for.
    :ivar priorities: what PRIORITY_UPDATE frames said: stream and field.
    """

    def __init__(self) -> None:
        self.resets: list[tuple[int, int]] = []
        self.promised: list[tuple[int, str]] = []
        self.asked: list[str] = []
        self.priorities: list[tuple[int, bytes]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def stop(self) -> None:
        """End, once the sidecar has ended."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        h2 = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        # It has to be in the first SETTINGS (RFC 9218 2.1).
        h2.local_settings = Settings(False, {_NO_RFC7540_PRIORITIES: 1})  # type: ignore[dict-item]
        h2.initiate_connection()
        bodies: dict[int, bytes] = {}
        with connection, contextlib.suppress(OSError):
            connection.sendall(h2.data_to_send())
            while octets := connection.recv(65536):
                for event in h2.receive_data(octets):
                    self._take(h2, event, bodies)
                for number in list(bodies):
                    bodies[number] = self._send(h2, number, bodies[number])
                    if not bodies[number]:
                        del bodies[number]
                connection.sendall(h2.data_to_send())

    def _send(self, h2: H2Connection, number: int, body: bytes) -> bytes:
        """Send what the windows take; return the rest."""
        while body and (most := min(16384, h2.local_flow_control_window(number))) > 0:
            h2.send_data(number, body[:most], most >= len(body))
            body = body[most:]
        return body

    def _take(self, h2: H2Connection, event: Any, bodies: dict[int, bytes]) -> None:
        if isinstance(event, RequestReceived):
            headers = [
                (bytes(name).decode(), bytes(value).decode()) for name, value in event.headers
            ]
            path = dict(headers)[":path"]
            self.asked.append(path)
            if path == "/":
                self._push(h2, event.stream_id, dict(headers)[":authority"], bodies)
            elif path != "/silent":
                h2.send_headers(event.stream_id, [(":status", "404")], end_stream=True)
        elif isinstance(event, DataReceived):
            h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, StreamReset):
            bodies.pop(event.stream_id, None)
            self.resets.append((event.stream_id, int(event.error_code)))
        elif isinstance(event, UnknownFrameReceived):
            frame: Any = event.frame
            if frame.type == _PRIORITY_UPDATE:
                number = int.from_bytes(frame.body[:4], "big")
                self.priorities.append((number, frame.body[4:]))

    def _push(self, h2: H2Connection, page: int, authority: str, bodies: dict[int, bytes]) -> None:
        answers = {page: PAGE}
        if h2.remote_settings[SettingCodes.ENABLE_PUSH]:
            for path, body in PUSHED.items():
                number = h2.get_next_available_stream_id()
                head = [(":method", "GET"), (":scheme", "http"), (":authority", authority)]
                h2.push_stream(page, number, [*head, (":path", path)])
                self.promised.append((number, path))
                answers[number] = body
        for number, body in answers.items():
            h2.send_headers(number, [(":status", "200"), ("content-length", str(len(body)))])
        bodies.update(answers)
