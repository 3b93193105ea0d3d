"""Frames of our own: requests for other protocols' messages, error responses, heartbeats.

The objects are laid out as SOFA's peers lay them out, fields in their order, so that a Java peer
reads them into its own classes. Answers keep the serialization, and in Hessian 2 the grammar, of
the request.

**Inferred**, for no sample exists: what a heartbeat and its acknowledgement look like, and any
``result`` but 0. In Java serialization also the serialVersionUID 1 of ConnectionResponse (the
captured ConnectionRequest has it); that of SofaResponse is SOFARPC's
(core/api/.../response/SofaResponse.java).
"""

from __future__ import annotations

from mosntx.protocol.hessian.values import (
    encodeFullInt,
    encodeFullLong,
    encodeInt,
    encodeLong,
    encodeString,
    units,
)
from mosntx.protocol.tr.connection import FAILURE, HESSIAN1, HESSIAN2, JAVA, ConnectionReader
from mosntx.protocol.tr.heads import (
    HEARTBEAT_CLASS,
    ONEWAY,
    REQUEST,
    RESPONSE,
    SOFA_RESPONSE,
    TWOWAY,
    VERSION,
    TrRequest,
    TrResponse,
    readHead,
)
from mosntx.protocol.tr.javastream import STREAM_HEADER

_CONNECTION_REQUEST = b"com.taobao.remoting.impl.ConnectionRequest"
_REQUEST_CONTEXT = _CONNECTION_REQUEST + b"$RequestContext"
_CONNECTION_RESPONSE = b"com.taobao.remoting.impl.ConnectionResponse"
_RESPONSE_CONTEXT = _CONNECTION_RESPONSE + b"$ResponseContext"

#: Characters of an error text; Java strings have lengths of 16 bits.
MAX_ERROR_TEXT = 1024

_UNHEALTHY = "no healthy upstream"

_Fields = tuple[tuple[bytes, bytes], ...]


class _Hessian:
    """One grammar of Hessian. Values are octets; a class has the number of its first use."""

    def __init__(self, serialization: int, final: bool) -> None:
        self._hessian1 = serialization == HESSIAN1
        self._final = final

    def text(self, text: str | None) -> bytes:
        """Return a string or null."""
        return b"N" if text is None else encodeString(text, self._final, self._hessian1)

    def number(self, value: int) -> bytes:
        """Return an int."""
        return encodeFullInt(value) if self._hessian1 else encodeInt(value)

    def long(self, value: int) -> bytes:
        """Return a long."""
        return encodeFullLong(value) if self._hessian1 else encodeLong(value, self._final)

    def outer(self) -> bytes:
        """Return a reference to the first object."""
        if self._hessian1:
            return b"R\0\0\0\0"
        return b"Q\x90" if self._final else b"J\0"

    def object(self, number: int, name: bytes, fields: _Fields) -> bytes:
        """Return an object and, in Hessian 2, the definition of its class."""
        if self._hessian1:
            pairs = [self.text(key.decode()) + value for key, value in fields]
            return b"".join((b"Mt", len(name).to_bytes(2, "big"), name, *pairs, b"z"))
        if self._final:
            parts = [b"C", encodeString(name.decode(), True)]
            instance = bytes((0x60 + number,))
        else:
            parts = [b"O", encodeInt(len(name)), name]
            instance = b"o" + encodeInt(number)
        parts.append(encodeInt(len(fields)))
        parts += [encodeString(key.decode()) for key, _ in fields]
        parts.append(instance)
        return b"".join(parts + [value for _, value in fields])


def _utf(octets: bytes) -> bytes:
    return len(octets).to_bytes(2, "big") + octets


def _javaText(text: str | None) -> bytes:
    if text is None:
        return b"p"
    octets = units(text).encode("utf-8", "surrogatepass").replace(b"\0", b"\xc0\x80")
    return b"t" + _utf(octets)


#: serialVersionUID, flags and fields of the classes, then the end of class and no parent.
_JAVA_RESPONSE = b"".join(
    (
        STREAM_HEADER + b"sr" + _utf(_CONNECTION_RESPONSE) + bytes(7) + b"\x01\x02\0\x05",
        b"I\0\x06resultL\0\x03ctxt",
        _utf(b"L" + _RESPONSE_CONTEXT.replace(b".", b"/") + b";"),
        b"L\0\x08errorMsgt" + _utf(b"Ljava/lang/String;"),
        b"L\0\x0aerrorStackq\0~\0\x02L\0\x04hostq\0~\0\x02xp",
    )
)
_JAVA_CONTEXT = b"".join(
    (
        b"sr" + _utf(_RESPONSE_CONTEXT) + bytes(7) + b"\x01\x02\0\x02",
        b"J\0\x02idL\0\x06this$0t",
        _utf(b"L" + _CONNECTION_RESPONSE.replace(b".", b"/") + b";") + b"xp",
    )
)
#: The fourth handle of the stream: the ConnectionResponse.
_JAVA_OUTER = b"q\0~\0\x03"
_JAVA_SOFA_RESPONSE = b"".join(
    (
        STREAM_HEADER + b"sr" + _utf(SOFA_RESPONSE),
        (-4364536436151723421).to_bytes(8, "big", signed=True) + b"\x02\0\x04",
        b"Z\0\x07isErrorL\0\x0bappResponset" + _utf(b"Ljava/lang/Object;"),
        b"L\0\x08errorMsgt" + _utf(b"Ljava/lang/String;"),
        b"L\0\x0dresponsePropst" + _utf(b"Ljava/util/Map;") + b"xp",
    )
)


