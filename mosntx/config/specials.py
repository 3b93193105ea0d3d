"""Values with a syntax of their own: durations, metadata, networks, settings per filter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mosntx.config.address import checkCidr
from mosntx.config.decode import FAILED, Decoder, Special
from mosntx.config.durations import LONGEST, NANOSECOND, parseDuration
from mosntx.config.fields import joinPath
from mosntx.config.names import PROTOCOLS, STREAM_FILTERS
from mosntx.config.nodes import MapNode, Node, ScalarNode, describe, plain, quote
from mosntx.config.protocols import BY_SUB_PROTOCOL, SOFA_RPC
from mosntx.config.report import suggest

DURATION_HELP: Final = "write a number and a unit (ns, us, ms, s, m, h), such as '1m30s'"
METADATA_NAMESPACE: Final = "mosn.lb"


def readDuration(decoder: Decoder, node: Node, path: str) -> Any:
    """A Go duration, not negative; the number 0 needs no unit."""
    value = node.value if isinstance(node, ScalarNode) else None
    if type(value) is int and value == 0:
        return 0.0
    if isinstance(value, int | float) and not isinstance(value, bool):
        fix = f"{DURATION_HELP}; is it '{value}s'?"
        return decoder.wrong(node, path, f"the duration {value} has no unit", fix)
    if not isinstance(value, str):
        decoder.wrong(node, path, f"expected a duration, found {describe(node)}", DURATION_HELP)
        return FAILED
    try:
        seconds = parseDuration(value)
    except ValueError as error:
        message = f"{quote(value)} is no duration: {error}"
        return decoder.wrong(node, path, message, DURATION_HELP)
    if seconds < 0:
        return decoder.wrong(node, path, f"the duration {quote(value)} is negative")
    return seconds


def readLooseDuration(decoder: Decoder, node: Node, path: str) -> Any:
    """A Go duration, also negative (no timer), or a number of nanoseconds as in 0.1 and 0.2."""
    value = node.value if isinstance(node, ScalarNode) else None
    if type(value) is int and value != 0:
        if abs(value) > LONGEST:
            return decoder.wrong(node, path, "longer than 292 years")
        seconds = value * NANOSECOND
        message = f"the number {value} is read as nanoseconds ({seconds:.9g}s)"
        decoder.report.warning(node.mark, path, message, f"write '{seconds:.9g}s'")
        return seconds
    if isinstance(value, str) and value.startswith("-"):
        positive = readDuration(decoder, ScalarNode(node.mark, value[1:]), path)
        return positive if positive is FAILED else -positive
    return readDuration(decoder, node, path)


def readMetadata(decoder: Decoder, node: Node, path: str) -> Any:
    """Metadata with its wrapper, or flat as in 0.1; values that are no text are left out."""
    if not isinstance(node, MapNode):
        return decoder.wrongType(node, path, "an object")
    wrapper = node.find("filter_metadata")
    if isinstance(wrapper, MapNode):
        spaces = [entry for entry in wrapper.entries if entry.key == METADATA_NAMESPACE]
        if not spaces:
            return {}
        path = f'{joinPath(path, "filter_metadata")}["{METADATA_NAMESPACE}"]'
        return _flat(decoder, spaces[-1].node, path)
    return _flat(decoder, node, path)


def _flat(decoder: Decoder, node: Node, path: str) -> Any:
    if not isinstance(node, MapNode):
        return decoder.wrongType(node, path, "an object")
    pairs: dict[str, str] = {}
    for entry in node.entries:
        value = entry.node.value if isinstance(entry.node, ScalarNode) else None
        if isinstance(value, str):
            pairs[entry.key] = value
            continue
        message = f"{describe(entry.node)} is no text: this metadata is left out"
        where = joinPath(path, entry.key)
        decoder.report.warning(entry.node.mark, where, message, "put it in quotes")
    return pairs


def readCidr(decoder: Decoder, node: Node, path: str) -> Any:
    """``10.0.0.0/8`` or ``{"address": "10.0.0.0", "length": 8}``."""
    text: Any = node.value if isinstance(node, ScalarNode) else None
    if isinstance(node, MapNode):
        address, length = node.find("address"), node.find("length")
        parts = [plain(part) if part is not None else "" for part in (address, length)]
        text = f"{parts[0]}/{parts[1]}" if parts[1] != "" else str(parts[0])
    if not isinstance(text, str):
        return decoder.wrongType(node, path, "a network such as '10.0.0.0/8'")
    try:
        return checkCidr(text)
    except ValueError:
        fix = "write an address and a length, such as '10.0.0.0/8'"
        return decoder.wrong(node, path, f"{quote(text)} is no network", fix)


def readSecret(decoder: Decoder, node: Node, path: str) -> Any:
    """Text that no message repeats."""
    value = node.value if isinstance(node, ScalarNode) else None
    return value if isinstance(value, str) else decoder.wrong(node, path, "expected text")


def readUpstreamProtocol(decoder: Decoder, node: Node, path: str) -> Any:
    """The protocol to convert to; one that is not built is reported and left out."""
    name = node.value if isinstance(node, ScalarNode) else None
    if not isinstance(name, str):
        return decoder.wrongType(node, path, "text")
    if "protocol_conversion" not in decoder.names.features:
        return name  # the whole key is reported
    if name == SOFA_RPC:
        name = "bolt"
    known = decoder.names.protocols
    if not name or name in known:
        return name
    if name in PROTOCOLS or name in BY_SUB_PROTOCOL:
        decoder.report.unsupported(node.mark, path, f"protocol '{name}'")
    else:
        fix = suggest(name, {*known, *PROTOCOLS})
        decoder.report.error(node.mark, path, f"unknown protocol {quote(name)}", fix)
    return ""


def readFilterConfigs(decoder: Decoder, node: Node, path: str) -> Any:
    """Stream filter name -> settings, decoded with the filter's class when there is one."""
    if not isinstance(node, MapNode):
        return decoder.wrongType(node, path, "an object")
    read: dict[str, Any] = {}
    for entry in node.entries:
        where = joinPath(path, entry.key)
        decoder.positions[where] = entry.node.mark
        if entry.key in decoder.names.streamFilters:
            cls = decoder.names.streamFilters[entry.key]
            value = decoder.object(cls, entry.node, where) if cls else plain(entry.node)
            if value is not FAILED:
                read[entry.key] = value
        elif entry.key in STREAM_FILTERS:
            decoder.report.unsupported(entry.mark, where, f"stream filter '{entry.key}'")
        else:
            fix = suggest(entry.key, {*STREAM_FILTERS, *decoder.names.streamFilters})
            message = f"unknown stream filter {quote(entry.key)}: skipped"
            decoder.report.loose(entry.mark, where, message, fix)
    return read


SPECIALS: Final[Mapping[str, Special]] = {
    "duration": readDuration,
    "nanoseconds": readLooseDuration,
    "metadata": readMetadata,
    "cidr": readCidr,
    "secret": readSecret,
    "per_filter_config": readFilterConfigs,
    "upstream_protocol": readUpstreamProtocol,
}
"""By the marker of the annotation."""
