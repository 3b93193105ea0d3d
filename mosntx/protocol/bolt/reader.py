"""Octets to frames: what both ends have in common."""

from __future__ import annotations

from typing import Any, NoReturn

from mosntx.contracts.codec import FAILED, GOAWAY, HEARTBEAT, HEARTBEAT_ACK, Event
from mosntx.protocol.bolt.codes import (
    GOAWAY_COMMAND,
    HEARTBEAT_COMMAND,
    HESSIAN2,
    ONEWAY,
    REQUEST,
    RESPONSE,
    RPC_REQUEST,
    RPC_RESPONSE,
    SUCCESS,
    VERSION_1,
    VERSION_2,
)
from mosntx.protocol.bolt.frames import (
    CRC_SIZE,
    MAX_SWITCH,
    SWITCH_CRC,
    V1_REQUEST_SIZE,
    V1_RESPONSE_SIZE,
    V2_REQUEST_SIZE,
    V2_RESPONSE_SIZE,
    VER1_CRC,
    crcHolds,
    packResponse,
    readV1Request,
    readV1Response,
    readV2Request,
    readV2Response,
)
from mosntx.protocol.bolt.heads import BoltRequest, BoltResponse
from mosntx.protocol.bolt.limits import BoltLimits
from mosntx.protocol.errors import LimitError, ProtocolError

#: Commands by type. All else is not understood, and its sender not either.
_COMMANDS = {
    RESPONSE: (RPC_RESPONSE, HEARTBEAT_COMMAND),
    REQUEST: (RPC_REQUEST, HEARTBEAT_COMMAND, GOAWAY_COMMAND),
    ONEWAY: (RPC_REQUEST, HEARTBEAT_COMMAND, GOAWAY_COMMAND),
}


