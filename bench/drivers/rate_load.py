"""The HTTP/1.1 load generator at a constant rate: an open loop.

A request is due at a fixed time, whatever became of those before, and its latency counts from that
time. So a proxy that stands still for a while is charged with every request that was due meanwhile;
a load generator that waits for answers first asks less in that time and reports it once
("coordinated omission").

``main`` is run as a process of its own, see `bench.drivers.rate`. It writes one JSON object.
"""

from __future__ import annotations

import ctypes
import gc
import json
import select
import socket
import time
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.drivers.base import percentile

READ_SIZE = 1 << 16
#: Seconds the last answers may take after the run.
PATIENCE = 5.0
#: Seconds to connect.
CONNECT = 10.0
#: Octets of an answer besides its body; more is no answer of ours.
HEAD_LIMIT = 1 << 14
#: <sys/prctl.h>: how late the kernel may wake this thread, in nanoseconds; usually 50 000.
_PR_SET_TIMERSLACK = 29
#: Nanoseconds in a second.
SECOND = 1_000_000_000

REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_STATUS = b"HTTP/1.1 200 "


class AnswerReader:
    """The answers on one connection, one after another.

    :param body: of every answer, with its length in the head.
    """

    __slots__ = ("_body", "_limit", "_rest")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._limit = len(body) + HEAD_LIMIT
        self._rest = b""

    def feed(self, octets: bytes) -> bool:
        """Take octets; return whether the answer is complete.

        :raises ValueError: when it is another one; the text is the kind of error.
        """
        if self._rest:
            octets = self._rest + octets
        if octets.startswith(_STATUS):
            if octets.endswith(self._body) and b"\r\n\r\n" in octets:
                self._rest = b""
                return True
        elif not _STATUS.startswith(octets[: len(_STATUS)]):
            raise ValueError("status")
        if len(octets) > self._limit:
            raise ValueError("wrong answer")
        self._rest = octets
        return False


class RateLoad:
    """Sends requests when they are due, on whichever connection is free.

    When none is free a request waits for one, and its latency counts that.

    :param rate: requests per second.
    :param clock: returns nanoseconds.
    :ivar latencies: of right answers, nanoseconds from the time a request was due.
    :ivar lateness: nanoseconds that requests with a free connection were sent after they were due:
        the error of this program itself, which is in the latencies, too.
    :ivar errors: kind to number.
    """

    def __init__(
        self, port: int, connections: int, rate: float, body: bytes, clock: Callable[[], int]
    ) -> None:
        self._port = port
        self._connections = connections
        self._rate = rate
        self._body = body
        self._clock = clock
        self._poll = select.epoll()
        self._open: dict[int, tuple[socket.socket, AnswerReader]] = {}
        self._free: deque[int] = deque()
        #: Descriptor to the time at which the request on it was due.
        self._asked: dict[int, int] = {}
        self.latencies = array("q")
        self.lateness = array("q")
        self.errors: dict[str, int] = {}

    def connect(self) -> None:
        """Open all connections."""
        for _ in range(self._connections):
            try:
                made = socket.create_connection(("127.0.0.1", self._port), CONNECT)
            except OSError:
                self._fail("connect")
                continue
            made.setblocking(False)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open[made.fileno()] = made, AnswerReader(self._body)
            self._poll.register(made.fileno(), select.EPOLLIN)
        self._free.extend(self._open)

    def run(self, duration: float) -> float:
        """Put the load on; return the seconds until the last answer."""
        began = self._clock()
        total = int(duration * self._rate)
        step = SECOND / self._rate
        due, sent = began, 0
        while sent < total and self._open:
            now = self._clock()
            while due <= now and sent < total and self._free:
                self._ask(due, now)
                sent += 1
                due = began + int(sent * step)
                now = self._clock()
            # With no free connection the next answer is waited for.
            self._turn((due - now) / SECOND if self._free and sent < total else PATIENCE)
        deadline = self._clock() + int(PATIENCE * SECOND)
        while self._asked and self._clock() < deadline:
            self._turn(PATIENCE)
        if self._asked or sent < total:
            self._fail("no answer", len(self._asked) + total - sent)
        return (self._clock() - began) / SECOND

    def close(self) -> None:
        """Close all connections."""
        self._poll.close()
        for made, _ in self._open.values():
            made.close()

    def _ask(self, due: int, now: int) -> None:
        """Send a request."""
        number = self._free.popleft()
        self._asked[number] = due
        try:
            self._open[number][0].send(REQUEST)
        except OSError:
            self._lose(number, "closed")
            return
        self.lateness.append(now - due)

    def _turn(self, seconds: float) -> None:
        """Take the answers that there are, waiting for the first one at most so long."""
        # epoll counts milliseconds, select microseconds: it waits for the epoll.
        if seconds > 0 and not select.select((self._poll,), (), (), seconds)[0]:
            return
        for number, _ in self._poll.poll(0):
            made, reader = self._open[number]
            try:
                octets = made.recv(READ_SIZE)
            except OSError:
                octets = b""
            if not octets:
                self._lose(number, "closed")
                continue
            try:
                complete = reader.feed(octets)
            except ValueError as wrong:
                self._lose(number, str(wrong))
                continue
            if complete:
                self._settle(number)

    def _settle(self, number: int) -> None:
        """An answer is complete."""
        due = self._asked.pop(number, None)
        if due is None:
            self._lose(number, "unasked answer")
            return
        self.latencies.append(self._clock() - due)
        self._free.append(number)

    def _lose(self, number: int, kind: str) -> None:
        """Give a connection up."""
        self._poll.unregister(number)
        self._open.pop(number)[0].close()
        self._asked.pop(number, None)
        if number in self._free:
            self._free.remove(number)
        self._fail(kind)

    def _fail(self, kind: str, number: int = 1) -> None:
        self.errors[kind] = self.errors.get(kind, 0) + number


def report(load: RateLoad, elapsed: float) -> dict[str, object]:
    """Return the figures of a run."""
    latencies, lateness = sorted(load.latencies), sorted(load.lateness)
    found: dict[str, object] = {
        "requests": len(latencies),
        "seconds": elapsed,
        "errors": load.errors,
    }
    for name, values in (("latency", latencies), ("lateness", lateness)):
        for share in (0.5, 0.99, 0.999, 1.0):
            found[f"{name}_{share}"] = percentile(values, share) if values else 0
    return found


def main(arguments: Sequence[str]) -> None:
    """Run a load: port, connections, requests per second, seconds, file with the body."""
    port, connections, rate, duration, path = arguments
    # Its own pauses would count as the proxy's.
    gc.disable()
    ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
    body = Path(path).read_bytes()
    load = RateLoad(int(port), int(connections), float(rate), body, time.perf_counter_ns)
    load.connect()
    elapsed = load.run(float(duration))
    load.close()
    print(json.dumps(report(load, elapsed)))
