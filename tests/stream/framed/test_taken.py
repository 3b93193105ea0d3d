"""Tests of `mosntx.stream.framed.taken`."""

from __future__ import annotations

from mosntx.stream.framed.taken import MAX_UNTAKEN
from tests.stream.framed.fakes import responseHead
from tests.stream.framed.servercase import ServerTestCase


class TakenTests(ServerTestCase):
    """Clients that read slowly, or not at all."""

    def test_answersThatNobodyTakes(self) -> None:
        """A client that asks on and takes no answer is not read any more, until it does."""
        self.begin()
        self.connection.block()
        before = self.connection.bytesWritten
        asked = 0
        while self.connection.reading:
            self.server.sendHead(self.request().number, responseHead(404), True)
            self.peer.read()  # by what the transport holds the client's codec knows who has ended
            asked += 1
            self.assertLess(asked, MAX_UNTAKEN)
        written = self.connection.bytesWritten - before
        self.assertTrue(MAX_UNTAKEN < written < MAX_UNTAKEN + 100, written)
        self.connection.unblock()
        self.assertTrue(self.connection.reading)

    def test_fullTransport(self) -> None:
        """A client that is slow for a while is read all the same: its windows must come through."""
        self.begin()
        for _ in range(3):
            self.connection.block()
            for _ in range(100):
                self.server.sendHead(self.request().number, responseHead(), True)
                self.peer.read()
            self.assertTrue(self.connection.reading)
            self.connection.unblock()
        self.assertTrue(self.connection.reading)
