"""What all cross-checks share: reporting by configuration path, and walking the routes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from mosntx.config.decode import Decoder
from mosntx.config.nodes import Mark
from mosntx.config.schema import Config, Route


def nearestMark(positions: Mapping[str, Mark], path: str) -> Mark:
    """The place of a path, or of the nearest part of it that is written."""
    while path and path not in positions:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return positions.get(path) or Mark("")


_CLUSTERS: Final = re.compile(r"cluster_manager(\.clusters(\[\d+\](\.name)?)?)?")
"""Paths that hide names of clusters when they are wrong."""


class Checking:
    """One run of the cross-checks."""

    def __init__(self, config: Config, decoder: Decoder) -> None:
        """:param decoder: knows the places of values, and which were wrong."""
        self.config = config
        self.decoder = decoder
        self.clusters = frozenset(cluster.name for cluster in config.cluster_manager.clusters)
        """Names of all clusters."""
        self.clustersKnown = not any(_CLUSTERS.fullmatch(path) for path in decoder.failed) and not (
            config.cluster_manager.clusters_configs and decoder.report.errors
        )
        """Whether a name that is not in `clusters` is really missing."""

    def mark(self, path: str) -> Mark:
        """Where a path is written."""
        return nearestMark(self.decoder.positions, path)

    def error(self, path: str, message: str, fix: str = "") -> None:
        """Report, unless the value has been reported as wrong already."""
        if path not in self.decoder.failed:
            self.decoder.report.error(self.mark(path), path, message, fix)

    def warning(self, path: str, message: str, fix: str = "") -> None:
        """Report, unless the value has been reported as wrong already."""
        if path not in self.decoder.failed:
            self.decoder.report.warning(self.mark(path), path, message, fix)

    def missing(self, path: str, message: str, fix: str = "") -> None:
        """A name that is not in the file: an error, or a warning when xDS may bring it."""
        report = self.error if self.config.mode == "file" else self.warning
        report(path, message, fix)

    def place(self, path: str) -> str:
        """A path with its line, for messages about a second place."""
        line = self.mark(path).line
        return f"{path} (line {line})" if line else path

    def failedWithin(self, prefix: str, suffix: str = "") -> bool:
        """Whether a value below ``prefix`` was wrong, so that something may be missing."""
        return any(p.startswith(prefix) and p.endswith(suffix) for p in self.decoder.failed)

    def routes(self) -> Iterator[Route]:
        """All routes of all router configurations."""
        for router in self.config.server.routers:
            for host in router.virtual_hosts:
                yield from host.routers
