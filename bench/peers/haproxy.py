"""HAProxy with one thread, connections to the server reused."""

from __future__ import annotations

from bench.peers.base import Peer
from bench.place import H2C, HTTP1, Place

_CONFIG = """\
global
    nbthread 1
    maxconn {connections}
    no strict-limits
defaults
    mode http
    maxconn {connections}
    timeout connect 10s
    timeout client 1h
    timeout server 1h
    timeout http-keep-alive 1h
    http-reuse always
frontend clients
    bind 127.0.0.1:{port}{front} backlog 16384
    default_backend application
backend application
    server application {upstream}{back} pool-purge-delay 1h pool-max-conn 1024
"""


def config(place: Place) -> str:
    """Return the configuration for one place."""
    return _CONFIG.format(
        connections=place.connections + 256,
        port=place.port,
        front=" proto h2" if place.downstream == H2C else "",
        upstream=place.upstreamAddress,
        back=" proto h2" if place.upstream == H2C else "",
    )


class Haproxy(Peer):
    """HAProxy as Debian ships it."""

    name = "haproxy"
    program = "haproxy"
    install = "apt-get install haproxy"
    front = frozenset({HTTP1, H2C})
    back = frozenset({HTTP1, H2C})

    def command(self, place: Place) -> list[str]:
        """See `Peer.command`."""
        path = place.write("haproxy.cfg", config(place))
        return [self.executable() or self.program, "-db", "-f", path]

    def version(self) -> str:
        """See `Peer.version`."""
        return self._askVersion("-v")


PEER = Haproxy
