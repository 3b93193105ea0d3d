"""Octets through the real daemon: `tcp_proxy` alone, and behind a `proxy` as its fallback."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading

import requests
from twisted.trial.unittest import SynchronousTestCase

from tests.system.daemon import Daemon, freePort, startUvicorn, until

#: Octets that go up and come back in the test of back-pressure.
MUCH = 64 << 20
BLOCK = os.urandom(1 << 16)

CONFIG = """\
servers:
  - default_log_path: stdout
    graceful_timeout: 1s
    listeners:
      - {{name: echo, address: "127.0.0.1:{echo}", bind_port: true, filter_chains: [{{filters: [
          {{type: tcp_proxy, config: {{cluster: echo}}}}]}}]}}
      - {{name: http, address: "127.0.0.1:{http}", bind_port: true, filter_chains: [{{filters: [
          {{type: tcp_proxy, config: {{routes: [
            {{cluster: echo, source_addrs: [10.0.0.0/8]}},
            {{cluster: web, source_addrs: [127.0.0.0/8], destination_port: "{http}"}}]}}}}]}}]}}
      - {{name: both, address: "127.0.0.1:{both}", bind_port: true, filter_chains: [{{filters: [
          {{type: proxy, config: {{downstream_protocol: Auto, router_config_name: router,
            fallback_for_unknown_protocol: true}}}},
          {{type: tcp_proxy, config: {{cluster: echo}}}}]}}]}}
    routers: [{{router_config_name: router, virtual_hosts: [{{name: all, domains: ["*"], routers: [
        {{match: {{prefix: /}}, route: {{cluster_name: web}}}}]}}]}}]
cluster_manager: {{clusters: [
    {{name: echo, type: SIMPLE, lb_type: LB_ROUNDROBIN, connect_timeout: 2s, hosts: [
      {{address: "127.0.0.1:{dead}"}}, {{address: "127.0.0.1:{echoHost}"}}]}},
    {{name: web, type: SIMPLE, lb_type: LB_RANDOM, hosts: [{{address: "127.0.0.1:{webHost}"}}]}}]}}
admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {admin}}}}}}}
"""


class EchoServer:
    """Sends back what it is sent, one thread for each connection.

    :ivar ended: how connections have ended: ``closed`` or ``reset``.
    """

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.ended: list[str] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._echo, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _echo(self, connection: socket.socket) -> None:
        with connection:
            try:
                while octets := connection.recv(1 << 16):
                    if octets == b"quit":
                        connection.sendall(b"bye")
                        return
                    connection.sendall(octets)
                self.ended.append("closed")
            except OSError:
                self.ended.append("reset")

    def stop(self) -> None:
        """End, once all clients have left."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()


