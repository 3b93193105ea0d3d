"""PROTOCOL: octets in, message parts out, and back (capabilities P2, P4).

A codec is sans-io: it knows no transport, clock or log. It returns lists of events and never calls
back, so no sink runs inside a parser.
"""

from __future__ import annotations

from typing import Any

from zope.interface import Attribute, Interface

from mosntx.contracts.message import ILocalReply

#: A codec event: ``(kind, streamId, part, end)``. ``end`` is true on the last part of a message.
Event = tuple[int, int, Any, bool]

#: Kinds of events. ``part`` is in brackets.
HEAD = 0  # [IRequestHead or IResponseHead] a message begins
DATA = 1  # [bytes] octets of its body; may be empty when only ``end`` is news
TRAILERS = 2  # [IHeaders] always with end
# [int, a reason of contracts.stream] the peer or the codec gave this stream up; others go on
RESET = 3
INFORMATIONAL = 4  # [IResponseHead] an interim (1xx) response
PUSH = 5  # [(promised id, IRequestHead)] a pushed response will come
HEARTBEAT = 6  # [protocol's own frame] the peer asks whether we live
# [protocol's own frame, with ``heartbeatStatus``: 0 = all is well] our heartbeat was answered
HEARTBEAT_ACK = 7
GOAWAY = 8  # [int, last stream id that the peer will answer] no new streams on this connection
# [ProtocolError] the input cannot be understood any further: write `ICodec.bytesToSend`, then close
FAILED = 9

# [IWholeRequest or IWholeResponse] a whole message at once: what protocols of frames deliver.
# Always with end
MESSAGE = 10

# [bytes, as `IFramedClientCodec.prioritise` takes it] the client gives a running request another
# priority
PRIORITY = 11

#: Answers of `IProtocol.detect`.
NO_MATCH = 0
MATCH = 1
NEED_MORE = 2

#: How a protocol uses upstream connections (`IProtocol.poolMode`).
PING_PONG = 0  # one stream at a time
MULTIPLEX = 1  # many whole messages at a time
FRAMED = 2  # many streams at a time, each of them parts with flow control of its own


class ICodec(Interface):
    """The receiving half, common to both ends."""

    waitLimit = Attribute(
        "``float``: seconds that the wait the codec is in may last, 0.0 when it waits for nothing "
        "in particular. The wait begins when the value leaves 0.0; if it has not returned to 0.0 "
        "in time, the connection calls `timeout`. (HTTP/1: a head begun and not ended.)"
    )

    def receive(data: bytes) -> list[Event]:
        """Take octets in any cut and return the events they complete.

        Never raises for what a peer sends: broken input ends in one `FAILED` event, after which the
        codec ignores all octets.
        """

    def receiveEof() -> list[Event]:
        """Take note that the peer will send no more.

        May end a message that is delimited by the close, or break one off (`RESET`).
        """

    def timeout() -> list[Event]:
        """The wait named by `waitLimit` lasted too long."""

    def bytesToSend() -> bytes:
        """Return and forget what the codec itself has to say (acknowledgements, a farewell).

        Ask after each `receive`, `receiveEof` and `timeout`.
        """


class IServerCodec(ICodec):
    """The end that reads requests and writes responses.

    Optional attribute of sequential protocols, false when absent, also at the other end: ``tunnel:
    bool``, the response head has accepted the offer of the request (`IRequestHead`, ``upgrade``).
    """

    backlog = Attribute(
        "``int``: octets received and not yet looked at, because the request before them is not "
        "over"
    )
    closing = Attribute(
        "``bool``: the connection must be closed once the present response is complete"
    )

    def next() -> list[Event]:
        """The present exchange is over on both halves: go on with the backlog.

        Or it has become a tunnel: what waited is its first data. Only sequential protocols (HTTP/1)
        wait for this. Look at `closing` and `waitLimit` again afterwards: nothing may follow, or
        the head of the next request may have begun.
        """

    def drain() -> None:
        """Take no further requests after those begun.

        The peer is told in the protocol's way (``Connection: close``, GOAWAY).
        """

    def responseHead(streamId: int, head: Any, end: bool) -> bytes:
        """Encode the head of the response; ``end`` when there is neither data nor trailers.

        :raises EncodeError: when the protocol cannot say it; nothing has been sent then, and
            another head may be tried (``mosntx.protocol.errors``).
        """

    def responseInformational(streamId: int, head: Any) -> bytes:
        """Encode an interim response; ``b''`` when the peer cannot take one (HTTP/1.0)."""

    def responseData(streamId: int, data: bytes, end: bool) -> bytes:
        """Encode octets of the body."""

    def responseTrailers(streamId: int, trailers: Any) -> bytes:
        """Encode trailers, which end the response.

        Dropped (but the end is kept) when the peer cannot take them.

        :raises EncodeError: when the protocol cannot say them.
        """

    def responseReset(streamId: int, reason: int) -> bytes | None:
        """Give the stream up.

        Return octets to write, or ``None`` when only closing the connection can say it.
        """


class IClientCodec(ICodec):
    """The end that writes requests and reads responses."""

    reusable = Attribute(
        "``bool``: sequential protocols: the last exchange ended cleanly and another may follow on"
        " this connection"
    )

    def requestHead(head: Any, end: bool) -> tuple[int, bytes]:
        """Encode the head of a new request: ``(stream id, octets)``.

        A foreign protocol's head is converted.

        :raises EncodeError: when the protocol cannot say it; the connection is as before then.
        """

    def requestData(streamId: int, data: bytes, end: bool) -> bytes:
        """Encode octets of the body."""

    def requestTrailers(streamId: int, trailers: Any) -> bytes:
        """Encode trailers, which end the request.

        :raises EncodeError: when the protocol cannot say them.
        """

    def reset(streamId: int, reason: int) -> bytes | None:
        """Give the stream up.

        Return octets to write, or ``None`` when only closing the connection can say it.
        """


