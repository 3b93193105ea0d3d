"""A reverse proxy of aiohttp's server and client, on plain asyncio."""

from __future__ import annotations

from typing import ClassVar

from bench.peers.base import SCRIPTS, PythonPeer
from bench.place import Place


class Aiohttp(PythonPeer):
    """aiohttp with its C parsers, reusing upstream connections."""

    name = "aiohttp"
    modules: ClassVar[tuple[str, ...]] = ("aiohttp",)
    distribution = "aiohttp"
    install = "pip install aiohttp"
    #: The event loop the script is told to use.
    loop: ClassVar[str] = "asyncio"

    def command(self, place: Place) -> list[str]:
        """See `Peer.command`."""
        script = str(SCRIPTS / "aiohttp_proxy.py")
        addresses = [str(place.port), place.upstreamHost, str(place.upstreamPort)]
        return [self.python(), script, *addresses, self.loop]


PEER = Aiohttp
