"""Names to addresses, remembered for a while (MOSN pkg/network/dns.go)."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import (
    IAddress,
    IHostResolution,
    IReactorPluggableNameResolver,
    IResolutionReceiver,
)
from twisted.logger import Logger
from zope.interface import implementer

from mosntx.net.timers import TimerWheel

log = Logger()

#: Seconds for which an answer holds, also that there is no address (MOSN: 15 s for both).
TTL = 15.0

#: Names remembered at most. They come from configuration and discovery; thousands are a mistake.
MAX_NAMES = 4096

#: The addresses of a name in the order in which to try them.
Addresses = tuple[str, ...]


class NameNotFoundError(Exception):
    """A name has no address."""


@implementer(IResolutionReceiver)
@define(eq=False)
class _Question:
    """One name that is being looked up, and who waits for it."""

    cache: NameCache
    name: str
    found: list[str] = field(factory=list)
    waiting: list[Deferred[Addresses]] = field(factory=list)

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        """See ``IResolutionReceiver``."""

    def addressResolved(self, address: IAddress) -> None:
        """See ``IResolutionReceiver``."""
        if isinstance(address, IPv4Address | IPv6Address) and address.host not in self.found:
            self.found.append(address.host)

    def resolutionComplete(self) -> None:
        """See ``IResolutionReceiver``."""
        self.cache._answered(self)

    def wait(self) -> Deferred[Addresses]:
        """Return a Deferred that fires with the answer; cancelling it leaves the others alone."""
        waiter: Deferred[Addresses] = Deferred(self.waiting.remove)
        self.waiting.append(waiter)
        return waiter


class NameCache:
    """Looks names up with the reactor's resolver, each at most once in `TTL` seconds.

    :param reactor: has the resolver.
    :param wheel: has the clock.
    """

    def __init__(self, reactor: IReactorPluggableNameResolver, wheel: TimerWheel) -> None:
        self._reactor = reactor
        self._seconds = wheel.seconds
        self._known: dict[str, tuple[float, Addresses]] = {}  # until when, addresses
        self._asked: dict[str, _Question] = {}
        self._pinned: dict[str, dict[object, Addresses]] = {}

    def pin(self, name: str, addresses: Addresses, owner: object) -> None:
        """Answer with these addresses, without asking, until `unpin`.

        :param owner: with several, the one that has pinned last counts.
        """
        owners = self._pinned.setdefault(name, {})
        owners.pop(owner, None)
        owners[owner] = addresses

    def unpin(self, name: str, owner: object) -> None:
        """Take back what an owner has pinned; ignored when there is nothing."""
        owners = self._pinned.get(name)
        if owners is not None and owners.pop(owner, None) is not None and not owners:
            del self._pinned[name]

    def resolve(self, name: str) -> Deferred[Addresses]:
        """Return the IP addresses of a name, at least one.

        :returns: fails with `NameNotFoundError`; can be cancelled.
        """
        if self._pinned and name in self._pinned:
            return succeed(next(reversed(self._pinned[name].values())))
        known = self._known.get(name)
        if known is not None and self._seconds() < known[0]:
            return succeed(known[1]) if known[1] else fail(NameNotFoundError(name))
        question = self._asked.get(name)
        if question is not None:
            return question.wait()
        question = self._asked[name] = _Question(self, name)
        answer = question.wait()
        try:
            self._reactor.nameResolver.resolveHostName(question, name)
        except Exception:
            log.failure("the resolver fails for {name!r}", name=name)
            self._answered(question)
        return answer

    def unreachable(self, name: str, address: str) -> None:
        """Put an address of a name that could not be connected to behind its others."""
        known = self._known.get(name)
        if known is not None and address in known[1]:
            others = tuple(other for other in known[1] if other != address)
            self._known[name] = (known[0], (*others, address))

    def _answered(self, question: _Question) -> None:
        """Remember an answer and give it to all who wait."""
        if self._asked.pop(question.name, None) is None:
            return
        addresses = tuple(question.found)
        self._known.pop(question.name, None)  # the oldest answers are first
        self._known[question.name] = (self._seconds() + TTL, addresses)
        if len(self._known) > MAX_NAMES:
            del self._known[next(iter(self._known))]
        waiting, question.waiting = question.waiting, []
        for waiter in waiting:
            if addresses:
                waiter.callback(addresses)
            else:
                waiter.errback(NameNotFoundError(question.name))
