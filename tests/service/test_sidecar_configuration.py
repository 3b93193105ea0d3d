"""Tests of `mosntx.service.sidecar`: where its configuration comes from."""

from __future__ import annotations

import os

from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogLevel

from mosntx.config.problems import ConfigError
from mosntx.service import Sidecar
from mosntx.service.catalog import standardCatalog
from mosntx.service.sidecar import logDirectory
from mosntx.service.states import INITING
from mosntx.testing.mesh import MemoryMesh
from tests.service.build import (
    BAD_FILTERS,
    TEXT,
    PickyReactor,
    ServiceCase,
    config,
    sidecar,
)


class ConfigurationTests(ServiceCase):
    """Where configurations come from."""

    def test_mapping(self):
        """A mapping in the shape of the file."""
        made = sidecar(config())
        self.assertEqual(list(made.listeners), ["in"])
        self.assertEqual(made.listeners["in"].boundAddress, "127.0.0.1:2045")
        self.assertEqual((made.clusters.names(), made.routers.names()), (["c"], ["r"]))

    def test_text(self):
        """Text in YAML, with problems in lines of `<text>`."""
        self.assertEqual(list(sidecar(TEXT).listeners), ["in"])
        error = self.assertRaises(
            ConfigError, sidecar, TEXT.replace("cluster_name: c", "cluster_name: x")
        )
        self.assertTrue(str(error).startswith("<text>:18:39:"), str(error))

    def test_file(self):
        """A file; logs go to the neighbour of its directory."""
        path = self.file(TEXT)
        made = Sidecar.fromFile(path, reactor=PickyReactor())
        made.startService()
        self.successResultOf(made.stopService())
        log = os.path.join(os.path.dirname(os.path.dirname(path)), "logs", "mosn.log")
        with open(log) as written:
            self.assertIn("[INFO] mosntx ", written.read())

    def test_missingFile(self):
        """A file that does not exist is a ConfigError with its name."""
        error = self.assertRaises(ConfigError, Sidecar.fromFile, "nowhere.yaml")
        self.assertIn("nowhere.yaml", str(error))

    def test_strict(self):
        """Unknown keys are logged at the start, or are errors when asked for."""
        text = TEXT.replace("bind_port: true", "bind_port: true\n        wrong_key: 1")
        made = sidecar(text)
        made.startService()
        self.assertEqual(len(self.lines(LogLevel.warn)), 1)
        self.assertIn("<text>:7:9: warning: servers[0].listeners[0].wrong_key", self.lines()[0])
        self.successResultOf(made.stopService())
        self.assertRaises(ConfigError, sidecar, text, strict=True)

    def test_wiringProblems(self):
        """What only making the objects finds comes with file, line and column, all at once."""
        error = self.assertRaises(ConfigError, sidecar, BAD_FILTERS)
        self.assertEqual(
            [(p.file, p.line, p.column) for p in error.problems],
            [("<text>", 12, 13), ("<text>", 14, 13)],
        )

    def test_warningsBesideErrors(self):
        """A mistake found when wiring does not hide the warnings of the loader."""
        text = BAD_FILTERS.replace("bind_port: true", "bind_port: true\n        wrong_key: 1")
        error = self.assertRaises(ConfigError, sidecar, text)
        self.assertEqual([p.line for p in error.problems], [7, 13, 15])

    def test_catalog(self):
        """The catalog that is given counts."""
        from attrs import evolve

        small = evolve(standardCatalog(), streamFilters={})
        text = BAD_FILTERS
        made = sidecar(text, catalog=small)
        self.assertEqual({p.severity for p in made.loaded.problems}, {"unsupported"})

    def test_logDirectory(self):
        """MOSN's places for logs."""
        self.assertEqual(logDirectory(""), "")
        self.assertEqual(logDirectory("/a/conf/mosn.yaml"), "/a/logs")
        self.assertEqual(logDirectory("/conf/mosn.yaml"), "/home/admin/mosn/logs")
        self.assertEqual(logDirectory("mosn.yaml"), os.path.abspath("../logs"))

    def test_matcher(self):
        """`stats_matcher` keeps counters out."""
        mesh = MemoryMesh(config(metrics={"stats_matcher": {"reject_all": True}}))
        self.assertEqual(list(mesh.sidecar.stats.samples()), [])
        self.assertNotEqual(list(MemoryMesh(config()).sidecar.stats.samples()), [])

    def test_clock(self):
        """Without a clock of its own it takes the system's."""
        made = Sidecar.fromConfig(TEXT, reactor=MemoryReactorClock())
        self.assertEqual(made.state, INITING)
