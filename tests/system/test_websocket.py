"""WebSocket through the real daemon: the ``websockets`` library on both sides, and bare sockets."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve

from tests.system.daemon import PATIENCE, Daemon, freePort, proxyConfig, until

ASK = (
    b"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


class WebSocketTestCase(SynchronousTestCase):
    """A daemon in front of one port, with an access log."""

    def start(self, upstream: int, **options: Any) -> None:
        """Start the daemon."""
        directory = tempfile.TemporaryDirectory(prefix="mosntx-websocket-")
        self.addCleanup(directory.cleanup)
        self.log = Path(directory.name, "access.log")
        form = "%response_code% %bytes_received% %bytes_sent%"
        options.setdefault("server", "graceful_timeout: 10s")
        self.port = freePort()
        config = proxyConfig(
            self.port,
            [upstream],
            listener=f'access_logs: [{{log_path: "{self.log}", log_format: "{form}"}}]',
            **options,
        )
        self.daemon = Daemon(config, self.port)
        self.addCleanup(self.daemon.stop)

    def logged(self, count: int) -> list[str]:
        """Return the lines of the access log, once there are as many."""

        def lines() -> list[str]:
            return self.log.read_text().splitlines() if self.log.exists() else []

        until(lambda: len(lines()) >= count, "the access log has its lines")
        return lines()


class EchoServer:
    """Sends back what comes.

    :ivar closed: the code of each close.
    """

    def __init__(self) -> None:
        self.closed: list[int | None] = []
        self._server = serve(
            self._echo, "127.0.0.1", 0, max_size=None, process_request=self._refuse
        )
        self.port = int(self._server.socket.getsockname()[1])
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._server.shutdown()
        self._thread.join(PATIENCE)

    def _echo(self, connection: ServerConnection) -> None:
        """Send back what comes."""
        with contextlib.suppress(ConnectionClosed):
            for message in connection:
                if message == "leave":
                    connection.close(4000, "you said so")
                else:
                    connection.send(message)
        self.closed.append(connection.close_code)

    def _refuse(self, connection: ServerConnection, request: Any) -> Any:
        """Refuse one path."""
        if request.path == "/private":
            return connection.respond(403, "not for you\n")
        return None


class LibraryTests(WebSocketTestCase):
    """What people run."""

    def setUp(self) -> None:
        """Start an echo server behind the daemon."""
        self.echo = EchoServer()
        self.addCleanup(self.echo.stop)
        self.start(self.echo.port)

    def connect(self, path: str = "/", **options: Any) -> ClientConnection:
        """Connect through the daemon."""
        return connect(f"ws://127.0.0.1:{self.port}{path}", max_size=None, **options)

    def test_messages(self) -> None:
        """Texts, octets, long messages, pings, compression and subprotocols pass."""
        with self.connect("/a?b=c") as client:
            assert client.response is not None
            self.assertIn("permessage-deflate", client.response.headers["Sec-WebSocket-Extensions"])
            for message in ("grüße", b"\0\r\n\r\n\xff", "", "x" * 100_000, os.urandom(3_000_000)):
                client.send(message)
                self.assertEqual(client.recv(PATIENCE), message)
            self.assertTrue(client.ping().wait(PATIENCE))
        until(lambda: self.echo.closed == [1000], "the server has heard the close")
        (line,) = self.logged(1)
        status, received, sent = map(int, line.split())
        self.assertEqual(status, 101)
        self.assertGreater(received, 3_000_000)
        self.assertGreater(sent, 3_000_000)

    def test_serverCloses(self) -> None:
        """The server's close code comes down."""
        with self.connect() as client:
            client.send("leave")
            with self.assertRaises(ConnectionClosed):
                client.recv(PATIENCE)
            self.assertEqual((client.close_code, client.close_reason), (4000, "you said so"))
        self.assertEqual(self.logged(1)[0].split()[0], "101")

    def test_refused(self) -> None:
        """A refusal reaches the client as it is."""
        with self.assertRaises(InvalidStatus) as caught:
            self.connect("/private")
        response = caught.exception.response
        self.assertEqual((response.status_code, response.body), (403, b"not for you\n"))
        self.assertEqual(self.logged(1)[0].split()[0], "403")

    def test_many(self) -> None:
        """Forty at once, each with its own words, and a line of the log for each."""

        def talk(number: int) -> list[str | bytes]:
            with self.connect() as client:
                for turn in range(20):
                    client.send(f"{number}.{turn}")
                return [client.recv(PATIENCE) for _ in range(20)]

        with ThreadPoolExecutor(40) as threads:
            for number, got in enumerate(threads.map(talk, range(40))):
                self.assertEqual(got, [f"{number}.{turn}" for turn in range(20)])
        self.assertEqual([line.split()[0] for line in self.logged(40)], ["101"] * 40)


