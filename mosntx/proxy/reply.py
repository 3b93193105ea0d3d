"""From a failure to the answer that the client gets.

The one place where local replies are made (spec/proxy.md 6.2, 7).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mosntx.contracts.filters import (
    UPSTREAM_CONNECTION_FAILURE,
    UPSTREAM_CONNECTION_TERMINATION,
    UPSTREAM_LOCAL_RESET,
    UPSTREAM_OVERFLOW,
    UPSTREAM_REMOTE_RESET,
    UPSTREAM_REQUEST_TIMEOUT,
)
from mosntx.contracts.message import Pair
from mosntx.contracts.stream import (
    CONNECTION_FAILED,
    CONNECTION_TERMINATION,
    GLOBAL_TIMEOUT,
    IDLE_TIMEOUT,
    LOCAL_RESET,
    OVERFLOW,
    PENDING_TIMEOUT,
    PER_TRY_TIMEOUT,
    PROTOCOL_ERROR,
    REFUSED,
    REMOTE_RESET,
    REUSE_RACE,
    UPSTREAM_RESET,
)

if TYPE_CHECKING:
    from mosntx.proxy.response import ResponseHalf
    from mosntx.proxy.state import ExchangeState

#: Reset reason -> status, response flag, text for the client. Texts name no address and no
#: configuration: those are in the log.
FAILURES: dict[int, tuple[int, int, bytes]] = {
    CONNECTION_FAILED: (502, UPSTREAM_CONNECTION_FAILURE, b"could not connect to the upstream"),
    CONNECTION_TERMINATION: (
        500,
        UPSTREAM_CONNECTION_TERMINATION,
        b"the connection to the upstream ended before its response",
    ),
    UPSTREAM_RESET: (502, 0, b"the upstream closed the connection before its response"),
    REUSE_RACE: (502, 0, b"the upstream closed the connection before its response"),
    LOCAL_RESET: (502, UPSTREAM_LOCAL_RESET, b"the request could not be sent to the upstream"),
    REMOTE_RESET: (502, UPSTREAM_REMOTE_RESET, b"the upstream refused the request"),
    REFUSED: (503, UPSTREAM_REMOTE_RESET, b"the upstream refused the request"),
    PROTOCOL_ERROR: (502, UPSTREAM_LOCAL_RESET, b"the upstream's response was not understood"),
    OVERFLOW: (503, UPSTREAM_OVERFLOW, b"too many requests wait for the upstream"),
    PENDING_TIMEOUT: (503, UPSTREAM_OVERFLOW, b"no connection to the upstream became free"),
    GLOBAL_TIMEOUT: (504, UPSTREAM_REQUEST_TIMEOUT, b"the upstream did not respond in time"),
    PER_TRY_TIMEOUT: (504, UPSTREAM_REQUEST_TIMEOUT, b"the upstream did not respond in time"),
    IDLE_TIMEOUT: (408, 0, b"the request did not arrive in time"),
}

#: Says why, where ``reason_header`` is on.
REASON_HEADER = b"X-Mosntx-Reason"


def sendLocalReply(
    exchange: ResponseHalf, status: int, text: bytes, fields: Iterable[Pair] = ()
) -> None:
    """Answer from here in the client's protocol. Request headers are never echoed (MOSN does).

    :param fields: further header fields, for example Location.
    """
    local = exchange.streams.protocol.localReply(exchange.request, status, text)
    for name, value in fields:
        local.head.headers.set(name, value)
    if exchange.reason and exchange.listener.reasonHeader:
        local.head.headers.set(REASON_HEADER, exchange.reason.encode("ascii"))
    exchange.deliver(local.head, local.body)


def replyForReset(exchange: ExchangeState, reason: int) -> None:
    """Answer an attempt that died by ``reason`` and is not repeated."""
    status, flag, text = FAILURES[reason]
    exchange.reply(status, text, flag, exchange.reason)
