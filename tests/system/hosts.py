"""Upstreams for traffic tests: hosts that speak HTTP/1, HTTP/2 and Bolt, as they are asked.

All live in one thread with a loop of its own. A test says what they answer, keeps answers back, and
takes them down and up again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol

import attrs
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError

from mosntx.testing.frames import boltHeartbeatAck, boltResponse

#: Seconds for a call into the thread of the hosts.
PATIENCE = 20.0
#: With these a closed connection is reset.
_LINGER = struct.pack("ii", 1, 0)
_PREFACE = b"PRI * HTTP/2.0"
#: Turns of the loop until connections that were just accepted, or closed, are dealt with.
_ROUNDS = 10
#: Bolt statuses that mean these HTTP statuses (SOFABolt ResponseStatus).
_BOLT = {200: 0, 500: 1, 503: 4, 504: 7}


@attrs.frozen
class Asked:
    """A request as it came to a host; names of headers are in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@attrs.frozen
class Reply:
    """What a host says: its name is in ``x-host``, what it was asked is in the body."""

    status: int
    host: str
    body: bytes

    @property
    def fields(self) -> list[tuple[bytes, bytes]]:
        """Its headers."""
        return [(b"x-host", self.host.encode())]


class _Codec(Protocol):
    """Reads requests of a connection, and writes replies to them."""

    def feed(self, octets: bytes) -> None:
        """Take octets."""


class Http1Codec:
    """HTTP/1.1 with bodies that have a length; one request at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rest = b""

    def feed(self, octets: bytes) -> None:
        """See `_Codec`."""
        self._rest += octets
        while b"\r\n\r\n" in self._rest:
            head, _, rest = self._rest.partition(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            pairs = [line.partition(":") for line in lines]
            headers = {name.lower(): value.strip() for name, _, value in pairs}
            length = int(headers.get("content-length", 0))
            if len(rest) < length:
                return
            self._rest = rest[length:]
            asked = Asked(first.split(" ")[1], headers, rest[:length])
            self._connection.host.ask(asked, self._reply)

    def _reply(self, reply: Reply) -> None:
        head = f"HTTP/1.1 {reply.status} Said\r\nx-host: {reply.host}\r\n"
        head += f"content-length: {len(reply.body)}\r\n\r\n"
        self._connection.write(head.encode() + reply.body)


class Http2Codec:
    """HTTP/2."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        self._h2.initiate_connection()
        self._heads: dict[int, dict[str, str]] = {}
        self._bodies: dict[int, bytes] = {}
        self._flush()

    def feed(self, octets: bytes) -> None:
        """See `_Codec`."""
        for event in self._h2.receive_data(octets):
            if isinstance(event, RequestReceived):
                pairs = [(bytes(name), bytes(value)) for name, value in event.headers]
                head = {name.decode(): value.decode("latin-1") for name, value in pairs}
                self._heads[event.stream_id] = head
                self._bodies[event.stream_id] = b""
            elif isinstance(event, DataReceived):
                self._bodies[event.stream_id] += event.data
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, StreamReset):
                self._heads.pop(event.stream_id, None)
            elif isinstance(event, StreamEnded):
                self._ask(event.stream_id)
        self._flush()

    def _ask(self, number: int) -> None:
        head = self._heads.pop(number)
        head["host"] = head[":authority"]
        asked = Asked(head[":path"], head, self._bodies.pop(number))

        def reply(what: Reply) -> None:
            try:
                head = [(b":status", b"%d" % what.status), *what.fields]
                head.append((b"content-length", b"%d" % len(what.body)))
                self._h2.send_headers(number, head)
                self._h2.send_data(number, what.body, end_stream=True)
            except ProtocolError:  # the request was given up meanwhile
                return
            self._flush()

        self._connection.host.ask(asked, reply)

    def _flush(self) -> None:
        self._connection.write(self._h2.data_to_send())


