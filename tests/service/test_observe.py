"""Tests of `mosntx.service.observe`."""

from __future__ import annotations

import json
import os

from attrs import evolve
from twisted.logger import LogLevel
from twisted.trial.unittest import SynchronousTestCase

from mosntx import __version__
from mosntx.config.load import loadMapping
from mosntx.service.catalog import standardCatalog
from mosntx.service.observe import FEATURE_GATES, effectiveConfig, isLoopback
from mosntx.testing.mesh import MemoryMesh
from tests.config.samples import cluster, router
from tests.service.build import ANSWER, ServiceCase, adminOn, config, fetch, inFlight


def loaded(**more):
    """Return the objects of a configuration."""
    return loadMapping(config(**more), standardCatalog().names()).config


class AdminTests(ServiceCase):
    """The admin API of a Sidecar."""

    def start(self, host="127.0.0.1", **more):
        self.mesh = MemoryMesh(config(admin=adminOn(host), **more))
        self.addCleanup(self.mesh.hangUp)
        return self.site(34901)

    def site(self, port):
        """Return the factory of a port."""
        (found,) = [each for each in self.mesh.reactor.tcpServers if each[0] == port]
        self.interface = found[3]
        return found[1]

    def get(self, site, path):
        status, body = fetch(site, path)
        self.assertEqual(status, 200, body)
        return body

    def test_none(self):
        """Without `admin` there is no port."""
        mesh = MemoryMesh(config())
        self.assertEqual([each[0] for each in mesh.reactor.tcpServers], [2045])

    def test_facts(self):
        """State, version and features are those of this Sidecar."""
        site = self.start()
        self.assertEqual(self.interface, "127.0.0.1")
        self.assertEqual(self.get(site, b"/api/v1/states"), b"pid=%d&state=6\n" % os.getpid())
        self.assertEqual(
            self.get(site, b"/api/v1/version"), f"mosn version: {__version__}".encode()
        )
        self.assertEqual(json.loads(self.get(site, b"/api/v1/features")), FEATURE_GATES)

    def test_drainingState(self):
        """While it drains the admin API still answers, and says so."""
        site = self.start()
        inFlight(self.mesh)
        self.mesh.sidecar.stopService()
        self.assertTrue(self.get(site, b"/api/v1/states").endswith(b"state=8\n"))
        self.mesh.advance(12)

    def test_loop(self):
        """The lag of the event loop is looked at while it runs, and no longer."""
        site = self.start()
        self.mesh.advance(10)
        self.mesh.reactor.advance(0.6)
        said = json.loads(self.get(site, b"/api/v1/loop"))["loop"]
        self.assertGreaterEqual(said["lag_looks_total"], 100)
        self.assertEqual(round(said["lag_recent_max"] / 1e9, 1), 0.5)
        self.assertIn(b"loop_lag_max{", self.get(site, b"/metrics"))
        self.mesh.sidecar.stopService()
        self.mesh.advance(15)
        self.assertEqual(self.mesh.timers, 0)

    def test_environment(self):
        """Variables of the process."""
        self.environment(MOSNTX_TEST="x")
        body = self.get(self.start(), b"/api/v1/env?key=MOSNTX_TEST")
        self.assertEqual(json.loads(body)["env"], {"MOSNTX_TEST": "x"})

    def test_stats(self):
        """Counters move with requests."""
        site = self.start()
        _client, upstream = inFlight(self.mesh)
        upstream.send(ANSWER)
        self.assertIn(b"request_total", self.get(site, b"/api/v1/stats"))
        self.assertIn(b"downstream_request_total", self.get(site, b"/metrics"))

    def test_configDump(self):
        """The configuration as it is, also after changes at run time."""
        site = self.start()
        before = json.loads(self.get(site, b"/api/v1/config_dump"))
        self.assertEqual(
            sorted(before), ["cluster", "extends", "listener", "mosn_config", "routers"]
        )
        self.assertEqual((list(before["listener"]), list(before["routers"])), (["in"], ["r"]))
        hosts = loaded(cluster_manager={"clusters": [cluster(hosts=[{"address": "192.0.2.9:80"}])]})
        self.mesh.sidecar.clusters.updateHosts("c", hosts.cluster_manager.clusters[0].hosts)
        after = json.loads(self.get(site, b"/api/v1/config_dump?cluster=c"))
        self.assertEqual([host["address"] for host in after["hosts"]], ["192.0.2.9:80"])

    def test_notLoopback(self):
        """An admin API that others can reach is a warning with the address."""
        for host, shown in (("0.0.0.0", "0.0.0.0"), ("", "*"), ("192.0.2.1", "192.0.2.1")):
            self.events.clear()
            self.start(host)
            warned = self.lines(LogLevel.warn)
            self.assertTrue(
                any(f"the admin API on {shown}:34901 " in line for line in warned), host
            )

    def test_loopback(self):
        """One that nobody else reaches is none."""
        for host in ("127.0.0.1", "localhost", "::1"):
            self.events.clear()
            self.start(host)
            self.assertEqual(self.lines(LogLevel.warn), [])

    def test_logLevel(self):
        """The log level is changed by the admin API."""
        made = config(admin=adminOn("127.0.0.1"))
        path = str(self.folder() / "x.log")
        made["servers"][0]["default_log_path"] = path
        self.mesh = MemoryMesh(made)
        body = self.get(self.site(34901), b"/api/v1/get_loglevel")
        self.assertIn(path.encode(), body)
        self.successResultOf(self.mesh.sidecar.stopService())

    def test_sink(self):
        """A prometheus sink has a port for all and its own path, beside the admin API."""
        sink = {"type": "prometheus", "config": {"port": 9100, "endpoint": "/prom"}}
        self.start(metrics={"sinks": [sink]})
        site = self.site(9100)
        self.assertEqual(self.interface, "0.0.0.0")
        self.assertIn(b"downstream_connection_total", self.get(site, b"/prom"))
        self.assertEqual(fetch(site, b"/metrics")[0], 404)
        self.assertEqual(fetch(site, b"/api/v1/states")[0], 404)

    def test_meta(self):
        """`flush_mosn` publishes the version, the listeners and the state."""
        self.start(metrics={"flush_mosn": True})
        meta = {
            key: value
            for type_, _labels, key, _kind, value in self.mesh.sidecar.stats.samples()
            if type_ == "meta"
        }
        self.assertEqual(
            meta,
            {
                f"version:{__version__}": 1,
                "listener_address:127.0.0.1:2045": 1,
                "mosn_state_code": 6,
            },
        )
        self.assertEqual(MemoryMesh(config()).value("mosn_state_code"), 0)

    def test_logStats(self):
        """Lost log lines are counted."""
        keys = {sample[2] for sample in MemoryMesh(config()).sidecar.stats.samples()}
        self.assertLessEqual({"lines_dropped_total", "lines_lost_total"}, keys)


