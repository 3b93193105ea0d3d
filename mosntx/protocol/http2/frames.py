"""Frames that we write ourselves, and what is known of a stream.

SETTINGS tell another count of streams than the libraries below are told, and GOAWAY must not stop
them from going on with the streams that are open.
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct

from mosntx.protocol.http2.codes import PRIORITY_UPDATE_FRAME, SETTINGS_FRAME, WINDOW_UPDATE_FRAME

_SETTING = Struct(">HI")
_GOAWAY = Struct(">BHBBIII")
_NUMBER = Struct(">BHBBII")  # what PRIORITY_UPDATE and WINDOW_UPDATE begin with


class Stream:
    """What is known of one stream.

    :ivar pushes: responses promised for it so far.
    :ivar held: octets received and not credited, because whoever gets them is slow.
    :ivar expected: octets that the body has by its Content-Length; -1 when nobody said.
    :ivar ending: the end of our half waits in the outbox.
    :ivar resetAfter: reset with NO_ERROR once our half has ended: the rest is not wanted.
    :cvar offer: see `mosntx.protocol.http2.tunnels.OfferStream`: only few streams have one.
    """

    __slots__ = (
        "ending",
        "expected",
        "held",
        "paused",
        "pushes",
        "received",
        "recvEnded",
        "resetAfter",
        "sendEnded",
    )

    offer = b""

    def __init__(self, recvEnded: bool, sendEnded: bool = False) -> None:
        self.recvEnded = recvEnded
        self.sendEnded = sendEnded
        self.ending = self.paused = self.resetAfter = False
        self.held = self.received = self.pushes = 0
        self.expected = -1


def settingsFrame(settings: Mapping[int, int]) -> bytes:
    """Return a SETTINGS frame."""
    payload = b"".join([_SETTING.pack(*entry) for entry in settings.items()])
    return len(payload).to_bytes(3, "big") + bytes((SETTINGS_FRAME, 0, 0, 0, 0, 0)) + payload


def goAwayFrame(last: int, code: int) -> bytes:
    """Return a GOAWAY frame."""
    return _GOAWAY.pack(0, 8, 0x7, 0, 0, last, code)


def priorityUpdateFrame(number: int, value: bytes) -> bytes:
    """Return a PRIORITY_UPDATE frame (RFC 9218 7.1)."""
    return _NUMBER.pack(0, 4 + len(value), PRIORITY_UPDATE_FRAME, 0, 0, number) + value


def windowUpdateFrame(number: int, increment: int) -> bytes:
    """Return a WINDOW_UPDATE frame; stream 0 is the connection."""
    return _NUMBER.pack(0, 4, WINDOW_UPDATE_FRAME, 0, number, increment)


def fits(stream: Stream, end: bool) -> bool:
    """Say whether what was received agrees with Content-Length (RFC 9113 8.1.1)."""
    expected, received = stream.expected, stream.received
    return expected < 0 or received == expected or (received < expected and not end)
