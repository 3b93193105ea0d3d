"""Tests of `mosntx.proxy.exchange`: random histories of clients, upstreams and time."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.testing.mesh import Peer
from tests.proxy.build import MeshTestCase, toCluster

REQUEST = re.compile(rb"(GET|PUT|POST) /(\d+) HTTP/1.1\r\n")

#: What an upstream may answer; ``%b`` is the number of the request.
RESPONSES = (
    b"HTTP/1.1 200 OK\r\nX-Id: %b\r\nContent-Length: 5\r\n\r\nxxxxx",
    b"HTTP/1.1 200 OK\r\nX-Id: %b\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nxxxxx\r\n0\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nX-Id: %b\r\n\r\n",
    b"HTTP/1.1 503 Service Unavailable\r\nX-Id: %b\r\nContent-Length: 2\r\n\r\nxx",
    b"HTTP/1.1 200 OK\r\nX-Id: %b\r\n\r\nxxx",
    b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nX-Id: %b\r\nContent-Length: 1\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nX-Id: %b\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nX-Id: %b\r\nContent-Length: 1\r\n\r\nxSURPLUS",
    b"nonsense %b\r\n\r\n",
)

#: What a client may ask; ``%d`` is the number of the request.
REQUESTS = (
    b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nyyyyyy",
    b"PUT /%d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nyyy\r\n0\r\nX: 1\r\n\r\n",
)


def readResponses(octets: bytes) -> tuple[list[bytes | None], bytes]:
    """Return the X-Id of each complete response, ``None`` for those without, and what is left."""
    found: list[bytes | None] = []
    while True:
        head, end, rest = octets.partition(b"\r\n\r\n")
        if not end:
            return found, octets
        status = int(head[9:12])
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        if status < 200:
            octets = rest
            continue
        if b"\r\nTransfer-Encoding: chunked" in head:
            _, end, rest = (b"\r\n" + rest).partition(b"\r\n0\r\n\r\n")
            if not end:
                return found, octets
        elif status != 204 and length is not None:
            if len(rest) < int(length[1]):
                return found, octets
            rest = rest[int(length[1]) :]
        number = re.search(rb"\r\nX-Id: (\d+)", head)
        found.append(None if number is None else number[1])
        octets = rest


class Client:
    """A client: what it has sent, has yet to send, and has got."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.got = b""
        self.unsent = b""
        self.asked: list[bytes] = []
        self.left = False

    def take(self) -> None:
        """Note what has come."""
        self.got += self.peer.take()


