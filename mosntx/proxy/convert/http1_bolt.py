"""HTTP/1 to Bolt: a client of HTTP, an upstream that speaks SOFARPC.

The client is the other end of a mesh that converts as this one does, or any client of HTTP. The
latter gets MOSN's ``http2bolt_simple`` (spec/proxy.md 8.2).
"""

from __future__ import annotations

from typing import Any

from mosntx.contracts.filters import REQUEST_ENTITY_TOO_LARGE
from mosntx.contracts.message import IRequestHead, IWholeResponse, Pair
from mosntx.contracts.stream import CONNECTION_FAILED, IClientStreams, IResponseSink
from mosntx.filters.transcoder import HTTP_TO_BOLT, TRANSCODED
from mosntx.protocol.bolt.codes import (
    HESSIAN2,
    NO_TIMEOUT,
    ONEWAY,
    REQUEST,
    RESPONSE,
    SUCCESS,
    VERSION_1,
    VERSION_2,
    httpStatus,
)
from mosntx.protocol.bolt.foreign import MAX_TIMEOUT
from mosntx.protocol.bolt.frames import MAX_SWITCH, VER1_CRC, VER1_PLAIN
from mosntx.protocol.bolt.heads import BoltRequest, BoltResponse
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import ResponseHead
from mosntx.proxy.convert.base import MAX_CONTENT, ConvertedStreams
from mosntx.proxy.convert.fields import (
    PROPERTY,
    checkOneService,
    className,
    number,
    properties,
    readMap,
    simpleFields,
    writeMap,
)

#: Says that a request comes from a mesh that converts as this one does.
REQUEST_PROTOCOL = PROPERTY + b"protocol"

#: What a one-way request is answered in HTTP, where nobody may be left waiting.
ACCEPTED = 202


def toBoltRequest(head: Any, content: bytes = b"") -> BoltRequest:
    """Return the frame that a request of a mesh once was.

    :param head: its head.
    :param content: its body, when it is all there.
    :raises EncodeError: when its fields are none of a frame.
    """
    headers = head.headers
    timeout = number(headers, b"timeout", -MAX_TIMEOUT - 1, MAX_TIMEOUT, NO_TIMEOUT)
    request = BoltRequest.of(
        readMap(headers),
        content,
        className=className(headers),
        version=number(headers, b"protocol", VERSION_1, VERSION_2, VERSION_1),
        ver1=number(headers, b"ver1", 0, VER1_CRC, VER1_PLAIN),
        switch=number(headers, b"switchcode", 0, MAX_SWITCH, 0),
        oneway=number(headers, b"cmdtype", REQUEST, ONEWAY, REQUEST) == ONEWAY,
        codec=number(headers, b"codec", 0, 0xFF, HESSIAN2),
        milliseconds=timeout,
    )
    # A codec that joins it with its content writes this one, and 0 is not -1 there.
    request.timeout = timeout / 1000
    return request


def toHttpResponse(head: BoltResponse, length: int) -> ResponseHead:
    """Return the head of the response that says the same in HTTP, for a mesh.

    :raises EncodeError: when its header map is broken.
    """
    values = [
        (b"protocol", head.version),
        (b"cmdtype", RESPONSE),
        (b"codec", head.codec),
        (b"respstatus", head.boltStatus),
    ]
    if head.version == VERSION_2:
        values += [(b"ver1", head.ver1), (b"switchcode", head.switch)]
    fields: list[Pair] = [(b"Content-Length", b"%d" % length)]
    fields += properties(values, head.className)
    fields += writeMap(head.headers)
    return ResponseHead(httpStatus(head.boltStatus), Headers(fields))


def toSimpleResponse(head: BoltResponse, length: int, status: int) -> ResponseHead:
    """Return the head of the response for any client of HTTP."""
    fields = [(b"Content-Length", b"%d" % length), *simpleFields(head.headers)]
    return ResponseHead(status, Headers(fields))


class Http1ToBolt(ConvertedStreams):
    """See `ConvertedStreams`. The codec of the upstream collects the body."""

    __slots__ = ("_mesh", "_oneway", "_size", "_strict")

    def __init__(self, up: IClientStreams, exchange: Any) -> None:
        super().__init__(up, exchange)
        self._size = 0
        self._mesh = False
        self._oneway = False
        filters = exchange.filters
        # A client of MOSN's filter gets what MOSN gives it.
        self._strict = filters is not None and filters.attributes.get(TRANSCODED) == HTTP_TO_BOLT

    def request(self, head: Any, end: bool) -> Any:
        """See `ConvertedStreams.request`."""
        declared = getattr(head, "contentLength", None) or 0
        if declared > MAX_CONTENT:
            raise EncodeError(413, "the body is too large for the protocol of the upstream")
        if self._strict or head.headers.get(REQUEST_PROTOCOL) is None:
            checkOneService(head.headers)
            return head  # codecs of Bolt make a frame of it, in the version of their place
        self._mesh = True
        request = toBoltRequest(head)
        self._oneway = request.oneway
        return request

    # IClientStreams

    def open(self, sink: IResponseSink, head: IRequestHead, end: bool) -> int:
        """See `IClientStreams.open`."""
        opened = super().open(sink, head, end)
        if end:
            self._sent()
        return opened

    def sendData(self, number: int, data: bytes, end: bool) -> None:
        """See `IClientStreams.sendData`."""
        self._size += len(data)
        if self._size > MAX_CONTENT:
            error = EncodeError(413, "the body is too large for the protocol of the upstream")
            self._refuse(error, REQUEST_ENTITY_TOO_LARGE)
            return
        super().sendData(number, data, end)
        if end:
            self._sent()

    def _sent(self) -> None:
        """All has gone up: a one-way request gets its answer from here."""
        if not self._oneway or self._sink is None:
            return
        if self._up.connection.closed:
            self.responseReset(CONNECTION_FAILED)
            return
        sink, self._sink = self._sink, None
        sink.responseHead(ResponseHead(ACCEPTED, Headers([(b"Content-Length", b"0")])), True)

    # IResponseSink

    def responseMessage(self, head: IWholeResponse) -> None:
        """See `IResponseSink.responseMessage`."""
        sink = self._sink
        if sink is None:
            return
        content = head.content
        try:
            converted = self._responseHead(head, len(content))
        except EncodeError as error:
            self._notUnderstood(error)
            return
        sink.responseHead(converted, not content)
        if content and self._sink is not None:
            sink.responseData(content, True)
        self._sink = None

    def _responseHead(self, head: Any, length: int) -> ResponseHead:
        if self._mesh:
            return toHttpResponse(head, length)
        if self._strict:
            status = 200 if head.boltStatus == SUCCESS else 500
        else:
            status = httpStatus(head.boltStatus)
        return toSimpleResponse(head, length, status)
