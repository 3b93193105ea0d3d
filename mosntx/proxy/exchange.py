"""One request and its response: the order of things (docs/architecture/life-of-a-request).

The usual path is synchronous from the client's ``dataReceived`` to the upstream's ``write``. What
is decided elsewhere: routes in
``router``, hosts in ``upstream``, attempts in ``proxy.attempt``, repetition in ``proxy.retry``, the
way down in ``proxy.response``, answers to
failures in ``proxy.reply``, accounts in ``proxy.record``.
"""

from __future__ import annotations

from twisted.python.failure import Failure
from zope.interface import implementer

from mosntx.contracts.filters import (
    AFTER_CHOOSE_HOST,
    AFTER_ROUTE,
    BEFORE_ROUTE,
    CONTINUE,
    DOWNSTREAM_TERMINATE,
    NO_ROUTE_FOUND,
    RECHOOSE_HOST,
    REMATCH_ROUTE,
    REQUEST_ENTITY_TOO_LARGE,
    STOP,
    IExchange,
)
from mosntx.contracts.message import IHeaders, IRequestHead, IWholeRequest
from mosntx.contracts.stream import LOCAL_RESET, PROTOCOL_ERROR, IRequestSink, IResponseSink
from mosntx.contracts.upstream import ILoadBalancerContext
from mosntx.proxy.body import RequestBody
from mosntx.proxy.chain import FilterState, runDataHooks, runHeadHooks, runPartHooks
from mosntx.proxy.reasons import OF_CLIENT
from mosntx.proxy.response import ResponseHalf
from mosntx.proxy.retry import REPLAY_LIMIT
from mosntx.proxy.state import (
    ANSWERED,
    CONNECT,
    DOWN_PAUSED,
    HEAD_PASSED,
    OFFERED,
    OVER,
    REQUEST_ENDED,
    RESPONSE_STARTED,
    TUNNEL,
)

#: Times a filter may ask to match the route or choose the host again (MOSN gives up after 10 rounds
#: and leaves the request hanging).
MAX_REMATCH = 10


