"""How the schema says things: a function for a key, and markers for values with a syntax.

A schema class is a frozen attrs class. Each attribute is a configuration key of the same name; its
annotation is the type of the value, and `option` adds what the loader and the generated reference
need. Classes of filters (also third-party ones) may use plain ``attrs.field`` instead: everything
in the metadata is optional.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeAlias, TypedDict, Unpack

import attrs

SUPPORTED: Final = "supported"
IGNORED: Final = "ignored"
"""Status of a key that is accepted and has no effect, as in MOSN."""


@attrs.frozen
class Bounds:
    """The smallest and largest value of a number; part of an annotation."""

    low: float
    high: float


UINT32_MAX: Final = 2**32 - 1

Duration: TypeAlias = Annotated[float, "duration"]
"""Go duration text (``1m30s``) or the number 0; seconds in Python."""
LooseDuration: TypeAlias = Annotated[float, "nanoseconds"]
"""As `Duration`, and whole numbers as nanoseconds as MOSN 0.1 and 0.2 had them."""
Uint32: TypeAlias = Annotated[int, Bounds(0, UINT32_MAX)]
"""An unsigned 32-bit whole number."""
Port: TypeAlias = Annotated[int, Bounds(0, 65535)]
"""A TCP or UDP port."""
Metadata: TypeAlias = Annotated[Mapping[str, str], "metadata"]
"""``{"filter_metadata": {"mosn.lb": {…}}}`` or the flat map of 0.1; the flat map in Python."""
Secret: TypeAlias = Annotated[str, "secret"]
"""Text that dumps and logs must not show."""
Cidr: TypeAlias = Annotated[str, "cidr"]
"""``10.0.0.0/8``, or ``{"address": "10.0.0.0", "length": 8}``; the text form in Python."""
UpstreamProtocol: TypeAlias = Annotated[str, "upstream_protocol"]
"""The name of a protocol to convert to; in Python only one that is built."""
FilterConfigs: TypeAlias = Annotated[Mapping[str, Any], "per_filter_config"]
"""Stream filter name -> its configuration, decoded with the class that `Names` gives."""

INTERNAL: Final[Mapping[str, Any]] = {"internal": True}
"""Metadata of attributes that are no configuration keys."""


class Notes(TypedDict, total=False):
    """What is said of a key besides its meaning and default."""

    unit: str
    """Of a plain number."""
    status: str
    """`SUPPORTED`, or `IGNORED` for keys that have no effect."""
    feature: str
    """The key of `names.FEATURES` that must be built for the key to have an effect."""
    name: str
    """The key, when it is not the attribute's name."""
    aliases: tuple[str, ...]
    """Older spellings."""
    choices: tuple[str, ...]
    """The allowed texts."""
    fold: bool
    """Choices in any case; the spelling of `choices` is what Python sees."""
    absent: str
    """What happens without the key, when the default alone does not say it."""
    zero: float
    """What a written 0 means, when it is not 0."""


def option(
    doc: str, *, default: Any = attrs.NOTHING, factory: Any = None, **notes: Unpack[Notes]
) -> Any:
    """An attribute that is a configuration key.

    :param doc: what the key means, for the reference.
    :param default: the value without the key; without it (and ``factory``) the key is required.
    :param factory: makes the default.
    :param notes: see `Notes`.
    """
    metadata = {"doc": doc, **notes}
    if factory is not None:
        return attrs.field(factory=factory, metadata=metadata)
    return attrs.field(default=default, metadata=metadata)


def internal(default: Any = None, factory: Any = None) -> Any:
    """An attribute that the loader fills in and that is no configuration key."""
    if factory is not None:
        return attrs.field(factory=factory, eq=False, repr=False, metadata=INTERNAL)
    return attrs.field(default=default, eq=False, repr=False, metadata=INTERNAL)


@attrs.frozen(kw_only=True)
class Located:
    """An object that errors can name: it knows its configuration path."""

    path: str = internal("")
    """Such as ``servers[0].listeners[2]``; empty when made by hand. No configuration key."""
