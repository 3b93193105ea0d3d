"""HTTP/1 at both ends, HTTP/2 between two real sidecars."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import requests
from twisted.trial.unittest import SynchronousTestCase

from tests.system.daemon import Daemon, freePort
from tests.system.sidecars import H2, NGH2, WITHOUT_NGH2, Hop, startSidecar

#: An answer with trailers, whatever was asked.
ANSWER = (
    b"HTTP/1.1 %d Said\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\nX-Size: %d\r\n"
    b"X-Got: %s\r\n\r\n%s0\r\nX-Sum: behind\r\n\r\n"
)


class Upstream:
    """Answers ``/STATUS`` with that status and the body it was sent, one thread a connection.

    What it was sent in trailers comes back in the header ``X-Got``.
    """

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port = int(self._listener.getsockname()[1])
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def stop(self) -> None:
        """End, once the far sidecar has ended."""
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
        with connection, connection.makefile("rb") as reader, contextlib.suppress(OSError):
            while line := reader.readline():
                method, path, _ = line.split()
                headers = http.client.parse_headers(reader)
                body, trailer = b"", b"none"
                if headers.get("transfer-encoding") == "chunked":
                    while size := int(reader.readline(), 16):
                        body += reader.read(size)
                        reader.readline()
                    behind = http.client.parse_headers(reader)
                    trailer = (behind.get("x-behind") or "none").encode()
                elif length := int(headers.get("content-length") or 0):
                    body = reader.read(length)
                connection.sendall(self._answer(method, int(path[1:]), body, trailer))

    def _answer(self, method: bytes, status: int, body: bytes, trailer: bytes) -> bytes:
        if status in (204, 304):
            return b"HTTP/1.1 %d Said\r\nX-Size: 0\r\n\r\n" % status
        chunk = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
        answer = ANSWER % (status, len(body), trailer, chunk)
        return answer[: answer.index(b"\r\n\r\n") + 4] if method == b"HEAD" else answer


class MeshTests(SynchronousTestCase):
    """Client, near sidecar, far sidecar, server; the far one with the engine ngh2."""

    engines = (WITHOUT_NGH2, NGH2)

    def setUp(self) -> None:
        upstream = Upstream()
        self.addCleanup(upstream.stop)
        near, far = self.engines
        inner = Hop("inner", upstream.port, "Http2", onward="Http1")
        outer = Hop("outer", inner.port, "Http1", onward="Http2")
        self.admin = freePort()
        for engine, hop, admin in ((far, inner, 0), (near, outer, self.admin)):
            daemon = startSidecar(engine, hop, admin=admin)
            self.addCleanup(self.stopDaemon, daemon)
        self.port = outer.port

    def stopDaemon(self, daemon: Daemon) -> None:
        self.assertEqual(daemon.stop(), 0)

    def exchange(self, method: str, path: str, body: bytes = b"") -> tuple[int, str | None, bytes]:
        """Return status, size that the server saw, and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.getheader("x-size"), answer.read()

    def test_statuses(self) -> None:
        """Statuses pass, those without a body too, and HEAD."""
        for status in (200, 201, 204, 301, 304, 404, 429, 500, 503):
            self.assertEqual(self.exchange("GET", f"/{status}"), (status, "0", b""))
        self.assertEqual(self.exchange("HEAD", "/200"), (200, "0", b""))

    def test_bodies(self) -> None:
        """Bodies of up to 1 MiB arrive whole, there and back."""
        for size in (1, 16384, 65535, 65536, 1 << 20):
            body = os.urandom(size)
            status, seen, back = self.exchange("POST", "/200", body)
            self.assertEqual((status, seen), (200, str(size)))
            self.assertEqual(hashlib.sha256(back).digest(), hashlib.sha256(body).digest())

    def test_trailers(self) -> None:
        """Trailers pass in both directions."""
        with socket.create_connection(("127.0.0.1", self.port), 20) as client:
            client.sendall(
                b"POST /200 HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: close, TE\r\n"
                b"Trailer: X-Behind\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"3\r\nabc\r\n0\r\nX-Behind: said later\r\n\r\n"
            )
            octets = b""
            while part := client.recv(65536):
                octets += part
        head, _, body = octets.lower().partition(b"\r\n\r\n")
        self.assertIn(b"\r\nx-got: said later", head)
        self.assertTrue(body.endswith(b"\r\n0\r\nx-sum: behind\r\n\r\n"), octets)

    def test_oneConnection(self) -> None:
        """100 requests at once share one connection between the sidecars."""
        bodies = [os.urandom(number * 50) for number in range(100)]
        with ThreadPoolExecutor(100) as threads:
            answers = list(threads.map(lambda body: self.exchange("PUT", "/200", body), bodies))
        self.assertEqual(answers, [(200, str(len(body)), body) for body in bodies])
        url = f"http://127.0.0.1:{self.admin}/api/v1/stats"
        stats = requests.get(url, timeout=10).json()["upstream"]["cluster.outer"]
        self.assertEqual(stats["connection_total"], "1")


class MeshTheOtherWayTests(MeshTests):
    """The same with ngh2 in the near sidecar."""

    engines = (NGH2, H2)
