"""Tests of `mosntx.proxy.exchange`: whole messages, as protocols of frames deliver them."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from mosntx.contracts.filters import CONTINUE
from mosntx.contracts.message import IWholeRequest, IWholeResponse
from mosntx.filters.base import StreamFilter
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import RequestHead, ResponseHead
from tests.proxy.fakes import ExchangeTestCase


@implementer(IWholeRequest)
class WholeRequest(RequestHead):
    """A request with its body."""

    __slots__ = ("content",)

    def __init__(self, content: bytes = b"") -> None:
        headers = Headers([(b"Host", b"a")])
        super().__init__(b"PUT", b"/", b"a", headers, contentLength=len(content))
        self.content = content
        self.contentLength = len(content)


@implementer(IWholeResponse)
class WholeResponse(ResponseHead):
    """A response with its body."""

    __slots__ = ("content",)

    def __init__(self, content: bytes = b"", status: int = 200) -> None:
        super().__init__(status, Headers([]), contentLength=len(content))
        self.content = content
        self.contentLength = len(content)


class Shouting(StreamFilter):
    """Changes bodies."""

    def requestData(self, exchange: Any, data: bytes, end: bool) -> int:
        """See `IStreamFilter`."""
        exchange.part = data.upper()
        return CONTINUE

    responseData = requestData


class MessageTests(ExchangeTestCase):
    """Both ways."""

    def test_withoutFilters(self) -> None:
        """Head and content go together, and are counted."""
        exchange = self.begin()
        exchange.requestMessage(WholeRequest(b"abc"))
        self.assertEqual(self.up.sent, [("head", b"PUT", True)])
        exchange.responseMessage(WholeResponse(b"defgh"))
        self.assertEqual(self.down.sent, [("head", 200, True)])
        self.assertEqual((exchange.bytesReceived, exchange.bytesSent), (3, 5))
        self.assertOver(200)

    def test_filtersSeeData(self) -> None:
        """Filters of bodies see the content as data, and may replace it."""
        exchange = self.begin(filters=[Shouting()])
        exchange.requestMessage(WholeRequest(b"abc"))
        self.assertEqual(self.up.sent, [("head", b"PUT", False), ("data", b"ABC", True)])
        exchange.responseMessage(WholeResponse(b"def"))
        self.assertEqual(self.down.sent, [("head", 200, False), ("data", b"DEF", True)])
        self.assertEqual((exchange.bytesReceived, exchange.bytesSent), (3, 3))
        self.assertOver(200)

    def test_emptyWithFilters(self) -> None:
        """Without content there is nothing to show."""
        exchange = self.begin(filters=[Shouting()])
        exchange.requestMessage(WholeRequest())
        exchange.responseMessage(WholeResponse())
        self.assertEqual(self.up.sent, [("head", b"PUT", True)])
        self.assertEqual(self.down.sent, [("head", 200, True)])
        self.assertOver(200)

    def test_retried(self) -> None:
        """A response may be thrown away; the content stays with the request."""
        from mosntx.config.schema import RetryPolicy
        from tests.router.build import acting

        exchange = self.begin(acting(retry_policy=RetryPolicy(retry_on=True, num_retries=1)))
        self.pool.ready.append(self.up)
        exchange.requestMessage(WholeRequest(b"abc"))
        exchange.responseMessage(WholeResponse(b"no", 503))
        self.clock.advance(0.05)
        self.assertEqual([what for what, *_ in self.up.sent].count("head"), 2)
        exchange.responseMessage(WholeResponse(b"yes"))
        self.assertEqual(self.down.sent, [("head", 200, True)])
        self.assertOver(200)
