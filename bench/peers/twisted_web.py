"""Twisted's own reverse proxy, ``twisted.web.proxy``, on the stock epoll reactor."""

from __future__ import annotations

from bench.peers.base import SCRIPTS, PythonPeer
from bench.place import Place


class TwistedWeb(PythonPeer):
    """``ReverseProxyResource``: parses with twisted.web, one upstream connection per request."""

    name = "twisted-web"
    modules = ("twisted.web.proxy",)
    distribution = "Twisted"
    install = "pip install Twisted"

    def command(self, place: Place) -> list[str]:
        """See `Peer.command`."""
        script = str(SCRIPTS / "twisted_web_proxy.py")
        return [self.python(), script, str(place.port), place.upstreamHost, str(place.upstreamPort)]


PEER = TwistedWeb
