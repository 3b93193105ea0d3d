"""Tests of `mosntx.proxy.exchange` with Bolt on both sides: random histories."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.testing.frames import (
    boltGoAway,
    boltHeartbeat,
    boltResponse,
)
from mosntx.testing.mesh import Peer
from tests.proxy.test_exchange_bolt import BoltTestCase, request, rpcRoute
from tests.stream.multiplex.fakes import frames, ids


class Client:
    """A client: what it has yet to send, has asked, and has got."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.unsent = b""
        self.asked: list[int] = []
        self.got = b""
        self.left = False

    def flow(self, size: int) -> None:
        """Send some octets, and take what there is."""
        if not self.left and self.peer.reading:
            self.peer.send(self.unsent[:size])
            self.unsent = self.unsent[size:]
        self.got += self.peer.take()


class Upstream:
    """An upstream: the ids that it has yet to answer."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self._pending: list[int] = []

    def pending(self) -> list[int]:
        """Return the ids of requests, not of heartbeats and one-way requests."""
        for frame in frames(self.peer.take()):
            if frame[1] == 1 and frame[3] == 1:
                self._pending += ids(frame)
        return self._pending


class History:
    """One random history."""

    def __init__(self, case: BoltTestCase, cut: int) -> None:
        cluster = {"connect_timeout": "1s"}
        self.case = case
        self.mesh = case.begin(rpcRoute(timeout="3s"), hosts=2, cluster=cluster)
        self.cut = cut
        self.clients = [Client(self.mesh.client("front"))]
        self.upstreams: list[Upstream] = []
        self.numbers = 0

    def _client(self, which: int) -> Client:
        return self.clients[which % len(self.clients)]

    def _upstream(self, which: int) -> Upstream | None:
        return self.upstreams[which % len(self.upstreams)] if self.upstreams else None

    def flow(self) -> None:
        """All clients send some octets."""
        for client in self.clients:
            client.flow(self.cut)

    def arrive(self, which: int) -> None:
        """A client connects."""
        if len(self.clients) < 4:
            self.clients.append(Client(self.mesh.client("front")))

    def ask(self, which: int) -> None:
        """A client wants to send a request."""
        client = self._client(which)
        self.numbers += 7
        timeout = (-1, 400, 5000)[which % 3]
        client.unsent += request(self.numbers, b"x" * which, timeout=timeout)
        client.asked.append(self.numbers)

    def tell(self, which: int) -> None:
        """A client wants to send a one-way request."""
        self._client(which).unsent += request(0xFFFFFFFF, oneway=True)

    def beat(self, which: int) -> None:
        """A client wants to know whether we live."""
        self._client(which).unsent += boltHeartbeat(5)

    def connect(self, which: int) -> None:
        """An upstream connection is made."""
        if self.mesh.dialled:
            self.upstreams.append(Upstream(self.mesh.upstream()))

    def refuse(self, which: int) -> None:
        """Or not."""
        if self.mesh.dialled:
            self.mesh.refuse()

    def answer(self, which: int) -> None:
        """An upstream answers one of its requests, in two pieces."""
        upstream = self._upstream(which)
        if upstream is not None and upstream.pending():
            pending = upstream.pending()
            octets = boltResponse(pending.pop(which % len(pending)), b"y" * which)
            upstream.peer.send(octets[: self.cut])
            upstream.peer.send(octets[self.cut :])

    def surprise(self, which: int) -> None:
        """An upstream answers what nobody has asked."""
        upstream = self._upstream(which)
        if upstream is not None:
            upstream.peer.send(boltResponse(0xFFFF00 + which))

    def die(self, which: int) -> None:
        """An upstream connection dies (not so often)."""
        upstream = self._upstream(which)
        if upstream is not None and which < 3:
            upstream.peer.reset()

    def goAway(self, which: int) -> None:
        """An upstream wants no more requests (not so often)."""
        upstream = self._upstream(which)
        if upstream is not None and which < 3:
            upstream.peer.send(boltGoAway())

    def leave(self, which: int) -> None:
        """A client leaves (not so often)."""
        if which < 2:
            client = self._client(which)
            client.left = True
            client.peer.reset()

    def wait(self, which: int) -> None:
        """Time passes."""
        self.mesh.advance(which * 0.1)

    def _peer(self, which: int) -> Peer:
        peers = [one.peer for one in self.clients] + [one.peer for one in self.upstreams]
        return peers[which % len(peers)]

    def block(self, which: int) -> None:
        """Somebody stops reading."""
        peer = self._peer(which)
        if not peer.closed and peer.transport.producer is not None:
            peer.block()

    def unblock(self, which: int) -> None:
        """Somebody reads again."""
        peer = self._peer(which)
        if not peer.closed and peer.transport.producer is not None:
            peer.unblock()

    def check(self) -> None:
        """Check each client: one answer for each request, unless it has left."""
        for place in range(len(self.clients) + len(self.upstreams)):
            self.unblock(place)
        self.cut = 1 << 20
        for _ in range(30):
            self.flow()
            self.mesh.advance(1.0)
            while self.mesh.dialled:
                self.mesh.refuse()
        self.flow()
        case = self.case
        for client in self.clients:
            answers = ids(b"".join(one for one in frames(client.got) if one[3] == 2))
            case.assertEqual(len(answers), len(set(answers)))
            case.assertLessEqual(set(answers), set(client.asked))
            if not client.left:
                case.assertFalse(client.peer.closed)
                case.assertEqual(sorted(answers), client.asked)


STEPS = [name for name in vars(History) if name[0] != "_" and name not in ("check", "flow")]
STEPS += ["ask", "ask", "ask", "connect", "answer", "answer", "answer"]  # what brings histories on


class AnyOrderTests(SynchronousTestCase):
    """Whatever the order, and in whatever cuts."""

    @settings(max_examples=150)
    @given(
        st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 9)), max_size=60),
        st.integers(1, 200),
    )
    def test_anyOrder(self, steps: list[tuple[str, int]], cut: int) -> None:
        """Each request has one answer with its id, or its client has gone; nothing is left."""
        case = BoltTestCase()
        history = History(case, cut)
        for name, which in steps:
            step: Any = getattr(history, name)
            step(which)
            history.flow()
        history.check()
        case.tearDown()
        self.assertEqual(self.flushLoggedErrors(), [])
