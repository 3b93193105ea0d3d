"""Clients and upstreams of a `MemoryMesh` that agree on WebSocket, on HTTP/1.1 or HTTP/2.

All of them have the same face, so that one test runs for every pair.
"""

from __future__ import annotations

from typing import Any

from mosntx.contracts.codec import DATA, HEAD, RESET
from mosntx.protocol.headers import Headers
from mosntx.protocol.http2.heads import Http2RequestHead, Http2ResponseHead
from mosntx.protocol.http2.limits import Http2Limits
from mosntx.protocol.http2.protocol import Http2Protocol
from mosntx.protocol.websocket import acceptFor
from mosntx.testing.mesh import Peer

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
ASK = b"GET /chat HTTP/1.1\r\nHost: a\r\n" + UPGRADE + b"Sec-WebSocket-Key: " + KEY + b"\r\n\r\n"


class End:
    """One end of a tunnel.

    :ivar status: of the answer, as this protocol has it; 0 before.
    :ivar got: octets that have come through.
    :ivar ended: the other end has finished.
    :ivar gone: nothing can be sent to the other end any more.
    """

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.status = 0
        self.got = b""
        self.ended = self.gone = False


class Http1End(End):
    """A socket."""

    def send(self, data: bytes, end: bool = False) -> None:
        """Send octets, then perhaps a FIN."""
        if data:
            self.peer.send(data)
        if end:
            self.peer.finish()

    def reset(self) -> None:
        """Break off."""
        self.peer.reset()

    def look(self) -> None:
        """Take what has come."""
        self._take(self.peer.take())
        transport = self.peer.transport
        self.gone = transport.lost or transport.disconnecting
        self.ended = self.gone or transport.writeEnded

    def _take(self, octets: bytes) -> None:
        self.got += octets


class Http1Client(Http1End):
    """Offers in HTTP/1.1."""

    yes = 101

    def ask(self) -> None:
        """Offer."""
        self.peer.send(ASK)

    def _take(self, octets: bytes) -> None:
        if not self.status and octets:
            head, _, octets = octets.partition(b"\r\n\r\n")
            self.status = int(head.split()[1])
            self.head = head
        self.got += octets


class Http1Upstream(Http1End):
    """Answers in HTTP/1.1."""

    def agree(self, accept: bytes = b"") -> None:
        """Read the offer and accept it.

        :param accept: what to say to the key; by default what is right.
        """
        self.head = self.peer.take()
        lines = [line.partition(b": ") for line in self.head.split(b"\r\n")]
        (key,) = [value for name, _, value in lines if name.lower() == b"sec-websocket-key"]
        accept = accept or acceptFor(key)
        switch = b"HTTP/1.1 101 Switching Protocols\r\n" + UPGRADE
        self.peer.send(switch + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")

    def refuse(self, status: int = 403) -> None:
        """Read the offer and say no."""
        self.head = self.peer.take()
        self.peer.send(b"HTTP/1.1 %d No\r\nContent-Length: 2\r\n\r\nno" % status)


class Http2End(End):
    """One stream on a connection."""

    def __init__(self, peer: Peer, codec: Any) -> None:
        super().__init__(peer)
        self.codec = codec
        self.number = 1
        self.head: Any = None
        self.look()

    def look(self) -> None:
        """Let octets go back and forth until there are none."""
        for _ in range(1000):
            for kind, number, part, end in self.codec.receive(self.peer.take()):
                if number == self.number:
                    self._part(kind, part, end)
            octets = self.codec.bytesToSend()
            if not octets and not self.peer.transport.value():
                return
            if octets:
                self.peer.send(octets)

    def _part(self, kind: int, part: Any, end: bool) -> None:
        self.ended = self.ended or end
        if kind == HEAD:
            self.head = part
            self.status = getattr(part, "status", 0)
        elif kind == DATA:
            self.got += part
        elif kind == RESET:
            self.gone = True


class Http2Client(Http2End):
    """Offers in HTTP/2."""

    yes = 101  # what our codec makes of a 200

    def __init__(self, peer: Peer) -> None:
        super().__init__(peer, Http2Protocol().clientCodec())

    def ask(self, head: Any = None) -> None:
        """Offer."""
        headers = Headers([(b"sec-websocket-version", b"13")])
        head = head or Http2RequestHead(b"GET", b"/chat", b"a", headers, upgrade=b"websocket")
        self.number, _ = self.codec.requestHead(head, False)
        self.look()

    def send(self, data: bytes, end: bool = False) -> None:
        """Send octets, then perhaps an end."""
        self.codec.requestData(self.number, data, end)
        self.look()

    def reset(self) -> None:
        """Break off."""
        self.codec.reset(self.number, 0)
        self.look()


class Http2Upstream(Http2End):
    """Answers in HTTP/2.

    :param takesOffers: say so in the SETTINGS.
    """

    def __init__(self, peer: Peer, takesOffers: bool = True) -> None:
        limits = Http2Limits(enable_connect_protocol=takesOffers)
        super().__init__(peer, Http2Protocol(limits).serverCodec())

    def agree(self) -> None:
        """Read the offer and accept it."""
        self.look()
        self.codec.responseHead(self.number, Http2ResponseHead(101, Headers()), False)
        self.look()

    def refuse(self, status: int = 403) -> None:
        """Read the offer and say no."""
        self.look()
        headers = Headers([(b"content-length", b"2")])
        self.codec.responseHead(self.number, Http2ResponseHead(status, headers), False)
        self.codec.responseData(self.number, b"no", True)
        self.look()

    def send(self, data: bytes, end: bool = False) -> None:
        """Send octets, then perhaps an end."""
        self.codec.responseData(self.number, data, end)
        self.look()

    def reset(self) -> None:
        """Break off."""
        self.codec.responseReset(self.number, 0)
        self.look()
