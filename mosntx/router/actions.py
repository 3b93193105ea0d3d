"""What a matched route does: answer, redirect, or send to a cluster (spec/router.md 6 and 7)."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from itertools import accumulate
from random import Random
from typing import Any

from zope.interface import implementer

from mosntx.config.schema import DirectResponse, Redirect, WeightedCluster
from mosntx.config.schema import Route as RouteConfig
from mosntx.contracts.message import IRequestHead, Pair
from mosntx.contracts.route import IRetryPolicy, IRoute
from mosntx.router.paths import DECODING, PathForm, isAuthority, query
from mosntx.router.variables import HeadVariable

#: An answer made by a route: status, body, extra header fields.
LocalReply = tuple[int, bytes, list[Pair]]

#: Statuses of redirects (RFC 9110 15.4); the first one is the default.
REDIRECT_CODES = (301, 302, 303, 307, 308)
#: RFC 3986 3.1, in lower case.
_SCHEME = re.compile(r"[a-z][a-z0-9.+-]*")
#: Status of a redirect for a protocol that has no paths.
NO_REDIRECT = 500


@implementer(IRoute)
class Route:
    """See `IRoute`. Filled in by the compiler, never changed afterwards.

    :ivar config: the rule as configured, for views and for filters that look at it.
    :ivar split: chooses among several clusters; ``None`` for a route with one.
    """

    __slots__ = (
        "allowConnect",
        "cluster",
        "config",
        "filterConfig",
        "hash",
        "localReply",
        "maxBody",
        "metadataMatch",
        "mirror",
        "path",
        "retryPolicy",
        "rewriteRequest",
        "rewriteResponse",
        "split",
        "timeout",
        "tryTimeout",
        "upstreamProtocol",
        "variable",
    )

    config: RouteConfig
    path: str
    timeout: float
    tryTimeout: float
    retryPolicy: IRetryPolicy
    metadataMatch: tuple[tuple[str, str], ...] | None
    mirror: tuple[str, int] | None
    maxBody: int
    upstreamProtocol: str
    allowConnect: bool
    filterConfig: Mapping[str, object]
    localReply: Callable[[IRequestHead], LocalReply] | None
    rewriteRequest: Callable[[Any, IRequestHead], None] | None
    rewriteResponse: Callable[[Any, Any], None] | None
    cluster: str
    variable: HeadVariable | None
    hash: Callable[[Any], int]
    split: WeightedSplit | None

    def clusterName(self, head: IRequestHead) -> str:
        """See `IRoute.clusterName`. Of several weighted clusters one was chosen with the route."""
        if self.variable is None:
            return self.cluster
        return (self.variable(head) or b"").decode("utf-8", "replace")

    def hashKey(self, exchange: Any) -> int:
        """See `IRoute.hashKey`."""
        return self.hash(exchange)

    def __repr__(self) -> str:
        return f"<Route {self.path}>"


class WeightedSplit:
    """Sends each request to one of several clusters, each with its exact share.

    :ivar entries: a variant of the route for each cluster that has a weight.
    """

    __slots__ = ("_next", "_total", "_upTo", "_weights", "entries")

    def __init__(self, entries: Sequence[Route], weights: Sequence[int], random: Random) -> None:
        """:param weights: one for each entry, all above 0."""
        self.entries = tuple(entries)
        self._weights = tuple(weights)
        self._upTo = list(accumulate(weights))
        self._total = self._upTo[-1]
        self._next = random.random

    def shares(self) -> Iterator[tuple[Route, float]]:
        """Yield each variant with its share of the requests."""
        for entry, weight in zip(self.entries, self._weights, strict=True):
            yield entry, weight / self._total

    def choose(self) -> Route:
        """Return the variant for one request."""
        return self.entries[bisect_right(self._upTo, int(self._next() * self._total))]


def compileSplit(
    route: Route, clusters: Sequence[WeightedCluster], random: Random
) -> WeightedSplit | None:
    """Return the split over weighted clusters, ``None`` when none of them has a weight.

    An entry's own metadata replaces the route's (MOSN; not merged). Without any, the route's
    criteria do not apply, and all hosts of the cluster may be chosen.
    """
    weighted = [entry for entry in clusters if entry.weight > 0]
    if not weighted:
        return None
    variants = []
    for entry in weighted:
        variant = copy(route)
        variant.cluster = entry.name
        variant.variable = None
        variant.metadataMatch = criteria(entry.metadata_match)
        variant.split = None
        variants.append(variant)
    return WeightedSplit(variants, [entry.weight for entry in weighted], random)


def criteria(metadata: Mapping[str, str]) -> tuple[tuple[str, str], ...] | None:
    """Return subset criteria sorted by key, ``None`` when there are none (spec/router.md 8)."""
    return tuple(sorted(metadata.items())) or None


def directResponse(config: DirectResponse) -> Callable[[IRequestHead], LocalReply]:
    """Return what answers with a constant.

    :raises ValueError: when the status is no final HTTP status.
    """
    if not 200 <= config.status <= 599:
        raise ValueError(f"status {config.status} of a direct response is not from 200 to 599")
    status, body = config.status, config.body.encode("utf-8")

    def reply(head: IRequestHead) -> LocalReply:
        return status, body, []

    return reply


def redirect(config: Redirect, form: PathForm = DECODING) -> Callable[[IRequestHead], LocalReply]:
    """Return what redirects a request; the query always stays (spec/router.md 6.2).

    :raises ValueError: when the code or the scheme is none.
    """
    code = config.response_code or REDIRECT_CODES[0]
    if code not in REDIRECT_CODES:
        raise ValueError(f"redirect code not supported yet: {code}")
    scheme = config.scheme_redirect.lower()
    if scheme and not _SCHEME.fullmatch(scheme):
        raise ValueError(f"{config.scheme_redirect!r} is no scheme")
    if config.host_redirect and not isAuthority(config.host_redirect.encode("utf-8")):
        raise ValueError(f"{config.host_redirect!r} is no host")
    newScheme, newHost = scheme.encode("ascii"), config.host_redirect.encode("utf-8")
    newPath = form.escape(config.path_redirect.encode("utf-8"))
    if newPath and newPath[:1] != b"/":
        newPath = b"/" + newPath

    def reply(head: IRequestHead) -> LocalReply:
        target = head.path
        if not target:
            return NO_REDIRECT, b"only HTTP requests can be redirected", []
        path = newPath or form.escape(form.match(target))
        host = newHost or head.authority
        to = newScheme or head.scheme
        if to != head.scheme:
            host = _withoutOldPort(host, to)
        # Without a host (HTTP/1.0) a relative reference is all that can be said.
        origin = b"%s://%s" % (to, host) if host and to else b""
        return code, b"", [(b"Location", origin + path + query(target))]

    return reply


def _withoutOldPort(host: bytes, scheme: bytes) -> bytes:
    """The host without a port that was the other scheme's default and cannot be meant now."""
    if scheme == b"http" and host.endswith(b":443"):
        return host[:-4]
    if scheme == b"https" and host.endswith(b":80"):
        return host[:-3]
    return host
