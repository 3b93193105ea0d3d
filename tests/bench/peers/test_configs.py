"""Tests of the configurations and command lines of all peers."""

from __future__ import annotations

import json
import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bench import header_filter
from bench.peers import (
    DEFAULT_PEERS,
    PEERS,
    aiohttp_proxy,
    envoy,
    haproxy,
    mosntx,
    mosntx_h2,
    mosntx_logged,
    nginx,
)
from bench.peers.base import SCRIPTS, Peer, loadPeer
from bench.place import BOLT, H2C, HTTP1, Place
from mosntx.config.load import loadMapping
from mosntx.config.names import Names


class PlaceCase(SynchronousTestCase):
    """Has a folder to write configurations to."""

    def place(self, downstream: str = HTTP1, upstream: str = HTTP1, connections: int = 64) -> Place:
        """Return a place with a folder of its own."""
        folder = Path(self.mktemp())
        folder.mkdir()
        return Place(20001, 20002, folder, downstream, upstream, connections)


class TableTests(PlaceCase):
    """What holds for every peer."""

    def peers(self) -> dict[str, Peer]:
        """Return all peers, each with a program that need not be there."""
        return {name: loadPeer(PEERS, name, f"/opt/{name}") for name in PEERS}

    def test_names(self) -> None:
        """A peer is called what the table calls it, and the defaults are in the table."""
        for name, peer in self.peers().items():
            self.assertEqual(peer.name, name)
        self.assertLessEqual(set(DEFAULT_PEERS), set(PEERS))

    def test_commands(self) -> None:
        """Each command runs the program given, and has or writes both ports."""
        for name, peer in self.peers().items():
            place = self.place()
            command = peer.command(place)
            written = "".join(path.read_text() for path in place.folder.iterdir() if path.is_file())
            variables = " ".join(peer.environment(place).values())
            everything = f"{' '.join(command)} {written} {variables}"
            self.assertIn("20001", everything, name)
            self.assertIn("20002", everything, name)

    def test_scripts(self) -> None:
        """The script a command names is there."""
        for name, peer in self.peers().items():
            for word in peer.command(self.place()):
                if word.startswith(str(SCRIPTS)):
                    self.assertTrue(Path(word).is_file(), name)

    def test_missing(self) -> None:
        """A program that is not there is reported with the way to install it, not raised."""
        for name, peer in self.peers().items():
            self.assertIn(f"not installed: {peer.install}", peer.missing() or "", name)
            self.assertEqual(peer.version(), "", name)

    def test_unsupported(self) -> None:
        """A peer that lacks a protocol says which, and on which side."""
        peers = self.peers()
        self.assertIsNone(peers["nginx"].unsupported((HTTP1, HTTP1)))
        self.assertIn("h2c to upstreams", peers["nginx"].unsupported((HTTP1, H2C)) or "")
        self.assertIn("h2c from clients", peers["aiohttp"].unsupported((H2C, HTTP1)) or "")
        self.assertIsNone(peers["haproxy"].unsupported((HTTP1, H2C, HTTP1)))
        self.assertIsNone(peers["tcp-relay"].unsupported((BOLT, BOLT)))
        self.assertIn("convert", peers["tcp-relay"].unsupported((HTTP1, H2C)) or "")

    def test_unknown(self) -> None:
        """A name that is not in the table is an error."""
        self.assertRaises(KeyError, loadPeer, PEERS, "squid", None)


