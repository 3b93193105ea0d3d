"""Settings of stream filters in routes and virtual hosts, looked at when they are loaded.

A filter sees the settings of a route at its first request only. That would be too late to say that
they cannot work.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mosntx.config.schema import RouterConfig
from mosntx.contracts.filters import IFilterContext, IStreamFilterFactory
from mosntx.router.errors import Problems


def checkFilterConfigs(
    config: RouterConfig,
    factories: Mapping[str, IStreamFilterFactory],
    context: IFilterContext,
) -> None:
    """Build a filter of each ``per_filter_config``, and forget it.

    Names that nobody knows are left out, as everywhere (MOSN); so is what has not been decoded.

    :raises mosntx.router.errors.RouterConfigError: with everything that a filter refuses.
    """
    problems = Problems()
    for path, filters in _filterConfigs(config):
        for name, settings in filters.items():
            factory = factories.get(name)
            if factory is None or factory.configClass is None:
                continue
            if isinstance(settings, factory.configClass):
                with problems.at(f"{path}.per_filter_config.{name}"):
                    factory.build(settings, context)
    problems.check()


def _filterConfigs(config: RouterConfig) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """All of them, each with the configuration path of its owner."""
    top = config.path or f"router {config.router_config_name!r}"
    for number, host in enumerate(config.virtual_hosts):
        where = host.path or f"{top}.virtual_hosts[{number}]"
        yield where, host.per_filter_config
        for place, route in enumerate(host.routers):
            yield route.path or f"{where}.routers[{place}]", route.per_filter_config
