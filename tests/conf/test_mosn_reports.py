"""What is reported of configurations in the shape of MOSN's own samples, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.load import loadMapping
from mosntx.config.problems import ERROR, UNSUPPORTED, WARNING, ConfigError
from mosntx.service.catalog import standardCatalog
from mosntx.testing.mesh import MemoryMesh

PROXY = "servers[0].listeners[0].filter_chains[0].filters[0].config"
CLUSTER = "cluster_manager.clusters[0]"
FILTER = "servers[0].listeners[0].stream_filters[0].type"
ROUTE = "servers[0].routers[0].virtual_hosts[0].routers[0]"


def proxy(protocol: str = "Http1", **more: Any) -> dict[str, Any]:
    """Return the network filter as all samples have it."""
    names = {"downstream_protocol": protocol, "upstream_protocol": protocol}
    return {"type": "proxy", "config": {**names, "router_config_name": "server_router", **more}}


def cluster(name: str = "serverCluster", *ports: int, **more: Any) -> dict[str, Any]:
    """Return a cluster; samples write ``Name`` as often as ``name``."""
    return {
        "Name": name,
        "type": "SIMPLE",
        "lb_type": "LB_RANDOM",
        "max_request_per_conn": 1024,
        "conn_buffer_limit_bytes": 32768,
        "hosts": [{"address": f"127.0.0.1:{port}"} for port in ports or (8080,)],
        **more,
    }


def sample(
    *filters: Mapping[str, Any],
    clusters: tuple[Mapping[str, Any], ...] = (),
    listener: Mapping[str, Any] | None = None,
    route: Mapping[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return a whole file."""
    matched = {"match": {"prefix": "/"}, "route": {"cluster_name": "serverCluster"}}
    host = {"name": "serverHost", "domains": ["*"], "routers": [{**matched, **(route or {})}]}
    front = {
        "name": "serverListener",
        "address": "127.0.0.1:2046",
        "bind_port": True,
        "log_path": "stdout",
        "filter_chains": [{"tls_context": {}, "filters": list(filters) or [proxy()]}],
        **(listener or {}),
    }
    router = {"router_config_name": "server_router", "virtual_hosts": [host]}
    return {
        "servers": [{"default_log_path": "stdout", "routers": [router], "listeners": [front]}],
        "cluster_manager": {"clusters": list(clusters) or [cluster()]},
        "admin": {"address": {"socket_address": {"address": "0.0.0.0", "port_value": 34901}}},
        **more,
    }


class ReportTests(SynchronousTestCase):
    """Each sample loads, and says what of it does not work as in MOSN."""

    def reports(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Return the severity of each report by its path."""
        loaded = loadMapping(json.loads(json.dumps(config)), standardCatalog().names())
        return {problem.path: problem.severity for problem in loaded.problems}

    def test_silent(self) -> None:
        """Most samples say nothing: old keys of listeners and clusters are no news."""
        service = {"match": {"headers": [{"name": "service", "value": ".*"}]}}
        fallback = proxy(fallback_for_unknown_protocol=True, downstream_protocol="Auto")
        tcp = {"type": "tcp_proxy", "config": {"cluster": "serverCluster"}}
        healthcheck = {"stream_filters": [{"type": "healthcheck", "config": {}}]}
        copies = {"type": "mirror", "config": {"amplification": 10, "broadcast": True}}
        policy = {"request_mirror_policies": {"cluster": "copy", "percent": 100}}
        for config in (
            sample(),
            sample(proxy("SofaRpc"), route=service, listener=healthcheck),
            sample(proxy("bolt"), route=service),
            sample(fallback, tcp),
            sample(tcp),
            sample(
                listener={"stream_filters": [copies]},
                route=policy,
                clusters=(cluster(), cluster("copy", 9090, 9091, lb_type="LB_REQUEST_ROUNDROBIN")),
                metrics={"shm_zone": "m", "sinks": [{"type": "prometheus", "config": {"port": 1}}]},
            ),
            sample(disable_upgrade=True, close_graceful=True),
        ):
            self.assertEqual(self.reports(config), {})

    def test_slowStart(self) -> None:
        """The slow start sample: `http1` in lower case only connects, and that is said."""
        check = {
            "protocol": "http1",
            "timeout": "1s",
            "interval": "1s",
            "healthy_threshold": 1,
            "service_name": "serverCluster",
        }
        rise = {"mode": "duration", "slow_start_duration": "30s", "aggression": 1}
        config = sample(
            clusters=(
                cluster(
                    "serverCluster",
                    lb_type="LB_WEIGHTED_ROUNDROBIN",
                    health_check=check,
                    slow_start={**rise, "min_weight_percent": 0.1},
                ),
            ),
        )
        self.assertEqual(self.reports(config), {f"{CLUSTER}.health_check.protocol": WARNING})
        mesh = MemoryMesh(config)
        mesh.advance(1.1)
        self.assertEqual(mesh.dialled, [("127.0.0.1", 8080)])

    def test_dubboMirror(self) -> None:
        """The mirror sample: nothing is left of a listener for Dubbo; two keys are nobody's."""
        fraction = {"numberator": 100, "denominator_num": 100}
        policy = {"cluster": "serverCluster", "fractional_percent": fraction, "amplification": 1}
        filters = proxy("X", extend_config={"sub_protocol": "dubbo"})
        config = sample(filters, route={"request_mirror_policies": policy})
        error = self.assertRaises(ConfigError, self.reports, config)
        found = {problem.path: problem.severity for problem in error.problems}
        mirror = f"{ROUTE}.request_mirror_policies"
        self.assertEqual(
            found,
            {
                f"{PROXY}.downstream_protocol": UNSUPPORTED,
                PROXY.removesuffix("[0].config"): ERROR,
                f"{mirror}.fractional_percent": WARNING,
                f"{mirror}.amplification": WARNING,
            },
        )

    def test_dsl(self) -> None:
        """The sample of the filter ``dsl`` and of pprof: neither is built."""
        filters = [{"type": "dsl", "config": {"before_router_by_dsl": "ctx.rewrite()"}}]
        config = sample(
            proxy("Auto"),
            listener={"stream_filters": filters, "listener_filters": []},
            pprof={"debug": True, "port_value": 34902},
        )
        found = self.reports(config)
        self.assertEqual(set(found.values()), {UNSUPPORTED})
        self.assertEqual(set(found), {FILTER, "pprof.debug"})

    def test_tls(self) -> None:
        """The samples with TLS are refused: they never serve in plain text."""
        context = {"status": True, "cert_chain": "c", "private_key": "k", "verify_client": True}
        chains = [{"tls_context": context, "filters": [proxy()]}]
        error = self.assertRaises(
            ConfigError, self.reports, sample(listener={"filter_chains": chains})
        )
        self.assertIn("tls_context", str(error))
