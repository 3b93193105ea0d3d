"""Octets to frames: what both ends have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from mosntx.contracts.codec import FAILED, Event
from mosntx.protocol.errors import EncodeError, LimitError, ProtocolError
from mosntx.protocol.hessian.values import HessianError
from mosntx.protocol.tr.build import heartbeatAck
from mosntx.protocol.tr.connection import HEADER_SIZE, HESSIAN1, HESSIAN2, JAVA, ConnectionReader
from mosntx.protocol.tr.heads import HEARTBEAT_CLASS, RESPONSE, VERSION, TrRequest, readHead
from mosntx.protocol.tr.limits import TrLimits

_SERIALIZATIONS = (HESSIAN1, JAVA, HESSIAN2)


class FrameReader(ABC):
    """The receiving half of both codecs.

    :ivar ignored: frames that were dropped: responses at the server's end, requests at the
        client's, heartbeats without an id.
    """

    __slots__ = (
        "_bodies",
        "_connections",
        "_failed",
        "_limits",
        "_missing",
        "_partial",
        "_status",
        "ignored",
    )

    #: Nothing is waited for but the idle timer: a peer may take its time for a large frame.
    waitLimit = 0.0

    def __init__(self, limits: TrLimits, status: int) -> None:
        """:param status: HTTP status of what goes wrong here."""
        self._limits = limits
        self._status = status
        self._connections = ConnectionReader()
        self._partial: bytearray | None = None  # what there is of the last frame
        self._missing = 0  # octets with which it is worth looking again
        # Heads whose content comes apart from them.
        self._bodies: dict[int, tuple[Any, bytearray]] = {}
        self._failed = False
        self.ignored = 0

    def receive(self, data: bytes) -> list[Event]:
        """See `mosntx.contracts.codec.ICodec.receive`."""
        if self._failed:
            return []
        partial = self._partial
        if partial is not None:
            partial += data
            self._missing -= len(data)
            if self._missing > 0:
                return []
            self._partial = None
            data = bytes(partial)
            partial = None  # a large frame need not be here twice
        events: list[Event] = []
        try:
            position = self._read(data, events)
        except ProtocolError as error:
            self._failed = True
            events.append((FAILED, 0, error, True))
            self._forget()
            return events
        if position < len(data):
            self._partial = bytearray(memoryview(data)[position:])
        return events

    def _read(self, data: bytes, events: list[Event]) -> int:
        """Take all whole frames; return where the first begins that is not, and set `_missing`."""
        size = len(data)
        position = 0
        while position < size:
            if data[position] != VERSION:
                raise ProtocolError(self._status, f"tr: version {data[position]}")
            left = size - position
            length = self._length(data, position) if left >= HEADER_SIZE else HEADER_SIZE
            if length > left or left < HEADER_SIZE:
                self._missing = length - left
                break
            frame = data[position : position + length]
            position += length
            self._frame(frame, events)
        return position

    def _length(self, data: bytes, start: int) -> int:
        """Check the fixed part of a frame and return the octets of the whole."""
        flag = data[start + 1]
        if flag > RESPONSE:
            raise ProtocolError(self._status, f"tr: flag {flag}")
        serialization = data[start + 2]
        if serialization not in _SERIALIZATIONS:
            raise ProtocolError(self._status, f"tr: serialization {serialization}")
        connection = int.from_bytes(data[start + 5 : start + 9], "big")
        name = data[start + 9]
        content = int.from_bytes(data[start + 10 : start + 14], "big")
        limits = self._limits
        for what, length, most in (
            ("connection object", connection, limits.max_connection_object),
            ("class name", name, limits.max_class_name),
            ("content", content, limits.max_content),
        ):
            if length > most:
                raise LimitError(self._status, f"tr: {what} of {length} octets, at most {most}")
        return HEADER_SIZE + connection + name + content

    @abstractmethod
    def _frame(self, frame: bytes, events: list[Event]) -> None:
        """Make the event of a whole frame.

        :raises ProtocolError: when it has no id.
        """

    def _head(self, frame: bytes) -> Any:
        """Return the head of a frame; ``None`` for a heartbeat that cannot be answered.

        :raises ProtocolError: when it has no id.
        """
        try:
            return readHead(frame, self._connections)
        except HessianError as error:
            start = HEADER_SIZE + int.from_bytes(frame[5:9], "big")
            if frame[start : start + frame[9]] == HEARTBEAT_CLASS:
                self.ignored += 1
                return None
            raise ProtocolError(self._status, f"tr: connection object: {error}") from None

    @abstractmethod
    def _forget(self) -> None:
        """Nothing will be read any more."""

    def receiveEof(self) -> list[Event]:
        """See `mosntx.contracts.codec.ICodec.receiveEof`. What there is of a frame is dropped."""
        self._partial = None
        self._failed = True
        return []

    def timeout(self) -> list[Event]:
        """See `mosntx.contracts.codec.ICodec.timeout`. Nothing is waited for here."""
        return []

    def bytesToSend(self) -> bytes:
        """See `mosntx.contracts.codec.ICodec.bytesToSend`.

        Nothing is ever said without being asked: what could be is heartbeats and answers.
        """
        return b""

    def heartbeatAck(self, frame: TrRequest, status: int = 0) -> bytes:
        """Encode the answer to a heartbeat, with its id and in its serialization (inferred).

        :param frame: the part of a HEARTBEAT event.
        :param status: 0 = all is well.
        """
        return heartbeatAck(frame, status)

    def _collect(self, number: int, data: bytes, end: bool) -> tuple[Any, bytes] | None:
        """Keep a part of a body; at its end return its head, with all of it as content.

        :raises EncodeError: when it is too large; the head is forgotten then.
        """
        head, body = self._bodies[number]
        most = self._limits.max_content
        if len(body) + len(data) > most:
            del self._bodies[number]
            size = len(body) + len(data)
            raise EncodeError(502, f"tr: content of {size} octets, at most {most}")
        body += data
        if not end:
            return None
        del self._bodies[number]
        return head, bytes(body)
