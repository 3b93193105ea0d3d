"""TR over HTTP, both directions: what a mesh does between its sidecars.

::

    x-mosn-sofarpc-headers-property-protocol   13
    x-mosn-sofarpc-headers-property-cmdtype    1 request, 2 one-way, 0 response
    x-mosn-sofarpc-headers-property-frame      the frame up to its content, percent-encoded
    service, method                            of requests: for routes
    body                                       the content

The octets in front of the content are kept as they are, so nothing is lost; the number of octets of
the content in them does not count, for filters may have changed that.
"""

from __future__ import annotations

from typing import Any

from mosntx.contracts.codec import MESSAGE
from mosntx.contracts.message import Pair
from mosntx.protocol.bolt.codes import ONEWAY, REQUEST, RESPONSE, boltStatus
from mosntx.protocol.bolt.heads import BoltResponse
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import RequestHead, ResponseHead
from mosntx.protocol.tr.client import TrClientCodec
from mosntx.protocol.tr.connection import HEADER_SIZE
from mosntx.protocol.tr.heads import VERSION, TrRequest, TrResponse
from mosntx.protocol.tr.limits import TrLimits
from mosntx.protocol.tr.server import TrServerCodec
from mosntx.proxy.convert.base import MAX_CONTENT
from mosntx.proxy.convert.bolt_http1 import BoltToHttp1
from mosntx.proxy.convert.fields import (
    PROPERTY,
    checkOneService,
    escape,
    isPlain,
    properties,
    unescape,
)
from mosntx.proxy.convert.http1_bolt import REQUEST_PROTOCOL, Http1ToBolt

FRAME = PROPERTY + b"frame"
_LENGTH = slice(HEADER_SIZE - 4, HEADER_SIZE)
_TR = b"%d" % VERSION


def _fields(head: Any, kind: int) -> list[Pair]:
    fields = properties([(b"protocol", VERSION), (b"cmdtype", kind)], b"")
    before = len(head.className) + HEADER_SIZE + int.from_bytes(head.frame[5:9], "big")
    fields.append((FRAME, escape(head.frame[:before])))
    return fields


def _read(headers: Any, codec: Any, cls: type) -> Any:
    """Return the head of the frame in a field, without content."""
    octets = bytearray(unescape(headers.get(FRAME) or b""))
    octets[_LENGTH] = bytes(4)
    events = codec.receive(bytes(octets))
    if len(events) != 1 or events[0][0] != MESSAGE or not isinstance(events[0][2], cls):
        raise EncodeError(400, "a sofarpc field that holds no frame of tr")
    return events[0][2]


def toHttpRequest(head: TrRequest, authority: bytes, length: int | None) -> RequestHead:
    """Return the head of the request that says the same in HTTP.

    :param authority: for the Host field.
    :param length: octets of the content; ``None`` when it comes apart and nobody knows.
    """
    fields: list[Pair] = [(b"Host", authority)]
    if length is not None:
        fields.append((b"Content-Length", b"%d" % length))
    fields += _fields(head, ONEWAY if head.oneway else REQUEST)
    named = ((b"service", head.service), (b"method", head.method))
    fields += [pair for pair in named if pair[1] and isPlain(*pair)]
    return RequestHead(b"POST", b"/", authority, Headers(fields))


def toTrRequest(head: Any) -> TrRequest:
    """Return the head of the frame that a request of a mesh once was, without its content.

    :raises EncodeError: when it was none of TR.
    """
    if head.headers.get(REQUEST_PROTOCOL) != _TR:
        raise EncodeError(502, "only what was tr before can go to tr")
    checkOneService(head.headers)
    request: TrRequest = _read(head.headers, TrServerCodec(TrLimits()), TrRequest)
    return request


def toHttpResponse(head: TrResponse, length: int) -> ResponseHead:
    """Return the head of the response that says the same in HTTP."""
    fields: list[Pair] = [(b"Content-Length", b"%d" % length), *_fields(head, RESPONSE)]
    return ResponseHead(head.status, Headers(fields))


def toTrResponse(head: Any, content: bytes) -> Any:
    """Return the frame for a response of HTTP, or a failure that the client's codec makes one of.

    :raises EncodeError: when it is a success that was never a frame of TR.
    """
    if head.headers.get(FRAME) is not None:
        response = _read(head.headers, TrClientCodec(TrLimits()), TrResponse)
        response.content = content
        return response
    if head.status < 400:
        raise EncodeError(502, "a response that was not tr before")
    failure = BoltResponse.of(boltStatus=boltStatus(head.status))
    failure.status = head.status
    return failure


class TrToHttp1(BoltToHttp1):
    """See `ConvertedStreams`."""

    __slots__ = ()

    def _toHttp(self, request: Any, authority: bytes, length: int | None) -> RequestHead:
        return toHttpRequest(request, authority, length)

    def _fromHttp(self, head: Any, content: bytes, request: Any) -> Any:
        return toTrResponse(head, content)


class Http1ToTr(Http1ToBolt):
    """See `ConvertedStreams`. The codec of the upstream collects the body."""

    __slots__ = ()

    def request(self, head: Any, end: bool) -> TrRequest:
        """See `ConvertedStreams.request`."""
        if (getattr(head, "contentLength", None) or 0) > MAX_CONTENT:
            raise EncodeError(413, "the body is too large for the protocol of the upstream")
        request = toTrRequest(head)
        self._oneway = request.oneway
        return request

    def _responseHead(self, head: Any, length: int) -> ResponseHead:
        return toHttpResponse(head, length)
