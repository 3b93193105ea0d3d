"""The host that the client itself names (spec/upstream.md 4, MOSN original_dst.go)."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import implementer

from mosntx.config.address import parseAddress
from mosntx.config.schema import OriginalDstLbConfig
from mosntx.contracts.upstream import (
    IBalancerSettings,
    IHost,
    ILoadBalancer,
    ILoadBalancerContext,
    ILoadBalancerFactory,
)

#: The port of an address without one (MOSN).
DEFAULT_PORT = 80
LOCAL = "127.0.0.1"


def addressOf(text: str, replaceLocal: bool) -> str:
    """Return the address of a host, ``""`` when the text is none.

    :param text: ``host``, ``host:port``, an IPv6 address in brackets with or without a port.
    :param replaceLocal: it is at the same port of this machine.
    """
    bare = text.rpartition("]")[2] if text.startswith("[") else text
    if ":" not in bare:
        text = f"{text}:{DEFAULT_PORT}"
    try:
        address = parseAddress(text)
    except ValueError:
        return ""
    if address.network != "tcp" or not (address.host and address.port):
        return ""
    return f"{LOCAL}:{address.port}" if replaceLocal else text


def comesBack(address: str, local: str) -> bool:
    """Say whether a request to an address would come in again, without end.

    Names of this machine other than ``localhost`` are not noticed.

    :param local: where it has come in.
    """
    host, _, port = address.rpartition(":")
    if port != local.rpartition(":")[2]:
        return False
    return address == local or host.startswith("127.") or host in ("localhost", "[::1]")


@implementer(ILoadBalancer)
class OriginalDst:
    """See `ILoadBalancer`. Knows no hosts of its own, and nothing of their health."""

    __slots__ = ("_field", "_hostAt", "_replaceLocal")

    def __init__(self, settings: IBalancerSettings) -> None:
        config = settings.config.original_dst_lb_config or OriginalDstLbConfig()
        self._field = (config.header_name.lower().encode() or b"host") if config.use_header else b""
        self._replaceLocal = config.replace_local
        self._hostAt = settings.hostAt

    def chooseHost(self, context: ILoadBalancerContext | None) -> IHost | None:
        """See `ILoadBalancer.chooseHost`."""
        if context is None:
            return None
        address = addressOf(context.destination(self._field), self._replaceLocal)
        if not address or comesBack(address, context.local):
            return None
        return self._hostAt(address)


@implementer(ILoadBalancerFactory)
class OriginalDstFactory:
    """See `ILoadBalancerFactory`."""

    name = "LB_ORIGINAL_DST"

    def build(self, hosts: Sequence[IHost], settings: IBalancerSettings) -> OriginalDst:
        """See `ILoadBalancerFactory.build`. The hosts are not looked at."""
        return OriginalDst(settings)
