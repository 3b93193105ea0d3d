"""Tests of `mosntx.config.checks`: what does not fit together."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.config import samples
from tests.config.samples import found, minimal, problemsOf

LISTENER = "servers[0].listeners[0]"
CONFIG = f"{LISTENER}.filter_chains[0].filters[0].config"
CLUSTER = "cluster_manager.clusters[0]"


def errors(obj: dict[str, Any]) -> list[str]:
    """Paths of all errors."""
    return [path for severity, path in found(obj) if severity == "error"]


def warnings(obj: dict[str, Any]) -> list[str]:
    """Paths of all warnings."""
    return [path for severity, path in found(obj) if severity == "warning"]


class AdaptiveTests(SynchronousTestCase):
    """Bounds of a measured limit."""

    def test_bounds(self) -> None:
        """A smallest limit above the largest is an error."""
        obj = minimal()
        cluster = obj["cluster_manager"]["clusters"][0]
        cluster["adaptive_concurrency"] = {"min_limit": 9, "max_limit": 8}
        self.assertEqual(errors(obj), [f"{CLUSTER}.adaptive_concurrency.min_limit"])
        cluster["adaptive_concurrency"] = {"min_limit": 9, "max_limit": 9}
        self.assertEqual(found(obj), [])


class NameTests(SynchronousTestCase):
    """Names that come twice."""

    def test_listeners(self) -> None:
        """Two listeners of a name are an error; without names the addresses are the names."""
        obj = minimal()
        obj["servers"][0]["listeners"].append(samples.listener(address="127.0.0.1:2"))
        self.assertEqual(errors(obj), ["servers[0].listeners[1].name"])
        (problem,) = problemsOf(obj)
        self.assertIn("also servers[0].listeners[0].name", problem.message)

    def test_clusters(self) -> None:
        """Two clusters of a name are an error."""
        obj = minimal()
        obj["cluster_manager"]["clusters"].append(samples.cluster())
        self.assertEqual(errors(obj), ["cluster_manager.clusters[1].name"])

    def test_routers(self) -> None:
        """A later configuration replaces an earlier one: a warning. Without name it is gone."""
        obj = minimal()
        obj["servers"][0]["routers"].append(samples.router())
        self.assertEqual(found(obj), [("warning", "servers[0].routers[1].router_config_name")])
        obj["servers"][0]["routers"][1]["router_config_name"] = ""
        self.assertEqual(found(obj), [("warning", "servers[0].routers[1]")])


class AddressTests(SynchronousTestCase):
    """Addresses of listeners, hosts and the admin API."""

    def test_listenerSyntax(self) -> None:
        """All forms that MOSN takes, and no others."""
        for address in ("127.0.0.1:80", "localhost:80", ":80", "[::1]:80", "0.0.0.0:0"):
            self.assertEqual(found(samples.withListener(address=address)), [])
        for address in ("", "80", "127.0.0.1", "h:x", "h:70000", "::1:80", "http://a:1", "a b:1"):
            self.assertEqual(errors(samples.withListener(address=address)), [f"{LISTENER}.address"])

    def test_unixListener(self) -> None:
        """A path, whatever is in it."""
        unix = {"network": "UNIX", "address": "/tmp/a socket"}
        self.assertEqual(found(samples.withListener(**unix)), [])
        unix["address"] = "/" + "x" * 200
        self.assertEqual(errors(samples.withListener(**unix)), [f"{LISTENER}.address"])
        self.assertEqual(errors(samples.withListener(network="tcp4")), [f"{LISTENER}.network"])

    def test_sameAddressTwice(self) -> None:
        """Two listeners cannot open one address; virtual listeners can share it."""
        obj = minimal()
        obj["servers"][0]["listeners"].append(samples.listener(name="b"))
        self.assertEqual(errors(obj), ["servers[0].listeners[1].address"])
        obj["servers"][0]["listeners"][1]["bind_port"] = False
        self.assertEqual(found(obj), [])

    def test_admin(self) -> None:
        """The admin API needs an address of its own."""
        obj = minimal()
        place = {"address": "127.0.0.1", "port_value": 2045}
        obj["admin"] = {"address": {"socket_address": place}}
        self.assertEqual(errors(obj), ["admin.address.socket_address.port_value"])
        place.update(address="no host", port_value=1)
        self.assertEqual(errors(obj), ["admin.address.socket_address.address"])
        place.update(address="::1")
        self.assertEqual(found(obj), [])
        obj["admin"] = {}
        self.assertEqual(warnings(obj), ["admin.address.socket_address.port_value"])

    def test_hosts(self) -> None:
        """Hosts need a name and a port; the second of equal hosts is a warning."""
        for address in ("10.0.0.1:80", "name.of-host:80", "[::1]:80", "unix:/tmp/s"):
            self.assertEqual(found(samples.withCluster(hosts=[{"address": address}])), [])
        for address in ("", ":80", "10.0.0.1:0", "10.0.0.256:80", "10.0.0.1", "-a:80"):
            obj = samples.withCluster(hosts=[{"address": address}])
            self.assertEqual(errors(obj), [f"{CLUSTER}.hosts[0].address"], address)
        twice = samples.withCluster(hosts=[{"address": "10.0.0.1:80"}] * 2)
        self.assertEqual(found(twice), [("warning", f"{CLUSTER}.hosts[1].address")])


class ReferenceTests(SynchronousTestCase):
    """Names that must exist."""

    def test_routerOfProxy(self) -> None:
        """A proxy needs a router configuration; a typo gets a suggestion."""
        chain = [{"filters": [samples.proxy(router_config_name="R")]}]
        obj = samples.withListener(filter_chains=chain)
        (problem,) = problemsOf(obj)
        self.assertEqual(problem.path, f"{CONFIG}.router_config_name")
        self.assertIn("did you mean 'r'?", problem.fix)
        chain[0]["filters"][0]["config"]["router_config_name"] = ""
        self.assertEqual(errors(obj), [f"{CONFIG}.router_config_name"])

    def test_clusterOfRoute(self) -> None:
        """`cluster_name`, weighted clusters and mirrors; a variable needs no cluster."""
        route = "servers[0].routers[0].virtual_hosts[0].routers[0]"
        weighted = [{"cluster": {"name": n, "weight": 1}} for n in ("c", "d")]
        cases: list[tuple[dict[str, Any], list[str]]] = [
            ({"route": {"cluster_name": "d"}}, [f"{route}.route.cluster_name"]),
            (
                {"route": {"weighted_clusters": weighted}},
                [f"{route}.route.weighted_clusters[1].cluster.name"],
            ),
            ({"route": {"cluster_variable": "x"}}, []),
            (
                {
                    "route": {"cluster_name": "c"},
                    "request_mirror_policies": {"cluster": "d", "percent": 1},
                },
                [f"{route}.request_mirror_policies.cluster"],
            ),
        ]
        for case, expected in cases:
            self.assertEqual(errors(samples.withRoutes(case)), expected)

    def test_unreadableClusterHidesNothing(self) -> None:
        """When a cluster's name is wrong, no cluster is said to be missing."""
        self.assertEqual(errors(samples.withCluster(name=5)), [f"{CLUSTER}.name"])
        self.assertEqual(errors(samples.withCluster(hosts=5)), [f"{CLUSTER}.hosts"])
        obj = minimal()
        obj["cluster_manager"]["clusters"] = [5]
        self.assertEqual(errors(obj), [CLUSTER])

    def test_tcpProxy(self) -> None:
        """Clusters and port ranges of tcp_proxy; one of `cluster` and `routes`."""

        def tcp(**config: Any) -> dict[str, Any]:
            filters = [{"type": "tcp_proxy", "config": config}]
            return samples.withListener(filter_chains=[{"filters": filters}])

        self.assertEqual(found(tcp(cluster="c")), [])
        self.assertEqual(errors(tcp(cluster="d")), [f"{CONFIG}.cluster"])
        self.assertEqual(errors(tcp()), [CONFIG])
        self.assertEqual(errors(tcp(routes=[{"cluster": "d"}])), [f"{CONFIG}.routes[0].cluster"])
        self.assertEqual(found(tcp(routes=[{"cluster": "c", "SourcePort": "80,90-100"}])), [])
        bad = tcp(routes=[{"cluster": "c", "source_port": "9-8"}])
        self.assertEqual(errors(bad), [f"{CONFIG}.routes[0].source_port"])


