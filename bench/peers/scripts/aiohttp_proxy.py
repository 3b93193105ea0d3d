"""A reverse proxy on aiohttp: ``PORT UPSTREAM_HOST UPSTREAM_PORT asyncio|uvloop``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import AsyncIterator

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, web
from multidict import CIMultiDict
from yarl import URL

#: Fields that belong to one connection (RFC 9110 7.6.1); aiohttp sets its own.
HOP_BY_HOP = ("Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding")
#: Longer bodies are streamed; shorter ones are read at once, which is what aiohttp does fastest.
STREAM_ABOVE = 65536
IDLE = 3600.0


class ReverseProxy:
    """Forwards each request over a kept-alive upstream connection.

    :param upstream: the address, as ``host:port``.
    """

    def __init__(self, upstream: str) -> None:
        self._base = URL(f"http://{upstream}")
        self._session: ClientSession | None = None

    async def session(self, application: web.Application) -> AsyncIterator[None]:
        """Keep a client session open while the application runs."""
        connector = TCPConnector(limit=0, keepalive_timeout=IDLE)
        async with ClientSession(
            connector=connector,
            auto_decompress=False,
            cookie_jar=DummyCookieJar(),
            timeout=ClientTimeout(total=None),
        ) as self._session:
            yield

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Forward one request and its response."""
        assert self._session is not None
        async with self._session.request(
            request.method,
            self._base.join(request.rel_url),
            headers=_endToEnd(request.headers.copy()),
            data=request.content if request.can_read_body else None,
            allow_redirects=False,
        ) as answer:
            headers = _endToEnd(answer.headers.copy())
            length = answer.content_length
            if length is not None and length <= STREAM_ABOVE:
                body = await answer.read()
                return web.Response(status=answer.status, headers=headers, body=body)
            response = web.StreamResponse(status=answer.status, headers=headers)
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            return response


def _endToEnd(headers: CIMultiDict[str]) -> CIMultiDict[str]:
    """Remove the fields of one connection and return the rest."""
    for name in HOP_BY_HOP:
        headers.popall(name, None)
    return headers


def main(arguments: list[str]) -> None:
    """Serve until a signal comes."""
    port, host, upstream, loop = arguments
    maker = importlib.import_module(loop).new_event_loop
    proxy = ReverseProxy(f"{host}:{upstream}")
    application = web.Application()
    application.cleanup_ctx.append(proxy.session)
    application.router.add_route("*", "/{path:.*}", proxy.handle)
    web.run_app(
        application,
        host="127.0.0.1",
        port=int(port),
        backlog=16384,
        keepalive_timeout=IDLE,
        access_log=None,
        print=None,
        loop=maker(),
    )


if __name__ == "__main__":
    main(sys.argv[1:])
