"""Retries, timeouts and hash keys of a route (spec/router.md 10 to 12)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import blake2b
from ipaddress import ip_address
from typing import Any

from zope.interface import implementer

from mosntx.config.schema import BackOff
from mosntx.config.schema import HashPolicy as HashConfig
from mosntx.config.schema import RetryPolicy as RetryConfig
from mosntx.contracts.message import IHeaders, IRequestHead
from mosntx.contracts.route import IRetryPolicy, IRoute
from mosntx.protocol.siphash import siphash24
from mosntx.router.variables import cookieValue

#: Seconds for a whole exchange when nobody says otherwise (MOSN pkg/types/proxy.go).
GLOBAL_TIMEOUT = 60.0
#: Retries after the first attempt when nobody says otherwise (MOSN pkg/proxy/retrystate.go).
DEFAULT_RETRIES = 3
#: Request headers that set timeouts, in milliseconds.
GLOBAL_TIMEOUT_HEADER = b"x-mosn-global-timeout"
TRY_TIMEOUT_HEADER = b"x-mosn-try-timeout"
#: Seconds that a call is given at least, so that no deadline becomes "none".
SHORTEST_DEADLINE = 0.001
#: Digits of such a header: 10^9 ms are 11 days.
_MILLISECONDS = re.compile(rb"[+-]?[0-9]{1,9}")
#: The key of MOSN's hash (pkg/router/types.go).
_HASH_KEY = 0xBEEFCAFEBABEDEAD
#: Hashes remembered per policy; a session's key comes again with each of its requests.
_HASHES_KEPT = 1024
#: Octets of a value that is hashed MOSN's way, which costs 1 µs per octet in Python. A longer one
#: is shortened by a fast hash first: a client must not make us compute, nor remember it all.
_LONGEST_HASHED = 256


@implementer(IRetryPolicy)
class RetryPolicy:
    """See `IRetryPolicy`. Failed connects are retried whatever it says."""

    __slots__ = (
        "attempts",
        "firstPause",
        "hedgeAfter",
        "lastPause",
        "onStatus",
        "statuses",
        "unsafe",
    )

    def __init__(
        self,
        attempts: int = DEFAULT_RETRIES,
        onStatus: bool = False,
        statuses: frozenset[int] | None = frozenset(),
        backOff: BackOff | None = None,
        unsafe: bool = False,
        hedgeAfter: float = 0.0,
    ) -> None:
        pauses = backOff or BackOff()
        self.attempts = attempts
        self.onStatus = onStatus
        self.statuses = statuses
        self.firstPause = pauses.base_interval
        self.lastPause = max(pauses.max_interval, pauses.base_interval)
        self.unsafe = unsafe
        self.hedgeAfter = hedgeAfter


def compileRetries(config: RetryConfig | None, compat: bool = False) -> RetryPolicy:
    """Return the policy of a route.

    :param compat: at least `DEFAULT_RETRIES` retries, as MOSN; else as many as the configuration
        says, and `DEFAULT_RETRIES` when it says nothing.
    """
    if config is None:
        return RetryPolicy()
    attempts = config.num_retries or DEFAULT_RETRIES
    if compat:
        attempts = max(attempts, DEFAULT_RETRIES)
    listed = frozenset(config.status_codes) or None
    return RetryPolicy(
        attempts,
        config.retry_on,
        listed if config.retry_on else frozenset(),
        config.back_off,
        config.retry_non_idempotent,
        config.hedge_after,
    )


def settleTimeouts(total: float, attempt: float) -> tuple[float, float]:
    """Return ``(global, per try)`` in seconds as they count: 0.0 = no timer.

    A global timeout of 0 is `GLOBAL_TIMEOUT`, a negative one is none. A try that may last as long
    as the whole needs no timer.
    """
    if total == 0:
        total = GLOBAL_TIMEOUT
    total = max(total, 0.0)
    if attempt < 0 or (total and attempt >= total):
        attempt = 0.0
    return total, attempt


def requestTimeouts(route: IRoute, head: IRequestHead) -> tuple[float, float]:
    """Return ``(global, per try)`` in seconds for one request; 0.0 = no timer.

    The frame's, else those of request headers, else the route's (MOSN pkg/proxy/util.go). The
    deadline of a gRPC call, a header too, can only shorten what the others say: nobody may hold a
    stream for longer than the route lets him.
    """
    framed = head.timeout
    if head.path:
        headers = head.headers
        if framed is not None:
            return _withDeadline(route, headers, framed)
        field = headers.get
    else:  # the headers of a frame are not decoded only for this
        field = getattr(head, "field", None) or head.headers.get
    total = None if framed else field(GLOBAL_TIMEOUT_HEADER)
    attempt = field(TRY_TIMEOUT_HEADER)
    if attempt is None and total is None:
        if not framed:
            return route.timeout, route.tryTimeout
        if framed > 0 and not route.tryTimeout:
            return framed, 0.0
    routeTotal = route.timeout or -1.0  # 0.0 says "none" there, and "the default" here
    seconds = framed or _seconds(total, routeTotal)
    return settleTimeouts(seconds, _seconds(attempt, route.tryTimeout))


def _withDeadline(route: IRoute, headers: IHeaders, deadline: float) -> tuple[float, float]:
    total, attempt = route.timeout, route.tryTimeout
    given = headers.get(GLOBAL_TIMEOUT_HEADER), headers.get(TRY_TIMEOUT_HEADER)
    if given != (None, None):
        total, attempt = settleTimeouts(
            _seconds(given[0], total or -1.0), _seconds(given[1], attempt)
        )
    # A deadline of 0 has passed already; 0.0 would be no timer.
    whole = max(min(deadline, total or deadline), SHORTEST_DEADLINE)
    return settleTimeouts(whole, attempt)


def _seconds(value: bytes | None, default: float) -> float:
    if value is None or _MILLISECONDS.fullmatch(value) is None:
        return default
    return int(value) / 1000.0


#: Computes the hash key of an exchange.
HashKey = Callable[[Any], int]


def compileHash(config: Sequence[HashConfig]) -> HashKey:
    """Return what computes the hash key: the first policy (MOSN), the client's address without."""
    first = config[0] if config else HashConfig()
    if first.cookie is not None:
        return _cookieHash(first.cookie.name.encode("utf-8"))
    if first.header is not None:
        return _headerHash(first.header.key.encode("utf-8"))
    return sourceHash


