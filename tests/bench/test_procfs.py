"""Tests of what is read from /proc."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bench.procfs import (
    Memory,
    Stat,
    coreSeconds,
    cpuSeconds,
    descendants,
    memory,
    parseCore,
    parseMemory,
    parseStat,
)

STAT = "{pid} ({name}) S {parent} 7 7 0 -1 4194560 2417 9 0 0 {times} 20 0 1 0 4242 9 9 184\n"
ROLLUP = "00400000-7fff0000 ---p 00000000 00:00 0    [rollup]\nRss:     {rss} kB\nPss:   {pss} kB\n"
CORES = (
    "cpu  1 1 1 1 1 1 1 1 0 0\ncpu0 9 9 9 9 9 9 9 9 0 0\ncpu1 10 2 30 999 5 7 8 100 0 0\nintr 5\n"
)


def statLine(pid: int, parent: int, times: str = "0 0 0 0", name: str = "nginx") -> str:
    """Return a line as the kernel writes it; `times` are the fields 14 to 17."""
    return STAT.format(pid=pid, parent=parent, times=times, name=name)


class StatTests(SynchronousTestCase):
    """`/proc/<pid>/stat`."""

    def test_fields(self) -> None:
        """Pid, parent and all four times are found."""
        self.assertEqual(parseStat(statLine(42, 7, "100 20 3 4")), Stat(42, 7, 127))

    def test_oddNames(self) -> None:
        """A name with blanks and brackets moves no field."""
        for name in ("a b", "a) S 9 (b", "((", ") 1 2 3", ""):
            self.assertEqual(parseStat(statLine(42, 7, "1 1 1 1", name)), Stat(42, 7, 4), name)

    def test_garbage(self) -> None:
        """Anything else is an error."""
        for line in ("", "42", "42 (nginx) S 1 2 3", statLine(1, 2, "a b c d")):
            with self.assertRaises(ValueError, msg=line):
                parseStat(line)


class MemoryTests(SynchronousTestCase):
    """`/proc/<pid>/smaps_rollup`."""

    def test_sizes(self) -> None:
        """Sizes in kB become octets."""
        self.assertEqual(parseMemory(ROLLUP.format(rss=10, pss=4)), Memory(10240, 4096))

    def test_empty(self) -> None:
        """A process that is ending has an empty file, which is an error here."""
        self.assertRaises(ValueError, parseMemory, "")


class CoreTests(SynchronousTestCase):
    """`/proc/stat`."""

    def test_programsOnly(self) -> None:
        """User, nice, system and stolen time count; idle, waiting and interrupts do not."""
        self.assertEqual(parseCore(CORES, 1), 142)

    def test_otherCore(self) -> None:
        """A core that is not there is an error, and `cpu` is not taken for one."""
        self.assertRaises(ValueError, parseCore, CORES, 2)


class DescendantsTests(SynchronousTestCase):
    """The tree of processes."""

    def test_tree(self) -> None:
        """Children and grandchildren belong to it, strangers do not."""
        parents = {1: 0, 10: 1, 11: 10, 12: 10, 13: 12, 20: 1}
        self.assertEqual(descendants(parents, [10]), {10, 11, 12, 13})
        self.assertEqual(descendants(parents, [12, 20]), {12, 13, 20})

    @given(st.dictionaries(st.integers(1, 9), st.integers(0, 9)), st.sets(st.integers(1, 9)))
    def test_anyTable(self, parents: dict[int, int], roots: set[int]) -> None:
        """Even a table with cycles is walked to an end, and the result is closed."""
        tree = descendants(parents, roots)
        self.assertLessEqual(roots, tree)
        for pid, parent in parents.items():
            if parent in tree:
                self.assertIn(pid, tree)


class ReadTests(SynchronousTestCase):
    """Reading a whole /proc, here one made of files."""

    def setUp(self) -> None:
        self.proc = Path(self.mktemp())
        for pid, parent, ticks in ((10, 1, 100), (11, 10, 20), (99, 1, 5000)):
            folder = self.proc / str(pid)
            folder.mkdir(parents=True)
            (folder / "stat").write_text(statLine(pid, parent, f"{ticks} 0 0 0"))
            (folder / "smaps_rollup").write_text(ROLLUP.format(rss=pid, pss=1))
        (self.proc / "self").mkdir()
        (self.proc / "stat").write_text(CORES)

    def test_sums(self) -> None:
        """Time and memory of the tree are added, those of a stranger are not."""
        self.assertEqual(cpuSeconds([10], self.proc), 120 / os.sysconf("SC_CLK_TCK"))
        self.assertEqual(memory([10], self.proc), Memory(21 * 1024, 2 * 1024))

    def test_processEnds(self) -> None:
        """A process that ends while it is looked at is left out."""
        (self.proc / "11" / "smaps_rollup").write_text("")
        (self.proc / "12").mkdir()
        self.assertEqual(memory([10], self.proc), Memory(10 * 1024, 1024))

    def test_core(self) -> None:
        """Ticks of a core become seconds."""
        self.assertEqual(coreSeconds(1, self.proc), 142 / os.sysconf("SC_CLK_TCK"))
