"""The header map of a frame, which SOFARPC calls SimpleMap.

::

    +-----------------+------+-------------------+--------+
    | key length (32) | key  | value length (32) | value  |   repeated until the map is used up
    +-----------------+------+-------------------+--------+

A negative length stands for null: no octets follow. Pairs with a null are skipped, as SOFARPC and
sofa-bolt-node do. A map that does not end with a pair is broken and says nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

from zope.interface import implementer

from mosntx.contracts.message import IHeaders, Pair
from mosntx.protocol.bolt.limits import MAX_LENGTH16
from mosntx.protocol.errors import EncodeError

#: Where SOFARPC servers look for the service, the first of them first.
SERVICE = b"service"
TARGET_SERVICE = b"sofa_head_target_service"
#: The method asked for.
METHOD_NAME = b"sofa_head_method_name"

_LENGTH = struct.Struct(">i")
_lengthAt = _LENGTH.unpack_from
_sizeAt = struct.Struct(">I").unpack_from  # the same, when there are no nulls
_packLength = _LENGTH.pack
_SERVICE_LENGTH = len(SERVICE)
_TARGET_LENGTH = len(TARGET_SERVICE)


def findService(octets: bytes, start: int, end: int) -> bytes | None:
    """Walk a map from pair to pair and return the service that it asks for.

    Nothing is looked for in between: the octets of a key inside some value are no key. Of repeated
    keys the last counts, as with all receivers.

    :returns: ``b''`` when the map names none, ``None`` when it is broken.
    """
    service = target = b""
    position = start
    try:
        while position < end:
            (length,) = _sizeAt(octets, position)
            key = position + 4
            position = key + length
            (size,) = _sizeAt(octets, position)
            position += 4 + size
            if length == _SERVICE_LENGTH:
                if octets.startswith(SERVICE, key):
                    service = octets[position - size : position]
            elif length == _TARGET_LENGTH and octets.startswith(TARGET_SERVICE, key):
                target = octets[position - size : position]
        if position == end:
            return service or target
    except struct.error:
        pass  # the last length would lie behind the frame
    # A null looks like a very long text; nobody sends many of them.
    pairs = readPairs(octets, start, end)
    if pairs is None:
        return None
    index = dict(pairs)
    return index.get(SERVICE) or index.get(TARGET_SERVICE, b"")


def readPairs(octets: bytes, start: int, end: int) -> list[Pair] | None:
    """Return the pairs of a map in wire order, without nulls; ``None`` when it is broken."""
    pairs = []
    position = start
    try:
        while position < end:
            (length,) = _lengthAt(octets, position)
            key = position + 4
            position = key + length if length > 0 else key
            (size,) = _lengthAt(octets, position)
            value = position + 4
            if length >= 0 and size >= 0:
                pairs.append((octets[key:position], octets[value : value + size]))
            position = value + size if size > 0 else value
    except struct.error:
        return None
    return pairs if position == end else None


def writePairs(pairs: Iterable[Pair]) -> bytes:
    """Return the octets of a map.

    :raises EncodeError: when they are too many for a frame.
    """
    parts: list[bytes] = []
    for name, value in pairs:
        parts += (_packLength(len(name)), name, _packLength(len(value)), value)
    octets = b"".join(parts)
    if len(octets) > MAX_LENGTH16:
        raise EncodeError(502, f"bolt: header map of {len(octets)} octets, at most {MAX_LENGTH16}")
    return octets


def _check(name: bytes, value: bytes) -> None:
    for part in (name, value):
        if b"\r" in part or b"\n" in part or b"\0" in part:
            raise ValueError("a header holds CR, LF or NUL")


@implementer(IHeaders)
class SimpleMapHeaders:
    """See `IHeaders`. Names are compared as they are; the pairs are decoded at first use.

    A map has no repeated names. Where a peer sends one all the same, `get` returns the last, which
    is what receivers keep, and what the frame is routed by.

    :param pairs: names and values; any octets, as on the wire.

    ``broken`` tells that the octets are no map: there are no fields then, and changes cannot be
    written.
    """

    __slots__ = ("_end", "_index", "_octets", "_pairs", "_start", "broken", "changed")

    def __init__(self, pairs: Iterable[Pair] = ()) -> None:
        self._pairs: list[Pair] | None = list(pairs)
        self._index: dict[bytes, bytes] | None = None
        self._octets = b""
        self._start = 0
        self._end = 0
        self.broken = False
        self.changed = False

    @classmethod
    def inside(cls, octets: bytes, start: int, end: int) -> SimpleMapHeaders:
        """Return the map that lies between two places of a frame."""
        headers = cls.__new__(cls)
        headers._pairs = None
        headers._index = None
        headers._octets = octets
        headers._start = start
        headers._end = end
        headers.broken = False
        headers.changed = False
        return headers

    def __repr__(self) -> str:
        # Values may be secrets: a log or a traceback shows names only.
        names = b", ".join(name for name, _ in self.items()).decode("latin-1")
        return f"<{type(self).__name__} {names}>"

    def __contains__(self, name: bytes) -> bool:
        return self.get(name) is not None

    def get(self, name: bytes, default: bytes | None = None) -> bytes | None:
        """See `IHeaders.get`. A name that is nowhere in the octets costs no decoding."""
        index = self._index
        if index is None:
            if self._pairs is None and self._octets.find(name, self._start, self._end) < 0:
                return default
            index = self._index = dict(self.items())
        return index.get(name, default)

    def getAll(self, name: bytes) -> list[bytes]:
        """See `IHeaders.getAll`."""
        return [value for key, value in self.items() if key == name]

    def set(self, name: bytes, value: bytes) -> None:
        """See `IHeaders.set`.

        :raises ValueError: when name or value holds CR, LF or NUL.
        """
        _check(name, value)
        pairs: list[Pair] = []
        pending = True
        for pair in self.items():
            if pair[0] != name:
                pairs.append(pair)
            elif pending:
                pairs.append((name, value))
                pending = False
        if pending:
            pairs.append((name, value))
        self._replace(pairs)

    def add(self, name: bytes, value: bytes) -> None:
        """See `IHeaders.add`.

        :raises ValueError: as `set`.
        """
        _check(name, value)
        self._replace([*self.items(), (name, value)])

    def remove(self, name: bytes) -> None:
        """See `IHeaders.remove`."""
        if self.get(name) is not None:
            self._replace([pair for pair in self.items() if pair[0] != name])

    def _replace(self, pairs: list[Pair]) -> None:
        self._pairs = pairs
        self._index = None
        self.changed = True

    def items(self) -> Sequence[Pair]:
        """See `IHeaders.items`."""
        pairs = self._pairs
        if pairs is None:
            pairs = readPairs(self._octets, self._start, self._end)
            if pairs is None:
                self.broken = True
                pairs = []
            self._pairs = pairs
            self._octets = b""
        return pairs

    def copy(self) -> SimpleMapHeaders:
        """See `IHeaders.copy`."""
        other = SimpleMapHeaders(self.items())
        other.broken = self.broken
        other.changed = self.changed
        return other

    def octets(self) -> bytes:
        """Return the map as it goes into a frame.

        :raises EncodeError: when it is too large, or was broken before it was changed.
        """
        pairs = self.items()
        if self.broken:
            raise EncodeError(502, "bolt: a broken header map was changed")
        return writePairs(pairs)
