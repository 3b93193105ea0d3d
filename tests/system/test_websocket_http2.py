"""WebSocket and CONNECT over HTTP/2 through real daemons, one or two of them."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage

from mosntx.protocol.websocket import acceptFor
from tests.system import test_websocket
from tests.system.daemon import PATIENCE, Daemon, freePort, proxyConfig, until
from tests.system.http2client import Answer, Http2Client
from tests.system.sidecars import H2, NGH2, WITHOUT_NGH2, Hop, startSidecar

ENABLE_CONNECT_PROTOCOL = 0x8


class TwoSidecars:
    """HTTP/1.1 into one sidecar, HTTP/2 to the other, HTTP/1.1 out of it."""

    engine: ClassVar[str] = NGH2

    def start(self: Any, upstream: int, **options: Any) -> None:
        """Start both; the near one writes the access log."""
        inner = Hop("inner", upstream, "Http2", onward="Http1")
        daemon = startSidecar(self.engine, inner)
        self.addCleanup(daemon.stop)
        options["route"] = "upstream_protocol: Http2"
        directory = tempfile.TemporaryDirectory(prefix="mosntx-websocket-")
        self.addCleanup(directory.cleanup)
        self.log = Path(directory.name, "access.log")
        form = "%response_code% %bytes_received% %bytes_sent%"
        self.port = freePort()
        options.setdefault("server", "graceful_timeout: 10s")
        config = proxyConfig(
            self.port,
            [inner.port],
            listener=f'access_logs: [{{log_path: "{self.log}", log_format: "{form}"}}]',
            **options,
        )
        self.daemon = Daemon(config, self.port)
        self.addCleanup(self.daemon.stop)


class MeshTests(TwoSidecars, test_websocket.LibraryTests):
    """The ``websockets`` library at both ends."""


class MeshOfH2Tests(TwoSidecars, test_websocket.LibraryTests):
    """The same with hyper-h2 in the far sidecar."""

    engine = WITHOUT_NGH2


class MeshSocketTests(TwoSidecars, test_websocket.SocketsTestCase):
    """Bare sockets at both ends."""

    def setUp(self) -> None:
        """Listen behind the far sidecar."""
        super().setUp()
        self.start(self.listener.getsockname()[1])

    def tunnel(self) -> tuple[socket.socket, socket.socket]:
        """Let both ends agree."""
        client = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        self.addCleanup(client.close)
        client.sendall(test_websocket.ASK)
        upstream, _ = self.listener.accept()
        upstream.settimeout(PATIENCE)
        self.addCleanup(upstream.close)
        head = self.head(upstream)
        self.assertNotIn(b"dGhlIHNhbXBsZSBub25jZQ==", head)
        accept = acceptFor(head.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0])
        upgrade = test_websocket.SWITCH.removesuffix(b"\r\n")
        upstream.sendall(upgrade + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        answer = self.head(client)
        self.assertIn(b"\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", answer)
        return client, upstream

    def head(self, end: socket.socket) -> bytes:
        """Read a head."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += end.recv(1)
        return head

    def test_halfClose(self) -> None:
        """Either end may finish first, and still gets what the other says."""
        size = 4 << 20
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
        self.assertEqual(self.logged(2), [f"101 {size} 9", f"101 9 {size}"])

    def test_gone(self) -> None:
        """Either end that leaves takes the other with it."""
        client, upstream = self.tunnel()
        client.sendall(b"last words")
        client.close()
        self.assertEqual(self.receive(upstream), b"last words")
        upstream.close()
        client, upstream = self.tunnel()
        upstream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        upstream.close()  # with a RST
        with self.assertRaises(ConnectionResetError):
            while client.recv(1):
                pass
            raise ConnectionResetError  # a FIN will do


class Http2TestCase(SynchronousTestCase):
    """An RFC 8441 client on hyper-h2, in front of one sidecar or two."""

    def clientOf(self, port: int) -> Http2Client:
        """Connect, and wait for the SETTINGS."""
        client = Http2Client(port)
        self.addCleanup(client.close)
        while not client.allows(ENABLE_CONNECT_PROTOCOL):
            client.turn()
        return client


