"""Tests of `mosntx.config.clusterdoc`."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.clusterdoc import readCluster
from mosntx.config.problems import ConfigError
from tests.config.samples import EVERYTHING, SMALL_BUILD


class ClusterDocumentTests(SynchronousTestCase):
    """One cluster, read as in a file."""

    def test_forms(self) -> None:
        """A mapping, JSON and YAML are the same."""
        wanted: dict[str, Any] = {"name": "c", "hosts": [{"address": "a:1"}]}
        for source in (wanted, '{"name": "c", "hosts": [{"address": "a:1"}]}'):
            read = readCluster(source, EVERYTHING)
            self.assertEqual((read.cluster.name, read.hasHosts), ("c", True))
            self.assertEqual([host.address for host in read.cluster.hosts], ["a:1"])
            self.assertEqual(read.problems, ())
        self.assertEqual(
            readCluster(wanted, EVERYTHING).cluster,
            readCluster("name: c\nhosts:\n- address: a:1\n", EVERYTHING, "x.yaml").cluster,
        )

    def test_hosts(self) -> None:
        """No hosts is something else than nothing about hosts."""
        self.assertFalse(readCluster({"name": "c"}, EVERYTHING).hasHosts)
        self.assertTrue(readCluster({"name": "c", "hosts": []}, EVERYTHING).hasHosts)

    def test_mistakes(self) -> None:
        """All mistakes of a file are mistakes here, unknown keys too, with line and column."""
        text = '{"name": "c",\n "typ": "SIMPLE",\n "hosts": [{"address": "nowhere"}]}'
        error = self.assertRaises(ConfigError, readCluster, text, EVERYTHING, "<update>")
        self.assertEqual(
            [(one.file, one.line, one.column, one.path) for one in error.problems],
            [("<update>", 2, 2, "typ"), ("<update>", 3, 24, "hosts[0].address")],
        )

    def test_noCluster(self) -> None:
        """What is no cluster at all."""
        for source in ("", "[]", "1", "{", "{}", '{"name": ""}', {"x": object()}):
            self.assertRaises(ConfigError, readCluster, source, EVERYTHING)

    def test_tls(self) -> None:
        """Plain text does not stand in for TLS in an update either."""
        source = {"name": "c", "tls_context": {"status": True}}
        self.assertRaises(ConfigError, readCluster, source, SMALL_BUILD)
