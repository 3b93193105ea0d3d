"""Octets that wait for a window or for the transport, and who goes first (RFC 9113 5.2, RFC 9218).

The engines below only ever get what may leave at once. So both keep to the same order, and what
waits is counted in one place.
"""

from __future__ import annotations

import re
from collections import deque
from heapq import heapify, heappop, heappush

from mosntx.contracts.message import Pair
from mosntx.protocol.http2.codes import DEFAULT_FRAME, DEFAULT_WINDOW

#: Urgency of who says nothing; 0 is the most urgent, 7 the least (RFC 9218 4.1).
DEFAULT_URGENCY = 3

#: Place of streams of which nobody has said anything. They take turns: between two proxies they are
#: of different clients, and none of them is to wait for another's end (RFC 9218 10.1).
_UNSAID = (DEFAULT_URGENCY, True)

_URGENCY = re.compile(rb"(?:^|,)[ \t]*u=([0-7])(?=[ \t]*(?:[,;]|$))")
_INCREMENTAL = re.compile(rb"(?:^|,)[ \t]*i(?:=\?([01]))?(?=[ \t]*(?:[,;]|$))")

#: What leaves: stream, data, whether it is the last, trailers.
Piece = tuple[int, bytes, bool, "list[Pair] | None"]


def parsePriority(
    value: bytes, default: tuple[int, bool] = (DEFAULT_URGENCY, False)
) -> tuple[int, bool]:
    """Return urgency and whether parts are of use (RFC 9218 4); what is not understood is ignored.

    :param value: of a ``priority`` field or a PRIORITY_UPDATE frame.
    :param default: for what it does not say.
    """
    urgency = _URGENCY.search(value)
    incremental = _INCREMENTAL.search(value)
    return (
        int(urgency[1]) if urgency else default[0],
        incremental[1] != b"0" if incremental else default[1],
    )


def priorityValue(urgency: int, incremental: bool) -> bytes:
    """Return the shortest field that `parsePriority` reads so, but never an empty one."""
    return b"u=%d, i" % urgency if incremental else b"u=%d" % urgency


class _Queue:
    """What one stream has to say."""

    __slots__ = ("chunks", "ended", "looks", "size", "trailers", "turn")

    def __init__(self) -> None:
        self.chunks: deque[bytes] = deque()
        self.size = 0
        self.ended = False
        self.trailers: list[Pair] | None = None
        self.turn = 0
        self.looks = 0  # since anything has left

    def take(self, most: int) -> bytes:
        """Return at most so many octets from the front."""
        parts: list[bytes] = []
        left = most
        while left and self.chunks:
            first = self.chunks.popleft()
            if len(first) > left:
                self.chunks.appendleft(first[left:])
                first = first[:left]
            parts.append(first)
            left -= len(first)
        self.size -= most - left
        return parts[0] if len(parts) == 1 else b"".join(parts)


