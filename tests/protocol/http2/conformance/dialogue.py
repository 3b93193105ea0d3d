"""A client's octets go in, a small server's answers come out; and the other way round."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hpack import Decoder

from mosntx.contracts.codec import DATA, FAILED, HEAD, INFORMATIONAL, PUSH, RESET, TRAILERS
from mosntx.protocol.headers import Headers
from mosntx.protocol.http2.heads import Http2RequestHead, Http2ResponseHead
from mosntx.protocol.http2.limits import Http2Limits
from mosntx.protocol.http2.protocol import Http2Protocol
from mosntx.protocol.websocket import WEBSOCKET
from mosntx.testing import h2frames as h2
from mosntx.testing.h2frames import Frame

#: Said by no case, so that its answer is found.
PROBE = b"a probe!"


def endsStream(octets: bytes) -> bool:
    """Return whether the last frame in ``octets`` is the end of its stream."""
    try:
        frames = h2.parseFrames(octets.removeprefix(h2.PREFACE))
    except ValueError:  # a frame that lies about its length
        return False
    kinds = (h2.DATA, h2.HEADERS)
    return bool(frames) and frames[-1].type in kinds and bool(frames[-1].flags & h2.END_STREAM)


class Dialogue:
    """One connection with the codec under test at one end.

    :param codec: the codec.
    :param cut: octets that it gets at a time; 0 for all of a step.
    :ivar frames: what it has said since the connection stood.
    :ivar settings: what it has set.
    :ivar events: all events it made.
    :ivar failed: it has given the connection up.
    :ivar over: a frame that ended a stream was fed.
    :ivar note: how it behaved where the RFC leaves a choice.
    """

    def __init__(self, codec: Any, cut: int) -> None:
        self.codec = codec
        codec.now = 0.0
        self.cut = cut
        self.frames: list[Frame] = []
        self.settings: dict[int, int] = {}
        self.events: list[tuple[int, int, Any, bool]] = []
        self.failed = False
        self.over = False
        self.note = ""
        self._heads: dict[int, Any] = {}

    def collect(self) -> None:
        """Take all that the codec has to say."""
        # Decided by what is said, not by how often: a codec that never stops shall not hang us.
        for _ in range(10000):
            octets = self.codec.bytesToSend()
            if not octets:
                return
            self.frames += h2.parseFrames(octets)
        raise AssertionError("the codec never stops talking")

    def feed(self, octets: bytes) -> None:
        """Let the codec have ``octets``, and react to what it makes of them."""
        self.over = self.over or endsStream(octets)
        size = self.cut or len(octets) or 1
        for start in range(0, len(octets), size):
            if self.failed:
                return
            events = self.codec.receive(octets[start : start + size])
            self.events += events
            for event in events:
                if event[0] == FAILED:
                    self.failed = True
                else:
                    self.react(event)
            self.collect()

    def react(self, event: tuple[int, int, Any, bool]) -> None:
        """Do what the one who uses the codec would do."""

    def of(self, *types: int, stream: int | None = None) -> list[Frame]:
        """Return what the codec said, of these types."""
        return [
            frame for frame in self.frames if frame.type in types and stream in (None, frame.stream)
        ]

    def delivered(self, stream: int) -> bool:
        """Return whether a whole message of this stream came out."""
        return any(
            event[0] in (HEAD, DATA, TRAILERS) and event[1] == stream and event[3]
            for event in self.events
        )

    def alive(self) -> bool:
        """Return whether the codec still answers a PING."""
        if self.failed or self.of(h2.GOAWAY):
            return False
        self.feed(h2.ping(PROBE))
        return Frame(h2.PING, h2.ACK, 0, PROBE) in self.frames

    def said(self) -> str:
        """Return what the codec said, for people."""
        names = ["DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING"]
        names += ["GOAWAY", "WINDOW_UPDATE", "CONTINUATION"]
        words = []
        for frame in self.frames:
            word = names[frame.type] if frame.type < len(names) else str(frame.type)
            if frame.type in (h2.GOAWAY, h2.RST_STREAM):
                word += f"({frame.code})"
            words.append(f"{word}@{frame.stream}")
        words += ["and failed"] if self.failed else []
        return " ".join(words) or "nothing"


class ServerDialogue(Dialogue):
    """The codec is a server's; requests that are whole get a 200.

    :param answers: answer at all.
    :param body: of the answers.
    :param client: the settings of the client; ``None`` when it has said nothing yet.
    :param pauses: read no bodies.
    """

    def __init__(
        self,
        library: str,
        cut: int = 0,
        answers: bool = True,
        body: bytes = b"ok",
        client: Iterable[tuple[int, int]] | None = (),
        pauses: bool = False,
    ) -> None:
        super().__init__(Http2Protocol(engine=library).serverCodec(), cut)
        self.pauses = pauses
        self.answers = answers
        self.body = body
        self.collect()
        if client is not None:
            self.feed(h2.PREFACE + h2.settings(*client))
            for frame in self.of(h2.SETTINGS):
                self.settings.update(h2.readSettings(frame.payload))
            self.feed(h2.settingsAck())
            self.frames = []

    def react(self, event: tuple[int, int, Any, bool]) -> None:
        """Answer requests that are whole."""
        kind, stream, part, end = event
        if kind == HEAD:
            self._heads[stream] = part
            if self.pauses:
                self.codec.pauseData(stream)
        elif kind == RESET:
            self._heads.pop(stream, None)
        if end and stream in self._heads and self.answers:
            head = self._heads.pop(stream)
            body = b"" if head.method == b"HEAD" else self.body
            status = 101 if head.upgrade == WEBSOCKET else 200  # 200 on the wire
            self.codec.responseHead(stream, Http2ResponseHead(status, Headers()), not body)
            if body:
                self.codec.responseData(stream, body, True)

    def statuses(self) -> list[tuple[int, bytes]]:
        """Return stream and status of each response; all header blocks are read, in order."""
        decoder = Decoder()
        found = []
        for frame in self.of(h2.HEADERS):
            fields = dict(decoder.decode(frame.payload, raw=True))
            if b":status" in fields:
                found.append((frame.stream, bytes(fields[b":status"])))
        return found

    def bodyOf(self, stream: int) -> bytes:
        """Return the octets of the body that was answered."""
        return b"".join(frame.payload for frame in self.of(h2.DATA, stream=stream))


class ClientDialogue(Dialogue):
    """The codec is a client's, with requests under way.

    :param methods: of the requests, one each; nothing is left of them to send.
    :param takesPush: accept promises.
    :param server: the settings of the server; ``None`` when it has said nothing yet.
    :param push: let the server push.
    :param pauses: read no bodies.
    """

    def __init__(
        self,
        library: str,
        cut: int = 0,
        methods: tuple[bytes, ...] = (b"GET",),
        takesPush: bool = True,
        server: Iterable[tuple[int, int]] | None = (),
        push: bool = True,
        pauses: bool = False,
    ) -> None:
        limits = Http2Limits(enable_push=push)
        super().__init__(Http2Protocol(limits, library).clientCodec(), cut)
        self.pauses = pauses
        self.takesPush = takesPush
        self.collect()
        if server is not None:
            self.feed(h2.settings(*server))
            for frame in self.of(h2.SETTINGS):
                self.settings.update(h2.readSettings(frame.payload))
            self.feed(h2.settingsAck())
        for method in methods:
            self.send(method)
        self.frames = []

    def send(self, method: bytes = b"GET", end: bool = True) -> int:
        """Send a request; return its stream."""
        head = Http2RequestHead(method, b"/", b"example.com", Headers())
        stream: int = self.codec.requestHead(head, end)[0]
        self.collect()
        return stream

    def collect(self) -> None:
        """Take all that the codec has to say; it begins with the preface."""
        for _ in range(10000):
            octets = self.codec.bytesToSend()
            if not octets:
                return
            self.frames += h2.parseFrames(octets.removeprefix(h2.PREFACE))
        raise AssertionError("the codec never stops talking")

    def react(self, event: tuple[int, int, Any, bool]) -> None:
        """Take or refuse promises."""
        if event[0] == HEAD and self.pauses:
            self.codec.pauseData(event[1])
        elif event[0] == PUSH:
            self.codec.acceptPush(event[2][0], self.takesPush)

    def responses(self) -> list[tuple[int, int, int]]:
        """Return kind, stream and status of all heads received."""
        return [
            (kind, stream, part.status)
            for kind, stream, part, _ in self.events
            if kind in (HEAD, INFORMATIONAL)
        ]

    def resets(self) -> list[int]:
        """Return the streams given up."""
        return [event[1] for event in self.events if event[0] == RESET]
