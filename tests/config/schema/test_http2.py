"""Tests of `mosntx.config.schema.http2`."""

from __future__ import annotations

from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.dump import dumpCluster
from mosntx.config.load import loadText
from mosntx.config.problems import ConfigError
from mosntx.config.schema import Cluster, Http2Options, Http2UpstreamOptions
from mosntx.protocol.http2.limits import Http2Limits
from tests.config.samples import EVERYTHING, found, load, problemsOf, withCluster

OPTIONS = "cluster_manager.clusters[0].protocol_options"


def cluster(**options: Any) -> Cluster:
    """Return a cluster with these options of HTTP/2."""
    obj = withCluster(protocol_options={"Http2": options})
    return load(obj).config.cluster_manager.clusters[0]


class DefaultTests(SynchronousTestCase):
    """What holds when nothing is written."""

    def test_limits(self) -> None:
        """The options say what the limits of the protocol are without them."""
        limits = Http2Limits()
        for options in (Http2Options(), Http2UpstreamOptions()):
            self.assertEqual(
                (
                    options.max_concurrent_streams,
                    options.initial_stream_window,
                    options.initial_connection_window,
                    options.enable_push,
                ),
                (
                    limits.max_concurrent_streams,
                    limits.stream_window,
                    limits.connection_window,
                    limits.enable_push,
                ),
            )
        plain = Http2Options()
        self.assertEqual(
            (plain.settings_timeout, plain.window_timeout),
            (limits.settings_timeout, limits.window_timeout),
        )
        upstream = Http2UpstreamOptions()
        self.assertEqual(
            (upstream.max_header_size, upstream.max_headers),
            (limits.max_header_list_size, limits.max_headers),
        )

    def test_keepalive(self) -> None:
        """Clients are asked after a minute; the answer has time enough for a slow link."""
        times = Http2Options().keepalive
        self.assertEqual((times.interval, times.timeout), (60.0, 20.0))


class ClusterTests(SynchronousTestCase):
    """`protocol_options` of a cluster."""

    def test_read(self) -> None:
        """Each option arrives, and is dumped as it was written."""
        written = {
            "http2_engine": "h2",
            "max_concurrent_streams": 7,
            "initial_stream_window": 1000,
            "initial_connection_window": 70000,
            "enable_push": False,
            "max_header_size": 5000,
            "max_headers": 9,
        }
        made = cluster(**written)
        read = attrs.asdict(made.protocol_options.http2)
        self.assertEqual(read, written)
        self.assertEqual(dumpCluster(made)["protocol_options"], {"Http2": written})

    def test_wrong(self) -> None:
        """Numbers that the protocol cannot say, unknown engines and unknown names."""
        for key, value in (
            ("http2_engine", "nghttp2"),
            ("max_concurrent_streams", 0),
            ("initial_stream_window", 2**31),
            ("initial_connection_window", 65534),
            ("enable_push", 1),
            ("max_headers", -1),
        ):
            obj = withCluster(protocol_options={"Http2": {key: value}})
            self.assertEqual(found(obj), [("error", f"{OPTIONS}.Http2.{key}")], key)
        for options, path in (({"Http3": {}}, "Http3"), ({"Http2": {"window": 1}}, "Http2.window")):
            obj = withCluster(protocol_options=options)
            self.assertEqual([each[1] for each in found(obj)], [f"{OPTIONS}.{path}"])

    def test_place(self) -> None:
        """An error has its line and its column."""
        text = (
            "cluster_manager:\n"
            "  clusters:\n"
            "    - name: c\n"
            "      protocol_options:\n"
            "        Http2: {max_concurrent_streams: none}\n"
        )
        error = self.assertRaises(ConfigError, loadText, text, "c.yaml", EVERYTHING)
        places = {each.path: (each.line, each.column) for each in error.problems}
        self.assertEqual(places[f"{OPTIONS}.Http2.max_concurrent_streams"], (5, 41))

    def test_engine(self) -> None:
        """An engine that is not installed is an error, with what to do about it."""
        here = attrs.evolve(EVERYTHING, engines={"h2"})
        obj = withCluster(protocol_options={"Http2": {"http2_engine": "ngh2"}})
        (problem,) = problemsOf(obj, here)
        self.assertEqual(problem.path, f"{OPTIONS}.Http2.http2_engine")
        self.assertIn("install mosntx[fast]", problem.fix)
