"""Tests of `mosntx.admin.clusters`."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.address import HostnameAddress, IPv4Address, IPv6Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from mosntx.admin.clusters import UPDATE_LIMIT, ClusterView, isLocal
from mosntx.config.problems import ERROR, ConfigError, Problem
from mosntx.upstream.clusters import FoundHostsError, UnknownClusterError
from tests.admin.requests import LOCAL, Reply, adminAsk


class Updates:
    """Notes what it is told.

    :ivar wrong: raised by each change.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.wrong: Exception | None = None

    def view(self) -> ClusterView:
        return ClusterView(
            list=lambda: [{"name": "a"}, {"name": "b"}],
            update=lambda text: self.note("update", text),
            remove=lambda names: self.note("remove", names),
            updateHosts=lambda name, hosts: self.note("set", name, hosts),
            appendHosts=lambda name, hosts: self.note("append", name, hosts),
            removeHosts=lambda name, addresses: self.note("drop", name, addresses),
        )

    def note(self, *call: Any) -> None:
        if self.wrong is not None:
            raise self.wrong
        self.calls.append(call)


class ClusterEndpointTests(SynchronousTestCase):
    """What clients may ask for and send."""

    def setUp(self) -> None:
        self.updates = Updates()

    def ask(self, method: str, path: str, body: object = b"", **more: Any) -> Reply:
        octets = body if isinstance(body, bytes) else json.dumps(body).encode()
        return adminAsk(method, f"/api/v1/{path}", octets, clusters=self.updates.view(), **more)

    def test_list(self) -> None:
        """All clusters, or the one of a name."""
        self.assertEqual(self.ask("GET", "clusters").json, [{"name": "a"}, {"name": "b"}])
        self.assertEqual(self.ask("GET", "clusters?name=b").json, [{"name": "b"}])
        self.assertEqual(self.ask("GET", "clusters?name=x").status, 404)

    def test_changes(self) -> None:
        """Each change reaches its method, with what was sent."""
        hosts = [{"address": "x:1"}, "y:1"]
        for path, body, call in (
            ("update_cluster", {"name": "c"}, ("update", '{"name": "c"}')),
            ("remove_clusters", {"names": ["a", "b"]}, ("remove", ["a", "b"])),
            ("update_hosts", {"cluster": "c", "hosts": hosts}, ("set", "c", hosts)),
            ("append_hosts", {"cluster": "c", "hosts": hosts}, ("append", "c", hosts)),
            ("remove_hosts", {"cluster": "c", "addresses": ["x:1"]}, ("drop", "c", ["x:1"])),
        ):
            reply = self.ask("POST", path, body)
            self.assertEqual(reply.status, 200, path)
            self.assertEqual(reply.body, f"{path.replace('_', ' ')} success\n")
            self.assertEqual(self.updates.calls.pop(), call)

    def test_wrongShape(self) -> None:
        """What is no such update is said to be none, and changes nothing."""
        for path, body, reason in (
            ("remove_clusters", b"{", "not JSON"),
            ("remove_clusters", b"[" * 100000, "not JSON"),
            ("remove_clusters", b"[]", "must be an object"),
            ("remove_clusters", {"names": "a"}, "'names' must be a list"),
            ("remove_clusters", {"names": [1]}, "'names' must be a list of texts"),
            ("update_hosts", {"hosts": []}, "'cluster' must be a text"),
            ("append_hosts", {"cluster": "c"}, "'hosts' must be a list"),
            ("remove_hosts", {"cluster": "c", "addresses": [{}]}, "must be a list of texts"),
            ("update_cluster", b"\xff", "not UTF-8"),
        ):
            reply = self.ask("POST", path, body)
            self.assertEqual(reply.status, 400, path)
            self.assertIn(reason, reply.json["error"])
        self.assertEqual(self.updates.calls, [])

    def test_refused(self) -> None:
        """What the sidecar refuses is answered with the reason."""
        problem = Problem(ERROR, "<update>", 1, 2, "name", "a cluster needs a name")
        for wrong, status, reason in (
            (UnknownClusterError("there is no cluster 'c'"), 404, "no cluster 'c'"),
            (FoundHostsError("FILE finds the hosts"), 400, "FILE finds"),
            (ConfigError([problem]), 400, "<update>:1:2: error: name: a cluster needs a name"),
        ):
            self.updates.wrong = wrong
            for path in ("update_cluster", "remove_clusters"):
                reply = self.ask("POST", path, {"names": []})
                self.assertEqual(reply.status, status)
                self.assertIn(reason, reply.json["error"])

    def test_onlyFromThisMachine(self) -> None:
        """From elsewhere clusters may be looked at, where the API is open at all, not changed."""
        more: dict[str, Any] = {"client": "192.0.2.1", "loopback": False}
        for path in ("update_cluster", "remove_clusters", "update_hosts", "append_hosts"):
            self.assertEqual(self.ask("POST", path, {"names": ["a"]}, **more).status, 403)
        self.assertEqual(self.updates.calls, [])
        self.assertEqual(self.ask("GET", "clusters", **more).status, 200)
        more["client"] = "127.0.0.1"
        self.assertEqual(self.ask("POST", "remove_clusters", {"names": ["a"]}, **more).status, 200)

    def test_pagesInBrowsers(self) -> None:
        """A page of another site cannot change clusters."""
        fields = {**LOCAL, "Origin": "http://evil.example"}
        reply = self.ask("POST", "remove_clusters", {"names": ["a"]}, fields=fields)
        self.assertEqual((reply.status, self.updates.calls), (403, []))

    def test_tooLarge(self) -> None:
        """An update without end is not read to its end."""
        reply = self.ask("POST", "update_cluster", b" " * (UPDATE_LIMIT + 1))
        self.assertEqual(reply.status, 413)
        self.assertEqual(self.ask("POST", "update_cluster", b" " * UPDATE_LIMIT).status, 200)

    def test_local(self) -> None:
        """A machine has many addresses of its own."""
        for address, expected in (
            (IPv4Address("TCP", "127.0.0.1", 1), True),
            (IPv4Address("TCP", "127.9.9.9", 1), True),
            (IPv4Address("TCP", "192.0.2.1", 1), False),
            (IPv6Address("TCP", "::1", 1), True),
            (IPv6Address("TCP", "::ffff:127.0.0.1", 1), True),
            (IPv6Address("TCP", "::ffff:192.0.2.1", 1), False),
            (IPv6Address("TCP", "fe80::1%eth0", 1), False),
            (UNIXAddress(b"/x"), True),
            (HostnameAddress(b"localhost", 1), False),
        ):
            self.assertEqual(isLocal(address), expected, address)
