"""Where lines of logs go: joined, written once for each turn of the event loop, never in the way.

A `LogSink` is shared by all logs of one path. A file takes everything at once. Other targets (a
pipe whose reader is slow, a syslog daemon that is away) may take nothing for a while: then lines
wait, and what does not fit into the queue is dropped and counted. A target that fails (disk full,
pipe closed) loses lines, which are counted; the next line is tried again.
"""

from __future__ import annotations

import os
import select
import stat
from collections.abc import Callable
from typing import Any, Final

from zope.interface import Interface, implementer

#: Lines that wait for a target (MOSN's queue of each file).
LINE_LIMIT: Final = 500
#: Seconds until a target that took nothing is asked again.
RETRY_SECONDS: Final = 0.05
#: What poll's "writable" promises of a pipe (POSIX): more could block the whole process.
PIPE_OCTETS: Final = select.PIPE_BUF


class ILogTarget(Interface):
    """Takes octets of whole lines."""

    def write(data: memoryview) -> int:
        """Take as much of ``data`` as is possible without waiting; return how many octets.

        :raises OSError: when they are lost.
        """

    def reopen() -> None:
        """Open the path anew, after it was renamed by somebody else.

        :raises OSError: when that fails; the old file stays in use.
        """

    def close() -> None:
        """Take nothing more."""


@implementer(ILogTarget)
class StreamTarget:
    """Standard output or standard error: a pipe, a terminal or a file that somebody else opened.

    It is not made non-blocking, since others share it; it is asked before each write.

    :param descriptor: 1 or 2.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)

    def write(self, data: memoryview) -> int:
        """See `ILogTarget.write`."""
        if stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            return os.write(self._descriptor, data)
        if not self._poll.poll(0):
            return 0
        return os.write(self._descriptor, data[:PIPE_OCTETS])

    def reopen(self) -> None:
        """Nothing to do: whoever opened it looks after it."""

    def close(self) -> None:
        """Nothing to do: it is not ours."""


class LogSink:
    """The lines of one path on their way to its target.

    :param callLater: as ``IReactorTime.callLater``.
    """

    def __init__(self, target: ILogTarget, callLater: Callable[..., Any]) -> None:
        self.target = target
        self._callLater = callLater
        self._call: Any = None
        self._lines: list[str] = []
        self._rest = b""
        self._restLines = 0
        self._midLine = False
        #: Lines are taken; switched by the admin API.
        self.enabled = True
        #: Lines that found no place in the queue.
        self.dropped = 0
        #: Lines that the target lost.
        self.lost = 0

    def write(self, line: str) -> None:
        """Take one line, with its end. Never raises for what the target does."""
        if not self.enabled:
            return
        if len(self._lines) + self._restLines >= LINE_LIMIT:
            self._push()
            if len(self._lines) + self._restLines >= LINE_LIMIT:
                self.dropped += 1
                return
        self._lines.append(line)
        if self._call is None:
            self._call = self._callLater(0, self._turn)

    def flush(self) -> None:
        """Hand to the target now whatever it takes."""
        self._push()

    def reopen(self) -> None:
        """Open the path anew: `ILogTarget.reopen`.

        :raises OSError: as that.
        """
        self._push()
        self.target.reopen()

    def close(self) -> None:
        """Write what the target takes, lose the rest, and end."""
        self._push()
        self.enabled = False
        self.lost += self._restLines
        self._rest, self._restLines = b"", 0
        if self._call is not None:
            self._call.cancel()
            self._call = None
        self.target.close()

    def _turn(self) -> None:
        """The turn of the loop is over, or it is time to ask again."""
        self._call = None
        self._push()
        if self._restLines:
            self._call = self._callLater(RETRY_SECONDS, self._turn)

    def _push(self) -> None:
        """Offer everything to the target."""
        data = self._rest + "".join(self._lines).encode("utf-8", "backslashreplace")
        if self._midLine and not self._rest:
            data = b"\n" + data  # the rest of the line before was lost
        self._lines.clear()
        octets, done = memoryview(data), 0
        try:
            while done < len(data):
                taken = self.target.write(octets[done:])
                if not taken:
                    break
                done += taken
        except BlockingIOError:
            pass
        except OSError:
            self.lost += data.count(b"\n", max(done, data[:1] == b"\n"))
            data = data[:done]
        if done:
            self._midLine = data[done - 1 : done] != b"\n"
        self._rest = data[done:]
        self._restLines = self._rest.count(b"\n")
