"""Protocols of upstreams that a configuration asks for and that cannot be had."""

from __future__ import annotations

from collections.abc import Iterator

from mosntx.config.problems import ERROR, Problem
from mosntx.config.schema import Config, ProxyConfig, Route
from mosntx.proxy.convert.base import conversionFor
from mosntx.service.catalog import Catalog


def conversionProblems(config: Config, catalog: Catalog) -> list[Problem]:
    """Return a problem for each route whose upstreams no request of a listener can get to.

    A listener with several protocols may have some that cannot be converted: their requests are
    answered with 502, and that is no problem of the file.
    """
    routers = {router.router_config_name: router for router in config.server.routers}
    problems = {}
    for proxy in _proxies(config):
        router = routers.get(proxy.router_config_name)
        for host in router.virtual_hosts if router is not None else ():
            for route in host.routers:
                problem = _problem(proxy, route, catalog)
                if problem is not None:
                    problems[problem.path, problem.message] = problem
    return list(problems.values())


def _proxies(config: Config) -> Iterator[ProxyConfig]:
    for listener in config.server.listeners:
        for spec in listener.filters:
            if isinstance(spec.config, ProxyConfig):
                yield spec.config


def _problem(proxy: ProxyConfig, route: Route, catalog: Catalog) -> Problem | None:
    action = route.route
    if action is None:
        return None
    own = action.upstream_protocol
    wanted = own or proxy.upstreamProtocol
    path = f"{action.path}.upstream_protocol" if own else f"{proxy.path}.upstream_protocol"
    spoken = tuple(catalog.protocols) if "Auto" in proxy.protocols else proxy.protocols
    if not wanted or not spoken or any(_leads(catalog, one, wanted) for one in spoken):
        return None
    clients = ", ".join(spoken)
    message = f"requests that come as {clients} cannot be converted to {wanted!r}"
    return Problem(ERROR, "", 0, 0, path, message)


def _leads(catalog: Catalog, spoken: str, wanted: str) -> bool:
    try:
        conversionFor(catalog.conversions, spoken, wanted)
    except LookupError:
        return False
    return wanted in catalog.protocols
