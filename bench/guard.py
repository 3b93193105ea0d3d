"""Ends the processes of a run whose harness has died without doing it, for example by SIGKILL.

``python guard.py FOLDER`` reads lines from standard input: ``+PID`` for a process group that has
been started, ``-PID`` for one that has been ended. At the end of its input it kills the groups that
are left and removes the run's folder.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterable


def remaining(lines: Iterable[str]) -> list[int]:
    """Return the process groups that were started and not ended, the youngest first."""
    groups: dict[int, None] = {}
    for line in lines:
        sign, number = line[:1], line[1:].strip()
        # A line that was cut off by the harness's death says nothing.
        if not number.isdigit() or not line.endswith("\n"):
            continue
        if sign == "+":
            groups[int(number)] = None
        else:
            groups.pop(int(number), None)
    return list(reversed(groups))


def main(arguments: list[str]) -> None:
    """Guard one run."""
    for group in remaining(sys.stdin):
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            continue
    shutil.rmtree(arguments[0], ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
