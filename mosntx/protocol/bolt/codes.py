"""Numbers of Bolt, and what its status means in HTTP and the other way round."""

from __future__ import annotations

from mosntx.contracts.stream import (
    CONNECTION_TERMINATION,
    GLOBAL_TIMEOUT,
    IDLE_TIMEOUT,
    OVERFLOW,
    PER_TRY_TIMEOUT,
)

#: First octet of a frame.
VERSION_1 = 1
VERSION_2 = 2

#: Types of frames (SOFABolt RpcCommandType).
RESPONSE = 0
REQUEST = 1
ONEWAY = 2

#: Commands (SOFABolt RpcCommandCode; 100: MOSN 1.x pkg/protocol/xprotocol/bolt/types.go).
HEARTBEAT_COMMAND = 0
RPC_REQUEST = 1
RPC_RESPONSE = 2
GOAWAY_COMMAND = 100

#: Serialization of class and content. Never read here, only said in frames of our own.
HESSIAN2 = 1

#: Timeout of frames that say none, in milliseconds.
NO_TIMEOUT = -1

#: Status of a response (SOFABolt ResponseStatus).
SUCCESS = 0
ERROR = 1
SERVER_EXCEPTION = 2
UNKNOWN = 3
THREADPOOL_BUSY = 4
ERROR_COMM = 5
NO_PROCESSOR = 6
TIMEOUT = 7
CLIENT_SEND_ERROR = 8
CODEC_EXCEPTION = 9
CONNECTION_CLOSED = 16
SERVER_SERIAL_EXCEPTION = 17
SERVER_DESERIAL_EXCEPTION = 18

#: From an HTTP status, or one of MOSN's own codes (0, 2, 3), to a Bolt status (spec/proxy.md 7;
#: MOSN pkg/protocol/xprotocol/bolt/protocol.go Mapping). Any other 2xx is a success, whatever is
#: left is unknown.
BOLT_STATUS = {
    0: CODEC_EXCEPTION,
    2: UNKNOWN,
    3: SERVER_DESERIAL_EXCEPTION,
    200: SUCCESS,
    403: SERVER_EXCEPTION,
    404: NO_PROCESSOR,
    500: UNKNOWN,
    502: NO_PROCESSOR,
    503: THREADPOOL_BUSY,
    504: TIMEOUT,
    509: UNKNOWN,
}

#: From the status of an upstream to HTTP's, for retries, logs and counters (spec/proxy.md 7). All
#: others are 500.
HTTP_STATUS = {SUCCESS: 200, THREADPOOL_BUSY: 503, TIMEOUT: 504, CONNECTION_CLOSED: 502}
OTHER_HTTP_STATUS = 500

#: What a stream that is broken off before its answer counts as, by reason. All others are 502.
RESET_STATUS = {
    CONNECTION_TERMINATION: 500,
    OVERFLOW: 503,
    GLOBAL_TIMEOUT: 504,
    PER_TRY_TIMEOUT: 504,
    IDLE_TIMEOUT: 504,
}
OTHER_RESET_STATUS = 502


def boltStatus(status: int) -> int:
    """Return the Bolt status for an HTTP status."""
    return BOLT_STATUS.get(status, SUCCESS if 200 <= status < 300 else UNKNOWN)


def httpStatus(status: int) -> int:
    """Return the HTTP status for a Bolt status."""
    return HTTP_STATUS.get(status, OTHER_HTTP_STATUS)


def resetStatus(reason: int) -> int:
    """Return the Bolt status that tells a client that its stream was broken off."""
    return boltStatus(RESET_STATUS.get(reason, OTHER_RESET_STATUS))
