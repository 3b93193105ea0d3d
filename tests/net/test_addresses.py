"""Addresses of transports as text."""

from __future__ import annotations

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from mosntx.net.addresses import addressText


class AddressTextTests(SynchronousTestCase):
    """One form for each kind."""

    def test_v4(self):
        """An IPv4 address has its port behind a colon."""
        self.assertEqual(addressText(IPv4Address("TCP", "192.0.2.1", 80)), "192.0.2.1:80")

    def test_v6(self):
        """An IPv6 address has brackets."""
        self.assertEqual(addressText(IPv6Address("TCP", "2001:db8::1", 80)), "[2001:db8::1]:80")

    def test_mapped(self):
        """An IPv4 peer of an IPv6 socket looks as on an IPv4 socket."""
        self.assertEqual(addressText(IPv6Address("TCP", "::ffff:192.0.2.1", 80)), "192.0.2.1:80")

    def test_unix(self):
        """A unix socket is its path; one without a name is just that."""
        self.assertEqual(addressText(UNIXAddress(b"/run/a.sock")), "/run/a.sock")
        self.assertEqual(addressText(UNIXAddress(None)), "unix")
        self.assertEqual(addressText(UNIXAddress(b"\0name")), "@name")
        self.assertEqual(addressText(UNIXAddress(b"/run/\xff")), "/run/\\xff")

    def test_other(self):
        """What a foreign transport has for an address is shown as it is."""
        self.assertEqual(addressText(("192.0.2.1", 80)), "('192.0.2.1', 80)")
