"""The way down: from a response or a local reply through the filters to the client."""

from __future__ import annotations

from collections.abc import Iterable

from twisted.python.failure import Failure

from mosntx.contracts.filters import CONTINUE
from mosntx.contracts.message import (
    IHeaders,
    IRequestHead,
    IResponseHead,
    IWholeResponse,
    Pair,
    accepts,
)
from mosntx.contracts.stream import LOCAL_RESET, IResponseSink
from mosntx.proxy.attempt import Attempts
from mosntx.proxy.chain import FilterState, runDataHooks, runPartHooks
from mosntx.proxy.reasons import reasonOfReply
from mosntx.proxy.record import recordResponse, recordTry
from mosntx.proxy.reply import sendLocalReply
from mosntx.proxy.retry import mayRetryStatus
from mosntx.proxy.state import (
    ACCEPTED,
    ANSWERED,
    OFFERED,
    OVER,
    REQUEST_ENDED,
    RESPONSE_ENDED,
    RESPONSE_STARTED,
    SHOWING,
    TUNNEL,
)


class ResponseHalf(Attempts):
    """What an exchange does with a response."""

    __slots__ = ()

    def reply(self, status: int, text: bytes = b"", flag: int = 0, reason: str = "") -> None:
        """See `IExchange.reply`."""
        if self._state & OVER:
            return
        self.flags |= flag
        if self._state & RESPONSE_STARTED:
            return
        self.reason = reason or reasonOfReply(status, flag)
        self.dropAttempt(LOCAL_RESET)
        sendLocalReply(self, status, text + b"\n" if text else b"")

    def answer(self, status: int, body: bytes, fields: Iterable[Pair]) -> None:
        """Answer with exactly this body and these header fields: direct responses, redirects."""
        if not self._state & ANSWERED:
            sendLocalReply(self, status, body, fields)

    def deliver(self, head: IResponseHead, body: bytes) -> None:
        """Send a local reply.

        Response filters see it like any other, unless it is one of them that replies.
        """
        if self._state & SHOWING:
            self._start(head, not body)
        else:
            self._sendHead(head, not body)
        if body:
            self._sendData(body, True)

    # IResponseSink

    def responseInformational(self, head: IResponseHead) -> None:
        """See `IResponseSink.responseInformational`; 100 was ours to say."""
        if head.status != 100 and not self._state & RESPONSE_STARTED:
            self.streams.sendInformational(self.number, head)

    def responseHead(self, head: IResponseHead, end: bool) -> None:
        """See `IResponseSink.responseHead`."""
        if self._refused(head.status):
            return
        if self._state & OFFERED:
            self._state &= ~OFFERED
            if accepts(self._offer(), head.status):
                self._openTunnel(head)
                return
        if end:
            self._attemptEnded()
        if self.listener.chain.responseHead:
            self._sendHead(head, end)
        else:
            self._start(head, end)

    def responseData(self, data: bytes, end: bool) -> None:
        """See `IResponseSink.responseData`."""
        if end:
            if self._state & (TUNNEL | REQUEST_ENDED) == TUNNEL:
                self._state |= RESPONSE_ENDED
            else:
                self._attemptEnded()
        self._sendData(data, end)

    def responseMessage(self, head: IWholeResponse) -> None:
        """See `IResponseSink.responseMessage`."""
        try:
            if self._refused(head.status):
                return
            self._attemptEnded()
            content = head.content if self.listener.chain.responseData else b""
            if content:  # they want to see it as data
                self._sendHead(head, False)
                self._sendData(content, True)
            else:
                self.bytesSent += head.contentLength
                if self.listener.chain.responseHead:
                    self._sendHead(head, True)
                else:
                    self._start(head, True)
        except Exception:
            self._crashed(Failure())

    def responseFlush(self) -> None:
        """See `IResponseSink.responseFlush`."""
        self.streams.flush(self.number)

    def responsePush(self, promised: int, head: IRequestHead) -> IResponseSink | None:
        """See `IResponseSink`, its optional ``responsePush``."""
        return None if self._up is None else self.listener.relayPush(self, self._up, promised, head)

    def responseTrailers(self, trailers: IHeaders) -> None:
        """See `IResponseSink.responseTrailers`."""
        self._attemptEnded()
        hooks = self.listener.chain.responseTrailers
        if hooks and runPartHooks(hooks, self, trailers) != CONTINUE:
            self._breakOff()
        if self._state & OVER:
            return
        self.streams.sendTrailers(self.number, trailers)
        self._finish()

    def _refused(self, status: int) -> bool:
        """A response has come. Say whether it is thrown away for another attempt."""
        self.responseTime = self.listener.seconds()
        if self._tryTimer is not None:
            self._tryTimer.cancel()
            self._tryTimer = None
        recordResponse(self, status)
        hedge = self._hedge
        if status < 400 or not mayRetryStatus(self, status):
            if hedge is not None:
                hedge.cancel()
            return False
        recordTry(self, f"status {status}")
        if hedge is not None and hedge.running:
            self.dropAttempt(LOCAL_RESET)
            return bool(hedge.replaces(LOCAL_RESET))
        return self._again(True)

    def _offer(self) -> bytes:
        offer: bytes = getattr(self.request, "upgrade", b"")
        return offer

    def _connected(self) -> None:
        """See `Attempts._connected`."""
        self.responseHead(self.streams.protocol.localReply(self.request, 200, b"").head, False)

    def _openTunnel(self, head: IResponseHead) -> None:
        """The upstream has accepted another protocol; its first octets may have come already."""
        self._state |= ACCEPTED
        self.body.keepNothing()
        self._watchTunnel()
        self._sendHead(head, False)
        if self._state & (OVER | TUNNEL) == TUNNEL:
            self._flush(self.body)
        elif self._up is not None:  # a filter shows the client something else
            self._breakOff()

    # towards the client

    def _sendHead(self, head: IResponseHead, end: bool) -> None:
        """Show the head to the filters, rewrite it, and send it to the client."""
        self.response = head
        hooks = self.listener.chain.responseHead
        if hooks:
            if self.filters is None:
                self.filters = FilterState()
            self._state |= SHOWING
            verdict = runPartHooks(hooks, self, head, end)
            self._state &= ~SHOWING
            if verdict != CONTINUE or self._state & ANSWERED:
                return
        self._start(head, end)

    def _start(self, head: IResponseHead, end: bool) -> None:
        self.response = head
        route = self.route
        if route is not None and route.rewriteResponse is not None:
            route.rewriteResponse(self, head)
        self.status = head.status
        self._state |= RESPONSE_STARTED
        if self._state & ACCEPTED and not end and accepts(self._offer(), self.status):
            self._state |= TUNNEL
        self.streams.sendHead(self.number, head, end)
        for sent in self.listener.handlers.headSent:
            sent(self)
        if end:
            self._finish()

    def _sendData(self, data: bytes, end: bool) -> None:
        """Show data to the filters and send it to the client."""
        if self._state & ANSWERED != RESPONSE_STARTED:
            return
        hooks = self.listener.chain.responseData
        if hooks and not self._state & SHOWING:
            filters = self.filters
            if runDataHooks(hooks, self, filters, data, end) != CONTINUE:
                self._breakOff()
            if self._state & OVER:
                return
            data = filters.part
        self.bytesSent += len(data)
        self.streams.sendData(self.number, data, end)
        if end and not self._state & RESPONSE_ENDED:
            self._finish()

    def _breakOff(self) -> None:
        """A filter has failed, or refused too late: nobody may take the response for complete."""
        if self._state & ANSWERED == RESPONSE_STARTED:
            self.dropAttempt(LOCAL_RESET)
            self._attemptFailed(LOCAL_RESET)
