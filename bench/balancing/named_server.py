"""Answers HTTP/1.1 with its name, and counts: ``named_server.py PORT NAME STATUS DELAY``.

Answers are sent after so many seconds, so that some requests are under way when the server dies.
``GET /count`` is answered with the number of other requests so far. It knows requests without body
only. Imports nothing of ours, so that it starts quickly.
"""

from __future__ import annotations

import asyncio
import sys

END = b"\r\n\r\n"
#: The target that asks for the number of requests.
COUNT = b"/count"


def answerOf(status: int, body: bytes) -> bytes:
    """Return a complete response."""
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


class Counter:
    """Answers requests, and counts them.

    :param name: the body of each answer.
    :param status: its status.
    """

    def __init__(self, name: bytes, status: int) -> None:
        self.count = 0
        self._answer = answerOf(status, name)

    def answer(self, head: bytes) -> bytes:
        """Return what a request is answered with."""
        if head.split(b" ", 2)[1] == COUNT:
            return answerOf(200, b"%d" % self.count)
        self.count += 1
        return self._answer


class Connection(asyncio.Protocol):
    """One connection."""

    def __init__(self, counter: Counter, delay: float = 0.0) -> None:
        self._counter = counter
        self._delay = delay
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to write."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer what is complete."""
        *heads, self._rest = (self._rest + data).split(END)
        if heads:
            answers = b"".join(map(self._counter.answer, heads))
            if self._delay:
                loop = asyncio.get_running_loop()
                loop.call_later(self._delay, self._transport.write, answers)
            else:
                self._transport.write(answers)


async def serve(port: int, counter: Counter, delay: float) -> None:
    """Answer for ever."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(counter, delay), "127.0.0.1", port, backlog=1024
    )
    await server.serve_forever()


if __name__ == "__main__":
    _, _port, _name, _status, _delay = sys.argv
    asyncio.run(serve(int(_port), Counter(_name.encode(), int(_status)), float(_delay)))
