"""Addresses as text: ``ip:port``, ``host:port``, ``:port``, ``[v6]:port``, a unix path."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import Final

import attrs

_LABEL: Final = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
MAX_PORT: Final = 65535
MAX_UNIX_PATH: Final = 107
"""Octets of a unix socket's path: ``sun_path`` has 108 on Linux, one for the closing zero."""


@attrs.frozen
class Address:
    """Where to listen or to connect to."""

    network: str
    """``tcp``, ``udp`` or ``unix``."""
    host: str = ""
    """IP address (v6 without brackets) or name; "" = all addresses."""
    port: int = 0
    path: str = ""
    """Of a unix socket; a leading ``@`` means the abstract namespace."""


def parseAddress(text: str, network: str = "tcp") -> Address:
    """Take an address apart.

    :param text: as configured; with ``tcp`` also ``unix:/path``, as hosts of clusters have it.
    :param network: ``tcp``, ``udp`` or ``unix``.
    :raises ValueError: saying what is wrong.
    """
    if network == "unix" or text.startswith("unix:"):
        return Address("unix", path=_checkPath(text.removeprefix("unix:")))
    if not text:
        raise ValueError("is empty")
    if any(c.isspace() or not c.isprintable() for c in text):
        raise ValueError("contains blanks or control characters")
    if "://" in text:
        raise ValueError("is a URL; only host and port belong here")
    host, port = _split(text)
    return Address(network, _checkHost(host), parsePort(port))


DNS_PORT: Final = 80
"""Port of a name without one, in clusters that look names up (MOSN)."""


def parseDnsAddress(text: str, *, srv: bool = False) -> Address:
    """Take apart what a DNS cluster looks up: ``name``, ``name:port``, ``ip:port``, ``[v6]:port``.

    :param srv: it is a name of SRV records, ``_service._protocol.name``, which say the port.
    :raises ValueError: saying what is wrong.
    """
    if srv:
        if ":" in text:
            raise ValueError("SRV records say the port; write the name alone")
        return attrs.evolve(parseAddress(f"{text}:{DNS_PORT}"), port=0)
    address = parseAddress(f"{text}:{DNS_PORT}" if text and ":" not in text else text)
    if address.path:
        raise ValueError("is a unix socket; DNS knows none")
    if not (address.host and address.port):
        raise ValueError("needs a name, and a port other than 0")
    return address


def parseNameserver(text: str, port: int) -> tuple[str, int]:
    """Take the address of a name server apart: ``ip``, ``ip:port`` or ``[v6]:port``.

    :param port: when it says none.
    :raises ValueError: saying what is wrong; names are, nobody could look them up.
    """
    host = text
    if text.startswith("[") or text.count(":") == 1:
        host, written = _split(text)
        port = parsePort(written)
    ip_address(host.partition("%")[0])
    if not port:
        raise ValueError("port 0 cannot be asked")
    return host, port


def parsePort(text: str) -> int:
    """:raises ValueError: when it is no number from 0 to 65535."""
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"port '{text[:20]}' is no number" if text else "the port is missing")
    if len(text) > len(str(MAX_PORT)) or int(text) > MAX_PORT:
        raise ValueError(f"port {text[:20]} is not within 0 and {MAX_PORT}")
    return int(text)


def _split(text: str) -> tuple[str, str]:
    """Host without brackets, and port."""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or not rest.startswith(":"):
            raise ValueError("needs the form [address]:port")
        return host, rest[1:]
    host, colon, port = text.rpartition(":")
    if not colon:
        raise ValueError("the port is missing")
    if ":" in host:
        raise ValueError("an IPv6 address needs brackets: [address]:port")
    return host, port


def _checkHost(host: str) -> str:
    """:raises ValueError: when it is neither an IP address nor a name."""
    if not host:
        return host
    if ":" in host:
        ip_address(host.partition("%")[0])
        return host
    name = host.removesuffix(".")
    if re.fullmatch(r"[0-9.]+", name):
        ip_address(name)
        return host
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise ValueError(f"'{host[:60]}' is no host name")
    return host


def _checkPath(path: str) -> str:
    """:raises ValueError: when no unix socket can have this path."""
    if not path:
        raise ValueError("the path is missing")
    if "\0" in path:
        raise ValueError("the path contains a zero octet")
    if len(path.encode("utf-8", "surrogateescape")) > MAX_UNIX_PATH:
        raise ValueError(f"the path has more than {MAX_UNIX_PATH} octets")
    return path


def checkCidr(text: str) -> str:
    """A network in its usual form; an address alone is a network of one.

    :raises ValueError: when it is none.
    """
    return str(ip_network(text, strict=False))


def parsePorts(text: str) -> tuple[tuple[int, int], ...]:
    """Ranges of ports such as ``80,8000-9000``, both ends included.

    :raises ValueError: saying what is wrong.
    """
    ranges: list[tuple[int, int]] = []
    for part in text.split(",") if text else ():
        low, dash, high = part.strip().partition("-")
        first = parsePort(low.strip())
        last = parsePort(high.strip()) if dash else first
        if last < first:
            raise ValueError(f"range {part.strip()} is empty")
        ranges.append((first, last))
    return tuple(ranges)
