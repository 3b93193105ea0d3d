"""What every router keeps to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest import TestCase

from hypothesis import given
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from mosntx.contracts.route import IRetryPolicy, IRoute, IRouter
from mosntx.protocol.http1.heads import RequestHead
from mosntx.testing.requests import RpcRequest, httpRequest

if TYPE_CHECKING:
    _Base = TestCase
else:
    _Base = object

_OCTETS = st.binary(max_size=40)
_FIELDS = st.dictionaries(
    st.sampled_from(["service", "x-a", "cookie", "method"]), st.text("ab=;% .*", max_size=8)
)


class RouterSuite(_Base):
    """A mixin for ``SynchronousTestCase``: `IRouter` and the `IRoute` that it gives.

    A subclass defines `router` and `matching`.
    """

    def router(self) -> IRouter:
        """Return the router under test."""
        raise NotImplementedError

    def matching(self) -> Any:
        """Return a request head that matches one of its routes."""
        raise NotImplementedError

    def test_interfaces(self) -> None:
        """Router, route and retry policy provide their contracts."""
        router = self.router()
        verifyObject(IRouter, router)
        route = router.route(self.matching())
        assert route is not None
        verifyObject(IRoute, route)
        verifyObject(IRetryPolicy, route.retryPolicy)

    def test_values(self) -> None:
        """Times are never negative, and a try that outlasts the whole has no timer."""
        route = self.router().route(self.matching())
        assert route is not None
        self.assertGreaterEqual(route.timeout, 0.0)
        self.assertGreaterEqual(route.tryTimeout, 0.0)
        if route.timeout:
            self.assertLess(route.tryTimeout, route.timeout)
        self.assertIsInstance(route.clusterName(self.matching()), str)
        self.assertNotEqual(route.metadataMatch, ())

    def test_headStays(self) -> None:
        """Choosing a route changes nothing in the request."""
        head = self.matching()
        before = (head.path, head.authority, list(head.headers.items()), head.headers.changed)
        self.router().route(head)
        after = (head.path, head.authority, list(head.headers.items()), head.headers.changed)
        self.assertEqual(before, after)

    def test_anyHttpRequest(self) -> None:
        """No path, host or header of an HTTP request makes it raise."""
        router = self.router()

        @given(path=_OCTETS, host=_OCTETS, fields=_FIELDS)
        def check(path: bytes, host: bytes, fields: dict[str, str]) -> None:
            headers = httpRequest(headers=fields).headers
            head = RequestHead(b"GET", b"/" + path, host.lower(), headers)
            route = router.route(head)
            if route is not None and route.localReply is not None:
                status, body, pairs = route.localReply(head)
                self.assertIsInstance(status, int)
                self.assertIsInstance(body, bytes)
                for _, value in pairs:
                    self.assertFalse(set(value.partition(b"?")[0]) & {0, 10, 13})

        check()

    def test_anyRpcRequest(self) -> None:
        """No header of an RPC request makes it raise."""
        router = self.router()

        @given(fields=_FIELDS)
        def check(fields: dict[str, str]) -> None:
            head = RpcRequest(fields)
            route = router.route(head)
            if route is not None and route.localReply is not None:
                self.assertIsInstance(route.localReply(head)[0], int)

        check()
