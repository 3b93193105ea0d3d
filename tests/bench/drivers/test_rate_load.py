"""Tests of the load generator at a constant rate, with a server in a thread of this process."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from bench.drivers.rate_load import HEAD_LIMIT, REQUEST, SECOND, AnswerReader, RateLoad, report
from bench.fixed_server import answerFor

BODY = b"the body"
ANSWER = answerFor(BODY)


class AnswerReaderTests(SynchronousTestCase):
    """Answers on a connection."""

    def test_whole(self) -> None:
        """One read, one answer; the next one likewise."""
        reader = AnswerReader(BODY)
        self.assertEqual([reader.feed(ANSWER), reader.feed(ANSWER)], [True, True])

    def test_anyCut(self) -> None:
        """An answer in two parts is complete with the second one, wherever it is cut."""
        for size in range(1, len(ANSWER)):
            reader = AnswerReader(BODY)
            found = reader.feed(ANSWER[:size]), reader.feed(ANSWER[size:]), reader.feed(ANSWER)
            self.assertEqual(found, (False, True, True), size)

    def test_status(self) -> None:
        """Another status is an error, and so is what is no HTTP; each as soon as it can be seen."""
        for octets in (b"HTTP/1.1 502 Bad Gateway\r\n", b"HTTP/1.1 5", b"\x00"):
            error = self.assertRaises(ValueError, AnswerReader(BODY).feed, octets)
            self.assertEqual(str(error), "status")

    def test_otherBody(self) -> None:
        """An answer that does not end as it must is an error at the latest when it is too long."""
        reader = AnswerReader(BODY)
        self.assertFalse(reader.feed(ANSWER[:-1] + b"X"))
        error = self.assertRaises(ValueError, reader.feed, b"x" * HEAD_LIMIT)
        self.assertEqual(str(error), "wrong answer")


class Server:
    """Answers in a thread, on one connection after the other.

    :param answer: returns what is sent for a request; empty closes the connection.
    """

    def __init__(self, answer: Callable[[int], bytes]) -> None:
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.requests = 0
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._socket.accept()
        with connection:
            while octets := connection.recv(65536):
                answer = b""
                for _ in range(octets.count(REQUEST)):
                    self.requests += 1
                    answer = self._answer(self.requests)
                    connection.sendall(answer)
                if not answer:
                    return

    def close(self) -> None:
        """Wait for the end of the only connection."""
        self._thread.join()
        self._socket.close()


class RateLoadTests(SynchronousTestCase):
    """A whole run on one connection. Clocks are in the test's hands: each look takes a step."""

    def load(self, step: int, answer: Callable[[int], bytes] = lambda _number: ANSWER) -> RateLoad:
        """Return a load of 1 000 requests per second.

        :param step: nanoseconds from one look at the clock to the next.
        """
        self.server = Server(answer)
        self.addCleanup(self.server.close)
        load = RateLoad(self.server.port, 1, 1000.0, BODY, itertools.count(0, step).__next__)
        self.addCleanup(load.close)
        load.connect()
        return load

    def test_all(self) -> None:
        """Every request that is due is sent and answered, with a latency from that time."""
        load = self.load(SECOND // 10_000)
        load.run(0.02)
        self.assertEqual((self.server.requests, load.errors), (20, {}))
        self.assertEqual((len(load.latencies), len(load.lateness)), (20, 20))
        self.assertGreater(min(load.latencies), 0)

    def test_noOmission(self) -> None:
        """A connection that is busy delays requests; their latency counts from when they were due.

        Here each one takes three looks or more, 30 ms, where one is due each millisecond. So the
        last of ten, due after 9 ms, has waited for those before it.
        """
        load = self.load(SECOND // 100)
        load.run(0.01)
        self.assertEqual(len(load.latencies), 10)
        self.assertGreater(load.latencies[-1], 10 * 30_000_000 - 9_000_000 - 1)
        self.assertEqual(sorted(load.latencies), list(load.latencies))

    def test_status(self) -> None:
        """A wrong answer ends the run of its connection and is counted by its kind."""
        load = self.load(SECOND // 10_000, lambda _number: b"HTTP/1.1 503 Away\r\n\r\n")
        load.run(0.02)
        self.assertEqual(load.errors, {"status": 1, "no answer": 19})

    def test_closed(self) -> None:
        """A connection that is closed is an error, and what was due later has no answer."""
        load = self.load(SECOND // 10_000, lambda number: ANSWER if number < 5 else b"")
        load.run(0.02)
        self.assertEqual(load.errors, {"closed": 1, "no answer": 15})
        self.assertEqual(len(load.latencies), 4)

    def test_nobodyListens(self) -> None:
        """Without a server there are errors and no figures."""
        free = socket.create_server(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        load = RateLoad(port, 2, 100.0, BODY, itertools.count(0, 1000).__next__)
        self.addCleanup(load.close)
        load.connect()
        load.run(0.1)
        self.assertEqual(load.errors, {"connect": 2, "no answer": 10})
        self.assertEqual(report(load, 1.0)["latency_0.99"], 0)

    def test_report(self) -> None:
        """Percentiles are those of the nearest rank."""
        load = RateLoad(1, 1, 1.0, BODY, itertools.count().__next__)
        self.addCleanup(load.close)
        load.latencies.extend(range(1000, 0, -1))
        found = report(load, 2.0)
        self.assertEqual(
            [found[f"latency_{share}"] for share in (0.5, 0.99, 0.999, 1.0)], [500, 990, 999, 1000]
        )
        self.assertEqual((found["requests"], found["seconds"]), (1000, 2.0))
