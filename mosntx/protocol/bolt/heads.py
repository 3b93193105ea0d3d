"""Heads: frames with a look at what is in them."""

from __future__ import annotations

from typing import Self

from zope.interface import implementer

from mosntx.contracts.message import (
    IHeaders,
    ILocalReply,
    IWholeRequest,
    IWholeResponse,
)
from mosntx.protocol.bolt.codes import (
    HESSIAN2,
    HTTP_STATUS,
    NO_TIMEOUT,
    ONEWAY,
    OTHER_HTTP_STATUS,
    REQUEST,
    RPC_REQUEST,
    VERSION_1,
)
from mosntx.protocol.bolt.frames import (
    CRC_SIZE,
    V1_REQUEST_SIZE,
    V1_RESPONSE_SIZE,
    V2_REQUEST_SIZE,
    V2_RESPONSE_SIZE,
    VER1_PLAIN,
    checkLengths,
    crcSize,
    hasCrc,
    packRequest,
    packResponse,
    replaced,
    sealed,
    withId,
)
from mosntx.protocol.bolt.simplemap import METHOD_NAME, SimpleMapHeaders, findService

_NAMES = ("", "bolt", "boltv2")


class _Frame:
    """What requests and responses have in common.

    :ivar frame: the octets of the whole frame as received, CRC32 included.
    :ivar requestId: as it stands in ``frame``.
    :ivar mapStart: where in ``frame`` the header map begins; `mapEnd` is where the content begins.
    :ivar contentLength: octets of the content.
    :ivar decoded: the headers, once somebody has asked for them.
    """

    __slots__ = ("contentLength", "decoded", "frame", "mapEnd", "mapStart", "requestId")

    contentLength: int
    decoded: SimpleMapHeaders | None
    frame: bytes
    mapEnd: int
    mapStart: int
    requestId: int
    _sizes = (0, 0, 0)  # of the fixed part, by version

    @property
    def version(self) -> int:
        """Version of the frame, 1 or 2."""
        return self.frame[0]

    @property
    def ver1(self) -> int:
        """Version 2 only: 2 = may have a CRC32."""
        frame = self.frame
        return VER1_PLAIN if frame[0] == VERSION_1 else frame[1]

    @property
    def switch(self) -> int:
        """Version 2 only: bit 0 = has a CRC32, if ver1 allows."""
        frame = self.frame
        return 0 if frame[0] == VERSION_1 else frame[11]

    @property
    def codec(self) -> int:
        """How class and content are serialized."""
        frame = self.frame
        return frame[9] if frame[0] == VERSION_1 else frame[10]

    @property
    def className(self) -> bytes:
        """Name of the class of the content; ``b''`` without one."""
        frame = self.frame
        return frame[self._sizes[frame[0]] : self.mapStart]

    @property
    def headers(self) -> IHeaders:
        """See `mosntx.contracts.message.IRequestHead.headers`."""
        headers = self.decoded
        if headers is None:
            headers = self.decoded = SimpleMapHeaders.inside(self.frame, self.mapStart, self.mapEnd)
        return headers

    @property
    def content(self) -> bytes:
        """See `IWholeRequest.content`. Assign to replace it.

        :raises EncodeError: when assigning more than a frame can hold.
        """
        frame = self.frame
        return frame[self.mapEnd : -CRC_SIZE] if hasCrc(frame) else frame[self.mapEnd :]

    @content.setter
    def content(self, content: bytes) -> None:
        frame = self.frame
        self.frame = replaced(
            frame,
            self._sizes[frame[0]],
            self.mapStart,
            frame[self.mapStart : self.mapEnd],
            content,
        )
        self.contentLength = len(content)

    def mapOctets(self) -> bytes:
        """Return the header map as it is now; unless it was changed these are its own octets.

        :raises EncodeError: when changed headers cannot be written.
        """
        headers = self.decoded
        if headers is not None and headers.changed:
            return headers.octets()
        return self.frame[self.mapStart : self.mapEnd]

    def octets(self, requestId: int) -> bytes:
        """Return the frame as it is now, with this request id.

        Unless its headers were changed these are its own octets.

        :raises EncodeError: when changed headers cannot be written.
        """
        headers = self.decoded
        frame = self.frame
        if headers is not None and headers.changed:
            frame = replaced(
                frame, self._sizes[frame[0]], self.mapStart, headers.octets(), self.content
            )
        return withId(frame, requestId)

    def __repr__(self) -> str:
        # Class, headers and content may be secrets.
        return f"<{type(self).__name__} {_NAMES[self.frame[0]]} {len(self.frame)} octets>"


