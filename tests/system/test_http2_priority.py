"""Whose data the real daemon sends first when not all of it can leave (RFC 9218)."""

from __future__ import annotations

from itertools import groupby

from tests.system.daemon import until
from tests.system.http2client import Http2Client
from tests.system.sidecars import H2
from tests.system.test_http2 import ThroughTheDaemon

#: Octets of the first window of a connection, and of an answer that waits behind it as a whole.
WINDOW, SIZE = 65535, 40000


class PriorityTests(ThroughTheDaemon):
    """A client whose window is shut until all answers are there; the engine ngh2."""

    def waiting(self, *priorities: str | None) -> tuple[Http2Client, list[int]]:
        """Return a client and its streams, all of whose answers wait in the daemon."""
        client = self.connect("same")
        client.finish(client.request("GET", f"/bytes/{WINDOW}", greedy=False))
        numbers = [
            client.request(
                "GET",
                f"/bytes/{SIZE}",
                greedy=False,
                fields=[] if each is None else [("priority", each)],
            )
            for each in priorities
        ]
        for number in numbers:
            while not client.answers[number].status:
                client.turn()
        until(self.allHere, "the upstream has answered all")
        client.order.clear()
        return client, numbers

    def allHere(self) -> bool:
        return self.counter("upstream", "cluster.same", "request_active") == 0

    def order(self, client: Http2Client, numbers: list[int]) -> list[int]:
        """Open the window; return the streams in the order of their data."""
        client.openConnection(len(numbers) * SIZE)
        for number in numbers:
            self.assertEqual(len(client.finish(number).body), SIZE)
        return [numbers.index(number) for number, _ in groupby(client.order)]

    def test_field(self) -> None:
        """The most urgent answer leaves first, one after the other."""
        self.assertEqual(self.order(*self.waiting("u=7", "u=3", "u=0", "u=3")), [2, 1, 3, 0])

    def test_incremental(self) -> None:
        """Answers of which parts are of use take turns, and those of which nobody says anything."""
        for said in ("u=3, i", None):
            self.assertEqual(self.order(*self.waiting(said, said))[:4], [0, 1, 0, 1], said)

    def test_update(self) -> None:
        """Whoever is in a hurry later passes the others, those that were urgent too."""
        client, numbers = self.waiting("u=2", "u=1", "u=6")
        client.prioritise(numbers[2], b"u=0")
        self.assertEqual(self.order(client, numbers), [2, 1, 0])

    def test_oldFrames(self) -> None:
        """PRIORITY frames of RFC 7540 are taken and change nothing."""
        client, numbers = self.waiting("u=2", "u=1")
        client.depend(numbers[1], numbers[0])
        self.assertEqual(self.order(client, numbers), [1, 0])


class PriorityOfH2Tests(PriorityTests):
    """The same with the engine h2."""

    engine = H2
