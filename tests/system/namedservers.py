"""Servers that answer with their name, so that a test sees which host was chosen."""

from __future__ import annotations

import socket
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from mosntx.testing.frames import boltResponse

#: Octets of a Bolt request of version 1 before its class name; the last 8 are the lengths.
BOLT_HEAD = 22


def receive(connection: socket.socket, size: int) -> bytes:
    """Read exactly ``size`` octets; ``b""`` when none come any more."""
    octets = b""
    while len(octets) < size:
        part = connection.recv(size - len(octets))
        if not part:
            return b""
        octets += part
    return octets


def readBolt(connection: socket.socket, head: int = BOLT_HEAD) -> bytes:
    """Read one Bolt frame of version 1; ``b""`` at the end of the connection.

    :param head: octets before the class name: 22 of a request, 20 of a response.
    """
    octets = receive(connection, head)
    if not octets:
        return b""
    lengths = octets[-8:]
    size = sum(int.from_bytes(lengths[start:end], "big") for start, end in ((0, 2), (2, 4), (4, 8)))
    return octets + receive(connection, size)


class NamedServer:
    """A server on a free port, in threads; each answer is its name.

    :param rpc: it speaks Bolt, not HTTP/1.1.
    """

    def __init__(self, name: str, rpc: bool = False) -> None:
        handler = _boltServer(name.encode()) if rpc else _httpServer(name.encode())
        kind = _BoltServer if rpc else ThreadingHTTPServer
        self._server = kind(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def stop(self) -> None:
        """Close the port. Connections end with their clients."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _BoltServer(socketserver.ThreadingTCPServer):
    block_on_close = False


def _httpServer(name: bytes) -> type[BaseHTTPRequestHandler]:
    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(name)))
            self.end_headers()
            self.wfile.write(name)

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    return Answer


def _boltServer(name: bytes) -> type[socketserver.BaseRequestHandler]:
    class Answer(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while frame := readBolt(self.request):
                self.request.sendall(boltResponse(int.from_bytes(frame[5:9], "big"), name))

    return Answer
