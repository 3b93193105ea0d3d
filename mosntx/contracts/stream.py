"""STREAM: requests and responses on connections (capabilities S1 to S9).

Streams are numbers; the exchange is the only object made per request besides the head. Calls of
this module are synchronous, return nothing, and are made from
within one read event; after calling a sink, look your own state up again, for the sink may have
ended the stream.
"""

from __future__ import annotations

from typing import Any

from zope.interface import Attribute, Interface

#: Why a stream ended early (spec/proxy.md 6.1; MOSN pkg/types/stream.go).
CONNECTION_FAILED = 1  # no connection could be made, or it was dead before anything was sent
CONNECTION_TERMINATION = 2  # the connection ended with the stream open
UPSTREAM_RESET = 3  # sequential protocols: the upstream closed before the response was complete
LOCAL_RESET = 4  # we gave up: encode error, client gone, shutdown
REMOTE_RESET = 5  # the peer gave this stream up
OVERFLOW = 6  # a limit was reached
GLOBAL_TIMEOUT = 7
PER_TRY_TIMEOUT = 8
PROTOCOL_ERROR = 9  # the peer broke the protocol
DOWNSTREAM_GONE = 10  # the client went away
IDLE_TIMEOUT = 11  # nothing moved in either direction for the stream idle timeout
REUSE_RACE = 12  # a connection that had served before died before any octet of this response
REFUSED = 13  # the peer refused the stream before it looked at it: it may be sent again
PENDING_TIMEOUT = 14  # no connection became free in time

RESET_NAMES = (
    "none",
    "connection failure",
    "connection termination",
    "upstream reset",
    "local reset",
    "remote reset",
    "overflow",
    "global timeout",
    "per try timeout",
    "protocol error",
    "downstream gone",
    "stream idle timeout",
    "connection reuse race",
    "refused before it was processed",
    "wait for a connection too long",
)


class IRequestSink(Interface):
    """Where a server connection puts the parts of one request.

    Order: head, data*, trailers?; or `requestReset` at any time, after which nothing comes.

    Optional ability: ``requestPriority(value: bytes) -> None``: the client wants the response
    sooner or later than it said first; ``value`` is a priority field (RFC 9218 4).
    """

    def requestHead(head: Any, end: bool) -> None:
        """The request begins; ``head`` is an `IRequestHead`."""

    def requestData(data: bytes, end: bool) -> None:
        """Octets of the body."""

    def requestTrailers(trailers: Any) -> None:
        """Trailers, which end the request."""

    def requestMessage(head: Any) -> None:
        """The whole request at once: ``head.content`` is its body (protocols of frames)."""

    def requestReset(reason: int) -> None:
        """The client, or its connection, gave the exchange up.

        Nothing can be sent to it any more.
        """

    def pauseResponse() -> None:
        """The client reads too slowly: send no more until `resumeResponse`.

        Parts already on their way are taken.
        """

    def resumeResponse() -> None:
        """Undo `pauseResponse`."""


class IResponseSink(Interface):
    """Where a client connection puts the parts of one response.

    Order: informational*, head, data*, trailers?; or `responseReset` at any time.

    Optional ability: ``responsePush(number: int, head: IRequestHead) -> IResponseSink | None``: the
    upstream will push the response to ``head`` on stream ``number``; returns who takes it. Without
    it, or with ``None``, the push is refused.
    """

    def responseInformational(head: Any) -> None:
        """An interim response (1xx)."""

    def responseHead(head: Any, end: bool) -> None:
        """The response begins; ``head`` is an `IResponseHead`."""

    def responseData(data: bytes, end: bool) -> None:
        """Octets of the body."""

    def responseTrailers(trailers: Any) -> None:
        """Trailers, which end the response."""

    def responseMessage(head: Any) -> None:
        """The whole response at once: ``head.content`` is its body (protocols of frames)."""

    def responseFlush() -> None:
        """The read that brought a head has brought no data: do not hold the head back."""

    def responseReset(reason: int) -> None:
        """The stream is dead; ``reason`` says why. Nothing follows."""

    def pauseRequest() -> None:
        """The upstream reads too slowly: send no more until `resumeRequest`."""

    def resumeRequest() -> None:
        """Undo `pauseRequest`."""


