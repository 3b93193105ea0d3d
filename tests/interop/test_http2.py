"""HTTP/2 without TLS between the daemon and other proxies, in both directions."""

from __future__ import annotations

import os
import signal
import tempfile

import httpx
from twisted.trial.unittest import SynchronousTestCase

from tests.interop.proxies import CADDY, ENVOY, startProxy
from tests.system.daemon import freePort
from tests.system.http2client import Http2Client
from tests.system.sidecars import H2, NGH2, Hop, startSidecar
from tests.system.test_http2_mesh import Upstream

MEBIBYTE = 1 << 20


class BeforeTheDaemonTests(SynchronousTestCase):
    """Client → other proxy → daemon → server of HTTP/1.1."""

    other = ENVOY
    engine = NGH2
    sizes: tuple[int, ...] = (1, 65536, MEBIBYTE)

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="mosntx-interop-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.upstream = Upstream()
        self.addCleanup(self.upstream.stop)
        self.port = self.chain()

    def chain(self) -> int:
        """Start the daemon and the other proxy; return the port for clients."""
        hop = Hop("back", self.upstream.port, onward="Http1")
        self.startDaemon(hop)
        return self.startOther(hop.port, modern=True)

    def startDaemon(self, hop: Hop) -> None:
        """Start the daemon."""
        self.daemon = startSidecar(self.engine, hop)
        self.addCleanup(self.stopDaemon)

    def stopDaemon(self) -> None:
        """It ends well."""
        self.assertNotIn("Traceback", self.daemon.output)
        self.assertEqual(self.daemon.stop(), 0)

    def startOther(self, upstream: int, modern: bool) -> int:
        """Start the other proxy; return its port."""
        port = freePort()
        proxy = startProxy(self.other, port, upstream, self.folder, modern)
        self.addCleanup(proxy.stop, signal.SIGKILL)
        return port

    def url(self, status: int = 200) -> str:
        """What is answered with this status, and with the body that was sent."""
        return f"http://127.0.0.1:{self.port}/{status}"

    def test_requests(self) -> None:
        """GET, HEAD, statuses, and bodies of up to 1 MiB there and back."""
        with httpx.Client(http1=False, http2=True, trust_env=False, timeout=20) as client:
            for status in (200, 204, 304, 404, 500):
                answer = client.get(self.url(status))
                self.assertEqual((answer.status_code, answer.content), (status, b""))
                self.assertEqual(answer.http_version, "HTTP/2")
            head = client.head(self.url())
            self.assertEqual((head.status_code, head.headers["x-size"]), (200, "0"))
            for size in self.sizes:
                body = os.urandom(size)
                answer = client.post(self.url(), content=body)
                self.assertEqual(answer.headers["x-size"], str(size))
                self.assertTrue(answer.content == body, size)

    def test_trailers(self) -> None:
        """Trailers of a response arrive behind its body."""
        client = Http2Client(self.port)
        self.addCleanup(client.close)
        answer = client.finish(client.request("POST", "/200", b"abc"))
        self.assertEqual((answer.status, bytes(answer.body)), (200, b"abc"))
        self.assertEqual(dict(answer.trailers).get(b"x-sum"), b"behind")

    def test_manyAtOnce(self) -> None:
        """100 requests at once on one connection; each gets its own body back."""
        client = Http2Client(self.port)
        self.addCleanup(client.close)
        bodies = [os.urandom(number * 5) for number in range(100)]
        numbers = [client.request("PUT", "/200", body) for body in bodies]
        answers = [client.finish(number) for number in numbers]
        self.assertEqual({answer.status for answer in answers}, {200})
        self.assertTrue([bytes(answer.body) for answer in answers] == bodies)


class BehindTheDaemonTests(BeforeTheDaemonTests):
    """Client → daemon → other proxy → server of HTTP/1.1."""

    # Envoy 1.40 was seen to reset one response in 150 with INTERNAL_ERROR when it had filled our
    # window, with either engine; Caddy never. Why is not known: here all fits into a window.
    sizes: tuple[int, ...] = (1, 32768)

    def chain(self) -> int:
        """See `BeforeTheDaemonTests.chain`."""
        hop = Hop("front", self.startOther(self.upstream.port, modern=False))
        self.startDaemon(hop)
        return hop.port


class BeforeTheDaemonWithCaddyTests(BeforeTheDaemonTests):
    """The same with Caddy, and the engine h2."""

    other = CADDY
    engine = H2


class BehindTheDaemonWithCaddyTests(BehindTheDaemonTests):
    """The same with Caddy, and the engine h2."""

    other = CADDY
    engine = H2
    sizes = BeforeTheDaemonTests.sizes
