"""Tests of `mosntx.router.policies`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.config.schema import HashCookie, HashHeader, HashPolicy
from mosntx.config.schema import RetryPolicy as RetryConfig
from mosntx.contracts.route import IRetryPolicy
from mosntx.protocol.headers import Headers
from mosntx.protocol.http2.heads import Http2RequestHead
from mosntx.router.policies import (
    SHORTEST_DEADLINE,
    compileHash,
    compileRetries,
    requestTimeouts,
    settleTimeouts,
)
from mosntx.testing.requests import RpcRequest, httpRequest
from mosntx.testing.upstream import FakeExchange


class RetryTests(SynchronousTestCase):
    """Retry policies."""

    def test_none(self):
        """Without a policy failed connects are retried three times, nothing else."""
        policy = compileRetries(None)
        verifyObject(IRetryPolicy, policy)
        self.assertEqual((policy.attempts, policy.onStatus, policy.statuses), (3, False, set()))

    def test_statuses(self):
        """Without codes 500 and above are retried, with codes only these (scenario 104)."""
        self.assertIsNone(compileRetries(RetryConfig(retry_on=True)).statuses)
        policy = compileRetries(RetryConfig(retry_on=True, status_codes=(404, 500)))
        self.assertEqual(policy.statuses, {404, 500})
        self.assertTrue(policy.onStatus)

    def test_off(self):
        """With ``retry_on: false`` codes do not count (scenario 105)."""
        policy = compileRetries(RetryConfig(num_retries=2, status_codes=(500,)))
        self.assertEqual((policy.attempts, policy.onStatus, policy.statuses), (2, False, set()))

    def test_attempts(self):
        """The number given counts; none is three; MOSN never has fewer."""
        for given, ours, mosn in ((0, 3, 3), (1, 1, 3), (3, 3, 3), (5, 5, 5)):
            config = RetryConfig(retry_on=True, num_retries=given)
            self.assertEqual(compileRetries(config).attempts, ours)
            self.assertEqual(compileRetries(config, compat=True).attempts, mosn)


class TimeoutTests(SynchronousTestCase):
    """Timeouts (scenario 107)."""

    def test_deadline(self):
        """The deadline of a gRPC call shortens what route and headers say, and never more."""

        def call(deadline, total=60.0, attempt=0.0, **headers):
            fields = [(name.replace("_", "-").encode(), text) for name, text in headers.items()]
            fields.append((b"grpc-timeout", deadline))
            head = Http2RequestHead(b"POST", b"/s/m", b"a", Headers(fields))
            return self.asked(total, attempt, head)

        self.assertEqual(call(b"2S"), (2.0, 0.0))
        self.assertEqual(call(b"250m"), (0.25, 0.0))
        self.assertEqual(call(b"2H"), (60.0, 0.0))
        self.assertEqual(call(b"2H", 0.0), (7200.0, 0.0))
        self.assertEqual(call(b"9S", 60.0, 3.0), (9.0, 3.0))
        self.assertEqual(call(b"2S", 60.0, 3.0), (2.0, 0.0))
        self.assertEqual(call(b"0S"), (SHORTEST_DEADLINE, 0.0))
        self.assertEqual(call(b"soon"), (60.0, 0.0))
        self.assertEqual(call(b"9S", x_mosn_global_timeout=b"1000"), (1.0, 0.0))
        self.assertEqual(call(b"9S", x_mosn_try_timeout=b"1000"), (9.0, 1.0))
        self.assertEqual(call(b"9S", 0.0, x_mosn_global_timeout=b"-1"), (9.0, 0.0))

    def asked(self, total=60.0, attempt=0.0, head=None, **headers):
        route: Any = SimpleNamespace(timeout=total, tryTimeout=attempt)
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return requestTimeouts(route, head or httpRequest(headers=fields))

    def test_settle(self):
        """60 s when nothing is said, none when negative, no try timer that outlasts the whole."""
        self.assertEqual(settleTimeouts(0.0, 0.0), (60.0, 0.0))
        self.assertEqual(settleTimeouts(0.0, 5.0), (60.0, 5.0))
        self.assertEqual(settleTimeouts(5.0, 5.0), (5.0, 0.0))
        self.assertEqual(settleTimeouts(5.0, 1.0), (5.0, 1.0))
        self.assertEqual(settleTimeouts(-1.0, 3.0), (0.0, 3.0))
        self.assertEqual(settleTimeouts(5.0, -1.0), (5.0, 0.0))

    def test_route(self):
        """Without headers the route's count as they are."""
        self.assertEqual(self.asked(7.0, 2.0), (7.0, 2.0))
        self.assertEqual(self.asked(0.0, 2.0), (0.0, 2.0))

    def test_headers(self):
        """Headers in milliseconds win over the route."""
        self.assertEqual(self.asked(x_mosn_global_timeout="1000"), (1.0, 0.0))
        both = self.asked(7.0, 2.0, x_mosn_global_timeout="1000", x_mosn_try_timeout="100")
        self.assertEqual(both, (1.0, 0.1))
        both = self.asked(x_mosn_global_timeout="100000", x_mosn_try_timeout="10000")
        self.assertEqual(both, (100.0, 10.0))
        self.assertEqual(self.asked(7.0, 2.0, x_mosn_global_timeout="1000"), (1.0, 0.0))
        self.assertEqual(self.asked(0.0, 0.0, x_mosn_try_timeout="100"), (0.0, 0.1))
        self.assertEqual(self.asked(7.0, 2.0, x_mosn_global_timeout="0"), (60.0, 2.0))
        self.assertEqual(self.asked(7.0, 2.0, x_mosn_global_timeout="-1"), (0.0, 2.0))

    def test_invalid(self):
        """Headers that are no number of milliseconds are as if not there."""
        for value in ("", "1s", "1.5", "1e3", " 5", "9" * 5000, "\u0663"):
            with self.subTest(value=value[:9]):
                asked = self.asked(7.0, 2.0, x_mosn_global_timeout=value, x_mosn_try_timeout=value)
                self.assertEqual(asked, (7.0, 2.0))

    def test_frame(self):
        """The frame's timeout wins over all; 0 says nothing, a negative one is none."""
        headers = {"x-mosn-global-timeout": "9000"}
        self.assertEqual(self.asked(head=RpcRequest(headers, timeout=3.0)), (3.0, 0.0))
        self.assertEqual(self.asked(head=RpcRequest(headers, timeout=0.0)), (9.0, 0.0))
        self.assertEqual(self.asked(head=RpcRequest(timeout=-1.0)), (0.0, 0.0))


