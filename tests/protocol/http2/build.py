"""Both ends of a connection in memory, on any pair of engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve
from hpack import Decoder

from mosntx.contracts.codec import Event
from mosntx.contracts.message import Pair
from mosntx.protocol.headers import Headers
from mosntx.protocol.http2.codes import PREFACE
from mosntx.protocol.http2.engine import EngineEvents
from mosntx.protocol.http2.heads import Http2RequestHead, Http2ResponseHead
from mosntx.protocol.http2.limits import Http2Limits
from mosntx.protocol.http2.protocol import Http2Protocol, engineFor
from mosntx.testing import h2frames

ENGINES = ("h2", "ngh2")


def drained(codec: Any) -> bytes:
    """Return all that a codec wants to write now."""
    octets = b""
    while True:
        more = codec.bytesToSend()
        if not more:
            return octets
        octets += more


def request(
    method: bytes = b"GET", path: bytes = b"/", fields: list[Pair] | None = None
) -> Http2RequestHead:
    """Return the head of a request."""
    return Http2RequestHead(method, path, b"shop.example", Headers(fields or []))


def response(status: int = 200, fields: list[Pair] | None = None) -> Http2ResponseHead:
    """Return the head of a response."""
    return Http2ResponseHead(status, Headers(fields or []))


class Pair2:
    """A client and a server, the first SETTINGS exchanged."""

    def __init__(
        self,
        client: str = "h2",
        server: str = "h2",
        limits: Http2Limits | None = None,
        clientLimits: Http2Limits | None = None,
    ) -> None:
        self.client = Http2Protocol(clientLimits or limits, client).clientCodec()
        self.server = Http2Protocol(limits, server).serverCodec()
        self.clientEvents: list[Event] = []
        self.serverEvents: list[Event] = []
        self.pump()

    def pump(self, rounds: int = 8) -> None:
        """Carry octets until both are silent."""
        for _ in range(rounds):
            up = drained(self.client)
            self.serverEvents += self.server.receive(up) if up else []
            down = drained(self.server)
            self.clientEvents += self.client.receive(down) if down else []
            if not up and not down:
                return

    def heard(self, events: list[Event]) -> list[tuple[Any, ...]]:
        """Return and forget events as plain values: fields instead of heads."""
        plain: list[tuple[Any, ...]] = []
        for kind, number, part, end in events:
            if hasattr(part, "status"):
                part = (part.status, list(part.headers.items()))
            elif hasattr(part, "method"):
                part = (part.method, part.path, list(part.headers.items()))
            elif isinstance(part, Headers):
                part = list(part.items())
            plain.append((kind, number, part, end))
        events.clear()
        return plain

    def data(self, events: list[Event], number: int) -> bytes:
        """Return the data of one stream."""
        return b"".join([part for kind, n, part, _ in events if kind == 1 and n == number])


class Raw:
    """One codec, and a peer that is played frame by frame.

    :ivar codec: has got the preface and SETTINGS of the peer.
    :ivar first: the frames that it wrote first of all.
    """

    def __init__(
        self, side: str, engine: str, settings: Sequence[tuple[int, int]] = (), **limits: Any
    ) -> None:
        protocol = Http2Protocol(evolve(Http2Limits(), **limits), engine)
        client = side == "client"
        self.codec: Any = protocol.clientCodec() if client else protocol.serverCodec()
        self._decoder = Decoder()
        hello = b"" if client else PREFACE
        self.codec.receive(hello + h2frames.settings(*settings) + h2frames.settingsAck())
        self.first = h2frames.parseFrames(drained(self.codec).removeprefix(PREFACE))

    def receive(self, *octets: bytes) -> list[tuple[Any, ...]]:
        """Give octets to the codec; return its events, without their parts."""
        return [
            (kind, number, end) for kind, number, _, end in self.codec.receive(b"".join(octets))
        ]

    def frames(self) -> list[h2frames.Frame]:
        """Return the frames that the codec wants to write now, but those of windows."""
        frames = h2frames.parseFrames(drained(self.codec))
        return [frame for frame in frames if frame.type != h2frames.WINDOW_UPDATE]

    def resets(self) -> list[tuple[int, int]]:
        """Return stream and error code of the RST_STREAM frames that the codec wants to write."""
        frames = self.frames()
        return [(each.stream, each.code) for each in frames if each.type == h2frames.RST_STREAM]

    def fields(self, frame: h2frames.Frame) -> list[Pair]:
        """Return the fields of a HEADERS frame. Every one has to pass here, for the tables."""
        return [(name, value) for name, value in self._decoder.decode(frame.payload, raw=True)]


class Recorder(EngineEvents):
    """Keeps what an engine tells.

    :ivar told: name of the method and its arguments, as plain values.
    """

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def headersReceived(self, number: int, fields: Sequence[Any], end: bool) -> None:
        self.told.append(("headers", number, pairs(fields), end))

    def interimReceived(self, number: int, fields: Sequence[Any]) -> None:
        self.told.append(("interim", number, pairs(fields)))

    def dataReceived(self, number: int, data: bytes, size: int, end: bool) -> None:
        self.told.append(("data", number, bytes(data), size, end))

    def trailersReceived(self, number: int, fields: Sequence[Any]) -> None:
        self.told.append(("trailers", number, pairs(fields)))

    def resetReceived(self, number: int, code: int, ours: bool) -> None:
        self.told.append(("reset", number, code, ours))

    def pushReceived(self, number: int, promised: int, fields: Sequence[Any]) -> None:
        self.told.append(("push", number, promised, pairs(fields)))

    def goAwayReceived(self, last: int, code: int) -> None:
        self.told.append(("goAway", last, code))

    def settingsReceived(self, settings: Mapping[int, int]) -> None:
        self.told.append(("settings", dict(settings)))

    def windowReceived(self, number: int, increment: int) -> None:
        self.told.append(("window", number, increment))

    def pongReceived(self, payload: bytes) -> None:
        self.told.append(("pong", bytes(payload)))


def pairs(fields: Sequence[Any]) -> list[Pair]:
    """Return fields as plain pairs."""
    return [(bytes(name), bytes(value)) for name, value in fields]


class Bare:
    """One engine that has got the preface and SETTINGS of its peer, and who hears of it."""

    def __init__(self, name: str, client: bool, limits: Http2Limits | None = None) -> None:
        self._recorder = Recorder()
        self.engine = engineFor(name)(self._recorder, client, limits or Http2Limits())
        self.engine.receive((b"" if client else PREFACE) + h2frames.settings())
        self.engine.take()
        self.heard()

    def heard(self) -> list[tuple[Any, ...]]:
        """Return and forget what was told, but empty settings."""
        told = [each for each in self._recorder.told if each != ("settings", {})]
        self._recorder.told.clear()
        return told

    def receive(self, *octets: bytes) -> list[tuple[Any, ...]]:
        """Give octets to the engine; return what it told."""
        self.engine.receive(b"".join(octets))
        return self.heard()

    def frames(self) -> list[h2frames.Frame]:
        """Return the frames that the engine wants to write."""
        return h2frames.parseFrames(self.engine.take())
