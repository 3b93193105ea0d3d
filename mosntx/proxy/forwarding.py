"""Headers that tell the upstream where a request came from.

All off by default, as in MOSN; one switch each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mosntx.config.schema import ProxyConfig
from mosntx.contracts.filters import IExchange
from mosntx.contracts.message import IRequestHead

#: Changes the head of a request before it goes up.
Forwarding = Callable[[Any, IRequestHead], None]


def buildForwarding(config: ProxyConfig, newId: Callable[[], bytes]) -> Forwarding | None:
    """Return what adds the headers that ``config`` asks for, ``None`` when it asks for none.

    :param newId: makes request ids.
    """
    steps: list[Forwarding] = []
    if config.use_remote_address:
        steps.append(_addForwardedFor)
    if config.via:
        steps.append(_viaAdder(config.via.encode("ascii")))
    if config.generate_request_id:
        steps.append(_requestIdAdder(newId))
    if not steps:
        return None

    def forward(exchange: IExchange, head: IRequestHead) -> None:
        for step in steps:
            step(exchange, head)

    return forward


def peerAddress(peer: str) -> str:
    """Return the address in ``ip:port`` or ``[ip]:port``; a unix peer as it is."""
    address, colon, _port = peer.rpartition(":")
    return address.strip("[]") if colon else peer


def _addForwardedFor(exchange: IExchange, head: IRequestHead) -> None:
    """Append the client to X-Forwarded-For and set X-Forwarded-Proto.

    What the client wrote before is kept in front of our own entry: readers count from the right.
    """
    headers = head.headers
    before = headers.getAll(b"x-forwarded-for")
    client = peerAddress(exchange.connection.peer).encode("ascii", "replace")
    headers.set(b"X-Forwarded-For", b", ".join([*before, client]))
    headers.set(b"X-Forwarded-Proto", b"https" if exchange.connection.tls else b"http")


def _viaAdder(name: bytes) -> Forwarding:
    def addVia(exchange: IExchange, head: IRequestHead) -> None:
        """RFC 9110 7.6.3."""
        head.headers.add(b"Via", b"1.1 " + name)

    return addVia


def _requestIdAdder(newId: Callable[[], bytes]) -> Forwarding:
    def addRequestId(exchange: IExchange, head: IRequestHead) -> None:
        """Keep the id that came; make one when none did."""
        if not head.headers.get(b"x-request-id"):
            head.headers.set(b"X-Request-Id", newId())

    return addRequestId
