"""TR and Bolt, both directions: both ends speak SOFARPC.

The class name and the objects are the same in both. What else a frame says has no place in the
other one, but for what routes and applications need; see docs/reference/conversion.
"""

from __future__ import annotations

from typing import Any

from mosntx.contracts.message import Pair
from mosntx.protocol.bolt.codes import HESSIAN2, NO_TIMEOUT, SUCCESS, boltStatus
from mosntx.protocol.bolt.heads import BoltRequest, BoltResponse
from mosntx.protocol.bolt.simplemap import METHOD_NAME, SERVICE, TARGET_SERVICE, writePairs
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.tr.connection import HESSIAN2 as TR_HESSIAN2
from mosntx.protocol.tr.foreign import toRequest
from mosntx.protocol.tr.heads import TrRequest, TrResponse
from mosntx.proxy.convert.base import ConvertedStreams

#: Headers that SOFARPC's Bolt carries besides (wire/bolt.md 6).
TARGET_APP = b"sofa_head_target_app"
RESPONSE_ERROR = b"sofa_head_response_error"


def toBoltRequest(head: TrRequest, end: bool) -> BoltRequest:
    """Return the request of TR as a frame of Bolt.

    :param end: its content goes with it.
    :raises EncodeError: when its objects are not in Hessian 2.
    """
    _checkSerialization(head.serialization)
    pairs: list[Pair] = [
        (SERVICE, head.service),
        (TARGET_SERVICE, head.service),
        (METHOD_NAME, head.method),
        (TARGET_APP, head.application),
    ]
    return BoltRequest.of(
        writePairs(pair for pair in pairs if pair[1]),
        head.content if end else b"",
        className=head.className,
        oneway=head.oneway,
        codec=HESSIAN2,
        milliseconds=NO_TIMEOUT,
    )


def toBoltResponse(head: TrResponse, request: BoltRequest) -> BoltResponse:
    """Return the response of TR as a frame of Bolt.

    An error of the application is no failure of Bolt: SOFARPC says it in a header.

    :raises EncodeError: when its object is not in Hessian 2.
    """
    _checkSerialization(head.serialization)
    failed = head.status >= 400
    pairs: list[Pair] = [(RESPONSE_ERROR, b"true")] if failed else []
    response = BoltResponse.of(
        writePairs(pairs),
        head.content,
        boltStatus=boltStatus(500) if head.result else SUCCESS,
        className=head.className,
        version=request.version,
        codec=HESSIAN2,
    )
    response.status = head.status
    return response


def _checkSerialization(serialization: int) -> None:
    if serialization != TR_HESSIAN2:
        raise EncodeError(502, "tr: objects that are not in Hessian 2 cannot go to Bolt")


class TrToBolt(ConvertedStreams):
    """See `ConvertedStreams`. The codec of the client makes a frame of TR of the response."""

    __slots__ = ()

    def request(self, head: Any, end: bool) -> BoltRequest:
        """See `ConvertedStreams.request`."""
        return toBoltRequest(head, end)


class BoltToTr(ConvertedStreams):
    """See `ConvertedStreams`. The codec of the upstream makes a frame of TR of the request."""

    __slots__ = ("_request",)

    _request: Any

    def request(self, head: Any, end: bool) -> Any:
        """See `ConvertedStreams.request`."""
        self._request = head
        if end:
            return toRequest(head, head.content)
        return head

    def response(self, head: Any) -> BoltResponse:
        """See `ConvertedStreams.response`."""
        return toBoltResponse(head, self._request)