class Outbox:
    """The send windows of one connection and the queues of its streams.

    :ivar window: octets that the peer takes on this connection.
    :ivar initial: octets that it takes on a new stream.
    :ivar frame: octets of the largest frame that it takes.
    :ivar queued: octets that wait.
    """

    __slots__ = (
        "_looks",
        "_priorities",
        "_queues",
        "_windows",
        "frame",
        "initial",
        "queued",
        "window",
    )

    def __init__(self) -> None:
        self.window = DEFAULT_WINDOW
        self.initial = DEFAULT_WINDOW
        self.frame = DEFAULT_FRAME
        self.queued = 0
        self._looks = 0  # since the connection's window was closed
        self._windows: dict[int, int] = {}
        self._queues: dict[int, _Queue] = {}
        self._priorities: dict[int, tuple[int, bool]] = {}

    def __contains__(self, number: int) -> bool:
        return number in self._windows

    @property
    def busy(self) -> bool:
        """Whether anything waits."""
        return bool(self._queues)

    def open(self, number: int) -> None:
        """A stream begins."""
        self._windows[number] = self.initial

    def forget(self, number: int) -> None:
        """A stream is over: what still waits is dropped."""
        self._windows.pop(number, None)
        if self._priorities:
            self._priorities.pop(number, None)
        if self._queues:
            queue = self._queues.pop(number, None)
            if queue is not None:
                self.queued -= queue.size

    def prioritise(self, number: int, urgency: int, incremental: bool) -> None:
        """Give a stream that is open another place."""
        if number in self._windows:
            self._priorities[number] = (urgency, incremental)

    def priority(self, number: int) -> tuple[int, bool]:
        """Return what was said of a stream, or what RFC 9218 says without."""
        return self._priorities.get(number, (DEFAULT_URGENCY, False))

    def credit(self, number: int, increment: int) -> None:
        """The peer takes more; stream 0 is the connection."""
        if number == 0:
            self.window += increment
            self._looks = 0
        elif number in self._windows:
            self._windows[number] += increment

    def setInitial(self, size: int) -> None:
        """The peer's SETTINGS change the window of all streams (RFC 9113 6.9.2)."""
        change = size - self.initial
        self.initial = size
        for number in self._windows:
            self._windows[number] += change

    def waiting(self, number: int) -> int:
        """Octets of a stream that wait."""
        queue = self._queues.get(number)
        return 0 if queue is None else queue.size

    def holds(self, number: int) -> bool:
        """Whether anything of a stream waits, be it only its end."""
        return number in self._queues

    def direct(self, number: int, size: int) -> bool:
        """Say whether so many octets may leave at once; then they count as gone."""
        if number in self._queues:
            return False
        window = self._windows.get(number, 0)
        if size and (size > window or size > self.window):
            return False
        self._windows[number] = window - size
        self.window -= size
        return True

    def put(self, number: int, data: bytes, end: bool, trailers: list[Pair] | None = None) -> None:
        """Let data wait; ``trailers`` end the stream behind them."""
        queue = self._queues.get(number)
        if queue is None:
            queue = self._queues[number] = _Queue()
        if data:
            queue.chunks.append(data)
            queue.size += len(data)
            self.queued += len(data)
        queue.ended = end
        queue.trailers = trailers

    def take(self, budget: int) -> list[Piece]:
        """Return what may leave now, the most urgent first; at most ``budget`` octets of data."""
        pieces: list[Piece] = []
        heap = [(*self._place(number), number) for number in self._queues]
        heapify(heap)
        while heap and budget > 0:
            _urgency, _turn, number = heappop(heap)
            queue = self._queues[number]
            most = min(queue.size, budget, self.frame, self._windows[number], self.window)
            if most <= 0 and queue.size:
                continue
            data = queue.take(most) if most > 0 else b""
            budget -= len(data) or 1
            self.window -= len(data)
            self._windows[number] -= len(data)
            self.queued -= len(data)
            queue.looks = 0
            last = not queue.size
            pieces.append((number, data, queue.ended and last, queue.trailers if last else None))
            if last:
                del self._queues[number]
            else:
                queue.turn += 1
                heappush(heap, (*self._place(number), number))
        return pieces

    def look(self, most: int) -> list[int]:
        """Time has passed: return the streams with windows closed for more looks than ``most``.

        ``[0]`` when it is the connection's window, which stops all of them.
        """
        if self.window <= 0 and self.queued:
            self._looks += 1
            return [0] if self._looks > most else []
        late: list[int] = []
        for number, queue in self._queues.items():
            if queue.size and self._windows[number] <= 0:
                queue.looks += 1
                if queue.looks > most:
                    late.append(number)
        return late

    def _place(self, number: int) -> tuple[int, int]:
        """Urgency, and whose turn it is: one that said no ``i`` goes on to its end."""
        urgency, incremental = self._priorities.get(number, _UNSAID)
        return urgency, self._queues[number].turn if incremental else 0
