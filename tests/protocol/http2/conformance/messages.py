"""RFC 9113, section 8, and RFC 9218: requests, whole and malformed."""

from __future__ import annotations

from mosntx.testing import h2frames as h2
from tests.protocol.http2.conformance.expect import (
    Case,
    answered,
    case,
    connectionError,
    fields,
    lives,
    malformed,
    received,
)

Fields = tuple[tuple[bytes, bytes], ...]

_OPEN = h2.request(1, h2.POST, end=False)
_WHOLE = h2.request()
_METHOD, _SCHEME, _PATH, _AUTHORITY = h2.GET


def _with(*pairs: tuple[bytes, bytes]) -> bytes:
    """Return a request with more fields."""
    return h2.request(1, (*h2.GET, *pairs))


def _only(*pairs: tuple[bytes, bytes]) -> bytes:
    return h2.request(1, pairs)


def _wrong(section: str, title: str, *steps: bytes) -> Case:
    return case(section, title, malformed, *steps)


def _posted(length: bytes, *rest: bytes) -> tuple[bytes, ...]:
    """Return the steps of a request that declares a length."""
    return (h2.request(1, (*h2.POST, (b"content-length", length)), end=False), *rest)


def _trailers(*pairs: tuple[bytes, bytes], end: bool = True) -> bytes:
    return h2.request(1, pairs, end)


EXCHANGES = (
    case("8.1", "GET", answered(), _WHOLE),
    case("8.1", "HEAD", answered(), h2.request(1, ((b":method", b"HEAD"), *h2.GET[1:]))),
    case("8.1", "POST", received(b"abc"), _OPEN, h2.data(1, b"abc", True)),
    case(
        "8.1",
        "OPTIONS of *",
        answered(),
        _only((b":method", b"OPTIONS"), _SCHEME, (b":path", b"*"), _AUTHORITY),
    ),
    case(
        "8.1",
        "POST with trailers",
        received(b"abc"),
        _OPEN,
        h2.data(1, b"abc"),
        _trailers((b"x-sum", b"1")),
    ),
    case("8.1", "POST with trailers and no body", answered(), _OPEN, _trailers((b"x-sum", b"1"))),
    case("8.1", "requests in turns", answered(1, 3, 5), *map(h2.request, (1, 3, 5))),
    case("8.1", "requests at once", answered(1, 3, 5), b"".join(map(h2.request, (1, 3, 5)))),
    case(
        "8.1",
        "bodies in turns",
        answered(1, 3),
        _OPEN + h2.request(3, h2.POST, False),
        h2.data(1, b"a") + h2.data(3, b"b"),
        h2.data(1, b"c", True) + h2.data(3, b"d", True),
    ),
    _wrong(
        "8.1",
        "HEADERS twice, the second not the end",
        _OPEN,
        _trailers((b"x-sum", b"1"), end=False),
    ),
    _wrong("8.1", "a second head instead of trailers", _OPEN, _WHOLE),
    _wrong(
        "8.1.1",
        "content-length is more than one DATA frame",
        *_posted(b"4", h2.data(1, b"abc", True)),
    ),
    _wrong(
        "8.1.1",
        "content-length is less than one DATA frame",
        *_posted(b"2", h2.data(1, b"abc", True)),
    ),
    _wrong(
        "8.1.1",
        "content-length is more than several DATA frames",
        *_posted(b"9", h2.data(1, b"abc"), h2.data(1, b"abc", True)),
    ),
    _wrong(
        "8.1.1",
        "content-length is less than several DATA frames",
        *_posted(b"5", h2.data(1, b"abc"), h2.data(1, b"abc", True)),
    ),
    _wrong(
        "8.1.1",
        "content-length without a body",
        h2.request(1, (*h2.POST, (b"content-length", b"4"))),
    ),
    _wrong(
        "8.1.1",
        "content-length is wrong before trailers",
        *_posted(b"4", h2.data(1, b"abc"), _trailers((b"a", b"b"))),
    ),
    _wrong("8.1.1", "content-length is no number", *_posted(b"+3", h2.data(1, b"abc", True))),
    _wrong(
        "8.1.1",
        "two values of content-length",
        h2.request(1, (*h2.POST, (b"content-length", b"3"), (b"content-length", b"4")), False),
        h2.data(1, b"abc", True),
    ),
    case(
        "8.1.1",
        "content-length is right, padding does not count",
        received(b"abc"),
        *_posted(b"3", h2.data(1, b"abc", True, padding=7)),
    ),
    case(
        "8.1.1",
        "content-length of 0 without a body",
        answered(),
        h2.request(1, (*h2.POST, (b"content-length", b"0"))),
    ),
    case(
        "8.1.1",
        "the connection goes on after a malformed request",
        lambda dialogue: (
            "" if (3, b"200") in dialogue.statuses() else "the next request is not answered"
        ),
        _with((b"Bad", b"1")),
        h2.request(3),
    ),
)

