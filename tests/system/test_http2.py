"""HTTP/2 through the real daemon: real clients in front, real servers behind."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from unittest import SkipTest

import httpx
import requests
from twisted.trial.unittest import SynchronousTestCase

from tests.system.daemon import Running, freePort, startHypercorn, until
from tests.system.http2client import Http2Client
from tests.system.sidecars import H2, NGH2, WITHOUT_NGH2, Hop, startSidecar

MEBIBYTE = 1 << 20
#: A download that is not read, and the memory that it may cost in KiB.
UNREAD, ROOM = 256 * MEBIBYTE, 32 * 1024
#: Seconds a client program may take.
PATIENCE = 30


def program(name: str) -> str:
    """Return the path of a program.

    :raises SkipTest: when it is not installed.
    """
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        raise SkipTest(f"{name} is not installed")
    return found


def blocks(size: int) -> bytes:
    """What the application answers to ``/bytes/size``."""
    return (bytes(range(256)) * (size // 256 + 1))[:size]


class ThroughTheDaemon(SynchronousTestCase):
    """A daemon in front of hypercorn, which accepts HTTP/1.1 and HTTP/2 on its port."""

    engine = NGH2

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="mosntx-upstream-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        upstream, self.admin = freePort(), freePort()
        self.upstream = self.startUpstream(upstream)
        self.addCleanup(self.upstream.stop, signal.SIGKILL)
        hops = {
            "same": Hop("same", upstream),
            "down": Hop("down", upstream, onward="Http1"),
            "up": Hop("up", upstream, "Http1", onward="Http2"),
            "auto": Hop("auto", upstream, "Auto"),
        }
        self.daemon = startSidecar(self.engine, *hops.values(), admin=self.admin)
        self.addCleanup(self.stopDaemon)
        self.ports = {name: hop.port for name, hop in hops.items()}

    def startUpstream(self, port: int) -> Running:
        """Start what stands behind the daemon."""
        return startHypercorn(port, self.directory)

    def stopDaemon(self) -> None:
        self.assertEqual(self.daemon.stop(), 0, "the daemon")

    def url(self, name: str, path: str = "/") -> str:
        """An URL at one of the listeners."""
        return f"http://127.0.0.1:{self.ports[name]}{path}"

    def connect(self, name: str) -> Http2Client:
        """Connect to one of the listeners."""
        client = Http2Client(self.ports[name])
        self.addCleanup(client.close)
        return client

    def counter(self, side: str, of: str, key: str) -> int:
        """What the admin API counts."""
        answer = requests.get(f"http://127.0.0.1:{self.admin}/api/v1/stats", timeout=10).json()
        return int(answer[side][of][key])

    def execute(self, *words: str) -> bytes:
        """Run a client program; return what it printed."""
        done = subprocess.run(words, capture_output=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, (done, self.daemon.output[-3000:]))
        return done.stdout


class ClientTests(ThroughTheDaemon):
    """Clients that people use, with the engine ngh2."""

    def test_curl(self) -> None:
        """Curl gets and posts up to 1 MiB, whatever is spoken on either side."""
        ways = [("same", "2"), ("down", "2"), ("auto", "2"), ("auto", "1.1"), ("up", "1.1")]
        body = Path(self.directory, "body")
        for name, version in ways:
            option = "--http2-prior-knowledge" if version == "2" else "--http1.1"
            curl = [program("curl"), "-sS", "--max-time", "20", "--noproxy", "*", option]
            for size in (0, 1, 16384, 65536, MEBIBYTE):
                got = self.execute(*curl, self.url(name, f"/bytes/{size}"))
                self.assertTrue(got == blocks(size), (name, size, len(got)))
                body.write_bytes(os.urandom(size))
                got = self.execute(*curl, "--data-binary", f"@{body}", self.url(name, "/x?a=b"))
                answer = json.loads(got)
                digest = hashlib.sha256(body.read_bytes()).hexdigest()
                self.assertEqual((answer["size"], answer["sha256"]), (size, digest), name)
                self.assertEqual((answer["path"], answer["query"]), ("/x", "a=b"))
            head = self.execute(*curl, "-I", self.url(name, "/bytes/1000"))
            self.assertTrue(head.startswith(f"HTTP/{version} 200".encode()), head)
            self.assertIn(b"content-length: 1000\r\n", head.lower())

    def test_httpx(self) -> None:
        """Bodies, repeated headers, statuses and a stream; one connection of each client."""
        for name in ("same", "down", "auto"):
            with httpx.Client(http1=False, http2=True, trust_env=False, timeout=20) as client:
                answer = client.get(self.url(name, "/x"), headers=[("X-A", "1"), ("X-A", "2")])
                self.assertEqual(answer.http_version, "HTTP/2")
                self.assertEqual(answer.headers.get_list("x-repeat"), ["1", "2"])
                sent = [value for key, value in answer.json()["headers"] if key == "x-a"]
                self.assertEqual(", ".join(sent), "1, 2")
                body = os.urandom(MEBIBYTE)
                answer = client.put(self.url(name, "/x"), content=body)
                self.assertEqual(answer.json()["sha256"], hashlib.sha256(body).hexdigest())
                for status in (204, 304, 404, 500, 503):
                    answer = client.get(self.url(name, f"/status/{status}"))
                    self.assertEqual(answer.status_code, status)
                with client.stream("GET", self.url(name, "/bytes/3000000")) as stream:
                    self.assertEqual(sum(len(part) for part in stream.iter_bytes()), 3_000_000)
            self.assertEqual(
                self.counter("downstream", f"listener.{name}", "connection_total"), 1, name
            )

    def test_largeFields(self) -> None:
        """A request with too much in its head gets 431; its connection serves on."""
        large = {"x-large": "l" * 40_000}
        many = {f"x-{number}": "1" for number in range(150)}
        with httpx.Client(http1=False, http2=True, trust_env=False, timeout=20) as client:
            for headers, status in ((large, 431), (many, 431), ({"x-some": "s" * 20_000}, 200)):
                answer = client.get(self.url("same", "/bytes/10"), headers=headers)
                self.assertEqual(answer.status_code, status)
        self.assertEqual(self.counter("downstream", "listener.same", "connection_total"), 1)

    def test_manyAtOnce(self) -> None:
        """100 requests of one client at once; each gets its own answer."""

        async def run(name: str) -> None:
            async with httpx.AsyncClient(
                http1=False, http2=True, trust_env=False, timeout=20
            ) as client:

                async def ask(number: int) -> None:
                    answer = await client.get(self.url(name, f"/bytes/{number * 100}"))
                    self.assertTrue(answer.content == blocks(number * 100), number)

                await asyncio.gather(*[ask(number) for number in range(100)])

        for name in ("same", "down"):
            asyncio.run(run(name))

    def test_h2load(self) -> None:
        """2000 requests on 8 connections with 16 streams each: every one succeeds."""
        for name in ("same", "down"):
            url = self.url(name, "/bytes/100")
            printed = self.execute(program("h2load"), "-n2000", "-c8", "-m16", url).decode()
            self.assertIn("2000 succeeded, 0 failed, 0 errored, 0 timeout", printed, name)
            self.assertIn("status codes: 2000 2xx", printed, name)

    def test_nghttp(self) -> None:
        """Nghttp shows the frames: settings, the head, data and the end."""
        printed = self.execute(program("nghttp"), "-v", "-n", self.url("same", "/bytes/100000"))
        for words in (b"recv SETTINGS frame", b":status: 200", b"recv DATA", b"END_STREAM"):
            self.assertIn(words, printed)
        self.assertNotIn(b"RST_STREAM", printed)

    def test_upgradeIsNotNeeded(self) -> None:
        """A client of HTTP/1.1 that offers an upgrade to h2c is answered in HTTP/1.1."""
        curl = [program("curl"), "-sS", "--max-time", "20", "--noproxy", "*", "--http2"]
        for name in ("auto", "up"):
            self.assertEqual(self.execute(*curl, self.url(name, "/bytes/10")), blocks(10))

    def test_reset(self) -> None:
        """A client that gives up a stream leaves nothing active, and its connection serves on."""
        for name in ("same", "down"):
            client = self.connect(name)
            client.openConnection(MEBIBYTE)
            number = client.request("GET", f"/bytes/{UNREAD}", greedy=False)
            while not client.answers[number].body:
                client.turn()
            client.reset(number)
            answer = client.finish(client.request("GET", "/bytes/1000"))
            self.assertEqual((answer.status, bytes(answer.body)), (200, blocks(1000)))

            def idle(listener: str = f"listener.{name}") -> bool:
                return self.counter("downstream", listener, "request_active") == 0

            until(idle, "request_active returns to 0")


class ClientOfH2Tests(ClientTests):
    """The same with the engine h2."""

    engine = WITHOUT_NGH2


class SlowReaderTests(ThroughTheDaemon):
    """A client that reads nothing of one stream, with the engine ngh2."""

    def test_unreadDownload(self) -> None:
        """An unread download costs little memory and does not hold up others."""
        for name in ("same", "down"):
            client = self.connect(name)
            client.openConnection(64 * MEBIBYTE)
            client.finish(client.request("GET", "/bytes/1000"))
            before = self.daemon.residentKiB()
            slow = client.request("GET", f"/bytes/{UNREAD}", greedy=False)
            while len(client.answers[slow].body) < 65535:
                client.turn()
            for _ in range(50):
                answer = client.finish(client.request("GET", "/bytes/100000"))
                self.assertTrue(answer.body == blocks(100_000))
                self.assertLess(self.daemon.residentKiB() - before, ROOM, name)
            self.assertEqual(len(client.answers[slow].body), 65535)
            client.openStream(slow, 4 * MEBIBYTE)
            while len(client.answers[slow].body) < 8 * MEBIBYTE:
                client.turn()
            self.assertTrue(client.answers[slow].body[:MEBIBYTE] == blocks(MEBIBYTE))
            self.assertLess(self.daemon.residentKiB() - before, ROOM, name)
            client.close()

    def test_shutConnection(self) -> None:
        """With its window for the whole connection used up, a client still gets heads."""
        client = self.connect("same")
        slow = client.request("GET", f"/bytes/{UNREAD}", greedy=False)
        while len(client.answers[slow].body) < 65535:
            client.turn()
        for _ in range(10):
            answer = client.finish(client.request("HEAD", "/bytes/100000"))
            self.assertEqual((answer.status, bytes(answer.body)), (200, b""))


class SlowReaderOfH2Tests(SlowReaderTests):
    """The same with the engine h2."""

    engine = H2


class DrainTests(ThroughTheDaemon):
    """SIGTERM, with the engine ngh2."""

    def test_streamsInFlight(self) -> None:
        """GOAWAY comes, and what is going on ends well: a wait, an upload, a download."""
        client = self.connect("same")
        waits = client.request("GET", "/sleep/1")
        sends = client.request("POST", "/x", b"first ", end=False)
        reads = client.request("GET", "/bytes/3000000", greedy=False)
        while len(client.answers[reads].body) < 65535:
            client.turn()
        self.daemon.kill(signal.SIGTERM)
        while not client.goAways:
            client.turn()
        client.send(sends, b"second", end=True)
        client.openConnection(MEBIBYTE)
        client.openStream(reads, MEBIBYTE)
        self.assertEqual(json.loads(client.finish(sends).body)["size"], 12)
        self.assertTrue(client.finish(reads).body == blocks(3_000_000))
        self.assertEqual(client.finish(waits).status, 200)
        client.outlast()
        self.assertEqual(self.daemon.wait(), 0)
        self.assertEqual(client.goAways[-1], reads)

    def test_idleConnection(self) -> None:
        """A connection without streams is told and closed; the daemon ends at once."""
        client = self.connect("auto")
        client.finish(client.request("GET", "/bytes/10"))
        self.daemon.kill(signal.SIGTERM)
        client.outlast()
        self.assertTrue(client.goAways)
        self.assertEqual(self.daemon.wait(), 0)


class DrainOfH2Tests(DrainTests):
    """The same with the engine h2."""

    engine = H2


class NginxTests(ThroughTheDaemon):
    """Nginx behind, in HTTP/2: files and ranges."""

    def startUpstream(self, port: int) -> Running:
        """See `ThroughTheDaemon.startUpstream`."""
        nginx = program("nginx")
        Path(self.directory, "file.bin").write_bytes(blocks(MEBIBYTE))
        config = Path(self.directory, "nginx.conf")
        temporary = "".join(
            f"{kind}_temp_path {self.directory}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        config.write_text(
            f"daemon off; master_process off; pid {self.directory}/pid; error_log stderr;"
            f"events {{}} http {{ {temporary} access_log off; server {{"
            f"listen 127.0.0.1:{port} http2; root {self.directory}; }} }}"
        )
        return Running([nginx, "-e", "stderr", "-c", str(config), "-p", self.directory], port)

    def test_files(self) -> None:
        """A file, a range of it, 304 and 404 come through, from HTTP/2 to clients of both."""
        for name, modern in (("same", True), ("up", False)):
            with httpx.Client(http1=not modern, http2=modern, trust_env=False) as client:
                url = self.url(name, "/file.bin")
                whole = client.get(url)
                self.assertTrue(whole.content == blocks(MEBIBYTE), whole)
                part = client.get(url, headers={"Range": "bytes=10-19"})
                self.assertEqual((part.status_code, part.content), (206, bytes(range(10, 20))))
                same = client.get(url, headers={"If-None-Match": whole.headers["etag"]})
                self.assertEqual((same.status_code, same.content), (304, b""))
                self.assertEqual(client.get(self.url(name, "/nothing")).status_code, 404)
                head = client.head(url)
                self.assertEqual(head.headers["content-length"], str(MEBIBYTE))
