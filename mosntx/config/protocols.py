"""Settings of the network filter `proxy`: old protocol names, protocol options, inline routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from mosntx.config.decode import FAILED, Decoder, Failed, Values
from mosntx.config.fields import joinPath
from mosntx.config.filterspecs import foundRouters, skipped
from mosntx.config.names import PROTOCOLS
from mosntx.config.nodes import Entry, ListNode, MapNode, Node, ScalarNode, plain, quote
from mosntx.config.report import suggest, suggestAmong
from mosntx.config.schema.http2 import Http2Options
from mosntx.config.schema.proxy import BoltOptions, Http1Options
from mosntx.config.schema.router import RouterConfig

AUTO: Final = "Auto"
SOFA_RPC: Final = "SofaRpc"
"""The name of bolt in 0.1 to 0.25."""
BY_SUB_PROTOCOL: Final = frozenset({"X", "Xprotocol"})
"""Old names that leave the protocol to ``extend_config.sub_protocol``."""
SUB_PROTOCOL: Final = "sub_protocol"
INLINE_PREFIX: Final = "inline:"
"""Begins the names of router configurations made from inline virtual hosts."""
OLD_STYLE: Final = "oldStyle"
"""Name in `Decoder.notes`: the file is of 0.1 or 0.2, see `isOldStyle`."""
_OPTIONS: Final[Mapping[str, tuple[str, Any]]] = {
    "Http1": ("http1", Http1Options),
    "Http2": ("http2", Http2Options),
    "bolt": ("bolt", BoltOptions),
}
"""Protocol -> the attribute and the class of its options."""


def isOldStyle(root: Node) -> bool:
    """Whether a proxy has inline virtual hosts or ``SofaRpc``; then some keys mean other things."""
    waiting = [root]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, ListNode):
            waiting.extend(node.items)
        elif isinstance(node, MapNode):
            protocol = node.find("downstream_protocol")
            if isinstance(protocol, ScalarNode):
                old = SOFA_RPC in str(protocol.value).split(",")
                if old or isinstance(node.find("virtual_hosts"), ListNode):
                    return True
            waiting.extend(entry.node for entry in node.entries)
    return False


def completeProxy(decoder: Decoder, values: Values, node: MapNode, path: str) -> None:
    """Hook of `ProxyConfig`."""
    extend = node.find("extend_config")
    sub = extend.find(SUB_PROTOCOL) if isinstance(extend, MapNode) else None
    names = _resolve(decoder, values["downstream_protocol"], sub, node, path)
    built = _built(decoder, names, node.find("downstream_protocol") or node, path)
    values["protocols"] = built
    if not built:
        skipped(decoder).add(path)
    if isinstance(extend, MapNode):
        _readOptions(decoder, values, extend, names, f"{path}.extend_config")
    _limits(values)
    _upstream(decoder, values, node, names, path)
    _inlineRoutes(decoder, values, node, path)


def _resolve(
    decoder: Decoder, text: str, sub: Node | None, node: MapNode, path: str
) -> tuple[str, ...]:
    """Protocol names with old ones replaced."""
    names: list[str] = []
    at = node.find("downstream_protocol") or node
    where = f"{path}.downstream_protocol"
    if where in decoder.failed:
        return ()
    for name in (part.strip() for part in text.split(",")):
        if name == SOFA_RPC:
            names += ["bolt", "boltv2"]
        elif name in BY_SUB_PROTOCOL:
            names += _subProtocols(decoder, name, sub, at, where)
        elif name:
            names.append(name)
        else:
            fix = suggestAmong("", decoder.names.protocols)
            decoder.report.error(at.mark, where, "a protocol without name", fix)
    return tuple(dict.fromkeys(names))


def _subProtocols(decoder: Decoder, name: str, sub: Node | None, at: Node, path: str) -> list[str]:
    value = sub.value if isinstance(sub, ScalarNode) else None
    if isinstance(value, str) and value:
        return [part.strip() for part in value.split(",") if part.strip()]
    fix = 'add "extend_config": {"sub_protocol": "bolt"}, or name the protocol itself'
    decoder.report.error(at.mark, path, f"{quote(name)} needs extend_config.sub_protocol", fix)
    return []


def _built(decoder: Decoder, names: tuple[str, ...], at: Node, path: str) -> tuple[str, ...]:
    """The protocols that this build has; others are reported."""
    report = decoder.report
    where = f"{path}.downstream_protocol"
    text = at.value if isinstance(at, ScalarNode) else ""
    custom = any(part.strip() in BY_SUB_PROTOCOL for part in str(text).split(","))
    known = decoder.names.protocols - {AUTO}
    if AUTO in names and known:
        return (AUTO,)
    for name in names:
        if name in known:
            continue
        if name in PROTOCOLS or custom:
            report.unsupported(at.mark, where, f"protocol '{name}'")
        else:
            fix = suggestAmong(name, known, PROTOCOLS)
            report.error(at.mark, where, f"unknown protocol {quote(name)}", fix)
    return tuple(name for name in names if name in known)


def _readOptions(
    decoder: Decoder, values: Values, extend: MapNode, names: tuple[str, ...], path: str
) -> None:
    """Options keyed by protocol, or flat for the only protocol."""
    members = [entry for entry in extend.entries if entry.key != SUB_PROTOCOL]
    known = {*PROTOCOLS, *decoder.names.protocols, *names}
    keyed = [entry for entry in members if entry.key in known]
    flat = [entry for entry in members if entry.key not in known]
    single = names[0] if len(names) == 1 and names[0] != AUTO else ""
    if flat and not keyed and single:
        message = f"options without the name of their protocol, read as those of '{single}'"
        fix = f'write {{"{single}": {{…}}}}'
        decoder.report.warning(extend.mark, path, message, fix)
        keyed = [Entry(extend.mark, single, MapNode(extend.mark, tuple(flat)))]
    else:
        for entry in flat:
            message = f"{quote(entry.key)} is no protocol: these options have no effect"
            decoder.report.loose(
                entry.mark, joinPath(path, entry.key), message, suggest(entry.key, known)
            )
    values["options"] = {
        entry.key: plain(entry.node) for entry in keyed if isinstance(entry.node, MapNode)
    }
    for entry in keyed:
        where = joinPath(path, entry.key)
        name, cls = _OPTIONS.get(entry.key, ("", None))
        if cls is not None:
            options = decoder.object(cls, entry.node, where)
            if not isinstance(options, Failed):
                values[name] = options
        elif not isinstance(entry.node, MapNode):
            decoder.wrongType(entry.node, where, "an object")


def completeHttp2(decoder: Decoder, values: Values, node: MapNode, path: str) -> None:
    """Hook of the options of HTTP/2: an engine that is asked for by name must be installed."""
    at = node.find("http2_engine")
    wanted = values["http2_engine"]
    if at is not None and wanted != "auto" and wanted not in decoder.names.engines:
        message = f"the engine {quote(wanted)} is not installed"
        fix = 'install mosntx[fast], or write "auto"'
        decoder.report.error(at.mark, f"{path}.http2_engine", message, fix)


def _limits(values: Values) -> None:
    """Options of Http1 win over the filter's own keys."""
    options: Http1Options = values.get("http1") or Http1Options()
    for key in ("max_header_size", "max_request_body_size"):
        if getattr(options, key) is not None:
            values[key] = getattr(options, key)


