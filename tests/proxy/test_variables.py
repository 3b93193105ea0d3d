"""Tests of `mosntx.proxy.variables`."""

from __future__ import annotations

import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.durations import formatDuration
from mosntx.proxy.variables import OF_FILTERS, VariableTable, durationText, processTime
from mosntx.testing.exchange import FinishedExchange, NumberedConnection
from mosntx.testing.requests import RpcRequest, httpRequest

# Local time of the start of a `FinishedExchange` when the wall clock says 1000000.006 at its end.
WALL = 1_000_000.006
NOW = 100.006

# Every name of spec/admin-observability.md 5.3 that is no prefix.
NAMES = """
start_time request_received_duration response_received_duration request_finished_duration
process_time_duration duration bytes_sent bytes_received protocol response_code response_flag
response_flags upstream_transport_failure_reason upstream_cluster upstream_local_address
upstream_host downstream_local_address downstream_remote_address connection_id stream_id
upstream_connection_id trace_id listener_name listener_port listener_type downstream_protocol
upstream_protocol proxy_try_timeout proxy_global_timeout proxy_hijack_status
proxy_direct_response proxy_disable_retry x-mosn-direction x-mosn-scheme x-mosn-host x-mosn-path
x-mosn-path-original x-mosn-querystring x-mosn-method authority x-mosn-status
x-mosn-rpc-service x-mosn-rpc-method upstream_index Http1_request_scheme Http1_request_method
Http1_request_length Http1_request_uri Http1_request_path Http1_request_path_original
Http1_request_arg Http2_request_scheme gRPC_serviceName requestResult Dubbo_service Dubbo_method
x_seata_xid x_seata_branch_id listener_match_fallback_ip x-mosn-router-meta URI PATH ARG scheme
"""


class FakeRoute:
    """The protocol towards a cluster."""

    def __init__(self, upstreamProtocol: str) -> None:
        self.upstreamProtocol = upstreamProtocol


