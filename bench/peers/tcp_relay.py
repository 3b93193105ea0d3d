"""A bare TCP relay on Twisted's stock epoll reactor: what Twisted's transports alone cost."""

from __future__ import annotations

from bench.peers.base import SCRIPTS, PythonPeer
from bench.place import BOLT, H2C, HTTP1, Place


class TcpRelay(PythonPeer):
    """Moves octets and understands none of them, so it takes part in every scenario."""

    name = "tcp-relay"
    modules = ("twisted",)
    distribution = "Twisted"
    install = "pip install Twisted"
    front = frozenset({HTTP1, H2C, BOLT})
    back = frozenset({HTTP1, H2C, BOLT})

    def unsupported(self, legs: tuple[str, ...]) -> str | None:
        """See `Peer.unsupported`: it cannot turn one protocol into another."""
        if len(set(legs)) > 1:
            return "does not convert protocols"
        return super().unsupported(legs)

    def command(self, place: Place) -> list[str]:
        """See `Peer.command`."""
        script = str(SCRIPTS / "tcp_relay.py")
        return [self.python(), script, str(place.port), place.upstreamHost, str(place.upstreamPort)]


PEER = TcpRelay
