"""Tests of `mosntx.config.resolvecluster`."""

from __future__ import annotations

from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import Cluster
from tests.config.samples import EVERYTHING, SMALL_BUILD, found, load, problemsOf, withCluster

CLUSTER = "cluster_manager.clusters[0]"


def cluster(names: Any = EVERYTHING, **more: Any) -> Cluster:
    """The cluster that comes out."""
    return load(withCluster(**more), names).config.cluster_manager.clusters[0]


class ClusterTests(SynchronousTestCase):
    """Types, balancers, health checks."""

    def test_defaults(self) -> None:
        """Empty types and balancers are MOSN's defaults."""
        made = cluster(type="", lb_type="", connect_timeout=0)
        expected = ("SIMPLE", "LB_ROUNDROBIN", 10.0)
        self.assertEqual((made.type, made.lb_type, made.connect_timeout), expected)

    def test_unknown(self) -> None:
        """Unlike MOSN, which quietly takes the default, we refuse."""
        for key, value, hint in (
            ("type", "SIMPEL", "SIMPLE"),
            ("lb_type", "lb_random", "LB_RANDOM"),
        ):
            (problem,) = problemsOf(withCluster(**{key: value}))
            self.assertEqual((problem.severity, problem.path), ("error", f"{CLUSTER}.{key}"))
            self.assertIn(f"did you mean '{hint}'?", problem.fix)

    def test_notBuilt(self) -> None:
        """What is not built is replaced by what is, and reported."""
        made = cluster(SMALL_BUILD, type="STRICT_DNS", lb_type="LB_MAGLEV")
        self.assertEqual((made.type, made.lb_type), ("SIMPLE", "LB_ROUNDROBIN"))
        obj = withCluster(type="STRICT_DNS", lb_type="LB_MAGLEV")
        expected = [("unsupported", f"{CLUSTER}.type"), ("unsupported", f"{CLUSTER}.lb_type")]
        self.assertEqual(sorted(found(obj, SMALL_BUILD)), sorted(expected))

    def test_originalDst(self) -> None:
        """The type forces its balancer."""
        self.assertEqual(cluster(type="ORIGINAL_DST").lb_type, "LB_ORIGINAL_DST")

    def test_destination(self) -> None:
        """Without a header the destination comes from the listener filter, which may be missing."""
        build = attrs.evolve(EVERYTHING, features=EVERYTHING.features - {"original_dst"})
        obj = withCluster(lb_type="LB_ORIGINAL_DST")
        self.assertEqual(found(obj, build), [("unsupported", CLUSTER)])
        self.assertEqual(found(obj), [])
        obj = withCluster(type="ORIGINAL_DST", original_dst_lb_config={"use_header": True})
        self.assertEqual(found(obj, build), [])

    def test_name(self) -> None:
        """Empty and missing names are errors, once."""
        self.assertIn(("error", f"{CLUSTER}.name"), found(withCluster(name="")))

    def test_healthCheck(self) -> None:
        """Reported only when it is switched on; protocols that only connect are pointed out."""
        off = withCluster(health_check={"protocol": "Http1"})
        self.assertEqual(found(off, SMALL_BUILD), [])
        on: dict[str, Any] = {"service_name": "s"}
        obj = withCluster(health_check=on)
        self.assertEqual(found(obj, SMALL_BUILD), [("unsupported", f"{CLUSTER}.health_check")])
        self.assertEqual(found(obj), [])
        for protocol in ("Http1", "http1"):
            on["protocol"] = protocol
            self.assertEqual(found(obj), [("warning", f"{CLUSTER}.health_check.protocol")])
        on["protocol"] = "Http2"  # MOSN's files mean it
        self.assertEqual(found(obj), [])
        on["check_config"] = {"http_check_config": {"path": "/"}, "other": {}}
        on["protocol"] = "Http1"
        self.assertEqual(found(obj), [])
        check = cluster(health_check=on).health_check
        assert check is not None and check.check_config.http_check_config is not None
        self.assertEqual(
            (check.interval_jitter, check.check_config.http_check_config.timeout), (0.005, 30.0)
        )

    def test_grpcCheck(self) -> None:
        """It needs HTTP/2, and cannot be asked beside HTTP."""
        on: dict[str, Any] = {"service_name": "s", "check_config": {"grpc_check_config": {}}}
        obj = withCluster(health_check=on)
        where = f"{CLUSTER}.health_check"
        for protocol, expected in (
            ("Http2", []),
            ("", [("warning", f"{where}.protocol")]),
            ("http2", [("warning", f"{where}.protocol")] * 2),
        ):
            on["protocol"] = protocol
            self.assertEqual(found(obj), expected, protocol)
        on["protocol"] = "Http2"
        on["check_config"]["http_check_config"] = {}
        self.assertEqual(found(obj), [("error", f"{where}.check_config")])

    def test_checkedUrl(self) -> None:
        """A URL in the place of a path is pointed out: MOSN's check always fails with it."""
        for text, wrong in (
            ("http://a/b", True),
            ("HTTPS://a", True),
            ("/b?to=http://a", False),
            ("?only=query", False),
            ("", False),
        ):
            settings = {"http_check_config": {"path": text, "port": -1}}
            check = {"service_name": "s", "protocol": "Http1", "check_config": settings}
            where = f"{CLUSTER}.health_check.check_config.http_check_config.path"
            expected = [("error", where)] if wrong else []
            self.assertEqual(found(withCluster(health_check=check)), expected, text)

    def test_features(self) -> None:
        """Keys whose feature is not built are reported once, unless they say the default."""
        obj = withCluster(mark=5, keepalive={}, lb_subset_config={}, cluster_pool_enable=False)
        keys = {path.rpartition(".")[2] for _, path in found(obj, SMALL_BUILD)}
        self.assertEqual(keys, {"mark", "keepalive", "lb_subset_config"})
