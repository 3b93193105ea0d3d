"""Tests of `mosntx.config.load`: every key of MOSN's samples, and files of old versions."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.load import loadMapping, loadText
from mosntx.config.schema import ProxyConfig, TcpProxyConfig
from tests.config import samples
from tests.config.allkeys import ALL_KEYS, ALL_KEYS_JSON, ALL_KEYS_YAML
from tests.config.samples import (
    EVERYTHING,
    SMALL_BUILD,
    found,
    load,
    minimal,
    problemsOf,
)

OLD_FILE = """{"servers": [{"listeners": [{"name": "l", "address": "127.0.0.1:1",
  "handoff_restoreddestination": true, "log_level": "DEBUG", "bind_port": true,
  "filter_chains": [{"tls_context": {"status": false, "inspector": true}, "filters": [
    {"type": "proxy", "config": {
      "downstream_protocol": "SofaRpc", "upstream_protocol": "Http2",
      "support_dynamic_route": true, "basic_routes": [], "virtual_hosts": [
        {"domains": ["*"], "virtual_clusters": [], "routers": [{
          "match": {"headers": [{"name": "service", "value": ".*", "regex": true}],
                    "case_sensitive": true, "runtime": {}},
          "decorator": "x",
          "route": {"timeout": 5000000000, "runtime_key_prefix": "p",
            "retry_policy": {"retry_timeout": 1000000000},
            "weighted_clusters": [{"clusters": {"name": "serverCluster", "weight": 1}}],
            "metadata_match": {"filter_metadata": {"mosn.lb": {"v": "1"}}}}}]}]}}]}]}]}],
  "service_registry": {"application": {}},
  "cluster_manager": {"auto_discovery": true, "clusters": [{
    "name": "serverCluster", "type": "SIMPLE", "lb_type": "LB_RANDOM",
    "health_check": {"protocol": "SofaRpc", "check_path": "/"},
    "circuit_breakers": [{"priority": "high", "max_retries": 1},
                         {"priority": "default", "max_retries": 2}],
    "hosts": [{"address": "127.0.0.1:2", "meta_data": {"a": "b"}}]}]}}"""


class AllKeysTests(SynchronousTestCase):
    """Every key of MOSN's samples (spec/config.md section 10)."""

    def test_jsonWithTabs(self) -> None:
        """Everything loads; what is inert is accepted silently."""
        loaded = loadText(ALL_KEYS_JSON, "all.json", EVERYTHING)
        expected = {
            "servers[0].listeners[0].stream_filters[10].type",
            "servers[0].listeners[1].filter_chains[0].filters[0].config.upstream_protocol",
            "servers[0].listeners[1].filter_chains[0].filters[0].config.extend_config",
            "cluster_manager.clusters[0].health_check.protocol",
            "cluster_manager.clusters[0].slow_start",
        }
        self.assertEqual({p.path for p in loaded.problems}, expected)
        self.assertEqual({p.severity for p in loaded.problems}, {"warning"})

    def test_yamlIsTheSame(self) -> None:
        """The YAML text gives the same configuration and the same findings."""
        fromYaml = loadText(ALL_KEYS_YAML, "all.yaml", EVERYTHING)
        fromJson = loadText(ALL_KEYS_JSON, "all.json", EVERYTHING)
        self.assertEqual(fromYaml.config, fromJson.config)
        self.assertEqual(
            [(p.path, p.message) for p in fromYaml.problems],
            [(p.path, p.message) for p in fromJson.problems],
        )

    def test_mappingIsTheSame(self) -> None:
        """So does the Python mapping, without lines."""
        loaded = loadMapping(ALL_KEYS, EVERYTHING)
        self.assertEqual(loaded.config, loadText(ALL_KEYS_JSON, "a", EVERYTHING).config)
        self.assertEqual({p.line for p in loaded.problems}, {0})

    def test_values(self) -> None:
        """Some values, resolved."""
        config = loadText(ALL_KEYS_JSON, "all.json", EVERYTHING).config
        first, second, udp = config.server.listeners
        self.assertEqual([f.type for f in first.filters], ["proxy", "tcp_proxy"])
        self.assertEqual(first.filters[0].config.protocols, ("x_example",))
        self.assertEqual(
            first.filters[0].path, "servers[0].listeners[0].filter_chains[0].filters[0]"
        )
        self.assertIsNone(first.idleTimeout)
        self.assertEqual([f.type for f in second.filters], ["proxy", "tunnel"])
        self.assertTrue(second.filters[0].config.protocols)
        self.assertIsInstance(udp.filters[0].config, TcpProxyConfig)
        self.assertEqual(
            [r.router_config_name for r in config.server.routers], ["old_router", "server_router"]
        )
        self.assertEqual(config.cluster_manager.clusters[0].name, "serverCluster")
        self.assertEqual(config.mode, "mix")

    def test_smallBuild(self) -> None:
        """With few names built, each missing thing is reported once."""
        texts = [
            p.message for p in problemsOf(ALL_KEYS_JSON, SMALL_BUILD) if "not yet" in p.message
        ]
        self.assertEqual(len(texts), len(set(texts)))
        self.assertIn("accepted, not yet supported: stream filter 'mirror'", texts)
        self.assertIn("accepted, not yet supported: protocol 'x_example'", texts)