@implementer(IExchange, IRequestSink, IResponseSink, ILoadBalancerContext)
class Exchange(ResponseHalf):
    """See `IExchange`; it is also where both connections put the parts of the message."""

    __slots__ = ()

    # IRequestSink

    def requestHead(self, head: IRequestHead, end: bool) -> None:
        """See `IRequestSink.requestHead`."""
        listener = self.listener
        self.request = head
        self.startTime = listener.seconds()
        stats = listener.stats
        stats.request_total += 1
        stats.request_active += 1
        if end:
            self._state = REQUEST_ENDED
        else:
            self.body = RequestBody(REPLAY_LIMIT)
            if getattr(head, "upgrade", b""):
                self._state = OFFERED
            self._watchIdle()
        for created in listener.handlers.created:
            created(self)
        if listener.chain.empty:
            self.route = listener.router.route(head, self.streams.connection.peer)
            if self._choose():
                self._attempt(self.startTime)
        else:
            self.filters = FilterState()
            self._advance(BEFORE_ROUTE)

    def requestMessage(self, head: IWholeRequest) -> None:
        """See `IRequestSink.requestMessage`.

        The content stays with the head, so it can be sent again.
        """
        try:
            if self.listener.chain.requestData and head.content:  # they want to see it as data
                self.requestHead(head, False)
                self.requestData(head.content, True)
            else:
                self.bytesReceived = head.contentLength
                self.requestHead(head, True)
        except Exception:
            self._crashed(Failure())

    def requestData(self, data: bytes, end: bool) -> None:
        """See `IRequestSink.requestData`."""
        if self._state & OVER:
            return
        if end:
            self._state |= REQUEST_ENDED
        self.bytesReceived += len(data)
        route = self.route
        if route is not None and route.maxBody and self._tooLarge(self.bytesReceived):
            return
        if self.filters is not None and self._state & HEAD_PASSED:
            if not self._showPart(data, end):
                return
            data = self.filters.part
        body = self.body
        if self._up is None or body.pending or self._state & OFFERED:
            self._hold(data, end)
            return
        body.keep(data, end)
        self._up.sendData(self._upNumber, data, end)
        if end and self._up is not None:
            self._requestSent()

    def requestTrailers(self, trailers: IHeaders) -> None:
        """See `IRequestSink.requestTrailers`."""
        if self._state & OVER:
            return
        self._state |= REQUEST_ENDED
        if self._state & HEAD_PASSED and not self._showPart(trailers, True):
            return
        body = self.body
        body.hold(trailers, True)
        if self._up is not None and not self._state & OFFERED:
            self._flush(body)

    def requestReset(self, reason: int) -> None:
        """See `IRequestSink.requestReset`.

        MOSN writes 504 for a client that left before its answer. One that broke the protocol has
        got a 400, or a like answer, from its connection.
        """
        if self._state & OVER:
            return
        self.listener.stats.request_reset += 1
        if not self._state & RESPONSE_STARTED:
            self.status = 400 if reason == PROTOCOL_ERROR else 504
        self.dropAttempt(reason)
        self._tellReset(reason)
        self.reason = OF_CLIENT.get(reason, "client_gone")
        self._finish()

    def requestPriority(self, value: bytes) -> None:
        """See `IRequestSink`. Told to the upstream that has the request, if there is one yet."""
        prioritise = getattr(self._up, "prioritise", None)
        if prioritise is not None:
            prioritise(self._upNumber, value)

    def pauseResponse(self) -> None:
        """See `IRequestSink.pauseResponse`."""
        if self._up is not None:
            self._up.pauseStream(self._upNumber)

    def resumeResponse(self) -> None:
        """See `IRequestSink.resumeResponse`."""
        if self._up is not None:
            self._up.resumeStream(self._upNumber)

    # the part of IResponseSink that concerns the request

    def pauseRequest(self) -> None:
        """See `IResponseSink.pauseRequest`."""
        self.streams.pauseStream(self.number)

    def resumeRequest(self) -> None:
        """See `IResponseSink.resumeRequest`."""
        if not self._state & DOWN_PAUSED:
            self.streams.resumeStream(self.number)

    # IExchange

    def resume(self) -> None:
        """See `IExchange.resume`."""
        state = self.filters
        if state is not None and state.stopped and not self._state & ANSWERED:
            state.stopped = False
            self._advance(state.phase)

    def abort(self) -> None:
        """See `IExchange.abort`."""
        if not self._state & OVER:
            self.flags |= DOWNSTREAM_TERMINATE
            self.reason = "filter_ended"
            self.dropAttempt(LOCAL_RESET)
            self.streams.reset(self.number, LOCAL_RESET)
            self._finish()

    # from head to host

    def _advance(self, phase: int) -> None:
        """Walk through filters, route and host, from ``phase`` on."""
        state = self.filters
        for _ in range(MAX_REMATCH + AFTER_CHOOSE_HOST + 1):
            state.phase = phase
            hooks = self.listener.chain.requestHead[phase]
            ended = bool(self._state & REQUEST_ENDED)
            verdict = runHeadHooks(hooks, self, state, self.request, ended) if hooks else CONTINUE
            if self._state & ANSWERED:
                return
            if verdict == STOP:
                state.stopped = True
                self._watchIdle()
                return
            state.position = 0
            next_ = self._next(phase, verdict)
            if next_ > AFTER_CHOOSE_HOST:
                self._headPassed()
            if next_ < BEFORE_ROUTE or next_ > AFTER_CHOOSE_HOST:
                return
            phase = next_
        self.reply(500, b"the filters do not come to an end", 0, "internal")

    def _next(self, phase: int, verdict: int) -> int:
        """Do what follows a phase; return the next phase, -1 when the request has been answered."""
        if phase == BEFORE_ROUTE or verdict == REMATCH_ROUTE:
            peer = self.streams.connection.peer
            self.route = self.listener.router.route(self.request, peer)
            return AFTER_ROUTE
        if phase == AFTER_ROUTE:
            return AFTER_CHOOSE_HOST if self._choose() else -1
        if verdict == RECHOOSE_HOST:
            return AFTER_CHOOSE_HOST if self._chooseHost() else -1
        return AFTER_CHOOSE_HOST + 1

    def _headPassed(self) -> None:
        """The filters are done with the head.

        Show them what of the body has come meanwhile, then go up.
        """
        self._state |= HEAD_PASSED
        body = self.body
        if body is not None and body.pending and not body.transform(self._shown):
            return
        self._attempt(self.listener.seconds())

    def _choose(self) -> bool:
        """Go from the route to a host; false when the route answers itself, or nothing can."""
        route, head = self.route, self.request
        if route is None:
            self.reply(404, b"no route matches the request", NO_ROUTE_FOUND, "no_route")
            return False
        if route.localReply is not None:
            self.answer(*route.localReply(head))
            return False
        if route.maxBody:  # the length that the head declares, where heads of its protocol do
            declared = getattr(head, "contentLength", None) or 0
            if self._tooLarge(max(declared, self.bytesReceived)):
                return False
        # Only HTTP has an authority; the method of RPC may be deep in the frame.
        if head.authority and head.method == b"CONNECT":
            if not route.allowConnect:
                self.reply(405, b"CONNECT is not allowed here", 0, "connect_not_allowed")
                return False
            self._state |= CONNECT
        self.cluster = self.listener.clusters.get(route.clusterName(head))
        if self.cluster is None:
            text = b"the cluster of the route does not exist"
            self.reply(404, text, NO_ROUTE_FOUND, "no_cluster")
            return False
        return self._chooseHost()

    # the body

    def _tooLarge(self, size: int) -> bool:
        """Refuse a body that is larger than the route allows. What is in a tunnel is none."""
        limit = self.route.maxBody
        if size <= limit or self._state & TUNNEL:
            return False
        self.reply(413, b"the request body is too large", REQUEST_ENTITY_TOO_LARGE)
        self._breakOff()
        return True

    def _hold(self, part: bytes, end: bool) -> None:
        """Nobody can take the part now: keep it, and let the client send no more."""
        self.body.hold(part, end)
        if not end and not self._state & DOWN_PAUSED:
            self._state |= DOWN_PAUSED
            self.streams.pauseStream(self.number)

    def _showPart(self, part: bytes | IHeaders, end: bool) -> bool:
        """Show a part to the request filters; false when one of them has answered."""
        chain = self.listener.chain
        if isinstance(part, bytes):
            state = self.filters
            verdict = runDataHooks(chain.requestData, self, state, part, end)
        else:
            verdict = runPartHooks(chain.requestTrailers, self, part)
        if verdict != CONTINUE:
            self._breakOff()
            return False
        return not self._state & OVER

    def _shown(self, part: bytes | IHeaders, end: bool) -> bytes | IHeaders | None:
        """Return the part as the filters leave it, ``None`` when one of them has answered."""
        if not self._showPart(part, end):
            return None
        return self.filters.part if isinstance(part, bytes) else part
