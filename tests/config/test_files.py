"""Tests of `mosntx.config.files`; the rest of it is tested through `test_load`."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.files import readDirectory, readFile, readText
from mosntx.config.nodes import ConfigSyntaxError, Mark, plain
from mosntx.config.report import Report


class FilesTests(SynchronousTestCase):
    """Files and formats."""

    def test_choiceOfFormat(self) -> None:
        """JSON first, YAML when it is none; the likelier mistake is reported."""
        report = Report()
        self.assertEqual(plain(readText('{"a": 1e3}', "x.yaml", report)), {"a": 1000.0})
        self.assertEqual(plain(readText("a: 1", "x.json", report)), {"a": 1})
        self.assertEqual(plain(readText("{a: 1}", "x.yaml", report)), {"a": 1})
        self.assertEqual(report.problems(), ())
        self.assertEqual(plain(readText("{a: 1}", "x.json", report)), {"a": 1})
        self.assertEqual(len(report.problems()), 1)
        error = self.assertRaises(ConfigSyntaxError, readText, '{"a": ]', "x.yaml", report)
        self.assertEqual((error.line, error.column), (1, 7))
        error = self.assertRaises(ConfigSyntaxError, readText, "a: [}", "x.json", report)
        self.assertEqual(error.line, 1)

    def test_directory(self) -> None:
        """By name; sub-directories that look like files are errors, not crashes."""
        os.makedirs("d/x.json")
        with open("d/a.yml", "w") as file:
            file.write("a: 1")
        with open("d/b.json", "w") as file:
            file.write(" \n")
        report = Report()
        nodes = readDirectory(report, "d", Mark("m", 1, 1), "p")
        self.assertEqual([plain(node) for node in nodes], [{"a": 1}])
        (problem,) = report.problems()
        self.assertIn("x.json", problem.file)

    def test_readFile(self) -> None:
        """The text without a byte order mark."""
        with open("bom", "wb") as file:
            file.write(b"\xef\xbb\xbfa")
        self.assertEqual(readFile("bom"), "a")
        error = self.assertRaises(ConfigSyntaxError, readFile, "missing")
        self.assertIn("No such file", error.message)
