"""The order of the end.

Stop accepting, let requests finish, close what is left (spec/proxy.md 13.1).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from mosntx.net.listener import Listener
from mosntx.upstream.cluster import Cluster
from mosntx.upstream.clusters import Clusters

log = Logger()

#: Seconds that upstream connections get to close after the last request. They carry nothing any
#: more.
UPSTREAM_TIMEOUT = 1.0


class Shutdown:
    """One drain, under way.

    :ivar done: fires with ``True`` when everything ended by itself, ``False`` when it was cut
        short.
    """

    def __init__(
        self,
        listeners: Iterable[Listener],
        clusters: Clusters,
        clock: IReactorTime,
        timeout: float,
    ) -> None:
        """:param timeout: seconds for requests to finish; 0.0 = cut everything now."""
        self._listeners = tuple(listeners)
        self._clusters = clusters
        self._clock = clock
        self._clean = True
        self.done: Deferred[bool] = Deferred()
        self._waiting: Deferred[Any] = DeferredList(
            [listener.drain() for listener in self._listeners]
        )
        self._timer = clock.callLater(timeout, self.abort)
        self._waiting.addCallback(self._requestsOver)

    def abort(self) -> None:
        """Wait no longer for requests."""
        if self._timer.active():
            self._timer.cancel()
        if self.done.called:
            return
        left = sum(listener.active for listener in self._listeners)
        if left:
            self._clean = False
            log.warn("{left} connections are cut", left=left)
        for listener in self._listeners:
            listener.stop()

    def _requestsOver(self, _result: object) -> Deferred[Any]:
        if self._timer.active():
            self._timer.cancel()
        clusters = [self._clusters.get(name) for name in self._clusters.names()]
        upstream = self._clusters.drain()
        upstream.addTimeout(UPSTREAM_TIMEOUT, self._clock)
        upstream.addErrback(self._cutUpstream, clusters)
        upstream.addCallback(lambda _: self.done.callback(self._clean))
        return upstream

    def _cutUpstream(self, _failure: object, clusters: list[Cluster | None]) -> None:
        """Upstreams that do not close their end are not waited for."""
        for cluster in clusters:
            for host in cluster.hosts if cluster is not None else ():
                for pool in host.pools().values():
                    pool.abort()