@implementer(IWholeRequest)
class BoltRequest(_Frame):
    """See `IWholeRequest`.

    :param frame: the whole frame.
    :param requestId: as in the frame, as the rest.
    :param milliseconds: timeout; 0 and negative ones stand for none.
    :param oneway: the frame says that it wants no answer.
    :param mapStart: where the header map begins.
    :param mapEnd: where the content begins.
    :param service: what `findService` has found, if it was asked.
    """

    __slots__ = ("_service", "oneway", "protocol", "timeout")

    path = b""
    authority = b""
    scheme = b""
    replayable = False
    _sizes = (0, V1_REQUEST_SIZE, V2_REQUEST_SIZE)

    def __init__(
        self,
        frame: bytes,
        requestId: int,
        milliseconds: int,
        oneway: bool,
        mapStart: int,
        mapEnd: int,
        service: bytes | None = None,
    ) -> None:
        self.frame = frame
        self.protocol = _NAMES[frame[0]]
        self.requestId = requestId
        self.timeout = milliseconds / 1000 if milliseconds > 0 else None
        self.oneway = oneway
        self.mapStart = mapStart
        self.mapEnd = mapEnd
        length = len(frame) - mapEnd
        self.contentLength = length if frame[0] == VERSION_1 else length - crcSize(frame)
        self.decoded = None
        self._service = service

    @classmethod
    def of(
        cls,
        headerMap: bytes = b"",
        content: bytes = b"",
        *,
        className: bytes = b"",
        version: int = VERSION_1,
        ver1: int = VER1_PLAIN,
        switch: int = 0,
        oneway: bool = False,
        codec: int = HESSIAN2,
        milliseconds: int = NO_TIMEOUT,
    ) -> Self:
        """Return a new request with the id 0.

        :param headerMap: see `mosntx.protocol.bolt.simplemap.writePairs`.
        :raises EncodeError: when something is too large for a frame.
        """
        lengths = (len(className), len(headerMap), len(content))
        checkLengths(*lengths)
        kind = ONEWAY if oneway else REQUEST
        fixed = packRequest(
            version, kind, RPC_REQUEST, 0, codec, milliseconds, lengths, ver1, switch
        )
        mapStart = len(fixed) + len(className)
        frame = sealed(b"".join((fixed, className, headerMap, content)))
        return cls(frame, 0, milliseconds, oneway, mapStart, mapStart + len(headerMap))

    @property
    def service(self) -> bytes:
        """See `mosntx.contracts.message.IRequestHead.service`.

        Header ``service``, else ``sofa_head_target_service``, as SOFARPC servers do. A broken map
        has none.
        """
        headers = self.decoded
        if headers is not None and headers.changed:
            return headers.get(b"service") or headers.get(b"sofa_head_target_service") or b""
        service = self._service
        if service is None:
            service = self._service = findService(self.frame, self.mapStart, self.mapEnd) or b""
        return service

    def field(self, name: bytes) -> bytes | None:
        """See `mosntx.contracts.message.IRequestHead`."""
        headers = self.decoded
        if headers is None:
            if self.frame.find(name, self.mapStart, self.mapEnd) < 0:
                return None
            return self.headers.get(name)
        return headers.get(name)

    @property
    def method(self) -> bytes:
        """See `mosntx.contracts.message.IRequestHead.method`."""
        return self.headers.get(METHOD_NAME) or b""


@implementer(IWholeResponse)
class BoltResponse(_Frame):
    """See `IWholeResponse`.

    :param frame: the whole frame.
    :param requestId: as in the frame, as the rest.
    :param boltStatus: as in the frame.
    :param mapStart: where the header map begins.
    :param mapEnd: where the content begins.

    ``status`` is the HTTP status for it. Assigning another changes nothing of the frame.
    """

    __slots__ = ("boltStatus", "status")

    _sizes = (0, V1_RESPONSE_SIZE, V2_RESPONSE_SIZE)

    def __init__(
        self, frame: bytes, requestId: int, boltStatus: int, mapStart: int, mapEnd: int
    ) -> None:
        self.frame = frame
        self.requestId = requestId
        self.boltStatus = boltStatus
        self.status = HTTP_STATUS.get(boltStatus, OTHER_HTTP_STATUS)
        self.mapStart = mapStart
        self.mapEnd = mapEnd
        length = len(frame) - mapEnd
        self.contentLength = length if frame[0] == VERSION_1 else length - crcSize(frame)
        self.decoded = None

    @classmethod
    def of(
        cls,
        headerMap: bytes = b"",
        content: bytes = b"",
        *,
        boltStatus: int = 0,
        className: bytes = b"",
        version: int = VERSION_1,
        ver1: int = VER1_PLAIN,
        switch: int = 0,
        codec: int = HESSIAN2,
    ) -> Self:
        """Return a new response with the id 0.

        :param headerMap: see `mosntx.protocol.bolt.simplemap.writePairs`.
        :raises EncodeError: when something is too large for a frame.
        """
        lengths = (len(className), len(headerMap), len(content))
        checkLengths(*lengths)
        fixed = packResponse(version, 0, codec, boltStatus, lengths, ver1, switch)
        mapStart = len(fixed) + len(className)
        frame = sealed(b"".join((fixed, className, headerMap, content)))
        return cls(frame, 0, boltStatus, mapStart, mapStart + len(headerMap))

    @property
    def heartbeatStatus(self) -> int:
        """The answer to a heartbeat: 0 = all is well."""
        return self.boltStatus


@implementer(ILocalReply)
class BoltLocalReply:
    """See `ILocalReply`: a frame of nothing but its fixed part."""

    __slots__ = ("head",)

    body = b""

    def __init__(self, head: BoltResponse) -> None:
        self.head = head
