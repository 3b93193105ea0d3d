"""Any message that is read, written and read again is the same message."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import DATA, HEAD, TRAILERS, Event
from mosntx.protocol.http1.fields import HOP_BY_HOP
from mosntx.protocol.http1.framing import FORBIDDEN_TRAILERS
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.testing.playbook import merge, pieces

TOKEN = st.text("abcXYZ019-_.!~", min_size=1, max_size=12).map(str.encode)
VALUE = (
    st.binary(max_size=20)
    .map(lambda octets: bytes(octet for octet in octets if octet >= 32 and octet != 127))
    .map(bytes.strip)
)
SPECIAL = {b"host", b"content-length", b"expect"}
FIELDS = st.lists(
    st.tuples(TOKEN, VALUE).filter(lambda pair: pair[0].lower() not in SPECIAL | HOP_BY_HOP),
    max_size=6,
)
TRAILER_FIELDS = FIELDS.map(
    lambda pairs: [pair for pair in pairs if pair[0].lower() not in FORBIDDEN_TRAILERS]
)
TARGET = st.text("abc/?=&%20.;", max_size=20).map(lambda text: b"/" + text.encode())
BODY = st.lists(st.binary(min_size=1, max_size=40), max_size=4)
SIZES = st.lists(st.integers(1, 60), min_size=1, max_size=6)
SPACE = st.sampled_from([b"", b" ", b"\t", b"  "])


def block(pairs: list[tuple[bytes, bytes]], space: bytes) -> bytes:
    """Write fields with some space around the values."""
    return b"".join(b"%b:%b%b%b\r\n" % (n, space, v, space if v else b"") for n, v in pairs)


def body(parts: list[bytes], chunked: bool, trailers: list[Any]) -> tuple[bytes, bytes]:
    """Write a body: the field that frames it, and its octets."""
    if not chunked:
        octets = b"".join(parts)
        return b"Content-Length: %d\r\n" % len(octets), octets
    chunks = b"".join(b"%x;e\r\n%b\r\n" % (len(part), part) for part in parts)
    return b"Transfer-Encoding: chunked\r\n", chunks + b"0\r\n" + block(trailers, b" ") + b"\r\n"


def parts(events: list[Event]) -> tuple[Any, bytes, list[Any]]:
    """Return the head, the body and the trailers of one message, which is complete."""
    merged = merge(events)
    assert merged[0][0] == HEAD and merged[-1][3]
    data = b"".join(event[2] for event in merged if event[0] == DATA)
    trailers = [event[2].items() for event in merged if event[0] == TRAILERS]
    return merged[0][2], data, list(trailers[0]) if trailers else []


def feed(codec: Any, octets: bytes, sizes: list[int]) -> list[Event]:
    """Feed octets in pieces."""
    return [event for part in pieces(sizes)(octets) for event in codec.receive(part)]


class RoundTripTests(SynchronousTestCase):
    """Server codec, client codec, server codec; and the way back."""

    @given(TARGET, FIELDS, SPACE, BODY, st.booleans(), TRAILER_FIELDS, SIZES, st.booleans())
    def test_requests(
        self,
        target: bytes,
        fields: list[Any],
        space: bytes,
        chunks: list[bytes],
        chunked: bool,
        trailers: list[Any],
        sizes: list[int],
        changed: bool,
    ) -> None:
        """A request that goes through a proxy arrives as it was sent."""
        framing, octets = body(chunks, chunked, trailers)
        start = b"POST %b HTTP/1.1\r\nhOst: a.B\r\nConnection: keep-alive\r\n" % target
        wire = start + framing + block(fields, space) + b"\r\n" + octets
        protocol = Http1Protocol()
        events = feed(protocol.serverCodec(), wire, sizes)
        client = protocol.clientCodec()
        out = b""
        for kind, _, part, end in events:
            if kind == HEAD:
                if changed:
                    part.headers.add(b"x-added", b"1")
                out += client.requestHead(part, end)[1]
            elif kind == DATA:
                out += client.requestData(1, part, end)
            else:
                out += client.requestTrailers(1, part)
        head, data, ends = parts(feed(protocol.serverCodec(), out, sizes[::-1]))
        expected = [(b"hOst", b"a.B"), *fields]
        if not chunked:
            expected.insert(1, (b"Content-Length", b"%d" % len(b"".join(chunks))))
        if changed:
            expected.append((b"x-added", b"1"))
        self.assertEqual(head.headers.items(), expected)
        self.assertEqual((head.method, head.path, head.authority), (b"POST", target, b"a.b"))
        self.assertEqual((data, ends), (b"".join(chunks), trailers if chunked else []))

    @given(FIELDS, SPACE, BODY, st.booleans(), TRAILER_FIELDS, SIZES)
    def test_responses(
        self,
        fields: list[Any],
        space: bytes,
        chunks: list[bytes],
        chunked: bool,
        trailers: list[Any],
        sizes: list[int],
    ) -> None:
        """A response that goes through a proxy arrives as it was sent."""
        framing, octets = body(chunks, chunked, trailers)
        wire = b"HTTP/1.1 203 Any Thing\r\n%b%b\r\n%b" % (framing, block(fields, space), octets)
        protocol = Http1Protocol()
        server = protocol.serverCodec()
        request = server.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")[0][2]
        upstream, client = protocol.clientCodec(), protocol.clientCodec()
        upstream.requestHead(request, True)
        client.requestHead(request, True)
        out = b""
        for kind, _, part, end in feed(upstream, wire, sizes):
            if kind == HEAD:
                out += server.responseHead(1, part, end)
            elif kind == DATA:
                out += server.responseData(1, part, end)
            else:
                out += server.responseTrailers(1, part)
        head, data, ends = parts(feed(client, out, sizes[::-1]))
        pairs = [pair for pair in head.headers.items() if pair[0] != b"Content-Length"]
        self.assertEqual((head.status, head.line), (203, b"HTTP/1.1 203 Any Thing"))
        self.assertEqual((pairs, data), (fields, b"".join(chunks)))
        self.assertEqual(ends, trailers if chunked else [])
        self.assertTrue(client.reusable and upstream.reusable)
