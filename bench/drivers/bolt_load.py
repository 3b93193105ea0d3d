"""The Bolt load generator: many connections, several requests in flight on each.

``main`` is run as a process of its own, see `bench.drivers.bolt`. It writes one JSON object.
"""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.drivers import bolt_frames as frames
from bench.drivers.base import percentile

READ_SIZE = 1 << 18
#: Seconds the last answers may take after the run.
PATIENCE = 5.0
#: Seconds to connect.
CONNECT = 10.0
#: Ids wrap around here.
ID_LIMIT = 1 << 32


class Tally:
    """What has been counted so far.

    :ivar latencies: microseconds of each right answer.
    :ivar errors: kind to number.
    """

    __slots__ = ("errors", "latencies")

    def __init__(self) -> None:
        self.latencies: list[int] = []
        self.errors: dict[str, int] = {}

    def fail(self, kind: str, number: int = 1) -> None:
        """Count errors."""
        self.errors[kind] = self.errors.get(kind, 0) + number


class Calls:
    """The requests of one connection: makes frames, checks answers; knows no socket.

    :param request: a request with id 0.
    :param response: the answer to it, with id 0.
    :param first: the first id.
    """

    __slots__ = ("_next", "_one", "_request", "_response", "_rest", "_tally", "pending")

    def __init__(self, request: bytes, response: bytes, tally: Tally, first: int) -> None:
        self._request = request
        self._response = response
        #: The two halves of a request and of an answer: the way of one frame at a time.
        self._one = (*frames.split(request), *frames.split(response))
        self._tally = tally
        self._next = first
        self._rest = b""
        #: Id to the time it was asked, in microseconds.
        self.pending: dict[int, int] = {}

    def ask(self, number: int, now: int) -> bytes | bytearray:
        """Return the octets of `number` new requests."""
        if self._next + number > ID_LIMIT:
            self._next = 0
        if number == 1:
            fresh, self._next = self._next, self._next + 1
            self.pending[fresh] = now
            return self._one[0] + fresh.to_bytes(frames.ID_SIZE, "big") + self._one[1]
        return self._askMany(number, now)

    def _askMany(self, number: int, now: int) -> bytearray:
        """Do the same for several requests at once."""
        fresh = range(self._next, self._next + number)
        self._next += number
        self.pending.update(dict.fromkeys(fresh, now))
        return frames.numbered(self._request, frames.packIds(fresh))

    def feed(self, octets: bytes, now: int) -> int:
        """Take octets; return how many requests were answered, rightly or not.

        :raises FrameError: when they are no Bolt.
        """
        octets = self._rest + octets if self._rest else octets
        size = len(self._response)
        if len(octets) == size:
            _, _, before, behind = self._one
            if octets.startswith(before) and octets.endswith(behind):
                self._rest = b""
                number = octets[frames.ID_AT : frames.ID_AT + frames.ID_SIZE]
                return self._settle(int.from_bytes(number, "big"), now)
        whole = len(octets) - len(octets) % size
        ids = frames.idsOf(octets[:whole], size)
        if octets[:whole] != frames.numbered(self._response, ids):
            return self._feedEach(octets, now)
        answered = sum([self._settle(number, now) for number in frames.unpackIds(ids)])
        return answered + self._feedEach(octets[whole:], now)

    def _feedEach(self, octets: bytes, now: int) -> int:
        """Do the same frame by frame; keep one that is not complete."""
        answered, offset = 0, 0
        while True:
            length = frames.lengthOf(octets[offset : offset + frames.REQUEST.size])
            if not length or offset + length > len(octets):
                self._rest = octets[offset:]
                return answered
            answered += self._judge(octets[offset : offset + length], now)
            offset += length

    def _judge(self, octets: bytes, now: int) -> bool:
        """Check one frame; return whether it answers a request."""
        frame = frames.parse(octets)
        if frame.kind != frames.TYPE_RESPONSE or frame.command != frames.ANSWER:
            self._tally.fail("unasked frame")
            return False
        right = octets == frames.numbered(self._response, frames.packIds(_only(frame.number)))
        if right:
            return self._settle(frame.number, now)
        self._tally.fail(f"status {frame.status}" if frame.status else "wrong answer")
        return self.pending.pop(frame.number, None) is not None

    def _settle(self, number: int, now: int) -> bool:
        """Take note of a right answer; return whether somebody asked for it."""
        asked = self.pending.pop(number, None)
        if asked is None:
            self._tally.fail("wrong id")
            return False
        self._tally.latencies.append(now - asked)
        return True


def _only(number: int) -> range:
    """Return the range of one number."""
    return range(number, number + 1)


