"""One configured name that is looked up again and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from mosntx.config.address import parseDnsAddress
from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.config.schema import Host as HostConfig
from mosntx.net.timers import Timer
from mosntx.upstream.discovery.context import DiscoveryContext, Nameservers
from mosntx.upstream.discovery.lookup import Found, LookupFailed, NoRecordsError, Place, find

log = Logger()

#: Seconds after which a question with all its repetitions is given up (MOSN: 20 s).
ATTEMPT_SECONDS: Final = 20.0

#: Seconds until the question is repeated after a failure (MOSN: 1 s). It doubles with each failure,
#: up to the refresh rate, so that name servers in trouble are not asked more often than others.
RETRY_SECONDS: Final = 1.0

#: The part of a pause that is added at random, so that sidecars that were started together do not
#: ask together. Added and not subtracted: an answer is never asked for before it is too old.
JITTER: Final = 0.1

#: Seconds for which an answer is believed at most: a TTL may be 68 years.
MAX_TTL: Final = 86400

#: Of `RETRY_SECONDS`: with more, the refresh rate of even the laziest cluster has been reached.
MAX_DOUBLINGS: Final = 16

#: Places by record type.
_Places = dict[int, tuple[Place, ...]]


class Target:
    """A name and its last good answer.

    :ivar host: as configured.
    :ivar name: what is looked up.
    :ivar settled: it has been answered, or has failed, at least once.
    :ivar literal: the name is an IP address: there is nothing to look up.
    """

    def __init__(
        self,
        host: HostConfig,
        config: ClusterConfig,
        context: DiscoveryContext,
        nameservers: Nameservers,
        answered: Callable[[], object],
    ) -> None:
        """:param answered: called after each answer and each failure."""
        where = parseDnsAddress(host.address, srv=host.srv)
        self.host = host
        self.name, self.port = where.host, where.port
        self.literal = isIPAddress(self.name) or isIPv6Address(self.name)
        self.settled = False
        self._config = config
        self._context = context
        self._nameservers = nameservers
        self._answered = answered
        self._places: _Places = {0: (Place(self.name),)} if self.literal else {}
        self._failing = ""  # why, as far as it has been logged
        self._failures = 0  # in a row
        self._asked: Deferred[Any] | None = None
        self._timer: Timer | None = None  # ends a question, or begins the next
        self._late = False
        self._stopped = False

    @property
    def places(self) -> tuple[Place, ...]:
        """What is known, in the order of the answers."""
        return tuple(place for kind in sorted(self._places) for place in self._places[kind])

    def adopt(self, before: Target) -> None:
        """Begin with what another knows about the same name."""
        self._places = dict(before._places)

    def start(self) -> None:
        """Ask for the first time."""
        if self.literal:
            self.settled = True
            self._answered()
        else:
            self._ask()

    def stop(self) -> None:
        """Ask no more."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        if self._asked is not None:
            self._asked.cancel()

    def _ask(self) -> None:
        self._context.stats.update_attempt += 1
        family = self._config.dns_lookup_family
        asked = self._asked = find(self._nameservers, self.name, family, self.host.srv)
        self._timer = self._context.wheel.schedule(ATTEMPT_SECONDS, self._expired)
        asked.addCallbacks(self._found, self._failed)
        asked.addErrback(self._broken)

    def _expired(self) -> None:
        self._late = True
        if self._asked is not None:
            self._asked.cancel()
        self._late = False

    def _found(self, found: Found) -> None:
        if self._stopped:
            return
        self._context.stats.update_success += 1
        if self._failing:
            log.info(
                "{cluster}: {name} is answered again", cluster=self._config.name, name=self.name
            )
        self._failing, self._failures = "", 0
        self._places.update(found.places)
        ttl = found.ttl if self._config.respect_dns_ttl else 0
        # one second more, as MOSN: then it is too old for the servers on the way, too
        self._again(min(ttl, MAX_TTL) + 1.0 if ttl > 0 else self._config.dns_refresh_rate)

    def _failed(self, failure: Failure) -> None:
        if self._stopped:
            return
        stats = self._context.stats
        if failure.check(NoRecordsError):
            stats.update_empty += 1
        else:
            stats.update_failure += 1
        late = f"no answer within {ATTEMPT_SECONDS:g} s"
        self._tell(late if self._late else _inWords(failure))
        pause = RETRY_SECONDS * 2.0 ** min(self._failures, MAX_DOUBLINGS)
        self._failures += 1
        self._again(min(pause, max(self._config.dns_refresh_rate, RETRY_SECONDS)))

    def _again(self, seconds: float) -> None:
        """Ask again later, and say what is known now."""
        if self._timer is not None:
            self._timer.cancel()
        self._asked = None
        pause = seconds * (1.0 + JITTER * self._context.random.random())
        self._timer = self._context.wheel.schedule(pause, self._ask)
        self.settled = True
        self._answered()

    def _tell(self, reason: str) -> None:
        """Log why there is no answer, once as long as the reason stays the same."""
        if reason == self._failing:
            return
        self._failing = reason
        log.warn(
            "{cluster}: {name}: {reason}; {kept}",
            cluster=self._config.name,
            name=self.name,
            reason=reason,
            kept="its hosts stay" if self.places else "it has no host yet",
        )

    def _broken(self, failure: Failure) -> None:
        """Hosts that are found must not be lost to a mistake of ours."""
        log.failure("{cluster}: {name}", failure, cluster=self._config.name, name=self.name)


def _inWords(failure: Failure) -> str:
    if failure.check(LookupFailed):
        return str(failure.value)
    return f"{type(failure.value).__name__}: {failure.value}"
