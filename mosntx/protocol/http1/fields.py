"""Field blocks: llhttp (by httptools) reads and checks them, this file keeps their octets.

A *block* is what stands between a start line and the body, with the CRLF that ends the start line::

    CRLF  name ":" value CRLF  name ":" value CRLF  CRLF

httptools gets each block behind a status line of 304, which llhttp takes for a message without a
body whatever the fields say (checked for httptools 0.9): so the parser is ready for the next block
at once, one parser serves every connection, and no octet of a body or of a pipelined request ever
reaches it. llhttp in its strict mode refuses bare CR and LF, NUL and other controls, obs-fold,
names that are no tokens, space before the colon, both framings at once, and lengths that are not
plain numbers below 2^64.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter

from httptools import HttpParserError, HttpResponseParser

from mosntx.contracts.message import Pair
from mosntx.protocol.errors import LimitError, ProtocolError
from mosntx.protocol.headers import CheckedHeaders, Headers, checkField

_PREFIX = b"HTTP/1.1 304 -"

#: Fields that end at this hop (RFC 9110 7.6.1, RFC 7540 3.2.1).
HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"http2-settings",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"transfer-encoding",
        b"upgrade",
    )
)

#: Fields that the framing of a message depends on: whoever adds one has it written anew.
_FRAMING = HOP_BY_HOP | {b"content-length", b"host", b"trailer"}

#: What says nothing in HTTP/1.1, as nearly all servers and many clients spell it.
_KEEP_ALIVE = b"\r\nConnection: keep-alive\r\n"

#: Fields of which a second one would let two readers see two messages.
_SINGLE = (b"host", b"content-length", b"transfer-encoding")


def splitBlock(block: bytes) -> list[Pair]:
    """Return the fields of a block that llhttp has accepted."""
    lines = block[2:-4].split(b"\r\n") if len(block) > 4 else []
    pairs = []
    for line in lines:
        name, _, value = line.partition(b":")
        pairs.append((name, value.strip(b" \t")))
    return pairs


def joinBlock(pairs: list[Pair]) -> bytes:
    """Return the block of fields that come from a block."""
    return b"".join([b"\r\n%b: %b" % pair for pair in pairs]) + b"\r\n\r\n"


class WireHeaders(CheckedHeaders):
    """Headers that still have their octets: ``wire`` says the same until they are `changed`.

    :param wire: a block.
    :param index: first value of each name in lower case; shared by all that have the same block,
        so whoever changes something has one of his own from then on.

    ``unique`` tells that no name occurs twice.
    """

    __slots__ = ("unique", "wire")

    _index: dict[bytes, bytes]

    def __init__(self, wire: bytes, index: dict[bytes, bytes]) -> None:
        self._pairs = None
        self._index = index
        self.changed = False
        self.wire = wire
        self.unique = True

    # A getter in C: each head is looked at in here, not by `get`.
    index = property(
        attrgetter("_index"),
        doc="First value of each name in lower case; only until something changes.",
    )

    def set(self, name: bytes, value: bytes) -> None:
        """See `IHeaders.set`."""
        if self.get(name) is None:
            self.add(name, value)
        else:
            super().set(name, value)

    def add(self, name: bytes, value: bytes) -> None:
        """See `IHeaders.add`. A usual field becomes part of the octets, as though it had come so.

        That is a fifth of what it takes to write all fields anew, and what filters do most.
        """
        index = self._index
        lower = name.lower()
        if self.changed or lower in index or lower in _FRAMING or value != value.strip():
            super().add(name, value)
            return
        checkField(name, value)
        self.wire = b"%b%b: %b\r\n\r\n" % (self.wire[:-2], name, value)
        self._index = {**index, lower: value}
        self._pairs = None

    def items(self) -> Sequence[Pair]:
        """See `IHeaders.items`."""
        pairs = self._pairs
        if pairs is None:
            pairs = self._pairs = splitBlock(self.wire)
        return pairs

    def lowerPairs(self) -> Sequence[Pair] | None:
        """See `CheckedHeaders.lowerPairs`: where no name occurs twice, the index has them all."""
        return None if self.changed or not self.unique else list(self._index.items())

    def joined(self, name: bytes) -> bytes:
        """Return all values of a list field as one; ``b''`` when there is none."""
        if self.unique:
            return self._index.get(name, b"")
        return b",".join(self.getAll(name))

    def cut(self, name: bytes, line: bytes) -> bool:
        """Take one field out as though it had never come, if it is spelled in the usual way.

        :param name: in lower case, present.
        :param line: CRLF, the field and CRLF.
        """
        if not self.unique:
            return False
        wire = self.wire.replace(line, b"\r\n", 1)
        if len(wire) == len(self.wire):
            return False
        self.wire = wire
        self._index = self._index.copy()
        del self._index[name]
        return True

    def forget(self, names: Iterable[bytes]) -> None:
        """Take fields out as though they had never come; `changed` stays as it is.

        :param names: in lower case.
        """
        wire = self.wire
        lower = wire.lower()
        index = self._index = self._index.copy()
        for name in names:
            if index.pop(name, None) is None:
                continue
            key = b"\r\n" + name + b":"
            start = lower.find(key)
            while start >= 0:
                end = lower.find(b"\r\n", start + 2)
                wire = wire[:start] + wire[end:]
                lower = lower[:start] + lower[end:]
                start = lower.find(key)
        self.wire = wire
        self._pairs = None

    def rewrite(self, name: bytes, value: bytes) -> None:
        """Give the one field called ``name`` another value, as though it had come so.

        :param name: in lower case, present.
        """
        pairs = [(key, value if key.lower() == name else old) for key, old in self.items()]
        self._pairs = pairs
        self._index = {**self._index, name: value}
        self.wire = joinBlock(pairs)

    def copy(self) -> Headers:
        """See `IHeaders.copy`."""
        if self.changed:
            return super().copy()
        other = WireHeaders(self.wire, self._index)
        other.unique = self.unique
        return other


class FieldParser:
    """Reads blocks; connections of one reactor may share it.

    Clients and hosts send the same octets again and again, apart from a date that changes once a
    second. So blocks that were good are remembered, and reading one again is one look-up, a tenth
    of the time. Nothing else is kept from one block to the next.

    :param badStatus: status of errors in the octets.
    :param limitStatus: status when there are too many fields.
    """

    __slots__ = ("_badStatus", "_feed", "_fields", "_limitStatus", "_seen")

    #: Blocks that are remembered, and octets of the longest: at most 256 KiB and their fields.
    MAX_SEEN = 256
    MAX_SEEN_OCTETS = 1024

    def __init__(self, badStatus: int, limitStatus: int) -> None:
        self._seen: dict[bytes, tuple[bytes, dict[bytes, bytes], int]] = {}
        self._badStatus = badStatus
        self._limitStatus = limitStatus
        self._renew()

    def _renew(self) -> None:
        self._fields: dict[bytes, bytes] = {}
        # The dict's own method is called for each field: no Python code runs.
        self._feed = HttpResponseParser(_Sink(self._fields.setdefault)).feed_data

    def parse(self, block: bytes, limit: int, http11: bool = False) -> WireHeaders:
        """Return the fields of ``block``, which ends with its first empty line.

        :param limit: largest number of fields.
        :param http11: they are of a head of HTTP/1.1, whose ``Connection: keep-alive`` is dropped.
            Only these are remembered: they are nearly all.
        :raises ProtocolError: when something in the block is not as RFC 9112 5 demands it.
        """
        if http11:
            seen = self._seen.get(block)
            if seen is not None and seen[2] <= limit:
                return WireHeaders(seen[0], seen[1])
        count = block.count(b"\n") - 2
        if count > limit:
            raise LimitError(self._limitStatus, "too many header fields")
        try:
            self._feed(_PREFIX + block)
        except HttpParserError:
            self._again(block)
        fields = self._fields
        index = {name.lower(): value.strip() for name, value in fields.items()}
        fields.clear()
        if len(index) != count:
            return self._repeated(block, count)
        headers = WireHeaders(block, index)
        if http11:
            if index.get(b"connection") == b"keep-alive":
                headers.cut(b"connection", _KEEP_ALIVE)
            if len(block) <= self.MAX_SEEN_OCTETS:
                if len(self._seen) >= self.MAX_SEEN:
                    self._seen.clear()
                self._seen[block] = headers.wire, headers.index, count
        return headers

    def _again(self, block: bytes) -> None:
        """Feed a block once more, to a new parser.

        llhttp refuses whatever follows a block that announces the close. (Its leniency for that is
        no way out: it swallows what follows unread.)
        """
        self._renew()
        try:
            self._feed(_PREFIX + block)
        except HttpParserError as error:
            self._renew()
            # The texts are llhttp's own and short; they never quote the input.
            raise ProtocolError(self._badStatus, str(error).lower()) from None

    def _repeated(self, block: bytes, count: int) -> WireHeaders:
        """Read a block in which a name occurs twice: field by field, with a parser of its own."""
        self._renew()
        index: dict[bytes, bytes] = {}
        seen: list[bytes] = []

        def field(name: bytes, value: bytes) -> None:
            lower = name.lower()
            seen.append(lower)
            index.setdefault(lower, value.strip())

        try:
            HttpResponseParser(_Sink(field)).feed_data(_PREFIX + block)
        except HttpParserError as error:
            raise ProtocolError(self._badStatus, str(error).lower()) from None
        if len(seen) != count:
            raise ProtocolError(self._badStatus, "malformed header fields")
        for name in _SINGLE:
            if seen.count(name) > 1:
                raise ProtocolError(self._badStatus, f"more than one {name.decode()} field")
        headers = WireHeaders(block, index)
        headers.unique = False
        return headers


class _Sink:
    """What httptools calls for each field."""

    __slots__ = ("on_header",)

    def __init__(self, onHeader: Callable[[bytes, bytes], object]) -> None:
        self.on_header = onHeader
