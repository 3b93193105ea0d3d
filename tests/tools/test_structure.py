"""Tests of `tools.structure`."""

from __future__ import annotations

import ast
import contextlib
import io
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tools.structure import (
    FILE_LINES,
    FUNCTION_LINES,
    checkFolders,
    checkMirror,
    checkNames,
    checkSizes,
    checkTests,
    emptyWords,
    main,
    mirrors,
    readAllowed,
)

FUNCTION = "def f(): return 1\n"


class NameTests(SynchronousTestCase):
    """Words that say nothing."""

    def test_words(self) -> None:
        """A word is found in every spelling, and only as a whole word."""
        self.assertEqual(emptyWords("ConnectionManager"), ["Manager"])
        self.assertEqual(emptyWords("_time_utils"), ["utils"])
        self.assertEqual(emptyWords("HTTPHandler"), ["Handler"])
        self.assertEqual(emptyWords("information"), [])
        self.assertEqual(emptyWords("managed"), [])

    def test_givenNames(self) -> None:
        """The contracts of events and MOSN's schema keep their names."""
        self.assertEqual(emptyWords("IConnectionEventHandler"), [])
        tree = ast.parse("class ClusterManager: pass")
        self.assertEqual(list(checkNames("mosntx/config/schema/top.py", tree)), [])
        self.assertEqual(len(list(checkNames("mosntx/upstream/clusters.py", tree))), 1)

    def test_testName(self) -> None:
        """A test is named after what a user sees, whatever the words."""
        tree = ast.parse("class A:\n def test_connectionManager(self): pass\n")
        self.assertEqual(list(checkNames("tests/net/test_tls.py", tree)), [])

    def test_moduleName(self) -> None:
        """A folder or file with such a name is found too."""
        found = list(checkNames("mosntx/utils/time.py", ast.parse("")))
        self.assertEqual([each.rule for each in found], ["name"])


class SizeTests(SynchronousTestCase):
    """Limits of files and functions."""

    def check(self, source: str) -> list[str]:
        """Return the rules that a source breaks."""
        return [each.rule for each in checkSizes("x.py", source, ast.parse(source))]

    def test_file(self) -> None:
        """A file of the limit is fine, a line more is not."""
        self.assertEqual(self.check("x = 1\n" * FILE_LINES), [])
        self.assertEqual(self.check("x = 1\n" * (FILE_LINES + 1)), ["file-size"])

    def test_function(self) -> None:
        """A function of the limit is fine, a line more is not."""
        self.assertEqual(self.check("def f():\n" + " x = 1\n" * (FUNCTION_LINES - 1)), [])
        self.assertEqual(
            self.check("async def f():\n" + " x = 1\n" * FUNCTION_LINES), ["function-size"]
        )


class TestFileTests(SynchronousTestCase):
    """What is asked of a file of tests."""

    def check(self, source: str) -> list[str]:
        """Return the rules that a source breaks."""
        return [each.rule for each in checkTests("tests/test_x.py", ast.parse(source))]

    def test_good(self) -> None:
        """A method with a line of intent is fine."""
        self.assertEqual(self.check("class A:\n def test_x(self):\n  'why'\n"), [])

    def test_noIntent(self) -> None:
        """A test that does not say what it is for is found."""
        self.assertEqual(
            self.check("class A:\n async def test_x(self):\n  await y\n"), ["test-intent"]
        )

    def test_function(self) -> None:
        """A function outside a class would be run by pytest alone."""
        self.assertEqual(self.check("def test_x():\n 'why'\n"), ["test-case"])

    def test_classFixture(self) -> None:
        """A fixture of a whole class would be called by pytest alone."""
        self.assertEqual(self.check("class A:\n def setUpClass(cls): pass\n"), ["class-fixture"])

    def test_patching(self) -> None:
        """Patched modules are found under both of their names."""
        self.assertEqual(
            self.check("class A:\n def test_x(self):\n  'why'\n  self.patch(os, 'x', 1)\n"),
            ["patching"],
        )
        self.assertEqual(self.check("def fixture(monkeypatch): pass\n"), ["patching"])