class Http2ClientTests(Http2TestCase):
    """A client on HTTP/2, the ``websockets`` library behind one sidecar."""

    engine = NGH2

    def setUp(self) -> None:
        """Start both."""
        self.echo = test_websocket.EchoServer()
        self.addCleanup(self.echo.stop)
        self.begin(self.echo.port)

    def begin(self, upstream: int) -> None:
        """Start what is in front of the server."""
        hop = Hop("front", upstream, "Http2", onward="Http1")
        daemon = startSidecar(self.engine, hop)
        self.addCleanup(daemon.stop)
        self.port = hop.port

    def open(self, path: str = "/") -> tuple[Http2Client, int, Answer]:
        """Make an offer; return client, stream and the answer, whose head has come."""
        client = self.clientOf(self.port)
        number = client.connect("test", "websocket", path)
        answer = client.answers[number]
        while not answer.status:
            client.turn()
        return client, number, answer

    def next(self, client: Http2Client, answer: Answer, ws: Connection) -> list[Any]:
        """Return the next events of the WebSocket; read as long as there are none."""
        while True:
            octets = bytes(answer.body)
            answer.body.clear()
            ws.receive_data(octets or (None if answer.over else b""))
            events = list(ws.events())
            if events or answer.over:
                return events
            client.turn()

    def test_messages(self) -> None:
        """Texts, 1 MiB of octets and pings pass; then the client closes."""
        client, number, answer = self.open("/a?b=c")
        self.assertEqual(answer.status, 200)
        names = {name for name, _ in answer.headers}
        self.assertFalse(names & {b"connection", b"upgrade", b"sec-websocket-accept"}, names)
        ws = Connection(ConnectionType.CLIENT)
        octets = os.urandom(1 << 20)
        for message in ("grüße", octets, ""):
            kind: Any = TextMessage if isinstance(message, str) else BytesMessage
            client.sendAll(number, ws.send(kind(data=message)))
            got: Any = [] if isinstance(message, bytes) else [""]
            finished = False
            while not finished:
                for event in self.next(client, answer, ws):
                    got.append(event.data)
                    finished = event.message_finished
            self.assertEqual(type(message)().join(got), message)
        client.sendAll(number, ws.send(Ping(payload=b"are you there")))
        self.assertEqual(self.next(client, answer, ws), [Pong(payload=b"are you there")])
        client.sendAll(number, ws.send(CloseConnection(code=1000, reason="enough")))
        (event,) = self.next(client, answer, ws)
        self.assertEqual(event.code, 1000)
        client.send(number, b"", True)
        client.finish(number)
        self.assertIsNone(answer.reset)
        until(lambda: self.echo.closed == [1000], "the server has heard the close")

    def test_serverCloses(self) -> None:
        """The server's close code comes down, and then its end."""
        client, number, answer = self.open()
        ws = Connection(ConnectionType.CLIENT)
        client.sendAll(number, ws.send(TextMessage(data="leave")))
        (event,) = self.next(client, answer, ws)
        self.assertEqual((event.code, event.reason), (4000, "you said so"))
        client.sendAll(number, ws.send(event.response()))
        client.finish(number)
        self.assertIsNone(answer.reset)
        client.send(number, b"", True)
        self.assertEqual(client.finish(client.request("GET", "/")).status, 426)

    def test_refused(self) -> None:
        """A refusal reaches the client as it is, and the connection serves on."""
        client, number, answer = self.open("/private")
        client.finish(number)
        self.assertEqual((answer.status, bytes(answer.body)), (403, b"not for you\n"))
        self.assertEqual(client.finish(client.request("GET", "/")).status, 426)

    def test_many(self) -> None:
        """Forty tunnels on one connection do not mix, and ordinary requests pass beside them."""
        client = self.clientOf(self.port)
        numbers = [client.connect("test", "websocket") for _ in range(40)]
        while not all(client.answers[number].status for number in numbers):
            client.turn()
        talks = {number: Connection(ConnectionType.CLIENT) for number in numbers}
        for number, ws in talks.items():
            client.sendAll(number, ws.send(TextMessage(data=f"I am {number}")))
        for number, ws in talks.items():
            (event,) = self.next(client, client.answers[number], ws)
            self.assertEqual(event.data, f"I am {number}")
        self.assertEqual(client.finish(client.request("GET", "/")).status, 426)

    def test_otherProtocol(self) -> None:
        """Another protocol than WebSocket is 501."""
        client = self.clientOf(self.port)
        number = client.connect("test", "connect-udp")
        self.assertEqual(client.finish(number).status, 501)


