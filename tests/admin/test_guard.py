"""Tests of `mosntx.admin.guard`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.server import Request
from twisted.web.test.requesthelper import DummyChannel

from mosntx.admin.guard import hostName, isLocalName, refusal


def request(
    method: bytes = b"GET", host: bytes | None = None, origin: bytes | None = None
) -> Request:
    """Return a request with these header fields."""
    made = Request(DummyChannel(), False)
    made.method = method
    for name, value in ((b"host", host), (b"origin", origin)):
        if value is not None:
            made.requestHeaders.setRawHeaders(name, [value])
    return made


class NameTests(SynchronousTestCase):
    """Host names."""

    def test_hostName(self) -> None:
        """The port and the brackets of IPv6 are taken off."""
        for authority, host in (
            ("Example.com:80", "example.com"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]:34901", "::1"),
            ("::1", "::1"),
            ("", ""),
        ):
            self.assertEqual(hostName(authority), host)

    def test_isLocalName(self) -> None:
        """Addresses and localhost are local; names that only look so are not."""
        for host in ("127.0.0.1", "10.1.2.3", "::1", "fe80::1%eth0", "localhost", "a.localhost"):
            self.assertTrue(isLocalName(host), host)
        for host in ("127.0.0.1.evil.example", "localhost.evil.example", "evil", "", "1.2.3"):
            self.assertFalse(isLocalName(host), host)


class RefusalTests(SynchronousTestCase):
    """Who is refused."""

    def test_tools(self) -> None:
        """Curl by address, an old client without Host: all may ask and change."""
        for method in (b"GET", b"POST"):
            for host in (None, b"127.0.0.1:34901", b"localhost", b"[::1]:34901"):
                self.assertIsNone(refusal(request(method, host), True))

    def test_rebinding(self) -> None:
        """On loopback a DNS name is refused, for reading as well."""
        for method in (b"GET", b"POST"):
            self.assertIsNotNone(refusal(request(method, b"evil.example:34901"), True))

    def test_published(self) -> None:
        """Bound to a real address the API may have a name."""
        self.assertIsNone(refusal(request(b"GET", b"mosn.svc:34901"), False))
        self.assertIsNone(refusal(request(b"POST", b"mosn.svc:34901"), False))

    def test_crossSite(self) -> None:
        """A page of another origin may not change anything, wherever the API is bound."""
        for origin in (b"http://evil.example", b"null", b"http://127.0.0.1:8000", b""):
            for loopback in (True, False):
                asked = request(b"POST", b"127.0.0.1:34901", origin)
                self.assertIsNotNone(refusal(asked, loopback), origin)

    def test_sameSite(self) -> None:
        """A page that the API itself has served may."""
        asked = request(b"POST", b"127.0.0.1:34901", b"http://127.0.0.1:34901")
        self.assertIsNone(refusal(asked, True))

    def test_reading(self) -> None:
        """Reading across origins is left to the browser, which shows the answer to nobody."""
        self.assertIsNone(refusal(request(b"GET", b"127.0.0.1", b"http://evil.example"), True))