NAMES = (
    _wrong("8.2.1", "a name in upper case", _with((b"X-Test", b"1"))),
    _wrong("8.2.1", "a name with a space", _with((b"x test", b"1"))),
    _wrong("8.2.1", "a name with a control", _with((b"x\x01test", b"1"))),
    _wrong("8.2.1", "a name with an octet above 0x7f", _with((b"x\xfftest", b"1"))),
    _wrong("8.2.1", "a name with a colon", _with((b"x:test", b"1"))),
    _wrong("8.2.1", "no name", _with((b"", b"1"))),
    _wrong("8.2.1", "a value with NUL", _with((b"x-test", b"a\0b"))),
    _wrong("8.2.1", "a value with CR", _with((b"x-test", b"a\rb"))),
    _wrong("8.2.1", "a value with LF", _with((b"x-test", b"a\nb"))),
    _wrong("8.2.1", "a value that begins with a space", _with((b"x-test", b" a"))),
    _wrong("8.2.1", "a value that ends with a tab", _with((b"x-test", b"a\t"))),
    _wrong("8.2.1", "trailers with a name in upper case", _OPEN, _trailers((b"X-Sum", b"1"))),
    _wrong("8.2.1", "trailers with a value with LF", _OPEN, _trailers((b"x-sum", b"a\nb"))),
    case("8.2.1", "an empty value", fields((b"x-test", b"")), _with((b"x-test", b""))),
    case(
        "8.2.1",
        "a value with octets above 0x7f",
        fields((b"x-test", b"\xe4")),
        _with((b"x-test", b"\xe4")),
    ),
    *[
        _wrong("8.2.2", f"the field {name.decode()}", _with((name, b"close")))
        for name in (
            b"connection",
            b"proxy-connection",
            b"keep-alive",
            b"transfer-encoding",
            b"upgrade",
        )
    ],
    _wrong("8.2.2", "TE other than trailers", _with((b"te", b"trailers, deflate"))),
    case("8.2.2", "TE of trailers", answered(), _with((b"te", b"trailers"))),
    case(
        "8.2.3",
        "Cookie in crumbs",
        fields((b"cookie", b"a=b; c=d")),
        _with((b"cookie", b"a=b"), (b"cookie", b"c=d")),
    ),
)

