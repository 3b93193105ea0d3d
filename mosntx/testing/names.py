"""Name servers in memory: an ``IResolver`` whose records a test sets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError, fail, succeed
from twisted.internet.interfaces import IResolver
from twisted.names import dns
from twisted.names.common import ResolverBase
from twisted.names.error import DNSNameError, DNSServerError
from twisted.python.failure import Failure
from zope.interface import implementer

from mosntx.config.schema import Cluster
from mosntx.upstream.discovery.context import Nameservers


@implementer(IResolver)
class MemoryResolver(ResolverBase):
    """Answers from `records`; give it to `nameservers` for a Sidecar.

    :ivar asked: names and record types, in order.
    :ivar broken: every question fails so: ``"timeout"``, ``"server"`` (SERVFAIL), ``"odd"`` (with
        an exception that no resolver should have), or ``""`` for not at all.
    :ivar failing: names and record types for which the server fails.
    :ivar cancelled: questions that nobody waits for any more.
    :ivar held: questions wait until `release`.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        self.records: dict[tuple[str, int], tuple[dns.RRHeader, ...]] = {}
        self.asked: list[tuple[str, int]] = []
        self.broken = ""
        self.failing: set[tuple[str, int]] = set()
        self.held = False
        self.cancelled = 0
        self._waiting: list[tuple[Deferred[Any], str, int]] = []

    def set(self, name: str, *addresses: str, ttl: int = 0) -> None:
        """Give a name these addresses and no others."""
        four = [each for each in addresses if ":" not in each]
        six = [each for each in addresses if ":" in each]
        self._put(name, dns.A, ttl, (dns.Record_A(each, ttl) for each in four))
        self._put(name, dns.AAAA, ttl, (dns.Record_AAAA(each, ttl) for each in six))

    def setServices(self, name: str, *services: tuple[int, int, int, str], ttl: int = 0) -> None:
        """Give a name SRV records: priority, weight, port, name."""
        records = (dns.Record_SRV(*service, ttl) for service in services)
        self._put(name, dns.SRV, ttl, records)

    def forget(self, name: str) -> None:
        """There is no such name any more."""
        self.records = {key: found for key, found in self.records.items() if key[0] != name}

    def release(self) -> None:
        """Answer the questions that wait."""
        self.held = False
        waiting, self._waiting = self._waiting, []
        for answer, name, kind in waiting:
            self._answer(name, kind).chainDeferred(answer)

    def nameservers(self, cluster: Cluster) -> Nameservers:
        """Stand in for `mosntx.service.discovery.nameserversOn`."""
        return Nameservers(self, (1,))

    def _put(self, name: str, kind: int, ttl: int, payloads: Iterable[Any]) -> None:
        headers = tuple(dns.RRHeader(name, kind, dns.IN, ttl, payload) for payload in payloads)
        self.records[name, kind] = headers

    def _lookup(self, name: bytes, cls: int, type: int, timeout: Any) -> Deferred[Any]:
        """See ``ResolverBase``."""
        text = name.decode("ascii")
        self.asked.append((text, type))
        if not self.held:
            return self._answer(text, type)
        answer: Deferred[Any] = Deferred(self._forget)
        self._waiting.append((answer, text, type))
        return answer

    def _forget(self, answer: Deferred[Any]) -> None:
        self.cancelled += 1
        self._waiting = [each for each in self._waiting if each[0] is not answer]

    def _answer(self, name: str, kind: int) -> Deferred[Any]:
        if self.broken == "odd":
            return fail(Failure(RuntimeError("odd")))
        if self.broken == "timeout":
            return fail(Failure(TimeoutError()))
        if self.broken or (name, kind) in self.failing:
            return fail(Failure(DNSServerError()))
        if not any(known == name for known, _ in self.records):
            return fail(Failure(DNSNameError()))
        return succeed((self.records.get((name, kind), ()), (), ()))
