"""When an attempt is repeated, and after which pause (spec/router.md 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mosntx.contracts.route import IRetryPolicy
from mosntx.contracts.stream import (
    CONNECTION_FAILED,
    CONNECTION_TERMINATION,
    PER_TRY_TIMEOUT,
    REFUSED,
    REMOTE_RESET,
    REUSE_RACE,
    UPSTREAM_RESET,
)

if TYPE_CHECKING:
    from mosntx.proxy.state import ExchangeState

#: Times that the reuse race is hidden for one request. A host that closes all its connections at
#: once may have closed the next one that is free, too; one that does so for ever is found out.
MAX_RACES = 3

#: Ends of an attempt that has added no load to the upstream: it has not looked at the request.
UNSEEN = (CONNECTION_FAILED, REFUSED)

#: Ends after which the upstream may have done what the request asks for.
_UNKNOWN = (CONNECTION_TERMINATION, PER_TRY_TIMEOUT, REUSE_RACE)

#: The same, where MOSN does not repeat at all; only what does no harm is sent again.
_LOST = (UPSTREAM_RESET, REMOTE_RESET)

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
    if reason in UNSEEN:
        return True
    policy = route.retryPolicy
    if not policy.onStatus:
        return False
    head = exchange.request
    if reason in _UNKNOWN:  # RPC has no methods that say it; there `retry_on` does, as in MOSN
        return head.replayable or policy.unsafe or not head.path
    return reason in _LOST and (head.replayable or policy.unsafe)


def pauseBefore(policy: IRetryPolicy, attempts: int, chance: float) -> float:
    """Return the seconds to wait before the next attempt.

    A refused connect must not become a loop at full speed, nor many clients one crowd.

    :param attempts: those that have failed.
    :param chance: from 0.0 to 1.0; half of the pause depends on it.
    """
    pause: float = min(policy.firstPause * 2 ** (attempts - 1), policy.lastPause)
    return pause * (0.5 + chance / 2)


def mayRetryRace(exchange: ExchangeState, reason: int) -> bool:
    """Say whether the reuse race, or a refusal, may be hidden.

    Nothing of a response has come, and sending again does no harm. A refused request was not looked
    at, so its method does not matter (RFC 9113 8.7).
    """
    if reason == REFUSED:  # once: an upstream that refuses again may be overloaded
        return not exchange.races and not exchange.request.oneway and _intact(exchange)
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
