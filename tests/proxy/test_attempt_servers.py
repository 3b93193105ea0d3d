"""Tests of `mosntx.proxy.attempt`: a bad and a good server, in any two versions of HTTP."""

from __future__ import annotations

from typing import Any

from mosntx.contracts.codec import HEAD
from mosntx.protocol.headers import Headers
from mosntx.protocol.http2.heads import Http2ResponseHead
from mosntx.protocol.http2.protocol import Http2Protocol
from mosntx.testing.mesh import Peer
from tests.proxy.build import MeshTestCase, post, response, toCluster
from tests.proxy.test_exchange_http2 import Http2Peer

VERSIONS = ("Http1", "Http2")
BAD, GOOD = 9001, 9002


class Http1Server:
    """A connection to a server that answers all requests with one status.

    :ivar asked: the number of requests so far.
    """

    def __init__(self, peer: Peer, status: int) -> None:
        self._peer = peer
        self._status = status
        self.asked = 0

    def serve(self) -> None:
        """Answer what has come."""
        for _ in range(self._peer.take().count(b"POST ")):
            self.asked += 1
            self._peer.send(response(b"ok", b"%d Said" % self._status))


class Http2Server(Http1Server):
    """The same for HTTP/2."""

    def __init__(self, peer: Peer, status: int) -> None:
        super().__init__(peer, status)
        self._http2 = Http2Peer(peer, Http2Protocol().serverCodec())

    def serve(self) -> None:
        """Answer what has come."""
        self._http2.settle()
        asked = [number for kind, number, *_ in self._http2.events if kind == HEAD]
        self._http2.events.clear()
        for number in asked:
            self.asked += 1
            head = Http2ResponseHead(self._status, Headers([]))
            self._http2.codec.responseHead(number, head, True)
        self._http2.settle()


class TwoServersTestCase(MeshTestCase):
    """A cluster of a bad server and a good one."""

    servers: list[tuple[int, Any]]

    def start(self, client: str, upstream: str, bad: int = 500, **policy: Any) -> None:
        """Start the Sidecar.

        :param bad: what the bad server answers; 0 when it is shut down.
        """
        self.servers = []
        self.bad = bad
        self.versions = client, upstream
        route = toCluster(upstream_protocol=upstream, retry_policy={"num_retries": 1, **policy})
        self.begin(route, hosts=2, proxy={"downstream_protocol": client})

    def call(self) -> int:
        """Ask once, on a connection of its own; return the status of the answer."""
        peer = self.running.client("front")
        if self.versions[0] == "Http2":
            http2 = Http2Peer(peer, Http2Protocol().clientCodec())
            http2.post(end=True)
            self.play()
            http2.settle()
            (status,) = [part for kind, part in http2.heard() if kind == HEAD]
        else:
            peer.send(post(b"x"))
            self.play()
            answer = peer.take()
            self.assertEqual(answer.count(b"HTTP/1.1 "), 1, answer)
            status = answer.split()[1]
        return int(status)

    def play(self) -> None:
        """Let the servers do what they do, for a second."""
        mesh = self.running
        for _ in range(20):
            while mesh.dialled:
                ((_, port), *_) = mesh.dialled
                if port == BAD and not self.bad:
                    mesh.refuse()
                    continue
                server = Http2Server if self.versions[1] == "Http2" else Http1Server
                status = self.bad if port == BAD else 200
                self.servers.append((port, server(mesh.upstream(), status)))
            for _, one in self.servers:
                one.serve()
            mesh.advance(0.05)

    def asked(self, port: int) -> int:
        """Return how many requests a server has got."""
        return sum(server.asked for at, server in self.servers if at == port)


class VersionsTests(TwoServersTestCase):
    """Clients see only the good one, whichever versions are spoken (scenarios 101 to 103)."""

    def test_badAnswers(self) -> None:
        """A 500 of the one is hidden; the other one gets each call exactly once."""
        for client in VERSIONS:
            for upstream in VERSIONS:
                with self.subTest(client=client, upstream=upstream):
                    self.start(client, upstream, retry_on=True)
                    self.assertEqual([self.call() for _ in range(10)], [200] * 10)
                    self.assertEqual(self.asked(GOOD), 10)
                    self.assertGreater(self.asked(BAD), 2)
                    self.tearDown()
        self.mesh = None

    def test_shutDown(self) -> None:
        """One that is not there any more is hidden, too."""
        for client in VERSIONS:
            for upstream in VERSIONS:
                with self.subTest(client=client, upstream=upstream):
                    self.start(client, upstream, bad=0, retry_on=True)
                    self.assertEqual([self.call() for _ in range(10)], [200] * 10)
                    self.assertEqual(self.asked(GOOD), 10)
                    self.tearDown()
        self.mesh = None


class ConditionTests(TwoServersTestCase):
    """Which answers are tried again (scenarios 104 and 105)."""

    def test_statuses(self) -> None:
        """MOSN's table: without codes 500 and above, with codes these; never without `retry_on`."""
        listed = {"retry_on": True, "status_codes": [404, 500]}
        for policy, status, again in (
            ({"retry_on": True}, 500, True),
            ({"retry_on": True}, 404, False),
            (listed, 404, True),
            (listed, 500, True),
            (listed, 504, False),
            ({"retry_on": False}, 500, False),
            ({"retry_on": False, "status_codes": [500]}, 500, False),
        ):
            with self.subTest(policy=policy, status=status):
                self.start("Http1", "Http1", bad=status, **policy)
                seen = {self.call() for _ in range(4)}
                self.assertEqual(seen, {200} if again else {200, status})
                self.tearDown()
        self.mesh = None

    def test_connects(self) -> None:
        """A failed connect is tried again whatever the policy says."""
        for policy in ({"retry_on": True}, {"retry_on": False}, {"status_codes": [404]}):
            with self.subTest(policy=policy):
                self.start("Http1", "Http1", bad=0, **policy)
                self.assertEqual([self.call() for _ in range(4)], [200] * 4)
                self.tearDown()
        self.mesh = None
