"""Tests of `mosntx.config.address`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.address import Address, checkCidr, parseAddress, parsePort, parsePorts


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
