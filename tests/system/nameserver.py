"""A real name server as a process of its own, for system tests; and upstreams that say their name.

Run as a script it serves the records of a JSON file, read anew for each question, on UDP and TCP::

    {"web.test": [["A", "127.0.0.1"]], "_http._tcp.web.test": [["SRV", 0, 1, 8080, "web.test"]]}
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.names import dns, server
from twisted.names.common import ResolverBase
from twisted.names.error import DNSNameError

from tests.system.daemon import Running

#: Where this package is found.
ROOT = str(Path(__file__).parents[2])
#: Seconds for which an answer holds.
TTL = 1


class FileResolver(ResolverBase):
    """Answers from a file."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def _lookup(self, name: bytes, cls: int, type: int, timeout: Any) -> Deferred[Any]:
        """See ``ResolverBase``."""
        records = json.loads(Path(self._path).read_text()).get(name.decode("ascii").lower())
        if records is None:
            return fail(DNSNameError())
        payloads = [getattr(dns, f"Record_{kind}")(*values, TTL) for kind, *values in records]
        found = [
            dns.RRHeader(name, payload.TYPE, dns.IN, TTL, payload, auth=True)
            for payload in payloads
            if type == payload.TYPE
        ]
        return succeed((found, [], []))


class NameServer(Running):
    """The process.

    :param path: of the file with the records.
    """

    def __init__(self, port: int, path: str) -> None:
        super().__init__(
            [sys.executable, "-m", "tests.system.nameserver", str(port), path], port, ROOT
        )


class NamedUpstream:
    """An HTTP server that answers each request with its name."""

    def __init__(self, address: str, port: int, name: str) -> None:
        class Answers(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(name)))
                self.end_headers()
                self.wfile.write(name.encode())

            def log_message(self, *arguments: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer((address, port), Answers)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def freePortOnAll(addresses: tuple[str, ...], kind: int = socket.SOCK_STREAM) -> int:
    """Return a port that is free on each address."""
    for _ in range(100):
        with socket.socket(socket.AF_INET, kind) as first:
            first.bind((addresses[0], 0))
            port = int(first.getsockname()[1])
        try:
            for address in addresses:
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.bind((address, port))
        except OSError:
            continue
        return port
    raise AssertionError(f"no port is free on all of {addresses}")


def serve(port: int, path: str) -> None:
    """Serve until the process is ended."""
    from twisted.internet import reactor

    on: Any = reactor
    factory = server.DNSServerFactory(clients=[FileResolver(path)])
    on.listenUDP(port, dns.DNSDatagramProtocol(factory), interface="127.0.0.1")
    on.listenTCP(port, factory, interface="127.0.0.1")
    on.run()


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
