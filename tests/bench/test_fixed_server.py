"""Tests of our own upstream, without its sockets."""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from bench.fixed_server import Client, answerFor

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Pipe(socket.socket):
    """A socket that takes only some octets at a time and remembers them; never opened."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.close()
        self.room = room
        self.sent = b""

    def send(self, data: bytes, flags: int = 0) -> int:  # type: ignore[override]  # bytes are enough
        """Take up to `room` octets, nothing when there is no room."""
        if not self.room:
            raise BlockingIOError
        taken = data[: self.room]
        self.sent += taken
        return len(taken)


class AnswerTests(SynchronousTestCase):
    """The answer."""

    def test_answer(self) -> None:
        """It is a complete response with its length."""
        head, _, body = answerFor(b"12345").partition(b"\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.1 200 OK\r\n"))
        self.assertIn(b"Content-Length: 5", head)
        self.assertEqual(body, b"12345")


class ClientTests(SynchronousTestCase):
    """A connection."""

    def test_requests(self) -> None:
        """Each complete request is answered once, however the octets are cut."""
        for size in (1, 2, 3, 7, len(REQUEST) * 3):
            pipe = Pipe(1000)
            client = Client(pipe, b"answer.")
            octets = REQUEST * 3
            count = sum(client.feed(octets[i : i + size]) for i in range(0, len(octets), size))
            self.assertEqual(count, 3, size)
            self.assertFalse(client.flush())
            self.assertEqual(pipe.sent, b"answer." * 3)

    def test_partial(self) -> None:
        """Half a request gets no answer."""
        pipe = Pipe(1000)
        client = Client(pipe, b"answer.")
        self.assertEqual(client.feed(REQUEST[:-1]), 0)
        self.assertFalse(client.flush())
        self.assertEqual(pipe.sent, b"")

    def test_slowReader(self) -> None:
        """What does not fit is kept and sent later, in order."""
        pipe = Pipe(3)
        client = Client(pipe, b"answer.")
        client.feed(REQUEST)
        self.assertTrue(client.flush())
        pipe.room = 0
        self.assertTrue(client.flush())
        pipe.room = 100
        self.assertFalse(client.flush())
        self.assertEqual(pipe.sent, b"answer.")
