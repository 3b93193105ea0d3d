"""Tests of `mosntx.config.address`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.address import (
    Address,
    checkCidr,
    parseAddress,
    parseDnsAddress,
    parseNameserver,
    parsePort,
    parsePorts,
)


class AddressTests(SynchronousTestCase):
    """Addresses as text."""

    def test_parse(self) -> None:
        """All forms."""
        cases = {
            "1.2.3.4:80": Address("tcp", "1.2.3.4", 80),
            "a.b-c.:80": Address("tcp", "a.b-c.", 80),
            ":0": Address("tcp", "", 0),
            "[::1]:65535": Address("tcp", "::1", 65535),
            "[fe80::1%eth0]:1": Address("tcp", "fe80::1%eth0", 1),
            "unix:/tmp/s": Address("unix", path="/tmp/s"),
        }
        for text, address in cases.items():
            self.assertEqual(parseAddress(text), address)
        self.assertEqual(parseAddress("@abstract", "unix"), Address("unix", path="@abstract"))
        self.assertEqual(parseAddress(":53", "udp"), Address("udp", "", 53))

    def test_refuse(self) -> None:
        """Each wrong form says why."""
        cases = {
            "": "is empty",
            "1.2.3.4": "port is missing",
            "1.2.3.4:": "port is missing",
            "a:b": "no number",
            "a:65536": "not within",
            "a:٣": "no number",
            "::1": "brackets",
            "[::1]": "[address]:port",
            "[::g]:1": "",
            "1.2.3:1": "",
            "300.1.1.1:1": "",
            "a..b:1": "no host name",
            "a_b/:1": "no host name",
            "http://a:1": "URL",
            "a b:1": "blanks",
            "a\n:1": "blanks",
            "unix:": "path is missing",
        }
        for text, reason in cases.items():
            error = self.assertRaises(ValueError, parseAddress, text)
            self.assertIn(reason, str(error))
        self.assertRaises(ValueError, parseAddress, "/" + "x" * 107, "unix")
        self.assertRaises(ValueError, parseAddress, "a\0b", "unix")

    def test_ports(self) -> None:
        """Ranges of ports."""
        self.assertEqual(parsePorts("80, 8000-9000"), ((80, 80), (8000, 9000)))
        self.assertEqual(parsePorts(""), ())
        for text in ("x", "1-", "9-8", "1,,2", "65536"):
            self.assertRaises(ValueError, parsePorts, text)
        self.assertRaises(ValueError, parsePort, "0" * 100)

    def test_dnsAddresses(self) -> None:
        """What DNS clusters look up: a port may be missing, and must be for SRV records."""
        self.assertEqual(parseDnsAddress("a.test"), Address("tcp", "a.test", 80))
        self.assertEqual(parseDnsAddress("a.test:1"), Address("tcp", "a.test", 1))
        self.assertEqual(parseDnsAddress("[::1]:1"), Address("tcp", "::1", 1))
        self.assertEqual(parseDnsAddress("_s._tcp.a", srv=True), Address("tcp", "_s._tcp.a", 0))
        for text in ("", "a:0", ":1", "unix:/x", "::1"):
            self.assertRaises(ValueError, parseDnsAddress, text)
        self.assertRaises(ValueError, parseDnsAddress, "a:1", srv=True)

    def test_nameservers(self) -> None:
        """Name servers are IP addresses, with a port or the usual one."""
        self.assertEqual(parseNameserver("10.0.0.1", 53), ("10.0.0.1", 53))
        self.assertEqual(parseNameserver("10.0.0.1:54", 53), ("10.0.0.1", 54))
        self.assertEqual(parseNameserver("::1", 53), ("::1", 53))
        self.assertEqual(parseNameserver("[::1]:54", 53), ("::1", 54))
        for text in ("", "ns.test", "10.0.0.1:", "10.0.0.1:0"):
            self.assertRaises(ValueError, parseNameserver, text, 53)

    def test_networks(self) -> None:
        """Networks with and without length."""
        self.assertEqual(checkCidr("10.1.2.3/8"), "10.0.0.0/8")
        self.assertEqual(checkCidr("::1"), "::1/128")
        self.assertRaises(ValueError, checkCidr, "10.0.0.0/33")

    @given(st.text(), st.sampled_from(["tcp", "udp", "unix"]))
    def test_anyText(self, text: str, network: str) -> None:
        """Any text is an address or a `ValueError`."""
        try:
            self.assertIsInstance(parseAddress(text, network), Address)
        except ValueError as error:
            self.assertTrue(str(error))