class TcpProxyTests(SynchronousTestCase):
    """A daemon in front of an echo server and a web server, and of a host that is down."""

    def setUp(self) -> None:
        self.echo = EchoServer()
        self.addCleanup(self.echo.stop)
        names = ("echo", "http", "both", "dead", "webHost", "admin")
        self.ports = {name: freePort() for name in names}
        self.daemon = Daemon(
            CONFIG.format(echoHost=self.echo.port, **self.ports), self.ports["both"]
        )
        self.addCleanup(self.stopDaemon)

    def stopDaemon(self) -> None:
        self.assertEqual(self.daemon.stop(), 0)

    def startWeb(self) -> None:
        """Start the web server."""
        directory = tempfile.TemporaryDirectory(prefix="mosntx-upstream-")
        self.addCleanup(directory.cleanup)
        self.addCleanup(startUvicorn(self.ports["webHost"], directory.name).stop)

    def connect(self, listener: str) -> socket.socket:
        """Connect to a listener."""
        client = socket.create_connection(("127.0.0.1", self.ports[listener]), 20)
        self.addCleanup(client.close)
        return client

    def receive(self, client: socket.socket, size: int) -> bytes:
        """Return exactly so many octets."""
        octets = b""
        while len(octets) < size:
            part = client.recv(size - len(octets))
            self.assertTrue(part, octets)
            octets += part
        return octets

    def counter(self, key: str) -> int:
        """What the admin API counts for the cluster `echo`."""
        url = f"http://127.0.0.1:{self.ports['admin']}/api/v1/stats"
        stats = requests.get(url, timeout=10).json()["upstream"]
        return int(stats["cluster.echo"][key])

    def test_echo(self) -> None:
        """Octets come back, whatever they are; a host that is down is passed over."""
        for _ in range(4):
            client = self.connect("echo")
            for octets in (b"\x00", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", os.urandom(5000)):
                client.sendall(octets)
                self.assertEqual(self.receive(client, len(octets)), octets)
        self.assertGreater(self.counter("connection_retry"), 0)
        self.assertGreater(self.counter("connection_con_fail"), 0)
        self.assertGreater(self.counter("connection_bytes_read_total"), 20_000)

    def test_hostCloses(self) -> None:
        """What a host has said before its close arrives, and then the close."""
        client = self.connect("echo")
        client.sendall(b"quit")
        self.assertEqual(self.receive(client, 3), b"bye")
        self.assertEqual(client.recv(10), b"")

    def test_clientCloses(self) -> None:
        """A client's close is one at the host, too; its reset is a reset."""
        for how, linger in (("closed", None), ("reset", struct.pack("ii", 1, 0))):
            self.echo.ended.clear()
            client = self.connect("echo")
            client.sendall(b"x")
            self.receive(client, 1)
            if linger is not None:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            client.close()
            until(lambda: bool(self.echo.ended), "the host hears of the end")
            self.assertEqual(self.echo.ended, [how])

    def test_http(self) -> None:
        """Requests pass as octets, to the cluster that the routes name."""
        self.startWeb()
        url = f"http://127.0.0.1:{self.ports['http']}"
        body = os.urandom(300_000)
        with requests.Session() as session:
            for _ in range(3):
                answer = session.put(f"{url}/a%20b?c=%20", data=body, timeout=20).json()
                self.assertEqual(answer["sha256"], hashlib.sha256(body).hexdigest())
                self.assertEqual((answer["path"], answer["query"]), ("/a%20b", "c=%20"))
        curl = shutil.which("curl")
        if curl is not None:
            output = subprocess.run(
                [curl, "-sS", "-i", "--max-time", "20", f"{url}/status/404"],
                check=True,
                capture_output=True,
            ).stdout
            self.assertTrue(output.startswith(b"HTTP/1.1 404 "), output)

    def test_fallback(self) -> None:
        """On one port requests are routed, and what is no request is relayed."""
        self.startWeb()
        with requests.Session() as session:
            url = f"http://127.0.0.1:{self.ports['both']}/x"
            self.assertEqual(session.post(url, data=b"12345", timeout=20).json()["size"], 5)
            client = self.connect("both")
            for octets in (b"\xff\x00", b"no such protocol", b"GET / HTTP/1.1\r\n\r\n"):
                client.sendall(octets)
            self.assertEqual(self.receive(client, 36)[:20], b"\xff\x00no such protocol\x47\x45")
            self.assertEqual(session.post(url, data=b"123", timeout=20).json()["size"], 3)

    def test_drain(self) -> None:
        """A relay goes on while the daemon drains, and is cut when the time is over."""
        client = self.connect("echo")
        client.sendall(b"before")
        self.assertEqual(self.receive(client, 6), b"before")
        self.daemon.kill(signal.SIGTERM)
        until(lambda: "draining" in self.daemon.output, "the drain begins")
        client.sendall(b"after")
        self.assertEqual(self.receive(client, 5), b"after")
        with contextlib.suppress(ConnectionResetError):
            self.assertEqual(client.recv(1), b"")
        self.assertEqual(self.daemon.wait(), 0)

    def test_backPressure(self) -> None:
        """64 MiB up and back, to a client that reads late: none is lost, none is hoarded."""
        client = self.connect("echo")
        client.sendall(b"begin")
        self.receive(client, 5)
        before = self.daemon.residentKiB()
        sent = 0

        def send() -> None:
            nonlocal sent
            for _ in range(MUCH // len(BLOCK)):
                client.sendall(BLOCK)
                sent += len(BLOCK)

        sender = threading.Thread(target=send)
        sender.start()
        looks = [0]

        def stalled() -> bool:
            looks.append(sent)
            return len(looks) > 10 and looks[-1] == looks[-10]

        until(stalled, "the sender is stopped by the client that does not read")
        self.assertLess(sent, MUCH)
        self.assertLess(self.daemon.residentKiB() - before, 16 * 1024)
        got, digest = 0, hashlib.sha256()
        while got < MUCH:
            part = client.recv(1 << 18)
            self.assertTrue(part, f"ended after {got} octets")
            got += len(part)
            digest.update(part)
        sender.join()
        expected = hashlib.sha256()
        for _ in range(MUCH // len(BLOCK)):
            expected.update(BLOCK)
        self.assertEqual(digest.digest(), expected.digest())
        self.assertLess(self.daemon.residentKiB() - before, 16 * 1024)
