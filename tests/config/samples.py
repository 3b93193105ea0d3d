"""Small configurations that several tests load and change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mosntx.config.load import Loaded, loadMapping, loadText
from mosntx.config.names import Names
from mosntx.config.problems import ConfigError, Problem

EVERYTHING = Names.everything()
SMALL_BUILD = Names(
    protocols={"Http1"},
    networkFilters=["proxy"],
    balancers={"LB_RANDOM", "LB_ROUNDROBIN"},
    clusterTypes={"SIMPLE"},
    features={"admin", "access_log", "direct_response", "redirect"},
)
"""About what the first release has."""


def minimal() -> dict[str, Any]:
    """A proxy on one listener, one route, one cluster; to be changed by tests."""
    return {
        "servers": [{"listeners": [listener()], "routers": [router()]}],
        "cluster_manager": {"clusters": [cluster()]},
    }


def listener(**more: Any) -> dict[str, Any]:
    """A listener with an HTTP/1.1 proxy."""
    return {
        "name": "in",
        "address": "127.0.0.1:2045",
        "bind_port": True,
        "filter_chains": [{"filters": [proxy()]}],
        **more,
    }


def proxy(**more: Any) -> dict[str, Any]:
    """The network filter `proxy`."""
    config = {"downstream_protocol": "Http1", "router_config_name": "r", **more}
    return {"type": "proxy", "config": config}


def router(*routes: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A router configuration with one virtual host for everything."""
    rules = list(routes) or [{"match": {"prefix": "/"}, "route": {"cluster_name": "c"}}]
    hosts = [{"name": "v", "domains": ["*"], "routers": rules}]
    return {"router_config_name": "r", "virtual_hosts": hosts, **more}


def cluster(**more: Any) -> dict[str, Any]:
    """A cluster with one host."""
    return {
        "name": "c",
        "type": "SIMPLE",
        "lb_type": "LB_RANDOM",
        "hosts": [{"address": "127.0.0.1:2047"}],
        **more,
    }


def withListener(**more: Any) -> dict[str, Any]:
    """`minimal` with another listener."""
    config = minimal()
    config["servers"][0]["listeners"] = [listener(**more)]
    return config


def withRoutes(*routes: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """`minimal` with other routes."""
    config = minimal()
    config["servers"][0]["routers"] = [router(*routes, **more)]
    return config


def withCluster(**more: Any) -> dict[str, Any]:
    """`minimal` with another cluster."""
    config = minimal()
    config["cluster_manager"]["clusters"] = [cluster(**more)]
    return config


def load(obj: Mapping[str, Any], names: Names = EVERYTHING, strict: bool = False) -> Loaded:
    """Load a Python mapping."""
    return loadMapping(obj, names, strict)


def problemsOf(
    source: Mapping[str, Any] | str, names: Names = EVERYTHING, strict: bool = False
) -> tuple[Problem, ...]:
    """Everything found, whether it is loaded or not."""
    try:
        if isinstance(source, str):
            return loadText(source, "test.json", names, strict).problems
        return loadMapping(source, names, strict).problems
    except ConfigError as error:
        return error.problems


def found(
    source: Mapping[str, Any] | str, names: Names = EVERYTHING, strict: bool = False
) -> list[tuple[str, str]]:
    """Severity and path of everything found."""
    return [(one.severity, one.path) for one in problemsOf(source, names, strict)]
