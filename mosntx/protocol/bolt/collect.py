"""Content that comes in pieces."""

from __future__ import annotations

from typing import Any

from mosntx.protocol.errors import EncodeError


class Collected:
    """A head of another protocol, and what has come of its body.

    :param head: of the message.
    :param most: octets to collect.
    """

    __slots__ = ("_content", "_most", "head")

    def __init__(self, head: Any, most: int) -> None:
        self.head = head
        self._most = most
        self._content = bytearray()

    def add(self, data: bytes) -> None:
        """Keep some more octets.

        :raises EncodeError: when they would be too many.
        """
        size = len(self._content) + len(data)
        if size > self._most:
            raise EncodeError(502, f"bolt: content of {size} octets, at most {self._most}")
        self._content += data

    def content(self) -> bytes:
        """Return all octets."""
        return bytes(self._content)
