"""Tests of `mosntx.config.protocols`."""

from __future__ import annotations

from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.names import Names
from mosntx.config.schema import Http2Keepalive, ProxyConfig
from tests.config import samples
from tests.config.samples import EVERYTHING, SMALL_BUILD, found, load, problemsOf, withListener

CHAIN = "servers[0].listeners[0].filter_chains[0].filters"
CONFIG = f"{CHAIN}[0].config"


def proxy(**config: Any) -> dict[str, Any]:
    """A configuration whose proxy has these settings."""
    return withListener(filter_chains=[{"filters": [samples.proxy(**config)]}])


def settings(names: Names = EVERYTHING, **config: Any) -> ProxyConfig:
    """The settings that come out."""
    decoded = load(proxy(**config), names).config.server.listeners[0].filters[0].config
    assert isinstance(decoded, ProxyConfig)
    return decoded


class ProtocolTests(SynchronousTestCase):
    """`downstream_protocol`."""

    def test_resolved(self) -> None:
        """Lists, old names, sub protocols."""
        cases: list[tuple[dict[str, Any], tuple[str, ...]]] = [
            ({"downstream_protocol": "Http1"}, ("Http1",)),
            ({"downstream_protocol": "Http1,Http2, bolt"}, ("Http1", "Http2", "bolt")),
            ({"downstream_protocol": "Auto"}, ("Auto",)),
            ({"downstream_protocol": "Http1,Auto"}, ("Auto",)),
            ({"downstream_protocol": "SofaRpc"}, ("bolt", "boltv2")),
            (
                {"downstream_protocol": "X", "extend_config": {"sub_protocol": "bolt,dubbo"}},
                ("bolt", "dubbo"),
            ),
            (
                {"downstream_protocol": "Xprotocol", "extend_config": {"sub_protocol": "tars"}},
                ("tars",),
            ),
        ]
        for config, expected in cases:
            self.assertEqual(settings(**config).protocols, expected)

    def test_partlyBuilt(self) -> None:
        """What is not built is reported and left out; nothing left makes the listener useless."""
        both = settings(SMALL_BUILD, downstream_protocol="Http1,Http2")
        self.assertEqual(both.protocols, ("Http1",))
        where = f"{CONFIG}.downstream_protocol"
        obj = proxy(downstream_protocol="Http1,Http2")
        self.assertEqual(found(obj, SMALL_BUILD), [("unsupported", where)])
        obj = proxy(downstream_protocol="bolt")
        self.assertEqual(found(obj, SMALL_BUILD), [("unsupported", where), ("error", CHAIN)])

    def test_wrong(self) -> None:
        """Unknown names, empty members, a missing sub protocol."""
        where = f"{CONFIG}.downstream_protocol"
        for name in ("http1", "HTTP", "Http1,", "", "X", "Http1,Http3"):
            self.assertEqual(found(proxy(downstream_protocol=name)), [("error", where)], name)
        (problem,) = problemsOf(proxy(downstream_protocol="http1"))
        self.assertIn("did you mean 'Http1'?", problem.fix)

    def test_customSubProtocol(self) -> None:
        """A protocol of somebody's own is not supported, but no mistake."""
        obj = proxy(downstream_protocol="X", extend_config={"sub_protocol": "my-rpc"})
        self.assertIn(("unsupported", f"{CONFIG}.downstream_protocol"), found(obj))


