"""Streams that become tunnels: CONNECT, plain (RFC 9113 8.5) and extended (RFC 8441).

Above the codecs a change to WebSocket looks as it does in HTTP/1.1: a GET with an offer, and 101
for a yes. In HTTP/2 it is a CONNECT, and a yes is 200.
"""

from __future__ import annotations

from typing import Any

from mosntx.contracts.message import CONNECT_TUNNEL, Pair, accepts
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.http2.encode import fieldPairs, responseFields
from mosntx.protocol.http2.fields import CONNECTION_FIELDS
from mosntx.protocol.http2.frames import Stream
from mosntx.protocol.http2.heads import Http2ResponseHead
from mosntx.protocol.websocket import ACCEPT_FIELD, KEY_FIELD, WEBSOCKET, acceptFor

#: What a yes does not have: a length, and the yes of HTTP/1.1.
_NOT_IN_A_YES = CONNECTION_FIELDS | {b"content-length", ACCEPT_FIELD}


class OfferStream(Stream):
    """A stream whose request is a CONNECT.

    :ivar offer: see `IRequestHead`, ``upgrade``; empty again at the client when refused.
    :ivar tunnel: the offer was accepted.
    :ivar accept: what the client on HTTP/1.1 waits for, ``b''`` when it is on HTTP/2.
    """

    __slots__ = ("accept", "offer", "tunnel")

    def __init__(self, offer: bytes, recvEnded: bool, accept: bytes = b"") -> None:
        super().__init__(recvEnded)
        self.offer = offer
        self.accept = accept
        self.tunnel = False


def offeringStream(head: Any) -> OfferStream:
    """Return the stream of a request that goes to an upstream.

    :raises EncodeError: when a client on HTTP/1.1 has sent no key: no answer would fit it.
    """
    key = b""
    if head.upgrade == WEBSOCKET and head.protocol != "Http2":
        key = (head.headers.get(KEY_FIELD) or b"").strip()
        if not key:
            raise EncodeError(400, "a WebSocket handshake without a key")
    return OfferStream(head.upgrade, False, acceptFor(key) if key else b"")


def answered(stream: OfferStream, head: Http2ResponseHead) -> Http2ResponseHead:
    """Return the upstream's answer as the layers above know it."""
    if not 200 <= head.status < 300:
        stream.offer = b""
        return head
    stream.tunnel = True
    headers = head.headers
    headers.remove(b"content-length")
    headers.remove(ACCEPT_FIELD)
    if stream.accept:
        headers.set(ACCEPT_FIELD, stream.accept)
    status = head.status if stream.offer == CONNECT_TUNNEL else 101
    return Http2ResponseHead(status, headers)


def answerFields(stream: OfferStream, head: Any, end: bool) -> list[Pair]:
    """Return the field list of the answer to a client.

    :raises EncodeError: also for a 2xx that is no yes, for the client would take it for one.
    """
    status = head.status
    if accepts(stream.offer, status) and not end:
        fields = fieldPairs(head.headers, _NOT_IN_A_YES)
        stream.tunnel = True
        return [(b":status", b"200" if status == 101 else b"%d" % status), *fields]
    if 200 <= status < 300:
        raise EncodeError(502, "a response that would be taken for a yes")
    return responseFields(head)