class EffectiveTests(SynchronousTestCase):
    """`effectiveConfig` after changes at run time."""

    def setUp(self):
        self.sidecar = MemoryMesh(config()).sidecar

    def test_clusters(self):
        """Clusters that came, changed and went."""
        clusters = self.sidecar.clusters
        both = [cluster(), cluster(name="d", connect_timeout="3s")]
        new = loaded(cluster_manager={"clusters": both}).cluster_manager.clusters[1]
        clusters.update(new)
        dump = effectiveConfig(self.sidecar)["cluster"]
        self.assertEqual(sorted(dump), ["c", "d"])
        self.assertEqual(dump["d"]["connect_timeout"], "3s")
        clusters.update(evolve(new, connect_timeout=4.0))
        clusters.remove("c")
        dump = effectiveConfig(self.sidecar)["cluster"]
        self.assertEqual((list(dump), dump["d"]["connect_timeout"]), (["d"], "4s"))

    def test_hosts(self):
        """Hosts that came and went."""
        clusters = self.sidecar.clusters
        hosts = (
            loaded(cluster_manager={"clusters": [cluster(hosts=[{"address": "192.0.2.9:80"}])]})
            .cluster_manager.clusters[0]
            .hosts
        )
        clusters.appendHosts("c", hosts)
        shown = effectiveConfig(self.sidecar)["cluster"]["c"]["hosts"]
        self.assertEqual([host["address"] for host in shown], ["192.0.2.9:80", "127.0.0.1:2047"])
        clusters.removeHosts("c", ["127.0.0.1:2047"])
        shown = effectiveConfig(self.sidecar)["cluster"]["c"]["hosts"]
        self.assertEqual([host["address"] for host in shown], ["192.0.2.9:80"])

    def test_routers(self):
        """Routers that came, changed and went; a name that is only used is none."""
        routers = self.sidecar.routers
        routers.get("only_used")
        made = config()
        made["servers"][0]["routers"].append(router(router_config_name="s"))
        both = loadMapping(made, standardCatalog().names()).config.server.routers
        routers.update(both[1])
        self.assertEqual(sorted(effectiveConfig(self.sidecar)["routers"]), ["r", "s"])
        routers.removeAllRoutes("r", "")
        routers.remove("s")
        dump = effectiveConfig(self.sidecar)["routers"]
        self.assertEqual(list(dump), ["r"])
        self.assertEqual(dump["r"]["virtual_hosts"][0].get("routers", []), [])


class LoopbackTests(SynchronousTestCase):
    """`isLoopback`."""

    def test_isLoopback(self):
        """Addresses of this machine only."""
        for host in ("127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost"):
            self.assertTrue(isLoopback(host), host)
        for host in ("", "0.0.0.0", "::", "192.0.2.1", "localhost.example.com", "x"):
            self.assertFalse(isLoopback(host), host)