class FrameReader:
    """The receiving half of both codecs.

    :ivar ignored: frames that were dropped: responses at the server's end, requests at the
        client's.
    """

    __slots__ = ("_failed", "_most", "_need", "_partial", "_status", "ignored")

    #: What this end reads all day long; other frames take a longer way.
    _command = 0
    _kinds: tuple[int, ...] = ()

    #: Nothing is waited for but the idle timer: behind a full read there is nearly always a frame
    #: half there, and a peer may take its time for a large one.
    waitLimit = 0.0

    def __init__(self, limits: BoltLimits, status: int) -> None:
        """:param status: HTTP status of what goes wrong here."""
        self._most = (limits.max_class_name, limits.max_header_map, limits.max_content)
        self._status = status
        self._partial: bytearray | None = None  # what there is of the last frame
        self._need = 0  # octets of it with which it is worth looking again
        self._failed = False
        self.ignored = 0

    def receive(self, data: bytes) -> list[Event]:
        """See `mosntx.contracts.codec.ICodec.receive`."""
        if self._failed:
            return []
        partial = self._partial
        if partial is not None:
            partial += data
            if len(partial) < self._need:
                return []
            self._partial = None
            data = bytes(partial)
            partial = None  # a large frame need not be here twice
        events: list[Event] = []
        try:
            position = self._read(data, events)
        except ProtocolError as error:
            self._failed = True
            # With its traceback it would keep the octets of this read, in a cycle.
            events.append((FAILED, 0, error.with_traceback(None), True))
            self._forget()
            return events
        if position < len(data):
            self._partial = bytearray(memoryview(data)[position:])
        return events

    def _read(self, data: bytes, events: list[Event]) -> int:
        """Take all whole frames; return where the first begins that is not, and set `_need`."""
        maxClass, maxMap, maxContent = self._most
        usual, kinds, take = self._command, self._kinds, self._take
        size = len(data)
        position = 0
        while position < size:
            left = size - position
            crc = 0
            if data[position] != VERSION_1:
                fixed, crc, fields = self._fixedV2(data, position, left)
            elif left < V1_RESPONSE_SIZE:
                fixed = V1_RESPONSE_SIZE
                fields = None
            elif data[position + 1] == RESPONSE:
                fixed = V1_RESPONSE_SIZE
                fields = readV1Response(data, position)
            else:
                fixed = V1_REQUEST_SIZE
                fields = readV1Request(data, position) if left >= V1_REQUEST_SIZE else None
            if fields is None:
                self._need = fixed
                break
            kind, command, requestId, value, classLength, mapLength, contentLength = fields
            if command != usual or kind not in kinds:
                self._checkCommand(kind, command)
            if contentLength > maxContent or mapLength > maxMap or classLength > maxClass:
                self._overLimit(fields)
            mapStart = fixed + classLength
            mapEnd = mapStart + mapLength
            length = mapEnd + contentLength + crc
            if length > left:
                self._need = length
                break
            frame = data[position : position + length]
            position += length
            if crc and not crcHolds(frame):
                raise ProtocolError(self._status, "bolt: CRC32 does not match")
            take(kind, command, frame, requestId, value, mapStart, mapEnd, events)
        return position

    def _fixedV2(self, data: bytes, position: int, left: int) -> tuple[int, int, Any]:
        """Read a fixed part of version 2: octets of it, octets of a CRC32, and its fields."""
        if data[position] != VERSION_2:
            raise ProtocolError(self._status, f"bolt: version {data[position]}")
        if left < V2_RESPONSE_SIZE:
            return V2_RESPONSE_SIZE, 0, None
        ver1 = data[position + 1]
        switch = data[position + 11]
        if ver1 > VER1_CRC:
            raise ProtocolError(self._status, f"bolt: ver1 {ver1}")
        if switch > MAX_SWITCH:
            raise ProtocolError(self._status, f"bolt: switch {switch}")
        crc = CRC_SIZE if ver1 == VER1_CRC and switch & SWITCH_CRC else 0
        if data[position + 2] == RESPONSE:
            return V2_RESPONSE_SIZE, crc, readV2Response(data, position)
        if left < V2_REQUEST_SIZE:
            return V2_REQUEST_SIZE, 0, None
        fields = readV2Request(data, position)
        if fields[1] == HEARTBEAT_COMMAND and not ver1:
            # MOSN's examples and sofa-bolt-go say 0 in requests and responses, nobody in
            # heartbeats, and SOFABolt never understands it.
            raise ProtocolError(self._status, "bolt: ver1 0 in a heartbeat")
        return V2_REQUEST_SIZE, crc, fields

    def _checkCommand(self, kind: int, command: int) -> None:
        known = _COMMANDS.get(kind)
        if known is None:
            raise ProtocolError(self._status, f"bolt: type {kind}")
        if command not in known:
            raise ProtocolError(self._status, f"bolt: command {command} with type {kind}")

    def _overLimit(self, fields: tuple[int, ...]) -> NoReturn:
        names = ("class name", "header map", "content")
        for name, length, most in zip(names, fields[-3:], self._most, strict=True):
            if length > most:
                text = f"bolt: {name} of {length} octets, at most {most}"
                raise LimitError(self._status, text)
        raise AssertionError("no limit was passed")

    def _take(
        self,
        kind: int,
        command: int,
        frame: bytes,
        requestId: int,
        value: int,
        mapStart: int,
        mapEnd: int,
        events: list[Event],
    ) -> None:
        """Make the event of a whole frame. The usual ones are made by the ends.

        :param value: timeout of a request in milliseconds, status of a response.
        """
        if command == HEARTBEAT_COMMAND:
            if kind == RESPONSE:
                answer = BoltResponse(frame, requestId, value, mapStart, mapEnd)
                events.append((HEARTBEAT_ACK, requestId, answer, True))
            else:
                request = BoltRequest(frame, requestId, value, kind == ONEWAY, mapStart, mapEnd)
                events.append((HEARTBEAT, 0, request, True))
        elif command == GOAWAY_COMMAND:
            events.append((GOAWAY, 0, 0, True))
        else:
            self.ignored += 1

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

    def heartbeatAck(self, frame: BoltRequest, status: int = SUCCESS) -> bytes:
        """Encode the answer to a heartbeat, in its version.

        :param frame: the part of a HEARTBEAT event.
        :param status: 0 = all is well, else 1; see `mosntx.protocol.bolt.codes`.
        """
        return packResponse(
            frame.version,
            frame.requestId,
            HESSIAN2,
            status,
            ver1=frame.ver1,
            command=HEARTBEAT_COMMAND,
        )
