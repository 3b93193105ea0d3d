"""proxy.py (distribution ``proxy.py``) as reverse proxy, one acceptor and one worker."""

from __future__ import annotations

from collections.abc import Mapping

from bench.peers.base import SCRIPTS, PythonPeer
from bench.place import Place


class ProxyPy(PythonPeer):
    """proxy.py with its reverse proxy and one upstream connection for each client."""

    name = "proxy-py"
    modules = ("proxy",)
    distribution = "proxy.py"
    install = "pip install proxy.py"

    def command(self, place: Place) -> list[str]:
        """See `Peer.command`."""
        return [
            self.python(),
            "-m",
            "proxy",
            "--hostname=127.0.0.1",
            f"--port={place.port}",
            "--num-acceptors=1",
            "--num-workers=1",
            "--disable-http-proxy",
            "--enable-reverse-proxy",
            "--inactive-conn-cleanup-timeout=3600",
            "--backlog=16384",
            "--log-level=ERROR",
            f"--data-dir={place.folder}",
            "--plugins=proxy_py_routes.Routes",
        ]

    def environment(self, place: Place) -> Mapping[str, str]:
        """See `Peer.environment`: where the plugin is, and where it shall send requests."""
        return {"PYTHONPATH": str(SCRIPTS), "BENCH_UPSTREAM": place.upstreamAddress}


PEER = ProxyPy
