"""The route of proxy.py's reverse proxy: everything goes to ``$BENCH_UPSTREAM``, ``host:port``.

A static route opens an upstream connection for each request, and the worker of proxy.py 2.4 dies on
the second request of a kept-alive client then. A dynamic route may keep one for each client.
"""

from __future__ import annotations

import os
import re

from proxy.core.connection import TcpServerConnection
from proxy.http.parser import HttpParser
from proxy.http.server import ReverseProxyBasePlugin


class Routes(ReverseProxyBasePlugin):
    """One route, and the upstream connection of one client."""

    _upstream: TcpServerConnection | None = None

    def routes(self) -> list[str | tuple[str, list[bytes]]]:
        """Return a pattern that matches every path."""
        return [r"/.*"]

    def handle_route(self, request: HttpParser, pattern: re.Pattern[str]) -> TcpServerConnection:
        """Send the request on the client's upstream connection and return that."""
        if self._upstream is None:
            host, _, port = os.environ["BENCH_UPSTREAM"].rpartition(":")
            self._upstream = TcpServerConnection(host, int(port))
            self._upstream.connect()
        self._upstream.queue(memoryview(request.build()))
        return self._upstream
