"""Heads of other protocols as frames of TR.

Only what names a class and has its object in Hessian 2 can be said in TR: a request or response of
SOFARPC that came by Bolt. Class name and objects are the same there. Header maps and timeouts have
no place in TR and are lost; so is the status of a Bolt response, but for success and failure.
"""

from __future__ import annotations

from typing import Any

from mosntx.protocol.errors import EncodeError
from mosntx.protocol.status import phrase
from mosntx.protocol.tr.build import newRequest, newResponse, plainResponse
from mosntx.protocol.tr.connection import FAILURE, HESSIAN2, ConnectionReader
from mosntx.protocol.tr.heads import TrRequest, TrResponse, readHead

#: How Bolt says Hessian 2 (SOFABolt SerializerManager).
_BOLT_HESSIAN2 = 1
#: Octets of a class name: its length has 8 bits.
_LONGEST_NAME = 255


def toRequest(head: Any, content: bytes) -> TrRequest:
    """Return a frame for the request of another protocol.

    :param head: an `IRequestHead` with ``className`` and ``codec``.
    :raises EncodeError: when TR cannot say it.
    """
    return newRequest(_className(head), content, head.oneway)


def toResponse(head: Any, content: bytes, serialization: int, final: bool) -> TrResponse:
    """Return a frame for the response of another protocol.

    :param head: an `IResponseHead`; one with a status of failure needs no class.
    :param serialization: of the request.
    :param final: the request was written in the published grammar of Hessian 2.
    :raises EncodeError: when TR cannot say it.
    """
    status = head.status
    text = phrase(status).decode("ascii")
    if status >= 400 and not getattr(head, "className", b""):
        frame = plainResponse(0, text, serialization, final)
        response: TrResponse = readHead(frame, ConnectionReader())
        response.status = status
        return response
    name = _className(head)
    if serialization != HESSIAN2:
        raise EncodeError(502, "tr: the client does not read Hessian 2")
    failed = status >= 400
    return newResponse(name, content, FAILURE if failed else 0, text if failed else None)


def _className(head: Any) -> bytes:
    name: bytes = getattr(head, "className", b"")
    if not 0 < len(name) <= _LONGEST_NAME:
        raise EncodeError(502, "tr: a message without a class of up to 255 octets")
    if getattr(head, "codec", _BOLT_HESSIAN2) != _BOLT_HESSIAN2:
        raise EncodeError(502, "tr: a message that is not in Hessian 2")
    return name
