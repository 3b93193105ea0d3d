"""Tests of `mosntx.proxy.convert.base`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.contracts.stream import (
    LOCAL_RESET,
    PROTOCOL_ERROR,
    REMOTE_RESET,
    IClientStreams,
    IResponseSink,
)
from mosntx.protocol.errors import EncodeError
from mosntx.proxy.convert.base import ConvertedStreams, conversionFor, familyOf
from mosntx.service.catalog import standardCatalog
from mosntx.testing.frames import boltResponse
from mosntx.testing.requests import httpRequest
from tests.proxy.build import toCluster
from tests.proxy.convert.build import SERVICE, ConversionTestCase
from tests.proxy.fakes import ExchangeTestCase, FakeClientStreams, head
from tests.router.build import acting


class Failing(ConvertedStreams):
    """A conversion that cannot do it."""

    status = 502

    def request(self, head, end):
        raise EncodeError(self.status, "not this one")


class FailingDown(ConvertedStreams):
    """One that cannot do it on the way down."""

    def response(self, head):
        raise EncodeError(502, "not this one")


class ClientsFault(Failing):
    """One that blames the client."""

    status = 400


class TableTests(SynchronousTestCase):
    """Which conversion is for whom."""

    def test_families(self):
        """Both versions of Bolt are one."""
        self.assertEqual(
            [familyOf(one) for one in ("bolt", "boltv2", "Http1")], ["bolt", "bolt", "Http1"]
        )
        self.assertIsNone(conversionFor({}, "boltv2", "bolt"))
        self.assertIsNone(conversionFor({}, "Http1", "Http1"))

    def test_found(self):
        """The table is asked by family."""
        table = {("Http1", "bolt"): ConvertedStreams}
        self.assertIs(conversionFor(table, "Http1", "boltv2"), ConvertedStreams)
        self.assertRaises(LookupError, conversionFor, table, "bolt", "Http1")

    def test_standard(self):
        """What comes with mosntx keeps the contracts on both sides."""
        for conversion in standardCatalog().conversions.values():
            exchange = type("E", (), {"filters": None})
            made = conversion(FakeClientStreams(), exchange)
            verifyObject(IClientStreams, made)
            verifyObject(IResponseSink, made)


class PassingTests(ExchangeTestCase):
    """The base passes everything through."""

    def converted(self, conversion=ConvertedStreams):
        """An exchange whose request goes through a conversion."""
        exchange = self.begin(acting(upstream_protocol="boltv2"))
        self.host.pool("boltv2").ready.append(self.up)
        self.listener.conversions = {("Http1", "bolt"): conversion}
        exchange.requestHead(httpRequest(), True)
        return exchange

    def test_passes(self):
        """Request and response, and what they say of flow."""
        self.converted()
        self.assertEqual(self.up.sent, [("head", b"GET", True)])
        made = self.witness.exchanges[0]._up
        self.assertIs(made.connection, self.up.connection)
        self.assertEqual((made.active, made.fresh), (0, True))
        made.pauseRequest()
        self.assertTrue(self.down.paused)
        made.resumeRequest()
        self.assertFalse(self.down.paused)
        made.pauseStream(7)
        self.assertTrue(self.up.paused)
        made.resumeStream(7)
        self.assertFalse(self.up.paused)
        made.responseInformational(head(103))
        made.responseHead(head(200), False)
        made.responseFlush()
        made.responseData(b"body", False)
        made.responseTrailers(head().headers)
        self.assertEqual(
            self.down.sent, [("head", 200, False), ("data", b"body", False), ("data", b"", True)]
        )
        self.assertOver(200)

    def test_reset(self):
        """A stream that breaks off, heard of once."""
        self.converted()
        made = self.witness.exchanges[0]._up
        made.responseReset(REMOTE_RESET)
        made.responseReset(REMOTE_RESET)
        made.responseHead(head(200), True)
        self.assertOver(502, 0x10)

    def test_deaf(self):
        """After the exchange has reset it, nothing gets to the exchange any more."""
        exchange = self.converted()
        made = exchange._up
        exchange.requestReset(LOCAL_RESET)
        self.assertEqual(self.up.sent[-1], ("reset", LOCAL_RESET, True))
        for late in (made.pauseRequest, made.resumeRequest, made.responseFlush):
            late()
        made.responseHead(head(200), False)
        made.responseData(b"x", True)
        made.responseMessage(head(200))
        self.assertEqual(self.down.sent, [])
        self.assertOver(504)

    def test_cannotGoUp(self):
        """A request that the upstream's protocol cannot say fails its attempt."""
        self.converted(Failing)
        self.assertEqual(self.up.sent, [])
        self.assertOver(502, 0x8)

    def test_clientsFault(self):
        """One that is at fault is told so."""
        self.converted(ClientsFault)
        self.assertEqual(self.up.sent, [])
        self.assertOver(400)

    def test_cannotGoDown(self):
        """A response that the client's protocol cannot say is one that was not understood."""
        exchange = self.converted(FailingDown)
        exchange._up.responseMessage(head(200))
        self.assertOver(502, 0x8)
        self.assertEqual(self.witness.resets, [PROTOCOL_ERROR])

    def test_noWay(self):
        """Without a conversion the client is told, and nothing is dialled."""
        exchange = self.begin(acting(upstream_protocol="tr"))
        exchange.requestHead(httpRequest(), True)
        self.assertEqual(self.host.pool("tr").ready, [])
        self.assertOver(502)

    def test_nothingToConvert(self):
        """Nothing stands between an exchange and an upstream of its client's protocol."""
        exchange = self.begin(acting(upstream_protocol="Http1"))
        exchange.requestHead(httpRequest(), True)
        self.assertIs(exchange._up, self.up)


class ListenerTests(ConversionTestCase):
    """What a listener that speaks several protocols does."""

    def test_onlyOneConverts(self):
        """Requests of the upstream's own protocol pass, others are converted, all on one pool."""
        mesh = self.begin(
            {
                "match": {"headers": [{"name": "service", "value": ".*"}]},
                "route": {"cluster_name": "app", "upstream_protocol": "bolt"},
            },
            toCluster(upstream_protocol="bolt"),
            proxy={"downstream_protocol": "bolt,Http1"},
        )
        client, upstream = self.ask()
        self.assertEqual(upstream.take()[:1], b"\x01")
        upstream.send(boltResponse(1, b"a", [SERVICE]))
        self.assertEqual(client.take()[:1], b"\x01")
        other = mesh.client("front")
        other.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(upstream.take()[:1], b"\x01")
        upstream.send(boltResponse(2, b"b"))
        self.assertTrue(other.take().startswith(b"HTTP/1.1 200 OK\r\n"))
