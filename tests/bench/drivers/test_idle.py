"""Tests of the reader that decides whether an idle connection got its answer."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from bench.drivers.idle import AnswerReader

BODY = b"the body"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n8\r\nthe body\r\n0\r\n\r\n"


class AnswerReaderTests(SynchronousTestCase):
    """`AnswerReader.feed`."""

    def feedEach(self, octets: bytes) -> list[bool | None]:
        """Return what a reader says to each single octet."""
        reader = AnswerReader(BODY)
        return [reader.feed(octets[i : i + 1]) for i in range(len(octets))]

    def test_whole(self) -> None:
        """A whole answer is right at once, with a length or in chunks."""
        self.assertIs(AnswerReader(BODY).feed(HEAD + BODY), True)
        self.assertIs(AnswerReader(BODY).feed(CHUNKED), True)

    def test_octetByOctet(self) -> None:
        """Nothing is decided before the last octet."""
        for answer in (HEAD + BODY, CHUNKED):
            said = self.feedEach(answer)
            self.assertIs(said[-1], True)
            self.assertEqual(set(said[:-1]), {None})

    def test_wrong(self) -> None:
        """Another status, another body and octets after the end are wrong."""
        for answer in (
            b"HTTP/1.1 503 Service Unavailable\r\n\r\n",
            HEAD + b"the BODY",
            HEAD + BODY + b"!",
            CHUNKED.replace(BODY, b"the BODY"),
        ):
            self.assertIs(AnswerReader(BODY).feed(answer), False, answer)
