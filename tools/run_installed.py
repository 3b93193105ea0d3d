"""Run the tests where the installed package is the only one to be found.

`python tools/run_installed.py TREE COMMAND...` copies what the tests read into TREE, without the
package itself, and runs the command there. In the checkout both pytest and trial would import
`mosntx` from the current folder and never notice a file that is missing from the wheel.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
COPIED = (
    "bench",
    "conf",
    "docs",
    "tests",
    "tools",
    "README.md",
    "pyproject.toml",
    "setup.py",
    "tox.ini",
)
LEFT_OUT = shutil.ignore_patterns("__pycache__", "_build", "_trial_temp*", ".hypothesis")


def copyTree(tree: Path) -> None:
    """Make `tree` a fresh copy of the parts of the checkout that tests read.

    :param tree: where to; whatever was there is removed.
    """
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=LEFT_OUT)
        elif source.exists():
            shutil.copy2(source, tree / name)


def main(arguments: list[str]) -> int:
    """Copy, run, and return the command's exit code.

    :param arguments: the tree, then the command; `python` means this interpreter.
    """
    if len(arguments) < 2:
        print(f"usage: {Path(__file__).name} TREE COMMAND...", file=sys.stderr)
        return 2
    tree = Path(arguments[0]).resolve()
    command = [sys.executable if arguments[1] == "python" else arguments[1], *arguments[2:]]
    copyTree(tree)
    return subprocess.run(command, cwd=tree, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
