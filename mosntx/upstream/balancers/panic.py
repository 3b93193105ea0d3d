"""Which parts of a cluster have too few healthy hosts; outlives their balancers."""

from __future__ import annotations

from twisted.logger import Logger

from mosntx.stats.structs import ClusterStats

log = Logger()


class PanicState:
    """Remembers who panics, so that an update of hosts tells nothing twice.

    A part of a cluster is named by its scope: ``""`` is the whole.
    """

    __slots__ = ("_before", "_now", "_stats")

    def __init__(self, stats: ClusterStats) -> None:
        self._stats = stats
        self._now: set[str] = set()
        self._before: set[str] = set()

    def renew(self) -> None:
        """Balancers are about to be made anew: each says again how it is."""
        self._before |= self._now
        self._now = set()

    def settle(self) -> None:
        """All are made: parts that there are no longer do not panic."""
        for scope in sorted(self._before):
            self._tell(scope, False, "of a change of hosts or settings")
        self._before = set()
        self._stats.lb_panic = len(self._now)

    def set(self, scope: str, on: bool, reason: str) -> None:
        """A part panics, or does no longer; told when it is news.

        :param reason: for the log.
        """
        known = scope in self._now or scope in self._before
        self._before.discard(scope)
        if on:
            self._now.add(scope)
        else:
            self._now.discard(scope)
        self._stats.lb_panic = len(self._now)
        if known != on:
            self._tell(scope, on, reason)

    def _tell(self, scope: str, on: bool, reason: str) -> None:
        log.warn(
            "cluster {cluster}{scope} {change} panic because {reason}",
            cluster=self._stats.name,
            scope=f", subset {scope}," if scope else "",
            change="is in" if on else "is no longer in",
            reason=reason,
        )
