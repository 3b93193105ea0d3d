"""Addresses of transports as text, as stats, logs and filters see them."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress

#: How an IPv6 socket shows an IPv4 peer (RFC 4291 2.5.5.2).
MAPPED = "::ffff:"


def addressText(address: Any) -> str:
    """Return ``ip:port``, ``[v6]:port``, the path of a unix socket, or ``unix`` when it has none.

    :param address: of a transport or port, an ``IAddress``.
    """
    if isinstance(address, IPv4Address):
        return f"{address.host}:{address.port}"
    if isinstance(address, IPv6Address):
        if address.host.startswith(MAPPED) and "." in address.host:
            return f"{address.host[len(MAPPED) :]}:{address.port}"
        return f"[{address.host}]:{address.port}"
    if isinstance(address, UNIXAddress):
        name = address.name
        if not name:
            return "unix"
        text = name.decode("utf-8", "backslashreplace")
        return "@" + text[1:] if text[0] == "\0" else text
    return str(address)
