"""Tests of the contract suite for codecs: it has to notice what it promises to notice."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import DATA, FAILED, HEAD, INFORMATIONAL, RESET, TRAILERS, Event
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.protocol.http1.server import Http1ServerCodec
from mosntx.testing.contracts.codec import CodecSuite, assertLegal
from tests.protocol.http1 import test_protocol


class OrderTests(SynchronousTestCase):
    """See `assertLegal`."""

    def test_legal(self) -> None:
        """Streams are told apart, and what was open before is remembered."""
        states = assertLegal([(INFORMATIONAL, 1, None, False), (HEAD, 1, None, False)])
        self.assertEqual(states, {1: "open"})
        events: list[Event] = [
            (HEAD, 3, None, True),
            (DATA, 1, b"", False),
            (TRAILERS, 1, None, True),
            (RESET, 5, 1, True),
            (FAILED, 0, None, True),
        ]
        self.assertEqual(set(assertLegal(events, states).values()), {"over"})

    def test_illegal(self) -> None:
        """Every break of the order is noticed."""
        head: Event = (HEAD, 1, None, False)
        over: Event = (HEAD, 1, None, True)
        broken: list[list[Event]] = [
            [head, head],
            [(DATA, 1, b"", True)],
            [over, (DATA, 1, b"", True)],
            [head, (TRAILERS, 1, None, False)],
            [head, (INFORMATIONAL, 1, None, False)],
            [over, (RESET, 1, 1, True)],
            [(FAILED, 0, None, True), head],
            [(FAILED, 0, None, False)],
        ]
        for events in broken:
            self.assertRaises(AssertionError, assertLegal, events)


class TalkativeCodec(Http1ServerCodec):
    """Goes on after a failure, and joins nothing across reads."""

    __slots__ = ()

    def receive(self, data: bytes) -> list[Event]:
        """See `ICodec.receive`, and ignore it."""
        if self.closing:
            return [(FAILED, 0, None, True)]
        return [] if len(data) == 1 else super().receive(data)


class TalkativeProtocol(Http1Protocol):
    """Makes codecs that break the contract."""

    def serverCodec(self) -> Any:
        """See `IProtocol.serverCodec`."""
        return TalkativeCodec(self.limits, self._requestFields, self._requestHeads)


class SuiteTests(SynchronousTestCase):
    """See `CodecSuite`."""

    def failures(self, protocol: type[Http1Protocol], name: str) -> list[str]:
        """Run one test of the suite for a protocol and return its failures."""

        class Case(test_protocol.Http1SuiteTests):
            """The suite for ``protocol``."""

            def protocol(self) -> Http1Protocol:
                """See `CodecSuite`."""
                return protocol()

        self.assertTrue(issubclass(Case, CodecSuite))
        result = self.defaultTestResult()
        Case(name).run(result)
        return [str(failure) for _, failure in result.failures + result.errors]

    def test_notices(self) -> None:
        """A codec that talks after its failure, or minds the cut, does not pass."""
        for name in ("test_broken", "test_requestsCut"):
            self.assertEqual(len(self.failures(TalkativeProtocol, name)), 1)
            self.assertEqual(self.failures(Http1Protocol, name), [])
