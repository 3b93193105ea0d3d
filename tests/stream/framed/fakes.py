"""Two peers of HTTP/2 without a network, and heads."""

from __future__ import annotations

from typing import Any

from mosntx.protocol.headers import Headers
from mosntx.protocol.http2.heads import Http2RequestHead, Http2ResponseHead
from mosntx.protocol.http2.protocol import Http2Protocol


class OurMistakeError(Exception):
    """Something of ours is broken."""


def requestHead(path: bytes = b"/", method: bytes = b"GET") -> Http2RequestHead:
    """Return the head of a request."""
    return Http2RequestHead(method, path, b"www.example.com", Headers([]))


def offerHead() -> Http2RequestHead:
    """Return the head of a request that offers WebSocket."""
    return Http2RequestHead(b"GET", b"/", b"www.example.com", Headers([]), upgrade=b"websocket")


def responseHead(status: int = 200) -> Http2ResponseHead:
    """Return the head of a response."""
    return Http2ResponseHead(status, Headers([]))


def answer(codec: Any, number: int, body: bytes = b"") -> bytes:
    """Let a server codec answer; return the octets."""
    codec.responseHead(number, responseHead(), not body)
    if body:
        codec.responseData(number, body, True)
    return drained(codec)


def drained(codec: Any) -> bytes:
    """Return all that a codec has to say."""
    octets = b""
    while more := codec.bytesToSend():
        octets += more
    return octets


class Peer:
    """The other end of a `FakeConnection`: a codec of its own.

    :ivar events: what it has understood.
    """

    def __init__(self, connection: Any, codec: Any) -> None:
        self.connection = connection
        self.codec = codec
        self.events: list[Any] = []

    @classmethod
    def client(cls, connection: Any) -> Peer:
        """A client."""
        return cls(connection, Http2Protocol().clientCodec())

    @classmethod
    def server(cls, connection: Any) -> Peer:
        """A server."""
        return cls(connection, Http2Protocol().serverCodec())

    def read(self) -> list[Any]:
        """Take what was written; return its events."""
        events: list[Any] = self.codec.receive(self.connection.clear())
        self.events += events
        return events

    def say(self) -> None:
        """Send what the codec has to say."""
        octets = drained(self.codec)
        if octets:
            self.connection.deliver(octets)

    def settle(self) -> None:
        """Let octets go back and forth until there are none."""
        for _ in range(100):
            self.read()
            octets = drained(self.codec)
            if not octets and not self.connection.written:
                return
            if octets:
                self.connection.deliver(octets)

    def kinds(self, number: int) -> list[int]:
        """The kinds of the events of one stream."""
        return [kind for kind, each, _, _ in self.events if each == number]