class WordTests(SynchronousTestCase):
    """Values that are no types but words."""

    def test_logs(self) -> None:
        """Log formats and rotation."""
        for text in ("%a", "%%", "%a%%", "x%a%%b"):
            obj = samples.withListener(access_logs=[{"log_format": text}])
            self.assertEqual(errors(obj), [f"{LISTENER}.access_logs[0].log_format"], text)
        obj = minimal()
        obj["servers"][0]["global_log_roller"] = "size=x"
        self.assertEqual(errors(obj), ["servers[0].global_log_roller"])

    def test_logLevel(self) -> None:
        """An unknown level is INFO, as in MOSN, but not silently."""
        obj = minimal()
        obj["servers"][0]["default_log_level"] = "debug"
        (problem,) = problemsOf(obj)
        self.assertEqual(problem.severity, "warning")
        self.assertIn("did you mean 'DEBUG'?", problem.fix)
        self.assertEqual(samples.load(obj).config.server.default_log_level, "INFO")

    def test_prometheus(self) -> None:
        """The settings of the sink."""
        obj = minimal()
        config = {"port": 0, "endpoint": "m", "percentiles": [101], "export_url": "x"}
        obj["metrics"] = {"sinks": [{"type": "prometheus", "config": config}]}
        where = "metrics.sinks[0].config"
        expected = [f"{where}.{key}" for key in ("port", "endpoint", "percentiles", "export_url")]
        self.assertEqual(errors(obj), expected)

    def test_clusterWords(self) -> None:
        """Modes and policies that MOSN quietly ignores; TLS that is nowhere defined is an error."""
        cases: list[tuple[dict[str, Any], str]] = [
            ({"slow_start": {"mode": "x"}}, "slow_start.mode"),
            ({"lb_subset_config": {"fall_back_policy": 3}}, "lb_subset_config.fall_back_policy"),
            (
                {"lb_subset_config": {"subset_selectors": [["a"], []]}, "hosts": []},
                "lb_subset_config.subset_selectors",
            ),
        ]
        for more, key in cases:
            self.assertEqual(warnings(samples.withCluster(**more)), [f"{CLUSTER}.{key}"])
        slow = {"mode": "duration", "slow_start_duration": "9s"}
        for balancer, expected in (("LB_RANDOM", ["slow_start"]), ("LB_LEAST_REQUEST", [])):
            obj = samples.withCluster(slow_start=slow, lb_type=balancer)
            self.assertEqual(warnings(obj), [f"{CLUSTER}.{key}" for key in expected])
        for zone, expected in (("a", []), ("b", []), ("c", ["lbconfig.zone"])):
            hosts = [{"address": "h:1", "zone": "a"}, {"address": "h:2", "metadata": {"zone": "b"}}]
            obj = samples.withCluster(lb_config={"zone": zone}, hosts=hosts)
            self.assertEqual(warnings(obj), [f"{CLUSTER}.{key}" for key in expected])
        tls = samples.withCluster(cluster_manager_tls=True)
        self.assertEqual(errors(tls), [f"{CLUSTER}.cluster_manager_tls"])
        codes = [{"Start": 300, "End": 200}]
        check = {"service_name": "s", "check_config": {"http_check_config": {"codes": codes}}}
        where = f"{CLUSTER}.health_check.check_config.http_check_config.codes[0]"
        self.assertEqual(warnings(samples.withCluster(health_check=check)), [where])
