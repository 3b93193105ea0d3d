"""Holds many Bolt connections, each of which has made one call."""

from __future__ import annotations

from bench.drivers import bolt_frames as frames
from bench.drivers.idle import AnswerReader, IdleConnections

#: The id of the one call on each connection.
NUMBER = 0x01020304
_ID = NUMBER.to_bytes(frames.ID_SIZE, "big")


class BoltAnswerReader(AnswerReader):
    """Says when the answer on a connection is complete, and whether it is the right one."""

    __slots__ = ()

    def feed(self, octets: bytes) -> bool | None:
        """See `AnswerReader.feed`."""
        self._data += octets
        expected = frames.numbered(frames.response(self._body), _ID)
        if expected.startswith(self._data) and len(self._data) < len(expected):
            return None
        return self._data == expected


class BoltIdleConnections(IdleConnections):
    """See `IdleConnections`; the call and its answer have the body as content."""

    def request(self) -> bytes:
        """See `IdleConnections.request`."""
        return bytes(frames.numbered(frames.request(self._body), _ID))

    def reader(self) -> AnswerReader:
        """See `IdleConnections.reader`."""
        return BoltAnswerReader(self._body)
