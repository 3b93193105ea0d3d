"""Numbers of HTTP/2 (RFC 9113 sections 6 and 7, RFC 8441, RFC 9218)."""

from __future__ import annotations

from mosntx.contracts.stream import (
    DOWNSTREAM_GONE,
    GLOBAL_TIMEOUT,
    IDLE_TIMEOUT,
    OVERFLOW,
    PER_TRY_TIMEOUT,
    PROTOCOL_ERROR,
    REFUSED,
    REMOTE_RESET,
)

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

# types of frames
SETTINGS_FRAME = 0x4
WINDOW_UPDATE_FRAME = 0x8
PRIORITY_UPDATE_FRAME = 0x10

# settings
HEADER_TABLE_SIZE = 0x1
ENABLE_PUSH = 0x2
MAX_CONCURRENT_STREAMS = 0x3
INITIAL_WINDOW_SIZE = 0x4
MAX_FRAME_SIZE = 0x5
MAX_HEADER_LIST_SIZE = 0x6
ENABLE_CONNECT_PROTOCOL = 0x8
NO_RFC7540_PRIORITIES = 0x9

# error codes
NO_ERROR = 0x0
H2_PROTOCOL_ERROR = 0x1
INTERNAL_ERROR = 0x2
FLOW_CONTROL_ERROR = 0x3
SETTINGS_TIMEOUT = 0x4
STREAM_CLOSED = 0x5
FRAME_SIZE_ERROR = 0x6
REFUSED_STREAM = 0x7
CANCEL = 0x8
COMPRESSION_ERROR = 0x9
CONNECT_ERROR = 0xA
ENHANCE_YOUR_CALM = 0xB

#: What is assumed of a peer until its SETTINGS have come (RFC 9113 6.5.2).
DEFAULT_WINDOW = 65535
DEFAULT_FRAME = 16384

#: Largest window, and the largest number of a stream.
MAX_31 = 2**31 - 1

#: Why we give a stream up -> what the peer is told. The rest is CANCEL.
_CODES = {
    PROTOCOL_ERROR: H2_PROTOCOL_ERROR,
    OVERFLOW: REFUSED_STREAM,
    DOWNSTREAM_GONE: CANCEL,
    GLOBAL_TIMEOUT: CANCEL,
    PER_TRY_TIMEOUT: CANCEL,
    IDLE_TIMEOUT: CANCEL,
    REFUSED: REFUSED_STREAM,
}


def codeOf(reason: int, otherwise: int = CANCEL) -> int:
    """Return the error code for a reason of ours (`mosntx.contracts.stream`)."""
    return _CODES.get(reason, otherwise)


def reasonOf(code: int) -> int:
    """Return the reason for an error code of the peer."""
    return REFUSED if code == REFUSED_STREAM else REMOTE_RESET