def frameOf(
    flag: int, serialization: int, direction: int, connection: bytes, name: bytes, content: bytes
) -> bytes:
    """Return a whole frame."""
    return b"".join(
        (
            bytes((VERSION, flag, serialization, direction, 0)),
            len(connection).to_bytes(4, "big"),
            bytes((len(name),)),
            len(content).to_bytes(4, "big"),
            connection,
            name,
            content,
        )
    )


def _connectionRequest(requestId: int) -> bytes:
    hessian = _Hessian(HESSIAN2, False)
    fields = ((b"id", hessian.long(requestId)), (b"this$0", hessian.outer()))
    context = hessian.object(1, _REQUEST_CONTEXT, fields)
    return hessian.object(0, _CONNECTION_REQUEST, ((b"ctx", context),))


def _connectionResponse(
    requestId: int, result: int, text: str | None, serialization: int, final: bool
) -> bytes:
    if serialization == JAVA:
        return b"".join(
            (
                _JAVA_RESPONSE + result.to_bytes(4, "big", signed=True),
                _JAVA_CONTEXT + requestId.to_bytes(8, "big", signed=True) + _JAVA_OUTER,
                _javaText(text) + b"pp",
            )
        )
    hessian = _Hessian(serialization, final)
    fields = ((b"id", hessian.long(requestId)), (b"this$0", hessian.outer()))
    return hessian.object(
        0,
        _CONNECTION_RESPONSE,
        (
            (b"host", b"N"),  # the address is the peer's to know
            (b"result", hessian.number(result)),
            (b"errorMsg", hessian.text(text)),
            (b"errorStack", b"N"),
            (b"ctx", hessian.object(1, _RESPONSE_CONTEXT, fields)),
        ),
    )


def _sofaResponse(text: str | None, serialization: int, final: bool) -> bytes:
    """Return a SofaResponse that is an error when there is a text, else a null result."""
    if serialization == JAVA:
        isError = b"\0" if text is None else b"\x01"
        return b"".join((_JAVA_SOFA_RESPONSE, isError, b"p", _javaText(text), b"p"))
    hessian = _Hessian(serialization, final)
    return hessian.object(
        0,
        SOFA_RESPONSE,
        (
            (b"isError", b"F" if text is None else b"T"),
            (b"errorMsg", hessian.text(text)),
            (b"appResponse", b"N"),
            (b"responseProps", b"N"),
        ),
    )


def newRequest(className: bytes, content: bytes, oneway: bool = False) -> TrRequest:
    """Return a request of ours in Hessian 2; the codec that sends it gives it an id.

    :param className: of the first application object, at most 255 octets.
    :param content: the application objects.
    """
    direction = ONEWAY if oneway else TWOWAY
    frame = frameOf(REQUEST, HESSIAN2, direction, _connectionRequest(0), className, content)
    request: TrRequest = readHead(frame, ConnectionReader())
    return request


def newResponse(
    className: bytes, content: bytes, result: int = 0, text: str | None = None
) -> TrResponse:
    """Return a response of ours in Hessian 2; the codec that sends it gives it an id.

    :param className: of the application object, at most 255 octets.
    :param content: the application object.
    :param result: 0 for success.
    :param text: what went wrong.
    """
    connection = _connectionResponse(0, result, _cut(text), HESSIAN2, False)
    frame = frameOf(RESPONSE, HESSIAN2, 0, connection, className, content)
    response: TrResponse = readHead(frame, ConnectionReader())
    return response


def plainResponse(
    requestId: int, text: str | None, serialization: int = HESSIAN2, final: bool = False
) -> bytes:
    """Return the octets of a response without a result.

    :param text: what went wrong; ``None`` for success.
    """
    text = _cut(text)
    result = 0 if text is None else FAILURE
    return frameOf(
        RESPONSE,
        serialization,
        0,
        _connectionResponse(requestId, result, text, serialization, final),
        SOFA_RESPONSE,
        _sofaResponse(text, serialization, final),
    )


def heartbeat(requestId: int) -> bytes:
    """Return a heartbeat: a request of the class ConnectionHeartBeat without objects (inferred)."""
    return frameOf(REQUEST, HESSIAN2, TWOWAY, _connectionRequest(requestId), HEARTBEAT_CLASS, b"")


def heartbeatAck(frame: TrRequest, status: int = 0) -> bytes:
    """Return the acknowledgement of a heartbeat: its id, class and objects (inferred).

    :param status: 0 when all is well; else it becomes the ``result``.
    """
    text = _UNHEALTHY if status else None
    serialization = frame.serialization
    return frameOf(
        RESPONSE,
        serialization,
        0,
        _connectionResponse(frame.requestId, status, text, serialization, frame.connection.final),
        frame.className,
        frame.content,
    )


def _cut(text: str | None) -> str | None:
    return None if text is None else text[:MAX_ERROR_TEXT]
