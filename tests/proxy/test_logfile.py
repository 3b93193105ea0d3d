"""Tests of `mosntx.proxy.logfile`."""

from __future__ import annotations

import calendar
import gzip
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.config.roller import LogRoller
from mosntx.proxy.logfile import FileTarget, pack, tidy
from mosntx.proxy.logsink import ILogTarget, LogSink

#: A local noon.
NOON = time.mktime((2026, 3, 10, 12, 0, 0, 0, 0, -1))
DAY = 86400


def atOnce(function: Callable[..., Any], *args: Any) -> None:
    """Stand in for the reactor's thread."""
    function(*args)


class FileTestCase(SynchronousTestCase):
    """A folder of its own and a clock of its own."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.path = self.folder / "deep" / "mosn.log"
        self.now = NOON

    def open(self, roller: LogRoller | None = None) -> FileTarget:
        target = FileTarget(str(self.path), lambda: self.now, atOnce, roller)
        self.addCleanup(target.close)
        return target

    def write(self, target: FileTarget, text: str) -> None:
        self.assertEqual(target.write(memoryview(text.encode())), len(text))

    def files(self) -> dict[str, str]:
        """Return what lies in the folder, by name."""
        return {file.name: file.read_text() for file in self.path.parent.iterdir()}


class OpenTests(FileTestCase):
    """Opening and reopening."""

    def test_contract(self) -> None:
        """It is a target."""
        verifyObject(ILogTarget, self.open())

    def test_append(self) -> None:
        """Folders are made; what was there stays; rights are those of MOSN."""
        self.write(self.open(), "a\n")
        target = self.open()
        self.write(target, "b\n")
        self.assertEqual(self.files(), {"mosn.log": "a\nb\n"})
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o644)
        target.close()
        target.close()

    def test_cannotOpen(self) -> None:
        """A path that cannot be a file fails at once."""
        self.path.mkdir(parents=True)
        self.assertRaises(OSError, self.open)

    def test_reopen(self) -> None:
        """After a rename lines go on to the old file until it is reopened."""
        target = self.open()
        self.write(target, "a\n")
        self.path.rename(self.path.with_name("old"))
        self.write(target, "b\n")
        target.reopen()
        self.write(target, "c\n")
        self.assertEqual(self.files(), {"old": "a\nb\n", "mosn.log": "c\n"})

    def test_reopenFails(self) -> None:
        """When the path cannot be opened any more, the old file stays in use."""
        target = self.open()
        self.path.rename(self.path.with_name("old"))
        self.path.mkdir()
        self.assertRaises(OSError, target.reopen)
        self.write(target, "a\n")
        self.path.rmdir()
        self.assertEqual(self.files(), {"old": "a\n"})

    def test_fifo(self) -> None:
        """A FIFO without a reader does not hang the process; one that is full loses nothing."""
        self.path.parent.mkdir(parents=True)
        os.mkfifo(self.path)
        self.assertRaises(OSError, self.open)
        reading = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reading)
        sink = LogSink(self.open(LogRoller()), Clock().callLater)
        sink.write("x" * 10**6 + "\n")
        sink.flush()
        self.assertEqual(sink.lost, 0)
        self.assertEqual(os.read(reading, 3), b"xxx")


class TimeRotationTests(FileTestCase):
    """Rotation by time."""

    def test_day(self) -> None:
        """After midnight the file is named after its day."""
        target = self.open(LogRoller())
        self.write(target, "a\n")
        self.now += 11.9 * 3600
        self.write(target, "b\n")
        self.now += 0.2 * 3600
        self.write(target, "c\n")
        self.assertEqual(self.files(), {"mosn.log.2026-03-10": "a\nb\n", "mosn.log": "c\n"})

    def test_hours(self) -> None:
        """Shorter times are cut at full multiples of the hour, and named after the hour."""
        target = self.open(LogRoller(hours=2))
        self.write(target, "a\n")
        self.now += 1.9 * 3600
        self.write(target, "b\n")
        self.now += 0.2 * 3600
        self.write(target, "c\n")
        self.assertEqual(self.files(), {"mosn.log.2026-03-10_12": "a\nb\n", "mosn.log": "c\n"})

    def test_restart(self) -> None:
        """A file of yesterday is rotated by the first line after a restart."""
        self.write(self.open(), "old\n")
        os.utime(self.path, (NOON - DAY, NOON - DAY))
        self.write(self.open(LogRoller()), "new\n")
        self.assertEqual(self.files(), {"mosn.log.2026-03-09": "old\n", "mosn.log": "new\n"})

    def test_taken(self) -> None:
        """A name that is taken gets a number; the last number is overwritten."""
        self.path.parent.mkdir(parents=True)
        for name in ("", ".1", ".2"):
            self.path.with_name(f"mosn.log.2026-03-10{name}").write_text(f"old{name}\n")
        target = self.open(LogRoller(keep=2))
        self.write(target, "a\n")
        self.now += DAY
        self.write(target, "b\n")
        self.assertEqual(
            self.files(),
            {
                "mosn.log.2026-03-10": "old\n",
                "mosn.log.2026-03-10.1": "old.1\n",
                "mosn.log.2026-03-10.2": "a\n",
                "mosn.log": "b\n",
            },
        )

    def test_renamedByOthers(self) -> None:
        """When another process has rotated already, its new file is not rotated again."""
        target = self.open(LogRoller())
        self.write(target, "a\n")
        self.path.rename(self.path.with_name("mosn.log.2026-03-10"))
        self.path.write_text("theirs\n")
        self.now += DAY
        self.write(target, "ours\n")
        self.assertEqual(self.files(), {"mosn.log.2026-03-10": "a\n", "mosn.log": "theirs\nours\n"})

    def test_fails(self) -> None:
        """When the folder has gone, lines go on to the file that is open."""
        target = self.open(LogRoller())
        self.write(target, "a\n")
        self.path.unlink()
        self.path.parent.rmdir()
        self.now += DAY
        self.write(target, "b\n")
        self.now += 60
        self.write(target, "c\n")


class SizeRotationTests(FileTestCase):
    """Rotation by size."""

    def roller(self, **options: Any) -> LogRoller:
        return LogRoller(hours=0, size=1, **options)

    def fill(self, target: FileTarget) -> None:
        self.write(target, "x" * (1 << 20))

    def test_size(self) -> None:
        """A file that has reached its size is named after the moment."""
        target = self.open(self.roller())
        self.fill(target)
        self.write(target, "b\n")
        self.assertEqual(sorted(self.files()), ["mosn.log", "mosn.log.2026-03-10T12-00-00"])
        self.assertEqual(self.path.read_text(), "b\n")

    def test_restart(self) -> None:
        """What the file holds at start counts."""
        self.fill(self.open())
        self.write(self.open(self.roller()), "b\n")
        self.assertEqual(self.path.read_text(), "b\n")

    def test_keep(self) -> None:
        """Only so many files are kept, the newest; other files are left alone."""
        self.path.parent.mkdir(parents=True)
        for name in ("mosn.log.old", "mosn.log.2026-03-01", "other.log.2026-03-10T11-00-00"):
            self.path.with_name(name).write_text("mine")
        target = self.open(self.roller(keep=2))
        for _ in range(5):
            self.fill(target)
            for file in self.path.parent.iterdir():
                if "T" in file.name and file.stat().st_mtime > NOON + DAY:
                    os.utime(file, (self.now, self.now))
            self.now += 60
        names = sorted(name for name in self.files() if "mosn.log.2026-03-10T" in name)
        self.assertEqual(len(names), 2)
        self.assertEqual(len(self.files()), 2 + 3 + 1)

    def test_age(self) -> None:
        """Files that are too old are removed."""
        self.path.parent.mkdir(parents=True)
        for name, days in (
            ("mosn.log.2026-03-01T00-00-00", 9),
            ("mosn.log.2026-03-08T00-00-00", 2),
        ):
            file = self.path.with_name(name)
            file.write_text(name)
            os.utime(file, (NOON - days * DAY, NOON - days * DAY))
        tidy(self.path, self.roller(age=7), NOON)
        self.assertEqual(list(self.files()), ["mosn.log.2026-03-08T00-00-00"])

    def test_compress(self) -> None:
        """Files put aside are packed once, with their times."""
        self.path.parent.mkdir(parents=True)
        file = self.path.with_name("mosn.log.2026-03-08T00-00-00")
        file.write_text("text")
        os.utime(file, (NOON, NOON))
        for _ in range(2):
            tidy(self.path, self.roller(compress=True), NOON)
        (packed,) = self.path.parent.iterdir()
        self.assertEqual(packed.name, f"{file.name}.gz")
        self.assertEqual(gzip.decompress(packed.read_bytes()), b"text")
        self.assertEqual(packed.stat().st_mtime, NOON)

    def test_compressFails(self) -> None:
        """A file that cannot be packed stays, without a half-packed one."""
        self.path.parent.mkdir(parents=True)
        missing = self.path.with_name("mosn.log.2026-03-08T00-00-00")
        self.assertRaises(OSError, pack, missing)
        self.assertEqual(self.files(), {})

    def test_noFolder(self) -> None:
        """A folder that has gone does not matter."""
        tidy(self.path, self.roller(), NOON)


class TimeZoneTests(SynchronousTestCase):
    """The constant above means what it says."""

    def test_noon(self) -> None:
        """Noon is local, whatever the zone of this machine."""
        self.assertEqual(time.localtime(NOON).tm_hour, 12)
        self.assertLess(abs(NOON - calendar.timegm((2026, 3, 10, 12, 0, 0))), 15 * 3600)
