"""Java's object serialization, walked for what headers need.

Nothing is built of what a peer sends. A walk knows classes by their descriptors in the stream only,
so it has to read all that stands before a wanted field, and cannot read past an object that writes
itself without marks (``Externalizable`` in protocol version 1).

Source: Java Object Serialization Specification, chapter 6 (grammar of the stream).
"""

from __future__ import annotations

from contextlib import suppress

from mosntx.protocol.hessian.fields import Found
from mosntx.protocol.hessian.values import MAX_TEXT, HessianError, utf8
from mosntx.protocol.hessian.walker import (
    MAX_CLASSES,
    MAX_DEPTH,
    MAX_FIELDS,
    MAX_VALUES,
    Enough,
    Span,
    Wanted,
)

#: What every stream begins with: magic number and version.
STREAM_HEADER = b"\xac\xed\x00\x05"

_NULL = 0x70
_REFERENCE = 0x71
_CLASS = 0x72
_OBJECT = 0x73
_STRING = 0x74
_ARRAY = 0x75
_CLASS_OBJECT = 0x76
_BLOCK = 0x77
_END = 0x78
_LONG_BLOCK = 0x7A
_LONG_STRING = 0x7C
_PROXY_CLASS = 0x7D
_ENUM = 0x7E

#: The handle of the first class, object or string of a stream.
_FIRST_HANDLE = 0x7E0000

#: Flags of a class.
_WRITES_ITSELF = 0x01
_SERIALIZABLE = 0x02
_EXTERNALIZABLE = 0x04
_IN_BLOCKS = 0x08

#: Octets of primitive values by the code of their type.
_SIZES = {
    ord("B"): 1,
    ord("C"): 2,
    ord("D"): 8,
    ord("F"): 4,
    ord("I"): 4,
    ord("J"): 8,
    ord("S"): 2,
    ord("Z"): 1,
}


class _Class:
    """A class descriptor: fields are ``(name, size)``, size 0 for objects."""

    __slots__ = ("fields", "flags", "name", "parent")

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.flags = 0
        self.fields: list[tuple[bytes, int]] = []
        self.parent: _Class | None = None


def findFields(data: bytes, start: int, end: int, wanted: Wanted, stop: bool = False) -> Found:
    """Walk over a stream of one object and tell where wanted fields stand.

    ``Found.spans`` are of numbers and truth values, ``Found.texts`` of the texts of strings without
    tag and length (see `readText`). Fields that are null or other objects are not found.

    :param stop: end the walk as soon as all wanted fields are found.
    :raises HessianError: when the octets are no such stream, or go over a limit, or hold a wanted
        field twice.
    """
    walker = _Walker(data, start, end, wanted, stop)
    with suppress(Enough):
        walker.header()
        walker.content(0)
    return Found(walker.spans, walker.texts, walker.position)


def readText(data: bytes, start: int, end: int) -> bytes | None:
    """Return the text of a span in UTF-8; ``None`` when it is none or too long for a header."""
    return utf8(data[start:end]) if end - start <= MAX_TEXT else None


