"""Filters by name: which are built, which MOSN has, which nobody knows; and their settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from mosntx.config.decode import FAILED, Decoder, Failed, Special
from mosntx.config.names import (
    ACCESS_CONTROL_FILTERS,
    LISTENER_FILTERS,
    NETWORK_FILTERS,
    STREAM_FILTERS,
)
from mosntx.config.nodes import ListNode, MapNode, Node, ScalarNode, plain, quote
from mosntx.config.report import suggest, suggestAmong
from mosntx.config.schema.proxy import ProxyConfig, TcpProxyConfig
from mosntx.config.schema.router import RouterConfig
from mosntx.config.schema.server import FilterSpec, ListenerFilterSpec, OriginalDstConfig

BUILT_IN: Final[Mapping[str, type]] = {
    "proxy": ProxyConfig,
    "tcp_proxy": TcpProxyConfig,
    "udp_proxy": TcpProxyConfig,
    "original_dst": OriginalDstConfig,
}
"""Filters whose settings are part of the schema."""
CONNECTION_MANAGER: Final = "connection_manager"
"""The filter that only carries a router configuration (MOSN 0.3 to 0.10)."""
SILENT: Final = frozenset({"healthcheck"})
"""Stream filters that old files list and nothing needs: codecs answer heartbeats themselves."""
SKIPPED: Final = "skippedFilters"
ROUTERS: Final = "routers"
"""Names of `Decoder.notes`: paths of filters left out; router configurations found in filters."""


def skipped(decoder: Decoder) -> set[str]:
    """Paths of filters that this build does not run."""
    found: set[str] = decoder.notes.setdefault(SKIPPED, set())
    return found


def foundRouters(decoder: Decoder) -> list[RouterConfig]:
    """Router configurations written inside of filters."""
    found: list[RouterConfig] = decoder.notes.setdefault(ROUTERS, [])
    return found


def _read(
    decoder: Decoder,
    node: Node,
    path: str,
    spec: type[FilterSpec | ListenerFilterSpec],
    kind: Special,
) -> Any:
    """A list of filters, each one read by ``kind``; skipped ones stay in, for dumps."""
    if not isinstance(node, ListNode):
        return decoder.wrongType(node, path, "a list")
    read = []
    for index, item in enumerate(node.items):
        where = f"{path}[{index}]"
        filter = decoder.object(spec, item, where)
        if isinstance(filter, Failed) or not isinstance(item, MapNode):
            continue
        config = kind(decoder, item, where)
        if config is FAILED:
            skipped(decoder).add(where)
            config = filter.config
        read.append(attrs.evolve(filter, config=config))
    return tuple(read)


def _typeOf(node: MapNode) -> tuple[str, Node]:
    """The filter's name, and the node to blame for it."""
    found = node.find("type")
    value = found.value if isinstance(found, ScalarNode) else None
    return (value, found) if found is not None and isinstance(value, str) else ("", node)


def _config(decoder: Decoder, node: MapNode, path: str, cls: type | None) -> Any:
    """The settings of a filter that is built; `FAILED` when they are no object."""
    config = node.find("config")
    where = f"{path}.config"
    if config is None or (isinstance(config, ScalarNode) and config.value is None):
        config = MapNode(node.mark, ())
    decoder.positions[where] = config.mark
    if not isinstance(config, MapNode):
        return decoder.wrongType(config, where, "an object")
    if cls is None:
        return plain(config)
    return decoder.object(cls, config, where)


def _networkFilter(decoder: Decoder, node: Node, path: str) -> Any:
    assert isinstance(node, MapNode)
    name, at = _typeOf(node)
    known = decoder.names.networkFilters
    if name == CONNECTION_MANAGER:
        router = _config(decoder, node, path, RouterConfig)
        if router is not FAILED and router.router_config_name:
            foundRouters(decoder).append(router)
        return FAILED
    if name in known:
        config = _config(decoder, node, path, known[name] or BUILT_IN.get(name))
        return FAILED if f"{path}.config" in skipped(decoder) else config
    if name in NETWORK_FILTERS:
        decoder.report.unsupported(at.mark, f"{path}.type", f"network filter '{name}'")
        return FAILED
    message = (
        f"unknown network filter {quote(name)}" if name else "the network filter has no 'type'"
    )
    fix = suggestAmong(name, known, NETWORK_FILTERS)
    decoder.report.error(at.mark, f"{path}.type", message, fix)
    return FAILED


def _streamFilter(decoder: Decoder, node: Node, path: str) -> Any:
    assert isinstance(node, MapNode)
    name, at = _typeOf(node)
    report = decoder.report
    plugin = node.find("go_plugin_config")
    if plugin is not None and plain(plugin) is not None:
        where = f"{path}.go_plugin_config"
        report.unsupported(plugin.mark, where, f"stream filter '{name}' from a Go shared object")
        return FAILED
    if name in decoder.names.streamFilters:
        return _config(decoder, node, path, decoder.names.streamFilters[name])
    where = f"{path}.type"
    if name in ACCESS_CONTROL_FILTERS:
        fix = "requests are NOT checked by it: guard the service otherwise"
        report.unsupported(at.mark, where, f"access control by stream filter '{name}'", fix)
    elif name in STREAM_FILTERS - SILENT:
        report.unsupported(at.mark, where, f"stream filter '{name}'")
    elif name not in SILENT:
        fix = suggest(name, {*decoder.names.streamFilters, *STREAM_FILTERS})
        report.loose(at.mark, where, f"unknown stream filter {quote(name)}: skipped", fix)
    return FAILED


def _listenerFilter(decoder: Decoder, node: Node, path: str) -> Any:
    assert isinstance(node, MapNode)
    name, at = _typeOf(node)
    known = decoder.names.listenerFilters
    if name in known:
        return _config(decoder, node, path, known[name] or BUILT_IN.get(name))
    where = f"{path}.type"
    if name in LISTENER_FILTERS:
        decoder.report.unsupported(at.mark, where, f"listener filter '{name}'")
    else:
        fix = suggest(name, {*known, *LISTENER_FILTERS})
        message = f"unknown listener filter {quote(name)}: skipped"
        decoder.report.loose(at.mark, where, message, fix)
    return FAILED


def readNetworkFilters(decoder: Decoder, node: Node, path: str) -> Any:
    """``filter_chains[].filters``."""
    return _read(decoder, node, path, FilterSpec, _networkFilter)


def readStreamFilters(decoder: Decoder, node: Node, path: str) -> Any:
    """``listeners[].stream_filters``."""
    return _read(decoder, node, path, FilterSpec, _streamFilter)


def readListenerFilters(decoder: Decoder, node: Node, path: str) -> Any:
    """``listeners[].listener_filters``."""
    return _read(decoder, node, path, ListenerFilterSpec, _listenerFilter)


FILTER_SPECIALS: Final[Mapping[str, Special]] = {
    "network_filters": readNetworkFilters,
    "stream_filters": readStreamFilters,
    "listener_filters": readListenerFilters,
}
"""By the marker of the annotation."""
