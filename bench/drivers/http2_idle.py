"""Holds many HTTP/2 connections without TLS, each of which has made one request."""

from __future__ import annotations

from bench.drivers.idle import AnswerReader, IdleConnections
from mosntx.testing import h2frames

#: Octets in front of the payload of a frame (RFC 9113 4.1).
_HEAD = 9
#: The preface, our settings, the acknowledgement of theirs, and the request. Theirs come at once,
#: so nothing has to be said any more on a connection that has its answer.
_REQUEST = (
    h2frames.PREFACE + h2frames.settings() + h2frames.settingsAck() + h2frames.request(stream=1)
)


class Http2AnswerReader(AnswerReader):
    """Says when stream 1 has ended, and whether its body was the right one."""

    __slots__ = ()

    def feed(self, octets: bytes) -> bool | None:
        """See `AnswerReader.feed`; our settings have been acknowledged by the end of the answer."""
        self._data += octets
        body, place = b"", 0
        while place + _HEAD <= len(self._data):
            size = int.from_bytes(self._data[place : place + 3], "big")
            end = place + _HEAD + size
            if end > len(self._data):
                break
            (frame,) = h2frames.parseFrames(self._data[place:end])
            if frame.type in (h2frames.GOAWAY, h2frames.RST_STREAM):
                return False
            if frame.type == h2frames.DATA:
                body += frame.payload
            if frame.stream == 1 and frame.flags & h2frames.END_STREAM:
                return body == self._body
            place = end
        return None


class Http2IdleConnections(IdleConnections):
    """See `IdleConnections`."""

    def request(self) -> bytes:
        """See `IdleConnections.request`."""
        return _REQUEST

    def reader(self) -> AnswerReader:
        """See `IdleConnections.reader`."""
        return Http2AnswerReader(self._body)