def sourceHash(exchange: Any) -> int:
    """Return the last four octets of the client's address as a number; 0 for unix sockets."""
    peer: str = exchange.connection.peer
    host = peer.rpartition(":")[0].strip("[]")
    try:
        packed = ip_address(host.partition("%")[0]).packed
    except ValueError:
        return 0
    return int.from_bytes(packed[-4:], "big")


def _headerHash(name: bytes) -> HashKey:
    lower = name.lower()
    hashed = _remembered(name + b":")

    def hashKey(exchange: Any) -> int:
        head = exchange.request
        value = head.headers.get(lower if head.path else name)
        return 0 if value is None else hashed(value)

    return hashKey


def _cookieHash(name: bytes) -> HashKey:
    hashed = _remembered(name + b"=")

    def hashKey(exchange: Any) -> int:
        value = cookieValue(exchange.request, name)
        return 0 if value is None else hashed(value)

    return hashKey


def _remembered(prefix: bytes) -> Callable[[bytes], int]:
    """The hash of ``prefix`` and a value; the last values are remembered, for it is slow here."""

    @lru_cache(_HASHES_KEPT)
    def remembered(value: bytes) -> int:
        return siphash24(prefix + value, _HASH_KEY, 0)

    def hashed(value: bytes) -> int:
        if len(value) > _LONGEST_HASHED:
            value = blake2b(value).digest()
        return remembered(value)

    return hashed
