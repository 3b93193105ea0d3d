"""HPACK of the library hpack, remembering blocks that come again (RFC 7541).

Peers of a proxy say much the same again and again. Once all fields of a block are in the dynamic
table, reading or writing the block changes nothing, and the next time its outcome is the same. It
is remembered until the table changes. Blocks that change the table are never remembered.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from hpack import Decoder, Encoder, HeaderTuple
from hpack.table import HeaderTable

#: Blocks remembered at a time, and how long they may be: 64 kinds of messages on a connection are
#: many, and longer blocks are rarely the same. At most 64 KiB of keys in each direction.
MAX_BLOCKS: Final = 64
MAX_BLOCK: Final = 1024


class Remembered:
    """What is remembered, as long as the table is as it was."""

    __slots__ = ("_blocks", "_first", "_others", "_table")

    def __init__(self, table: HeaderTable) -> None:
        self._table = table
        self._blocks: dict[Any, Any] = {}
        self._first: Any = None
        self._others: tuple[int, ...] = ()

    def unchanged(self, *others: int) -> bool:
        """Say whether the table is as it was the last time, and note how it is now.

        Entries come in front and leave behind, so the first one and their number tell. The first
        one is known by identity: another one may say the same.

        :param others: what the outcome depends on besides.
        """
        entries = self._table.dynamic_entries
        first = entries[0] if entries else None
        state = (len(entries), self._table.maxsize, *others)
        if first is self._first and state == self._others:
            return True
        self._first, self._others = first, state
        self._blocks.clear()
        return False

    def get(self, key: Any) -> Any:
        """Return what is remembered for a key, or ``None``."""
        return self._blocks.get(key)

    def keep(self, key: Any, outcome: Any) -> None:
        """Remember one more."""
        if len(self._blocks) < MAX_BLOCKS:
            self._blocks[key] = outcome


class CachingDecoder(Decoder):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self._known = Remembered(self.header_table)

    def _same(self) -> bool:
        return self._known.unchanged(self.max_allowed_table_size, self.max_header_list_size)

    def decode(self, data: bytes, raw: bool = False) -> Iterable[HeaderTuple]:
        """See ``hpack.Decoder.decode``."""
        if len(data) > MAX_BLOCK or not raw:
            return super().decode(data, raw)
        if self._same():
            found = self._known.get(data)
            if found is not None:
                return list(found)
        fields = list(super().decode(data, raw))
        if self._same():
            self._known.keep(data, tuple(fields))
        return fields


class CachingEncoder(Encoder):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self._known = Remembered(self.header_table)

    @property
    def header_table_size(self) -> int:
        """See ``hpack.Encoder.header_table_size``.

        The library (4.2) forgets to announce a new size when the peer says it twice before the next
        block, and the peer cannot read that block then.
        """
        return self.header_table.maxsize

    @header_table_size.setter
    def header_table_size(self, value: int) -> None:
        if value != self.header_table.maxsize:
            self.header_table.maxsize = value
            self.table_size_changes.append(value)

    def encode(self, headers: Any, huffman: bool = True) -> bytes:
        """See ``hpack.Encoder.encode``.

        Fields that must not be indexed equal those that may, so the kind is a part of the key.
        """
        if self.header_table.resized:
            return super().encode(headers, huffman)
        fields = tuple(headers)
        key = (fields, tuple(map(type, fields)), huffman)
        if self._known.unchanged():
            found: bytes | None = self._known.get(key)
            if found is not None:
                return found
        block = super().encode(fields, huffman)
        if len(block) <= MAX_BLOCK and self._known.unchanged():
            self._known.keep(key, block)
        return block
