"""The connection object of a frame: where the request id stands in it, and what else it says.

A request has ``ConnectionRequest{ctx: RequestContext{id, this$0}}``, a response
``ConnectionResponse{host, result, errorMsg, errorStack, ctx: ResponseContext{id, this$0}}``. Newer
peers have more fields, in other orders, so all are looked up by name.
"""

from __future__ import annotations

from mosntx.protocol.hessian.fields import Found
from mosntx.protocol.hessian.fields import findFields as findHessian
from mosntx.protocol.hessian.values import (
    HessianError,
    encodeFullLong,
    encodeLong,
    readLong,
    readText,
)
from mosntx.protocol.hessian.walker import Wanted
from mosntx.protocol.tr import javastream

#: Third octet of a frame: how its objects are written. 3 (TOP) has no connection object that
#: anybody has described.
HESSIAN1 = 1
JAVA = 2
HESSIAN2 = 4

#: Octets of the fixed part of a frame; the connection object follows.
HEADER_SIZE = 14

#: The result of a response that this process makes for a failure. What peers mean by others than 0
#: is documented nowhere (inferred).
FAILURE = 1

#: The id is in the context, which is a field of the object: on the next level. An id deeper inside
#: is not the one that a peer would read.
_RESPONSE = (0, (b"ConnectionResponse",))
_WANTED: Wanted = {
    b"id": (1, (b"RequestContext", b"ResponseContext")),
    b"result": _RESPONSE,
    b"host": _RESPONSE,
    b"errorMsg": _RESPONSE,
}


class ConnectionObject:
    """What a connection object says besides the id; shared by frames that say the same.

    :param before: the octets in front of the id.
    :param after: the octets behind it.
    :param final: written in the published grammar of Hessian 2.
    :param result: 0 for a response that is no error.
    :param host: address of the server in a response, UTF-8.
    :param errorText: what went wrong, UTF-8.
    """

    __slots__ = ("after", "before", "errorText", "final", "host", "result", "serialization")

    def __init__(
        self,
        serialization: int,
        before: bytes,
        after: bytes,
        final: bool,
        result: int,
        host: bytes,
        errorText: bytes,
    ) -> None:
        self.serialization = serialization
        self.before = before
        self.after = after
        self.final = final
        self.result = result
        self.host = host
        self.errorText = errorText


class ConnectionReader:
    """Finds ids. Keeps the last object: on one connection the next differs from it in the id only.

    Octets in front of the id that are the same mean the same, and an id is a value of its own; so
    when those behind it are the same too, nothing has to be walked.
    """

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: ConnectionObject | None = None

    def read(self, frame: bytes, end: int) -> tuple[int, int, int, ConnectionObject]:
        """Read the connection object of a frame, which ends at ``end``.

        :returns: the id, where it begins and ends, and what else the object says.
        :raises HessianError: when there is no id that can be read.
        """
        serialization = frame[2]
        last = self._last
        if (
            last is not None
            and last.serialization == serialization
            and frame.startswith(last.before, HEADER_SIZE)
        ):
            start = HEADER_SIZE + len(last.before)
            value, after = _readId(frame, start, end, last.serialization, last.final)
            if frame[after:end] == last.after:
                return value, start, after, last
        if serialization == JAVA:
            found = javastream.findFields(frame, HEADER_SIZE, end, _WANTED)
        else:
            found = findHessian(
                frame, HEADER_SIZE, end, _WANTED, hessian1=serialization == HESSIAN1
            )
        if found.end != end:
            raise HessianError(f"{end - found.end} octets too many")
        span = found.spans.get(b"id")
        if span is None:
            raise HessianError("no request id")
        start, after = span
        value, after = _readId(frame, start, after, serialization, found.final)
        self._last = last = _object(frame, end, start, after, found)
        return value, start, after, last


def _readId(frame: bytes, start: int, end: int, serialization: int, final: bool) -> tuple[int, int]:
    if serialization != JAVA:
        return readLong(frame, start, end, final)
    after = start + 8
    if after > end:
        raise HessianError("the id has no 64 bits")
    return int.from_bytes(frame[start:after], "big", signed=True), after


def _object(frame: bytes, end: int, start: int, after: int, found: Found) -> ConnectionObject:
    return ConnectionObject(
        frame[2],
        frame[HEADER_SIZE:start],
        frame[after:end],
        found.final,
        _readResult(frame, found),
        textIn(frame, found, b"host"),
        textIn(frame, found, b"errorMsg"),
    )


def textIn(frame: bytes, found: Found, name: bytes) -> bytes:
    """Return a text that has been found, in UTF-8; ``b''`` when it was not, or is none."""
    span = found.texts.get(name)
    if span is None:
        return b""
    if frame[2] == JAVA:
        return javastream.readText(frame, *span) or b""
    return readText(frame, *span, found.final) or b""


def _readResult(frame: bytes, found: Found) -> int:
    span = found.spans.get(b"result")
    if span is None:
        return 0
    start, end = span
    if frame[2] == JAVA:
        return int.from_bytes(frame[start:end], "big", signed=True)
    try:
        return readLong(frame, start, end, found.final)[0]
    except HessianError:
        return FAILURE  # whatever the peer means by it, it does not say that all is well


def encodeId(value: int, serialization: int, final: bool) -> bytes:
    """Return an id as it stands in a connection object: the shortest form that there is."""
    if serialization == HESSIAN2:
        return encodeLong(value, final)
    if serialization == HESSIAN1:
        return encodeFullLong(value)
    return value.to_bytes(8, "big", signed=True)
