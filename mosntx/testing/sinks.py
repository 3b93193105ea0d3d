"""Sinks and owners of streams that note what they get."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from mosntx.contracts.message import IHeaders, IRequestHead, IResponseHead
from mosntx.contracts.net import IConnection
from mosntx.contracts.stream import (
    IExchangeFactory,
    IFrameConnectionOwner,
    IRequestSink,
    IResponseSink,
    IServerStreams,
)


@implementer(IRequestSink)
class RecordingRequestSink:
    """Notes the parts of a request.

    :ivar parts: ``(what, part, end)`` in order; ``reset`` has its reason for a part.
    :ivar paused: the client reads too slowly.
    """

    def __init__(self, streams: IServerStreams, number: int) -> None:
        self.streams = streams
        self.number = number
        self.parts: list[tuple[str, Any, bool]] = []
        self.paused = False

    @property
    def body(self) -> bytes:
        """What has come of the body."""
        return b"".join(part for what, part, _ in self.parts if what == "data")

    def requestHead(self, head: IRequestHead, end: bool) -> None:
        """See `IRequestSink`."""
        self.parts.append(("head", head, end))

    def requestData(self, data: bytes, end: bool) -> None:
        """See `IRequestSink`."""
        self.parts.append(("data", data, end))

    def requestTrailers(self, trailers: IHeaders) -> None:
        """See `IRequestSink`."""
        self.parts.append(("trailers", trailers, True))

    def requestMessage(self, head: Any) -> None:
        """See `IRequestSink`."""
        self.parts.append(("message", head, True))

    def requestReset(self, reason: int) -> None:
        """See `IRequestSink`."""
        self.parts.append(("reset", reason, True))

    def pauseResponse(self) -> None:
        """See `IRequestSink`."""
        self.paused = True

    def resumeResponse(self) -> None:
        """See `IRequestSink`."""
        self.paused = False


@implementer(IExchangeFactory)
class RecordingFactory:
    """Makes sinks that only note.

    :ivar sinks: all of them, in order.
    :ivar errors: what clients did wrong.
    """

    def __init__(self) -> None:
        self.sinks: list[RecordingRequestSink] = []
        self.errors: list[Exception] = []

    def newExchange(self, streams: IServerStreams, number: int) -> RecordingRequestSink:
        """See `IExchangeFactory.newExchange`."""
        sink = RecordingRequestSink(streams, number)
        self.sinks.append(sink)
        return sink

    def protocolError(self, connection: IConnection, error: Exception) -> None:
        """See `IExchangeFactory.protocolError`."""
        self.errors.append(error)


@implementer(IResponseSink)
class RecordingResponseSink:
    """Notes the parts of a response.

    :ivar parts: ``(what, part, end)`` in order; ``reset`` has its reason for a part.
    :ivar paused: the upstream reads too slowly.
    """

    def __init__(self) -> None:
        self.parts: list[tuple[str, Any, bool]] = []
        self.paused = False

    @property
    def body(self) -> bytes:
        """What has come of the body."""
        return b"".join(part for what, part, _ in self.parts if what == "data")

    def responseInformational(self, head: IResponseHead) -> None:
        """See `IResponseSink`."""
        self.parts.append(("informational", head, False))

    def responseHead(self, head: IResponseHead, end: bool) -> None:
        """See `IResponseSink`."""
        self.parts.append(("head", head, end))

    def responseData(self, data: bytes, end: bool) -> None:
        """See `IResponseSink`."""
        self.parts.append(("data", data, end))

    def responseTrailers(self, trailers: IHeaders) -> None:
        """See `IResponseSink`."""
        self.parts.append(("trailers", trailers, True))

    def responseMessage(self, head: Any) -> None:
        """See `IResponseSink`."""
        self.parts.append(("message", head, True))

    def responseFlush(self) -> None:
        """See `IResponseSink`."""

    def responseReset(self, reason: int) -> None:
        """See `IResponseSink`."""
        self.parts.append(("reset", reason, True))

    def pauseRequest(self) -> None:
        """See `IResponseSink`."""
        self.paused = True

    def resumeRequest(self) -> None:
        """See `IResponseSink`."""
        self.paused = False


@implementer(IFrameConnectionOwner)
class RecordingOwner:
    """Notes what a connection tells its pool.

    :ivar log: names of the calls in order.
    """

    def __init__(self) -> None:
        self.log: list[str] = []

    def checkin(self, streams: Any) -> None:
        """See `IConnectionOwner.checkin`: what cannot be used again is closed."""
        self.log.append("checkin" if streams.reusable else "checkin for good")
        if not streams.reusable:
            streams.drain()

    def protocolError(self, streams: Any) -> None:
        """See `IConnectionOwner.protocolError`."""
        self.log.append("protocolError")

    def stale(self, streams: Any) -> None:
        """See `IConnectionOwner.stale`."""
        self.log.append("stale")

    def connectionGone(self, streams: Any, event: int) -> None:
        """See `IConnectionOwner.connectionGone`."""
        self.log.append("connectionGone")

    def goneAway(self, streams: Any) -> None:
        """See `IFrameConnectionOwner.goneAway`."""
        self.log.append("goneAway")

    def lateAnswer(self, streams: Any) -> None:
        """See `IFrameConnectionOwner.lateAnswer`."""
        self.log.append("lateAnswer")
