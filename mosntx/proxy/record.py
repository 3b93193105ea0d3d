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
    PENDING_TIMEOUT,
    PER_TRY_TIMEOUT,
    PROTOCOL_ERROR,
    REFUSED,
    REMOTE_RESET,
    REUSE_RACE,
    UPSTREAM_RESET,
)
from mosntx.proxy.chain import runComplete
from mosntx.proxy.reasons import OF_RESET
from mosntx.proxy.recorder import MAX_TRIES
from mosntx.upstream.adaptive import AdaptiveLimit
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
#: Ends that speak against the host; the others are limits, the client's doing, or chance.
_OUTLIER = (
    *_TIMEOUTS,
    CONNECTION_FAILED,
    CONNECTION_TERMINATION,
    PROTOCOL_ERROR,
    REMOTE_RESET,
    UPSTREAM_RESET,
)


def failureReason(failure: Failure) -> int:
    """Return the reset reason for a checkout that failed."""
    if failure.check(PoolOverflow):
        return OVERFLOW
    return PENDING_TIMEOUT if failure.check(PoolTimeout) else CONNECTION_FAILED


def recordTry(exchange: ExchangeState, outcome: str, detail: str = "") -> None:
    """Keep what is known of an attempt that failed, in case the exchange fails.

    :param outcome: see `mosntx.proxy.recorder.Try`.
    """
    tries = exchange.tries
    if tries is None:
        tries = exchange.tries = []
    if len(tries) < MAX_TRIES and exchange.host is not None:
        times = exchange.attemptTime, exchange.requestEndTime, exchange.listener.seconds()
        tries.append((exchange.host.address, *times, outcome, detail))


def recordFailure(exchange: ExchangeState, reason: int, detail: str = "") -> None:
    """An attempt has ended without a response, or in the middle of one.

    :param detail: what the operating system or the peer said.
    """
    recordTry(exchange, OF_RESET[reason], detail)
    host = exchange.host
    if host is None:
        return
    stats = host.stats
    outlier = exchange.cluster.outlier
    if outlier is not None and reason in _OUTLIER:
        outlier.failure(host, reason)
    if reason in _TIMEOUTS:
        stats.request_timeout += 1
    elif reason in _REMOTE:
        stats.request_remote_reset += 1
        if reason == CONNECTION_TERMINATION:
            stats.request_failure_eject += 1
    elif reason == CONNECTION_FAILED:
        stats.request_failure_eject += 1
    elif reason not in (OVERFLOW, PENDING_TIMEOUT):
        stats.request_local_reset += 1
        return
    adaptive = exchange.cluster.limits.adaptive
    if adaptive is not None and reason in _TIMEOUTS:
        _measure(exchange, adaptive, exchange.listener.seconds())
    if stats.latency is not None and reason not in (OVERFLOW, PENDING_TIMEOUT):
        now = exchange.listener.seconds()
        began = max(exchange.requestEndTime, exchange.attemptTime)
        stats.latency.record(now, now - began, NO_ANSWER)


def recordResponse(exchange: ExchangeState, status: int) -> None:
    """A response head has come from the host."""
    host = exchange.host
    if host is not None:
        outlier = exchange.cluster.outlier
        if status < 500:
            host.stats.response_success += 1
            if outlier is not None:
                outlier.success(host)
            adaptive = exchange.cluster.limits.adaptive
            if adaptive is not None:
                _measure(exchange, adaptive, exchange.responseTime)
        else:
            host.stats.response_failed += 1
            if outlier is not None:
                outlier.failure(host, 0)
        if host.stats.latency is not None:
            now = exchange.responseTime
            began = max(exchange.requestEndTime, exchange.attemptTime)
            host.stats.latency.record(now, now - began, status)


def _measure(exchange: ExchangeState, adaptive: AdaptiveLimit, now: float) -> None:
    """Tell how long the host took.

    Not of a CONNECT, which is answered here, nor of errors (see `recordResponse`): refusing is
    quick, and would look like an upstream that can bear more.
    """
    head = exchange.request
    if not (head.authority and head.method == b"CONNECT"):
        adaptive.sample(now, max(exchange.requestEndTime, exchange.attemptTime))


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
    if exchange.reason and listener.recorder is not None:
        listener.recorder.record(exchange)
    for accessLog in listener.accessLogs:
        accessLog.log(exchange, now)
    if not listener.chain.empty:
        runComplete(listener.chain.complete, cast(Any, exchange))
    for complete in listener.handlers.complete:
        complete(exchange)
