"""Log files: opened for appending, reopened when asked, rotated as ``global_log_roller`` says.

Rotation is looked at before a write, so a log without lines is not rotated. By time, the file is
renamed after the day (``.2006-01-02``) or hour (``.2006-01-02_15``) that it covers; a name that is
taken gets ``.1``, ``.2`` … up to ``keep``, then the last is overwritten. By size, it is renamed
after the moment (``.2006-01-02T15-04-05``), old files are removed by age and number, and packed
when configured; that work is done in a thread.

Source: spec/admin-observability.md 6 (MOSN pkg/log/roller.go, logger.go).
"""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from zope.interface import implementer

from mosntx.config.roller import LogRoller
from mosntx.proxy.logsink import ILogTarget

#: Octets of the unit of ``size``.
MEGABYTE: Final = 1 << 20
DAY_SECONDS: Final = 86400
HOURS_A_DAY: Final = 24
#: Ends the name of a packed file, and of one that is being packed.
PACKED: Final = ".gz"
UNFINISHED: Final = ".gz.part"

#: Not waiting: a FIFO without a reader fails to open, and a full one takes nothing.
_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
_FILE_MODE: Final = 0o644
_FOLDER_MODE: Final = 0o755


@implementer(ILogTarget)
class FileTarget:
    """One log file.

    :param wallSeconds: seconds since the epoch; rotation goes by local time.
    :param callInThread: runs a function in a thread, as the reactor's method of this name.
    :param roller: ``None`` for no rotation.
    :raises OSError: when the file cannot be opened for appending.
    """

    def __init__(
        self,
        path: str,
        wallSeconds: Callable[[], float],
        callInThread: Callable[..., Any],
        roller: LogRoller | None = None,
    ) -> None:
        self._path = Path(path)
        self._wallSeconds = wallSeconds
        self._callInThread = callInThread
        self._roller = roller
        self._minute = -1
        self._descriptor = -1
        self._open()

    def write(self, data: memoryview) -> int:
        """See `ILogTarget.write`."""
        if self._roller is not None and self._regular:
            self._rotateIfDue(self._roller)
        written = os.write(self._descriptor, data)
        self._size += written
        return written

    def reopen(self) -> None:
        """See `ILogTarget.reopen`."""
        old = self._descriptor
        self._open()
        os.close(old)

    def close(self) -> None:
        """See `ILogTarget.close`."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> None:
        """Open the file and note what it holds already."""
        self._path.parent.mkdir(_FOLDER_MODE, parents=True, exist_ok=True)
        self._descriptor = os.open(self._path, _FLAGS, _FILE_MODE)
        status = os.fstat(self._descriptor)
        self._regular = stat.S_ISREG(status.st_mode)
        self._size = status.st_size
        self._since = status.st_mtime if self._size else self._wallSeconds()

    def _rotateIfDue(self, roller: LogRoller) -> None:
        """Put the file aside when its time or its size is over. It stays when that fails."""
        now = self._wallSeconds()
        if roller.hours:
            minute = int(now // 60)
            if minute == self._minute:
                return
            self._minute = minute
            if _period(self._since, roller.hours) == _period(now, roller.hours):
                return
            form = "%Y-%m-%d" if roller.hours == HOURS_A_DAY else "%Y-%m-%d_%H"
            moment = self._since
        else:
            if self._size < roller.size * MEGABYTE:
                return
            form, moment = "%Y-%m-%dT%H-%M-%S", now
        suffix = time.strftime(form, time.localtime(moment))
        with contextlib.suppress(OSError):
            # Somebody else (logrotate, another worker) may have put it aside already.
            if os.path.samestat(os.stat(self._path), os.fstat(self._descriptor)):
                self._path.rename(_freeName(f"{self._path}.{suffix}", roller.keep))
            self.reopen()
            if not roller.hours:
                self._callInThread(tidy, self._path, roller, now)


def _period(moment: float, hours: int) -> tuple[int, int, int]:
    """Return a value that is the same for all moments which one file covers."""
    local = time.localtime(moment)
    return local.tm_year, local.tm_yday, local.tm_hour // hours


def _freeName(name: str, keep: int) -> Path:
    """Return ``name``, or with the first number that is free; the last one when none is."""
    path = Path(name)
    for number in range(1, keep + 1):
        if not path.exists():
            break
        path = Path(f"{name}.{number}")
    return path


def tidy(path: Path, roller: LogRoller, now: float) -> None:
    """Remove files put aside that are too old or too many, and pack the others if configured.

    Runs in a thread; what fails is tried again after the next rotation.

    :param now: seconds since the epoch.
    """
    with contextlib.suppress(OSError):
        aside = sorted(
            (file for file in path.parent.iterdir() if _isAside(file.name, path.name)),
            key=lambda file: file.stat().st_mtime,
            reverse=True,
        )
        for place, file in enumerate(aside):
            if place >= roller.keep or file.stat().st_mtime < now - roller.age * DAY_SECONDS:
                file.unlink()
            elif roller.compress and file.suffix != PACKED:
                pack(file)


def _isAside(name: str, log: str) -> bool:
    """Say whether ``name`` is a file that the log called ``log`` was renamed to by size."""
    suffix = name.removeprefix(f"{log}.")
    return (
        suffix != name
        and not name.endswith(UNFINISHED)
        and suffix[:1].isdigit()
        and suffix[10:11] == "T"
    )


def pack(file: Path) -> None:
    """Replace a file by its packed form, keeping its times.

    :raises OSError: when that fails; the file stays.
    """
    part = Path(f"{file}{UNFINISHED}")
    try:
        with file.open("rb") as source, gzip.open(part, "wb") as packed:
            shutil.copyfileobj(source, packed)
        shutil.copystat(file, part)
        part.rename(f"{file}{PACKED}")
        file.unlink()
    finally:
        part.unlink(missing_ok=True)