class HashTests(SynchronousTestCase):
    """Hash keys."""

    def key(self, *policies: HashPolicy, head=None, **more) -> int:
        return compileHash(policies)(FakeExchange(head or httpRequest(), **more))

    def test_none(self):
        """Without a policy, or with an empty one, it is the client's address (scenario 82)."""
        self.assertEqual(self.key(peer="10.0.0.2:99"), 0x0A000002)
        self.assertEqual(self.key(HashPolicy(), peer="10.0.0.2:99"), 0x0A000002)

    def test_header(self):
        """MOSN's value of a header (scenario 81); 0 without it."""
        policy = HashPolicy(header=HashHeader(key="header_key"))
        for head in (
            httpRequest(headers={"Header_Key": "test_header_value"}),
            RpcRequest({"header_key": "test_header_value"}),
        ):
            self.assertEqual(self.key(policy, head=head), 3684553712465070601)
        self.assertEqual(self.key(policy), 0)

    def test_cookie(self):
        """MOSN's value of a cookie (scenario 81), which wins over a header; 0 without it."""
        policy = HashPolicy(
            cookie=HashCookie(name="cookie_name"), header=HashHeader(key="header_key")
        )
        head = httpRequest(headers={"cookie": "a=b; cookie_name=test_cookie_value"})
        self.assertEqual(self.key(policy, head=head), 14068947270705736519)
        self.assertEqual(self.key(policy, head=httpRequest(headers={"header_key": "x"})), 0)

    def test_source(self):
        """The peer's address as a number (scenario 81), of IPv6 the end."""
        policy = HashPolicy(source_ip={})
        for peer, key in (
            ("127.0.0.1:4000", 2130706433),
            ("[::1]:4000", 1),
            ("::ffff:127.0.0.1:4000", 2130706433),
            ("fe80::2%eth0:4000", 2),
            ("unix", 0),
            ("", 0),
        ):
            with self.subTest(peer=peer):
                self.assertEqual(self.key(policy, peer=peer), key)

    def test_first(self):
        """Only the first of several policies counts (scenario 82)."""
        policies = [HashPolicy(source_ip={}), HashPolicy(header=HashHeader(key="a"))]
        head = httpRequest(headers={"a": "b"})
        self.assertEqual(self.key(*policies, head=head), 2130706433)

    def test_long(self):
        """Long values have keys of their own too, and the same each time."""
        policy = HashPolicy(header=HashHeader(key="a"))
        keys = [
            self.key(policy, head=httpRequest(headers={"a": "x" * length}))
            for length in (256, 257, 5000, 5001, 5000)
        ]
        self.assertEqual(len(set(keys)), 4)
        self.assertEqual(keys[2], keys[4])