class IFrameServerCodec(IServerCodec):
    """A server codec of a protocol of frames."""

    def heartbeatAck(frame: Any, status: int) -> bytes:
        """Encode the answer to a heartbeat; ``b''`` when it cannot be answered.

        :param frame: the part of its `HEARTBEAT` event.
        :param status: 0 = all is well.
        """

    def goAway() -> bytes:
        """Encode "no new requests, please"; ``b''`` when the protocol cannot say it."""


class IFrameClientCodec(IClientCodec):
    """A client codec of a protocol of frames."""

    nextId = Attribute("``int``: the number that the next request or heartbeat will get")

    def skipId() -> None:
        """Leave `nextId` out: it is still in flight. Numbers wrap around."""

    def heartbeat() -> tuple[int, bytes]:
        """Encode a heartbeat: its number and the octets."""

    def heartbeatAck(frame: Any, status: int) -> bytes:
        """See `IFrameServerCodec.heartbeatAck`: servers may ask too."""


class IFramedCodec(ICodec):
    """The half common to both ends of a protocol of framed streams (`FRAMED`).

    Parts of many streams are mixed, each stream ends in both directions by itself, and the peer
    says how much data it takes. So the sending methods return ``b""``: what is due comes from
    `bytesToSend` only, which puts it in order. A stream is over when both halves have ended or it
    was reset; the codec forgets it by itself. Calls for a stream that is over, or never was, are
    ignored.
    """

    now = Attribute(
        "``float``: a monotonic clock; the caller sets it before `receive` and `timeout`"
    )
    corked = Attribute(
        "``bool``, set by the caller: the transport is full. No data goes out; heads and what keeps"
        " the connection alive still do"
    )
    queuedTotal = Attribute("``int``: octets of data that wait for windows or for the cork")

    def bytesToSend() -> bytes:
        """Return and forget octets that are due. Call again until there are none."""

    def queued(streamId: int) -> int:
        """Return how many octets of data of this stream wait."""

    def pauseData(streamId: int) -> None:
        """Let the peer send no more data of this stream than its window has left.

        Without a pause what is received is credited at once.
        """

    def resumeData(streamId: int) -> None:
        """Undo `pauseData`."""

    def ping() -> int:
        """Ask the peer whether it lives.

        :returns: the number with which `HEARTBEAT_ACK` will come.
        """

    def goAway() -> bytes:
        """Say that streams which the peer opens from now on are not looked at."""


class IFramedServerCodec(IFramedCodec, IServerCodec):
    """A server codec of a protocol of framed streams.

    `drain` is the first of two steps: it announces the end, `IFramedCodec.goAway` says which
    request was the last. `responseReset` of a stream whose response is complete, but not its
    request, tells the client, after the response, that the rest is not needed.
    """

    def push(streamId: int, head: Any) -> int:
        """Promise a response to a request that the client has not made.

        :param streamId: of the request it belongs to.
        :param head: of the request that it answers.
        :returns: the number to respond on, 0 when the client takes none.
        """


class IFramedClientCodec(IFramedCodec, IClientCodec):
    """A client codec of a protocol of framed streams.

    `GOAWAY` means: own streams above its number were not looked at and may be sent again. Each of
    them follows as a `RESET` with the reason REFUSED.
    """

    takesOffers = Attribute(
        "``bool | None``: a stream may change its protocol (`IRequestHead`, ``upgrade``); ``None``"
        " = the peer has not said it yet"
    )

    capacity = Attribute("``int``: streams that may be opened now; 0 when the peer takes no more")

    def acceptPush(streamId: int, accept: bool) -> None:
        """Say, once for each `PUSH`, whether the promised response is wanted."""

    def prioritise(streamId: int, value: bytes) -> None:
        """Give a stream another priority, and tell the peer if it wants to know.

        :param value: a priority field (RFC 9218 4).
        """


class IProtocol(Interface):
    """One protocol: what wiring asks of it.

    One instance per listener or cluster; holds that place's limits.

    Optional abilities (``heartbeat``, ``goAway``, ``push``, ``upgrade``) are looked up once at
    wiring.
    """

    name = Attribute("``str``: configuration name, for example ``Http1``")
    alpn = Attribute("``bytes``: ALPN protocol id; ``b''`` when it has none")
    poolMode = Attribute("``int``: `PING_PONG`, `MULTIPLEX` or `FRAMED`")

    def detect(prefix: bytes) -> int:
        """Say whether a connection that begins with ``prefix`` speaks this protocol.

        :param prefix: of any length, also empty.
        :returns: `MATCH`, `NO_MATCH` or `NEED_MORE`.
        """

    def serverCodec() -> IServerCodec:
        """Return a new codec for an accepted connection."""

    def clientCodec() -> IClientCodec:
        """Return a new codec for a connection that we opened."""

    def interimHead(status: int) -> Any:
        """Return the head of an interim response, for example 100.

        Only protocols that know `INFORMATIONAL`.
        """

    def localReply(request: Any, status: int, text: bytes) -> ILocalReply:
        """Make an answer in this protocol.

        ``status`` is an HTTP status; ``text`` a short reason for people, ``b''`` for none.
        """
