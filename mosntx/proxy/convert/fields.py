"""Frames of Bolt as header fields of HTTP, and back without a loss.

::

    x-mosn-sofarpc-headers-property-<name>   a field of the fixed part, or the class name
    <key>: <value>                           a pair of the header map that HTTP can carry as it is
    x-mosn-sofarpc-headers-packed            the pairs that stand in this place:
                                             key=value&key=value, percent-encoded

So the map keeps its order and its repeated keys. No pair is said twice: what a route of the HTTP
hop sees is what the application gets. The names of the first kind are MOSN's
(pkg/protocol/sofarpc/types.go), the others are ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote_from_bytes, unquote_to_bytes

from mosntx.contracts.message import IHeaders, Pair
from mosntx.protocol.bolt.simplemap import SERVICE, SimpleMapHeaders, writePairs
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.headers import TOKEN
from mosntx.protocol.http1.fields import HOP_BY_HOP

#: Begins every field of ours; a key of a map that begins so is packed.
OURS = b"x-mosn-sofarpc-headers-"
PROPERTY = OURS + b"property-"
PACKED = OURS + b"packed"

#: Pairs that travel as fields of their own; further ones are packed. Receivers take 100 fields.
MAX_PLAIN = 64

#: Fields that belong to HTTP's message or its hop, and never to a header map.
_HTTP_ONLY = HOP_BY_HOP | {b"content-length", b"date", b"expect", b"host", b"server", b"trailer"}

_PLAIN_NAME = re.compile(rb"[a-z0-9_.-]+")
_PLAIN_VALUE = re.compile(rb"(?:[!-~](?:[ -~]*[!-~])?)?")
#: What no field value of HTTP holds.
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
#: Besides letters and digits; all of them are quite safe in a field, and none separates pairs.
_LEFT_ALONE = "-._~:/;,*$@"
_NUMBER = re.compile(rb"-?[0-9]{1,10}")


def escape(octets: bytes) -> bytes:
    """Return any octets as text that HTTP carries."""
    return quote_from_bytes(octets, _LEFT_ALONE).encode("ascii")


def unescape(text: bytes) -> bytes:
    """Return what `escape` was given. Never fails: what is no escape stands for itself."""
    return unquote_to_bytes(text)


def number(headers: IHeaders, name: bytes, lowest: int, highest: int, default: int) -> int:
    """Return the field ``PROPERTY + name``, ``default`` without one.

    :raises EncodeError: 400, when it is no number in the range.
    """
    text = headers.get(PROPERTY + name)
    if text is None:
        return default
    if _NUMBER.fullmatch(text) is not None and lowest <= int(text) <= highest:
        return int(text)
    raise EncodeError(400, f"sofarpc field {name.decode()} is no number that it can be")


def className(headers: IHeaders) -> bytes:
    """Return the class name; ``b''`` without one."""
    return unescape(headers.get(PROPERTY + b"classname") or b"")


def properties(values: Iterable[tuple[bytes, int]], name: bytes) -> list[Pair]:
    """Return the fields of the fixed part.

    :param values: names and values, in order.
    :param name: of the class; ``b''`` for none.
    """
    fields = [(PROPERTY + key, b"%d" % value) for key, value in values]
    if name:
        fields.append((PROPERTY + b"classname", escape(name)))
    return fields


def writeMap(headers: IHeaders) -> list[Pair]:
    """Return the fields of a header map.

    What a null belongs to is not in it, and is lost as with all receivers.

    :raises EncodeError: when the octets of the frame are no map.
    """
    pairs = headers.items()
    if isinstance(headers, SimpleMapHeaders) and headers.broken:
        raise EncodeError(502, "a header map that is broken")
    last = {pair[0]: place for place, pair in enumerate(pairs)}
    fields: list[Pair] = []
    packed: list[bytes] = []
    plain = 0
    for place, (name, value) in enumerate(pairs):
        # Of a repeated key the last counts in Bolt, the first in HTTP: only one may be seen there.
        if (plain < MAX_PLAIN or name == SERVICE) and last[name] == place and isPlain(name, value):
            plain += 1
            if packed:
                fields.append((PACKED, b"&".join(packed)))
                packed = []
            fields.append((name, value))
        else:
            packed.append(escape(name) + b"=" + escape(value))
    if packed:
        fields.append((PACKED, b"&".join(packed)))
    return fields


def isPlain(name: bytes, value: bytes) -> bool:
    """Say whether HTTP carries a pair as it is, and hands it over unchanged."""
    return (
        _PLAIN_NAME.fullmatch(name) is not None
        and _PLAIN_VALUE.fullmatch(value) is not None
        and name not in _HTTP_ONLY
        and not name.startswith(OURS)
    )


def readMap(headers: IHeaders) -> bytes:
    """Return the octets of a header map.

    :raises EncodeError: when it is too large for a frame; 400, when it would say another thing to
        the application than to a route of HTTP.
    """
    pairs: list[Pair] = []
    seen: set[bytes] = set()
    for name, value in headers.items():
        key = name.lower()
        if key == PACKED:
            pairs += _unpack(value, seen)
        elif key not in _HTTP_ONLY and not key.startswith(OURS):
            seen.add(key)
            pairs.append((key, value))
    _checkService(headers, pairs)
    return writePairs(pairs)


def _unpack(value: bytes, seen: set[bytes]) -> Iterable[Pair]:
    """Read packed pairs. None may come after a field of its name, which it would overrule."""
    for item in value.split(b"&"):
        name, _, text = item.partition(b"=")
        key = unescape(name)
        if key in seen:
            raise EncodeError(400, "a packed sofarpc header overrules a field")
        yield key, unescape(text)


def _checkService(headers: IHeaders, pairs: list[Pair]) -> None:
    """See to it that the service which the request was routed by is the one that is called."""
    checkOneService(headers)
    service = dict(pairs).get(SERVICE)
    if service is None or service == headers.get(SERVICE):
        return
    if isPlain(SERVICE, service):
        raise EncodeError(400, "a packed sofarpc service that could be seen")


def checkOneService(headers: IHeaders) -> None:
    """Refuse a second service: HTTP's routes take the first one, applications the last.

    :raises EncodeError: with status 400.
    """
    if len(headers.getAll(SERVICE)) > 1:
        raise EncodeError(400, "more than one service field")


def simpleFields(headers: IHeaders) -> list[Pair]:
    """Return a header map as fields for a client that knows nothing of Bolt.

    Names and values that HTTP cannot carry are percent-encoded; what frames a message is left out.
    """
    fields = []
    for name, value in headers.items():
        key = name
        if not key or key.translate(None, TOKEN):
            key = quote_from_bytes(name, "!#$&'*+^`|~").encode("ascii") or b"%"
        if key.lower() not in _HTTP_ONLY:
            fields.append((key, _CONTROL.sub(_encoded, value)))
    return fields


def _encoded(match: re.Match[bytes]) -> bytes:
    return b"%%%02X" % match[0][0]