class SocketsTestCase(WebSocketTestCase):
    """Bare sockets at both ends."""

    def setUp(self) -> None:
        """Listen behind the daemon."""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE)
        self.addCleanup(self.listener.close)

    def receive(self, end: socket.socket, size: int = 1 << 40) -> bytes:
        """Return so many octets, or all until the end."""
        got = bytearray()
        while len(got) < size:
            part = end.recv(min(size - len(got), 65536))
            if not part:
                break
            got += part
        return bytes(got)

    def sendAll(self, end: socket.socket, octets: bytes) -> None:
        """Send, then finish."""
        end.sendall(octets)
        end.shutdown(socket.SHUT_WR)


class SocketTests(SocketsTestCase):
    """What only bare sockets show."""

    def begin(self, **options: Any) -> None:
        """Start the daemon."""
        self.start(self.listener.getsockname()[1], **options)

    def ask(self) -> tuple[socket.socket, socket.socket]:
        """Send the offer; return both ends."""
        client = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        self.addCleanup(client.close)
        client.sendall(ASK)
        upstream, _ = self.listener.accept()
        upstream.settimeout(PATIENCE)
        self.addCleanup(upstream.close)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += upstream.recv(65536)
        self.assertIn(b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n", head)
        self.assertIn(b"\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", head)
        return client, upstream

    def tunnel(self) -> tuple[socket.socket, socket.socket]:
        """Accept the offer; return both ends."""
        client, upstream = self.ask()
        upstream.sendall(SWITCH)
        self.assertEqual(self.receive(client, len(SWITCH)), SWITCH)
        return client, upstream

    def test_halfClose(self) -> None:
        """Either end may finish first, and still gets what the other says."""
        self.begin()
        size = 8 << 20
        octets = os.urandom(size)
        for turn in range(2):
            ends = self.tunnel()
            first, last = ends[turn], ends[1 - turn]
            sender = threading.Thread(target=lambda end=first: self.sendAll(end, octets))
            sender.start()
            self.assertEqual(self.receive(last), octets)
            sender.join(PATIENCE)
            self.sendAll(last, b"thank you")
            self.assertEqual(self.receive(first), b"thank you")
        lines = [f"101 {size} 9", f"101 9 {size}"]
        self.assertEqual(self.logged(2), lines)

    def test_connect(self) -> None:
        """CONNECT where the route allows it: octets to the cluster, and each end for itself."""
        self.begin(route="allow_connect: true")
        client = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        self.addCleanup(client.close)
        client.sendall(b"CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n")
        upstream, _ = self.listener.accept()
        upstream.settimeout(PATIENCE)
        self.addCleanup(upstream.close)
        connected = b"HTTP/1.1 200 OK\r\n\r\n"
        self.assertEqual(self.receive(client, len(connected)), connected)
        octets = os.urandom(3 << 20)
        sender = threading.Thread(target=self.sendAll, args=(client, octets))
        sender.start()
        self.assertEqual(self.receive(upstream), octets)
        sender.join(PATIENCE)
        self.sendAll(upstream, b"thank you")
        self.assertEqual(self.receive(client), b"thank you")
        self.assertEqual(self.logged(1), [f"200 {3 << 20} 9"])

    def test_clientIsGone(self) -> None:
        """A client that closes ends the upstream's connection."""
        self.begin()
        client, upstream = self.tunnel()
        client.sendall(b"last words")
        client.close()
        self.assertEqual(self.receive(upstream), b"last words")
        upstream.close()
        self.assertEqual(self.logged(1), ["101 10 0"])

    def test_refusalKeepsTheConnections(self) -> None:
        """After a refusal the same connections carry the next request."""
        self.begin()
        client, upstream = self.ask()
        refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"
        upstream.sendall(refusal)
        self.assertEqual(self.receive(client, len(refusal)), refusal)
        client.sendall(b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertTrue(upstream.recv(65536).startswith(b"GET /next HTTP/1.1\r\n"))

    def test_drain(self) -> None:
        """A tunnel goes on while the daemon drains, and is cut when the time is over."""
        self.begin(server="graceful_timeout: 1s")
        client, upstream = self.tunnel()
        self.daemon.kill(signal.SIGTERM)
        until(lambda: "draining" in self.daemon.output, "the drain begins")
        client.sendall(b"still here")
        self.assertEqual(self.receive(upstream, 10), b"still here")
        with contextlib.suppress(ConnectionResetError):
            self.assertEqual(client.recv(1), b"")
        self.assertEqual(self.daemon.wait(), 0)
        self.assertEqual(self.logged(1), ["101 10 0"])

    def test_idle(self) -> None:
        """A tunnel in which nothing moves ends after the idle timeout."""
        self.begin(proxy="stream_idle_timeout: 1s")
        client, _upstream = self.tunnel()
        with contextlib.suppress(ConnectionResetError):
            self.assertEqual(client.recv(1), b"")
        self.assertEqual(self.logged(1), ["101 0 0"])
