"""The Bolt upstream: gives each request its own content back, and acknowledges heartbeats.

``main`` is run as a process of its own, see `bench.upstream`. It speaks Bolt v1.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Sequence

from bench.drivers import bolt_frames as frames

READ_SIZE = 1 << 18
BACKLOG = 16384
_NO_ID = bytes(frames.ID_SIZE)


class Answers:
    """Turns the octets of one connection into answers; knows no socket.

    Equal requests that arrive together, but for their ids, are answered together.
    """

    __slots__ = ("_answer", "_one", "_request", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        #: The request seen last, with id 0, and its answer.
        self._request = b""
        self._answer = b""
        #: The two halves of both: the way of one request at a time.
        self._one = (b"", b"", b"", b"")

    def feed(self, octets: bytes) -> bytes:
        """Take octets and return the answers to the requests they complete.

        :raises FrameError: when they are no Bolt v1.
        """
        octets = self._rest + octets if self._rest else octets
        before, behind, answerBefore, answerBehind = self._one
        if (
            len(octets) == len(self._request)
            and octets.startswith(before)
            and octets.endswith(behind)
        ):
            self._rest = b""
            number = octets[frames.ID_AT : frames.ID_AT + frames.ID_SIZE]
            return answerBefore + number + answerBehind
        return self._feedMany(octets)

    def _feedMany(self, octets: bytes) -> bytes:
        """Do the same for any octets."""
        answers: list[bytes | bytearray] = []
        offset = 0
        while True:
            length = frames.lengthOf(octets[offset : offset + frames.REQUEST.size])
            if not length or offset + length > len(octets):
                self._rest = octets[offset:]
                return b"".join(answers)
            count = (len(octets) - offset) // length
            together = octets[offset : offset + count * length]
            answer = self._answerAll(together, length) if count > 1 else None
            if answer is None:
                count, answer = 1, self._answerOne(together[:length])
            answers.append(answer)
            offset += count * length

    def _answerAll(self, together: bytes, length: int) -> bytes | bytearray | None:
        """Answer frames of one length, None when they differ in more than the id."""
        if together[1] != frames.TYPE_REQUEST or together[3] != frames.CALL:
            return None
        self._remember(together[:length])
        ids = frames.idsOf(together, length)
        if frames.numbered(self._request, ids) != together:
            return None
        return frames.numbered(self._answer, ids)

    def _answerOne(self, octets: bytes) -> bytes | bytearray:
        """Answer one frame; one-way requests and answers get none."""
        if octets[1] != frames.TYPE_REQUEST and octets[3] != frames.HEARTBEAT:
            return b""
        if octets[1] == frames.TYPE_RESPONSE:
            return b""
        if octets[3] == frames.HEARTBEAT:
            return frames.acknowledgement(frames.parse(octets).number)
        self._remember(octets)
        return frames.numbered(self._answer, octets[frames.ID_AT : frames.ID_AT + frames.ID_SIZE])

    def _remember(self, octets: bytes) -> None:
        """Make the answer to a request, unless it is that of the one before."""
        bare = octets[: frames.ID_AT] + _NO_ID + octets[frames.ID_AT + frames.ID_SIZE :]
        if bare != self._request:
            self._request = bare
            self._answer = frames.response(frames.parse(octets).content)
            self._one = (*frames.split(self._request), *frames.split(self._answer))


class Client:
    """One connection, and what could not be sent yet."""

    __slots__ = ("_answers", "_waiting", "socket")

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._answers = Answers()
        self._waiting = b""

    def serve(self, readable: bool) -> bool | None:
        """Read and answer.

        :return: None at the end of the connection, else whether something could not be sent.
        :raises OSError: when the connection is broken.
        :raises FrameError: when the client does not speak Bolt v1.
        """
        if readable:
            try:
                octets = self.socket.recv(READ_SIZE)
            except BlockingIOError:
                return bool(self._waiting)
            if not octets:
                return None
            self._waiting += self._answers.feed(octets)
        if self._waiting:
            try:
                sent = self.socket.send(self._waiting)
            except BlockingIOError:
                sent = 0
            self._waiting = self._waiting[sent:]
        return bool(self._waiting)


def serve(listening: socket.socket) -> None:
    """Answer for ever."""
    poll = select.epoll()
    poll.register(listening.fileno(), select.EPOLLIN)
    clients: dict[int, Client] = {}
    full: set[int] = set()
    while True:
        for number, events in poll.poll():
            if number == listening.fileno():
                connection, _ = listening.accept()
                connection.setblocking(False)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                clients[connection.fileno()] = Client(connection)
                poll.register(connection.fileno(), select.EPOLLIN)
                continue
            try:
                left = clients[number].serve(bool(events & ~select.EPOLLOUT))
            except (OSError, frames.FrameError):
                left = None
            if left is None:
                poll.unregister(number)
                full.discard(number)
                clients.pop(number).socket.close()
            elif left != (number in full):
                full.symmetric_difference_update({number})
                # A client that does not read is not read from.
                poll.modify(number, select.EPOLLOUT if left else select.EPOLLIN)


def main(arguments: Sequence[str]) -> None:
    """Listen on the port given."""
    (port,) = arguments
    with socket.create_server(("127.0.0.1", int(port)), backlog=BACKLOG) as listening:
        serve(listening)
