"""The examples of the how-tos and the README, and the sample configurations."""

from __future__ import annotations

import importlib
import os
import re
import runpy
import sys
import unittest
from pathlib import Path

from twisted.application.service import IServiceCollection
from twisted.trial.unittest import SynchronousTestCase

from mosntx.service import Sidecar
from mosntx.service.cli import findProblems
from mosntx.service.plugins import installedCatalog
from mosntx.testing.mesh import MemoryMesh

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"

GATED = """
servers:
  - listeners:
      - name: front
        address: 127.0.0.1:2045
        bind_port: true
        filter_chains:
          - filters:
              - {type: allow_peers, config: {networks: [%s]}}
              - {type: proxy, config: {downstream_protocol: Http1, router_config_name: all}}
    routers:
      - router_config_name: all
        virtual_hosts:
          - {domains: ["*"], routers: [{match: {prefix: /}, direct_response: {status: 200}}]}
"""


class SampleTests(SynchronousTestCase):
    """Every file in conf/ loads and can be wired."""

    def test_everySample(self) -> None:
        """No sample has a problem, not even a warning."""
        samples = sorted((ROOT / "conf").glob("**/*.yaml")) + sorted(
            (ROOT / "conf").glob("**/*.json")
        )
        self.assertTrue(samples)
        for sample in samples:
            problems, readable = findProblems(str(sample), strict=True, ports=False)
            self.assertTrue(readable)
            self.assertEqual([str(problem) for problem in problems], [], sample)


class ExampleTests(SynchronousTestCase):
    """The code in the how-tos."""

    def setUp(self) -> None:
        sys.path.insert(0, str(EXAMPLES))
        self.addCleanup(sys.path.remove, str(EXAMPLES))

    def test_requireKey(self) -> None:
        """The tests of the stream filter how-to pass."""
        test_require_key = importlib.import_module("test_require_key")
        result = unittest.TestResult()
        suite = unittest.TestLoader().loadTestsFromTestCase(test_require_key.RequireKeyTests)
        suite.run(result)
        self.assertEqual((result.testsRun, result.errors, result.failures), (2, [], []))

    def test_allowPeers(self) -> None:
        """The network filter lets in whom it should, and nobody else."""
        row = importlib.import_module("allow_peers").AllowPeersType()
        catalog = installedCatalog().extended(networkFilters=[row])
        for network, closed in (("127.0.0.0/8", False), ("10.0.0.0/8", True)):
            client = MemoryMesh(GATED % network, catalog=catalog).client("front")
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(client.closed, closed)
            self.assertEqual(bool(client.take()), not closed)

    def test_objects(self) -> None:
        """A sidecar made from Python objects has the listener it should have."""
        sidecar = importlib.import_module("objects").frontDoor(2045, ["127.0.0.1:1", "127.0.0.1:2"])
        self.assertEqual(list(sidecar.listeners), ["front"])
        cluster = sidecar.clusters.get("backends")
        self.assertEqual([host.address for host in cluster.hosts], ["127.0.0.1:1", "127.0.0.1:2"])

    def test_shop(self) -> None:
        """The embedding example makes an application with a shop and a sidecar."""
        self._inRoot()
        application = runpy.run_path(str(EXAMPLES / "shop.py"))["application"]
        kinds = [type(service) for service in IServiceCollection(application)]
        self.assertIn(Sidecar, kinds)

    def test_readmeShowsTheSame(self) -> None:
        """The embedding example of the README is the one of the how-to."""
        shown = re.findall(r"<!-- embedding example -->\n```python\n(.*?)```", readme(), re.DOTALL)
        example = (EXAMPLES / "shop.py").read_text()
        self.assertEqual(shown, [example.removeprefix("from __future__ import annotations\n\n")])

    def test_exactlyTwoCommands(self) -> None:
        """The README has one command to serve and one to test."""
        commands = re.findall(r"<!-- command \d: .*? -->\n```sh\n(.*?)\n```", readme(), re.DOTALL)
        self.assertEqual(len(commands), 2)
        self.assertTrue(commands[0].endswith("twistd -n mosn --config conf/mosn.yaml"))
        self.assertTrue(commands[1].endswith("tox"))

    def _inRoot(self) -> None:
        before = os.getcwd()
        os.chdir(ROOT)
        self.addCleanup(os.chdir, before)


def readme() -> str:
    """The text of the README."""
    return (ROOT / "README.md").read_text()
