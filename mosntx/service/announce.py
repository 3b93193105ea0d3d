"""What the log says about listeners (row E2) and failed requests (row E4).

Event handlers that every Sidecar has.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger
from zope.interface import implementer

from mosntx.contracts.filters import IExchange
from mosntx.contracts.net import IConnection, IListenerEventHandler
from mosntx.contracts.stream import DOWNSTREAM_GONE, RESET_NAMES
from mosntx.net.listener import Listener
from mosntx.proxy.events import StreamEventHandler

log = Logger()

#: Failed requests written to the log per second. An upstream that is down would otherwise fill the
#: disk; the counters count all.
FAILURES_PER_SECOND = 5


@implementer(IListenerEventHandler)
class ListenerLog:
    """Writes the life of listeners to the log; connections only when one is refused."""

    def listenerOpened(self, listener: Listener) -> None:
        """See `IListenerEventHandler.listenerOpened`."""
        log.info("listener {name} on {at}", name=listener.name, at=listener.boundAddress)

    def connectionAccepted(self, listener: Listener, connection: IConnection) -> None:
        """See `IListenerEventHandler.connectionAccepted`."""

    def connectionRefused(self, listener: Listener, reason: str) -> None:
        """See `IListenerEventHandler.connectionRefused`."""
        log.warn("listener {name} refuses a connection: {why}", name=listener.name, why=reason)

    def listenerDraining(self, listener: Listener) -> None:
        """See `IListenerEventHandler.listenerDraining`."""
        log.info(
            "listener {name} accepts no more, {active} connections are left",
            name=listener.name,
            active=listener.active,
        )

    def listenerClosed(self, listener: Listener) -> None:
        """See `IListenerEventHandler.listenerClosed`."""
        log.info("listener {name} is closed", name=listener.name)


class FailureLog(StreamEventHandler):
    """Writes why requests failed, a few per second: what one wants to read at night."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._second = -1
        self._written = 0
        self._passedOver = 0

    def streamReset(self, exchange: IExchange, reason: int) -> None:
        """See `IStreamEventHandler.streamReset`."""
        if reason == DOWNSTREAM_GONE:
            return
        second = int(self._seconds())
        if second != self._second:
            if self._passedOver:
                log.warn("{count} more requests failed meanwhile", count=self._passedOver)
            self._second, self._written, self._passedOver = second, 0, 0
        if self._written >= FAILURES_PER_SECOND:
            self._passedOver += 1
            return
        self._written += 1
        request, host, cluster = exchange.request, exchange.host, exchange.cluster
        log.warn(
            "{listener}: {method!r} {path!r} failed: {reason}; "
            "cluster {cluster}, host {host}, attempt {attempts}",
            listener=exchange.listener.name,
            method=request.method.decode("latin-1"),
            path=request.path[:200].decode("latin-1"),
            reason=RESET_NAMES[reason],
            cluster=cluster.name if cluster is not None else "-",
            host=host.address if host is not None else "-",
            attempts=exchange.attempts,
        )
