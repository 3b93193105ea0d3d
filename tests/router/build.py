"""Short ways to write router configurations for tests."""

from __future__ import annotations

from random import Random
from typing import Any

from mosntx.config.schema import (
    HeaderMatch,
    HeaderToAdd,
    HeaderValue,
    Match,
    Route,
    RouteAction,
    RouterConfig,
    VirtualHost,
)
from mosntx.contracts.route import IRouter
from mosntx.router.compiler import compileRouter
from mosntx.router.variables import Variables


def header(name: str, value: str = "", regex: bool = False) -> HeaderMatch:
    """Return a header to match."""
    return HeaderMatch(name=name, value=value, regex=regex)


def added(key: str, value: str, append: bool = True) -> HeaderToAdd:
    """Return a header to add."""
    return HeaderToAdd(header=HeaderValue(key=key, value=value), append=append)


def to(cluster: str, **match: Any) -> Route:
    """Return a route to a cluster."""
    return Route(match=Match(**match), route=RouteAction(cluster_name=cluster))


def acting(match: Match | None = None, **action: Any) -> Route:
    """Return a route to cluster ``c`` with other settings of its action."""
    action.setdefault("cluster_name", "c")
    return Route(match=match or Match(prefix="/"), route=RouteAction(**action))


def host(*domains: str, routes: tuple[Route, ...] = (), **more: Any) -> VirtualHost:
    """Return a virtual host; without routes it has one to the cluster named as its first domain."""
    return VirtualHost(domains=domains, routers=routes or (to(domains[0], prefix="/"),), **more)


def config(*hosts: VirtualHost, name: str = "r", **more: Any) -> RouterConfig:
    """Return a router configuration."""
    return RouterConfig(router_config_name=name, virtual_hosts=hosts, **more)


def router(*hosts: VirtualHost, seed: int = 1, variables: Variables | None = None) -> Any:
    """Return a router over these virtual hosts; `Any`, for tests know what it finds."""
    return compileRouter(config(*hosts), random=Random(seed), variables=variables)


def routing(*routes: Route, **more: Any) -> Any:
    """Return a router with these routes for all hosts."""
    return router(host("*", routes=routes), **more)


def cluster(found: IRouter, head: Any) -> str | None:
    """Return the cluster that a router gives for a request, ``None`` without a route."""
    route = found.route(head)
    return None if route is None else route.clusterName(head)
