"""Tests of `mosntx.upstream.health.build`."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import CheckConfig, GrpcCheck, HealthCheck, HttpCheck
from mosntx.upstream.health.build import scheduleOf
from mosntx.upstream.health.grpc import GrpcProbe
from mosntx.upstream.health.http import HttpProbe
from mosntx.upstream.health.rpc import RpcProbe
from mosntx.upstream.health.session import Schedule
from mosntx.upstream.health.tcp import TcpProbe
from tests.upstream.health.build import ADDRESS, probes


def check(
    protocol: str = "", http: HttpCheck | None = None, grpc: GrpcCheck | None = None, **more: Any
) -> HealthCheck:
    """Return a configuration."""
    return HealthCheck(
        service_name="s",
        protocol=protocol,
        check_config=CheckConfig(http_check_config=http, grpc_check_config=grpc),
        path="cluster_manager.clusters[0].health_check",
        **more,
    )


class ScheduleTests(SynchronousTestCase):
    """When to ask."""

    def test_defaults(self) -> None:
        """MOSN's defaults come from the schema."""
        self.assertEqual(scheduleOf(check()), Schedule())

    def test_all(self) -> None:
        """Every key has its place."""
        config = check(
            initial_delay_seconds=2.0,
            interval=3.0,
            interval_jitter=0.5,
            timeout=4.0,
            healthy_threshold=5,
            unhealthy_threshold=6,
        )
        self.assertEqual(scheduleOf(config), Schedule(2.0, 3.0, 0.5, 4.0, 5, 6))

    def test_httpTimeout(self) -> None:
        """The request has a time of its own; the shorter one counts."""
        self.assertEqual(scheduleOf(check("Http1", HttpCheck(timeout=0.5))).timeout, 0.5)
        self.assertEqual(scheduleOf(check("Http1", HttpCheck())).timeout, 1.0)
        self.assertEqual(scheduleOf(check("", HttpCheck(timeout=0.5))).timeout, 1.0)


class ProbesTests(SynchronousTestCase):
    """Which probe asks."""

    def test_kinds(self) -> None:
        """`Http1` with its settings, heartbeats by name, and TCP for anything else."""
        for config, kind in (
            (check("Http1", HttpCheck()), HttpProbe),
            (check("Http1"), TcpProbe),
            (check("Http1", HttpCheck(scheme="https")), TcpProbe),
            (check("http1", HttpCheck()), TcpProbe),
            (check("bolt"), RpcProbe),
            (check("boltv2"), RpcProbe),
            (check("tr"), RpcProbe),
            (check("SofaRpc"), TcpProbe),
            (check("Http2"), TcpProbe),
            (check("Http2", HttpCheck()), HttpProbe),
            (check("Http2", HttpCheck(scheme="https")), TcpProbe),
            (check("Http2", grpc=GrpcCheck()), GrpcProbe),
            (check("Http1", grpc=GrpcCheck()), TcpProbe),
            (check(), TcpProbe),
        ):
            self.assertIs(type(probes().build(config, ADDRESS)), kind, config.protocol)

    def test_cannotBeAsked(self) -> None:
        """A host with a bad address has no HTTP check, which is an alert in the log."""
        with capturedLogs() as events:
            self.assertIsNone(probes().build(check("Http1", HttpCheck()), "nowhere"))
            for protocol in ("Http1", "Http2"):
                for config in (HttpCheck(method="no token"), HttpCheck(domain="a\r\nb: c")):
                    self.assertIsNone(probes().build(check(protocol, config), ADDRESS))
            grpc = check("Http2", grpc=GrpcCheck(authority="a b"))
            self.assertIsNone(probes().build(grpc, ADDRESS))
        self.assertEqual([event["alert"] for event in events], ["health check"] * 6)

    def test_explain(self) -> None:
        """What a configuration asks for and does not get is in the log."""
        for config, levels in (
            (check("Http1"), ["error"]),
            (check("Http1", HttpCheck(scheme="https")), ["error"]),
            (check("tr"), []),
            (check("Http1", HttpCheck()), ["warn"]),
            (check("Http1", HttpCheck(port=80)), []),
            (check("Http2"), []),
            (check("Http2", HttpCheck(port=80)), []),
            (check("Http2", HttpCheck(scheme="https")), ["error"]),
            (check("Http2", grpc=GrpcCheck()), []),
            (check("bolt"), []),
            (check("SofaRpc"), []),
        ):
            with capturedLogs() as events:
                probes().explain(config)
            self.assertEqual([event["log_level"].name for event in events], levels)

    def test_unknownProtocol(self) -> None:
        """A catalog without a protocol only connects, and the log says so."""
        few = evolve(probes(), known=("Http1",))
        with capturedLogs() as events:
            few.explain(check("tr"))
            few.explain(check("Http2", grpc=GrpcCheck()))
        self.assertEqual([event["log_level"].name for event in events], ["error"] * 2)
        self.assertIs(type(few.build(check("tr"), ADDRESS)), TcpProbe)
        self.assertIs(type(few.build(check("Http2", HttpCheck()), ADDRESS)), TcpProbe)
