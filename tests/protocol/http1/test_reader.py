"""Tests of what both ends do with octets."""

from __future__ import annotations

import gc
import weakref

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import DATA, HEAD
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.testing.playbook import describe, halves, merge

HEAD_OCTETS = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


class ReaderTests(SynchronousTestCase):
    """See `MessageReader`."""

    def test_joined(self) -> None:
        """Chunks that come in one read are one event, with the end in it."""
        events = (
            Http1Protocol().serverCodec().receive(HEAD_OCTETS + b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n")
        )
        self.assertEqual([event[0] for event in events], [HEAD, DATA])
        self.assertEqual(events[1][2:], (b"ab", True))

    def test_pipelinedBehindChunks(self) -> None:
        """A request behind a chunked one waits untouched and is the next one, in every cut."""
        message = HEAD_OCTETS + b"8\r\n\r\n\r\n\r\n\r\n\r\n0\r\nX: y\r\n\r\n"
        following = b"PUT /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        for position in range(1, len(message + following)):
            protocol = Http1Protocol()
            codec = protocol.serverCodec()
            events = []
            for piece in halves(position)(message + following):
                events += codec.receive(piece)
            self.assertEqual(
                [describe(event) for event in merge(events)],
                ["1 head POST /", "1 data %r" % (b"\r\n" * 4), "1 trailers X: y"],
            )
            self.assertEqual(codec.backlog, len(following))
            codec.responseHead(1, protocol.localReply(None, 204, b"").head, True)
            self.assertEqual(
                [describe(event) for event in codec.next()], ["2 head PUT /2", "2 data b'' end"]
            )

    def test_uncopied(self) -> None:
        """Octets of a body that fill a read are passed on without a copy."""
        codec = Http1Protocol().serverCodec()
        codec.receive(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n")
        octets = b"0123456789"
        self.assertIs(codec.receive(octets)[0][2], octets)
        self.assertIs(codec.receive(octets)[0][2], octets)

    def test_noCycles(self) -> None:
        """A codec that failed goes away without the garbage collector."""
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        for octets in (b"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", b"G\n", HEAD_OCTETS + b"x\r\n"):
            protocol = Http1Protocol()
            events = protocol.serverCodec().receive(octets)
            gone = weakref.ref(events[-1][2])
            parser = weakref.ref(protocol)
            del events, protocol
            self.assertIsNone(gone())
            self.assertIsNone(parser())

    def test_slowHead(self) -> None:
        """A large head that comes octet by octet is searched once, not again for each octet."""
        codec = Http1Protocol().serverCodec()
        octets = b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 30_000 + b"\r\n\r\n"
        for position in range(len(octets) - 1):
            self.assertEqual(codec.receive(octets[position : position + 1]), [])
        self.assertEqual(codec.receive(octets[-1:])[0][0], HEAD)
