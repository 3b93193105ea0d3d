"""``twisted.web.proxy.ReverseProxyResource``: ``PORT UPSTREAM_HOST UPSTREAM_PORT``.

The reactor is Twisted's default, on Linux that on epoll.
"""

from __future__ import annotations

import sys
from typing import Any

from twisted.internet import reactor
from twisted.web.http import Request
from twisted.web.proxy import ProxyClientFactory, ReverseProxyResource
from twisted.web.resource import IResource
from twisted.web.server import Site

#: Seconds an idle connection is kept.
IDLE = 3600


class QuietClientFactory(ProxyClientFactory):
    """Does not log each upstream connection."""

    noisy = False


class QuietReverseProxy(ReverseProxyResource):
    """Stands at every path."""

    proxyClientFactoryClass = QuietClientFactory

    def getChild(self, path: bytes, request: Request) -> IResource:
        """Return a resource for one more segment, as quiet as this one."""
        child = super().getChild(path, request)  # type: ignore[no-untyped-call]  # as in Twisted
        return makeResource(self.host, self.port, child.path, self.reactor)


def makeResource(host: str, port: int, path: bytes, reactor: Any) -> IResource:
    """Return a quiet resource; Twisted's class has no annotations."""
    untyped: Any = QuietReverseProxy
    resource: IResource = untyped(host, port, path, reactor)
    return resource


class QuietSite(Site):
    """Writes no access log."""

    noisy = False

    def log(self, request: Request) -> None:
        """Write nothing."""


def main(arguments: list[str], reactor: Any) -> None:
    """Serve until a signal comes."""
    port, host, upstream = arguments
    root = makeResource(host, int(upstream), b"", reactor)
    makeSite: Any = QuietSite
    reactor.listenTCP(int(port), makeSite(root, timeout=IDLE), 16384, "127.0.0.1")
    reactor.run()


if __name__ == "__main__":
    main(sys.argv[1:], reactor)
