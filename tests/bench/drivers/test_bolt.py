"""Tests of the Bolt load generator: frames, calls and answers of a connection, its report."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bench.drivers import bolt
from bench.drivers import bolt_frames as frames
from bench.drivers.base import ReportError
from bench.drivers.bolt_idle import NUMBER, BoltAnswerReader, BoltIdleConnections
from bench.drivers.bolt_load import ID_LIMIT, Calls, Tally

REQUEST = frames.request(b"the body")
RESPONSE = frames.response(b"the body")
#: As anthunder 0.8.1 sent them.
HEARTBEAT = bytes.fromhex("01010000011713df300b000000000000000000000000")
HEARTBEAT_ACK = bytes.fromhex("01000000011713df300b00000000000000000000")


def answersTo(numbers: list[int]) -> bytes:
    """Return the right answers, in this order."""
    return bytes(frames.numbered(RESPONSE, struct.pack(f">{len(numbers)}I", *numbers)))


def numbersIn(octets: bytes | bytearray) -> list[int]:
    """Return the ids of requests."""
    return list(frames.unpackIds(frames.idsOf(bytes(octets), len(REQUEST))))


class FrameTests(SynchronousTestCase):
    """Frames, one and many."""

    def test_request(self) -> None:
        """The fields stand where Bolt v1 has them, and the service is in the header map."""
        self.assertEqual(REQUEST[:5], b"\x01\x01\x00\x01\x01")
        self.assertEqual(frames.lengthOf(REQUEST), len(REQUEST))
        self.assertIn(b"\x00\x00\x00\x07service", REQUEST)
        frame = frames.parse(REQUEST)
        self.assertEqual((frame.kind, frame.command, frame.number), (1, 1, 0))
        self.assertEqual(frame.content, b"the body")

    def test_others(self) -> None:
        """Frames of another implementation are understood."""
        self.assertEqual(frames.lengthOf(HEARTBEAT), len(HEARTBEAT))
        self.assertEqual(frames.parse(HEARTBEAT), (1, 0, 387178288, 0, b""))
        self.assertEqual(frames.lengthOf(HEARTBEAT_ACK), len(HEARTBEAT_ACK))
        self.assertEqual(frames.parse(HEARTBEAT_ACK), (0, 0, 387178288, 0, b""))

    def test_incomplete(self) -> None:
        """While a head is not complete its length is not known."""
        for size in range(frames.REQUEST.size):
            self.assertEqual(frames.lengthOf(REQUEST[:size]), 0)
        for size in range(frames.RESPONSE.size):
            self.assertEqual(frames.lengthOf(RESPONSE[:size]), 0)

    def test_other(self) -> None:
        """Octets of another protocol are no frame, from the first one on."""
        for octets in (b"\x02", b"HTTP/1.1 200 OK\r\n", b"\x00" * 30):
            self.assertRaises(frames.FrameError, frames.lengthOf, octets)

    @given(st.lists(st.integers(0, ID_LIMIT - 1), max_size=40))
    def test_numbered(self, numbers: list[int]) -> None:
        """Many frames at once are the same as one after the other."""
        each = [frames.numbered(RESPONSE, struct.pack(">I", number)) for number in numbers]
        together = answersTo(numbers)
        self.assertEqual(together, b"".join(each))
        self.assertEqual(list(frames.unpackIds(frames.idsOf(together, len(RESPONSE)))), numbers)


class CallsTests(SynchronousTestCase):
    """The calls of one connection."""

    def setUp(self) -> None:
        self.tally = Tally()
        self.calls = Calls(REQUEST, RESPONSE, self.tally, 1000)

    @given(st.integers(0, 2**32), st.integers(1, 20))
    def test_anyOrderAnyCut(self, seed: int, number: int) -> None:
        """Each answer counts once, in any order and any cut, with its own latency."""
        dice = random.Random(seed)
        self.setUp()
        numbers = numbersIn(self.calls.ask(number, 100))
        self.assertEqual(numbers, list(range(1000, 1000 + number)))
        dice.shuffle(numbers)
        octets, answered = answersTo(numbers), 0
        while octets:
            size = dice.randint(1, len(octets))
            answered += self.calls.feed(octets[:size], 350)
            octets = octets[size:]
        self.assertEqual(answered, number)
        self.assertEqual(self.tally.latencies, [250] * number)
        self.assertEqual((self.tally.errors, self.calls.pending), ({}, {}))

    def test_wrongId(self) -> None:
        """An answer to nothing, and a second answer, are errors and answer nothing."""
        self.calls.ask(1, 0)
        self.assertEqual(self.calls.feed(answersTo([999]), 1), 0)
        self.assertEqual(self.calls.feed(answersTo([1000, 1000]), 1), 1)
        self.assertEqual(self.tally.errors, {"wrong id": 2})
        self.assertEqual(len(self.tally.latencies), 1)

    def test_wrongContent(self) -> None:
        """One different octet anywhere is an error, and the request is over."""
        for at in (len(RESPONSE) - 1, 9, 30):
            self.setUp()
            self.calls.ask(3, 0)
            octets = bytearray(answersTo([1000, 1001, 1002]))
            octets[len(RESPONSE) + at] ^= 1
            self.assertEqual(self.calls.feed(bytes(octets), 1), 3)
            self.assertEqual(self.tally.errors, {"wrong answer": 1})
            self.assertEqual(len(self.tally.latencies), 2)

    def test_status(self) -> None:
        """A local reply of the proxy is counted by its status, wherever it stands."""
        numbers = numbersIn(self.calls.ask(3, 0))
        reply = frames.RESPONSE.pack(1, 0, 2, 1, numbers[1], 1, 6, 0, 0, 0)
        octets = answersTo(numbers[:1]) + reply + answersTo(numbers[2:])
        self.assertEqual(
            sum(self.calls.feed(octets[i : i + 7], 1) for i in range(0, len(octets), 7)), 3
        )
        self.assertEqual(self.tally.errors, {"status 6": 1})
        self.assertEqual(len(self.tally.latencies), 2)

    def test_unasked(self) -> None:
        """A request of the other side, a heartbeat for example, is no answer."""
        self.assertEqual(self.calls.feed(HEARTBEAT, 1), 0)
        self.assertEqual(self.tally.errors, {"unasked frame": 1})

    def test_noBolt(self) -> None:
        """Another protocol is refused."""
        self.assertRaises(frames.FrameError, self.calls.feed, b"HTTP/1.1 400 Bad Request\r\n", 1)

    def test_wrapAround(self) -> None:
        """Ids start again before they need a fifth octet."""
        calls = Calls(REQUEST, RESPONSE, self.tally, ID_LIMIT - 2)
        self.assertEqual(numbersIn(calls.ask(2, 0)), [ID_LIMIT - 2, ID_LIMIT - 1])
        self.assertEqual(numbersIn(calls.ask(1, 0)), [0])
        self.assertEqual(numbersIn(calls.ask(2, 0)), [1, 2])
        self.assertEqual(calls.feed(answersTo([1, 0, ID_LIMIT - 1]), 1), 3)


class ReportTests(SynchronousTestCase):
    """Command line and report."""

    def test_command(self) -> None:
        """A process of its own gets port, connections, calls in flight, seconds and body."""
        words = bolt.command(20001, 8, 16, 3, Path("/x/body"))
        self.assertEqual(words[-5:], ["20001", "8", "16", "3", "/x/body"])
        self.assertIn("bench.drivers.bolt_load", words[2])

    def test_report(self) -> None:
        """Rate is answers by seconds, latencies are in seconds."""
        text = json.dumps(
            {
                "requests": 3000,
                "seconds": 2.0,
                "p50_us": 150,
                "p99_us": 2000,
                "errors": {"status 6": 2},
            }
        )
        load = bolt.parse(text)
        self.assertEqual((load.requests, load.rate, load.errors), (3000, 1500.0, {"status 6": 2}))
        self.assertAlmostEqual(load.p50, 0.00015)
        self.assertAlmostEqual(load.p99, 0.002)

    def test_broken(self) -> None:
        """Anything else is no report."""
        for text in ("", "Traceback", "[]", "{}", '{"requests": 1, "seconds": 0}'):
            self.assertRaises(ReportError, bolt.parse, text)


class IdleTests(SynchronousTestCase):
    """Idle clients."""

    def test_request(self) -> None:
        """The one call of a connection is a whole frame with its id."""
        with BoltIdleConnections(1, b"the body") as crowd:
            octets = crowd.request()
        self.assertEqual(frames.parse(octets).number, NUMBER)
        self.assertEqual(frames.lengthOf(octets), len(octets))

    def test_reader(self) -> None:
        """Only the right answer is one, and nothing is decided before its last octet."""
        answer = answersTo([NUMBER])
        reader = BoltAnswerReader(b"the body")
        said = [reader.feed(answer[i : i + 1]) for i in range(len(answer))]
        self.assertEqual(said, [None] * (len(answer) - 1) + [True])
        for wrong in (answersTo([NUMBER + 1]), answer[:-1] + b"!", answer + b"!", b"HTTP/1.1"):
            self.assertIs(BoltAnswerReader(b"the body").feed(wrong), False)