class Upstream:
    """An upstream: the requests that it has got, and what it has yet to answer."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.got = b""
        self.answered = 0
        self.unsent = b""


class History:
    """One random history."""

    def __init__(
        self, case: MeshTestCase, filters: bool, retry: Any = None, **cluster: Any
    ) -> None:
        """:param retry: further settings of retries; likewise ``cluster``."""
        policy = {"retry_on": True, "num_retries": 1, "retry_timeout": "1s", **(retry or {})}
        limits = {"max_connections": 2, "max_pending_requests": 2, "max_retries": 1}
        delay = {"delay": {"percentage": 50, "fixed_delay": "300ms"}}
        self.case = case
        self.mesh = case.begin(
            toCluster(timeout="2s", retry_policy=policy),
            hosts=2,
            cluster={"circuit_breakers": [limits], "pending_timeout": "1s", **cluster},
            proxy={"stream_idle_timeout": "3s"},
            filters=[{"type": "fault", "config": delay}] if filters else [],
        )
        self.clients: list[Client] = []
        self.upstreams: list[Upstream] = []
        self.numbers = 0

    def _client(self, which: int) -> Client | None:
        return self.clients[which % len(self.clients)] if self.clients else None

    def _upstream(self, which: int) -> Upstream | None:
        return self.upstreams[which % len(self.upstreams)] if self.upstreams else None

    def arrive(self, which: int, size: int) -> None:
        """A client connects."""
        if len(self.clients) < 3:
            self.clients.append(Client(self.mesh.client("front")))

    def ask(self, which: int, size: int) -> None:
        """A client wants to send another request."""
        client = self._client(which)
        if client is not None:
            self.numbers += 1
            client.unsent += REQUESTS[size % len(REQUESTS)] % self.numbers
            client.asked.append(b"%d" % self.numbers)

    def send(self, which: int, size: int) -> None:
        """A client sends some octets."""
        client = self._client(which)
        if client is not None and not client.left and client.peer.reading:
            client.peer.send(client.unsent[:size])
            client.unsent = client.unsent[size:]

    def connect(self, which: int, size: int) -> None:
        """An upstream connection is made."""
        if self.mesh.dialled:
            self.upstreams.append(Upstream(self.mesh.upstream()))

    def refuse(self, which: int, size: int) -> None:
        """Or not."""
        if self.mesh.dialled:
            self.mesh.refuse()

    def answer(self, which: int, size: int) -> None:
        """An upstream begins to answer, if there is something to answer."""
        upstream = self._upstream(which)
        if upstream is not None and not upstream.unsent:
            upstream.got += upstream.peer.take()
            requests = REQUEST.findall(upstream.got)
            if len(requests) > upstream.answered:
                number = requests[upstream.answered][1]
                upstream.answered += 1
                upstream.unsent = RESPONSES[size % len(RESPONSES)] % number

    def speak(self, which: int, size: int) -> None:
        """An upstream sends some octets."""
        upstream = self._upstream(which)
        if upstream is not None and upstream.peer.reading:
            upstream.peer.send(upstream.unsent[:size])
            upstream.unsent = upstream.unsent[size:]

    def end(self, which: int, size: int) -> None:
        """An upstream ends its connection."""
        upstream = self._upstream(which)
        if upstream is not None:
            upstream.unsent = b""
            if size % 2:
                upstream.peer.reset()
            else:
                upstream.peer.finish()

    def leave(self, which: int, size: int) -> None:
        """A client ends its connection (not so often)."""
        client = self._client(which)
        if client is not None and size % 4 == 0:
            client.left = True
            client.take()
            if size % 8:
                client.peer.reset()
            else:
                client.peer.finish()

    def _producer(self, which: int, size: int) -> Peer | None:
        one: Any = self._client(which) if size % 2 else self._upstream(which)
        if one is None or one.peer.closed or one.peer.transport.producer is None:
            return None
        peer: Peer = one.peer
        return peer

    def block(self, which: int, size: int) -> None:
        """Somebody stops reading."""
        peer = self._producer(which, size)
        if peer is not None:
            peer.block()

    def unblock(self, which: int, size: int) -> None:
        """Somebody reads again."""
        peer = self._producer(which, size)
        if peer is not None:
            peer.unblock()

    def wait(self, which: int, size: int) -> None:
        """Time passes."""
        self.mesh.advance(size * 0.02)

    def check(self) -> None:
        """Check each client: an answer for each request in order, or a closed connection."""
        case, mesh = self.case, self.mesh
        mesh.advance(0)
        for peer in mesh.peers:
            if not peer.closed and peer.transport.producer is not None:
                peer.unblock()
        for client in self.clients:
            for _ in range(100):
                if not client.unsent or client.left or client.peer.closed:
                    break
                if not client.peer.reading:
                    mesh.advance(1.0)
                self.send(self.clients.index(client), 1000)
        for _ in range(10):
            mesh.advance(5.0)
            while mesh.dialled:
                mesh.refuse()
        for client in self.clients:
            client.take()
            answers, rest = readResponses(client.got)
            context = (client.got, client.asked)
            for answer, number in zip(answers, client.asked, strict=False):
                case.assertIn(answer, (None, number), context)
            if not client.peer.closed and not client.left:
                case.assertEqual(rest, b"", context)
                case.assertEqual(len(answers), len(client.asked), context)
            else:
                case.assertLessEqual(len(answers), len(client.asked) + 1, context)


STEPS = [name for name in vars(History) if not name.startswith("_") and name != "check"]
STEPS += ["send", "connect", "answer", "speak", "speak"]  # what brings histories on


class RandomHistoryTests(SynchronousTestCase):
    """Whatever happens in whatever order and in whatever cuts."""

    @settings(max_examples=150)
    @given(
        st.lists(
            st.tuples(st.sampled_from(STEPS), st.integers(0, 5), st.integers(1, 120)),
            max_size=60,
        ),
        st.booleans(),
    )
    def test_anyHistory(self, steps: list[tuple[str, int, int]], filters: bool) -> None:
        """One answer per request or a closed connection; nothing is left, nothing raises."""
        case = MeshTestCase()
        history = History(case, filters)
        history.arrive(0, 0)
        history.ask(0, steps[0][2] if steps else 0)
        for name, which, size in steps:
            step: Any = getattr(history, name)
            step(which, size)
        history.check()
        case.tearDown()
        self.assertEqual(self.flushLoggedErrors(), [])
