"""Schema objects -> plain JSON data of MOSN's shape, without secrets.

cattrs does the walk: keys by name, defaults left out, durations in Go's form, metadata in its
wrapper.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, Final, cast, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.gen import make_dict_unstructure_fn, override

from mosntx.config.durations import formatDuration
from mosntx.config.fields import classSpec
from mosntx.config.filterspecs import CONNECTION_MANAGER
from mosntx.config.schema import (
    Cluster,
    ClusterManager,
    Config,
    FilterChain,
    Listener,
    RouterConfig,
)
from mosntx.config.specials import METADATA_NAMESPACE

REDACTED: Final = "***REDACTED***"
"""Stands for every secret that is not empty (MOSN pkg/configmanager/redact.go)."""


def dumpConfig(config: Config) -> dict[str, Any]:
    """The whole configuration as in a file: loading it gives the same again, but for secrets."""
    return _dump(_full(config))


def dumpGlobal(config: Config) -> dict[str, Any]:
    """What MOSN calls ``mosn_config``: without listeners, routers, clusters and extensions."""
    server = attrs.evolve(config.server, listeners=(), routers=())
    manager = attrs.evolve(config.cluster_manager, clusters=(), clusters_configs="")
    return _dump(attrs.evolve(config, servers=(server,), cluster_manager=manager, extends=()))


def dumpListener(listener: Listener) -> dict[str, Any]:
    """One listener, with the filters that this build does not run."""
    return _dump(_fullListener(listener))


def dumpRouter(router: RouterConfig) -> dict[str, Any]:
    """One router configuration, virtual hosts inline."""
    return _dump(_fullRouter(router))


def dumpCluster(cluster: Cluster) -> dict[str, Any]:
    """One cluster with its hosts."""
    return _dump(cluster)


def dumpObject(obj: Any) -> dict[str, Any]:
    """Any object of a configuration class, such as the settings of a filter."""
    return _dump(obj)


def _dump(obj: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", _converter().unstructure(obj))


def _full(config: Config) -> Config:
    """With all filters, and with the contents of directories inline."""
    server = attrs.evolve(
        config.server,
        listeners=tuple(map(_fullListener, config.server.listeners)),
        routers=tuple(map(_fullRouter, config.server.routers)),
    )
    manager: ClusterManager = config.cluster_manager
    if manager.clusters:
        manager = attrs.evolve(manager, clusters_configs="")
    return attrs.evolve(config, servers=(server,), cluster_manager=manager)


def _fullRouter(router: RouterConfig) -> RouterConfig:
    return attrs.evolve(router, router_configs="") if router.virtual_hosts else router


def _fullListener(listener: Listener) -> Listener:
    return attrs.evolve(
        listener,
        filter_chains=tuple(map(_fullChain, listener.filter_chains)),
        listener_filters=listener.listener_filters + listener.skipped_listener_filters,
        stream_filters=listener.stream_filters + listener.skipped_stream_filters,
    )


def _fullChain(chain: FilterChain) -> FilterChain:
    """Without ``connection_manager``: what it carries is dumped as a router configuration."""
    skipped = (spec for spec in chain.skipped_filters if spec.type != CONNECTION_MANAGER)
    return attrs.evolve(chain, filters=(*chain.filters, *skipped))


@cache
def _converter() -> Converter:
    """The one converter; it has no state but generated functions."""
    converter = Converter(unstruct_collection_overrides={tuple: list})
    converter.register_unstructure_hook_factory(attrs.has, _classHook(converter))
    for marker, hook in _MARKED.items():
        converter.register_unstructure_hook_func(_hasMarker(marker), hook)
    return converter


def _classHook(converter: Converter) -> Callable[[type], Callable[[Any], Any]]:
    """Makes the function that dumps objects of a class."""

    def make(cls: type) -> Callable[[Any], Any]:
        fields = classSpec(cls).fields
        known = {field.attribute for field in fields}
        overrides: dict[str, Any] = {
            field.attribute: override(rename=field.key, omit_if_default=not field.required)
            for field in fields
        }
        overrides |= {a.name: override(omit=True) for a in attrs.fields(cls) if a.name not in known}
        return make_dict_unstructure_fn(cls, converter, **overrides)

    return make


def _hasMarker(marker: str) -> Callable[[Any], bool]:
    """Whether an annotation carries a marker, also ``X | None``."""

    def check(annotation: Any) -> bool:
        if get_origin(annotation) is Annotated:
            return marker in get_args(annotation)[1:]
        return any(
            check(member) for member in get_args(annotation) if type(None) in get_args(annotation)
        )

    return check


def _duration(seconds: float | None) -> str | None:
    return None if seconds is None else formatDuration(seconds)


def _metadata(pairs: Mapping[str, str]) -> dict[str, Any]:
    return {"filter_metadata": {METADATA_NAMESPACE: dict(pairs)}}


def _secret(text: str) -> str:
    return REDACTED if text else text


_MARKED: Final[Mapping[str, Callable[[Any], Any]]] = {
    "duration": _duration,
    "nanoseconds": _duration,
    "metadata": _metadata,
    "secret": _secret,
}
"""Marker of an annotation -> how such a value is dumped."""
