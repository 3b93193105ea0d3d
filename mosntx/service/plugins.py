"""Third-party names: extensions that other distributions offer by entry point (row N4).

A distribution declares in its metadata, group ``mosntx.extensions``, a callable that takes a
`Catalog` and returns one, usually
``lambda catalog: catalog.extended(streamFilters=[MyFilterFactory()])``. Only the distributions
installed in the process's own environment are asked.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from twisted.logger import Logger

from mosntx.service.catalog import Catalog, standardCatalog

log = Logger()

GROUP = "mosntx.extensions"


def installedCatalog(entries: tuple[EntryPoint, ...] | None = None) -> Catalog:
    """Return the standard catalog with what installed extensions add.

    One that fails is logged and left out.

    :param entries: instead of the installed ones.
    """
    catalog = standardCatalog()
    for entry in entry_points(group=GROUP) if entries is None else entries:
        try:
            extended = entry.load()(catalog)
            if not isinstance(extended, Catalog):
                raise TypeError(f"it returned {extended!r} instead of a Catalog")
            catalog = extended
        except Exception:
            log.failure("extension {name} ({value}) left out", name=entry.name, value=entry.value)
    return catalog
