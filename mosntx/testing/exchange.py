"""A finished exchange with a value for everything that access logs and variables look at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zope.interface import implementer

from mosntx.contracts.filters import IExchange
from mosntx.contracts.message import IHeaders, IRequestHead, IResponseHead
from mosntx.protocol.headers import Headers
from mosntx.stats.structs import DownstreamStats
from mosntx.testing.requests import httpRequest
from mosntx.testing.upstream import FakeCluster, FakeExchange, FakeHost


class FakeListener:
    """What an exchange knows of the proxy that accepted it."""

    def __init__(self, name: str = "egress", type: str = "egress") -> None:
        self.name = name
        self.type = type
        self.stats = DownstreamStats(name)


class NumberedConnection:
    """A connection as logs see it: a number and two addresses."""

    def __init__(
        self, id: int, peer: str = "127.0.0.1:50000", local: str = "127.0.0.1:2045"
    ) -> None:
        self.id = id
        self.peer = peer
        self.local = local


@implementer(IResponseHead)
class FakeResponse:
    """A status and header fields."""

    def __init__(self, status: int, headers: IHeaders) -> None:
        self.status = status
        self.headers = headers


@implementer(IExchange)
class FinishedExchange(FakeExchange):
    """A request answered by a host; assign attributes to tell another story.

    Began at 100.0 s; the request was sent on after 1 ms, answered after 5 ms, over after 6 ms.

    :param request: ``GET /`` when ``None``.
    :param response: header fields of the response, by name.
    """

    def __init__(
        self,
        request: IRequestHead | None = None,
        *,
        status: int = 200,
        response: Mapping[bytes, bytes] | None = None,
    ) -> None:
        super().__init__(request or httpRequest())
        self.listener = FakeListener()
        self.connection: Any = NumberedConnection(7)
        self.upstreamConnection: Any = NumberedConnection(8, "127.0.0.1:8080", "127.0.0.1:50001")
        self.number = 1
        self.status = status
        self.response = FakeResponse(status, Headers((response or {}).items()))
        self.host = FakeHost("127.0.0.1:8080", hostname="app")
        self.cluster = FakeCluster("application", [self.host])
        self.startTime = 100.0
        self.requestEndTime = 100.001
        self.responseTime = 100.005
        self.endTime = 100.006
        self.bytesReceived = 3
        self.bytesSent = 1024
