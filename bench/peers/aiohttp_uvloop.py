"""The aiohttp reverse proxy on uvloop."""

from __future__ import annotations

from bench.peers.aiohttp_proxy import Aiohttp


class AiohttpUvloop(Aiohttp):
    """The same script on the other event loop."""

    name = "aiohttp-uvloop"
    modules = ("aiohttp", "uvloop")
    install = "pip install aiohttp uvloop"
    loop = "uvloop"


PEER = AiohttpUvloop
