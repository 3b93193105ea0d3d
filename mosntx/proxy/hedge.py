"""Hedging: a second attempt on another host while the first one is slow (``hedge_after``).

An exchange has slots for one attempt. A hedge keeps the slots of a second one and exchanges them
with the exchange's while something happens to it, so that both are opened, counted and ended by the
same code. Between events the exchange has the first attempt in its slots, as ever. As soon as one
of the two has answered or died, the other is the attempt of the exchange, and nothing is left
to exchange; a hedge that remains passes on what its upstream says.
"""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.defer import CancelledError
from twisted.python.failure import Failure
from zope.interface import implementer

from mosntx.contracts.message import IHeaders, IRequestHead, IResponseHead, IWholeResponse
from mosntx.contracts.stream import (
    GLOBAL_TIMEOUT,
    IDLE_TIMEOUT,
    LOCAL_RESET,
    IClientStreams,
    IResponseSink,
)
from mosntx.filters.transcoder import UPSTREAM_PROTOCOL
from mosntx.proxy.record import failureReason, recordFailure, recordResponse, recordTry
from mosntx.proxy.state import ANSWERED, CONNECT, COUNTED, HEDGED, OFFERED, RETRYING, ExchangeState

#: Slots of an exchange that belong to an attempt.
_SLOTS = (
    "_up",
    "_upNumber",
    "_waiting",
    "_tryTimer",
    "host",
    "upstreamConnection",
    "attemptTime",
    "requestEndTime",
)
_BITS = COUNTED | RETRYING

#: Seconds that an attempt gets at least after it has become the only one.
_LEAST = 0.001

#: Choices of a host until it is another one, as for repetitions.
_CHOICES = 3


def mayHedge(exchange: ExchangeState) -> bool:
    """Say whether a second attempt does no harm: the request can be sent twice, and still is."""
    head, body = exchange.request, exchange.body
    if exchange._state & (HEDGED | OFFERED | CONNECT) or (body is not None and not body.replayable):
        return False
    return bool(head.replayable or exchange.route.retryPolicy.unsafe)


