"""What is exchanged: a Sidecar in memory, a client and a host, whose work does not count.

Each scene runs one exchange after another, or a batch of them that come in one read: with 8
connections of 16 streams each a proxy under load sees many frames in a read.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import header_filter
from bench.hotpath.peers import GREETING, Http2Peer, config
from mosntx.service.catalog import standardCatalog
from mosntx.testing import h2frames as h2
from mosntx.testing.frames import boltRequest, boltResponse
from mosntx.testing.mesh import MemoryMesh, Peer

#: Hands octets to the Sidecar: `Peer.send`, or what measures it.
Send = Callable[[Peer, bytes], object]

BODY = bytes(range(32, 96)) * 16  # 1 KiB
REQUEST = (
    b"GET /a/path?with=query HTTP/1.1\r\nHost: 127.0.0.1:2045\r\nUser-Agent: bench/1\r\n"
    b"Accept: */*\r\n\r\n"
)
RESPONSE = (
    b"HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\n"
    b"Content-Type: text/plain\r\nContent-Length: %d\r\n\r\n%b"
) % (len(BODY), BODY)
REQUEST_FIELDS = (
    (b":method", b"GET"),
    (b":scheme", b"http"),
    (b":path", b"/a/path?with=query"),
    (b":authority", b"127.0.0.1:2045"),
    (b"user-agent", b"bench/1"),
    (b"accept", b"*/*"),
)
RESPONSE_FIELDS = (
    (b":status", b"200"),
    (b"server", b"bench"),
    (b"date", b"Mon, 23 Nov 2026 12:00:00 GMT"),
    (b"content-type", b"text/plain"),
    (b"content-length", b"%d" % len(BODY)),
)
#: Where the id stands in a frame of Bolt v1.
_ID = slice(5, 9)


class SceneError(Exception):
    """The Sidecar did something else than hand on: what was measured would mean nothing."""


class Scene(ABC):
    """One way through the product.

    :ivar batch: requests in one read.
    """

    def __init__(self, batch: int = 1) -> None:
        self.batch = batch
        self._meshes: list[MemoryMesh] = []
        self.client, self.host = self._begin()

    @abstractmethod
    def _begin(self) -> tuple[Peer, Peer]:
        """Make the connections with a first exchange; return the client's and the host's."""

    def _mesh(self, document: dict[str, object]) -> MemoryMesh:
        mesh = MemoryMesh(document, catalog=header_filter.extend(standardCatalog()))
        self._meshes.append(mesh)
        return mesh

    @abstractmethod
    def requests(self) -> bytes:
        """Return the octets of the next batch, as the client sends them."""

    @abstractmethod
    def responses(self, octets: bytes) -> bytes:
        """Return what the host answers to these octets."""

    def ask(self, send: Send) -> None:
        """Let a batch of requests go to the host; they are in flight then."""
        send(self.client, self.requests())

    def answer(self, send: Send) -> None:
        """Let the answers to what is in flight go to the client.

        :raises SceneError: when it does not get them.
        """
        send(self.host, self.responses(self.host.take()))
        if self.client.take().count(BODY) != self.batch:
            raise SceneError(f"{type(self).__name__}: the client has not got its answers")

    def exchange(self, send: Send = Peer.send) -> None:
        """Run one batch."""
        self.ask(send)
        self.answer(send)

    def stop(self) -> None:
        """Close all."""
        for mesh in self._meshes:
            mesh.hangUp()
            mesh.sidecar.stopService()
            mesh.advance(15)


class Http1(Scene):
    """HTTP/1.1 on both sides, without pipelining."""

    def _begin(self) -> tuple[Peer, Peer]:
        mesh = self._mesh(self._config())
        client = mesh.client("in")
        client.send(REQUEST)
        host = mesh.upstream()
        host.take()
        host.send(RESPONSE)
        client.take()
        return client, host

    def _config(self) -> dict[str, object]:
        return config("Http1")

    def requests(self) -> bytes:
        """See `Scene.requests`."""
        return REQUEST

    def responses(self, octets: bytes) -> bytes:
        """See `Scene.responses`."""
        return RESPONSE


class Http1Filtered(Http1):
    """The same with a filter that adds a header."""

    def _config(self) -> dict[str, object]:
        document: dict[str, Any] = super()._config()
        document["servers"][0]["listeners"][0]["stream_filters"] = [{"type": header_filter.NAME}]
        return document


class Http1Logged(Http1Filtered):
    """The same with an access log too: a file, in MOSN's format.

    Its lines are formatted within the request; that they are written, some at a time, is not
    counted.
    """

    def _config(self) -> dict[str, object]:
        self._folder = TemporaryDirectory(prefix="mosntx-hotpath-")
        document: dict[str, Any] = super()._config()
        path = str(Path(self._folder.name, "access.log"))
        document["servers"][0]["listeners"][0]["access_logs"] = [{"log_path": path}]
        return document

    def stop(self) -> None:
        """See `Scene.stop`."""
        super().stop()
        self._folder.cleanup()


class Http2(Scene):
    """HTTP/2 without TLS on both sides."""

    engine = "ngh2"

    def _begin(self) -> tuple[Peer, Peer]:
        self._down = Http2Peer(REQUEST_FIELDS)
        self._up = Http2Peer(RESPONSE_FIELDS, BODY)
        self._number = 1
        mesh = self._mesh(config("Http2", engine=self.engine))
        client = mesh.client("in")
        client.send(h2.PREFACE + GREETING + self._down.message(1))
        host = mesh.upstream()
        host.send(GREETING + self._up.message(1))
        host.take()
        client.take()
        return client, host

    def _numbers(self) -> range:
        return range(self._number - 2 * (self.batch - 1), self._number + 2, 2)

    def requests(self) -> bytes:
        """See `Scene.requests`."""
        self._number += 2 * self.batch
        return b"".join(map(self._down.message, self._numbers()))

    def responses(self, octets: bytes) -> bytes:
        """See `Scene.responses`. Streams have the same numbers on both connections."""
        return b"".join(map(self._up.message, self._numbers()))


class Http2Slow(Http2):
    """The same on the engine in pure Python."""

    engine = "h2"


class TwoHops(Http1):
    """HTTP/1.1 to a Sidecar, HTTP/2 to another one, HTTP/1.1 to the host."""

    def _begin(self) -> tuple[Peer, Peer]:
        near = self._mesh(config("Http1", "Http2", "ngh2"))
        far = self._mesh(config("Http2", "Http1", "ngh2"))
        client = near.client("in")
        client.send(REQUEST)
        self._out, self._into = near.upstream(), far.client("in")
        self._into.send(self._out.take())
        host = far.upstream()
        host.take()
        host.send(RESPONSE)
        self._out.send(self._into.take())
        client.take()
        return client, host

    def ask(self, send: Send) -> None:
        """See `Scene.ask`."""
        super().ask(send)
        send(self._into, self._out.take())

    def answer(self, send: Send) -> None:
        """See `Scene.answer`."""
        send(self.host, self.responses(self.host.take()))
        send(self._out, self._into.take())
        if BODY not in self.client.take():
            raise SceneError("the answer has not come through both hops")


class Bolt(Scene):
    """Bolt v1 on both sides."""

    frame = boltRequest(7, b"?" * 100, [(b"service", b"com.example.Service:1.0")])
    reply = boltResponse(7, BODY)

    def _begin(self) -> tuple[Peer, Peer]:
        mesh = self._mesh(config("bolt"))
        client = mesh.client("in")
        client.send(self.frame)
        host = mesh.upstream()
        host.send(self.responses(host.take()))
        client.take()
        return client, host

    def requests(self) -> bytes:
        """See `Scene.requests`."""
        frame = bytearray(self.frame)
        frames = []
        for number in range(self.batch):
            frame[_ID] = number.to_bytes(4, "big")
            frames.append(bytes(frame))
        return b"".join(frames)

    def responses(self, octets: bytes) -> bytes:
        """See `Scene.responses`. The Sidecar has given the requests numbers of its own."""
        reply = bytearray(self.reply)
        replies = []
        for start in range(0, len(octets), len(self.frame)):
            reply[_ID] = octets[start:][_ID]
            replies.append(bytes(reply))
        return b"".join(replies)


#: Name to scene. The fast engine of HTTP/2 must be installed (extra ``fast``).
SCENES: dict[str, Callable[[], Scene]] = {
    "http1": Http1,
    "http1-filter": Http1Filtered,
    "http1-logged": Http1Logged,
    "http2-ngh2": Http2,
    "http2-ngh2-16": lambda: Http2(16),
    "http2-h2": Http2Slow,
    "http2-h2-16": lambda: Http2Slow(16),
    "bolt": Bolt,
    "bolt-16": lambda: Bolt(16),
    "two-hops": TwoHops,
}
