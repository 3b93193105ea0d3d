"""Tests of `mosntx.upstream.elsewhere`."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.testing.upstream import FakeHost
from mosntx.upstream.elsewhere import MAX_HOSTS, HostsElsewhere


class HostsElsewhereTests(SynchronousTestCase):
    """Hosts by address."""

    def setUp(self) -> None:
        """Make none yet."""
        self.gone: list[str] = []
        make: Any = lambda config: FakeHost(config.address)  # noqa: E731
        self.hosts = HostsElsewhere(make, lambda host: self.gone.append(host.address))

    def test_same(self) -> None:
        """An address has one host."""
        self.assertIs(self.hosts.get("a:1"), self.hosts.get("a:1"))
        self.assertIsNot(self.hosts.get("a:1"), self.hosts.get("b:1"))

    def test_limit(self) -> None:
        """The one that was not used for longest makes room."""
        for number in range(MAX_HOSTS):
            self.hosts.get(f"h:{number}")
        self.hosts.get("h:0")
        self.hosts.get("new:1")
        self.assertEqual((self.gone, len(self.hosts)), (["h:1"], MAX_HOSTS))

    def test_clear(self) -> None:
        """All can be given up."""
        self.hosts.get("a:1")
        self.hosts.clear()
        self.assertEqual((self.gone, len(self.hosts)), (["a:1"], 0))