class OptionTests(SynchronousTestCase):
    """`extend_config`."""

    def test_keyed(self) -> None:
        """Options by protocol, typed and plain."""
        options = {"Http1": {"max_header_size": 9000}, "Http2": {"http2_use_stream": True}}
        config = settings(downstream_protocol="Http1,Http2", extend_config=options)
        self.assertEqual(config.max_header_size, 9000)
        self.assertTrue(config.http2.http2_use_stream)
        self.assertEqual(config.options, options)

    def test_http2(self) -> None:
        """Options of HTTP/2 and what they are without being written."""
        plain = settings(downstream_protocol="Http2").http2
        self.assertEqual((plain.http2_engine, plain.max_concurrent_streams), ("auto", 100))
        self.assertTrue(plain.enable_push and plain.enable_connect_protocol)
        written: dict[str, object] = {
            "http2_engine": "ngh2",
            "max_concurrent_streams": 7,
            "initial_stream_window": 1000,
            "initial_connection_window": 70000,
            "enable_push": False,
            "enable_connect_protocol": False,
            "settings_timeout": "3s",
            "window_timeout": 0,
            "keepalive": {"interval": "7s", "timeout": "2s"},
        }
        read = settings(downstream_protocol="Http2", extend_config={"Http2": written}).http2
        written.update(settings_timeout=3.0, window_timeout=0.0)
        written["keepalive"] = Http2Keepalive(interval=7.0, timeout=2.0)
        self.assertEqual({key: getattr(read, key) for key in written}, written)

    def test_http2Wrong(self) -> None:
        """Numbers that the protocol cannot say, and names of no engine."""
        for key, value in (
            ("http2_engine", "nghttp2"),
            ("max_concurrent_streams", 0),
            ("initial_stream_window", 2**31),
            ("initial_connection_window", 65534),
            ("enable_push", 1),
            ("window_timeout", 5),
            ("keepalive", "5s"),
        ):
            obj = proxy(downstream_protocol="Http2", extend_config={"Http2": {key: value}})
            self.assertEqual(found(obj), [("error", f"{CONFIG}.extend_config.Http2.{key}")], key)

    def test_http2Engine(self) -> None:
        """An engine that is not installed is an error, with what to do about it."""
        here = attrs.evolve(EVERYTHING, engines={"h2"})
        for engine in ("auto", "h2"):
            extend = {"Http2": {"http2_engine": engine}}
            obj = proxy(downstream_protocol="Http2", extend_config=extend)
            self.assertEqual(found(obj, here), [])
        obj = proxy(downstream_protocol="Http2", extend_config={"Http2": {"http2_engine": "ngh2"}})
        (problem,) = problemsOf(obj, here)
        self.assertEqual(problem.path, f"{CONFIG}.extend_config.Http2.http2_engine")
        self.assertIn("install mosntx[fast]", problem.fix)

    def test_limits(self) -> None:
        """MOSN's place wins over ours; without both it is the default."""
        self.assertEqual(settings().max_header_size, 32768)
        self.assertEqual(settings(max_header_size=1).max_header_size, 1)
        both = settings(
            max_request_body_size=1, extend_config={"Http1": {"max_request_body_size": 0}}
        )
        self.assertEqual(both.max_request_body_size, 0)

    def test_flat(self) -> None:
        """Without the protocol's name when there is one protocol only, with a warning."""
        obj = proxy(extend_config={"max_header_size": 5000})
        self.assertEqual(found(obj), [("warning", f"{CONFIG}.extend_config")])
        self.assertEqual(settings(extend_config={"max_header_size": 5000}).max_header_size, 5000)
        obj = proxy(downstream_protocol="Auto", extend_config={"max_header_size": 5000})
        self.assertEqual(found(obj), [("warning", f"{CONFIG}.extend_config.max_header_size")])

    def test_wrong(self) -> None:
        """Wrong types and unknown options are reported where they are."""
        obj = proxy(extend_config={"Http1": {"max_header_size": "x"}})
        self.assertEqual(found(obj), [("error", f"{CONFIG}.extend_config.Http1.max_header_size")])
        obj = proxy(extend_config={"Http1": []})
        self.assertEqual(found(obj), [("error", f"{CONFIG}.extend_config.Http1")])
        obj = proxy(extend_config={"bolt": 5})
        self.assertEqual(found(obj), [("error", f"{CONFIG}.extend_config.bolt")])
        obj = proxy(extend_config={"Http1": {"max_heder_size": 1}})
        self.assertEqual(found(obj), [("warning", f"{CONFIG}.extend_config.Http1.max_heder_size")])


class InlineRouteTests(SynchronousTestCase):
    """Virtual hosts inside of the proxy."""

    def test_besideAName(self) -> None:
        """As in MOSN today they do nothing beside a name, but not silently."""
        hosts = samples.router()["virtual_hosts"]
        obj = proxy(virtual_hosts=hosts)
        self.assertEqual(found(obj), [("warning", f"{CONFIG}.virtual_hosts")])

    def test_checked(self) -> None:
        """Inline routes are checked like others, at their own place."""
        routes = [{"match": {"regex": "("}, "route": {"cluster_name": "d"}}]
        hosts = samples.router(*routes)["virtual_hosts"]
        obj = proxy(router_config_name="", virtual_hosts=hosts)
        where = f"{CONFIG}.virtual_hosts[0].routers[0]"
        expected = {f"{where}.match.regex", f"{where}.route.cluster_name"}
        self.assertEqual({path for _, path in found(obj)}, expected)
        self.assertEqual(found(proxy(virtual_hosts={})), [("error", f"{CONFIG}.virtual_hosts")])
