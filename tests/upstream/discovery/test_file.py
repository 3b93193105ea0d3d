"""Tests of `mosntx.upstream.discovery.file`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from twisted.logger import LogLevel
from zope.interface.verify import verifyObject

from mosntx.contracts.upstream import IDiscovery, IDiscoveryFactory
from mosntx.upstream.discovery.file import HostsFileDiscovery, HostsFileFactory
from tests.upstream.discovery.build import DiscoveryCase

GOOD = "hosts:\n  - {address: '10.0.0.1:80', weight: 3}\n  - address: b.test:81\n"


class HostsFileTests(DiscoveryCase):
    """Hosts from a file that changes."""

    def setUp(self) -> None:
        super().setUp()
        self.path = Path(self.mktemp())

    def make(self, text: str | None = GOOD) -> Any:
        if text is not None:
            self.path.write_text(text)
        config = self.config(type="FILE", hosts_file=str(self.path), hosts_file_interval=1.0)
        return self.begin(HostsFileDiscovery(config, self.context))

    def replace(self, text: str) -> None:
        """Put another file in place of the file, as a careful program does."""
        other = self.path.with_suffix(".new")
        other.write_text(text)
        os.replace(other, self.path)

    def test_interfaces(self) -> None:
        """Discovery and factory keep their contracts."""
        factory = HostsFileFactory()
        verifyObject(IDiscoveryFactory, factory)
        made = factory.build(self.config(hosts_file="x"), self.context, None)
        verifyObject(IDiscovery, made)

    def test_needsFile(self) -> None:
        """Without the name of a file there is nothing to look at."""
        with self.assertRaisesRegex(ValueError, "hosts_file"):
            HostsFileDiscovery(self.config(), self.context)

    def test_first(self) -> None:
        """The hosts are there at once, with all that a host of a cluster may have."""
        self.make()
        self.assertEqual(self.addresses(), ["10.0.0.1:80", "b.test:81"])
        self.assertEqual(self.sets[0][0].weight, 3)
        self.assertEqual(self.settled, 1)

    def test_json(self) -> None:
        """JSON is read too."""
        self.make('{"hosts": [{"address": "10.0.0.1:1"}]}')
        self.assertEqual(self.addresses(), ["10.0.0.1:1"])

    def test_changed(self) -> None:
        """A new file is noticed at the next look; one that is the same is not read again."""
        self.make()
        self.advance(5)
        self.assertEqual((len(self.sets), self.stats.update_attempt), (1, 1))
        self.replace("hosts: [{address: '10.0.0.9:1'}]")
        self.advance(1.1)
        self.assertEqual(self.addresses(), ["10.0.0.9:1"])
        self.replace("hosts: []")
        self.advance(1.1)
        self.assertEqual(self.addresses(), [])

    def test_badFileIsReportedAndHostsStay(self) -> None:
        """Each mistake is named once, with line and column; the hosts stay until it is mended."""
        self.make()
        self.replace("hosts:\n  - {address: 'nowhere'}\n  - {adress: '10.0.0.1:1'}\n")
        self.advance(5)
        self.assertEqual(len(self.sets), 1)
        (line,) = self.lines(LogLevel.error)
        self.assertIn(f"{self.path}:2:15: error: hosts[0].address: address 'nowhere'", line)
        self.assertIn(f"{self.path}:3:5: error: hosts[1]", line)
        self.assertEqual(self.stats.update_failure, 1)
        self.replace("hosts: [{address: '10.0.0.9:1'}]")
        self.advance(1.1)
        self.assertEqual(self.addresses(), ["10.0.0.9:1"])

    def test_truncated(self) -> None:
        """A file that is just being written, and is empty so far, removes no hosts."""
        self.make()
        for text in ("", "hosts: [{address: '10", "[]", "hosts: 1"):
            self.replace(text)
            self.advance(1.1)
        self.assertEqual(len(self.sets), 1)
        self.assertEqual(len(self.lines(LogLevel.error)), 4)

    def test_missing(self) -> None:
        """A file that is not there is reported once; it may come later, go and come back."""
        self.make(None)
        self.advance(3)
        self.assertEqual((self.sets, self.settled), ([], 1))
        (line,) = self.lines(LogLevel.error)
        self.assertIn(f"{self.path}: cannot be read: No such file", line)
        self.path.write_text(GOOD)
        self.advance(1.1)
        self.assertEqual(len(self.sets), 1)
        self.path.unlink()
        self.advance(1.1)
        self.assertEqual(len(self.sets), 1)
        self.assertEqual(len(self.lines(LogLevel.error)), 2)

    def test_warnings(self) -> None:
        """A host that is there twice is used once, and said so."""
        self.make("hosts: [{address: '10.0.0.1:1'}, {address: '10.0.0.1:1'}]")
        (line,) = self.lines(LogLevel.warn)
        self.assertIn("duplicate host '10.0.0.1:1'", line)

    def test_stop(self) -> None:
        """After the end the file is not looked at any more."""
        self.make().stop()
        self.replace("hosts: []")
        self.advance(5)
        self.assertEqual(len(self.sets), 1)
        self.assertEqual(self.wheel.active, 0)
