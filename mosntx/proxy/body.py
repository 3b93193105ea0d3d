"""The body of a request on its way up.

Held while nobody can take it, kept for a while so that it can be sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from mosntx.contracts.message import IHeaders


class RequestBody:
    """Parts in order, of which the first ``sent`` have gone to the present attempt.

    What is held is bounded by pausing the client; what was sent is kept up to ``limit`` octets,
    after that the body cannot be sent again.
    """

    __slots__ = ("_lost", "_parts", "_sent", "_size", "limit")

    def __init__(self, limit: int) -> None:
        """:param limit: octets kept for another attempt."""
        self.limit = limit
        self._parts: list[tuple[Any, bool]] = []
        self._sent = 0
        self._size = 0
        self._lost = False

    @property
    def replayable(self) -> bool:
        """Nothing that was sent has been forgotten."""
        return not self._lost

    @property
    def pending(self) -> bool:
        """There are parts that no attempt has got."""
        return self._sent < len(self._parts)

    def hold(self, part: bytes | IHeaders, end: bool) -> None:
        """Take a part that cannot be sent now."""
        self._parts.append((part, end))
        if isinstance(part, bytes):
            self._size += len(part)

    def keep(self, data: bytes, end: bool) -> None:
        """Take note of data that has just been sent."""
        if self._lost:
            return
        self._size += len(data)
        if self._size > self.limit:
            self.forget()
        else:
            self._parts.append((data, end))
            self._sent += 1

    def take(self) -> Iterator[tuple[Any, bool]]:
        """Yield what is not sent yet.

        ``(data or trailers, end)``; each counts as sent when the next is asked for.
        """
        while self._sent < len(self._parts):
            part = self._parts[self._sent]
            self._sent += 1
            yield part
        if self._lost or self._size > self.limit:
            self.forget()

    def parts(self) -> list[tuple[Any, bool]]:
        """Return all that is kept; what counts as sent stays as it is."""
        return list(self._parts)

    def transform(self, change: Callable[[Any, bool], Any]) -> bool:
        """Replace each part by what ``change(part, end)`` makes of it.

        False as soon as that is ``None``.
        """
        for index, (part, end) in enumerate(self._parts):
            changed = change(part, end)
            if changed is None:
                return False
            self._parts[index] = (changed, end)
        return True

    def rewind(self) -> None:
        """Begin again with another attempt."""
        self._sent = 0

    def keepNothing(self) -> None:
        """Nothing will be sent again. What is held is still to be sent."""
        self._lost = True

    def forget(self) -> None:
        """Keep nothing of what was sent; it cannot be sent again."""
        self._lost = True
        self._parts.clear()
        self._sent = 0
