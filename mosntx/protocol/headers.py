"""Header fields of HTTP, in any version: ordered, names without regard to case."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self

from zope.interface import implementer

from mosntx.contracts.message import IHeaders, Pair

#: The octets of a field name (RFC 9110 5.6.2, ``token``).
TOKEN = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def checkField(name: bytes, value: bytes) -> None:
    """Refuse what would break the framing of a message.

    :raises ValueError: when the name is no token or the value holds CR, LF or NUL.
    """
    if not name or name.translate(None, TOKEN):
        raise ValueError(f"{name!r} is no field name")
    if b"\r" in value or b"\n" in value or b"\0" in value:
        raise ValueError(f"the value of {name!r} holds CR, LF or NUL")


@implementer(IHeaders)
class Headers:
    """See `IHeaders`. The index of first values is made at the first look-up after a change.

    :param pairs: names and values.
    :raises ValueError: as `checkField`, for any pair.
    """

    __slots__ = ("_index", "_pairs", "changed")

    _index: dict[bytes, bytes] | None
    _pairs: list[Pair] | None
    changed: bool

    def __init__(self, pairs: Iterable[Pair] = ()) -> None:
        self._pairs = list(pairs)
        self._index = None
        self.changed = False
        for name, value in self._pairs:
            checkField(name, value)

    @classmethod
    def trusted(cls, pairs: list[Pair]) -> Self:
        """Make headers of ``pairs``, which the caller has checked and does not use any more."""
        headers = cls.__new__(cls)
        headers._pairs = pairs
        headers._index = None
        headers.changed = False
        return headers

    def __repr__(self) -> str:
        # Values may be secrets: a log or a traceback shows names only.
        names = b", ".join(name for name, _ in self.items()).decode("latin-1")
        return f"<{type(self).__name__} {names}>"

    def __contains__(self, name: bytes) -> bool:
        return self.get(name) is not None

    def _indexed(self) -> dict[bytes, bytes]:
        index: dict[bytes, bytes] = {}
        for name, value in reversed(self.items()):
            index[name.lower()] = value
        self._index = index
        return index

    def get(self, name: bytes, default: bytes | None = None) -> bytes | None:
        """See `IHeaders.get`."""
        index = self._index
        if index is None:
            index = self._indexed()
        value = index.get(name)
        if value is None:
            return index.get(name.lower(), default)
        return value

    def getAll(self, name: bytes) -> list[bytes]:
        """See `IHeaders.getAll`."""
        wanted = name.lower()
        return [value for key, value in self.items() if key.lower() == wanted]

    def set(self, name: bytes, value: bytes) -> None:
        """See `IHeaders.set`."""
        checkField(name, value)
        wanted = name.lower()
        pairs: list[Pair] = []
        pending = True
        for pair in self.items():
            if pair[0].lower() != wanted:
                pairs.append(pair)
            elif pending:
                pairs.append((name, value))
                pending = False
        if pending:
            pairs.append((name, value))
        self._replace(pairs)

    def add(self, name: bytes, value: bytes) -> None:
        """See `IHeaders.add`."""
        checkField(name, value)
        self._replace([*self.items(), (name, value)])

    def remove(self, name: bytes) -> None:
        """See `IHeaders.remove`."""
        if self.get(name) is not None:
            wanted = name.lower()
            self._replace([pair for pair in self.items() if pair[0].lower() != wanted])

    def _replace(self, pairs: list[Pair]) -> None:
        self._pairs = pairs
        self._index = None
        self.changed = True

    def items(self) -> Sequence[Pair]:
        """See `IHeaders.items`."""
        pairs = self._pairs
        assert pairs is not None  # only subclasses put off the decoding
        return pairs

    def copy(self) -> Headers:
        """See `IHeaders.copy`."""
        other = Headers.trusted(list(self.items()))
        other.changed = self.changed
        return other


class CheckedHeaders(Headers):
    """Headers from a codec that has looked at each octet of them.

    Their names are tokens, and no value holds CR, LF or NUL or begins or ends with a space. So who
    writes them in another version of HTTP need not look again, as long as they are not `changed`:
    that is most of what writing a head costs.
    """

    __slots__ = ()

    def lowerPairs(self) -> Sequence[Pair] | None:
        """Return all fields, names in lower case; ``None`` when they have to be looked at."""
        return None if self.changed else self.items()

    def without(self, names: frozenset[bytes]) -> Sequence[Pair] | None:
        """Return `lowerPairs` without some.

        :param names: of the fields that are left out, in lower case.
        """
        pairs = self.lowerPairs()
        if pairs is None or names.isdisjoint([pair[0] for pair in pairs]):
            return pairs
        return [pair for pair in pairs if pair[0] not in names]
