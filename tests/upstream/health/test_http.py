"""Tests of `mosntx.upstream.health.http`."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import CodeRange, HttpCheck
from mosntx.net.connector import ConnectFailed
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.testing.net import FakeConnector
from mosntx.testing.upstream import FakeHost
from mosntx.upstream.health.http import MOST_REDIRECTS, HttpProbe, firstQuestion


def status(line: bytes, *fields: bytes) -> bytes:
    """Return a response without a body."""
    head = b"".join(field + b"\r\n" for field in (*fields, b"Content-Length: 0"))
    return b"HTTP/1.1 " + line + b"\r\n" + head + b"\r\n"


class HttpTestCase(SynchronousTestCase):
    """A host that is asked by HTTP."""

    def begin(self, address: str = "10.0.0.1:8080", **config: Any) -> Deferred[bool]:
        """Begin a check."""
        self.connector = FakeConnector()
        probe = HttpProbe(HttpCheck(**config), address, self.connector, Http1Protocol())
        check = probe.check(FakeHost(address))
        probe.close()
        return check

    def connect(self) -> Any:
        """Let the last connect succeed."""
        return self.connector.attempts[-1].succeed()

    def result(self, response: bytes, **config: Any) -> bool:
        """Return what one response comes to."""
        check = self.begin(**config)
        connection = self.connect()
        connection.deliver(response)
        self.assertTrue(connection.closing)
        return self.successResultOf(check)


class RequestTests(HttpTestCase):
    """What is sent, and where."""

    def sent(self, address: str = "10.0.0.1:8080", **config: Any) -> tuple[str, bytes, list[bytes]]:
        """Return address, request line and fields."""
        self.begin(address, **config)
        octets = self.connect().written
        self.assertTrue(octets.endswith(b"\r\n\r\n"))
        line, *fields = octets[:-4].split(b"\r\n")
        return self.connector.attempts[0].address, line, fields

    def test_default(self) -> None:
        """GET / of the host itself."""
        address, line, fields = self.sent()
        self.assertEqual((address, line), ("10.0.0.1:8080", b"GET / HTTP/1.1"))
        self.assertEqual(fields, [b"Host: 10.0.0.1:8080", b"User-Agent: mosntx"])

    def test_everything(self) -> None:
        """Port, method, path with query, and the Host field."""
        address, line, fields = self.sent(
            port=9090, method="HEAD", path="/health?deep=1&x=%41", domain="shop.example"
        )
        self.assertEqual(address, "10.0.0.1:9090")
        self.assertEqual(line, b"HEAD /health?deep=1&x=%41 HTTP/1.1")
        self.assertIn(b"Host: shop.example", fields)

    def test_port(self) -> None:
        """0 and -1 mean the host's own port, as in MOSN."""
        for port, address in (
            (0, "10.0.0.1:8080"),
            (-1, "10.0.0.1:8080"),
            (33333, "10.0.0.1:33333"),
        ):
            self.assertEqual(self.sent(port=port)[0], address)

    def test_queries(self) -> None:
        """A query alone is one of the path /, and an empty one is left out."""
        self.assertEqual(self.sent(path="?only=query")[1], b"GET /?only=query HTTP/1.1")
        self.assertEqual(self.sent(path="/a?")[1], b"GET /a HTTP/1.1")

    def test_paths(self) -> None:
        """A path gets its slash, and what HTTP cannot carry is escaped."""
        self.assertEqual(self.sent(path="ok")[1], b"GET /ok HTTP/1.1")
        self.assertEqual(
            self.sent(path="/a b/\u00fc?q=a b")[1], b"GET /a%20b/%C3%BC?q=a%20b HTTP/1.1"
        )

    def test_noSmuggling(self) -> None:
        """Line ends in the configuration do not make a second request."""
        _address, line, fields = self.sent(path="/a\r\nX: y")
        self.assertNotIn(b"X: y", fields)
        self.assertTrue(line.startswith(b"GET /a"))
        for broken in ({"method": "GET /x"}, {"domain": "a\r\nb: c"}, {"domain": "\u00fc"}):
            with self.assertRaises((ValueError, EncodeError)):
                self.begin(**broken)

    def test_v6(self) -> None:
        """An IPv6 address keeps its brackets."""
        address, _line, fields = self.sent("[::1]:80", port=81)
        self.assertEqual((address, fields[0]), ("[::1]:81", b"Host: [::1]:81"))

    def test_unix(self) -> None:
        """A unix socket is asked as localhost."""
        address, _line, fields = self.sent("unix:/run/app.sock", port=81)
        self.assertEqual((address, fields[0]), ("unix:/run/app.sock", b"Host: localhost"))

    def test_badAddress(self) -> None:
        """A host that has no address cannot be asked."""
        with self.assertRaises(ValueError):
            firstQuestion(HttpCheck(), "nowhere")


