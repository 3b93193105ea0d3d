"""What Linux says about a tree of processes: CPU time and memory, read from ``/proc``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import attrs

#: Octets in one kB of ``smaps_rollup``.
KILO = 1024


@attrs.frozen
class Stat:
    """One line of ``/proc/<pid>/stat``, as far as the harness needs it.

    :param pid: the process.
    :param parent: its parent's pid.
    :param ticks: user and system time of the process and of its children that were waited for.
    """

    pid: int
    parent: int
    ticks: int


@attrs.frozen
class Memory:
    """Resident memory in octets; ``pss`` counts a page shared by n processes as 1/n."""

    rss: int
    pss: int

    def __add__(self, other: Memory) -> Memory:
        """Return the sum of two processes."""
        return Memory(self.rss + other.rss, self.pss + other.pss)


def parseStat(text: str) -> Stat:
    """Read a line of ``/proc/<pid>/stat`` (proc(5)); the name may hold blanks and brackets.

    :raises ValueError: when the line has another form.
    """
    head, bracket, rest = text.rpartition(")")
    fields = rest.split()
    if not bracket or len(fields) < 15:
        raise ValueError(f"not a line of /proc/<pid>/stat: {text[:80]!r}")
    # Fields 14 to 17 of proc(5): utime, stime, cutime, cstime. Three are before `rest`'s second.
    ticks = sum(int(field) for field in fields[11:15])
    return Stat(int(head.split(" ", 1)[0]), int(fields[1]), ticks)


def parseMemory(text: str) -> Memory:
    """Read ``/proc/<pid>/smaps_rollup``.

    :raises ValueError: when ``Rss`` or ``Pss`` is missing.
    """
    sizes: dict[str, int] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and name in ("Rss", "Pss"):
            sizes[name] = int(value.split()[0]) * KILO
    if len(sizes) != 2:
        raise ValueError("no Rss and Pss in smaps_rollup")
    return Memory(sizes["Rss"], sizes["Pss"])


def parseCore(text: str, core: int) -> int:
    """Return the ticks programs have used on one core, read from ``/proc/stat``.

    Interrupts are left out: the kernel may have charged them to the program they interrupted.
    What the hypervisor took away (steal) is counted.

    :raises ValueError: when the core is not there.
    """
    for line in text.splitlines():
        name, _, rest = line.partition(" ")
        if name == f"cpu{core}":
            user, nice, system, _, _, _, _, steal, *_ = map(int, rest.split())
            return user + nice + system + steal
    raise ValueError(f"no core {core} in /proc/stat")


def descendants(parents: Mapping[int, int], roots: Iterable[int]) -> set[int]:
    """Return `roots` and everything below them.

    :param parents: pid to parent's pid, for all processes.
    """
    children: dict[int, list[int]] = {}
    for pid, parent in parents.items():
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting.extend(children.get(pid, ()))
    return found


def _readStats(proc: Path) -> dict[int, Stat]:
    """Return the stat of each process that exists now; one that ends meanwhile is left out."""
    stats: dict[int, Stat] = {}
    for entry in proc.iterdir():
        if entry.name.isdigit():
            try:
                stat = parseStat((entry / "stat").read_text())
            except OSError:
                continue
            stats[stat.pid] = stat
    return stats


def coreSeconds(core: int, proc: Path = Path("/proc")) -> float:
    """Return the CPU time that all programs together have used on a core so far, in seconds."""
    return parseCore((proc / "stat").read_text(), core) / os.sysconf("SC_CLK_TCK")


def cpuSeconds(roots: Iterable[int], proc: Path = Path("/proc")) -> float:
    """Return the CPU time used so far by the trees below `roots`, in seconds."""
    stats = _readStats(proc)
    tree = descendants({pid: stat.parent for pid, stat in stats.items()}, roots)
    ticks = sum(stats[pid].ticks for pid in tree if pid in stats)
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(roots: Iterable[int], proc: Path = Path("/proc")) -> Memory:
    """Return the resident memory of the trees below `roots`."""
    stats = _readStats(proc)
    tree = descendants({pid: stat.parent for pid, stat in stats.items()}, roots)
    total = Memory(0, 0)
    for pid in tree:
        try:
            total += parseMemory((proc / str(pid) / "smaps_rollup").read_text())
        except OSError:
            continue
        except ValueError:
            # A process that is ending has an empty file.
            continue
    return total
