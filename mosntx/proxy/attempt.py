"""The tries of an exchange: connection, sending, time, repetition."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from twisted.internet.defer import CancelledError
from twisted.logger import Logger
from twisted.python.failure import Failure

from mosntx.contracts.filters import NO_HEALTHY_UPSTREAM, UPSTREAM_OVERFLOW
from mosntx.contracts.stream import (
    GLOBAL_TIMEOUT,
    IDLE_TIMEOUT,
    LOCAL_RESET,
    PER_TRY_TIMEOUT,
    IClientStreams,
)
from mosntx.filters.transcoder import UPSTREAM_PROTOCOL
from mosntx.protocol.raw import RAW
from mosntx.proxy.body import RequestBody
from mosntx.proxy.convert.base import conversionFor
from mosntx.proxy.hedge import Hedge, mayHedge
from mosntx.proxy.record import failureReason, recordFailure
from mosntx.proxy.reply import replyForReset
from mosntx.proxy.retry import MAX_RACES, UNSEEN, mayRetryRace, mayRetryReset, pauseBefore
from mosntx.proxy.state import (
    ANSWERED,
    CONNECT,
    COUNTED,
    DOWN_PAUSED,
    OFFERED,
    OVER,
    REQUEST_ENDED,
    RESPONSE_ENDED,
    RESPONSE_STARTED,
    RETRYING,
    REWRITTEN,
    TIMED,
    TUNNEL,
    ExchangeState,
)

log = Logger()


class Attempts(ExchangeState):
    """How an exchange reaches a host, and what happens when it does not."""

    __slots__ = ()

    # one attempt

    def _chooseHost(self) -> bool:
        """Choose a host; for a repetition another one than before, where there is one."""
        balancer = self.cluster.loadBalancer
        before = self.host
        host = balancer.chooseHost(self)
        if before is not None and host is before:
            for _ in range(2):
                host = balancer.chooseHost(self)
                if host is not before:
                    break
        self.host = host
        if host is None:
            self.reply(502, b"no healthy upstream host", NO_HEALTHY_UPSTREAM, "no_healthy_host")
        return host is not None

    def _attempt(self, now: float) -> None:
        """Get a connection to the host.

        :param now: the time; not asked for here, as whoever calls may know it.
        """
        spoken = self.request.protocol
        protocol = self.route.upstreamProtocol or self.listener.upstreamProtocol or spoken
        if self.filters is not None:
            protocol = self.filters.attributes.get(UPSTREAM_PROTOCOL, protocol)
        if self._state & CONNECT:
            protocol = RAW
        elif protocol != spoken and not self._converts(spoken, protocol):
            return
        cluster, host = self.cluster, self.host
        if not cluster.limits.tryRequest():
            self._tooMany()
            return
        self._state |= COUNTED
        self.attempts += 1
        self.attemptTime = now
        pool = host.pool(protocol)
        up = pool.tryCheckout()
        if up is not None:
            self._open(up)
        else:
            if self._state & (REQUEST_ENDED | OFFERED):
                self._startClock(now)
            waiting = self._waiting = pool.checkout()
            waiting.addCallbacks(self._checkedOut, self._checkoutFailed)
            waiting.addErrback(self._crashed)

    def _tooMany(self) -> None:
        """The cluster takes no more requests now."""
        cluster = self.cluster
        self.host.stats.request_pending_overflow += 1
        reason = "cluster_requests"
        if cluster.limits.refusedByLatency():
            cluster.stats.request_adaptive_overflow += 1
            reason = "adaptive_limit"
        self.reply(503, b"too many requests for the upstream", UPSTREAM_OVERFLOW, reason)

    def _converts(self, spoken: str, protocol: str) -> bool:
        """The upstream speaks another protocol. False when there is no way to it."""
        try:
            self._conversion = conversionFor(self.listener.conversions, spoken, protocol)
        except LookupError:
            log.error(
                "{listener}: requests of {spoken} cannot be converted to {protocol}, which {route}"
                " or a filter wants",
                listener=self.listener.name,
                spoken=spoken,
                protocol=protocol,
                route=self.route,
            )
            text = b"the protocol of the upstream cannot be spoken for this request"
            self.reply(502, text, 0, "no_conversion")
            return False
        if self._state & OFFERED and self._conversion is not None:
            text = b"the protocol cannot be changed on the way to the upstream"
            self.reply(501, text, 0, "no_conversion")
            return False
        return True

    def _checkedOut(self, up: IClientStreams) -> None:
        self._waiting = None
        self._open(up)

    def _checkoutFailed(self, failure: Failure) -> None:
        """No connection could be had."""
        self._waiting = None
        if not failure.check(CancelledError):
            self._attemptEnded()
            reason = failureReason(failure)
            recordFailure(self, reason, failure.getErrorMessage())
            self._attemptFailed(reason)

    def _crashed(self, failure: Failure) -> None:
        """A mistake of ours on the way up or down.

        It must not leave the client waiting.
        """
        log.failure("exchange failed", failure)
        if self._state & ANSWERED == RESPONSE_STARTED:
            self.dropAttempt(LOCAL_RESET)
            self._attemptFailed(LOCAL_RESET)
        else:
            self.reply(500, b"internal error", 0, "internal")

    def _open(self, up: IClientStreams) -> None:
        """Send the request."""
        if self._state & OFFERED and not self._takesOffer(up):
            return
        head = self.request
        if not self._state & (REWRITTEN | CONNECT):
            self._state |= REWRITTEN
            if self.listener.forwarding is not None:
                self.listener.forwarding(self, head)
            rewrite = self.route.rewriteRequest
            if rewrite is not None:
                rewrite(self, head)
        stats = self.host.stats
        stats.request_total += 1
        stats.request_active += 1
        if self._conversion is not None:
            up = self._conversion(up, self)
        self._up = up
        self.upstreamConnection = up.connection
        number = up.open(self, head, self.body is None)
        if self._up is not up:  # it has died at once; another attempt may be under way already
            return
        self._upNumber = number
        if self.body is None or self._state & OFFERED:
            self._requestSent()
            if self._state & CONNECT:
                self._connected()
        else:
            self._flush(self.body)

    def _takesOffer(self, up: Any) -> bool:
        """Say whether the upstream lets the stream change its protocol. If not now, see to it."""
        takes = getattr(up, "takesOffers", True)
        if takes is None:
            self._startClock(self.listener.seconds())
            waiting = self._waiting = up.settled()
            waiting.addCallbacks(self._checkedOut, self._checkoutFailed)
            waiting.addErrback(self._crashed)
        elif not takes:
            self.reply(501, b"the upstream does not let the protocol be changed")
        return bool(takes)

    @abstractmethod
    def _connected(self) -> None:
        """There is a connection to the host, which is all that a CONNECT asks for."""

    def _flush(self, body: RequestBody) -> None:
        """Send what was held, then let the client go on."""
        for part, end in body.take():
            if self._up is None:
                return
            if isinstance(part, bytes):
                self._up.sendData(self._upNumber, part, end)
            else:
                self._up.sendTrailers(self._upNumber, part)
        if self._state & DOWN_PAUSED:
            self._state &= ~DOWN_PAUSED
            self.streams.resumeStream(self.number)
        if self._state & REQUEST_ENDED and self._up is not None and not body.pending:
            self._requestSent()

    def _requestSent(self) -> None:
        """The upstream has got all: its time runs."""
        if self._state & TUNNEL:  # it ran until the tunnel was there
            if self._state & RESPONSE_ENDED:
                self._attemptEnded()
                self._finish()
            return
        listener = self.listener
        now = self.requestEndTime = listener.seconds()
        if self.request.oneway:
            self._attemptEnded()
            self._finish()
            return
        once = self._startClock(now)
        if once:
            self._tryTimer = listener.wheel.scheduleAt(now + once, self._tryTimedOut)
        policy = self.route.retryPolicy
        if policy.hedgeAfter and self._hedge is None and mayHedge(self):
            self._hedge = Hedge(self, policy.hedgeAfter)

    def _startClock(self, now: float) -> float:
        """The whole exchange has so long from now on, connects and repetitions included.

        :returns: seconds for one attempt, 0.0 = as long as the whole.
        """
        listener = self.listener
        whole, once = listener.timeouts(self.route, self.request)
        if not self._state & TIMED:
            self._state |= TIMED
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            limit = whole or listener.idleTimeout
            if limit:
                self._timer = listener.wheel.scheduleAt(now + limit, self._timedOut)
        return once

    # attempts end

    def responseReset(self, reason: int) -> None:
        """See `IResponseSink.responseReset`."""
        self._attemptEnded()
        if not self._state & RESPONSE_ENDED:
            recordFailure(self, reason)
        self._attemptFailed(reason)

    def _attemptEnded(self) -> None:
        """The upstream stream is over, or was never opened: give back what the attempt held."""
        if self._up is not None:
            self._up = None
            self.host.stats.request_active -= 1
        if self._state & COUNTED:
            self._state &= ~COUNTED
            self.cluster.limits.releaseRequest()
            if self._state & RETRYING:
                self._releaseRetry()
        if self._tryTimer is not None:
            self._tryTimer.cancel()
            self._tryTimer = None

    def dropAttempt(self, reason: int) -> None:
        """See `ExchangeState.dropAttempt`."""
        waiting, self._waiting = self._waiting, None
        up, number = self._up, self._upNumber
        self._attemptEnded()
        if waiting is not None:
            waiting.cancel()
        if up is not None:
            up.reset(number, reason)

    def _attemptFailed(self, reason: int) -> None:
        """The attempt is dead: repeat it, or tell the client."""
        if self._state & OVER:
            return
        if self._hedge is not None and self._hedge.replaces(reason):
            return
        if self._state & RESPONSE_STARTED:
            self._tellReset(reason)
            self.streams.reset(self.number, reason)
            self._finish()
        elif self.races < MAX_RACES and mayRetryRace(self, reason):
            self.races += 1
            self.attempts -= 1
            self._rewind()
            self._attempt(self.listener.seconds())
        elif not (mayRetryReset(self, reason) and self._again(reason not in UNSEEN)):
            self._tellReset(reason)
            replyForReset(self, reason)

    def _again(self, seen: bool) -> bool:
        """Begin another attempt after a pause.

        False when the cluster allows no more repetitions now.

        :param seen: the upstream may have looked at the request, so it counts as load.
        """
        cluster, listener = self.cluster, self.listener
        self._releaseRetry()
        if seen and not cluster.limits.mayRepeat(listener.seconds()):
            cluster.stats.request_retry_budget_exceeded += 1
            return False
        if not cluster.limits.tryRetry():
            cluster.stats.request_retry_overflow += 1
            self.flags |= UPSTREAM_OVERFLOW
            return False
        cluster.stats.request_retry += 1
        self.dropAttempt(LOCAL_RESET)
        self._state |= RETRYING
        self._rewind()
        pause = pauseBefore(self.route.retryPolicy, self.attempts, listener.random())
        listener.wheel.schedule(pause, self._retry)
        return True

    def _retry(self) -> None:
        if not self._state & ANSWERED and self._chooseHost():
            self._attempt(self.listener.seconds())
        if not self._state & COUNTED:
            self._releaseRetry()

    def _releaseRetry(self) -> None:
        """A repetition has ended, or will never begin."""
        if self._state & RETRYING:
            self._state &= ~RETRYING
            self.cluster.limits.releaseRetry()

    def _rewind(self) -> None:
        if self.body is not None:
            self.body.rewind()
            if not self._state & DOWN_PAUSED:  # the dead upstream may have paused the client
                self.streams.resumeStream(self.number)

    # time

    def _watchIdle(self) -> None:
        """The exchange waits for somebody: it may not do so for ever."""
        listener = self.listener
        if self._timer is None and listener.idleTimeout:
            self._timer = listener.wheel.schedule(listener.idleTimeout, self._timedOut)

    def _watchTunnel(self) -> None:
        """The answer is there; from now on the exchange lasts as long as octets move."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._mark = self.bytesReceived + self.bytesSent
        self._watchIdle()

    def _timedOut(self) -> None:
        """The upstream's time is over.

        Or, while bodies flow, see whether anything has moved since the last look.
        """
        self._timer = None
        if self._state & (TIMED | RESPONSE_STARTED) == TIMED:
            self._expire(GLOBAL_TIMEOUT)
            return
        moved = self.bytesReceived + self.bytesSent
        if moved == self._mark:
            self._expire(IDLE_TIMEOUT)
        else:
            self._mark = moved
            self._watchIdle()

    def _tryTimedOut(self) -> None:
        self._tryTimer = None
        self._expire(PER_TRY_TIMEOUT)

    def _expire(self, reason: int) -> None:
        recordFailure(self, reason)
        self.dropAttempt(reason)
        self._attemptFailed(reason)
