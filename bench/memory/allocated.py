"""How much memory this process has asked for and not given back.

Python has an allocator of its own for small objects; C libraries, such as the one that speaks
HTTP/2, ask the C library instead. Run with ``PYTHONMALLOC=malloc`` both ask the C library, and its
count (mallinfo2(3), of glibc 2.33 and later) has all of it, in octets and the same in every run.
Resident memory says what the machine has to provide, but in pages, and with holes.
"""

from __future__ import annotations

import ctypes
import gc
import os
from collections.abc import Callable

#: The variable, and its value with which counting means something.
VARIABLE, VALUE = "PYTHONMALLOC", "malloc"


_FIELDS = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"


class _Mallinfo(ctypes.Structure):
    """``struct mallinfo2``."""

    _fields_ = [(name, ctypes.c_size_t) for name in _FIELDS.split()]


def isCounted() -> bool:
    """Say whether Python's own objects are counted in this process."""
    return os.environ.get(VARIABLE) == VALUE


def allocated() -> int:
    """Return the octets in use, without what is garbage.

    :raises OSError: where the C library does not count.
    """
    gc.collect()
    try:
        mallinfo = ctypes.CDLL(None).mallinfo2
    except AttributeError:
        raise OSError("this C library has no mallinfo2: glibc 2.33 or later is needed") from None
    mallinfo.restype = _Mallinfo
    state = mallinfo()
    return int(state.uordblks) + int(state.hblkhd)


def perThing(grow: Callable[[int], object], few: int, many: int) -> float:
    """Return the octets of one more thing.

    What the first of them needs, once for all, is in neither figure.

    :param grow: makes so many and returns what holds them.
    """
    sizes = []
    for number in (few, few, many):  # the first one fills caches
        before = allocated()
        held = grow(number)
        sizes.append(allocated() - before)
        del held
    return (sizes[2] - sizes[1]) / (many - few)
