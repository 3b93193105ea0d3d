"""A small HTTP/1.1 server on bare epoll that gives every request the same answer.

Used as upstream where nginx is not installed: ``python fixed_server.py PORT BODY_FILE``. It knows
requests without body only, which is all that the load generators send.
"""

from __future__ import annotations

import select
import socket
import sys
from pathlib import Path

END = b"\r\n\r\n"
READ_SIZE = 65536


def answerFor(body: bytes) -> bytes:
    """Return the complete response."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Client:
    """One connection: what of a request is not complete yet, and what could not be sent yet."""

    __slots__ = ("_answer", "_rest", "_waiting", "socket")

    def __init__(self, connection: socket.socket, answer: bytes) -> None:
        self.socket = connection
        self._answer = answer
        self._rest = b""
        self._waiting = b""

    def feed(self, octets: bytes) -> int:
        """Take octets and queue an answer for each request that ends in them; return how many."""
        data = self._rest + octets
        count = data.count(END)
        if count:
            data = data[data.rindex(END) + len(END) :]
            self._waiting += self._answer * count
        self._rest = data
        return count

    def flush(self) -> bool:
        """Send what waits; return whether something is left."""
        if self._waiting:
            try:
                sent = self.socket.send(self._waiting)
            except BlockingIOError:
                sent = 0
            self._waiting = self._waiting[sent:]
        return bool(self._waiting)

    def readable(self) -> bool:
        """Read once; return False at the end of the connection."""
        try:
            octets = self.socket.recv(READ_SIZE)
        except BlockingIOError:
            return True
        self.feed(octets)
        return bool(octets)


def serve(listening: socket.socket, answer: bytes) -> None:
    """Answer for ever."""
    poll = select.epoll()
    poll.register(listening.fileno(), select.EPOLLIN)
    clients: dict[int, Client] = {}
    while True:
        for number, events in poll.poll():
            if number == listening.fileno():
                connection, _ = listening.accept()
                connection.setblocking(False)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                clients[connection.fileno()] = Client(connection, answer)
                poll.register(connection.fileno(), select.EPOLLIN)
                continue
            client = clients[number]
            try:
                alive = client.readable() if events & ~select.EPOLLOUT else True
                wanted = select.EPOLLIN | (select.EPOLLOUT if client.flush() else 0)
            except OSError:
                alive = False
            if not alive:
                poll.unregister(number)
                clients.pop(number).socket.close()
            elif wanted != select.EPOLLIN or events & select.EPOLLOUT:
                poll.modify(number, wanted)


def main(arguments: list[str]) -> None:
    """Listen on the port given and answer with the content of the file given."""
    port, path = arguments
    answer = answerFor(Path(path).read_bytes())
    with socket.create_server(("127.0.0.1", int(port)), backlog=16384) as listening:
        serve(listening, answer)


if __name__ == "__main__":
    main(sys.argv[1:])
