"""Tests of `mosntx.testing.requests`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.contracts.message import IHeaders, IRequestHead
from mosntx.testing.requests import RpcHeaders, RpcRequest, httpRequest


class RequestsTests(SynchronousTestCase):
    """Heads to route."""

    def test_interfaces(self):
        """All provide their contracts."""
        for head in (httpRequest(), RpcRequest()):
            verifyObject(IRequestHead, head)
            verifyObject(IHeaders, head.headers)

    def test_http(self):
        """An HTTP request has what it is given."""
        head = httpRequest(b"/a", b"H.com", {"Service": "s"}, method=b"PUT")
        self.assertEqual((head.method, head.path, head.authority), (b"PUT", b"/a", b"h.com"))
        self.assertEqual((head.service, head.headers.get(b"host")), (b"s", b"H.com"))

    def test_rpc(self):
        """An RPC request has a service and no path."""
        head = RpcRequest({"service": "s"}, method=b"m", timeout=2.0)
        self.assertEqual((head.service, head.method, head.timeout), (b"s", b"m", 2.0))
        self.assertEqual((head.path, head.authority), (b"", b""))

    def test_rpcHeaders(self):
        """Names of RPC headers have a case."""
        headers = RpcHeaders([(b"A", b"1"), (b"a", b"2"), (b"A", b"3")])
        self.assertEqual(headers.getAll(b"A"), [b"1", b"3"])
        self.assertEqual(headers.get(b"x", b"none"), b"none")
        copy = headers.copy()
        copy.set(b"A", b"4")
        copy.remove(b"a")
        self.assertEqual(copy.items(), [(b"A", b"4")])
        self.assertEqual((len(headers.items()), headers.changed, copy.changed), (3, False, True))
        self.assertRaises(ValueError, headers.add, b"a", b"b\n")
