"""A listener of one protocol in front of an upstream of another, and both codecs of HTTP."""

from __future__ import annotations

from typing import Any

from mosntx.contracts.codec import DATA, HEAD, Event
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.testing.frames import boltRequest
from mosntx.testing.mesh import MemoryMesh, Peer
from tests.proxy.build import MeshTestCase

SERVICE = (b"service", b"com.example.Greeter:1.0")


def rpcRoute(upstream: str, **action: Any) -> dict[str, Any]:
    """Return a route for every request of RPC."""
    return {
        "match": {"headers": [{"name": "service", "value": ".*"}]},
        "route": {"cluster_name": "app", "upstream_protocol": upstream, **action},
    }


def renumbered(frame: bytes, number: int) -> bytes:
    """Return a frame of version 1 with another id."""
    return frame[:5] + number.to_bytes(4, "big") + frame[9:]


def wholeMessage(events: list[Event]) -> tuple[Any, bytes]:
    """Return head and body of the one message in the events of a codec of HTTP."""
    head = events[0][2]
    assert events[0][0] == HEAD, events
    assert events[-1][3], events
    return head, b"".join(part for kind, _, part, _ in events[1:] if kind == DATA)


def overHttp(head: Any, content: bytes) -> tuple[Any, bytes]:
    """Write a request with the codec of a client, and read it with that of a server."""
    protocol = Http1Protocol()
    client, server = protocol.clientCodec(), protocol.serverCodec()
    number, octets = client.requestHead(head, not content)
    if content:
        octets += client.requestData(number, content, True)
    return wholeMessage(server.receive(octets))


def backOverHttp(head: Any, content: bytes) -> tuple[Any, bytes]:
    """Write a response with the codec of a server, and read it with that of a client."""
    protocol = Http1Protocol()
    client, server = protocol.clientCodec(), protocol.serverCodec()
    asked = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
    server.receive(asked)
    octets = server.responseHead(1, head, not content)
    if content:
        octets += server.responseData(1, content, True)
    request = Http1Protocol().serverCodec().receive(asked)[0][2]
    client.requestHead(request, True)
    return wholeMessage(client.receive(octets))


class ConversionTestCase(MeshTestCase):
    """A Sidecar between a client and an upstream that speak different protocols."""

    def between(self, client: str, upstream: str, **settings: Any) -> MemoryMesh:
        """Start one; ``settings`` as `MeshTestCase.begin`, ``action`` of the route besides."""
        route = rpcRoute(upstream, **settings.pop("action", {}))
        proxy = {"downstream_protocol": client, **settings.pop("proxy", {})}
        return self.begin(route, proxy=proxy, **settings)

    def ask(self, octets: bytes | None = None) -> tuple[Peer, Peer]:
        """Send a request, of Bolt when none is given, on a new connection."""
        client = self.running.client("front")
        client.send(boltRequest(7, b"question", [SERVICE]) if octets is None else octets)
        return client, self.running.upstream()