def _upstream(
    decoder: Decoder, values: Values, node: MapNode, names: tuple[str, ...], path: str
) -> None:
    """``upstream_protocol`` converts in files of the old style and has no effect in others."""
    text = values["upstream_protocol"]
    at = node.find("upstream_protocol")
    wanted: list[str] = []
    for part in (part.strip() for part in text.split(",")):
        wanted += ["bolt", "boltv2"] if part == SOFA_RPC else [part] if part else []
    same = not wanted or set(wanted) <= set(names) or set(wanted) <= BY_SUB_PROTOCOL
    if same or at is None or AUTO in (*wanted, *names):
        return
    where = f"{path}.upstream_protocol"
    if not decoder.notes.get(OLD_STYLE):
        message = "has no effect: requests go upstream in the protocol they came in"
        fix = "set 'upstream_protocol' of the route to convert"
        decoder.report.warning(at.mark, where, message, fix)
    elif "protocol_conversion" not in decoder.names.features:
        decoder.report.feature(at.mark, where, "protocol_conversion")
    elif wanted[0] in decoder.names.protocols:
        values["upstreamProtocol"] = wanted[0]
    else:
        decoder.report.unsupported(at.mark, where, f"protocol '{wanted[0]}'")


def readInlineRoutes(decoder: Decoder, node: Node, path: str) -> Any:
    """Inline virtual hosts stay as written here; `completeProxy` makes a router configuration."""
    return plain(node) if isinstance(node, ListNode) else decoder.wrongType(node, path, "a list")


def _inlineRoutes(decoder: Decoder, values: Values, node: MapNode, path: str) -> None:
    """Make an anonymous router configuration of inline virtual hosts (0.1 and 0.2)."""
    hosts = node.find("virtual_hosts")
    if not isinstance(hosts, ListNode):
        return
    if values["router_config_name"]:
        message = "has no effect beside 'router_config_name'"
        decoder.report.warning(hosts.mark, f"{path}.virtual_hosts", message, "remove one of them")
        return
    only = MapNode(node.mark, (Entry(hosts.mark, "virtual_hosts", hosts),))
    router = decoder.object(RouterConfig, only, path)
    if router is FAILED or isinstance(router, Failed):
        return
    name = INLINE_PREFIX + path
    foundRouters(decoder).append(attrs.evolve(router, router_config_name=name))
    values["router_config_name"] = name
    values["virtual_hosts"] = None