class OldSpellingTests(SynchronousTestCase):
    """Files of MOSN 0.1 to 0.8 (spec/config.md section 9)."""

    def test_style_0_1_0(self) -> None:
        """Inline virtual hosts, SofaRpc, nanoseconds, health checks by their protocol."""
        loaded = loadText(OLD_FILE, "old.json", EVERYTHING)
        proxy = loaded.config.server.listeners[0].filters[0].config
        assert isinstance(proxy, ProxyConfig)
        self.assertEqual(proxy.protocols, ("bolt", "boltv2"))
        self.assertEqual(proxy.upstreamProtocol, "Http2")
        (router,) = loaded.config.server.routers
        self.assertEqual(router.router_config_name, proxy.router_config_name)
        action = router.virtual_hosts[0].routers[0].route
        assert action is not None and action.retry_policy is not None
        self.assertEqual((action.timeout, action.retry_policy.retry_timeout), (5.0, 1.0))
        self.assertEqual(action.weighted_clusters[0].name, "serverCluster")
        self.assertEqual(action.metadata_match, {"v": "1"})
        cluster = loaded.config.cluster_manager.clusters[0]
        assert cluster.health_check is not None
        self.assertTrue(cluster.health_check.enabled)
        self.assertEqual(cluster.circuitBreaker.max_retries, 2)
        self.assertEqual(cluster.hosts[0].metadata, {"a": "b"})
        self.assertEqual(loaded.config.server.listeners[0].use_original_dst, "redirect")
        self.assertEqual(
            {p.path.rpartition(".")[2] for p in loaded.problems},
            {"timeout", "retry_timeout", "metadata_match"},
        )

    def test_style_0_4_1(self) -> None:
        """The router configuration in `connection_manager`, `default_log_roller`."""
        obj = minimal()
        server = obj["servers"][0]
        server["default_log_roller"] = "time=24"
        filters = server["listeners"][0]["filter_chains"][0]["filters"]
        filters.append({"type": "connection_manager", "config": server.pop("routers")[0]})
        loaded = load(obj)
        self.assertEqual(loaded.problems, ())
        self.assertEqual(loaded.config.server.routers[0].router_config_name, "r")
        self.assertEqual(loaded.config.server.global_log_roller, "time=24")
        self.assertEqual([f.type for f in loaded.config.server.listeners[0].filters], ["proxy"])

    def test_camelCase(self) -> None:
        """Keys as 0.1.0's samples spell them, which did not even work there: a warning each."""
        obj = minimal()
        server = obj["servers"][0]
        hosts = server.pop("routers")[0]["virtual_hosts"]
        config = {"DownstreamProtocol": "Http1", "VirtualHosts": hosts}
        server["listeners"][0]["filter_chains"][0]["filters"] = [
            {"type": "proxy", "config": config}
        ]
        loaded = load(obj)
        self.assertEqual([p.severity for p in loaded.problems], ["warning"] * 2)
        self.assertEqual(len(loaded.config.server.routers[0].virtual_hosts), 1)

    def test_upstreamProtocolIsInert(self) -> None:
        """In a file of the new style it is only warned about when it differs."""
        filters = [samples.proxy(upstream_protocol="Http2")]
        obj = samples.withListener(filter_chains=[{"filters": filters}])
        loaded = load(obj)
        self.assertEqual(loaded.config.server.listeners[0].filters[0].config.upstreamProtocol, "")
        self.assertEqual([p.severity for p in loaded.problems], ["warning"])
        filters[0]["config"]["upstream_protocol"] = "Http1"
        self.assertEqual(found(obj), [])

    def test_healthCheckNeedsItsSwitch(self) -> None:
        """In a file of the new style `service_name` is the switch."""
        cluster = load(samples.withCluster(health_check={"protocol": "Http1"})).config
        check = cluster.cluster_manager.clusters[0].health_check
        assert check is not None
        self.assertFalse(check.enabled)
