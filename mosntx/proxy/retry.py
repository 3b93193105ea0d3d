"""When an attempt is repeated (spec/router.md 10).

Back-off, budget and hedging are the Traffic issue's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mosntx.contracts.stream import (
    CONNECTION_FAILED,
    CONNECTION_TERMINATION,
    PER_TRY_TIMEOUT,
    REFUSED,
    REUSE_RACE,
)

if TYPE_CHECKING:
    from mosntx.proxy.state import ExchangeState

#: Seconds before the next attempt (MOSN waits 10 ms): a refused connect must not become a loop at
#: full speed.
RETRY_PAUSE = 0.01

#: Octets of a request body kept so that it can be sent again. As much as one read brings; bigger
#: uploads are rarely repeated well.
REPLAY_LIMIT = 65536


def mayRetryReset(exchange: ExchangeState, reason: int) -> bool:
    """Say whether an attempt that ended by ``reason`` may be repeated under the route's policy.

    A failed connect is repeated with every policy and method, for nothing was sent; so is a request
    that the upstream has refused. One-way requests never are: nobody waits for them (spec/proxy.md
    11).
    """
    route = exchange.route
    if route is None or exchange.attempts > route.retryPolicy.attempts or not _intact(exchange):
        return False
    if exchange.request.oneway:
        return False
    if reason in (CONNECTION_FAILED, REFUSED):
        return True
    return reason in (CONNECTION_TERMINATION, PER_TRY_TIMEOUT) and route.retryPolicy.onStatus


def mayRetryRace(exchange: ExchangeState, reason: int) -> bool:
    """Say whether the reuse race, or a refusal, may be hidden.

    Nothing of a response has come, and sending again does no harm. A refused request was not looked
    at, so its method does not matter (RFC 9113 8.7).
    """
    if reason == REFUSED:
        return not exchange.request.oneway and _intact(exchange)
    return reason == REUSE_RACE and exchange.request.replayable and _intact(exchange)


def mayRetryStatus(exchange: ExchangeState, status: int) -> bool:
    """Say whether a response with ``status`` is thrown away for another attempt."""
    route = exchange.route
    if route is None or not route.retryPolicy.onStatus:
        return False
    policy = route.retryPolicy
    listed = status >= 500 if policy.statuses is None else status in policy.statuses
    return listed and exchange.attempts <= policy.attempts and _intact(exchange)


def _intact(exchange: ExchangeState) -> bool:
    body = exchange.body
    return body is None or body.replayable
