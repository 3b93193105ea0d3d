"""What makes a decoded cluster complete: names of types and balancers, health checks."""

from __future__ import annotations

import re
from typing import Final

from mosntx.config.decode import Decoder, Values
from mosntx.config.names import BALANCERS, CLUSTER_TYPES
from mosntx.config.nodes import MapNode, quote
from mosntx.config.protocols import OLD_STYLE
from mosntx.config.report import suggestAmong
from mosntx.config.schema import CheckConfig

DEFAULT_TYPE: Final = "SIMPLE"
DEFAULT_BALANCER: Final = "LB_ROUNDROBIN"
ORIGINAL_DST: Final = "ORIGINAL_DST"
BALANCER_OF_ORIGINAL_DST: Final = "LB_ORIGINAL_DST"
HTTP_CHECKS: Final = ("Http1", "Http2")
"""Protocols of health checks that ask by HTTP, and as MOSN only connect without its settings."""
_URL: Final = re.compile("[A-Za-z][A-Za-z0-9+.-]*://")


def completeCluster(decoder: Decoder, values: Values, node: MapNode, path: str) -> None:
    """A name, a type and a balancer of this build; empty ones are MOSN's defaults."""
    if not values["name"] and f"{path}.name" not in decoder.failed:
        mark = (node.find("name") or node).mark
        decoder.report.error(mark, f"{path}.name", "a cluster needs a name")
    names = decoder.names
    values["type"] = _known(
        decoder, values["type"] or DEFAULT_TYPE, "type", node, path, names.clusterTypes
    )
    wanted = values["lb_type"] or DEFAULT_BALANCER
    if values["type"] == ORIGINAL_DST:
        wanted = BALANCER_OF_ORIGINAL_DST
    values["lb_type"] = _known(decoder, wanted, "lb_type", node, path, names.balancers)
    _destination(decoder, values, node, path)
    subset = values["lb_subset_config"]
    if subset is not None and any(not selector for selector in subset.subset_selectors):
        where = f"{path}.lb_subset_config.subset_selectors"
        mark = decoder.positions.get(where, node.mark)
        decoder.report.warning(mark, where, "an empty selector has no effect")


def _destination(decoder: Decoder, values: Values, node: MapNode, path: str) -> None:
    """Where an original destination comes from: a header, or the listener filter."""
    settings = values["original_dst_lb_config"]
    by_header = settings is not None and settings.use_header
    wanted = values["lb_type"] == BALANCER_OF_ORIGINAL_DST
    if wanted and not by_header and "original_dst" not in decoder.names.features:
        mark = (node.find("original_dst_lb_config") or node).mark
        decoder.report.feature(mark, path, "original_dst")


def _known(
    decoder: Decoder, value: str, key: str, node: MapNode, path: str, built: frozenset[str]
) -> str:
    """The value, or the default for one that is not built. Unlike MOSN, unknown ones are errors."""
    default, all_ = (
        (DEFAULT_TYPE, CLUSTER_TYPES) if key == "type" else (DEFAULT_BALANCER, BALANCERS)
    )
    if value in built:
        return value
    mark = (node.find(key) or node).mark
    where = f"{path}.{key}"
    if value not in all_:
        kind = "cluster type" if key == "type" else "load balancer"
        fix = suggestAmong(value, built, all_)
        decoder.report.error(mark, where, f"unknown {kind} {quote(value)}", fix)
        return default
    instead = default if default in built or not built else min(built)
    decoder.report.unsupported(mark, where, f"{key} {value}", f"{instead} is used instead")
    return instead


def completeHealthCheck(decoder: Decoder, values: Values, node: MapNode, path: str) -> None:
    """Whether hosts are checked, and how."""
    values["old_style"] = bool(decoder.notes.get(OLD_STYLE))
    protocol = values["protocol"]
    if not (values["service_name"] or (values["old_style"] and protocol)):
        return
    if "health_check" not in decoder.names.features:
        decoder.report.feature(node.mark, path, "health_check")
        return
    _checkQuestion(decoder, protocol, values["check_config"], node, path)


def _checkQuestion(
    decoder: Decoder, protocol: str, settings: CheckConfig, node: MapNode, path: str
) -> None:
    """What is asked fits the protocol; MOSN's files with ``Http2`` only connect and mean it."""
    mark, where = (node.find("protocol") or node).mark, f"{path}.protocol"
    http, grpc = settings.http_check_config, settings.grpc_check_config
    meant = protocol.capitalize()
    if protocol == "Http1" and http is None:
        message = "without 'check_config.http_check_config' the check only connects"
        decoder.report.warning(mark, where, message)
    elif meant in HTTP_CHECKS and protocol != meant:
        message = f"{quote(protocol)} only connects"
        decoder.report.warning(mark, where, message, f"did you mean '{meant}'?")
    if http is not None and protocol in HTTP_CHECKS and _URL.match(http.path):
        message = f"{quote(http.path)} is a URL, not a path"
        fix = "the host and its port are asked; use 'domain' for another name"
        decoder.report.error(mark, f"{path}.check_config.http_check_config.path", message, fix)
    if grpc is None:
        return
    if http is not None:
        message = "a host is asked by gRPC or by HTTP, not both"
        decoder.report.error(mark, f"{path}.check_config", message, "remove one of them")
    elif protocol != "Http2":
        message = "'check_config.grpc_check_config' has no effect"
        decoder.report.warning(mark, where, message, "it needs 'protocol: Http2'")
