"""Bolt to HTTP/1: a client of SOFARPC, an upstream that speaks HTTP."""

from __future__ import annotations

from typing import Any

from twisted.logger import Logger

from mosntx.contracts.message import IRequestHead, IResponseHead, Pair
from mosntx.contracts.stream import GLOBAL_TIMEOUT, LOCAL_RESET, IClientStreams, IResponseSink
from mosntx.net.timers import Timer
from mosntx.protocol.bolt.codes import (
    HESSIAN2,
    ONEWAY,
    REQUEST,
    SUCCESS,
    VERSION_1,
    VERSION_2,
    boltStatus,
)
from mosntx.protocol.bolt.foreign import answerSwitch, toResponse
from mosntx.protocol.bolt.frames import (
    MAX_SWITCH,
    VER1_CRC,
    VER1_PLAIN,
    readV1Request,
    readV2Request,
)
from mosntx.protocol.bolt.heads import BoltRequest, BoltResponse
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import RequestHead, validAuthority
from mosntx.proxy.convert.base import MAX_CONTENT, ConvertedStreams
from mosntx.proxy.convert.fields import PROPERTY, className, number, properties, readMap, writeMap

log = Logger()

#: Says that a response comes from a mesh that converts as this one does.
RESPONSE_STATUS = PROPERTY + b"respstatus"

#: Seconds until nobody waits any more for the response to a one-way request, when its route has no
#: timeout: the connection would be held for ever.
ONEWAY_WAIT = 60.0


def milliseconds(head: BoltRequest) -> int:
    """Return the timeout as it stands in the frame; 0 and negative ones stand for none."""
    read = readV1Request if head.version == VERSION_1 else readV2Request
    return int(read(head.frame)[3])


def toHttpRequest(head: BoltRequest, authority: bytes, length: int | None) -> RequestHead:
    """Return the head of the request that says the same in HTTP.

    The target is always ``/``: what the service is stands in one place only, the field ``service``.

    :param authority: for the Host field.
    :param length: octets of the content; ``None`` when it comes apart and nobody knows.
    :raises EncodeError: when its header map is broken.
    """
    values = [
        (b"protocol", head.version),
        (b"cmdtype", ONEWAY if head.oneway else REQUEST),
        (b"codec", head.codec),
        (b"timeout", milliseconds(head)),
    ]
    if head.version == VERSION_2:
        values += [(b"ver1", head.ver1), (b"switchcode", head.switch)]
    fields: list[Pair] = [(b"Host", authority)]
    if length is not None:
        fields.append((b"Content-Length", b"%d" % length))
    fields += properties(values, head.className)
    fields += writeMap(head.headers)
    return RequestHead(b"POST", b"/", authority, Headers(fields))


def toBoltResponse(head: Any, content: bytes, request: BoltRequest) -> BoltResponse:
    """Return the frame for a response of HTTP.

    One of a mesh becomes what it was. Of any other a success has its fields as header map and its
    body as content, without a class; a failure is nothing but its status by spec/proxy.md 7, as
    Bolt's own answers: a peer would try to read a text as an object.

    :param head: its head.
    :param content: its body.
    :param request: what it answers.
    :raises EncodeError: when no frame can say it.
    """
    headers = head.headers
    if headers.get(RESPONSE_STATUS) is None:
        status = boltStatus(head.status)
        if status == SUCCESS:
            return toResponse(head, content, request)
        response = BoltResponse.of(
            boltStatus=status,
            version=request.version,
            ver1=request.ver1,
            switch=answerSwitch(request),
        )
        response.status = head.status
        return response
    return BoltResponse.of(
        readMap(headers),
        content,
        boltStatus=number(headers, b"respstatus", 0, 0xFFFF, 0),
        className=className(headers),
        version=number(headers, b"protocol", VERSION_1, VERSION_2, request.version),
        ver1=number(headers, b"ver1", 0, VER1_CRC, VER1_PLAIN),
        switch=number(headers, b"switchcode", 0, MAX_SWITCH, 0),
        codec=number(headers, b"codec", 0, 0xFF, HESSIAN2),
    )