class VariableTests(SynchronousTestCase):
    """Values of names."""

    def setUp(self) -> None:
        self.table = VariableTable(lambda: NOW, lambda: WALL)

    def value(self, name: str, exchange: Any = None) -> bytes | None:
        return self.table.resolve(exchange or FinishedExchange(), name)

    def test_allNames(self) -> None:
        """Every name of the specification is known, and can be read of any exchange."""
        empty = FinishedExchange(RpcRequest())
        empty.response = empty.host = empty.cluster = empty.upstreamConnection = None
        for name in NAMES.split():
            self.assertTrue(self.table.known(name), name)
            self.value(name)
            self.value(name, empty)

    def test_unknown(self) -> None:
        """Names that MOSN does not have are not known; a prefix alone is no name."""
        for name in ("request_path", "cookie_x", "route_name", "", "request_header_", "path"):
            self.assertFalse(self.table.known(name), name)
            self.assertIsNone(self.value(name))

    def test_startTime(self) -> None:
        """The start is told in local time, whatever the monotonic clock says."""
        second = time.strftime("%Y/%m/%d %H:%M:%S", time.localtime(1_000_000))
        self.assertEqual(self.value("start_time"), f"{second}.000".encode())
        later = FinishedExchange()
        later.startTime = 101.25
        second = time.strftime("%Y/%m/%d %H:%M:%S", time.localtime(1_000_001))
        self.assertEqual(self.value("start_time", later), f"{second}.250".encode())
        self.assertEqual(self.value("start_time")[-4:], b".000")  # type: ignore[index]

    def test_startTimeRounds(self) -> None:
        """Milliseconds are padded, and rounding never gives 1000 of them."""
        for wall, end in ((5.007, b":05.007"), (5.9999, b":06.000")):
            table = VariableTable(lambda: 100.0, lambda wall=wall: wall)  # type: ignore[misc]
            found = table.resolve(FinishedExchange(), "start_time")
            self.assertTrue(found is not None and found.endswith(end), found)

    def test_durations(self) -> None:
        """Durations are Go's text; what has not happened is 0s."""
        for name, text in (
            ("request_received_duration", b"1ms"),
            ("response_received_duration", b"5ms"),
            ("request_finished_duration", b"6ms"),
            ("process_time_duration", b"2ms"),
            ("duration", b"6ms"),
        ):
            self.assertEqual(self.value(name), text, name)
        early = FinishedExchange()
        early.requestEndTime = early.responseTime = early.endTime = 0.0
        for name in ("request_received_duration", "response_received_duration"):
            self.assertEqual(self.value(name, early), b"0s", name)
        self.assertEqual(self.value("request_finished_duration", early), b"0s")
        self.assertEqual(self.value("process_time_duration", early), b"6ms")

    @given(st.integers(0, 2 * 10**9) | st.integers(0, 2 * 10**6))
    def test_durationText(self, nanoseconds: int) -> None:
        """The fast way to a duration's text gives what the slow one gives."""
        seconds = nanoseconds / 1e9
        self.assertEqual(durationText(seconds), formatDuration(seconds))

    def test_processTime(self) -> None:
        """Clocks that run backwards give no negative time; before the end, now counts."""
        exchange = FinishedExchange()
        exchange.requestEndTime, exchange.responseTime = 99.0, 200.0
        self.assertEqual(processTime(exchange, NOW), 0.0)
        exchange = FinishedExchange()
        exchange.endTime = 0.0
        self.assertAlmostEqual(processTime(exchange, 100.105), 0.101)

    def test_facts(self) -> None:
        """Numbers, addresses and names of both sides."""
        exchange = FinishedExchange()
        exchange.flags = 0x104
        for name, text in (
            ("bytes_sent", b"1024"),
            ("bytes_received", b"3"),
            ("protocol", b"Http1"),
            ("response_code", b"200"),
            ("x-mosn-status", b"200"),
            ("response_flag", b"true"),
            ("response_flags", b"true"),
            ("upstream_transport_failure_reason", b"0x104"),
            ("upstream_cluster", b"application"),
            ("upstream_local_address", b"127.0.0.1:8080"),
            ("upstream_host", b"app"),
            ("downstream_local_address", b"127.0.0.1:2045"),
            ("downstream_remote_address", b"127.0.0.1:50000"),
            ("connection_id", b"7"),
            ("stream_id", b"1"),
            ("upstream_connection_id", b"8"),
            ("listener_name", b"egress"),
            ("listener_port", b"2045"),
            ("listener_type", b"egress"),
        ):
            self.assertEqual(self.value(name, exchange), text, name)
        self.assertEqual(self.value("response_flag"), b"false")

    def test_absent(self) -> None:
        """A request that never reached a host has no upstream."""
        exchange = FinishedExchange()
        exchange.host = exchange.cluster = exchange.upstreamConnection = None
        exchange.response = None
        for name in (
            "upstream_cluster",
            "upstream_local_address",
            "upstream_host",
            "upstream_connection_id",
            "response_header_server",
            "trace_id",
        ):
            self.assertIsNone(self.value(name, exchange), name)

    def test_unixSocket(self) -> None:
        """The path of a unix socket has no port."""
        exchange = FinishedExchange()
        exchange.connection = NumberedConnection(1, "unix", "/run/mosn.sock")
        self.assertIsNone(self.value("listener_port", exchange))

    def test_upstreamProtocol(self) -> None:
        """The route's protocol, or else the client's."""
        exchange = FinishedExchange()
        self.assertEqual(self.value("upstream_protocol", exchange), b"Http1")
        exchange.route = FakeRoute("Http2")
        self.assertEqual(self.value("upstream_protocol", exchange), b"Http2")
        exchange.route = FakeRoute("")
        self.assertEqual(self.value("upstream_protocol", exchange), b"Http1")

    def test_requestLine(self) -> None:
        """Path, query, method and host in each of their forms."""
        exchange = FinishedExchange(
            httpRequest(b"/a%20b//c/../d?x=1&y=%20", b"WWW.example.com:81", method=b"POST")
        )
        for name, text in (
            ("x-mosn-path", b"/a b/d"),
            ("PATH", b"/a b/d"),
            ("Http1_request_path", b"/a b/d"),
            ("x-mosn-path-original", b"/a%20b//c/../d"),
            ("Http1_request_path_original", b"/a%20b//c/../d"),
            ("x-mosn-querystring", b"x=1&y=%20"),
            ("ARG", b"x=1&y=%20"),
            ("Http1_request_arg", b"x=1&y=%20"),
            ("URI", b"/a%20b//c/../d?x=1&y=%20"),
            ("Http1_request_uri", b"/a%20b//c/../d?x=1&y=%20"),
            ("x-mosn-method", b"POST"),
            ("Http1_request_method", b"POST"),
            ("x-mosn-host", b"www.example.com:81"),
            ("authority", b"www.example.com:81"),
            ("scheme", b"http"),
            ("x-mosn-scheme", b"http"),
        ):
            self.assertEqual(self.value(name, exchange), text, name)
        self.assertIsNone(self.value("x-mosn-querystring"))

    def test_length(self) -> None:
        """Length is what the request's head and body take on the wire."""
        exchange = FinishedExchange(httpRequest(b"/x", b"h", {"A": "1"}))
        wire = b"GET /x HTTP/1.1\r\nHost: h\r\nA: 1\r\n\r\n"
        expected = b"%d" % (len(wire) + 3)
        self.assertEqual(self.value("Http1_request_length", exchange), expected)

    def test_headers(self) -> None:
        """Header names are compared as the protocol does it."""
        exchange = FinishedExchange(
            httpRequest(headers={"User-Agent": "curl"}), response={b"Server": b"app"}
        )
        for name, text in (
            ("request_header_user-agent", b"curl"),
            ("request_header_USER-AGENT", b"curl"),
            ("Http1_request_header_User-Agent", b"curl"),
            ("response_header_server", b"app"),
            ("request_header_x", None),
            ("Http2_request_header_User-Agent", None),
        ):
            self.assertEqual(self.value(name, exchange), text, name)
        rpc = FinishedExchange(RpcRequest({"Key": "1", "service": "s.V"}, method=b"m"))
        self.assertEqual(self.value("request_header_Key", rpc), b"1")
        self.assertIsNone(self.value("request_header_key", rpc))
        self.assertEqual(self.value("x-mosn-rpc-service", rpc), b"s.V")
        self.assertEqual(self.value("x-mosn-rpc-method", rpc), b"m")

    def test_rpcOnly(self) -> None:
        """HTTP requests have no RPC method or service."""
        exchange = FinishedExchange(httpRequest(headers={"service": "s"}))
        self.assertIsNone(self.value("x-mosn-rpc-service", exchange))
        self.assertIsNone(self.value("x-mosn-rpc-method", exchange))

    def test_arguments(self) -> None:
        """An argument is decoded; the first one counts; odd queries do no harm."""
        exchange = FinishedExchange(httpRequest(b"/?a=1+2%26&a=3&%62=x&c&=&&d=%zz%"))
        for name, text in (
            ("Http1_request_arg_a", b"1 2&"),
            ("Http1_request_arg_b", b"x"),
            ("Http1_request_arg_c", None),
            ("Http1_request_arg_d", b"%zz%"),
            ("Http1_request_arg_e", None),
        ):
            self.assertEqual(self.value(name, exchange), text, name)

    def test_cookies(self) -> None:
        """A cookie is found among others, quoted or not."""
        exchange = FinishedExchange(httpRequest(headers={"Cookie": 'a=1; sid="x=y" ;b;;c='}))
        for name, text in (
            ("Http1_cookie_a", b"1"),
            ("Http1_cookie_sid", b"x=y"),
            ("Http1_cookie_b", None),
            ("Http1_cookie_c", None),
            ("Http1_cookie_sid ", None),
            ("Http2_cookie_a", None),
        ):
            self.assertEqual(self.value(name, exchange), text, name)

    def test_filters(self) -> None:
        """What filters leave in the attributes can be read, as text."""
        exchange = FinishedExchange()
        for number, name in enumerate(OF_FILTERS):
            exchange.attributes[name] = number + 1
        exchange.attributes["trace_id"] = "abc"
        self.assertEqual(self.value("trace_id", exchange), b"abc")
        self.assertEqual(self.value("upstream_index", exchange), b"2")

    def test_extra(self) -> None:
        """Third-party filters add names."""
        table = VariableTable(lambda: NOW, lambda: WALL, {"tenant": lambda exchange, now: b"t\xff"})
        self.assertEqual(table.resolve(FinishedExchange(), "tenant"), b"t\xff")
        self.assertFalse(self.table.known("tenant"))
