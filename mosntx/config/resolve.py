"""What completes decoded objects: defaults that depend on other keys, old spellings, directories.

Each function is the hook of one schema class: it gets the arguments of the class before it is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mosntx.config.decode import FAILED, Decoder, Failed, Hook, Special, Values
from mosntx.config.files import readDirectory
from mosntx.config.filterspecs import foundRouters, skipped
from mosntx.config.names import SINKS, TRACERS
from mosntx.config.nodes import ListNode, MapNode, Node, ScalarNode, quote
from mosntx.config.protocols import completeHttp2, completeProxy, readInlineRoutes
from mosntx.config.report import suggestAmong
from mosntx.config.resolvecluster import completeCluster, completeHealthCheck
from mosntx.config.schema import (
    Cluster,
    ClusterManager,
    Config,
    FilterChain,
    HealthCheck,
    Http2Options,
    Http2UpstreamOptions,
    Listener,
    MetricsSink,
    Pprof,
    PrometheusSink,
    ProxyConfig,
    RouterConfig,
    Server,
    TlsContext,
    Tracing,
    VirtualHost,
)
from mosntx.config.schema.server import LOG_LEVELS

ORIGINAL_DST_MODES: Final = ("", "redirect", "tproxy")
CLOSED_LISTENERS: Final = "closedListeners"
"""Name in `Decoder.notes`: paths of listeners that this build cannot open."""


def at(node: MapNode, *keys: str) -> Node:
    """The value of a key, or the object itself: the place to blame."""
    return node.find(*keys) or node


def completeConfig(decoder: Decoder, values: Values, node: MapNode, path: str) -> None:
    """Exactly one server (L15); none is needed when everything comes from xDS (L16)."""
    servers = node.find("servers")
    written = servers.items if isinstance(servers, ListNode) else ()
    fromXds = values["dynamic_resources"] is not None and values["static_resources"] is not None
    if not written and fromXds:
        values["servers"] = (Server(default_log_path="stdout"),)
        values["invented_server"] = True
        return
    if len(written) > 1:
        message = "there can be only one server"
        decoder.report.error(
            written[1].mark, "servers[1]", message, "move its listeners to the first"
        )
    elif not written and "servers" not in decoder.failed:
        message = "there is no server"
        fix = 'add "servers": [{"listeners": […]}]'
        decoder.report.error(at(node, "servers").mark, "servers", message, fix)
    values["servers"] = values["servers"][:1] or (Server(path="servers[0]"),)


def completeServer(decoder: Decoder, values: Values, node: MapNode, path: str) -> None:
    """Collect router configurations of all places; leave out listeners that cannot be opened."""
    closed = decoder.notes.get(CLOSED_LISTENERS, set())
    values["listeners"] = tuple(one for one in values["listeners"] if one.path not in closed)
    named: list[RouterConfig] = []
    for router in values["routers"]:
        if router.router_config_name:
            named.append(router)
        elif f"{router.path}.router_config_name" not in decoder.failed:
            mark = decoder.positions[router.path]
            message = "has no 'router_config_name' and is left out"
            decoder.report.warning(mark, router.path, message, "add one")
    values["routers"] = (*foundRouters(decoder), *named)
    _checkServerWords(decoder, values, node, path)


def _checkServerWords(decoder: Decoder, values: Values, node: MapNode, path: str) -> None:
    level = values["default_log_level"]
    if level and level not in LOG_LEVELS:
        mark = at(node, "default_log_level").mark
        message = f"unknown log level {quote(level)}: INFO is used"
        decoder.report.warning(
            mark, f"{path}.default_log_level", message, suggestAmong(level, LOG_LEVELS)
        )
        values["default_log_level"] = "INFO"
    processor = values["processor"]
    if isinstance(processor, str) and processor.lower() != "auto" and not processor.isdigit():
        mark = at(node, "processor").mark
        message = f"{quote(processor)} is no number: 'auto' is used"
        decoder.report.warning(mark, f"{path}.processor", message)
        values["processor"] = "auto"


def completeListener(decoder: Decoder, values: Values, node: MapNode, path: str) -> None:
    """Names, old spellings, the one filter chain, filters that are not run."""
    values["name"] = values["name"] or values["address"]
    handoff = node.find("handoff_restoreddestination")
    if isinstance(handoff, ScalarNode) and handoff.value is True and not values["use_original_dst"]:
        values["use_original_dst"] = "redirect"
        if "original_dst" not in decoder.names.features:
            where = f"{path}.handoff_restoreddestination"
            decoder.report.feature(handoff.mark, where, "original_dst")
    for key in ("listener_filters", "stream_filters"):
        _partition(decoder, values, key)
    chains = node.find("filter_chains")
    count = len(chains.items) if isinstance(chains, ListNode) else 0
    if count != 1 and f"{path}.filter_chains" not in decoder.failed:
        message = f"a listener has exactly one filter chain, this one has {count}"
        decoder.report.error(at(node, "filter_chains").mark, f"{path}.filter_chains", message)
    contexts = [c for chain in values["filter_chains"] for c in chain.tlsContexts]
    values["inspector"] = values["inspector"] or any(c.inspector for c in contexts)
    network = values["network"]
    if network != "tcp" and network not in decoder.names.features:
        fix = "this listener is not opened"
        what = f"{network} listeners"
        decoder.report.unsupported(at(node, "network").mark, f"{path}.network", what, fix)
        decoder.notes.setdefault(CLOSED_LISTENERS, set()).add(path)


def readOriginalDst(decoder: Decoder, node: Node, path: str) -> Any:
    """``use_original_dst`` as a word, or as the boolean that it was for some versions."""
    if isinstance(node, ScalarNode) and isinstance(node.value, bool):
        return ORIGINAL_DST_MODES[1] if node.value else ORIGINAL_DST_MODES[0]
    return decoder.value(str, node, path, {"choices": ORIGINAL_DST_MODES})


def _partition(decoder: Decoder, values: Values, key: str) -> None:
    """Split filters into those that are run and those only kept for dumps."""
    left = skipped(decoder)
    values[f"skipped_{key}"] = tuple(spec for spec in values[key] if spec.path in left)
    values[key] = tuple(spec for spec in values[key] if spec.path not in left)


def completeFilterChain(decoder: Decoder, values: Values, node: MapNode, path: str) -> None:
    """One form of TLS, and at least one network filter that is run."""
    _partition(decoder, values, "filters")
    if values["tls_context"] is not None and values["tls_context_set"]:
        message = "both 'tls_context' and 'tls_context_set' are given"
        mark = at(node, "tls_context_set").mark
        decoder.report.error(mark, f"{path}.tls_context_set", message, "keep one of them")
    where = f"{path}.filters"
    if not values["filters"] and not decoder.report.hasErrorUnder(where):
        message = "no usable network filter: every connection would be closed at once"
        fix = suggestAmong("", decoder.names.networkFilters)
        decoder.report.error(at(node, "filters").mark, where, message, fix)


def completeTls(decoder: Decoder, values: Values, node: MapNode, path: str) -> None:
    """Never plain text where TLS was asked for."""
    if not values["status"]:
        return
    if values["verify_server"] is False:
        values["insecure_skip"] = True
        message = "'verify_server: false' is read as 'insecure_skip: true'"
        mark = at(node, "verify_server").mark
        decoder.report.warning(mark, f"{path}.verify_server", message)
    if "tls" not in decoder.names.features:
        message = "TLS is not supported by this build, and plain text must not stand in for it"
        fix = "set 'status' to false only if plain text is really meant"
        decoder.report.error(at(node, "status").mark, f"{path}.status", message, fix)


def completePprof(decoder: Decoder, values: Values, node: MapNode, path: str) -> None:
    """Only a server that is switched on matters."""
    if values["debug"] and "pprof" not in decoder.names.features:
        decoder.report.feature(at(node, "debug").mark, f"{path}.debug", "pprof")


def completeTracing(decoder: Decoder, values: Values, node: MapNode, path: str) -> None:
    """A driver that is not built leaves tracing off, as in MOSN."""
    driver = values["driver"]
    if not values["enable"] or not driver or driver in decoder.names.tracers:
        return
    mark = at(node, "driver").mark
    if driver in TRACERS:
        decoder.report.unsupported(mark, f"{path}.driver", f"tracing driver '{driver}'")
    else:
        fix = suggestAmong(driver, decoder.names.tracers, TRACERS)
        message = f"unknown tracing driver {quote(driver)}: tracing is off"
        decoder.report.loose(mark, f"{path}.driver", message, fix)
    values["enable"] = False


def readSinks(decoder: Decoder, node: Node, path: str) -> Any:
    """Metrics sinks that are built, each with its settings."""
    if not isinstance(node, ListNode):
        return decoder.wrongType(node, path, "a list")
    read = (_sink(decoder, item, f"{path}[{i}]") for i, item in enumerate(node.items))
    return tuple(sink for sink in read if sink is not None)


def _sink(decoder: Decoder, node: Node, path: str) -> MetricsSink | None:
    sink = decoder.object(MetricsSink, node, path)
    if isinstance(sink, Failed) or not isinstance(node, MapNode):
        return None
    mark = at(node, "type").mark
    config: Any = sink.config
    if sink.type == "prometheus":
        written = node.find("config") or MapNode(node.mark, ())
        config = decoder.object(PrometheusSink, written, f"{path}.config")
    if sink.type in decoder.names.sinks:
        return None if config is FAILED else MetricsSink(type=sink.type, config=config, path=path)
    if sink.type in SINKS:
        decoder.report.unsupported(mark, f"{path}.type", f"metrics sink '{sink.type}'")
    else:
        fix = suggestAmong(sink.type, decoder.names.sinks, SINKS)
        message = f"unknown metrics sink {quote(sink.type)}: skipped"
        decoder.report.loose(mark, f"{path}.type", message, fix)
    return None


def _directory(key: str, members: str, cls: type[Any]) -> Hook:
    """The hook of a class whose ``members`` may be in the files of the directory ``key`` (L14)."""

    def complete(decoder: Decoder, values: Values, node: MapNode, path: str) -> None:
        directory = values[key]
        where = f"{path}.{key}"
        if not directory:
            return
        mark = at(node, key).mark
        if values[members]:
            message = f"both '{members}' and '{key}' are given"
            decoder.report.error(mark, where, message, "keep one of them")
            return
        nodes = readDirectory(decoder.report, directory, mark, where)
        read = (decoder.value(cls, n, f"{path}.{members}[{i}]", {}) for i, n in enumerate(nodes))
        values[members] = tuple(one for one in read if one is not FAILED)

    return complete


HOOKS: Final[Mapping[type, Hook]] = {
    Config: completeConfig,
    Server: completeServer,
    Listener: completeListener,
    FilterChain: completeFilterChain,
    TlsContext: completeTls,
    Pprof: completePprof,
    Tracing: completeTracing,
    ProxyConfig: completeProxy,
    Http2Options: completeHttp2,
    Http2UpstreamOptions: completeHttp2,
    Cluster: completeCluster,
    HealthCheck: completeHealthCheck,
    RouterConfig: _directory("router_configs", "virtual_hosts", VirtualHost),
    ClusterManager: _directory("clusters_configs", "clusters", Cluster),
}
"""By class."""

MORE_SPECIALS: Final[Mapping[str, Special]] = {
    "sinks": readSinks,
    "inline_routes": readInlineRoutes,
    "original_dst": readOriginalDst,
}
"""By the marker of the annotation."""
