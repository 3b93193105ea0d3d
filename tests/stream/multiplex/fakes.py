"""Sinks that fail, and heads of Bolt, for connections of frames."""

from __future__ import annotations

from typing import Any

from mosntx.contracts.codec import MESSAGE
from mosntx.protocol.bolt.heads import BoltRequest, BoltResponse
from mosntx.protocol.bolt.protocol import BoltProtocol
from mosntx.testing.frames import boltRequest, boltResponse
from mosntx.testing.sinks import RecordingFactory, RecordingRequestSink, RecordingResponseSink


class OurMistakeError(Exception):
    """Something of ours is broken."""


class BrokenRequestSink(RecordingRequestSink):
    """Raises whatever it is told."""

    def requestMessage(self, head: Any) -> None:
        """Fail."""
        super().requestMessage(head)
        raise OurMistakeError

    def requestReset(self, reason: int) -> None:
        """Fail again."""
        super().requestReset(reason)
        raise OurMistakeError

    def pauseResponse(self) -> None:
        """Fail."""
        raise OurMistakeError

    resumeResponse = pauseResponse


class BrokenResponseSink(RecordingResponseSink):
    """Raises whatever it is told."""

    def responseMessage(self, head: Any) -> None:
        """Fail."""
        super().responseMessage(head)
        raise OurMistakeError

    def responseReset(self, reason: int) -> None:
        """Fail again."""
        super().responseReset(reason)
        raise OurMistakeError

    def pauseRequest(self) -> None:
        """Fail."""
        raise OurMistakeError

    resumeRequest = pauseRequest


class BreakingFactory(RecordingFactory):
    """Makes sinks of which the first ``broken`` fail."""

    broken = 1

    def newExchange(self, streams: Any, number: int) -> RecordingRequestSink:
        """See `IExchangeFactory.newExchange`."""
        if len(self.sinks) >= self.broken:
            return super().newExchange(streams, number)
        sink = BrokenRequestSink(streams, number)
        self.sinks.append(sink)
        return sink


def requestHead(content: bytes = b"", *, oneway: bool = False) -> BoltRequest:
    """Return a request as a server codec delivers it."""
    octets = boltRequest(77, content, [(b"service", b"s")], oneway=oneway)
    return _only(BoltProtocol().serverCodec().receive(octets))


def responseHead(content: bytes = b"") -> BoltResponse:
    """Return a response as a client codec delivers it."""
    octets = boltResponse(77, content)
    return _only(BoltProtocol().clientCodec().receive(octets))


def _only(events: list[tuple[int, int, Any, bool]]) -> Any:
    ((kind, _, head, _),) = events
    assert kind == MESSAGE
    return head


def ids(octets: bytes) -> list[int]:
    """Return the request ids of the frames of version 1 in these octets, in order."""
    return [int.from_bytes(frame[5:9], "big") for frame in frames(octets)]


def frames(octets: bytes) -> list[bytes]:
    """Cut octets into frames of version 1; the last one must be whole."""
    found = []
    while octets:
        fixed = 20 if octets[1] == 0 else 22
        lengths = octets[fixed - 8 : fixed]
        length = fixed + sum(
            int.from_bytes(lengths[at : at + size], "big") for at, size in ((0, 2), (2, 2), (4, 4))
        )
        assert len(octets) >= length, octets
        found.append(octets[:length])
        octets = octets[length:]
    return found


def status(frame: bytes) -> int:
    """Return the status of a response of version 1."""
    return int.from_bytes(frame[10:12], "big")