class BoltCodec:
    """Bolt version 1. A heartbeat says whether the host is well."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rest = b""

    def feed(self, octets: bytes) -> None:
        """See `_Codec`."""
        self._rest += octets
        while len(self._rest) >= 22:
            named, mapped, content = struct.unpack_from(">HHI", self._rest, 14)
            end = 22 + named + mapped + content
            if len(self._rest) < end:
                return
            frame, self._rest = self._rest[:end], self._rest[end:]
            command, number = struct.unpack_from(">xxHxI", frame)
            if command == 0:
                well = self._connection.host.status == 200
                self._connection.write(boltHeartbeatAck(number, 0 if well else 1))
                continue
            headers = readMap(frame[22 + named : 22 + named + mapped])
            asked = Asked("", headers, frame[22 + named + mapped :])
            self._connection.host.ask(asked, self._replier(number))

    def _replier(self, number: int) -> Callable[[Reply], None]:
        def reply(what: Reply) -> None:
            status = _BOLT[what.status]
            frame = boltResponse(number, what.body, what.fields, status=status)
            self._connection.write(frame)

        return reply


def readMap(octets: bytes) -> dict[str, str]:
    """Read the header map of a Bolt frame; names become lower case."""
    texts = []
    while octets:
        (size,) = struct.unpack_from(">i", octets)
        texts.append(octets[4 : 4 + size].decode())
        octets = octets[4 + size :]
    return {name.lower(): value for name, value in zip(texts[::2], texts[1::2], strict=True)}


class Connection(asyncio.Protocol):
    """A connection to a host; what it speaks is seen in its first octets."""

    transport: Any

    def __init__(self, host: Host) -> None:
        self.host = host
        self._codec: _Codec | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.Protocol``."""
        self.transport = transport
        if not self.host.up:  # accepted while the host went down
            self.reset()
            return
        self.host.open.add(self)
        self.host.accepted += 1
        self.host.most = max(self.host.most, len(self.host.open))

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        self.host.open.discard(self)

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        if self._codec is None:
            kinds: dict[bytes, Any] = {_PREFACE[:1]: Http2Codec, b"\x01": BoltCodec}
            self._codec = kinds.get(data[:1], Http1Codec)(self)
            if data[:4] in (b"POST", b"PUT "):
                self._codec = Http1Codec(self)
        self._codec.feed(data)

    def write(self, octets: bytes) -> None:
        """Send octets, unless the connection is gone."""
        if not self.transport.is_closing():
            self.transport.write(octets)

    def reset(self) -> None:
        """Send a RST."""
        peer = self.transport.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        self.transport.abort()


class Host:
    """One upstream. What changes it is called from the test's thread.

    :ivar status: of its answers.
    :ivar holding: keep answers back until `release`.
    :ivar up: it listens.
    :ivar asked: the requests that came, heartbeats and `CHECK` left out.
    :ivar checks: how many requests for `CHECK` came.
    :ivar most: connections that were open together.
    """

    #: The path of health checks.
    CHECK: ClassVar[str] = "/well"

    def __init__(self, hosts: Hosts, name: str) -> None:
        self._hosts = hosts
        self._listener: Any = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._held: list[tuple[Asked, Callable[[Reply], None]]] = []
        self.name = name
        self.port = 0
        self.status = 200
        self.holding = self.up = False
        self.asked: list[Asked] = []
        self.checks = self.accepted = self.most = 0
        self.open: set[Connection] = set()
        self.start()

    @property
    def address(self) -> str:
        """For configurations."""
        return f"127.0.0.1:{self.port}"

    @property
    def held(self) -> int:
        """How many answers are kept back."""
        return len(self._held)

    def start(self) -> None:
        """Listen; at the same port again when it was killed."""
        self._hosts.run(self._start())

    def kill(self) -> None:
        """Close the port and reset all connections; answers that were kept back are lost."""
        self._hosts.run(self._kill())

    def release(self) -> None:
        """Give the answers that were kept back, and keep none from now on."""
        self._hosts.run(self._release())

    def ask(self, asked: Asked, reply: Callable[[Reply], None]) -> None:
        """Take a request; called by codecs."""
        if asked.path == self.CHECK:
            self.checks += 1
        else:
            self.asked.append(asked)
            if self.holding:
                self._held.append((asked, reply))
                return
        self._reply(asked, reply)

    def _reply(self, asked: Asked, reply: Callable[[Reply], None]) -> None:
        seen = {"path": asked.path, "headers": dict(asked.headers), "body": asked.body.decode()}
        reply(Reply(self.status, self.name, json.dumps(seen).encode()))

    async def _start(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self.up = True
        asyncio.get_running_loop().add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        # Not `create_server`: that forgets, unclosed, what it accepts while it is being closed.
        loop = asyncio.get_running_loop()
        with contextlib.suppress(BlockingIOError):
            accepted, _ = self._listener.accept()
            accepted.setblocking(False)
            work = loop.connect_accepted_socket(lambda: Connection(self), accepted)
            task = loop.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _kill(self) -> None:
        if not self.up:
            return
        self.up = False
        asyncio.get_running_loop().remove_reader(self._listener)
        self._listener.close()
        self._held = []
        for connection in list(self.open):
            connection.reset()
        for _ in range(_ROUNDS):
            await asyncio.sleep(0)

    async def _release(self) -> None:
        self.holding = False
        held, self._held = self._held, []
        for asked, reply in held:
            self._reply(asked, reply)


class Hosts:
    """The thread that all hosts of a test live in."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._all: list[Host] = []
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def add(self, *names: str) -> list[Host]:
        """Start hosts with these names."""
        new = [Host(self, name) for name in names]
        self._all += new
        return new

    def run(self, work: Any) -> None:
        """Do something in the thread, and wait for it."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    def stop(self) -> None:
        """End all hosts, and the thread."""
        for host in self._all:
            host.kill()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
