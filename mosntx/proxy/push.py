"""Pushed responses: from an upstream that promises one to a client that takes it (row M3).

Each is an exchange of its own, with its own line in the access log. Nobody asked for it, so there
is nothing to repeat and nobody to answer when it fails: its stream is reset.
"""

from __future__ import annotations

from typing import Any

from mosntx.contracts.message import IRequestHead
from mosntx.proxy.exchange import Exchange
from mosntx.proxy.state import OVER, REQUEST_ENDED, REWRITTEN, TIMED


class PushedExchange(Exchange):
    """The response that an upstream pushes, on its way to the client."""

    __slots__ = ()

    def begin(self, parent: Any, up: Any, promised: int, head: IRequestHead) -> None:
        """Take over what is known from the exchange that it was promised for."""
        listener = self.listener
        self.request = head
        self.startTime = self.requestEndTime = listener.seconds()
        listener.stats.request_total += 1
        listener.stats.request_active += 1
        self._state = REQUEST_ENDED | REWRITTEN | TIMED
        self.route, self.cluster, self.host = parent.route, parent.cluster, parent.host
        self.attempts = 1
        self.host.stats.request_total += 1
        self.host.stats.request_active += 1
        self._up = up
        self._upNumber = promised
        self.upstreamConnection = up.connection
        for created in listener.handlers.created:
            created(self)
        self._watchIdle()

    def reply(self, status: int, text: bytes = b"", flag: int = 0, reason: str = "") -> None:
        """See `IExchange.reply`: there is nobody to tell."""
        self.flags |= flag
        self.abort()

    def _refused(self, status: int) -> bool:
        """See `ResponseHalf`: nothing is repeated."""
        self.responseTime = self.listener.seconds()
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
    :returns: who takes the response; ``None`` when the client wants none.
    """
    send = getattr(exchange.streams, "sendPush", None)
    if send is None or exchange.over:
        return None
    number = send(exchange.number, head)
    if not number:
        return None
    pushed = PushedExchange(exchange.listener, exchange.streams, number)
    exchange.streams.attach(number, pushed)
    pushed.begin(exchange, up, promised, head)
    return pushed
