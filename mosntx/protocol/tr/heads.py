"""Frames as heads of messages.

::

    off  len
    0    1    version, 13
    1    1    flag: 0 request, 1 response
    2    1    serialization: 1 Hessian 1, 2 Java, 4 Hessian 2
    3    1    direction of a request: 1 one-way, 2 two-way
    4    1    reserved
    5    4    octets of the connection object
    9    1    octets of the class name
    10   4    octets of the application objects
    14        connection object, class name, application objects

A frame is forwarded as it came, but for the id inside its connection object and the length of that.
Its headers are facts about it for routes and filters; a frame has no place for others, so what is
changed in them ends with the protocol.
"""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from mosntx.contracts.message import IHeaders, ILocalReply, IWholeRequest, IWholeResponse, Pair
from mosntx.protocol.headers import Headers
from mosntx.protocol.hessian.fields import Found
from mosntx.protocol.hessian.fields import findFields as findHessian
from mosntx.protocol.hessian.values import HessianError
from mosntx.protocol.hessian.walker import Wanted
from mosntx.protocol.tr import javastream
from mosntx.protocol.tr.connection import (
    HEADER_SIZE,
    HESSIAN1,
    JAVA,
    ConnectionObject,
    ConnectionReader,
    encodeId,
    textIn,
)

VERSION = 13
REQUEST = 0
RESPONSE = 1
ONEWAY = 1
TWOWAY = 2

#: What makes a frame a heartbeat (MOSN pkg/protocol/sofarpc/types.go TR_HEARTBEART_CLASS).
HEARTBEAT_CLASS = b"com.taobao.remoting.impl.ConnectionHeartBeat"
SOFA_REQUEST = b"com.alipay.sofa.rpc.core.request.SofaRequest"
SOFA_RESPONSE = b"com.alipay.sofa.rpc.core.response.SofaResponse"

#: Names of the headers that hold the fixed fields (MOSN pkg/protocol/sofarpc/types.go).
_PROPERTIES = tuple(
    b"x-mosn-sofarpc-headers-property-" + name
    for name in (
        b"protocol",
        b"requestflag",
        b"serializeprotocol",
        b"direction",
        b"reserved",
        b"appclassnamelen",
        b"connrequestlen",
        b"appclasscontentlen",
        b"cmdcode",
        b"requestid",
    )
)
#: All names that the headers of a frame can have, before somebody adds others.
_NAMES = frozenset((b"service", b"method", *_PROPERTIES))

#: Octets of the application objects that are looked at for headers. A request names its service in
#: the first hundreds; it bounds what a long string in front of that can cost.
MAX_LOOKED_AT = 1024 * 1024

_UNSAFE = (b"\r", b"\n", b"\0")
_REQUEST_FIELDS: Wanted = {
    b"targetServiceUniqueName": (0, (b".SofaRequest",)),
    b"methodName": (0, (b".SofaRequest",)),
}
_APP_FIELDS: Wanted = {b"targetAppName": (0, (b".SofaRequest",))}
_RESPONSE_FIELDS: Wanted = {b"isError": (0, (b".SofaResponse",))}


class TrFrame:
    """What requests and responses have in common.

    ``frame`` are the octets as received, ``requestId`` the id in them, of 64 bits with sign.
    ``connection`` is what the connection object says besides.
    """

    __slots__ = (
        "_classStart",
        "_content",
        "_contentStart",
        "_headers",
        "_idEnd",
        "_idStart",
        "connection",
        "frame",
        "requestId",
    )

    def __init__(
        self,
        frame: bytes,
        requestId: int,
        idStart: int,
        idEnd: int,
        connection: ConnectionObject,
    ) -> None:
        self.frame = frame
        self.requestId = requestId
        self.connection = connection
        self._idStart = idStart
        self._idEnd = idEnd
        self._classStart = start = HEADER_SIZE + int.from_bytes(frame[5:9], "big")
        self._contentStart = start + frame[9]
        self._content: bytes | None = None
        self._headers: IHeaders | None = None

    @property
    def serialization(self) -> int:
        """How the objects are written: 1 Hessian 1, 2 Java, 4 Hessian 2."""
        return self.frame[2]

    @property
    def className(self) -> bytes:
        """Name of the class of the first application object."""
        return self.frame[self._classStart : self._contentStart]

    @property
    def content(self) -> bytes:
        """The application objects: a SofaRequest and its arguments, or a SofaResponse.

        Assign to replace them.
        """
        content = self._content
        return self.frame[self._contentStart :] if content is None else content

    @content.setter
    def content(self, content: bytes) -> None:
        self._content = content

    @property
    def contentLength(self) -> int:
        """Octets of the content; costs less than ``content``."""
        content = self._content
        return len(self.frame) - self._contentStart if content is None else len(content)

    @property
    def headers(self) -> IHeaders:
        """See `IRequestHead`. Made at first use; changes do not go into the frame."""
        headers = self._headers
        if headers is None:
            headers = self._headers = Headers.trusted(self._pairs())
        return headers

    def octets(self, requestId: int) -> bytes:
        """Return the frame with another id; all other octets are as they came."""
        frame = self.frame
        content = self._content
        if content is None and requestId == self.requestId:
            return frame
        start = self._idStart
        end = self._idEnd
        new = encodeId(requestId, frame[2], self.connection.final)
        length = self._classStart - HEADER_SIZE + len(new) - (end - start)
        size = length.to_bytes(4, "big")
        if content is None:
            return b"".join((frame[:5], size, frame[9:start], new, frame[end:]))
        rest = frame[end : self._contentStart]
        lengths = (frame[9:10], len(content).to_bytes(4, "big"))
        return b"".join((frame[:5], size, *lengths, frame[HEADER_SIZE:start], new, rest, content))

    def __repr__(self) -> str:
        # Class, texts and content may be secrets.
        return f"<{type(self).__name__} {self.requestId} {len(self.frame)} octets>"

    def _pairs(self) -> list[Pair]:
        """Return the fixed fields (MOSN pkg/protocol/sofarpc/codec/trcodec.go mapToFields)."""
        frame = self.frame
        isRequest = frame[1] == REQUEST
        command = (0 if self.className == HEARTBEAT_CLASS else 13) if isRequest else 14
        lengths = (
            frame[9],
            self._classStart - HEADER_SIZE,
            len(frame) - self._contentStart,
        )
        values = (*frame[:5], *lengths, command, self.requestId)
        return [(name, b"%d" % value) for name, value in zip(_PROPERTIES, values, strict=True)]

    def _find(self, wanted: Wanted) -> Found | None:
        """Look for fields of the first application object; ``None`` when it cannot be read."""
        frame = self.frame
        start = self._contentStart
        end = min(len(frame), start + MAX_LOOKED_AT)
        try:
            if frame[2] == JAVA:
                return javastream.findFields(frame, start, end, wanted, True)
            return findHessian(frame, start, end, wanted, True, frame[2] == HESSIAN1)
        except HessianError:
            return None

    def _text(self, found: Found | None, name: bytes) -> bytes:
        """Return a text that can be a header's value; ``b''`` when it is none."""
        text = b"" if found is None else textIn(self.frame, found, name)
        return b"" if any(octet in text for octet in _UNSAFE) else text


