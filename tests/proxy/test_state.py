"""Tests of `mosntx.proxy.state`: what an exchange is made of."""

from __future__ import annotations

from mosntx.contracts import stream
from mosntx.proxy import state
from mosntx.proxy.exchange import Exchange
from tests.proxy.fakes import ExchangeTestCase, head


class StateTests(ExchangeTestCase):
    """Slots, bits, and the end."""

    def test_noDictionary(self) -> None:
        """An exchange is made per request: it has slots only."""
        self.assertFalse(hasattr(self.begin(), "__dict__"))

    def test_bits(self) -> None:
        """Each bit means one thing."""
        elsewhere = {name for name in vars(stream) if name.isupper()} | {"ANSWERED"}
        bits = [
            value
            for name, value in vars(state).items()
            if type(value) is int and name.isupper() and name not in elsewhere
        ]
        self.assertGreater(len(bits), 9)
        self.assertEqual(len(set(bits)), len(bits))
        self.assertTrue(all(bit & (bit - 1) == 0 for bit in bits), bits)

    def test_connection(self) -> None:
        """The client's connection is that of its streams."""
        exchange = self.begin()
        self.assertIs(exchange.connection, self.down.connection)
        self.assertEqual(exchange.local, self.down.connection.local)

    def test_destination(self) -> None:
        """A header field or the authority says where the client wants to go."""
        exchange: Exchange = self.requested()
        exchange.request.authority = b"far:81"
        exchange.request.headers.set(b"x-to", b"near:82")
        found = [exchange.destination(field) for field in (b"host", b"x-to", b"x-other", b"")]
        self.assertEqual(found, ["far:81", "near:82", "", ""])

    def test_endsOnce(self) -> None:
        """The end is recorded once, whoever calls."""
        exchange: Exchange = self.requested()
        exchange.responseHead(head(), True)
        exchange._finish()
        self.assertOver(200)

    def test_endWithAnAttempt(self) -> None:
        """An end takes its attempt along."""
        exchange = self.requested()
        exchange._finish()
        self.assertEqual(self.up.sent[-1][0], "reset")
        self.assertOver(0)
