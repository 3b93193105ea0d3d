"""Making very many objects at once."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

#: From so many on it pays.
MANY = 1000


@contextmanager
def uncollected(count: int) -> Iterator[None]:
    """Collect no garbage while so many objects are made that stay.

    Python looks for garbage whenever some hundreds of objects were made. When all of them stay it
    finds none, and looks at all there are again and again: that is most of the time that 10 000 new
    hosts take (bench/host_updates.py).

    :param count: of hosts or the like; few ones are not worth it.
    """
    if count < MANY or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