class Http2ClientOfH2Tests(Http2ClientTests):
    """The same with hyper-h2 in the sidecar."""

    engine = H2


class TwiceHttp2Tests(Http2ClientTests):
    """HTTP/2 between the sidecars too."""

    def begin(self, upstream: int) -> None:
        """Start two."""
        inner = Hop("inner", upstream, "Http2", onward="Http1")
        outer = Hop("outer", inner.port, "Http2")
        for engine, hop in ((H2, inner), (NGH2, outer)):
            daemon = startSidecar(engine, hop)
            self.addCleanup(daemon.stop)
        self.port = outer.port


class ConnectTests(Http2TestCase):
    """CONNECT on HTTP/2, to a server that speaks anything."""

    engine = NGH2

    def setUp(self) -> None:
        """Listen behind a sidecar."""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE)
        self.addCleanup(self.listener.close)
        port = self.listener.getsockname()[1]
        hop = Hop("front", port, "Http2", route="allow_connect: true")
        other = Hop("other", port, "Http2")
        daemon = startSidecar(self.engine, hop, other)
        self.addCleanup(daemon.stop)
        self.daemon = daemon
        self.ports = hop.port, other.port

    def test_connect(self) -> None:
        """3 MiB go up, an end, then an answer comes down; the other end finishes first as well."""
        octets = os.urandom(3 << 20)
        for clientFirst in (True, False):
            client = self.clientOf(self.ports[0])
            number = client.connect("db:5432")
            upstream, _ = self.listener.accept()
            upstream.settimeout(PATIENCE)
            self.addCleanup(upstream.close)
            answer = client.answers[number]
            while not answer.status:
                client.turn()
            self.assertEqual(answer.headers, [(b":status", b"200")])
            if not clientFirst:
                upstream.sendall(b"bye")
                upstream.shutdown(socket.SHUT_WR)
                client.finish(number)
            with ThreadPoolExecutor(1) as threads:
                came = threads.submit(self.count, upstream)
                client.sendAll(number, octets, True)
                self.assertEqual(came.result(PATIENCE), 3 << 20)
            if clientFirst:
                upstream.sendall(b"bye")
                upstream.shutdown(socket.SHUT_WR)
                client.finish(number)
            self.assertEqual((bytes(answer.body), answer.reset), (b"bye", None))

    def count(self, end: socket.socket) -> int:
        """Count octets until the end."""
        size = 0
        while part := end.recv(65536):
            size += len(part)
        return size

    def test_drain(self) -> None:
        """A tunnel goes on while the daemon drains, and is cut when the time is over."""
        client = self.clientOf(self.ports[0])
        number = client.connect("db:5432")
        upstream, _ = self.listener.accept()
        upstream.settimeout(PATIENCE)
        self.addCleanup(upstream.close)
        while not client.answers[number].status:
            client.turn()
        self.daemon.kill(signal.SIGTERM)
        while len(client.goAways) < 2:
            client.turn()
        client.sendAll(number, b"still here")
        self.assertEqual(upstream.recv(100), b"still here")
        upstream.sendall(b"so am I")
        while bytes(client.answers[number].body) != b"so am I":
            client.turn()
        client.outlast()
        self.assertEqual(self.daemon.wait(), 0)

    def test_notAllowed(self) -> None:
        """Where the route does not allow it: 405."""
        client = self.clientOf(self.ports[1])
        self.assertEqual(client.finish(client.connect("db:5432")).status, 405)


class ConnectOfH2Tests(ConnectTests):
    """The same with hyper-h2 in the sidecar."""

    engine = H2
