"""Sends requests over keep-alive connections, flat out or steadily, and keeps every answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import count

import attrs

#: Seconds that one answer may take.
PATIENCE = 10.0
#: What stands for the status when there was no whole answer.
NO_ANSWER = 0

_REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


@attrs.frozen
class Answer:
    """What became of one request.

    :ivar at: when it was sent, in seconds since the beginning.
    :ivar seconds: until its answer was complete.
    :ivar status: `NO_ANSWER` without a whole answer.
    :ivar host: who has answered: the body; that of a local reply is a text.
    """

    at: float
    seconds: float
    status: int
    host: str


def parseAnswer(octets: bytes) -> tuple[int, str] | None:
    """Return status and body of a complete answer, ``None`` while it is not complete.

    :raises ValueError: when there is no length, or more than one answer.
    """
    head, end, body = octets.partition(_END)
    if not end:
        return None
    lines = head.lower().split(b"\r\n")
    lengths = [int(line[len(_LENGTH) :]) for line in lines if line.startswith(_LENGTH)]
    if len(lengths) != 1 or len(body) > lengths[0]:
        raise ValueError(f"not an answer: {octets!r}")
    if len(body) < lengths[0]:
        return None
    return int(head.split(b" ", 2)[1]), body.decode()


class Caller(asyncio.Protocol):
    """One connection with one request under way at most."""

    def __init__(self) -> None:
        self._octets = b""
        self._waiting: asyncio.Future[tuple[int, str]] | None = None
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to write."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def call(self) -> asyncio.Future[tuple[int, str]]:
        """Send a request; the Future fires with status and body of its answer."""
        self._octets = b""
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(_REQUEST)
        return self._waiting

    def data_received(self, data: bytes) -> None:
        """Take part of an answer; one that is not in order ends the connection."""
        self._octets += data
        try:
            answer = parseAnswer(self._octets)
        except ValueError:
            self.close()
            return
        if answer is not None:
            self._fire(answer)

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is over, and with it the request under way."""
        self.closed = True
        self._fire((NO_ANSWER, ""))

    def close(self) -> None:
        """Close the connection; a request under way has no answer."""
        self.closed = True
        self._transport.abort()
        self._fire((NO_ANSWER, ""))

    def _fire(self, answer: tuple[int, str]) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)


class Load:
    """Sends requests.

    :param port: of 127.0.0.1.
    :param connections: how many; requests wait for one when all are busy.
    :param perSecond: requests per second; without, one after the other on each connection.
    :ivar answers: so far, in the order in which they came.
    """

    def __init__(self, port: int, connections: int, perSecond: float | None = None) -> None:
        self._port = port
        self._connections = connections
        self._perSecond = perSecond
        self._began = 0.0
        self.answers: list[Answer] = []

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        return asyncio.get_running_loop().time() - self._began

    async def run(self, total: int) -> None:
        """Send so many requests, and wait for the last answer."""
        self._began = asyncio.get_running_loop().time()
        numbers = count()
        await asyncio.gather(*(self._work(numbers, total) for _ in range(self._connections)))

    async def _work(self, numbers: count[int], total: int) -> None:
        """Use one connection, and open it again whenever it was closed."""
        caller: Caller | None = None
        while (number := next(numbers)) < total:
            if self._perSecond is not None:
                await asyncio.sleep(number / self._perSecond - self.now)
            at = self.now
            try:
                async with asyncio.timeout(PATIENCE):
                    if caller is None or caller.closed:
                        caller = await self._connect()
                    status, host = await caller.call()
            except (TimeoutError, OSError):
                status, host = NO_ANSWER, ""
                if caller is not None:
                    caller.close()
            self.answers.append(Answer(at, self.now - at, status, host))
        if caller is not None:
            caller.close()

    async def _connect(self) -> Caller:
        loop = asyncio.get_running_loop()
        _, caller = await loop.create_connection(Caller, "127.0.0.1", self._port)
        return caller


async def withEvents(
    load: Load, total: int, events: Sequence[tuple[float, Callable[[], Awaitable[None] | None]]]
) -> None:
    """Send so many requests, and do things at their times.

    :param events: seconds since the beginning, and what happens then.
    """

    async def happen() -> None:
        for seconds, event in events:
            await asyncio.sleep(seconds - load.now)
            done = event()
            if done is not None:
                await done

    sending = asyncio.create_task(load.run(total))
    await asyncio.sleep(0)
    happening = asyncio.create_task(happen())
    await asyncio.gather(sending, happening)