class IServerStreams(Interface):
    """The streams of an accepted connection: how an exchange answers.

    Optional abilities, of protocols that can push:

    - ``sendPush(number: int, head: IRequestHead) -> int``: promise the response to a request that
      the client has not made. Returns the number of its stream, 0 when the client takes none.
    - ``attach(number: int, sink: IRequestSink) -> None``: whose stream that is; its request has
      ended. From then on ``number`` can be answered like any other.
    """

    connection = Attribute("`mosntx.contracts.net.IConnection`")
    protocol = Attribute("`mosntx.contracts.codec.IProtocol`")

    def sendInformational(number: int, head: Any) -> None:
        """Send an interim response."""

    def sendHead(number: int, head: Any, end: bool) -> None:
        """Send the head of the response.

        When ``end`` and the request has ended too, the stream is over: forget the number.
        """

    def sendData(number: int, data: bytes, end: bool) -> None:
        """Send octets of the body.

        The end of a tunnel (`IRequestHead`) is one of this direction only.
        """

    def flush(number: int) -> None:
        """Send what was held back to be joined with what follows.

        A head without ``end`` may wait for the first data. Called when the read that brought it is
        over.
        """

    def sendTrailers(number: int, trailers: Any) -> None:
        """Send trailers, which end the response."""

    def reset(number: int, reason: int) -> None:
        """Break the response off so that the client can tell (HTTP/1: abort the connection)."""

    def pauseStream(number: int) -> None:
        """Take no more request data of this stream from the client."""

    def resumeStream(number: int) -> None:
        """Undo `pauseStream`."""


class IClientStreams(Interface):
    """The streams of a connection that we opened.

    Optional ability: ``prioritise(number: int, value: bytes) -> None``: tell the upstream of
    another priority; ignored when the stream is over.

    Optional abilities, of protocols in which the upstream says whether a stream may change its
    protocol (`IRequestHead`, ``upgrade``); without them it may:

    - ``takesOffers: bool | None``: ``None`` = the upstream has not said it yet.
    - ``settled() -> Deferred[IClientStreams]``: fires with these streams when it has; fails when
      the connection ends before, or that takes too long. May be cancelled.
    """

    connection = Attribute("`mosntx.contracts.net.IConnection`")
    active = Attribute("``int``: streams open now")
    fresh = Attribute(
        "``bool``: no stream has been opened on it yet, so an early close cannot be the reuse race"
    )

    def open(sink: Any, head: Any, end: bool) -> int:
        """Send a request head and return the number of its stream.

        Failures arrive at the sink as `IResponseSink.responseReset`.
        """

    def sendData(number: int, data: bytes, end: bool) -> None:
        """Send octets of the body; ignored when the stream is over."""

    def sendTrailers(number: int, trailers: Any) -> None:
        """Send trailers, which end the request; ignored when the stream is over."""

    def reset(number: int, reason: int) -> None:
        """Give the stream up; the sink hears nothing more."""

    def pauseStream(number: int) -> None:
        """Take no more response data of this stream from the upstream."""

    def resumeStream(number: int) -> None:
        """Undo `pauseStream`."""


class IExchangeFactory(Interface):
    """Makes the sink of each request; given to server connections."""

    def newExchange(streams: IServerStreams, number: int) -> IRequestSink:
        """A request begins on stream ``number``."""

    def protocolError(connection: Any, error: Exception) -> None:
        """The client broke the protocol and its connection will be closed.

        For counters and logs.
        """


class IStreamEventHandler(Interface):
    """Told about the life of exchanges (row E4).

    Exceptions are counted and do not reach the exchange.
    """

    def streamCreated(exchange: Any) -> None:
        """The request head has come."""

    def streamHeadSent(exchange: Any) -> None:
        """The response head has been handed to the client's connection."""

    def streamReset(exchange: Any, reason: int) -> None:
        """The exchange was broken off."""

    def streamComplete(exchange: Any) -> None:
        """The exchange is over, in whatever way; called exactly once, last."""


class IConnectionOwner(Interface):
    """Who owns a connection that we opened: its pool."""

    def checkin(streams: Any) -> None:
        """The stream on ``streams`` has ended.

        Use the connection again when ``streams.reusable``, else close it. Connections of framed
        streams call this after each read and each stream: there may be room for those who wait.
        """

    def protocolError(streams: Any) -> None:
        """The upstream broke the protocol; the connection will be closed."""

    def stale(streams: Any) -> None:
        """A connection that had waited for use was found dead: others that wait may be too."""

    def connectionGone(streams: Any, event: int) -> None:
        """The connection has ended; called exactly once."""


class IFrameConnectionOwner(IConnectionOwner):
    """The owner of a connection of a protocol of frames."""

    def goneAway(streams: Any) -> None:
        """The upstream takes no new streams on this connection; those open go on."""

    def lateAnswer(streams: Any) -> None:
        """An answer has come that nobody waits for: late, unknown or twice. It was dropped."""


class IHeartbeatAnswer(Interface):
    """Decides what a client's heartbeat is answered (rows H1 to H3)."""

    def heartbeat(streams: Any, frame: Any) -> None:
        """Call ``streams.answerHeartbeat(frame, status)``, now or later; status 0 = all is well."""
