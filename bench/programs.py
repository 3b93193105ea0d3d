"""Finds the programs a run needs and asks them for their version."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

#: Where Debian keeps servers; not in the search path of an ordinary user.
SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin")
#: Seconds a program has to say its version.
TIMEOUT = 10.0


def findProgram(name: str) -> str | None:
    """Return the path of a program: of this Python's environment first, then of the search path."""
    folders = [str(Path(sys.executable).parent), *os.get_exec_path(), *SYSTEM_FOLDERS]
    return shutil.which(name, path=os.pathsep.join(folders))


def ask(command: list[str]) -> tuple[int, str]:
    """Run a short command away from the clone; return its exit status and what it wrote.

    The status is -1 when it cannot be run or does not answer in time.
    """
    try:
        done = subprocess.run(
            command,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return -1, ""
    return done.returncode, done.stdout.decode(errors="replace").strip()


def firstLine(text: str) -> str:
    """Return the first line of a text, empty for none."""
    return text.splitlines()[0].strip() if text else ""
