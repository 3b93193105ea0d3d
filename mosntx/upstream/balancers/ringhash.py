"""Consistent hashing on a ring: each host has points on it, and a key goes to the next one.

mosntx's own. Unlike Maglev's table it knows weights, a host that is not well leaves its keys to
many others, and requests without a key go anywhere. (Karger et al., "Consistent Hashing and Random
Trees"; several points from one hash, as in libketama.)
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from struct import unpack

from zope.interface import implementer

from mosntx.contracts.upstream import IBalancerSettings, IHost, ILoadBalancerFactory
from mosntx.upstream.balancers.consistent import Consistent
from mosntx.upstream.balancers.scan import healthyFrom

#: Points of a host of mean weight: at most, for shares that differ by some 6 %, and at least.
MOST_POINTS = 256
FEWEST_POINTS = 8
#: Points on a ring that more hosts do not exceed, as long as each has the fewest: 2 MiB.
RING_POINTS = 1 << 18

#: Points that come out of one hash of 64 octets.
_POINTS_PER_HASH = 8
_HASHES_PER_STEP = 64
#: Points that are asked in turn when a host is not healthy; after that the list is walked.
_MAX_WALK = 64
#: A point in the ring: its place in the upper bits, the number of its host in the lower ones.
_HOST_BITS = 24
_HOST_MASK = (1 << _HOST_BITS) - 1
_PLACE_MASK = (1 << 64) - 1 - _HOST_MASK
#: Points are sorted by their upper bits first, so that no step has to sort them all.
_BUCKETS = 256
_BUCKET_SHIFT = 56


def pointsPerHost(count: int) -> int:
    """Return the points of a host of mean weight; a power of two, so that it rarely changes."""
    share = max(RING_POINTS // count, 1)
    return max(min(1 << (share.bit_length() - 1), MOST_POINTS), FEWEST_POINTS)


class RingHash(Consistent):
    """See `ILoadBalancer`."""

    __slots__ = ("_random", "_ring")

    def __init__(self, hosts: Sequence[IHost], settings: IBalancerSettings) -> None:
        self._ring = array("Q")
        self._random = settings.random
        super().__init__(hosts, settings)

    def _place(self, key: int) -> int:
        return self._ring[self._after(key)] & _HOST_MASK

    def _after(self, key: int) -> int:
        """Return the position in the ring of the first point behind a key."""
        ring = self._ring
        # Keys may be small numbers, such as IPv4 addresses: spread them.
        place = key * 0x9E3779B97F4A7C15 & _PLACE_MASK
        position = bisect_left(ring, place)
        return position if position < len(ring) else 0

    def _otherwise(self, key: int, index: int) -> IHost | None:
        """Return the next healthy host along the ring, so that a dead one's keys spread."""
        if self._ready:
            hosts, ring = self._hosts, self._ring
            size = len(ring)
            position = self._after(key)
            passed = False
            for _ in range(min(size, _MAX_WALK)):
                number = ring[position] & _HOST_MASK
                if number != index:
                    if passed and hosts[number].healthy:
                        return hosts[number]
                else:
                    passed = True
                position += 1
                if position == size:
                    position = 0
        return self._next(index)

    def _unhashed(self) -> IHost | None:
        return healthyFrom(self._hosts, self._random.randrange(self._count))

    def _build(self, settings: IBalancerSettings) -> Iterator[None]:
        hosts = self._hosts
        points = pointsPerHost(self._count)
        mean = sum(host.weight for host in hosts) / self._count
        buckets: list[list[int]] = [[] for _ in range(_BUCKETS)]
        hashed = 0
        for number, host in enumerate(hosts):
            wanted = max(round(points * host.weight / mean), 1)
            prefix = host.address.encode()
            for block in range(-(-wanted // _POINTS_PER_HASH)):
                digest = blake2b(b"%b-%d" % (prefix, block)).digest()
                for place in unpack("<8Q", digest)[: wanted - block * _POINTS_PER_HASH]:
                    buckets[place >> _BUCKET_SHIFT].append(place & _PLACE_MASK | number)
                hashed += 1
                if not hashed % _HASHES_PER_STEP:
                    yield
        ring = array("Q")
        for bucket in buckets:
            bucket.sort()
            ring.extend(bucket)
            yield
        self._ring = ring


@implementer(ILoadBalancerFactory)
class RingHashFactory:
    """See `ILoadBalancerFactory`."""

    name = "LB_RING_HASH"
    hashes = True

    def build(self, hosts: Sequence[IHost], settings: IBalancerSettings) -> RingHash:
        """See `ILoadBalancerFactory.build`."""
        return RingHash(hosts, settings)
