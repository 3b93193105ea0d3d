"""Tests of `mosntx.proxy.push`: an upstream promises, and a client takes it or does not."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from mosntx.contracts.codec import DATA, HEAD, PRIORITY, PUSH, RESET, TRAILERS
from mosntx.contracts.filters import CONTINUE, IExchange
from mosntx.contracts.stream import LOCAL_RESET, OVERFLOW, REFUSED, REMOTE_RESET
from mosntx.filters.base import StreamFilter
from mosntx.protocol.headers import Headers
from mosntx.protocol.http2.heads import Http2RequestHead, Http2ResponseHead
from mosntx.protocol.http2.limits import Http2Limits
from mosntx.protocol.http2.protocol import Http2Protocol
from mosntx.testing.mesh import Peer
from tests.proxy.build import GET, MeshTestCase, toCluster

MEBIBYTE = 1 << 20
HTTP2 = {"downstream_protocol": "Http2"}


def asked(path: bytes = b"/", authority: bytes = b"shop", method: bytes = b"GET") -> Any:
    """Return the head of a request."""
    return Http2RequestHead(method, path, authority, Headers())


class End:
    """One end of a connection to the Sidecar.

    :ivar events: what it has heard, besides of the connection.
    """

    def __init__(self, peer: Peer, codec: Any) -> None:
        self.peer = peer
        self.codec = codec
        self.events: list[Any] = []

    def turn(self) -> bool:
        """Read and write; say whether there was anything."""
        octets = self.peer.take()
        if octets:
            self.events += self.codec.receive(octets)
        said = b""
        while more := self.codec.bytesToSend():
            said += more
        if said:
            self.peer.send(said)
        return bool(octets or said)

    def heard(self, kind: int) -> list[Any]:
        """Return ``(number, part)`` of events of one kind."""
        return [(number, part) for each, number, part, _ in self.events if each == kind]

    def body(self, number: int) -> bytes:
        """Return the data of a stream."""
        return b"".join([part for each, part in self.heard(DATA) if each == number])


class PushTestCase(MeshTestCase):
    """A client that has asked for a page, and an upstream that knows what else belongs to it."""

    def start(self, *routes: Any, limits: Http2Limits | None = None, **settings: Any) -> None:
        """Let the request arrive.

        :param limits: of the client.
        """
        self.begin(*routes, **{"proxy": HTTP2, **settings})
        self.client = End(
            self.running.client("front"), Http2Protocol(limits or Http2Limits()).clientCodec()
        )
        self.page = self.ask()
        self.upstream = End(self.running.upstream(), Http2Protocol().serverCodec())
        self.settle()
        self.asked = self.upstream.heard(HEAD)[0][0]

    def ask(self) -> int:
        """Ask for a page."""
        number: int = self.client.codec.requestHead(asked(), True)[0]
        self.client.turn()
        return number

    def settle(self) -> None:
        """Let octets go back and forth until there are none."""
        ends = [self.client, self.upstream] if hasattr(self, "upstream") else [self.client]
        while sum(end.turn() for end in ends):  # both have a turn
            pass

    def promise(self, head: Any = None, parent: int = 0) -> int:
        """Let the upstream promise something."""
        head = head or asked(b"/style.css")
        number: int = self.upstream.codec.push(parent or self.asked, head)
        self.assertTrue(number, "the upstream cannot push")
        self.settle()
        return number

    def answer(self, number: int, body: bytes = b"", end: bool = True) -> None:
        """Let the upstream answer."""
        codec = self.upstream.codec
        codec.responseHead(number, Http2ResponseHead(200, Headers()), end and not body)
        if body:
            codec.responseData(number, body, end)
        self.settle()

    def promised(self) -> list[Any]:
        """What the client was promised: number and path."""
        return [(number, head.path) for _, (number, head) in self.client.heard(PUSH)]

    def assertRefused(self) -> None:
        """Check that the client hears nothing, the upstream a reset, and the page still comes."""
        self.assertEqual(self.promised(), [])
        self.assertEqual(len(self.upstream.heard(RESET)), 1)
        self.answer(self.asked, b"page")
        self.assertEqual(self.client.body(self.page), b"page")
        self.assertEnded((200, 0))


class RelayedPushTests(PushTestCase):
    """What the client takes."""

    def test_push(self) -> None:
        """A promise reaches the client before the page, and then its response."""
        self.start()
        number = self.promise()
        self.answer(self.asked, b"page")
        self.answer(number, b"style")
        [(pushed, path)] = self.promised()
        self.assertEqual(path, b"/style.css")
        self.assertEqual(self.client.body(pushed), b"style")
        self.assertEqual(self.client.body(self.page), b"page")
        self.assertEqual([each.request.path for each in self.witness.ended], [b"/", b"/style.css"])
        self.assertEnded((200, 0), (200, 0))
        self.assertEqual((self.last.bytesSent, self.last.host.stats.response_success), (5, 2))

    def test_counted(self) -> None:
        """A pushed response is a request in all counters, those of limits too, while it lasts."""
        self.start()
        number = self.promise()
        mesh = self.running
        limits = mesh.sidecar.clusters.get("app").limits  # type: ignore[union-attr]
        self.assertEqual(mesh.value("request_active", listener="front"), 2)
        self.assertEqual(mesh.value("request_total", listener="front"), 2)
        self.assertEqual(limits.requests, 2)
        self.answer(number)
        self.assertEqual(mesh.value("request_active", listener="front"), 1)
        self.assertEqual(limits.requests, 1)
        self.answer(self.asked)

    def test_trailers(self) -> None:
        """A pushed response may have trailers."""
        self.start()
        number = self.promise()
        self.answer(number, b"style", end=False)
        self.upstream.codec.responseTrailers(number, Headers([(b"x-sum", b"5")]))
        self.settle()
        [(pushed, trailers)] = self.client.heard(TRAILERS)
        self.assertEqual(pushed, self.promised()[0][0])
        self.assertEqual(trailers.get(b"x-sum"), b"5")
        self.assertEnded((200, 0))

    def test_filters(self) -> None:
        """Response filters see what is pushed as any response."""

        class Capitals(StreamFilter):
            """Changes data."""

            def responseData(self, exchange: IExchange, data: bytes, end: bool) -> int:
                """See `StreamFilter`."""
                exchange.part = data.upper()
                return CONTINUE

        self.start(filters=[Capitals()])
        number = self.promise()
        self.answer(number, b"style")
        self.assertEqual(self.client.body(self.promised()[0][0]), b"STYLE")

    def test_refusedByAFilter(self) -> None:
        """A response filter that answers something else ends the push; nobody is told a status."""

        class Refusing(StreamFilter):
            """Lets pages pass only."""

            def responseHead(self, exchange: IExchange, head: Any, end: bool) -> int:
                """See `StreamFilter`."""
                if exchange.request.path != b"/":
                    exchange.reply(403)
                return CONTINUE

        self.start(filters=[Refusing()])
        number = self.promise()
        self.answer(number, b"style", end=False)
        self.assertEqual(self.client.heard(RESET)[0][0], self.promised()[0][0])
        self.assertEqual(self.upstream.heard(RESET), [(number, REMOTE_RESET)])
        self.answer(self.asked, b"page")
        self.assertEqual(self.client.body(self.page), b"page")

    def test_flowControl(self) -> None:
        """A client that takes little of a push holds the upstream back; the page passes it."""
        self.start(limits=evolve(Http2Limits(), stream_window=1000))
        number = self.promise()
        pushed = self.promised()[0][0]
        self.client.codec.pauseData(pushed)
        body = bytes(range(256)) * (MEBIBYTE // 256)
        self.answer(number, body)
        self.assertEqual(len(self.client.body(pushed)), 1000)
        self.assertGreater(self.upstream.codec.queued(number), MEBIBYTE * 3 // 4)
        self.answer(self.asked, b"page")
        self.assertEqual(self.client.body(self.page), b"page")
        self.client.codec.resumeData(pushed)
        self.settle()
        self.assertEqual(self.client.body(pushed), body)
        self.assertEnded((200, 0), (200, 0))

    def test_slowTransport(self) -> None:
        """A client whose connection is full holds back what is pushed too."""
        self.start()
        number = self.promise()
        self.client.peer.block()
        self.answer(number, bytes(MEBIBYTE))
        self.assertGreater(self.upstream.codec.queued(number), MEBIBYTE // 2)
        self.client.peer.unblock()
        self.settle()
        self.assertEqual(len(self.client.body(self.promised()[0][0])), MEBIBYTE)

    def test_cancelledByTheClient(self) -> None:
        """A client that resets a pushed stream resets it at the upstream; the page comes."""
        self.start()
        number = self.promise()
        self.answer(number, b"sty", end=False)
        self.client.codec.reset(self.promised()[0][0], LOCAL_RESET)
        self.settle()
        self.assertEqual(self.upstream.heard(RESET), [(number, REMOTE_RESET)])
        self.answer(self.asked, b"page")
        self.assertEqual(self.client.body(self.page), b"page")
        self.assertEqual(self.running.value("request_reset", listener="front"), 1)

    def test_brokenOffByTheUpstream(self) -> None:
        """An upstream that gives a push up resets it at the client; the page comes."""
        self.start()
        number = self.promise()
        self.answer(number, b"sty", end=False)
        self.upstream.codec.responseReset(number, OVERFLOW)
        self.settle()
        self.assertEqual(self.client.heard(RESET)[0][0], self.promised()[0][0])
        self.answer(self.asked, b"page")
        self.assertEqual(self.client.body(self.page), b"page")

    def test_deathOfTheUpstream(self) -> None:
        """With the upstream's connection its pushes end, begun or not; the client's goes on."""
        self.start()
        begun = self.promise()
        self.promise(asked(b"/later.css"))
        self.answer(begun, b"sty", end=False)
        self.answer(self.asked, b"page")
        self.upstream.peer.reset()
        del self.upstream
        self.settle()
        numbers = sorted(number for number, _ in self.promised())
        self.assertEqual(sorted(number for number, _ in self.client.heard(RESET)), numbers)
        self.assertEqual(len(self.witness.ended), 3)
        self.assertFalse(self.client.peer.closed)

    def test_deathOfTheClient(self) -> None:
        """With the client its pushes end; the upstream hears of it."""
        self.start()
        number = self.promise()
        self.client.peer.reset()
        self.upstream.turn()
        heard = {each for each, _ in self.upstream.heard(RESET)}
        self.assertEqual(heard, {number, self.asked})

    def test_neverAnswered(self) -> None:
        """A promise that is not kept ends as any request that is not answered."""
        self.start(toCluster(timeout="5s"))
        number = self.promise()
        self.answer(self.asked, b"page")
        self.running.advance(5.5)
        self.settle()
        self.assertEqual(self.upstream.heard(RESET), [(number, REMOTE_RESET)])
        self.assertEqual(self.client.heard(RESET)[0][0], self.promised()[0][0])

    def test_priority(self) -> None:
        """Another priority for a page or a push is told to the upstream."""
        self.start()
        number = self.promise()
        for each, value in ((self.page, b"u=5"), (self.promised()[0][0], b"u=6, i")):
            self.client.codec.prioritise(each, value)
        self.settle()
        told = self.upstream.heard(PRIORITY)
        self.assertEqual(told, [(self.asked, b"u=5"), (number, b"u=6, i")])


class RefusedPushTests(PushTestCase):
    """What is not relayed."""

    def test_clientOfHttp1(self) -> None:
        """A client of HTTP/1.1 gets the page; the upstream need not push."""
        self.begin(toCluster(upstream_protocol="Http2"))
        client = self.running.client("front")
        client.send(GET)
        self.upstream = End(self.running.upstream(), Http2Protocol().serverCodec())
        while self.upstream.turn():
            pass
        asked_ = self.upstream.heard(HEAD)[0][0]
        codec = self.upstream.codec
        number = codec.push(asked_, asked(b"/style.css", b"a"))
        codec.responseHead(asked_, Http2ResponseHead(200, Headers()), False)
        codec.responseData(asked_, b"page", True)
        while self.upstream.turn():
            pass
        self.assertEqual(self.upstream.heard(RESET), [(number, REMOTE_RESET)])
        octets = client.take()
        self.assertEqual(octets.count(b"HTTP/1.1 200"), 1)
        self.assertIn(b"page", octets)
        self.assertEnded((200, 0))

    def test_switchedOff(self) -> None:
        """A client that has switched push off gets the page."""
        self.start(limits=evolve(Http2Limits(), enable_push=False))
        self.promise()
        self.assertRefused()

    def test_draining(self) -> None:
        """A client that has been asked to leave gets nothing new."""
        self.start()
        self.running.sidecar.listeners["front"].drain()
        self.settle()
        self.promise()
        self.assertRefused()

    def test_otherHost(self) -> None:
        """An upstream may not speak for another host than it was asked as (RFC 9113 8.4)."""
        self.start()
        self.promise(asked(b"/style.css", b"bank"))
        self.assertRefused()

    def test_otherCluster(self) -> None:
        """An upstream may not push what another cluster would answer."""
        other = {"match": {"prefix": "/admin"}, "route": {"cluster_variable": "request_header_to"}}
        self.start(other, toCluster())
        self.promise(asked(b"/admin/users"))
        self.assertRefused()

    def test_answeredHere(self) -> None:
        """An upstream may not push what a route answers itself."""
        here = {"match": {"prefix": "/admin"}, "direct_response": {"status": 403}}
        self.start({**here, "route": {"cluster_name": "app"}}, toCluster())
        self.promise(asked(b"/admin/users"))
        self.assertRefused()

    def test_rewrittenHost(self) -> None:
        """Where the host is rewritten the upstream cannot name the client's."""
        for routes in (
            [toCluster(host_rewrite="inner")],
            [toCluster(prefix="/style"), toCluster(host_rewrite="inner")],
        ):
            self.start(*routes)
            self.promise(asked(b"/style.css", b"inner"))
            self.assertRefused()
            self.tearDown()
            del self.upstream

    def test_rewrittenPath(self) -> None:
        """A path that a client would have to ask for otherwise is not promised to it."""
        self.start(toCluster(prefix="/api", prefix_rewrite="/"), toCluster())
        self.promise(asked(b"/api/style.css"))
        self.assertRefused()

    def test_limitOfTheCluster(self) -> None:
        """Pushes count in the cluster's limit of requests."""
        limit = {"circuit_breakers": [{"max_requests": 1}]}
        self.start(cluster=limit)
        self.promise()
        self.assertRefused()

    def test_moreThanTheClientTakes(self) -> None:
        """More promises than the client takes at a time are refused, and only those."""
        self.start(limits=evolve(Http2Limits(), max_concurrent_streams=2))
        numbers = [self.promise(asked(b"/%d" % each)) for each in range(3)]
        self.assertEqual([path for _, path in self.promised()], [b"/0", b"/1"])
        self.assertEqual(self.upstream.heard(RESET), [(numbers[2], REMOTE_RESET)])
        for number in numbers[:2]:
            self.answer(number, b"x")
        self.promise(asked(b"/3"))
        self.assertEqual([path for _, path in self.promised()][2:], [b"/3"])

    def test_moreThanARequestNeeds(self) -> None:
        """More promises than one request may have are refused before anybody asks the client."""
        self.start()
        most = Http2Limits().max_pushes_per_request
        for each in range(most + 1):
            self.promise(asked(b"/%d" % each))
        self.assertEqual(len(self.promised()), most)
        self.assertEqual([reason for _, reason in self.upstream.heard(RESET)], [REFUSED])