PSEUDO = (
    _wrong("8.3", "a pseudo field that is unknown", _only(*h2.GET, (b":test", b"1"))),
    _wrong("8.3", "a pseudo field of responses", _only(*h2.GET, (b":status", b"200"))),
    _wrong(
        "8.3",
        "a pseudo field after others",
        _only(_METHOD, _SCHEME, _AUTHORITY, (b"x", b"y"), _PATH),
    ),
    _wrong("8.3", "a pseudo field after others, again", _with((b"x", b"y"), _METHOD)),
    _wrong("8.3", "a pseudo field in trailers", _OPEN, _trailers((b":method", b"GET"))),
    _wrong(
        "8.3", "a pseudo field of responses in trailers", _OPEN, _trailers((b":status", b"200"))
    ),
    _wrong("8.3.1", ":path of nothing", _only(_METHOD, _SCHEME, (b":path", b""), _AUTHORITY)),
    _wrong("8.3.1", ":path without a slash", _only(_METHOD, _SCHEME, (b":path", b"a"), _AUTHORITY)),
    _wrong("8.3.1", ":path with a space", _only(_METHOD, _SCHEME, (b":path", b"/a b"), _AUTHORITY)),
    _wrong("8.3.1", "* for a GET", _only(_METHOD, _SCHEME, (b":path", b"*"), _AUTHORITY)),
    _wrong("8.3.1", "no :method", _only(_SCHEME, _PATH, _AUTHORITY)),
    _wrong("8.3.1", "no :scheme", _only(_METHOD, _PATH, _AUTHORITY)),
    _wrong("8.3.1", "no :path", _only(_METHOD, _SCHEME, _AUTHORITY)),
    _wrong("8.3.1", ":method twice", _only(_METHOD, _METHOD, _SCHEME, _PATH, _AUTHORITY)),
    _wrong("8.3.1", ":scheme twice", _only(_METHOD, _SCHEME, _SCHEME, _PATH, _AUTHORITY)),
    _wrong("8.3.1", ":path twice", _only(_METHOD, _SCHEME, _PATH, _PATH, _AUTHORITY)),
    _wrong("8.3.1", ":authority twice", _only(*h2.GET, _AUTHORITY)),
    _wrong(
        "8.3.1", ":method is no token", _only((b":method", b"G ET"), _SCHEME, _PATH, _AUTHORITY)
    ),
    _wrong(
        "8.3.1",
        ":authority with a user",
        _only(_METHOD, _SCHEME, _PATH, (b":authority", b"me@example.com")),
    ),
    _wrong("8.3.1", "Host and :authority differ", _with((b"host", b"example.org"))),
    _wrong("8.3.1", "no fields at all", h2.headers(1, b"", True)),
    case("8.3.1", "Host is the same as :authority", answered(), _with((b"host", b"example.com"))),
    case(
        "8.3.1",
        "Host instead of :authority",
        answered(),
        _only(_METHOD, _SCHEME, _PATH, (b"host", b"a")),
    ),
    case("8.5", "CONNECT", answered(), _only((b":method", b"CONNECT"), (b":authority", b"a:80"))),
    _wrong(
        "8.5",
        "CONNECT with :path",
        _only((b":method", b"CONNECT"), _PATH, (b":authority", b"a:80")),
    ),
    _wrong(
        "8.5",
        "CONNECT with :scheme",
        _only((b":method", b"CONNECT"), _SCHEME, (b":authority", b"a:80")),
    ),
    _wrong("8.5", "CONNECT without :authority", _only((b":method", b"CONNECT"))),
    _wrong("8441 4", ":protocol without CONNECT", _with((b":protocol", b"websocket"))),
    case(
        "8441 4",
        "extended CONNECT",
        answered(),
        _only((b":method", b"CONNECT"), (b":protocol", b"websocket"), *h2.GET[1:]),
    ),
    _wrong(
        "8441 4",
        "extended CONNECT without :path",
        _only((b":method", b"CONNECT"), (b":protocol", b"websocket"), _SCHEME, _AUTHORITY),
    ),
)

PRIORITIES = (
    case("9218 4", "the field priority", answered(), _with((b"priority", b"u=1, i"))),
    case(
        "9218 4", "the field priority with nonsense", answered(), _with((b"priority", b"u=99,?!"))
    ),
    case(
        "9218 7.1",
        "PRIORITY_UPDATE of an open stream",
        answered(),
        _OPEN,
        h2.priorityUpdate(1, b"u=1"),
        h2.data(1, b"x", True),
    ),
    case(
        "9218 7.1",
        "PRIORITY_UPDATE of an idle stream",
        answered(),
        h2.priorityUpdate(1, b"u=1"),
        _WHOLE,
    ),
    case(
        "9218 7.1",
        "PRIORITY_UPDATE of a closed stream",
        answered(),
        _WHOLE,
        h2.priorityUpdate(1, b"u=1"),
    ),
    case("9218 7.1", "PRIORITY_UPDATE with nonsense", lives, h2.priorityUpdate(1, b"\xff?!")),
    case(
        "9218 7.1",
        "PRIORITY_UPDATE of stream 0",
        connectionError(h2.PROTOCOL_ERROR),
        h2.priorityUpdate(0, b"u=1"),
    ),
    case(
        "9218 7.1",
        "PRIORITY_UPDATE on a stream",
        connectionError(h2.PROTOCOL_ERROR),
        h2.rawFrame(16, 0, 1, b"\0\0\0\1u=1"),
    ),
    case(
        "9218 7.1",
        "PRIORITY_UPDATE of three octets",
        connectionError(h2.FRAME_SIZE_ERROR),
        h2.rawFrame(16, 0, 0, b"\0\0\1"),
    ),
)

CASES = EXCHANGES + NAMES + PSEUDO + PRIORITIES
