"""Tests of the reader that decides whether an idle HTTP/2 connection got its answer."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from bench.drivers.http2_idle import Http2AnswerReader, Http2IdleConnections
from mosntx.testing import h2frames as h2

BODY = b"the body"
HEAD = h2.settings() + h2.settingsAck() + h2.headers(1, h2.fieldBlock([(b":status", b"200")]))


class Http2AnswerReaderTests(SynchronousTestCase):
    """`Http2AnswerReader.feed`."""

    def test_octetByOctet(self) -> None:
        """Nothing is decided before the last octet of the last frame."""
        answer = HEAD + h2.data(1, BODY[:3]) + h2.data(1, BODY[3:], True)
        reader = Http2AnswerReader(BODY)
        said = [reader.feed(answer[i : i + 1]) for i in range(len(answer))]
        self.assertEqual(set(said[:-1]), {None})
        self.assertIs(said[-1], True)
        self.assertIs(Http2AnswerReader(BODY).feed(answer), True)

    def test_wrong(self) -> None:
        """Another body, a reset and a GOAWAY are wrong."""
        for octets in (HEAD + h2.data(1, b"?", True), h2.rstStream(1), h2.goAway(1)):
            self.assertIs(Http2AnswerReader(BODY).feed(octets), False, octets)

    def test_request(self) -> None:
        """A connection begins with the preface and asks on stream 1."""
        with Http2IdleConnections(1, BODY) as crowd:
            octets = crowd.request()
            self.assertIsInstance(crowd.reader(), Http2AnswerReader)
        self.assertTrue(octets.startswith(h2.PREFACE))
        frames = h2.parseFrames(octets.removeprefix(h2.PREFACE))
        self.assertEqual((frames[-1].type, frames[-1].stream), (h2.HEADERS, 1))
