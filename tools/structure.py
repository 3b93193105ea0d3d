"""Check the shape of the source: what ruff and mypy do not look at.

- Folders of the package and its tests have an `__init__.py`, or the wheel leaves them out.
- `mosntx/a/b.py` has `tests/a/test_b.py` (or `test_b_something.py`), and the other way round.
- Files stay within `FILE_LINES`, functions within `FUNCTION_LINES`.
- Names of modules, classes and functions avoid words that say nothing.
- Every test is a method of a trial `TestCase`, has a line that says what it is for, patches no
  module and needs no fixture that trial does not call.

Exceptions stand in `tools/structure-allow.txt`, one a line: `PATH RULE: reason`.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
ALLOWED = Path(__file__).parent / "structure-allow.txt"
FILE_LINES = 400
FUNCTION_LINES = 40
EMPTY_WORDS = re.compile("(manager|handler|processor|util|helper)s?|utility|info", re.IGNORECASE)
# The contracts of listener, connection and stream events, and MOSN's schema, keep given names.
GIVEN_NAMES = re.compile("EventHandlers?$", re.IGNORECASE)
GIVEN_FOLDERS = ("mosntx/config/schema/",)
# Folders of tests that mirror no folder of the package.
OTHER_TESTS = frozenset(["system", "interop", "tools", "bench", "docs", "conf"])
# Packages whose modules are declarations, tested through those who use them.
UNTESTED_FOLDERS = frozenset(["contracts"])
CLASS_FIXTURES = frozenset(["setUpClass", "tearDownClass", "setUpModule", "tearDownModule"])
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
ALLOW_LINE = re.compile(r"^(?P<path>\S+) (?P<rule>[a-z-]+): \S")


class Finding(NamedTuple):
    """A rule that a file breaks, and where."""

    path: str
    line: int
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.text}"


def emptyWords(name: str) -> list[str]:
    """Return the words in a name that say nothing.

    :param name: of a module, class or function, in camelCase or with underscores.
    """
    if GIVEN_NAMES.search(name):
        return []
    return [word for word in WORD.findall(name) if EMPTY_WORDS.fullmatch(word)]


def checkNames(path: str, tree: ast.Module) -> Iterator[Finding]:
    """Yield a finding for each name with an empty word."""
    if path.startswith(GIVEN_FOLDERS):
        return
    for part in Path(path).with_suffix("").parts:
        for word in emptyWords(part):
            yield Finding(path, 1, "name", f"{part!r} says {word!r}: name what it is")
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if not node.name.startswith("test_"):  # a test says what a user would say
            for word in emptyWords(node.name):
                text = f"{node.name!r} says {word!r}: name what it is"
                yield Finding(path, node.lineno, "name", text)


def checkSizes(path: str, source: str, tree: ast.Module) -> Iterator[Finding]:
    """Yield a finding for a file or function that has grown too large."""
    lines = source.count("\n")
    if lines > FILE_LINES:
        yield Finding(path, 1, "file-size", f"{lines} lines, the limit is {FILE_LINES}")
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                text = f"{node.name} has {length} lines, the limit is {FUNCTION_LINES}"
                yield Finding(path, node.lineno, "function-size", text)


def checkTests(path: str, tree: ast.Module) -> Iterator[Finding]:
    """Yield a finding for a test that trial cannot run, without intent, or that patches."""
    for each in tree.body:
        if isinstance(each, ast.FunctionDef) and each.name.startswith("test"):
            text = f"{each.name}: trial runs only methods of a TestCase"
            yield Finding(path, each.lineno, "test-case", text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if node.name in CLASS_FIXTURES:
                yield Finding(path, node.lineno, "class-fixture", f"trial never calls {node.name}")
            if node.name.startswith("test_") and ast.get_docstring(node) is None:
                text = f"{node.name}: say in a line what it is for"
                yield Finding(path, node.lineno, "test-intent", text)
            if any(argument.arg == "monkeypatch" for argument in node.args.args):
                yield Finding(path, node.lineno, "patching", "pass a fake instead")
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "self.patch":
            yield Finding(path, node.lineno, "patching", "pass a fake instead")


def mirrors(test: str, module: str) -> bool:
    """Return whether a test's path is the one that belongs to a module.

    :param test: such as `tests/net/test_timers_wheel.py`.
    :param module: such as `mosntx/net/timers.py`.
    """
    testPath, modulePath = Path(test), Path(module)
    if testPath.parent.parts[1:] != modulePath.parent.parts[1:]:
        return False
    stem = modulePath.stem.strip("_")
    if stem == "init":
        stem = modulePath.parent.name
    return testPath.stem == f"test_{stem}" or testPath.stem.startswith(f"test_{stem}_")


def isDeclaration(tree: ast.Module) -> bool:
    """Return whether a module only names things: without a function nothing can be tested."""
    return not any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(tree)
    )


def checkMirror(trees: dict[str, ast.Module]) -> Iterator[Finding]:
    """Yield a finding for each module without tests and each test without a module.

    :param trees: path -> content, of the package and its tests.
    """
    modules = [path for path in trees if path.startswith("mosntx/")]
    tests = [
        path
        for path in trees
        if re.match(r"tests/.+/test_\w+\.py$", path) and path.split("/")[1] not in OTHER_TESTS
    ]
    for module in modules:
        folder = module.split("/")[1]
        declared = folder in UNTESTED_FOLDERS or isDeclaration(trees[module])
        if not declared and not any(mirrors(test, module) for test in tests):
            yield Finding(module, 1, "untested", "no file of tests mirrors this one")
    for test in tests:
        if not any(mirrors(test, module) for module in modules):
            yield Finding(test, 1, "orphan", "mirrors no file of the package")


def checkTree(root: Path) -> Iterator[Finding]:
    """Yield every finding in a checkout.

    :param root: its top folder.
    """
    trees: dict[str, ast.Module] = {}
    for top in ("mosntx", "tests", "tools", "bench"):
        for file in sorted((root / top).rglob("*.py")):
            path = file.relative_to(root).as_posix()
            source = file.read_text(encoding="utf-8")
            trees[path] = ast.parse(source, path)
            yield from checkSizes(path, source, trees[path])
            yield from checkNames(path, trees[path])
            if top == "tests":
                yield from checkTests(path, trees[path])
    yield from checkFolders(trees)
    yield from checkMirror(trees)


def checkFolders(paths: Iterable[str]) -> Iterator[Finding]:
    """Yield a finding for each folder that holds modules but is no package.

    :param paths: of all modules.
    """
    known = set(paths)
    for folder in sorted({Path(path).parent.as_posix() for path in known}):
        if folder.startswith(("mosntx", "tests")) and f"{folder}/__init__.py" not in known:
            yield Finding(folder, 1, "no-package", "has modules but no __init__.py")


def readAllowed(text: str) -> set[tuple[str, str]]:
    """Return the pairs of path and rule that are let through.

    :param text: the lines of the list; `#` begins a comment.
    :raises ValueError: when a line is not `PATH RULE: reason`.
    """
    allowed = set()
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            found = ALLOW_LINE.match(line)
            if found is None:
                raise ValueError(f"not `PATH RULE: reason`: {line!r}")
            allowed.add((found["path"], found["rule"]))
    return allowed


def main(root: Path = ROOT, allowList: Path = ALLOWED) -> int:
    """Print what is wrong, and return the exit code.

    :param root: the checkout.
    :param allowList: the file with the exceptions.
    """
    allowed = readAllowed(allowList.read_text(encoding="utf-8"))
    findings = list(checkTree(root))
    used = {(each.path, each.rule) for each in findings}
    wrong = [each for each in findings if (each.path, each.rule) not in allowed]
    for each in wrong:
        print(each)
    for path, rule in sorted(allowed - used):
        print(f"{path}: {rule}: no longer needed in {allowList.name}")
    print(f"structure: {len(wrong)} findings, {len(allowed)} exceptions")
    return 1 if wrong or allowed - used else 0


if __name__ == "__main__":
    sys.exit(main())
