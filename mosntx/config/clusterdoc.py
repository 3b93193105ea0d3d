"""One cluster by itself, as run-time updates bring it; read and checked as in a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from mosntx.config.files import readText
from mosntx.config.load import MAPPING_NAME, loadNode, onlyProblem
from mosntx.config.names import Names
from mosntx.config.nodes import (
    ConfigSyntaxError,
    Entry,
    ListNode,
    MapNode,
    Mark,
    Node,
    fromPython,
)
from mosntx.config.problems import ConfigError, Problem
from mosntx.config.report import Report
from mosntx.config.schema import Cluster

_PATH: Final = "cluster_manager.clusters[0]"


@attrs.frozen
class ClusterDocument:
    """What was read.

    :ivar hasHosts: the key ``hosts`` is there, even if without hosts.
    :ivar problems: warnings.
    """

    cluster: Cluster
    hasHosts: bool
    problems: tuple[Problem, ...]


def readCluster(source: Mapping[str, Any] | str, names: Names, name: str = "") -> ClusterDocument:
    """Read a cluster from Python objects or from a text in JSON or YAML.

    Unknown keys are errors: who sends a request reads no log.

    :param name: stands for the file in problems.
    :raises ConfigError: with everything found, when anything found is an error. Its paths begin
        within the cluster.
    """
    report = Report(strict=True)
    name = name or MAPPING_NAME
    report.file(name)
    try:
        if isinstance(source, str):
            node = readText(source, name, report)
        else:
            node = fromPython(source, name)
    except ConfigSyntaxError as error:
        raise onlyProblem(name, error) from None
    try:
        loaded = loadNode(_document(node), names, report)
    except ConfigError as error:
        raise ConfigError(_shortened(error.problems)) from None
    (cluster,) = loaded.config.cluster_manager.clusters
    hasHosts = isinstance(node, MapNode) and node.find("hosts") is not None
    cluster = attrs.evolve(cluster, path="")
    return ClusterDocument(cluster, hasHosts, _shortened(loaded.problems))


def _document(cluster: Node) -> MapNode:
    """A whole configuration with nothing but this cluster."""
    mark = Mark(cluster.mark.file)

    def entry(key: str, node: Node) -> Entry:
        return Entry(mark, key, node)

    clusters = MapNode(mark, (entry("clusters", ListNode(mark, (cluster,))),))
    servers = ListNode(mark, (MapNode(mark, ()),))
    return MapNode(mark, (entry("servers", servers), entry("cluster_manager", clusters)))


def _shortened(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    return tuple(
        attrs.evolve(problem, path=problem.path.removeprefix(_PATH).removeprefix("."))
        for problem in problems
    )
