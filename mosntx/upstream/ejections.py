"""Addresses that are left out because of how they answer, whoever noticed it."""

from __future__ import annotations

from collections import Counter

from mosntx.upstream.hosts import FAILED_OUTLIER, AddressTable


class Ejections:
    """Who has ejected which address: it is unhealthy until the last one has let it in again."""

    def __init__(self, addresses: AddressTable) -> None:
        self._addresses = addresses
        self._counts: Counter[str] = Counter()

    def eject(self, address: str) -> None:
        """Leave an address out."""
        self._counts[address] += 1
        self._addresses.setFlag(address, FAILED_OUTLIER)

    def admit(self, address: str) -> None:
        """Let an address in again, as far as one ejector is concerned."""
        self._counts[address] -= 1
        if not self._counts[address]:
            del self._counts[address]
            self._addresses.clearFlag(address, FAILED_OUTLIER)
