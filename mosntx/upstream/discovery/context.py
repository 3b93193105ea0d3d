"""What discoveries are made with instead of globals, and what they count."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from attrs import frozen

from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.net.names import NameCache
from mosntx.net.timers import TimerWheel
from mosntx.stats.scope import StatsStruct


class DiscoveryStats(StatsStruct):
    """Type ``discovery``, labels ``{cluster}``; the names are Envoy's."""

    __slots__ = (
        "update_attempt",
        "update_empty",
        "update_failure",
        "update_success",
    )

    type = "discovery"
    COUNTERS = (
        "update_attempt",
        "update_success",
        "update_failure",
        "update_empty",
    )

    def __init__(self, cluster: str) -> None:
        super().__init__((("cluster", cluster),))
        #: Questions asked, files read.
        self.update_attempt = 0
        self.update_success = 0
        #: No answer, or one that says that there is an error; the hosts stay.
        self.update_failure = 0
        #: An answer without any host; the hosts stay.
        self.update_empty = 0


@frozen
class Nameservers:
    """Whom to ask for names, and how.

    :ivar resolver: provides ``IResolver``.
    :ivar timeouts: seconds to wait for each of the questions that are sent to each server.
    :ivar search: domains to try names in.
    :ivar ndots: with so many dots a name is tried as it is first.
    """

    resolver: Any
    timeouts: tuple[int, ...] = (5, 5)
    search: tuple[str, ...] = ()
    ndots: int = 1


@frozen
class DiscoveryContext:
    """What a discovery is made with.

    :ivar nameservers: whom a cluster asks.
    :ivar names: where connects look names up.
    :ivar stats: of this cluster.
    """

    wheel: TimerWheel
    random: Random
    nameservers: Callable[[ClusterConfig], Nameservers]
    names: NameCache
    stats: DiscoveryStats
