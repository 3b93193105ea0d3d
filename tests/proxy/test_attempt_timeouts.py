"""Tests of `mosntx.proxy.attempt`: how long everything may take."""

from __future__ import annotations

from mosntx.contracts.filters import UPSTREAM_REQUEST_TIMEOUT
from mosntx.contracts.stream import GLOBAL_TIMEOUT, IDLE_TIMEOUT
from tests.proxy.build import GET, OK, MeshTestCase, post, toCluster

TRY = {"retry_on": True, "num_retries": 9, "retry_timeout": "1s"}


class GlobalTimeoutTests(MeshTestCase):
    """``timeout`` of a route, and its header."""

    def test_timeout(self) -> None:
        """504 when the upstream does not answer in time; its connection is closed."""
        mesh = self.begin(toCluster(timeout="2s"))
        client, upstream = self.get()
        mesh.advance(1.9)
        self.assertEqual(client.take(), b"")
        mesh.advance(0.2)
        self.assertStatus(client.take(), 504)
        self.assertTrue(upstream.closed)
        self.assertEnded((504, UPSTREAM_REQUEST_TIMEOUT))
        self.assertEqual(self.witness.resets, [GLOBAL_TIMEOUT])
        self.assertEqual(mesh.value("request_timeout", host="127.0.0.1:9001"), 1)
        self.assertEqual(mesh.value("request_504_total", listener="front"), 1)

    def test_lateAnswerIsIgnored(self) -> None:
        """What the upstream says after the timeout reaches nobody."""
        mesh = self.begin(toCluster(timeout="1s"))
        client, upstream = self.get()
        mesh.reactor.advance(1.1)
        self.assertStatus(client.take(), 504)
        upstream.send(OK)
        client.send(GET)
        mesh.upstream().send(OK)
        self.assertEqual(client.take(), OK)
        self.assertEnded((504, UPSTREAM_REQUEST_TIMEOUT), (200, 0))

    def test_defaultIsAMinute(self) -> None:
        """Without a timeout a request has 60 s (MOSN)."""
        mesh = self.begin()
        client, _ = self.get()
        mesh.advance(59.9)
        self.assertEqual(client.take(), b"")
        mesh.advance(0.2)
        self.assertStatus(client.take(), 504)

    def test_header(self) -> None:
        """The request may bring its own timeout, in milliseconds; rubbish is ignored."""
        for value, seconds in ((b"1500", 1.5), (b"abc", 3.0), (b"", 3.0)):
            mesh = self.begin(toCluster(timeout="3s"))
            client, _ = self.get(
                b"GET / HTTP/1.1\r\nHost: a\r\nx-mosn-global-timeout: %b\r\n\r\n" % value
            )
            mesh.advance(seconds - 0.1)
            self.assertEqual(client.take(), b"")
            mesh.advance(0.2)
            self.assertStatus(client.take(), 504)
            self.tearDown()

    def test_negativeIsNone(self) -> None:
        """A negative timeout is none; what does not move at all is still given up in the end."""
        mesh = self.begin(toCluster(timeout="-1s"), listener={"connection_idle_timeout": "0s"})
        client, _ = self.get()
        mesh.advance(299.0)
        self.assertEqual(client.take(), b"")
        mesh.advance(2.0)
        self.assertStatus(client.take(), 504)

    def test_countsFromTheCompleteRequest(self) -> None:
        """A slow upload does not use up the upstream's time."""
        mesh = self.begin(toCluster(timeout="1s"))
        client, _ = self.get(post(length=3))
        for octet in (b"a", b"b", b"c"):
            mesh.advance(0.9)
            client.send(octet)
        mesh.advance(0.9)
        self.assertEqual(client.take(), b"")
        mesh.advance(0.2)
        self.assertStatus(client.take(), 504)

    def test_bodyMayTakeLonger(self) -> None:
        """The timeout is for the answer's beginning; a long download goes on."""
        mesh = self.begin(toCluster(timeout="1s"))
        client, upstream = self.get()
        upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
        for octet in (b"a", b"b", b"c"):
            mesh.advance(10.0)
            upstream.send(octet)
        self.assertTrue(client.take().endswith(b"abc"))
        self.assertEnded((200, 0))

    def test_whileWaitingForTheRepetition(self) -> None:
        """The whole may not take longer because it is repeated."""
        mesh = self.begin(toCluster(timeout="2500ms", retry_policy=TRY))
        client, _ = self.get()
        for _ in range(2):
            mesh.advance(1.1)
            mesh.upstream()
        self.assertEqual(client.take(), b"")
        mesh.advance(0.5)
        self.assertStatus(client.take(), 504)
        self.assertEnded((504, UPSTREAM_REQUEST_TIMEOUT))

    def test_whileTheRepetitionConnects(self) -> None:
        """It also ends a repetition that has no connection yet."""
        mesh = self.begin(toCluster(timeout="1500ms", retry_policy=TRY))
        client, _ = self.get()
        mesh.advance(1.1)
        self.assertEqual(len(mesh.dialled), 1)
        mesh.advance(0.5)
        self.assertStatus(client.take(), 504)
        self.assertEqual(len(self.witness.ended), 1)


