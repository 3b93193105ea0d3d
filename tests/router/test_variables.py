"""Tests of `mosntx.router.variables`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.router.variables import Variables, cookieValue, headVariable, queryValue
from mosntx.testing.requests import RpcRequest, httpRequest
from mosntx.testing.upstream import FakeExchange


def read(name, head):
    variable = headVariable(name)
    return None if variable is None else variable(head)


class HeadVariableTests(SynchronousTestCase):
    """What a head says."""

    HTTP = httpRequest(
        b"/a%20b//c?x=1&y=%26+z&x=2",
        b"WWW.Example.com:81",
        {"X-Key": "v", "Cookie": 'a=1; b="two"; a=3', "cookie": "c = 4"},
        method=b"POST",
    )
    RPC = RpcRequest({"service": "svc", "Key": "v"}, method=b"say")

    def test_http(self):
        """An HTTP request has a line, headers, cookies and parameters."""
        expected = {
            "x-mosn-host": b"www.example.com:81",
            "authority": b"www.example.com:81",
            "x-mosn-path": b"/a b/c",
            "PATH": b"/a b/c",
            "x-mosn-path-original": b"/a%20b//c",
            "x-mosn-querystring": b"x=1&y=%26+z&x=2",
            "ARG": b"x=1&y=%26+z&x=2",
            "URI": b"/a%20b//c?x=1&y=%26+z&x=2",
            "x-mosn-method": b"POST",
            "scheme": b"http",
            "protocol": b"Http1",
            "request_header_x-key": b"v",
            "request_header_X-KEY": b"v",
            "Http1_cookie_a": b"1",
            "Http1_cookie_b": b"two",
            "Http1_request_arg_x": b"1",
            "Http1_request_arg_y": b"& z",
            "x-mosn-rpc-service": None,
            "x-mosn-rpc-method": None,
            "request_header_none": None,
            "Http2_cookie_none": None,
            "Http1_request_arg_none": None,
        }
        for name, value in expected.items():
            with self.subTest(name=name):
                self.assertEqual(read(name, self.HTTP), value)

    def test_rpc(self):
        """An RPC request has a service, a method and headers whose names have a case."""
        self.assertEqual(read("x-mosn-rpc-service", self.RPC), b"svc")
        self.assertEqual(read("x-mosn-rpc-method", self.RPC), b"say")
        self.assertEqual(read("request_header_Key", self.RPC), b"v")
        for name in ("request_header_key", "x-mosn-path", "x-mosn-method", "x-mosn-host", "URI"):
            with self.subTest(name=name):
                self.assertIsNone(read(name, self.RPC))

    def test_unset(self):
        """An empty query is not set."""
        self.assertIsNone(read("x-mosn-querystring", httpRequest(b"/a?")))

    def test_unknown(self):
        """What no head says is not known, nor is a prefix without a name."""
        for name in ("", "connection_id", "request_header_", "Http1_cookie_", "request_path"):
            self.assertIsNone(headVariable(name))

    def test_odd(self):
        """Cookies and queries of any shape are read without error."""
        head = httpRequest(b"/?&&=&a&b=%", headers={"cookie": ';;=; x; "=; y="'})
        self.assertEqual(cookieValue(head, b"y"), b'"')
        self.assertIsNone(cookieValue(head, b"x"))
        self.assertEqual(queryValue(head, b"a"), b"")
        self.assertEqual(queryValue(head, b"b"), b"%")


class VariablesTests(SynchronousTestCase):
    """What values of added headers may name."""

    def read(self, variables: Variables, name: str, exchange: FakeExchange) -> bytes | None:
        variable = variables.ofExchange(name)
        assert variable is not None
        return variable(exchange)

    def test_head(self):
        """By itself it knows what the request says."""
        self.assertEqual(
            self.read(Variables(), "x-mosn-method", FakeExchange(httpRequest())), b"GET"
        )
        self.assertIsNone(Variables().ofExchange("connection_id"))

    def test_resolve(self):
        """The wiring's variables come first, and only those that it knows."""
        variables = Variables(lambda exchange, name: name.encode(), {"id", "URI"}.__contains__)
        exchange = FakeExchange(httpRequest(b"/u"))
        self.assertEqual(self.read(variables, "id", exchange), b"id")
        self.assertEqual(self.read(variables, "URI", exchange), b"URI")
        self.assertEqual(self.read(variables, "PATH", exchange), b"/u")
        self.assertIsNone(variables.ofExchange("other"))

    def test_resolveAll(self):
        """Without a list of names the wiring is asked for all."""
        variables = Variables(lambda exchange, name: None)
        self.assertIsNone(self.read(variables, "x", FakeExchange()))
