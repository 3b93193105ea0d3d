"""The walk over the octets of one value: a method for each kind of value, and the limits.

It never makes an object of what it reads, so what a peer sends costs time in proportion to the
limits below and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mosntx.protocol.hessian.values import MAX_TEXT, HessianError, readLong, readText, skipUnits

#: Nesting of values. Connection objects have 3 levels, requests with their context maps 4; each
#: level costs three Python frames, of which there are 1000.
MAX_DEPTH = 32

#: Values, keys and chunks in one walk. A request with a trace context has about 40. It bounds the
#: time of a walk to a few milliseconds.
MAX_VALUES = 4096

#: Class definitions in one walk, which are kept; requests have 2 or 3.
MAX_CLASSES = 64

#: Fields of one class.
MAX_FIELDS = 256

#: Fields to look for: name -> (nesting level of the instance, endings of the names of its class).
Wanted = Mapping[bytes, tuple[int, tuple[bytes, ...]]]

#: Offsets of the first octet of a value and of the octet behind it.
Span = tuple[int, int]

#: What a tag leads to: the octets of the value with its tag, 0 when there is no such tag; or the
#: method that skips it.
Action = int | Callable[["Walker", int], None]

_LENGTH_TAGS = {ord("n"): 1, ord("l"): 4}
_STRING_ENDS = frozenset([*range(0x20), ord("S")])
_BINARY_ENDS = frozenset([*range(0x20, 0x30), ord("B")])
_FINAL_STRING_ENDS = _STRING_ENDS | frozenset(range(0x30, 0x34))
_FINAL_BINARY_ENDS = _BINARY_ENDS | frozenset(range(0x34, 0x38))


class Enough(Exception):  # noqa: N818 - no error: the walk may stop
    """All wanted fields have been found."""


class Walker:
    """Goes over one value, however deep.

    Its public methods skip one kind of value each; the position is at the tag when they are called.
    """

    __slots__ = (
        "_actions",
        "_classes",
        "_data",
        "_end",
        "_left",
        "_stop",
        "_types",
        "_wanted",
        "position",
        "spans",
    )

    def __init__(
        self,
        data: bytes,
        start: int,
        end: int,
        wanted: Wanted,
        stop: bool,
        actions: Sequence[Action],
    ) -> None:
        self._data = data
        self.position = start
        self._end = end
        self._wanted = wanted
        self._stop = stop
        self._actions = actions
        self._left = MAX_VALUES
        self._classes: list[tuple[bytes, list[bytes]]] = []
        self._types: list[bytes] = []
        self.spans: dict[bytes, Span] = {}

    def value(self, depth: int) -> None:
        """Skip any value and remember what is wanted of it.

        :raises HessianError: see `findFields`.
        """
        self._spend()
        action = self._actions[self._tag()]
        if isinstance(action, int):
            if not action:
                raise HessianError("an unknown tag")
            self._skip(action)
        elif depth > MAX_DEPTH:
            raise HessianError(f"more than {MAX_DEPTH} levels")
        else:
            action(self, depth)

    # Steps

    def _spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise HessianError(f"more than {MAX_VALUES} values")

    def _tag(self) -> int:
        if self.position >= self._end:
            raise HessianError("the value is cut off")
        return self._data[self.position]

    def _skip(self, size: int) -> int:
        """Go on by ``size`` octets and return where they began."""
        position = self.position
        if size > self._end - position:
            raise HessianError("the value is cut off")
        self.position = position + size
        return position

    def _number(self, size: int) -> int:
        start = self._skip(size)
        return int.from_bytes(self._data[start : start + size], "big")

    def _integer(self) -> int:
        """Read a count or an index, which is an int value."""
        value, self.position = readLong(self._data, self.position, self._end)
        if value < 0:
            raise HessianError("a count is negative")
        return value

    def _units(self, count: int) -> None:
        self.position = skipUnits(self._data, self.position, self._end, count)

    def _text(self, count: int) -> bytes:
        if count > MAX_TEXT:
            raise HessianError(f"a name of {count} characters")
        start = self.position
        self._units(count)
        return self._data[start : self.position]

    def _name(self) -> bytes:
        """Read a string value that names a class or a field."""
        start = self.position
        if self._tag() not in _FINAL_STRING_ENDS:
            raise HessianError("a name is no string")
        self.value(0)
        name = readText(self._data, start, self.position, True)
        if name is None:
            raise HessianError(f"a name is no text of up to {MAX_TEXT} octets")
        return name

    # Strings and binary values

    def short(self, depth: int) -> None:
        """A string whose tag is its length."""
        self.position += 1
        self._units(self._data[self.position - 1])

    def middle(self, depth: int) -> None:
        """A string or binary value of up to 1023, in the published grammar (0x30-0x37)."""
        start = self._skip(2)
        length = ((self._data[start] & 3) << 8) + self._data[start + 1]
        if self._data[start] < 0x34:
            self._units(length)
        else:
            self._skip(length)

    def long(self, depth: int) -> None:
        """A string with a length of 16 bits."""
        self.position += 1
        self._units(self._number(2))

    def longBinary(self, depth: int) -> None:
        """A binary value with a length of 16 bits."""
        self.position += 1
        self._skip(self._number(2))

    def stringChunks(self, depth: int) -> None:
        """A string in several parts."""
        self._chunks(depth, Walker.long, _STRING_ENDS)

    def binaryChunks(self, depth: int) -> None:
        """A binary value in several parts."""
        self._chunks(depth, Walker.longBinary, _BINARY_ENDS)

    def finalStringChunks(self, depth: int) -> None:
        """A string in several parts, in the published grammar."""
        self._chunks(depth, Walker.long, _FINAL_STRING_ENDS)

    def finalBinaryChunks(self, depth: int) -> None:
        """A binary value in several parts, in the published grammar."""
        self._chunks(depth, Walker.longBinary, _FINAL_BINARY_ENDS)

    def _chunks(
        self, depth: int, skip: Callable[[Walker, int], None], ends: frozenset[int]
    ) -> None:
        tag = more = self._tag()
        while tag == more:
            self._spend()
            skip(self, depth)
            tag = self._tag()
        if tag not in ends:
            raise HessianError("a string or binary value does not end")
        self.value(depth)

    # Objects

    def define(self, depth: int) -> None:
        """A class definition (``O`` and a name without tag) and its instance."""
        self.position += 1
        self._fields(self._text(self._integer()))
        self.value(depth)

    def finalDefine(self, depth: int) -> None:
        """A class definition (``C``) and the value behind it."""
        self.position += 1
        self._fields(self._name())
        self.value(depth)

    def _fields(self, name: bytes) -> None:
        count = self._integer()
        if count > MAX_FIELDS:
            raise HessianError(f"a class of {count} fields")
        if len(self._classes) >= MAX_CLASSES:
            raise HessianError(f"more than {MAX_CLASSES} classes")
        self._classes.append((name, [self._name() for _ in range(count)]))

    def instance(self, depth: int) -> None:
        """An instance with the number of its class (``o``, or ``O`` as published)."""
        self.position += 1
        self._instance(self._integer(), depth)

    def shortInstance(self, depth: int) -> None:
        """An instance with the number of its class in the tag (0x60-0x6f)."""
        self.position += 1
        self._instance(self._data[self.position - 1] & 0x0F, depth)

    def _instance(self, number: int, depth: int) -> None:
        if number >= len(self._classes):
            raise HessianError(f"class {number} is not defined")
        name, fields = self._classes[number]
        for field in fields:
            self._field(name, field, depth)

    def _field(self, name: bytes, field: bytes, depth: int) -> None:
        start = self.position
        self.value(depth + 1)
        rule = self._wanted.get(field)
        if rule is None or rule[0] != depth or not name.endswith(rule[1]):
            return
        if field in self.spans:
            raise HessianError(f"the field {field.decode('ascii')} is there twice")
        self.spans[field] = (start, self.position)
        if self._stop and len(self.spans) == len(self._wanted):
            raise Enough

    # Maps and lists

    def map(self, depth: int) -> None:
        """A map; one with a type is an object in Hessian 1."""
        self.position += 1
        name = self._type()
        rules = self._wanted.values()
        if any(level == depth and name.endswith(ends) for level, ends in rules):
            while self._tag() != ord("z"):
                self._field(name, self._name(), depth)
            self.position += 1
        else:
            self._until(ord("z"), 2, depth)

    def finalMap(self, depth: int) -> None:
        """A map with a type, in the published grammar."""
        self.position += 1
        self._finalType()
        self._until(ord("Z"), 2, depth)

    def finalUntypedMap(self, depth: int) -> None:
        """A map without a type (``H``)."""
        self.position += 1
        self._until(ord("Z"), 2, depth)

    def list(self, depth: int) -> None:
        """A list: type and length may be there, the end mark is (``V``)."""
        self.position += 1
        self._type()
        size = _LENGTH_TAGS.get(self._tag())
        if size is not None:
            self.position += 1
            if self._number(size) > self._end - self.position:
                raise HessianError("a list is longer than its octets")
        self._until(ord("z"), 1, depth)

    def shortList(self, depth: int) -> None:
        """A list with the number of its type, a length and no end mark (``v``)."""
        self.position += 1
        self._knownType(self._integer())
        self._values(self._integer(), depth)

    def finalList(self, depth: int) -> None:
        """Any list of the published grammar: ``U V W X`` and 0x70-0x7f."""
        tag = self._tag()
        self.position += 1
        if tag in b"UV" or 0x70 <= tag < 0x78:
            self._finalType()
        if tag in b"UW":
            self._until(ord("Z"), 1, depth)
        else:
            self._values(tag & 0x07 if tag >= 0x70 else self._integer(), depth)

    def finalReference(self, depth: int) -> None:
        """A reference (``Q``)."""
        self.position += 1
        self._integer()

    def _type(self) -> bytes:
        tag = self._tag()
        if tag == ord("t"):
            self.position += 1
            self._types.append(self._text(self._number(2)))
            return self._types[-1]
        if tag == ord("u"):
            self.position += 1
            return self._knownType(self._integer())
        return b""

    def _finalType(self) -> None:
        if self._tag() in _FINAL_STRING_ENDS:
            self._types.append(self._name())
        else:
            self._knownType(self._integer())

    def _knownType(self, number: int) -> bytes:
        if number >= len(self._types):
            raise HessianError(f"type {number} is not defined")
        return self._types[number]

    def _until(self, end: int, step: int, depth: int) -> None:
        """Skip values, ``step`` at a time, up to an end mark and the mark itself."""
        while self._tag() != end:
            for _ in range(step):
                self.value(depth + 1)
        self.position += 1

    def _values(self, count: int, depth: int) -> None:
        for _ in range(count):  # each takes an octet at least, so a lie ends soon
            self.value(depth + 1)
