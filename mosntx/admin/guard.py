"""Who may ask: the admin API has no passwords, so pages in a browser must not reach it.

A page of another site can send a POST to 127.0.0.1 (cross-site request forgery), and with a name
of its own that resolves to 127.0.0.1 it can also read the answers (DNS rebinding). Browsers name
the page's origin in ``Origin`` and the name they used in ``Host``; both are looked at here. Tools
like curl and Prometheus send no ``Origin`` and are not concerned.
"""

from __future__ import annotations

import ipaddress

from twisted.web.server import Request

_UNCHANGING = frozenset({b"GET", b"HEAD"})


def hostName(authority: str) -> str:
    """Return the host of ``host[:port]`` in lower case, without the brackets of IPv6."""
    if authority.startswith("["):
        return authority[1:].partition("]")[0].lower()
    return authority.partition(":")[0].lower() if authority.count(":") < 2 else authority.lower()


def isLocalName(host: str) -> bool:
    """Say whether a host is an address or ``localhost``: no DNS server can have resolved it."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def refusal(request: Request, loopback: bool) -> str | None:
    """Return why a request is refused, ``None`` when it is not.

    :param loopback: the API is bound to a loopback address, which no DNS name is meant to have.
    """
    authority = (request.getHeader(b"host") or b"").decode("latin-1")
    if loopback and authority and not isLocalName(hostName(authority)):
        return "Host must be an address or localhost"
    origin = request.getHeader(b"origin")
    if origin is not None and request.method not in _UNCHANGING:
        _, mark, asked = origin.decode("latin-1").partition("://")
        if not mark or asked.lower() != authority.lower():
            return "requests from pages of other sites are refused"
    return None
