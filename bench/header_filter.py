"""A stream filter that adds one header to each request, for measurements.

It reaches the daemon as anybody's would: as a distribution with an entry point.
"""

from __future__ import annotations

from pathlib import Path

from attrs import frozen
from zope.interface import implementer

from mosntx.contracts.filters import CONTINUE, IExchange, IFilterContext, IStreamFilterFactory
from mosntx.contracts.message import IRequestHead
from mosntx.filters.base import StreamFilter
from mosntx.service.catalog import Catalog

NAME = "bench_header"
#: What upstreams see.
HEADER = (b"x-bench", b"passed through a filter")

_METADATA = f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1\n"
_ENTRY = f"[mosntx.extensions]\n{NAME} = {NAME}:extend\n"


@frozen
class Nothing:
    """There is nothing to configure."""


class HeaderFilter(StreamFilter):
    """Adds `HEADER`."""

    def requestHead(self, exchange: IExchange, head: IRequestHead, end: bool) -> int:
        """See `IStreamFilter.requestHead`."""
        head.headers.add(*HEADER)
        return CONTINUE


@implementer(IStreamFilterFactory)
class HeaderFilterFactory:
    """The row for the catalog."""

    name = NAME
    configClass = Nothing

    def build(self, config: Nothing, context: IFilterContext) -> HeaderFilter:
        """See `IStreamFilterFactory.build`."""
        return HeaderFilter()


def extend(catalog: Catalog) -> Catalog:
    """Return a catalog that knows the filter."""
    return catalog.extended(streamFilters=[HeaderFilterFactory()])


def install(folder: Path) -> None:
    """Write this file as a distribution into a folder, for the path of another interpreter."""
    (folder / f"{NAME}.py").write_text(Path(__file__).read_text("utf-8"), "utf-8")
    facts = folder / f"{NAME}-1.dist-info"
    facts.mkdir(exist_ok=True)
    (facts / "METADATA").write_text(_METADATA, "utf-8")
    (facts / "entry_points.txt").write_text(_ENTRY, "utf-8")
