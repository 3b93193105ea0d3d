"""mitmproxy in reverse mode. It is two orders of magnitude slower and therefore not a default."""

from __future__ import annotations

from bench.peers.base import Peer
from bench.place import Place


class Mitmproxy(Peer):
    """mitmdump without output. Its pins conflict with mosntx's: give it its own environment."""

    name = "mitmproxy"
    program = "mitmdump"
    install = (
        "pip install mitmproxy into an environment of its own, then --binary mitmproxy=.../mitmdump"
    )

    def command(self, place: Place) -> list[str]:
        """See `Peer.command`."""
        return [
            self.executable() or self.program,
            "--quiet",
            "--mode",
            f"reverse:http://{place.upstreamAddress}",
            "--listen-host=127.0.0.1",
            f"--listen-port={place.port}",
            "--set",
            f"confdir={place.folder}",
        ]

    def version(self) -> str:
        """See `Peer.version`."""
        return self._askVersion("--version")


PEER = Mitmproxy
