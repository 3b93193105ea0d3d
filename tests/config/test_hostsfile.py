"""Tests of `mosntx.config.hostsfile`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.hostsfile import hostsOf, readHosts
from mosntx.config.problems import ConfigError


class HostsFileTests(SynchronousTestCase):
    """A file of hosts, read with all its mistakes."""

    def write(self, text: str) -> str:
        path = self.mktemp() + ".yaml"
        Path(path).write_text(text)
        return path

    def test_hosts(self) -> None:
        """Hosts are what they are in a cluster."""
        path = self.write("hosts: [{address: 'a:1', weight: 2, metadata: {k: v}}]")
        (host,), problems = readHosts(path)
        self.assertEqual((host.address, host.weight, host.metadata), ("a:1", 2, {"k": "v"}))
        self.assertEqual(problems, ())

    def test_mistakes(self) -> None:
        """All mistakes come at once, each with its place."""
        path = self.write("hosts:\n- address: 'a'\n- address: 'b:0'\n- weight: -1\n")
        error = self.assertRaises(ConfigError, readHosts, path)
        self.assertEqual({problem.line for problem in error.problems}, {2, 3, 4})
        self.assertTrue(all(problem.file == path for problem in error.problems))

    def test_noHosts(self) -> None:
        """A file without the key has no hosts to say, which is not the same as none."""
        for text in ("", "{}", "[]", "hosts:", "x: 1"):
            self.assertRaises(ConfigError, readHosts, self.write(text))
        self.assertEqual(readHosts(self.write("hosts: []")), ((), ()))
        self.assertRaises(ConfigError, readHosts, "no such file")

    def test_objects(self) -> None:
        """Hosts from a request are read alike, and strictly: nobody reads warnings there."""
        (host,) = hostsOf([{"address": "a:1"}], "<request>")
        self.assertEqual(host.address, "a:1")
        wrong: list[Any] = [[{"address": "a:1", "wieght": 1}], [1], [{}], [object()]]
        for bad in wrong:
            self.assertRaises(ConfigError, hostsOf, bad, "<request>")
