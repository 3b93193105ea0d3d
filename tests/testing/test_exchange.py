"""Tests of `mosntx.testing.exchange`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.contracts.filters import IExchange
from mosntx.contracts.message import IResponseHead
from mosntx.testing.exchange import FinishedExchange


class FinishedExchangeTests(SynchronousTestCase):
    """The fake keeps the contract it stands for."""

    def test_contract(self) -> None:
        """It provides everything an exchange must, and so does its response."""
        exchange = FinishedExchange()
        verifyObject(IExchange, exchange)
        verifyObject(IResponseHead, exchange.response)

    def test_response(self) -> None:
        """Status and fields of the response are those given."""
        exchange = FinishedExchange(status=503, response={b"X-A": b"1"})
        self.assertEqual(exchange.status, 503)
        self.assertEqual(exchange.response.headers.get(b"x-a"), b"1")
