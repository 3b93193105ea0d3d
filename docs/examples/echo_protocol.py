# ruff: noqa: D101, D102, D103 - the contracts say what each method does
"""Calls and answers with a number, in frames.

length of all behind it (4 octets), number (4), kind (1), and for each kind
0 call: length of the service (1), service, body; 1 answer: code (1), body; 2 ping; 3 pong: code (1)
"""

from __future__ import annotations

import struct
from typing import Any

from attrs import define, field
from zope.interface import implementer

from mosntx.contracts import codec
from mosntx.contracts.message import ILocalReply, IWholeRequest, IWholeResponse
from mosntx.protocol.errors import EncodeError, ProtocolError
from mosntx.protocol.headers import Headers

CALL, ANSWER, PING, PONG = range(4)
LONGEST = 0xFFFFFF  # so the first octet is always 0; no other protocol begins with that


def frame(number: int, kind: int, rest: bytes = b"") -> bytes:
    return struct.pack(">IIB", 5 + len(rest), number, kind) + rest


@implementer(IWholeRequest)
@define(eq=False)
class Call:
    service: bytes
    content: bytes
    headers: Headers = field(factory=Headers)
    protocol = "echo"
    method = path = authority = scheme = b""
    oneway, timeout, replayable = False, None, False
    contentLength = property(lambda self: len(self.content))


@implementer(IWholeResponse, ILocalReply)
@define(eq=False)
class Answer:
    code: int  # 0 = all is well
    content: bytes = b""
    status: int = 200  # what retries, logs and counters see
    headers: Headers = field(factory=Headers)
    body = b""  # as a local reply it has all in its head
    head = property(lambda self: self)
    heartbeatStatus = property(lambda self: self.code)
    contentLength = property(lambda self: len(self.content))


class Codec:
    """Both ends. Octets come in any cut, and nothing that a peer sends may raise."""

    waitLimit = 0.0  # an unfinished frame may take its time
    failed = False

    def __init__(self) -> None:
        self._rest = b""

    def receive(self, data: bytes) -> list[codec.Event]:
        events: list[codec.Event] = []
        octets, at = self._rest + data, 0
        while not self.failed and len(octets) >= at + 4:
            end = at + 4 + int.from_bytes(octets[at : at + 4], "big")
            if not 9 <= end - at <= LONGEST:  # before any of it is kept
                self._fail(events)
            elif len(octets) < end:
                break
            else:
                number, kind = struct.unpack_from(">IB", octets, at + 4)
                self._take(number, kind, octets[at + 9 : end], events)
                at = end
        self._rest = b"" if self.failed else octets[at:]
        return events

    def _fail(self, events: list[codec.Event]) -> None:
        self.failed = True
        events.append((codec.FAILED, 0, ProtocolError(400, "no frame of this protocol"), True))

    def heartbeatAck(self, number: Any, status: int) -> bytes:
        return frame(number, PONG, bytes([status]))

    def _noEvents(self) -> list[codec.Event]:
        return []

    def _nothing(self, *ignored: Any) -> bytes:
        return b""

    receiveEof = timeout = _noEvents
    bytesToSend = _nothing


@implementer(codec.IFrameServerCodec)
class ServerCodec(Codec):
    backlog = 0
    closing = property(lambda self: self.failed)
    next = Codec._noEvents  # no request waits for another
    drain = goAway = Codec._nothing  # it cannot be said
    responseInformational = responseData = responseTrailers = Codec._nothing  # answers are whole

    def __init__(self) -> None:
        super().__init__()
        self._streams = 0  # our own numbers: a client may use one of its twice
        self._numbers: dict[int, int] = {}

    def _take(self, number: int, kind: int, rest: bytes, events: list[codec.Event]) -> None:
        if kind == CALL and rest and rest[0] < len(rest):
            self._streams += 1
            self._numbers[self._streams] = number
            service, body = rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
            events.append((codec.MESSAGE, self._streams, Call(service, body), True))
        elif kind == PING:
            events.append((codec.HEARTBEAT, 0, number, True))
        else:
            self._fail(events)

    def responseHead(self, streamId: int, head: Any, end: bool) -> bytes:
        if not end or not isinstance(head, Answer):
            raise EncodeError(500, "only answers of this protocol")
        return frame(self._numbers.pop(streamId), ANSWER, bytes([head.code]) + head.content)

    def responseReset(self, streamId: int, reason: int) -> bytes:
        return frame(self._numbers.pop(streamId), ANSWER, b"\1")


@implementer(codec.IFrameClientCodec)
class ClientCodec(Codec):
    nextId = 1
    reusable = property(lambda self: not self.failed)
    requestData = requestTrailers = Codec._nothing  # calls are whole
    reset = Codec._nothing  # it cannot be said; the answer will be dropped

    def skipId(self) -> None:
        self.nextId = self.nextId % 0xFFFFFFFF + 1

    def _take(self, number: int, kind: int, rest: bytes, events: list[codec.Event]) -> None:
        if kind in (ANSWER, PONG) and rest:
            part = Answer(rest[0], rest[1:], 200 if rest[0] == 0 else 500)
            event = codec.MESSAGE if kind == ANSWER else codec.HEARTBEAT_ACK
            events.append((event, number, part, True))
        else:
            self._fail(events)

    def requestHead(self, head: Any, end: bool) -> tuple[int, bytes]:
        if not end or not isinstance(head, Call):
            raise EncodeError(500, "only calls of this protocol")
        rest = bytes([len(head.service)]) + head.service + head.content
        return self._number(CALL, rest)

    def heartbeat(self) -> tuple[int, bytes]:
        return self._number(PING)

    def _number(self, kind: int, rest: bytes = b"") -> tuple[int, bytes]:
        number = self.nextId
        self.skipId()
        return number, frame(number, kind, rest)


@implementer(codec.IProtocol)
class EchoProtocol:
    name = "echo"
    alpn = b""
    poolMode = codec.MULTIPLEX
    serverCodec, clientCodec = ServerCodec, ClientCodec

    def detect(self, prefix: bytes) -> int:
        if not prefix:
            return codec.NEED_MORE
        return codec.MATCH if prefix[0] == 0 else codec.NO_MATCH

    def interimHead(self, status: int) -> Answer:
        return Answer(0)  # there are none: never written

    def localReply(self, request: Any, status: int, text: bytes) -> Answer:
        return Answer(int(status >= 400), text, status)


def extend(catalog: Any) -> Any:
    """What an entry point in the group ``mosntx.extensions`` names."""
    return catalog.extended(protocols={"echo": lambda config: EchoProtocol()})