class TryTimeoutTests(MeshTestCase):
    """``retry_timeout``: of one attempt."""

    def test_repeated(self) -> None:
        """An attempt that takes too long is repeated, and the client notices nothing."""
        mesh = self.begin(toCluster(timeout="10s", retry_policy=TRY), hosts=2)
        client, first = self.get()
        mesh.advance(1.1)
        self.assertTrue(first.closed)
        second = mesh.upstream()
        second.send(OK)
        self.assertEqual(client.take(), OK)
        self.assertEnded((200, 0))

    def test_header(self) -> None:
        """The request may bring its own."""
        mesh = self.begin(toCluster(timeout="10s", retry_policy={**TRY, "retry_timeout": "5s"}))
        client, first = self.get(b"GET / HTTP/1.1\r\nHost: a\r\nx-mosn-try-timeout: 200\r\n\r\n")
        mesh.advance(0.3)
        self.assertTrue(first.closed)
        mesh.upstream().send(OK)
        self.assertEqual(client.take(), OK)

    def test_withoutRetryOn(self) -> None:
        """Without ``retry_on`` it is a 504."""
        policy = {"retry_timeout": "1s"}
        mesh = self.begin(toCluster(timeout="10s", retry_policy=policy))
        client, _ = self.get()
        mesh.advance(1.1)
        self.assertStatus(client.take(), 504)
        self.assertEnded((504, UPSTREAM_REQUEST_TIMEOUT))

    def test_notOverTheWhole(self) -> None:
        """A try that may last as long as the whole has no timer of its own."""
        mesh = self.begin(toCluster(timeout="1s", retry_policy=TRY))
        client, _ = self.get()
        mesh.advance(1.1)
        self.assertStatus(client.take(), 504)
        self.assertEqual(mesh.dialled, [])

    def test_notForTheBody(self) -> None:
        """An answer that has begun is not repeated."""
        mesh = self.begin(toCluster(timeout="10s", retry_policy=TRY))
        client, upstream = self.get()
        upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na")
        mesh.advance(5.0)
        upstream.send(b"bc")
        self.assertTrue(client.take().endswith(b"abc"))


class IdleTimeoutTests(MeshTestCase):
    """``stream_idle_timeout``: nothing of either body moves."""

    def test_upload(self) -> None:
        """A client that stops in the middle of its body gets 408."""
        mesh = self.begin(proxy={"stream_idle_timeout": "10s"})
        client, upstream = self.get(post(b"a", length=3))
        mesh.advance(21.0)
        self.assertStatus(client.take(), 408)
        self.assertTrue(client.closed)
        self.assertTrue(upstream.closed)
        self.assertEnded((408, 0))
        self.assertEqual(self.witness.resets, [IDLE_TIMEOUT])

    def test_slowUploadIsFine(self) -> None:
        """As long as octets come now and then, a body may take its time."""
        mesh = self.begin(proxy={"stream_idle_timeout": "10s"})
        client, upstream = self.get(post(length=8))
        for _ in range(8):
            mesh.advance(9.0)
            client.send(b"x")
        upstream.send(OK)
        self.assertEqual(client.take(), OK)

    def test_download(self) -> None:
        """An upstream that stops in the middle of its body: the client's connection breaks off."""
        mesh = self.begin(toCluster(timeout="5s"), proxy={"stream_idle_timeout": "10s"})
        client, upstream = self.get()
        upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na")
        mesh.advance(26.0)
        self.assertTrue(client.closed)
        self.assertTrue(upstream.closed)
        self.assertEnded((200, 0))
        self.assertEqual(self.witness.resets, [IDLE_TIMEOUT])

    def test_never(self) -> None:
        """0 switches it off, in both directions."""
        settings = {"connection_idle_timeout": "0s"}
        mesh = self.begin(
            toCluster(timeout="5s"), proxy={"stream_idle_timeout": 0}, listener=settings
        )
        client, upstream = self.get(post(b"a", length=3))
        mesh.advance(5000.0)
        client.send(b"bc")
        upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na")
        mesh.advance(5000.0)
        upstream.send(b"bc")
        self.assertTrue(client.take().endswith(b"abc"))
        self.assertEnded((200, 0))

    def test_neverAndNoTimeout(self) -> None:
        """Without any timeout a request may wait for ever."""
        mesh = self.begin(
            toCluster(timeout="-1s"),
            proxy={"stream_idle_timeout": 0},
            listener={"connection_idle_timeout": "0s"},
        )
        client, upstream = self.get()
        mesh.advance(50000.0)
        upstream.send(OK)
        self.assertEqual(client.take(), OK)


class RaceTests(MeshTestCase):
    """Two ends of one exchange at the same moment: one answer."""

    def test_responseThenTimeout(self) -> None:
        """A response in the turn of the timeout wins when it is first."""
        mesh = self.begin(toCluster(timeout="1s"))
        client, upstream = self.get()
        mesh.reactor.callLater(0.99, upstream.send, OK)
        mesh.reactor.advance(1.5)
        self.assertEqual(client.take(), OK)
        self.assertEnded((200, 0))

    def test_timeoutThenResponse(self) -> None:
        """And is ignored when it is second."""
        mesh = self.begin(toCluster(timeout="1s"))
        client, upstream = self.get()
        mesh.reactor.callLater(1.05, upstream.send, OK)
        mesh.reactor.advance(1.5)
        self.assertStatus(client.take(), 504)
        self.assertEqual(len(self.witness.ended), 1)

    def test_clientLeavesAndTimeout(self) -> None:
        """A client that left is gone for the timeout too."""
        mesh = self.begin(toCluster(timeout="1s"))
        client, _ = self.get()
        mesh.reactor.callLater(0.99, client.reset)
        mesh.reactor.advance(1.5)
        self.assertEnded((504, 0))
        self.assertEqual(mesh.value("request_reset", listener="front"), 1)
