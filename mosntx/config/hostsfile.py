"""The hosts of a ``FILE`` cluster: ``{"hosts": [...]}`` in JSON or YAML."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from mosntx.config.address import parseAddress, parseDnsAddress
from mosntx.config.checkdiscovery import DNS_TYPES, STRICT_DNS
from mosntx.config.checking import nearestMark
from mosntx.config.decode import Failed
from mosntx.config.files import readFile, readText
from mosntx.config.load import makeDecoder, onlyProblem
from mosntx.config.names import Names
from mosntx.config.nodes import ConfigSyntaxError, MapNode, Node, fromPython, quote
from mosntx.config.problems import ConfigError, Problem
from mosntx.config.report import Report
from mosntx.config.schema import Host
from mosntx.config.schema.base import option


@attrs.frozen(kw_only=True)
class HostsFile:
    """The whole file."""

    hosts: tuple[Host, ...] = option("The hosts, as in a cluster.")


def readHosts(path: str) -> tuple[tuple[Host, ...], tuple[Problem, ...]]:
    """Return hosts and warnings of a file.

    :raises ConfigError: with everything found, when anything found is an error.
    """
    report = Report()
    report.file(path)
    try:
        node = readText(readFile(path), path, report)
    except ConfigSyntaxError as error:
        raise onlyProblem(path, error) from None
    return _hosts(node, report)


def hostsOf(objects: Sequence[object], name: str, type: str = "") -> tuple[Host, ...]:
    """Return hosts from Python objects, as JSON has them.

    :param name: stands for the file in problems.
    :param type: of the cluster that they are for: DNS clusters have names to look up.
    :raises ConfigError: see `readHosts`.
    """
    try:
        node = fromPython({"hosts": objects}, name)
    except ConfigSyntaxError as error:
        raise onlyProblem(name, error) from None
    return _hosts(node, Report(strict=True), type)[0]


def _hosts(
    node: Node, report: Report, type: str = ""
) -> tuple[tuple[Host, ...], tuple[Problem, ...]]:
    decoder = makeDecoder(Names(), report)
    if not isinstance(node, MapNode):
        decoder.wrongType(node, "", "an object with 'hosts'")
        raise ConfigError(report.problems())
    read = decoder.object(HostsFile, node, "")
    hosts = () if isinstance(read, Failed) else read.hosts
    seen: dict[str, str] = {}
    for host in hosts:
        path = f"{host.path}.address"
        mark = nearestMark(decoder.positions, path)
        try:
            _checkAddress(host, type)
        except ValueError as error:
            fix = "write 'ip:port', 'host:port' or '[v6]:port'"
            report.error(mark, path, f"address {quote(host.address)}: {error}", fix)
        if host.address in seen:
            message = f"duplicate host {quote(host.address)}: only {seen[host.address]} is used"
            report.warning(mark, path, message, "remove one of them")
        seen.setdefault(host.address, host.path)
    if report.errors:
        raise ConfigError(report.problems())
    return hosts, report.problems()


def _checkAddress(host: Host, type: str) -> None:
    """:raises ValueError: when hosts of such a cluster cannot have this address."""
    if host.srv and type != STRICT_DNS:
        raise ValueError("SRV records are looked up in clusters of type STRICT_DNS only")
    if type in DNS_TYPES:
        parseDnsAddress(host.address, srv=host.srv)
        return
    address = parseAddress(host.address)
    if not address.path and not (address.port and address.host):
        raise ValueError("needs a name or an IP address, and a port")
