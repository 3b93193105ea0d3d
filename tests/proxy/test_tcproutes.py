"""Routes of the network filter ``tcp_proxy``."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import TcpProxyConfig, TcpRoute
from mosntx.proxy.tcproutes import Matcher, clusterChoice, endpoint
from mosntx.testing.net import FakeConnection


def chosen(*routes, peer="192.0.2.1:4711", local="198.51.100.1:80", cluster=""):
    """Return the cluster for a connection between two addresses."""
    connection = FakeConnection(peer=peer)
    connection.local = local
    config = TcpProxyConfig(cluster=cluster, routes=tuple(TcpRoute(**route) for route in routes))
    return clusterChoice(config)(connection)


class EndpointTests(SynchronousTestCase):
    """Addresses of connections."""

    def test_forms(self):
        """IPv4, IPv6 and what has no port."""
        self.assertEqual(endpoint("192.0.2.1:80"), (ip_address("192.0.2.1"), 80))
        self.assertEqual(endpoint("[2001:db8::1]:80"), (ip_address("2001:db8::1"), 80))
        self.assertEqual(endpoint("[fe80::1%eth0]:80"), (IPv6Address("fe80::1%eth0"), 80))
        for text in ("", "unix", "@name", "/run/a:80", "/run/mosn.sock", "192.0.2.1:x", ":80"):
            self.assertEqual(endpoint(text), (None, -1), text)

    @given(st.text())
    def test_anything(self, text):
        """No text raises."""
        self.assertIsInstance(endpoint(text)[1], int)


class ClusterChoiceTests(SynchronousTestCase):
    """The cluster of a connection."""

    def test_fixedClusterWins(self):
        """`cluster` wins over any route."""
        self.assertEqual(chosen({"cluster": "b"}, cluster="a"), "a")

    def test_emptyMeansAny(self):
        """A route with nothing but a cluster matches, also unix sockets."""
        self.assertEqual(chosen({"cluster": "a"}), "a")
        self.assertEqual(chosen({"cluster": "a"}, peer="unix", local="/run/a.sock"), "a")

    def test_firstMatchWins(self):
        """Of two that match the first one decides; none is the empty name."""
        one, two = {"cluster": "a", "source_port": "1-9"}, {"cluster": "b", "source_port": "5"}
        self.assertEqual(chosen(one, two, peer="192.0.2.1:5"), "a")
        self.assertEqual(chosen(two, one, peer="192.0.2.1:5"), "b")
        self.assertEqual(chosen(two, one, peer="192.0.2.1:6"), "a")
        self.assertEqual(chosen(one, two, peer="192.0.2.1:10"), "")
        self.assertEqual(chosen(), "")

    def test_networks(self):
        """Each end is compared with its own networks; families do not mix."""
        route = {"cluster": "a", "source_addrs": ("10.0.0.0/8", "192.0.2.0/24")}
        self.assertEqual(chosen(route), "a")
        self.assertEqual(chosen(route, peer="192.0.3.1:1"), "")
        self.assertEqual(chosen(route, peer="[::ffff:c000:201]:1"), "")
        self.assertEqual(chosen(route, peer="unix"), "")
        route = {"cluster": "a", "destination_addrs": ("2001:db8::/32",)}
        self.assertEqual(chosen(route, local="[2001:db8::9]:80"), "a")
        self.assertEqual(chosen(route, peer="[2001:db8::9]:80"), "")

    def test_ports(self):
        """Ranges include both ends; a socket without port is in none."""
        route = {"cluster": "a", "destination_port": "80,8000-9000"}
        for port, expected in ((79, ""), (80, "a"), (81, ""), (8000, "a"), (9000, "a"), (9001, "")):
            self.assertEqual(chosen(route, local=f"192.0.2.1:{port}"), expected, port)
        self.assertEqual(chosen({"cluster": "a", "source_port": "0-65535"}, peer="unix"), "")

    def test_all(self):
        """All that a route asks for must hold."""
        route = {
            "cluster": "a",
            "source_addrs": ("192.0.2.0/24",),
            "source_port": "4711",
            "destination_addrs": ("198.51.100.0/24",),
            "destination_port": "80",
        }
        self.assertEqual(chosen(route), "a")
        for key, value in (
            ("source_addrs", ("10.0.0.0/8",)),
            ("source_port", "4712"),
            ("destination_addrs", ("10.0.0.0/8",)),
            ("destination_port", "81"),
        ):
            self.assertEqual(chosen({**route, key: value}), "", key)

    def test_malformed(self):
        """What is no network or no port is refused when the routes are made."""
        for bad in (
            {"source_addrs": ("10.0.0.0/33",)},
            {"destination_addrs": ("name",)},
            {"source_port": "9-1"},
            {"destination_port": "80,"},
        ):
            with self.assertRaises(ValueError, msg=str(bad)):
                clusterChoice(TcpProxyConfig(routes=(TcpRoute(cluster="a", **bad),)))

    @given(st.ip_addresses(), st.integers(0, 65535))
    def test_ownNetwork(self, address, port):
        """Every address is in the network of itself alone, at its own port."""
        matcher = Matcher.fromConfig((str(address),), str(port))
        self.assertTrue(matcher.admits((address, port)))
        self.assertFalse(matcher.admits((address, port ^ 1)))
        self.assertFalse(matcher.admits((type(address)(int(address) ^ 1), port)))
