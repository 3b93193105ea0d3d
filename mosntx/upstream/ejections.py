"""Addresses that are left out because of how they answer, whoever noticed it."""

from __future__ import annotations

from collections import Counter

from zope.interface import implementer

from mosntx.contracts.upstream import IEjections
from mosntx.upstream.hosts import FAILED_OUTLIER, AddressTable


@implementer(IEjections)
class Ejections:
    """See `IEjections`."""

    def __init__(self, addresses: AddressTable) -> None:
        self._addresses = addresses
        self._counts: Counter[str] = Counter()

    def eject(self, address: str) -> None:
        """See `IEjections.eject`."""
        self._counts[address] += 1
        self._addresses.setFlag(address, FAILED_OUTLIER)

    def admit(self, address: str) -> None:
        """See `IEjections.admit`."""
        self._counts[address] -= 1
        if not self._counts[address]:
            del self._counts[address]
            self._addresses.clearFlag(address, FAILED_OUTLIER)