class Connection:
    """A socket with its requests, and what of them could not be sent yet."""

    __slots__ = ("_socket", "_unsent", "calls", "full")

    def __init__(self, connection: socket.socket, calls: Calls) -> None:
        self._socket = connection
        self.calls = calls
        self._unsent = b""
        #: Whether it waits for room.
        self.full = False

    def send(self, octets: bytes | bytearray) -> bool:
        """Send octets behind those that wait; return whether some are left.

        :raises OSError: when the connection is broken.
        """
        waiting = self._unsent + octets if self._unsent else octets
        try:
            sent = self._socket.send(waiting) if waiting else 0
        except BlockingIOError:
            sent = 0
        self._unsent = bytes(waiting[sent:]) if sent < len(waiting) else b""
        return bool(self._unsent)

    def receive(self) -> bytes | None:
        """Return octets, none at the end of the connection, None when there is nothing yet.

        :raises OSError: when the connection is broken.
        """
        try:
            return self._socket.recv(READ_SIZE)
        except BlockingIOError:
            return None


class BoltLoad:
    """Keeps requests in flight on all connections.

    :param inFlight: requests on each connection.
    :param clock: returns nanoseconds.
    """

    def __init__(
        self, port: int, connections: int, inFlight: int, body: bytes, clock: Callable[[], int]
    ) -> None:
        self._port = port
        self._connections = connections
        self._inFlight = inFlight
        self._clock = clock
        self._request, self._response = frames.request(body), frames.response(body)
        self._poll = select.epoll()
        self._open: dict[int, Connection] = {}
        self._sockets: list[socket.socket] = []
        self.tally = Tally()

    def connect(self) -> None:
        """Open all connections."""
        for index in range(self._connections):
            try:
                made = socket.create_connection(("127.0.0.1", self._port), CONNECT)
            except OSError:
                self.tally.fail("connect")
                continue
            made.setblocking(False)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # Ids far apart: an answer that reaches another connection is seen.
            first = (index + 1) * 1_000_003 % ID_LIMIT
            calls = Calls(self._request, self._response, self.tally, first)
            self._sockets.append(made)
            self._open[made.fileno()] = Connection(made, calls)
            self._poll.register(made.fileno(), select.EPOLLIN)

    def run(self, duration: float) -> tuple[int, float]:
        """Put the load on; return the answers within `duration` and the seconds it really took.

        Afterwards the answers to what is under way are waited for and checked, too.
        """
        began = self._clock()
        deadline = began + int(duration * 1e9)
        for number, connection in list(self._open.items()):
            self._ask(number, connection, self._inFlight)
        while self._open and self._clock() < deadline:
            self._turn(True)
        answers, ended = len(self.tally.latencies), self._clock()
        lastMoment = self._clock() + int(PATIENCE * 1e9)
        while self._waiting() and self._clock() < lastMoment:
            self._turn(False)
        if self._waiting():
            self.tally.fail("no answer", self._waiting())
        return answers, (ended - began) * 1e-9

    def close(self) -> None:
        """Close all connections."""
        self._poll.close()
        for made in self._sockets:
            made.close()

    def _waiting(self) -> int:
        """Return how many requests are under way."""
        return sum(len(connection.calls.pending) for connection in self._open.values())

    def _turn(self, more: bool) -> None:
        """Serve what is ready.

        :param more: whether each answer is followed by the next request.
        """
        for number, events in self._poll.poll(0.1):
            connection = self._open[number]
            try:
                octets = connection.receive() if events & ~select.EPOLLOUT else None
            except OSError:
                octets = b""
            if octets == b"":
                self._lose(number, "closed")
                continue
            answered = 0
            if octets:
                try:
                    answered = connection.calls.feed(octets, self._clock() // 1000)
                except frames.FrameError:
                    self._lose(number, "no Bolt")
                    continue
            if (answered and more) or events & select.EPOLLOUT:
                self._ask(number, connection, answered if more else 0)

    def _ask(self, number: int, connection: Connection, count: int) -> None:
        """Send `count` requests; wait for room when they do not fit."""
        octets = connection.calls.ask(count, self._clock() // 1000) if count else b""
        try:
            left = connection.send(octets)
        except OSError:
            self._lose(number, "closed")
            return
        if left != connection.full:
            connection.full = left
            self._poll.modify(number, select.EPOLLIN | (select.EPOLLOUT if left else 0))

    def _lose(self, number: int, kind: str) -> None:
        """Give a connection up."""
        connection = self._open.pop(number)
        self._poll.unregister(number)
        self.tally.fail(kind, max(1, len(connection.calls.pending)))


def main(arguments: Sequence[str]) -> None:
    """Run a load: port, connections, requests in flight on each, seconds, file with the body."""
    port, connections, inFlight, duration, path = arguments
    load = BoltLoad(
        int(port),
        int(connections),
        int(inFlight),
        Path(path).read_bytes(),
        time.perf_counter_ns,
    )
    load.connect()
    answers, elapsed = load.run(float(duration))
    load.close()
    ordered = sorted(load.tally.latencies)
    report = {
        "requests": answers,
        "seconds": elapsed,
        "p50_us": percentile(ordered, 0.5) if ordered else 0,
        "p99_us": percentile(ordered, 0.99) if ordered else 0,
        "errors": load.tally.errors,
    }
    print(json.dumps(report))
