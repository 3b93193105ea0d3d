"""Pushed responses: from an upstream that promises one to a client that takes it (row M3).

Each is an exchange of its own, with its own line in the access log. Nobody asked for it, so there
is nothing to repeat and nobody to answer when it fails: its stream is reset.

A client may keep what it was pushed and use it later for a request of its own. So a promise is
relayed only if that request, made by the client here, would go to the same cluster unchanged;
whatever else an upstream promises, it is told that it need not.
"""

from __future__ import annotations

from copy import copy
from typing import Any

from mosntx.contracts.message import IRequestHead
from mosntx.contracts.route import IRoute
from mosntx.proxy.chain import FilterState
from mosntx.proxy.exchange import Exchange
from mosntx.proxy.record import recordResponse
from mosntx.proxy.state import COUNTED, OVER, REQUEST_ENDED, REWRITTEN

#: A host that no client asks for (RFC 6761 6.4).
_NOBODY = b"nobody.invalid"


class PushedExchange(Exchange):
    """The response that an upstream pushes, on its way to the client."""

    __slots__ = ()

    def begin(
        self, parent: Exchange, route: IRoute, up: Any, promised: int, head: IRequestHead
    ) -> None:
        """Take over what is known from the exchange that it was promised for.

        :param route: what the client's own request would take.
        :param up: the upstream's connection.
        """
        listener = self.listener
        self.request = head
        self.startTime = self.requestEndTime = listener.seconds()
        listener.stats.request_total += 1
        listener.stats.request_active += 1
        self._state = REQUEST_ENDED | REWRITTEN | COUNTED
        self.route, self.cluster, self.host = route, parent.cluster, parent.host
        self.attempts = 1
        if not listener.chain.empty:
            self.filters = FilterState()
        self.host.stats.request_total += 1
        self.host.stats.request_active += 1
        self._up = up
        self._upNumber = promised
        self.upstreamConnection = up.connection
        for created in listener.handlers.created:
            created(self)
        self._startClock(self.listener.seconds())

    def reply(self, status: int, text: bytes = b"", flag: int = 0, reason: str = "") -> None:
        """See `IExchange.reply`: there is nobody to tell."""
        self.flags |= flag
        self.abort()

    def responsePush(self, promised: int, head: IRequestHead) -> None:
        """See `IResponseSink`: what is pushed promises nothing (RFC 9113 8.4)."""

    def _refused(self, status: int) -> bool:
        """See `ResponseHalf`: nothing is repeated."""
        self.responseTime = self.listener.seconds()
        recordResponse(self, status)
        return False

    def _attemptFailed(self, reason: int) -> None:
        """See `Attempts`: nothing is repeated."""
        if not self._state & OVER:
            self._tellReset(reason)
            self.streams.reset(self.number, reason)
            self._finish()


def relayPush(exchange: Any, up: Any, promised: int, head: IRequestHead) -> PushedExchange | None:
    """Promise the client what the upstream has promised.

    :param up: the upstream's connection.
    :returns: who takes the response; ``None`` when the client wants none, or must not get it.
    """
    send = getattr(exchange.streams, "sendPush", None)
    if send is None or exchange.over:
        return None
    route = _routeOf(exchange, head)
    if route is None:
        return None
    limits = exchange.cluster.limits
    if not limits.tryRequest():
        exchange.host.stats.request_pending_overflow += 1
        return None
    number = send(exchange.number, head)
    if not number:
        limits.releaseRequest()
        return None
    pushed = PushedExchange(exchange.listener, exchange.streams, number)
    exchange.streams.attach(number, pushed)
    pushed.begin(exchange, route, up, promised, head)
    return pushed


def _routeOf(exchange: Any, head: IRequestHead) -> IRoute | None:
    """Return the route of a promised request, if the upstream may answer it (RFC 9113 8.4).

    Where the host of the request was rewritten, it names another one than the client asked for, and
    a promise cannot be put into the client's words.
    """
    request = exchange.request
    if head.authority != request.authority or head.scheme != request.scheme:
        return None
    if _rewritten(exchange, exchange.route, head).authority != _NOBODY:
        return None
    route: IRoute | None = exchange.listener.router.route(head)
    if route is None or route.localReply is not None:
        return None
    asked = _rewritten(exchange, route, head)
    if asked.authority != _NOBODY or asked.path != head.path:
        return None
    return route if route.clusterName(head) == exchange.cluster.name else None


def _rewritten(exchange: Any, route: Any, head: IRequestHead) -> IRequestHead:
    """Return what a route makes of a request, had it come for `_NOBODY`."""
    probe = copy(head)
    probe.headers = head.headers.copy()
    probe.authority = _NOBODY
    if route.rewriteRequest is not None:
        route.rewriteRequest(exchange, probe)
    return probe
