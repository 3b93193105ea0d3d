"""Consistent hashing with Google's Maglev table; places keys exactly as MOSN does.

Source: spec/upstream.md 4; MOSN pkg/upstream/cluster/loadbalancer.go with dgryski/go-maglev;
Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", 3.4.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import cycle

from zope.interface import implementer

from mosntx.contracts.upstream import (
    IBalancerSettings,
    IHost,
    ILoadBalancer,
    ILoadBalancerFactory,
)
from mosntx.protocol.siphash import siphash24
from mosntx.upstream.balancers.consistent import Consistent

#: The key of the hash (MOSN).
HASH_KEY = 0xDEADBEEFCAFEBABE
#: Slots of a table, and those of one for very many hosts (MOSN). Both are primes.
SMALL_TABLE = 65537
BIG_TABLE = 655373
#: From so many hosts on the big one.
MANY_HOSTS = 30_000

#: What is done in one step, which should take some milliseconds at most: addresses are hashed,
#: slots are filled, and taken ones are passed on the way to a free one.
_HASHES_PER_STEP = 64
_SLOTS_PER_STEP = 1024
_PROBES_PER_STEP = 20_000
#: So many slots are found by arithmetic.
_LAST_SLOTS = 128
_LAST_SLOTS_PER_STEP = 32


class Maglev(Consistent):
    """See `ILoadBalancer`. As in MOSN weights do not count, and who has no key gets nothing."""

    __slots__ = ("_hashes", "_size", "_table")

    def __init__(self, hosts: Sequence[IHost], settings: IBalancerSettings, size: int) -> None:
        """:param size: slots of the table, a prime that is larger than the number of hosts."""
        self._size = size
        self._hashes: dict[str, int] = {}
        self._table = array("i")
        super().__init__(hosts, settings)

    def _place(self, key: int) -> int:
        return self._table[key % self._size]

    def _otherwise(self, key: int, index: int) -> IHost | None:
        return self._next(index)

    def _build(self, settings: IBalancerSettings) -> Iterator[None]:
        before = self._before
        known = before._hashes if isinstance(before, Maglev) else {}
        hashes = self._hashes
        for number, host in enumerate(self._hosts):
            address = host.address
            value = known.get(address)
            if value is None:
                value = siphash24(address.encode(), HASH_KEY, 0)
                if not number % _HASHES_PER_STEP:
                    yield
            hashes[address] = value
        size = self._size
        table = array("i", [-1]) * size
        yield from fill(table, list(hashes.values()), size)
        self._table = table


def fill(table: array[int], hashes: Sequence[int], size: int) -> Iterator[None]:
    """Let hosts take slots in turn, each along its own path, until all are taken.

    :param table: of ``-1``; gets the numbers of hosts.
    :param hashes: of the addresses, no more than slots.
    """
    position = [(value >> 32) % size for value in hashes]
    skips = [(value & 0xFFFFFFFF) % (size - 1) + 1 for value in hashes]
    left = size
    due = _SLOTS_PER_STEP
    for number in cycle(range(len(hashes))):
        slot, skip = position[number], skips[number]
        while table[slot] >= 0:
            slot += skip
            if slot >= size:
                slot -= size
        table[slot] = number
        position[number] = slot
        left -= 1
        if left <= _LAST_SLOTS:
            break
        due -= 1
        if not due:
            yield
            due = min(_SLOTS_PER_STEP, max(left * _PROBES_PER_STEP // size, 1))
    yield from _fillRest(table, position, skips, number)


def _fillRest(
    table: array[int], position: list[int], skips: Sequence[int], number: int
) -> Iterator[None]:
    """Fill the last slots: find by arithmetic which of them a host would come to first.

    To walk there would take as long as for half of the table before.

    :param number: the host that had the last turn.
    """
    size = len(table)
    free = [slot for slot, owner in enumerate(table) if owner < 0]
    while free:
        number = (number + 1) % len(skips)
        start, steps = position[number], pow(skips[number], -1, size)
        slot = min(free, key=lambda slot: (slot - start) * steps % size)
        table[slot] = number
        position[number] = slot
        free.remove(slot)
        if not len(free) % _LAST_SLOTS_PER_STEP:
            yield


@implementer(ILoadBalancer)
class Overfull:
    """See `ILoadBalancer`: more hosts than slots, so nothing is ever chosen (MOSN)."""

    __slots__ = ()

    def chooseHost(self, context: object) -> IHost | None:
        """See `ILoadBalancer.chooseHost`."""
        return None


@implementer(ILoadBalancerFactory)
class MaglevFactory:
    """See `ILoadBalancerFactory`."""

    name = "LB_MAGLEV"
    hashes = True

    def __init__(self, size: int = SMALL_TABLE) -> None:
        """:param size: slots of a table for fewer than `MANY_HOSTS`; a prime. MOSN has its own."""
        self._size = size

    def build(self, hosts: Sequence[IHost], settings: IBalancerSettings) -> ILoadBalancer:
        """See `ILoadBalancerFactory.build`."""
        count = len(hosts)
        if count >= BIG_TABLE:
            return Overfull()
        return Maglev(hosts, settings, self._size if count < MANY_HOSTS else BIG_TABLE)
