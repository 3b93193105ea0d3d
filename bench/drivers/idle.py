"""Holds many keep-alive HTTP/1.1 connections, each of which has made one request."""

from __future__ import annotations

import selectors
import socket
import time
from types import TracebackType
from typing import Self

#: Connections that are being made at the same time; bounds what the proxy opens upstream.
AT_ONCE = 64
#: Connections from one source address; the kernel has 28 000 local ports for each.
PER_ADDRESS = 20_000
READ_SIZE = 65536
#: <netinet/in.h>: choose the local port at connect, so that only the four-tuple has to be unique.
_IP_BIND_ADDRESS_NO_PORT = 24

_REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class AnswerReader:
    """Says when the first answer on a connection is complete.

    :param body: the body it must have.
    """

    __slots__ = ("_body", "_data")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._data = b""

    def feed(self, octets: bytes) -> bool | None:
        """Take octets; return None while more are needed, then whether the answer is right.

        The body is looked for at the end of what came, because an answer may be chunked.
        """
        self._data += octets
        head, end, rest = self._data.partition(b"\r\n\r\n")
        if not end:
            return None
        if not head.startswith(b"HTTP/1.1 200"):
            return False
        if b"chunked" in head.lower():
            return self._body in rest if rest.endswith(b"0\r\n\r\n") else None
        if len(rest) < len(self._body):
            return None
        return rest == self._body


class IdleConnections:
    """Opens connections, keeps them without traffic, counts those that break.

    Failures are kept in `errors`, kind to number.

    :param port: where the proxy listens on 127.0.0.1.
    :param body: what it has to answer.
    :param timeout: seconds without any progress after which the rest is given up.
    """

    def __init__(self, port: int, body: bytes, timeout: float = 10.0) -> None:
        self._port = port
        self._body = body
        self._timeout = timeout
        self._selector = selectors.DefaultSelector()
        self._opening: dict[socket.socket, AnswerReader] = {}
        self._opened = 0
        self._idle: list[socket.socket] = []
        self.errors: dict[str, int] = {}

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all connections."""
        self._selector.close()
        for connection in (*self._opening, *self._idle):
            connection.close()

    @property
    def count(self) -> int:
        """How many connections are idle now."""
        return len(self._idle)

    def request(self) -> bytes:
        """Return what each connection asks, once."""
        return _REQUEST

    def reader(self) -> AnswerReader:
        """Return what checks the answer on one connection."""
        return AnswerReader(self._body)

    def open(self, number: int) -> None:
        """Open connections until `number` are idle or have failed."""
        lastProgress = time.monotonic()
        while self._opened < number or self._opening:
            while self._opened < number and len(self._opening) < AT_ONCE:
                self._connect()
            ready = self._selector.select(1.0)
            for key, _ in ready:
                assert isinstance(key.fileobj, socket.socket)
                self._readable(key.fileobj)
            now = time.monotonic()
            if ready:
                lastProgress = now
            elif now - lastProgress > self._timeout:
                self._fail("no answer", len(self._opening) + number - self._opened)
                return

    def countBroken(self) -> None:
        """Count the idle connections that the proxy has closed or sent something unasked on."""
        for connection in self._idle:
            try:
                octets = connection.recv(READ_SIZE)
            except BlockingIOError:
                continue
            except OSError:
                octets = b""
            self._fail("unasked answer" if octets else "idle connection closed")

    def _fail(self, kind: str, number: int = 1) -> None:
        self.errors[kind] = self.errors.get(kind, 0) + number

    def _connect(self) -> None:
        """Open one more connection and send its request."""
        source = f"127.0.0.{1 + self._opened // PER_ADDRESS}"
        self._opened += 1
        connection = socket.socket()
        try:
            connection.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
            connection.bind((source, 0))
            connection.settimeout(self._timeout)
            connection.connect(("127.0.0.1", self._port))
            connection.sendall(self.request())
        except OSError:
            connection.close()
            self._fail("connect")
            return
        connection.setblocking(False)
        self._opening[connection] = self.reader()
        self._selector.register(connection, selectors.EVENT_READ)

    def _readable(self, connection: socket.socket) -> None:
        """Read part of an answer; a complete one makes the connection idle."""
        try:
            octets = connection.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        right = self._opening[connection].feed(octets) if octets else False
        if right is None:
            return
        self._selector.unregister(connection)
        del self._opening[connection]
        if right:
            self._idle.append(connection)
        else:
            connection.close()
            self._fail("wrong answer" if octets else "closed early")