class StatusTests(HttpTestCase):
    """What the answer comes to."""

    def test_default(self) -> None:
        """Exactly 200 is well."""
        self.assertTrue(self.result(status(b"200 OK")))
        for line in (b"201 Created", b"204 No Content", b"404 Not Found", b"503 Bad"):
            self.assertFalse(self.result(status(line)))

    def test_codes(self) -> None:
        """Ranges include both ends."""
        codes = (CodeRange(start=200, end=204), CodeRange(start=404, end=404))
        for line, good in (
            (b"200 OK", True),
            (b"204 No Content", True),
            (b"205 Reset", False),
            (b"404 Not Found", True),
            (b"403 Forbidden", False),
        ):
            self.assertEqual(self.result(status(line), codes=codes), good, line)

    def test_interim(self) -> None:
        """Interim responses are passed over."""
        self.assertTrue(self.result(b"HTTP/1.1 103 Early Hints\r\n\r\n" + status(b"200 OK")))

    def test_cut(self) -> None:
        """A head in pieces is one head; a body is not waited for."""
        check = self.begin()
        connection = self.connect()
        for octet in b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r":
            connection.deliver(bytes([octet]))
        self.assertNoResult(check)
        connection.deliver(b"\n")
        self.assertIs(self.successResultOf(check), True)

    def test_nonsense(self) -> None:
        """What is no HTTP is a bad answer."""
        self.assertFalse(self.result(b"220 smtp ready\r\n\r\n"))

    def test_closed(self) -> None:
        """So is a connection that ends without a status."""
        check = self.begin()
        self.connect().lose()
        self.assertIs(self.successResultOf(check), False)

    def test_refused(self) -> None:
        """So is a refused connect, as in MOSN."""
        check = self.begin()
        self.connector.attempts[0].fail(ConnectFailed("10.0.0.1:8080", "refused"))
        self.assertIs(self.successResultOf(check), False)

    def test_mistake(self) -> None:
        """A mistake of ours is not hidden."""
        check = self.begin()
        self.connector.attempts[0].fail(ZeroDivisionError())
        self.failureResultOf(check, ZeroDivisionError)

    def test_cancelled(self) -> None:
        """A check that is given up aborts its connection, and hears nothing of its end."""
        check = self.begin()
        connection = self.connect()
        check.cancel()
        self.failureResultOf(check)
        self.assertTrue(connection.aborted)
        connection.lose()


class RedirectTests(HttpTestCase):
    """Redirects are followed."""

    def test_sameHost(self) -> None:
        """On the same host the Host field of the configuration stays."""
        check = self.begin(path="/a/b", domain="shop.example")
        self.connect().deliver(status(b"302 Found", b"Location: c?x=1"))
        octets = self.connect().written
        self.assertTrue(octets.startswith(b"GET /a/c?x=1 HTTP/1.1\r\nHost: shop.example\r\n"))
        self.connector.attempts[1].connection.deliver(status(b"200 OK"))
        self.assertIs(self.successResultOf(check), True)

    def test_otherHost(self) -> None:
        """Another host is asked at its own port, by its own name."""
        for location, address, host in (
            (b"http://other.example/x", "other.example:80", b"other.example"),
            (b"http://other.example:81/x#top", "other.example:81", b"other.example:81"),
            (b"http://[::2]:9/x", "[::2]:9", b"[::2]:9"),
        ):
            self.begin(domain="shop.example")
            first = self.connect()
            first.deliver(status(b"301 Moved", b"Location: " + location))
            self.assertTrue(first.aborted)
            octets = self.connect().written
            self.assertEqual(self.connector.attempts[1].address, address)
            self.assertTrue(octets.startswith(b"GET /x HTTP/1.1\r\nHost: " + host + b"\r\n"))

    def test_methods(self) -> None:
        """303 and the like ask with GET, 307 and 308 as before; HEAD stays HEAD."""
        for line, method, then in (
            (b"303 See Other", "POST", b"GET"),
            (b"307 Temporary", "POST", b"POST"),
            (b"308 Permanent", "POST", b"POST"),
            (b"302 Found", "HEAD", b"HEAD"),
        ):
            self.begin(method=method)
            self.connect().deliver(status(line, b"Location: /"))
            self.assertTrue(self.connect().written.startswith(then + b" / "))

    def test_without(self) -> None:
        """A redirect that names no place is a status like any other."""
        codes = (CodeRange(start=300, end=399),)
        self.assertTrue(self.result(status(b"302 Found"), codes=codes))
        self.assertTrue(self.result(status(b"304 Not Modified", b"Location: /"), codes=codes))

    def test_nowhere(self) -> None:
        """One that leads where we do not go is a bad answer."""
        for location in (
            b"https://a/",
            b"ftp://a/",
            b"http://u:p@a/",
            b"http://[::1/",
            b"http://a:99999/",
        ):
            response = status(b"302 Found", b"Location: " + location)
            self.assertFalse(self.result(response), location)

    def test_unsayable(self) -> None:
        """A name that HTTP cannot carry is a bad answer."""
        check = self.begin()
        self.connect().deliver(status(b"302 Found", b"Location: http://\xfc.example/"))
        self.connect()
        self.assertIs(self.successResultOf(check), False)

    def test_talkative(self) -> None:
        """What follows a redirect in the same octets does not end the check."""
        check = self.begin()
        self.connect().deliver(status(b"302 Found", b"Location: /x") + b"and more\r\n\r\n")
        self.assertNoResult(check)
        self.connect().deliver(status(b"200 OK"))
        self.assertIs(self.successResultOf(check), True)

    def test_loop(self) -> None:
        """A host that redirects for ever is given up."""
        check = self.begin()
        for _ in range(MOST_REDIRECTS + 1):
            self.assertNoResult(check)
            self.connect().deliver(status(b"302 Found", b"Location: /again"))
        self.assertIs(self.successResultOf(check), False)
        self.assertEqual(len(self.connector.attempts), MOST_REDIRECTS + 1)

    def test_oldConnection(self) -> None:
        """What the redirecting host still says is not taken for an answer."""
        check = self.begin()
        first = self.connect()
        first.deliver(status(b"302 Found", b"Location: /x"))
        self.connector.attempts[0].receiver.bytesReceived(status(b"200 OK"))
        first.lose()
        self.assertNoResult(check)