class MosntxTests(PlaceCase):
    """The configuration of mosntx."""

    def test_loads(self) -> None:
        """It loads without a single problem, even strictly."""
        loaded = loadMapping(mosntx.config(self.place()), Names.everything(), strict=True)
        self.assertEqual(loaded.problems, ())

    def test_addresses(self) -> None:
        """It listens where the clients come and sends where the upstream is."""
        value = mosntx.config(self.place())
        listener = value["servers"][0]["listeners"][0]
        self.assertEqual(listener["address"], "127.0.0.1:20001")
        self.assertTrue(listener["bind_port"])
        self.assertNotIn("access_logs", listener)
        cluster = value["cluster_manager"]["clusters"][0]
        self.assertEqual(cluster["hosts"], [{"address": "127.0.0.1:20002"}])
        route = value["servers"][0]["routers"][0]["virtual_hosts"][0]["routers"][0]["route"]
        self.assertEqual(route, {"cluster_name": cluster["name"]})

    def test_engine(self) -> None:
        """The other engine is named on the sides that speak HTTP/2, and nowhere else."""
        for legs in ((HTTP1, H2C), (H2C, H2C), (H2C, BOLT)):
            made = mosntx_h2.configWithH2(self.place(*legs))
            loaded = loadMapping(made, Names.everything())
            proxy = loaded.config.server.listeners[0].filters[0].config
            found = loaded.config.cluster_manager.clusters[0].protocol_options.http2
            command = mosntx_h2.PEER("/opt/twistd").command(self.place(*legs))
            self.assertEqual(json.loads(Path(command[-1]).read_text()), made)
            engines = proxy.http2.http2_engine, found.http2_engine
            self.assertEqual(engines, tuple("h2" if leg == H2C else "auto" for leg in legs))

    def test_logged(self) -> None:
        """The other configuration has an access log and a filter, which the environment brings."""
        place = self.place()
        peer = mosntx_logged.PEER("/opt/twistd")
        written = json.loads(Path(peer.command(place)[-1]).read_text())
        (listener,) = written["servers"][0]["listeners"]
        self.assertEqual(listener["access_logs"], [{"log_path": str(place.folder / "access.log")}])
        self.assertEqual(listener["stream_filters"], [{"type": header_filter.NAME}])
        path = peer.environment(place)["PYTHONPATH"].split(os.pathsep)
        self.assertEqual(path[0], str(place.folder))
        self.assertEqual(path[1:], [each for each in [os.environ.get("PYTHONPATH")] if each])

    def test_protocols(self) -> None:
        """The protocols have the configuration's names; a conversion is asked of the route."""
        value = mosntx.config(self.place(HTTP1, H2C))
        server = value["servers"][0]
        proxy = server["listeners"][0]["filter_chains"][0]["filters"][0]["config"]
        self.assertEqual(proxy["downstream_protocol"], "Http1")
        route = server["routers"][0]["virtual_hosts"][0]["routers"][0]["route"]
        self.assertEqual(route["upstream_protocol"], "Http2")

    def test_command(self) -> None:
        """The daemon stays in the foreground, writes no pid file, and reads the file written."""
        place = self.place()
        command = mosntx.PEER("/opt/twistd").command(place)
        self.assertEqual(command[1:5], ["-n", "--pidfile=", "mosn", "--config"])
        self.assertEqual(json.loads(Path(command[5]).read_text()), mosntx.config(place))


class OtherConfigTests(PlaceCase):
    """The configurations of the references."""

    def test_nginx(self) -> None:
        """It keeps connections to the upstream, and takes HTTP/2 only when asked."""
        text = nginx.config(self.place())
        self.assertIn("listen 127.0.0.1:20001 backlog", text)
        self.assertIn("server 127.0.0.1:20002;", text)
        self.assertIn('proxy_set_header Connection "";', text)
        self.assertIn("access_log off;", text)
        self.assertEqual(text.count("{"), text.count("}"))
        self.assertIn(":20001 http2 ", nginx.config(self.place(H2C)))

    def test_room(self) -> None:
        """It has room for twice the connections: both sides count."""
        self.assertIn("worker_connections 20512;", nginx.config(self.place(connections=10_000)))

    def test_haproxy(self) -> None:
        """HAProxy has one thread, reuses connections, and speaks HTTP/2 where asked."""
        text = haproxy.config(self.place())
        self.assertIn("nbthread 1", text)
        self.assertIn("http-reuse always", text)
        self.assertNotIn("proto h2", text)
        text = haproxy.config(self.place(HTTP1, H2C))
        self.assertIn("server application 127.0.0.1:20002 proto h2", text)
        self.assertEqual(text.count("proto h2"), 1)

    def test_envoy(self) -> None:
        """Envoy's is JSON, with the codec of each side."""
        place = self.place(H2C, HTTP1)
        command = envoy.PEER("/opt/envoy").command(place)
        self.assertIn("--concurrency", command)
        value = json.loads((place.folder / "envoy.json").read_text())
        self.assertEqual(value, envoy.config(place))
        resources = value["static_resources"]
        filters = resources["listeners"][0]["filter_chains"][0]["filters"]
        self.assertEqual(filters[0]["typed_config"]["codec_type"], "HTTP2")
        options = next(iter(resources["clusters"][0]["typed_extension_protocol_options"].values()))
        self.assertEqual(list(options["explicit_http_config"]), ["http_protocol_options"])

    def test_aiohttpInterpreter(self) -> None:
        """A Python peer runs on the interpreter it was given, on its event loop."""
        command = aiohttp_proxy.PEER("/opt/python3.13").command(self.place())
        self.assertEqual(command[0], "/opt/python3.13")
        self.assertEqual(command[-1], "asyncio")
