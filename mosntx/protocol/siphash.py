"""SipHash-2-4 of Aumasson and Bernstein: MOSN's hash for consistent balancing (spec/router.md 12).

Keyed by constants, so it is the same in every process and agrees with MOSN about placement. It
protects nothing here.
"""

from __future__ import annotations

from struct import iter_unpack

_MASK = 0xFFFFFFFFFFFFFFFF


def _rounds(v0: int, v1: int, v2: int, v3: int, count: int) -> tuple[int, int, int, int]:
    mask = _MASK
    for _ in range(count):
        v0 = (v0 + v1) & mask
        v1 = (v1 << 13 & mask | v1 >> 51) ^ v0
        v0 = v0 << 32 & mask | v0 >> 32
        v2 = (v2 + v3) & mask
        v3 = (v3 << 16 & mask | v3 >> 48) ^ v2
        v0 = (v0 + v3) & mask
        v3 = (v3 << 21 & mask | v3 >> 43) ^ v0
        v2 = (v2 + v1) & mask
        v1 = (v1 << 17 & mask | v1 >> 47) ^ v2
        v2 = v2 << 32 & mask | v2 >> 32
    return v0, v1, v2, v3


def siphash24(data: bytes, key0: int, key1: int) -> int:
    """Return the 64-bit hash of ``data`` under the two halves of the key."""
    v0 = key0 ^ 0x736F6D6570736575
    v1 = key1 ^ 0x646F72616E646F6D
    v2 = key0 ^ 0x6C7967656E657261
    v3 = key1 ^ 0x7465646279746573
    padded = data + bytes(7 - len(data) % 8) + bytes((len(data) & 0xFF,))
    for (word,) in iter_unpack("<Q", padded):
        v0, v1, v2, v3 = _rounds(v0, v1, v2, v3 ^ word, 2)
        v0 ^= word
    v0, v1, v2, v3 = _rounds(v0, v1, v2 ^ 0xFF, v3, 4)
    return v0 ^ v1 ^ v2 ^ v3