class BoltToHttp1(ConvertedStreams):
    """See `ConvertedStreams`. The response to a one-way request is read and dropped."""

    __slots__ = ("_content", "_head", "_request", "_timer")

    _head: IResponseHead
    _request: Any

    def __init__(self, up: IClientStreams, exchange: Any) -> None:
        super().__init__(up, exchange)
        self._content = bytearray()
        self._timer: Timer | None = None

    # IClientStreams

    def open(self, sink: IResponseSink, head: IRequestHead, end: bool) -> int:
        """See `IClientStreams.open`. What the frame holds goes at once."""
        self._sink = sink
        request: Any = head
        self._request = request
        content = request.content if end else b""
        length = len(content) if end else None
        try:
            converted = self._toHttp(request, self._authority(), length)
        except EncodeError as error:
            log.warn(
                "{listener}: a request cannot be converted: {error}",
                listener=self._exchange.listener.name,
                error=error,
            )
            # Without a method it cannot be sent, and the connection is given back by that.
            converted = RequestHead(b"", b"/", b"", Headers())
        self._number = self._up.open(self, converted, end and not content)
        if content and self._number:
            self._up.sendData(self._number, content, True)
        if end:
            self._sent()
        return self._number

    def sendData(self, number: int, data: bytes, end: bool) -> None:
        """See `IClientStreams.sendData`."""
        super().sendData(number, data, end)
        if end:
            self._sent()

    def _toHttp(self, request: Any, authority: bytes, length: int | None) -> RequestHead:
        """See `toHttpRequest`."""
        return toHttpRequest(request, authority, length)

    def _fromHttp(self, head: Any, content: bytes, request: Any) -> Any:
        """See `toBoltResponse`."""
        return toBoltResponse(head, content, request)

    def _authority(self) -> bytes:
        """The host that was chosen: it is all that is known of who is asked."""
        authority = self._exchange.host.address.encode("utf-8")
        return authority if validAuthority(authority) else b"localhost"

    def _sent(self) -> None:
        """All has gone up: the exchange of a one-way request ends by that, the stream does not."""
        if self._request.oneway and self._sink is not None:
            self._sink = None
            listener = self._exchange.listener
            whole, _once = listener.timeouts(self._exchange.route, self._request)
            self._timer = listener.wheel.schedule(whole or ONEWAY_WAIT, self._abandon)

    def _abandon(self) -> None:
        self._timer = None
        self._up.reset(self._number, GLOBAL_TIMEOUT)

    # IResponseSink

    def responseHead(self, head: IResponseHead, end: bool) -> None:
        """See `IResponseSink.responseHead`."""
        self._head = head
        if end:
            self._complete()

    def responseData(self, data: bytes, end: bool) -> None:
        """See `IResponseSink.responseData`. Collected: a frame tells its length first."""
        if self._sink is not None:
            if len(self._content) + len(data) > MAX_CONTENT:
                self._up.reset(self._number, LOCAL_RESET)
                self._notUnderstood(EncodeError(502, f"content above {MAX_CONTENT} octets"))
                return
            self._content += data
        if end:
            self._complete()

    def responseFlush(self) -> None:
        """See `IResponseSink.responseFlush`: the head waits for the end."""

    def responseReset(self, reason: int) -> None:
        """See `IResponseSink.responseReset`."""
        self._cancel()
        super().responseReset(reason)

    def _complete(self) -> None:
        self._cancel()
        if self._sink is None:
            return
        try:
            response = self._fromHttp(self._head, bytes(self._content), self._request)
        except EncodeError as error:
            self._notUnderstood(error)
            return
        sink, self._sink = self._sink, None
        sink.responseMessage(response)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
