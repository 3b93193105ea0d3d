"""Tests of `mosntx.config.specials`."""

from __future__ import annotations

from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase

from tests.config.samples import SMALL_BUILD, found, load, problemsOf, withCluster, withRoutes

ROUTE = "servers[0].routers[0].virtual_hosts[0].routers[0]"


def timeout(value: Any) -> dict[str, Any]:
    """A route with this timeout."""
    return withRoutes({"route": {"cluster_name": "c", "timeout": value}})


class LooseDurationTests(SynchronousTestCase):
    """Durations of routes, which were nanoseconds once."""

    def read(self, value: Any) -> float:
        """The seconds that come out."""
        action = load(timeout(value)).config.server.routers[0].virtual_hosts[0].routers[0].route
        assert action is not None
        return action.timeout

    def test_forms(self) -> None:
        """Go's text, 0, nanoseconds; negative means no timer."""
        self.assertEqual([self.read(v) for v in ("3s", 0, 5_000_000_000)], [3.0, 0.0, 5.0])
        self.assertEqual([self.read(v) for v in ("-1s", -1_000_000_000)], [-1.0, -1.0])

    def test_nanosecondsAreWarnedAbout(self) -> None:
        """With the modern spelling."""
        (problem,) = problemsOf(timeout(1_500_000_000))
        self.assertEqual((problem.severity, problem.fix), ("warning", "write '1.5s'"))

    def test_refuse(self) -> None:
        """Fractions, huge numbers and other text."""
        for value in (1.5, 10**30, "5", "--1s", True):
            self.assertEqual(found(timeout(value)), [("error", f"{ROUTE}.route.timeout")])


class MetadataTests(SynchronousTestCase):
    """Metadata of hosts."""

    def read(self, metadata: Any) -> Any:
        """What comes out."""
        obj = withCluster(hosts=[{"address": "127.0.0.1:1", "metadata": metadata}])
        return load(obj).config.cluster_manager.clusters[0].hosts[0].metadata

    def test_forms(self) -> None:
        """With its wrapper, flat, empty, of another namespace."""
        self.assertEqual(self.read({"filter_metadata": {"mosn.lb": {"a": "b"}}}), {"a": "b"})
        self.assertEqual(self.read({"a": "b"}), {"a": "b"})
        self.assertEqual(self.read({}), {})
        self.assertEqual(self.read({"filter_metadata": {"other": {"a": "b"}}}), {})

    def test_notText(self) -> None:
        """A version that YAML made a number is left out with a warning."""
        obj = withCluster(
            hosts=[
                {
                    "address": "127.0.0.1:1",
                    "metadata": {"filter_metadata": {"mosn.lb": {"version": 1.0, "a": "b"}}},
                }
            ]
        )
        (problem,) = problemsOf(obj)
        self.assertEqual((problem.severity, problem.fix), ("warning", "put it in quotes"))
        self.assertIn('filter_metadata["mosn.lb"].version', problem.path)
        metadata = load(obj).config.cluster_manager.clusters[0].hosts[0].metadata
        self.assertEqual(metadata, {"a": "b"})

    def test_refuse(self) -> None:
        """Anything but an object."""
        values: list[Any] = ["x", [], {"filter_metadata": {"mosn.lb": "x"}}]
        for value in values:
            obj = withCluster(hosts=[{"address": "127.0.0.1:1", "metadata": value}])
            self.assertEqual([severity for severity, _ in found(obj)], ["error"])


class CidrTests(SynchronousTestCase):
    """Networks of tcp_proxy's routes."""

    def test_forms(self) -> None:
        """Text, and MOSN's objects with Go's names."""
        from tests.config.samples import withListener

        values: list[Any] = ["10.1.0.0/8", {"Address": "10.0.0.0", "Length": 8}, "::1"]
        route = {"cluster": "c", "SourceAddrs": values}
        filters = [{"type": "tcp_proxy", "config": {"routes": [route]}}]
        obj = withListener(filter_chains=[{"filters": filters}])
        config = load(obj).config.server.listeners[0].filters[0].config
        expected = ("10.0.0.0/8", "10.0.0.0/8", "::1/128")
        self.assertEqual(config.routes[0].source_addrs, expected)
        for bad in ("x", 5, {"Length": 8}, {"Address": "10.0.0.0", "Length": "x"}, None):
            values[:] = [bad]
            self.assertEqual([severity for severity, _ in found(obj)], ["error"], bad)


class FilterConfigTests(SynchronousTestCase):
    """`per_filter_config`."""

    def test_names(self) -> None:
        """Built ones are read, MOSN's are reported, unknown ones are skipped."""
        config = {"fault": {"a": 1}, "falt": {}}
        obj = withRoutes({"direct_response": {"status": 200}, "per_filter_config": config})
        self.assertEqual(found(obj), [("warning", f"{ROUTE}.per_filter_config.falt")])
        route = load(obj).config.server.routers[0].virtual_hosts[0].routers[0]
        self.assertEqual(route.per_filter_config, {"fault": {"a": 1}})
        severities = {path.rpartition(".")[2]: s for s, path in found(obj, SMALL_BUILD)}
        self.assertEqual(severities, {"fault": "unsupported", "falt": "warning"})
        obj = withRoutes({"direct_response": {"status": 200}, "per_filter_config": []})
        self.assertEqual(found(obj), [("error", f"{ROUTE}.per_filter_config")])


class UpstreamProtocolTests(SynchronousTestCase):
    """Protocols that routes convert to."""

    build = attrs.evolve(
        SMALL_BUILD,
        protocols={"Http1", "bolt"},
        features={*SMALL_BUILD.features, "protocol_conversion"},
    )

    def read(self, protocol: Any) -> Any:
        """What comes out, with the severities of what is found."""
        action = {"cluster_name": "c", "upstream_protocol": protocol}
        loaded = load(withRoutes({"route": action}), names=self.build)
        route = loaded.config.server.routers[0].virtual_hosts[0].routers[0].route
        assert route is not None
        return route.upstream_protocol, [problem.severity for problem in loaded.problems]

    def test_built(self) -> None:
        """Names of the build, and the old name of bolt."""
        self.assertEqual(self.read("Http1"), ("Http1", []))
        self.assertEqual(self.read("SofaRpc"), ("bolt", []))
        self.assertEqual(self.read(""), ("", []))

    def test_notBuilt(self) -> None:
        """What MOSN knows is reported, and requests go in the protocol that they came in."""
        for name in ("Http2", "dubbo", "X"):
            self.assertEqual(self.read(name), ("", ["unsupported"]))

    def test_unknown(self) -> None:
        """What nobody knows is an error."""
        for name in ("http", 5):
            action = {"cluster_name": "c", "upstream_protocol": name}
            problems = problemsOf(withRoutes({"route": action}), names=self.build)
            self.assertEqual(
                [(problem.severity, problem.path) for problem in problems],
                [("error", f"{ROUTE}.route.upstream_protocol")],
            )
