"""Cross-checks of clusters whose hosts are found at run time."""

from __future__ import annotations

import os
from typing import Final

from mosntx.config.address import MAX_PORT, parseDnsAddress, parseNameserver
from mosntx.config.checking import Checking
from mosntx.config.nodes import quote
from mosntx.config.schema import Cluster, Host

STRICT_DNS: Final = "STRICT_DNS"
LOGICAL_DNS: Final = "LOGICAL_DNS"
FILE: Final = "FILE"

DNS_TYPES: Final = frozenset({STRICT_DNS, LOGICAL_DNS})
"""Types of clusters whose hosts are names to look up."""

MIN_INTERVAL: Final = 0.1
"""Seconds between two questions for one name, or two looks at one file, at least: less is a mistake
of the unit, and would make one sidecar an attack on its name servers."""


def checkDiscovery(check: Checking, cluster: Cluster) -> None:
    """What is looked for, and where."""
    for host in cluster.hosts:
        _checkHost(check, cluster, host)
    if cluster.type == LOGICAL_DNS and len(cluster.hosts) != 1:
        message = f"LOGICAL_DNS needs exactly one host, and here are {len(cluster.hosts)}"
        check.error(f"{cluster.path}.hosts", message, "give one host, or use STRICT_DNS")
    if cluster.type == FILE and not cluster.hosts_file:
        fix = "add the path of a file with a list 'hosts'"
        check.error(f"{cluster.path}.type", "type FILE needs 'hosts_file'", fix)
    if cluster.type == FILE and cluster.hosts:
        message = "have no effect: the hosts of type FILE stand in 'hosts_file'"
        check.warning(f"{cluster.path}.hosts", message, "move them there")
    if cluster.type != FILE and cluster.hosts_file:
        message = f"has no effect in a cluster of type {cluster.type}"
        check.warning(f"{cluster.path}.hosts_file", message, "set 'type: FILE', or remove it")
    for key in ("dns_refresh_rate", "hosts_file_interval"):
        if getattr(cluster, key) < MIN_INTERVAL:
            path = f"{cluster.path}.{key}"
            check.error(path, f"is less than {MIN_INTERVAL:g} s", "write at least '100ms'")
    _checkServers(check, cluster)


def _checkHost(check: Checking, cluster: Cluster, host: Host) -> None:
    if host.srv and cluster.type != STRICT_DNS:
        message = f"SRV records are not looked up in a cluster of type {cluster.type}"
        check.error(f"{host.path}.srv", message, "set 'type: STRICT_DNS', or remove it")
    elif cluster.type in DNS_TYPES and f"{host.path}.address" not in check.decoder.failed:
        try:
            parseDnsAddress(host.address, srv=host.srv)
        except ValueError as error:
            fix = "write '_service._tcp.name'" if host.srv else "write 'name:port'"
            check.error(f"{host.path}.address", f"address {quote(host.address)}: {error}", fix)


def _checkServers(check: Checking, cluster: Cluster) -> None:
    """Whom to ask."""
    _checkPort(check, f"{cluster.path}.dns_resolver_port", cluster.dns_resolver_port)
    file = cluster.dns_resolver_file
    if file and cluster.type in DNS_TYPES and not os.path.isfile(file):
        message = f"there is no file {quote(file)}: 127.0.0.1 is asked"
        check.warning(f"{cluster.path}.dns_resolver_file", message, "correct the path")
    resolvers = cluster.dns_resolvers
    if resolvers is None:
        return
    path = f"{cluster.path}.dns_resolvers"
    _checkPort(check, f"{path}.port", resolvers.port)
    for number, server in enumerate(resolvers.servers):
        try:
            parseNameserver(server, 53)
        except ValueError as error:
            fix = "write the IP address of a name server, with ':port' if it is not the usual one"
            check.error(f"{path}.servers[{number}]", f"name server {quote(server)}: {error}", fix)
    for key, least in (("timeout", 1), ("attempts", 1), ("ndots", 0)):
        if getattr(resolvers, key) < least:
            check.error(f"{path}.{key}", f"is less than {least}", f"write {least} or more")


def _checkPort(check: Checking, path: str, port: int | str) -> None:
    text = str(port)
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= MAX_PORT):
        check.error(path, f"port {quote(text)} is not within 1 and {MAX_PORT}", "write 53")
