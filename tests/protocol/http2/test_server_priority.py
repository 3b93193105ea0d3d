"""Whose data a server sends first (RFC 9218), against a client that is played frame by frame."""

from __future__ import annotations

from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import HEAD, PRIORITY
from mosntx.contracts.message import Pair
from mosntx.protocol.http2.codes import NO_RFC7540_PRIORITIES
from mosntx.testing import h2frames
from tests.protocol.http2.build import Raw, response


class Cases:
    """Orders."""

    engine: ClassVar[str]

    def raw(self) -> Raw:
        return Raw("server", self.engine)

    def order(self: Any, raw: Raw, *fields: list[Pair]) -> list[int]:
        """Answer streams 1, 3 and so on, all at once; return them in the order of their data."""
        raw.codec.corked = True
        for place, each in enumerate(fields):
            raw.codec.responseHead(2 * place + 1, response(200, each), False)
            raw.codec.responseData(2 * place + 1, b"x" * 20000, True)
        raw.codec.corked = False
        return [each.stream for each in raw.frames() if each.type == h2frames.DATA]

    def test_priorityBeforeTheRequest(self: Any) -> None:
        """PRIORITY_UPDATE may come before its request and weighs more than the field."""
        raw = self.raw()
        raw.receive(h2frames.priorityUpdate(3, b"u=0"))
        raw.receive(
            h2frames.request(1, (*h2frames.GET, (b"priority", b"u=2"))),
            h2frames.request(3, (*h2frames.GET, (b"priority", b"u=7"))),
        )
        raw.codec.corked = True
        for stream in (1, 3):
            raw.codec.responseHead(stream, response(), False)
            raw.codec.responseData(stream, b"x", True)
        raw.codec.corked = False
        data = [each.stream for each in raw.frames() if each.type == h2frames.DATA]
        self.assertEqual(data, [3, 1])

    def test_priorityOfTheResponse(self: Any) -> None:
        """The server's priority field changes what it names and leaves the rest (RFC 9218 8)."""
        raw = self.raw()
        for stream, value in ((1, b"u=1, i"), (3, b"u=2, i")):
            raw.receive(h2frames.request(stream, (*h2frames.GET, (b"priority", value))))
        self.assertEqual(self.order(raw, [(b"priority", b"u=5")], []), [3, 3, 1, 1])
        raw = self.raw()
        for stream in (1, 3):
            raw.receive(h2frames.request(stream, (*h2frames.GET, (b"priority", b"u=1, i"))))
        both = [(b"priority", b"i=?0")]
        self.assertEqual(self.order(raw, both, both), [1, 1, 3, 3])

    def test_noPriority(self: Any) -> None:
        """Streams of which nobody says anything take turns, so that none waits for another."""
        raw = self.raw()
        raw.receive(h2frames.request(1), h2frames.request(3))
        self.assertEqual(self.order(raw, [], []), [1, 3, 1, 3])

    def test_dependencies(self: Any) -> None:
        """Priorities of RFC 7540 are taken and change nothing, as SETTINGS say."""
        raw = self.raw()
        said = h2frames.readSettings(raw.first[0].payload)
        self.assertEqual(said[NO_RFC7540_PRIORITIES], 1)
        events = raw.receive(
            h2frames.priority(9, 0, 256),
            h2frames.headers(1, h2frames.fieldBlock(h2frames.GET), True, priority=(9, 1, True)),
            h2frames.headers(3, h2frames.fieldBlock(h2frames.GET), True, priority=(1, 256, False)),
            h2frames.priority(3, 1, 256, True),
        )
        self.assertEqual(events, [(HEAD, 1, True), (HEAD, 3, True)])
        self.assertEqual(self.order(raw, [], []), [1, 3, 1, 3])

    def test_priorityIsTold(self: Any) -> None:
        """Whoever has the request hears of a new priority, and of one that came before it."""
        raw = self.raw()
        self.assertEqual(raw.receive(h2frames.priorityUpdate(1, b"u=0")), [])
        self.assertEqual(raw.receive(h2frames.request(1)), [(HEAD, 1, True), (PRIORITY, 1, False)])
        self.assertEqual(raw.receive(h2frames.priorityUpdate(1, b"u=1")), [(PRIORITY, 1, False)])
        self.assertEqual(self.order(raw, []), [1, 1])
        self.assertEqual(raw.receive(h2frames.priorityUpdate(1, b"u=2")), [])


class H2Tests(Cases, SynchronousTestCase):
    """On hyper-h2."""

    engine = "h2"


class Ngh2Tests(Cases, SynchronousTestCase):
    """On libnghttp2."""

    engine = "ngh2"
