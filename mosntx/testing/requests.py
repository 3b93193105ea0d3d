"""Request heads to route: HTTP/1's own, and a fake of an RPC protocol's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zope.interface import implementer

from mosntx.contracts.message import IHeaders, IRequestHead, Pair
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import RequestHead


def httpRequest(
    path: bytes = b"/",
    host: bytes = b"www.example.com",
    headers: Mapping[str, str] | None = None,
    method: bytes = b"GET",
) -> RequestHead:
    """Return the head of an HTTP/1 request."""
    pairs = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    if host:
        pairs.insert(0, (b"Host", host))
    return RequestHead(method, path, host.lower(), Headers(pairs))


@implementer(IHeaders)
class RpcHeaders:
    """Headers of an RPC protocol: names are compared as they are."""

    def __init__(self, pairs: Sequence[Pair] = ()) -> None:
        self._pairs = list(pairs)
        self.changed = False

    def get(self, name: bytes, default: bytes | None = None) -> bytes | None:
        """See `IHeaders.get`."""
        return next((value for key, value in self._pairs if key == name), default)

    def getAll(self, name: bytes) -> list[bytes]:
        """See `IHeaders.getAll`."""
        return [value for key, value in self._pairs if key == name]

    def set(self, name: bytes, value: bytes) -> None:
        """See `IHeaders.set`."""
        self.remove(name)
        self.add(name, value)

    def add(self, name: bytes, value: bytes) -> None:
        """See `IHeaders.add`."""
        if {0, 10, 13} & set(name + value):
            raise ValueError("CR, LF or NUL in a header")
        self._pairs.append((name, value))
        self.changed = True

    def remove(self, name: bytes) -> None:
        """See `IHeaders.remove`."""
        self._pairs = [pair for pair in self._pairs if pair[0] != name]
        self.changed = True

    def items(self) -> Sequence[Pair]:
        """See `IHeaders.items`."""
        return self._pairs

    def copy(self) -> RpcHeaders:
        """See `IHeaders.copy`."""
        return RpcHeaders(self._pairs)


@implementer(IRequestHead)
class RpcRequest:
    """The head of a request of no particular RPC protocol."""

    protocol = "rpc"
    authority = b""
    path = b""
    scheme = b""
    oneway = False
    replayable = False

    def __init__(
        self,
        headers: Mapping[str, str] | None = None,
        *,
        method: bytes = b"",
        timeout: float | None = None,
    ) -> None:
        """:param headers: ``service`` among them is the service asked for."""
        pairs = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        self.headers = RpcHeaders(pairs)
        self.service = self.headers.get(b"service") or b""
        self.method = method
        self.timeout = timeout
