"""From a request head to the rule that governs it (capabilities X4, R1 to R5)."""

from __future__ import annotations

from typing import Any

from zope.interface import Attribute, Interface


class IRoute(Interface):
    """One compiled rule. Immutable; exchanges keep the one they started with."""

    path = Attribute("``str``: configuration path, for errors and for explaining a choice")
    timeout = Attribute(
        "``float``: seconds for the whole exchange, counted from the complete request; 0.0 = none"
    )
    tryTimeout = Attribute("``float``: seconds for one attempt; 0.0 = none")
    retryPolicy = Attribute("`IRetryPolicy`")
    metadataMatch = Attribute(
        "``tuple[tuple[str, str], ...] | None``: subset criteria sorted by key, ``None`` = all "
        "hosts"
    )
    maxBody = Attribute("``int``: largest request body in octets, 0 = no limit of the route")
    mirror = Attribute(
        "``tuple[str, int] | None``: cluster that gets copies, and of how many of 100 requests"
    )
    upstreamProtocol = Attribute("``str``: protocol towards the cluster, ``''`` = the client's")
    allowConnect = Attribute("``bool``: CONNECT tunnels are permitted")
    filterConfig = Attribute("``Mapping[str, object]``: per_filter_config by filter name")
    localReply = Attribute(
        "``Callable[[IRequestHead], tuple[int, bytes, list[Pair]]] | None``: direct response or "
        "redirect: status, body, extra header fields"
    )
    rewriteRequest = Attribute(
        "``Callable[[IExchange, IRequestHead], None] | None``: header, host and path rewrites; "
        "runs once, after the host is chosen"
    )
    rewriteResponse = Attribute("``Callable[[IExchange, IResponseHead], None] | None``")

    def clusterName(head: Any) -> str:
        """The cluster for this request.

        Weighted choices are made here, so ask once per exchange.
        """

    def hashKey(exchange: Any) -> int | None:
        """The consistent-hash key; ``None`` when this route has none. Ours always have one."""


class IRetryPolicy(Interface):
    """When an attempt may be repeated (spec/router.md 10)."""

    attempts = Attribute("``int``: retries allowed after the first attempt")
    statuses = Attribute(
        "``frozenset[int] | None``: response statuses that are retried; ``None`` = 500 and above; "
        "empty = none"
    )
    onStatus = Attribute(
        "``bool``: ``retry_on``: statuses, per-try timeouts and terminated connections are retried"
    )
    unsafe = Attribute(
        "``bool``: methods that are not idempotent are sent again, too, when it is not known what "
        "became of them"
    )
    hedgeAfter = Attribute("``float``: seconds until a second attempt besides the first; 0 = never")
    firstPause = Attribute("``float``: seconds before the first retry; doubled for each other")
    lastPause = Attribute("``float``: seconds at most")


class IRouter(Interface):
    """The compiled tables of one router configuration; replaceable as a whole."""

    name = Attribute("``str``: ``router_config_name``")

    def route(head: Any, source: str = "") -> IRoute | None:
        """Return the rule for a request, ``None`` when nothing matches (404, `NO_ROUTE_FOUND`).

        :param source: the client's ``ip:port``, or the path of its unix socket.

        Never raises for what a client sends.
        """