@implementer(IResponseSink)
class Hedge:
    """The second attempt of an exchange, before and while it runs."""

    __slots__ = ("_alone", "_bits", "_exchange", "_inside", "_slots", "_timer")

    def __init__(self, exchange: Any, seconds: float) -> None:
        """:param seconds: until it begins."""
        self._exchange = exchange
        self._alone = False  # the first attempt is over; this is the exchange's one
        self._inside = False  # the exchange has our slots at the moment
        self._slots: list[Any] = [None, 0, None, None, None, None, 0.0, 0.0]
        self._bits = 0
        self._timer: Any = exchange.listener.wheel.schedule(seconds, self._begin)

    @property
    def running(self) -> bool:
        """There is a second attempt besides the first."""
        return not self._alone and bool(self._bits & COUNTED)

    def cancel(self) -> None:
        """The exchange needs it no longer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.running and not self._inside:
            self._swap()
            self._exchange.dropAttempt(LOCAL_RESET)
            self._swap()

    def replaces(self, reason: int) -> bool:
        """The first attempt has ended by ``reason``: say whether this one goes on in its place."""
        if self._inside or not self.running or reason in (GLOBAL_TIMEOUT, IDLE_TIMEOUT):
            return False
        self._swap()
        self._alone = True
        exchange = self._exchange
        listener = exchange.listener
        now = listener.seconds()
        once = exchange._startClock(now)
        if once:  # what is left of the time for one attempt
            ends = max(exchange.requestEndTime, exchange.attemptTime) + once
            ends = max(ends, now + _LEAST)
            exchange._tryTimer = listener.wheel.scheduleAt(ends, exchange._tryTimedOut)
        return True

    def _swap(self) -> None:
        exchange, slots = self._exchange, self._slots
        for place, name in enumerate(_SLOTS):
            mine = slots[place]
            slots[place] = getattr(exchange, name)
            setattr(exchange, name, mine)
        bits = exchange._state & _BITS
        exchange._state = exchange._state & ~_BITS | self._bits
        self._bits = bits
        self._inside = not self._inside

    # its beginning

    def _begin(self) -> None:
        """The first attempt is slow: try another host, if the cluster can bear it."""
        self._timer = None
        exchange = self._exchange
        if exchange._up is None or exchange._state & ANSWERED or not mayHedge(exchange):
            return
        host = self._otherHost()
        if host is None or not self._allowed():
            return
        exchange._state |= HEDGED
        exchange.cluster.stats.request_hedge += 1
        self._slots[4], self._slots[6] = host, exchange.listener.seconds()
        self._bits = _BITS
        self._swap()
        self._connect(host)
        if self._inside and not self._alone:
            self._swap()

    def _otherHost(self) -> Any:
        exchange = self._exchange
        for _ in range(_CHOICES):
            host = exchange.cluster.loadBalancer.chooseHost(exchange)
            if host is not None and host is not exchange.host:
                return host
        return None

    def _allowed(self) -> bool:
        """Count it as a repetition and as a request, unless one of the limits is reached."""
        exchange = self._exchange
        limits, stats = exchange.cluster.limits, exchange.cluster.stats
        if not limits.mayRepeat(exchange.listener.seconds()):
            stats.request_retry_budget_exceeded += 1
            return False
        if not limits.tryRetry():
            stats.request_retry_overflow += 1
            return False
        if not limits.tryRequest():
            limits.releaseRetry()
            return False
        return True

    def _connect(self, host: Any) -> None:
        exchange = self._exchange
        listener = exchange.listener
        protocol = exchange.route.upstreamProtocol or listener.upstreamProtocol
        protocol = protocol or exchange.request.protocol
        if exchange.filters is not None:
            protocol = exchange.filters.attributes.get(UPSTREAM_PROTOCOL, protocol)
        pool = host.pool(protocol)
        up = pool.tryCheckout()
        if up is not None:
            self._open(up)
            return
        waiting = exchange._waiting = pool.checkout()
        waiting.addCallbacks(self._checkedOut, self._checkoutFailed)
        waiting.addErrback(exchange._crashed)

    def _checkedOut(self, up: IClientStreams) -> None:
        if self._alone:
            self._exchange._checkedOut(up)
            return
        self._swap()
        self._exchange._waiting = None
        self._open(up)
        if self._inside and not self._alone:
            self._swap()

    def _checkoutFailed(self, failure: Failure) -> None:
        if self._alone:
            self._exchange._checkoutFailed(failure)
        elif not failure.check(CancelledError):
            self._died(failureReason(failure), failure.getErrorMessage())

    def _open(self, up: Any) -> None:
        """Send the whole request."""
        exchange = self._exchange
        body = exchange.body
        exchange.host.stats.request_total += 1
        exchange.host.stats.request_active += 1
        if exchange._conversion is not None:
            up = exchange._conversion(up, self)
        exchange._up = up
        exchange.upstreamConnection = up.connection
        number = up.open(self, exchange.request, body is None)
        if exchange._up is not up:
            return
        exchange._upNumber = number
        for part, end in () if body is None else body.parts():
            if exchange._up is not up:
                return
            if isinstance(part, bytes):
                up.sendData(number, part, end)
            else:
                up.sendTrailers(number, part)
        exchange.requestEndTime = exchange.listener.seconds()

    # its end

    def _died(self, reason: int, detail: str = "") -> None:
        """It has come to nothing; the first attempt goes on."""
        inside = self._inside
        if not inside:
            self._swap()
        self._exchange._attemptEnded()
        recordFailure(self._exchange, reason, detail)
        if not inside:
            self._swap()

    def _wins(self, status: int) -> bool:
        """An answer has come: say whether it is the exchange's."""
        if self._alone:
            return True
        exchange = self._exchange
        if not self._inside:
            self._swap()
        if status >= 500:
            exchange.responseTime = exchange.listener.seconds()
            recordResponse(exchange, status)
            recordTry(exchange, f"status {status}")
            exchange.dropAttempt(LOCAL_RESET)
            self._swap()
            return False
        self._swap()
        exchange.dropAttempt(LOCAL_RESET)
        self._swap()
        self._alone = True
        exchange.cluster.stats.request_hedge_won += 1
        return True

    # IResponseSink

    def responseInformational(self, head: IResponseHead) -> None:
        """See `IResponseSink`. Not before it is known whose answer counts."""
        if self._alone:
            self._exchange.responseInformational(head)

    def responseHead(self, head: IResponseHead, end: bool) -> None:
        """See `IResponseSink.responseHead`."""
        if self._wins(head.status):
            self._exchange.responseHead(head, end)

    def responseMessage(self, head: IWholeResponse) -> None:
        """See `IResponseSink.responseMessage`."""
        if self._wins(head.status):
            self._exchange.responseMessage(head)

    def responseData(self, data: bytes, end: bool) -> None:
        """See `IResponseSink.responseData`."""
        if self._alone:
            self._exchange.responseData(data, end)

    def responseTrailers(self, trailers: IHeaders) -> None:
        """See `IResponseSink.responseTrailers`."""
        if self._alone:
            self._exchange.responseTrailers(trailers)

    def responseFlush(self) -> None:
        """See `IResponseSink.responseFlush`."""
        if self._alone:
            self._exchange.responseFlush()

    def responsePush(self, promised: int, head: IRequestHead) -> IResponseSink | None:
        """See `IResponseSink`, its optional ``responsePush``."""
        if not self._alone:
            return None
        return cast("IResponseSink | None", self._exchange.responsePush(promised, head))

    def responseReset(self, reason: int) -> None:
        """See `IResponseSink.responseReset`."""
        if self._alone:
            self._exchange.responseReset(reason)
        else:
            self._died(reason)

    def pauseRequest(self) -> None:
        """See `IResponseSink`: the request has been sent, nobody needs to pause."""

    def resumeRequest(self) -> None:
        """See `IResponseSink.resumeRequest`."""