class MirrorTests(SynchronousTestCase):
    """Which file of tests belongs to which module."""

    def check(self, *paths: str) -> list[tuple[str, str]]:
        """Return path and rule of what is found among files that have something to test."""
        return [(each.path, each.rule) for each in checkMirror(dict.fromkeys(paths, TREE))]

    def test_mirrors(self) -> None:
        """Same folder, same name, perhaps with an addition."""
        self.assertTrue(mirrors("tests/net/test_tls.py", "mosntx/net/tls.py"))
        self.assertTrue(mirrors("tests/net/test_tls_sni.py", "mosntx/net/tls.py"))
        self.assertTrue(mirrors("tests/test_main.py", "mosntx/__main__.py"))
        self.assertTrue(mirrors("tests/net/test_net.py", "mosntx/net/__init__.py"))
        self.assertFalse(mirrors("tests/net/test_tlsx.py", "mosntx/net/tls.py"))
        self.assertFalse(mirrors("tests/proxy/test_tls.py", "mosntx/net/tls.py"))

    def test_untested(self) -> None:
        """A module without tests is found, a contract needs none."""
        self.assertEqual(self.check("mosntx/net/tls.py"), [("mosntx/net/tls.py", "untested")])
        self.assertEqual(self.check("mosntx/contracts/net.py"), [])

    def test_declaration(self) -> None:
        """A module without a function has nothing to test."""
        tree = ast.parse("class Lost(Exception):\n 'gone'\n")
        self.assertEqual(list(checkMirror({"mosntx/net/errors.py": tree})), [])

    def test_orphan(self) -> None:
        """A file of tests without a module is found, but not in the other folders of tests."""
        self.assertEqual(self.check("tests/net/test_old.py"), [("tests/net/test_old.py", "orphan")])
        self.assertEqual(self.check("tests/system/test_curl.py"), [])


class FolderTests(SynchronousTestCase):
    """Folders that setuptools would leave out."""

    def test_noPackage(self) -> None:
        """A folder without `__init__.py` is found, and only that one."""
        paths = ["mosntx/__init__.py", "mosntx/net/tls.py", "bench/run.py"]
        self.assertEqual([each.path for each in checkFolders(paths)], ["mosntx/net"])


class MainTests(SynchronousTestCase):
    """The command."""

    def setUp(self) -> None:
        self.root = Path(self.mktemp())
        (self.root / "mosntx" / "net").mkdir(parents=True)
        (self.root / "mosntx" / "net" / "tls.py").write_text(FUNCTION)
        (self.root / "mosntx" / "net" / "__init__.py").touch()
        self.allowed = self.root / "allowed.txt"
        self.output = self.enterContext(contextlib.redirect_stdout(io.StringIO()))

    def test_finding(self) -> None:
        """A finding makes the command fail."""
        self.allowed.write_text("# none\n")
        self.assertEqual(main(self.root, self.allowed), 1)
        self.assertIn("mosntx/net/tls.py:1: untested: ", self.output.getvalue())

    def test_exception(self) -> None:
        """An exception lets it pass."""
        self.allowed.write_text("mosntx/net/tls.py untested: as an example\n")
        self.assertEqual(main(self.root, self.allowed), 0)

    def test_unusedException(self) -> None:
        """An exception that nothing needs any more makes it fail."""
        self.allowed.write_text("mosntx/net/tls.py untested: x\nmosntx/gone.py untested: x\n")
        self.assertEqual(main(self.root, self.allowed), 1)
        self.assertIn("mosntx/gone.py: untested: no longer needed", self.output.getvalue())

    def test_exceptionWithoutReason(self) -> None:
        """An exception must say why."""
        self.assertRaises(ValueError, readAllowed, "mosntx/net/tls.py untested\n")


TREE = ast.parse(FUNCTION)
