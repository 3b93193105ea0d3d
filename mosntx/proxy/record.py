"""The accounts of an exchange.

Every counter of a request is touched here or where its fact happens, never twice
(spec/admin-observability.md 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from twisted.python.failure import Failure

from mosntx.contracts.filters import FAILED_HERE
from mosntx.contracts.stream import (
    CONNECTION_FAILED,
    CONNECTION_TERMINATION,
    GLOBAL_TIMEOUT,
    OVERFLOW,
    PER_TRY_TIMEOUT,
    PROTOCOL_ERROR,
    REFUSED,
    REMOTE_RESET,
    REUSE_RACE,
    UPSTREAM_RESET,
)
from mosntx.proxy.chain import runComplete
from mosntx.upstream.pools.errors import PoolOverflow, PoolTimeout

if TYPE_CHECKING:
    from mosntx.proxy.state import ExchangeState

#: Stands for the status of a response that has not come.
NO_ANSWER = 503
_NANO = 1_000_000_000
_TIMEOUTS = (GLOBAL_TIMEOUT, PER_TRY_TIMEOUT)
_REMOTE = (
    REMOTE_RESET,
    REFUSED,
    UPSTREAM_RESET,
    CONNECTION_TERMINATION,
    REUSE_RACE,
    PROTOCOL_ERROR,
)


def failureReason(failure: Failure) -> int:
    """Return the reset reason for a checkout that failed."""
    return OVERFLOW if failure.check(PoolOverflow, PoolTimeout) else CONNECTION_FAILED


def recordFailure(exchange: ExchangeState, reason: int) -> None:
    """An attempt has ended without a response, or in the middle of one."""
    host = exchange.host
    if host is None:
        return
    stats = host.stats
    if reason in _TIMEOUTS:
        stats.request_timeout += 1
    elif reason in _REMOTE:
        stats.request_remote_reset += 1
        if reason == CONNECTION_TERMINATION:
            stats.request_failure_eject += 1
    elif reason == CONNECTION_FAILED:
        stats.request_failure_eject += 1
    elif reason != OVERFLOW:
        stats.request_local_reset += 1
        return
    if stats.latency is not None and reason != OVERFLOW:
        now = exchange.listener.seconds()
        began = exchange.requestEndTime or exchange.startTime
        stats.latency.record(now, now - began, NO_ANSWER)


def recordResponse(exchange: ExchangeState, status: int) -> None:
    """A response head has come from the host."""
    host = exchange.host
    if host is not None:
        if status < 500:
            host.stats.response_success += 1
        else:
            host.stats.response_failed += 1
        if host.stats.latency is not None:
            now = exchange.responseTime
            began = exchange.requestEndTime or exchange.startTime
            host.stats.latency.record(now, now - began, status)


def recordEnd(exchange: ExchangeState) -> None:
    """The exchange is over: counters, access logs, filters, event handlers, in this order."""
    listener = exchange.listener
    stats = listener.stats
    now = exchange.endTime = listener.seconds()
    start, sent, answered = exchange.startTime, exchange.requestEndTime, exchange.responseTime
    stats.request_active -= 1
    stats.codes[exchange.status] += 1
    stats.request_time.record(int((now - start) * _NANO))
    ours = (sent or now) - start
    if answered:
        ours += now - answered
        host = exchange.host
        if host is not None:
            host.stats.request_duration_time.record(int((now - (sent or start)) * _NANO))
    stats.process_time.record(int(ours * _NANO))
    if exchange.flags & FAILED_HERE:
        stats.request_failed += 1
    for accessLog in listener.accessLogs:
        accessLog.log(exchange, now)
    if not listener.chain.empty:
        runComplete(listener.chain.complete, cast(Any, exchange))
    for complete in listener.handlers.complete:
        complete(exchange)