@implementer(IWholeRequest)
class TrRequest(TrFrame):
    """See `IWholeRequest`. A frame that says neither one-way nor two-way wants an answer."""

    __slots__ = ("_target", "authority", "path")

    protocol = "tr"
    scheme = b""
    timeout = None
    replayable = False

    def __init__(
        self,
        frame: bytes,
        requestId: int,
        idStart: int,
        idEnd: int,
        connection: ConnectionObject,
    ) -> None:
        super().__init__(frame, requestId, idStart, idEnd, connection)
        self._target: tuple[bytes, bytes] | None = None
        self.path = b""
        self.authority = b""

    def field(self, name: bytes) -> bytes | None:
        """See `mosntx.contracts.message.IRequestHead`."""
        if self._headers is None and name not in _NAMES:
            return None
        return self.headers.get(name)

    @property
    def oneway(self) -> bool:
        """See `IRequestHead`."""
        return self.frame[3] == ONEWAY

    @property
    def service(self) -> bytes:
        """See `IRequestHead`: the SofaRequest's targetServiceUniqueName."""
        return (self._target or self._readTarget())[0]

    @property
    def method(self) -> bytes:
        """See `IRequestHead`: the SofaRequest's methodName."""
        return (self._target or self._readTarget())[1]

    @property
    def application(self) -> bytes:
        """The SofaRequest's targetAppName; ``b''`` when there is none."""
        if not self.className.endswith(b".SofaRequest"):
            return b""
        return self._text(self._find(_APP_FIELDS), b"targetAppName")

    def _readTarget(self) -> tuple[bytes, bytes]:
        found = None
        if self.className.endswith(b".SofaRequest"):
            found = self._find(_REQUEST_FIELDS)
        target = self._target = (
            self._text(found, b"targetServiceUniqueName"),
            self._text(found, b"methodName"),
        )
        return target

    def _pairs(self) -> list[Pair]:
        pairs = ((b"service", self.service), (b"method", self.method))
        return [pair for pair in pairs if pair[1]] + super()._pairs()


@implementer(IWholeResponse)
class TrResponse(TrFrame):
    """See `IWholeResponse`. ``status`` is assignable and does not change the frame."""

    __slots__ = ("_status",)

    def __init__(
        self,
        frame: bytes,
        requestId: int,
        idStart: int,
        idEnd: int,
        connection: ConnectionObject,
    ) -> None:
        super().__init__(frame, requestId, idStart, idEnd, connection)
        self._status = 0

    @property
    def result(self) -> int:
        """The result in the connection object; 0 for success."""
        return self.connection.result

    @property
    def heartbeatStatus(self) -> int:
        """See `mosntx.contracts.codec.HEARTBEAT_ACK`."""
        return self.connection.result

    @property
    def status(self) -> int:
        """See `IWholeResponse`: 500 when the result is not 0 or the SofaResponse an error."""
        if not self._status:
            self._status = 500 if self.connection.result or self._isError() else 200
        return self._status

    @status.setter
    def status(self, status: int) -> None:
        self._status = status

    def _isError(self) -> bool:
        if not self.className.endswith(b".SofaResponse"):
            return False
        found = self._find(_RESPONSE_FIELDS)
        span = None if found is None else found.spans.get(b"isError")
        return span is not None and self.frame[span[0] : span[1]] in (b"T", b"\x01")


@implementer(ILocalReply)
class LocalReply:
    """See `ILocalReply`. The body is in the head."""

    __slots__ = ("head",)

    body = b""

    def __init__(self, head: TrResponse) -> None:
        self.head = head


def readHead(frame: bytes, reader: ConnectionReader) -> Any:
    """Return the `TrRequest` or `TrResponse` of a whole frame whose fixed part is right.

    :raises HessianError: when there is no id that can be read.
    """
    end = HEADER_SIZE + int.from_bytes(frame[5:9], "big")
    return (TrResponse if frame[1] else TrRequest)(frame, *reader.read(frame, end))