class _Walker:
    """Goes over one stream."""

    __slots__ = (
        "_classes",
        "_data",
        "_end",
        "_handles",
        "_left",
        "_stop",
        "_wanted",
        "position",
        "spans",
        "texts",
    )

    def __init__(self, data: bytes, start: int, end: int, wanted: Wanted, stop: bool) -> None:
        self._data = data
        self.position = start
        self._end = end
        self._wanted = wanted
        self._stop = stop
        self._left = MAX_VALUES
        self._classes = 0
        self._handles: list[_Class | Span | None] = []
        self.spans: dict[bytes, Span] = {}
        self.texts: dict[bytes, Span] = {}

    def header(self) -> None:
        """Read what every stream begins with."""
        start = self._skip(len(STREAM_HEADER))
        if not self._data.startswith(STREAM_HEADER, start):
            raise HessianError("no Java object stream")

    # Steps

    def _spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise HessianError(f"more than {MAX_VALUES} values")

    def _skip(self, size: int) -> int:
        position = self.position
        if size > self._end - position:
            raise HessianError("the stream is cut off")
        self.position = position + size
        return position

    def _number(self, size: int) -> int:
        start = self._skip(size)
        return int.from_bytes(self._data[start : start + size], "big")

    def _text(self) -> Span:
        size = self._number(2)
        start = self._skip(size)
        return start, start + size

    def _name(self) -> bytes:
        start, end = self._text()
        if end - start > MAX_TEXT:
            raise HessianError(f"a name of {end - start} octets")
        return self._data[start:end]

    # Contents

    def content(self, depth: int) -> Span | None:
        """Skip an object, a string or null; return where the text stands if it is a string.

        :raises HessianError: see `findFields`.
        """
        self._spend()
        if depth > MAX_DEPTH:
            raise HessianError(f"more than {MAX_DEPTH} levels")
        tag = self._number(1)
        if tag in (_STRING, _LONG_STRING):
            return self._string(tag)
        if tag == _REFERENCE:
            known = self._referred()
            return known if isinstance(known, tuple) else None
        if tag == _OBJECT:
            self._object(depth)
        elif tag == _ARRAY:
            self._array(depth)
        elif tag == _CLASS_OBJECT:
            self._class(depth)
            self._handles.append(None)
        elif tag == _ENUM:
            self._class(depth)
            self._handles.append(None)
            self.content(depth + 1)
        elif tag != _NULL:
            raise HessianError("an unknown tag")
        return None

    def _string(self, tag: int) -> Span:
        size = self._number(2 if tag == _STRING else 8)
        start = self._skip(size)
        self._handles.append((start, start + size))
        return start, start + size

    def _referred(self) -> _Class | Span | None:
        number = self._number(4) - _FIRST_HANDLE
        if not 0 <= number < len(self._handles):
            raise HessianError("a reference to nothing")
        return self._handles[number]

    def _array(self, depth: int) -> None:
        kind = self._class(depth)
        self._handles.append(None)
        count = self._number(4)
        size = _SIZES.get(kind.name[1], 0) if kind is not None and len(kind.name) == 2 else 0
        if size:
            self._skip(size * count)
        else:
            for _ in range(count):  # each takes an octet at least, so a lie ends soon
                self.content(depth + 1)

    def _object(self, depth: int) -> None:
        kind = self._class(depth)
        self._handles.append(None)
        chain: list[_Class] = []
        while kind is not None:
            if len(chain) > MAX_DEPTH:
                raise HessianError(f"more than {MAX_DEPTH} levels of classes")
            chain.append(kind)
            kind = kind.parent
        for part in reversed(chain):
            self._part(part, depth)

    def _part(self, kind: _Class, depth: int) -> None:
        """Skip what one class of its line has written of an object."""
        self._spend()
        if kind.flags & _SERIALIZABLE:
            for field, size in kind.fields:
                self._field(kind.name, field, size, depth)
            if kind.flags & _WRITES_ITSELF:
                self._annotations(depth)
        elif kind.flags & _EXTERNALIZABLE:
            if not kind.flags & _IN_BLOCKS:
                raise HessianError("an object without marks")
            self._annotations(depth)

    def _field(self, name: bytes, field: bytes, size: int, depth: int) -> None:
        span: Span | None
        if size:
            self._spend()
            start = self._skip(size)
            span = (start, start + size)
        else:
            span = self.content(depth + 1)
        rule = self._wanted.get(field)
        if rule is None or span is None or rule[0] != depth or not name.endswith(rule[1]):
            return
        if field in self.spans or field in self.texts:
            raise HessianError(f"the field {field.decode('ascii')} is there twice")
        (self.spans if size else self.texts)[field] = span
        if self._stop and len(self.spans) + len(self.texts) == len(self._wanted):
            raise Enough

    def _annotations(self, depth: int) -> None:
        """Skip blocks of octets and objects up to their end mark."""
        while True:
            if self.position >= self._end:
                raise HessianError("the stream is cut off")
            tag = self._data[self.position]
            if tag == _END:
                self.position += 1
                return
            if tag in (_BLOCK, _LONG_BLOCK):
                self._spend()
                self.position += 1
                self._skip(self._number(1 if tag == _BLOCK else 4))
            else:
                self.content(depth + 1)

    # Classes

    def _class(self, depth: int) -> _Class | None:
        """Read a class descriptor, or a reference to one."""
        if depth > MAX_DEPTH:
            raise HessianError(f"more than {MAX_DEPTH} levels")
        tag = self._number(1)
        if tag == _CLASS:
            return self._newClass(depth)
        if tag == _PROXY_CLASS:
            return self._proxyClass(depth)
        if tag == _REFERENCE:
            known = self._referred()
            if isinstance(known, _Class):
                return known
        elif tag == _NULL:
            return None
        raise HessianError("no class where one is needed")

    def _newClass(self, depth: int) -> _Class:
        kind = _Class(self._name())
        self._skip(8)  # serialVersionUID
        self._add(kind)
        kind.flags = self._number(1)
        count = self._number(2)
        if count > MAX_FIELDS:
            raise HessianError(f"a class of {count} fields")
        for _ in range(count):
            self._spend()
            code = self._number(1)
            field = self._name()
            size = _SIZES.get(code, 0)
            if not size:
                if code not in b"L[":
                    raise HessianError("an unknown type")
                self.content(depth + 1)  # the name of the field's class
            kind.fields.append((field, size))
        self._annotations(depth)
        kind.parent = self._class(depth + 1)
        return kind

    def _proxyClass(self, depth: int) -> _Class:
        kind = _Class(b"")
        self._add(kind)
        count = self._number(4)
        if count > MAX_FIELDS:
            raise HessianError(f"a proxy of {count} interfaces")
        for _ in range(count):
            self._spend()
            self._text()
        self._annotations(depth)
        kind.flags = _SERIALIZABLE
        kind.parent = self._class(depth + 1)
        return kind

    def _add(self, kind: _Class) -> None:
        self._classes += 1
        if self._classes > MAX_CLASSES:
            raise HessianError(f"more than {MAX_CLASSES} classes")
        self._handles.append(kind)
