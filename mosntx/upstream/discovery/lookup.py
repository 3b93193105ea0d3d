"""One name and what DNS says about it: A, AAAA and SRV records (RFC 1035, 3596, 2782)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from ipaddress import IPv6Address
from typing import Any, Final

from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred, TimeoutError, gatherResults
from twisted.names import dns
from twisted.names.error import DNSNameError, DomainError
from twisted.python.failure import Failure

from mosntx.upstream.discovery.context import Nameservers

V4_ONLY: Final = "V4_ONLY"
V6_ONLY: Final = "V6_ONLY"
ALL: Final = "ALL"

#: Record types to ask for by ``dns_lookup_family``.
FAMILIES: Final[Mapping[str, tuple[int, ...]]] = {
    "": (dns.A,),
    V4_ONLY: (dns.A,),
    V6_ONLY: (dns.AAAA,),
    ALL: (dns.A, dns.AAAA),
}

#: Names of one SRV answer that are looked up. Each is a question or two; an answer with more is a
#: mistake or an attack on us and on the name servers.
MAX_SRV_NAMES: Final = 256

#: The largest weight of a host; those of SRV records go to 65535.
MAX_WEIGHT: Final = 128


class LookupFailed(Exception):  # noqa: N818 - as ConnectFailed
    """A name could not be looked up; the text says why."""


class NoRecordsError(LookupFailed):
    """The name servers know no address of the name."""


@frozen
class Place:
    """One address that was found.

    :ivar port: 0 = the one of the question.
    :ivar weight: 0 = the one of the question.
    """

    ip: str
    port: int = 0
    weight: int = 0


@frozen
class Found:
    """An answer.

    :ivar places: by record type, without those types whose question has failed.
    :ivar ttl: seconds for which it holds, the shortest of all records.
    """

    places: Mapping[int, tuple[Place, ...]]
    ttl: int


def find(nameservers: Nameservers, name: str, family: str, srv: bool) -> Deferred[Found]:
    """Look a name up, along the search list.

    :param family: a key of `FAMILIES`.
    :param srv: the name has SRV records.
    :returns: fails with `NoRecordsError` when there are no records, `LookupFailed` when there is no
        answer. Cancelling forgets the questions.
    """
    return Deferred.fromCoroutine(_find(nameservers, name, family, srv))


def candidates(name: str, search: Sequence[str], ndots: int) -> Iterator[str]:
    """The names to try, in order (resolv.conf(5): ``search``, ``ndots``)."""
    if name.endswith(".") or not search:
        yield name.rstrip(".")
        return
    longer = [f"{name}.{domain.strip('.')}" for domain in search]
    if name.count(".") >= ndots:
        yield name
        yield from longer
    else:
        yield from longer
        yield name


async def _find(nameservers: Nameservers, name: str, family: str, srv: bool) -> Found:
    nothing = NoRecordsError("no such name")
    for candidate in candidates(name, nameservers.search, nameservers.ndots):
        try:
            if srv:
                return await _services(nameservers, candidate, family)
            return await _addresses(nameservers, candidate, family)
        except NoRecordsError as error:
            nothing = error
    raise nothing


async def _addresses(nameservers: Nameservers, name: str, family: str) -> Found:
    """A and AAAA records. One type that fails does not take the other's answer away."""
    resolver = nameservers.resolver
    asked: dict[int, Deferred[Any]] = {
        kind: _caught(
            _records(
                resolver.lookupAddress if kind == dns.A else resolver.lookupIPV6Address,
                name,
                kind,
                nameservers.timeouts,
            )
        )
        for kind in FAMILIES[family]
    }
    answers = dict(zip(asked, await gatherResults(asked.values(), consumeErrors=True), strict=True))
    places: dict[int, tuple[Place, ...]] = {}
    ttls: list[int] = []
    failure: Exception | None = None
    for kind, answer in answers.items():
        if isinstance(answer, NoRecordsError):
            places[kind] = ()
        elif isinstance(answer, Exception):
            failure = answer
        else:
            places[kind] = tuple(dict.fromkeys(Place(_text(record)) for record in answer))
            ttls.extend(record.ttl for record in answer)
    if any(places.values()):
        return Found(places, min(ttls))
    raise failure or NoRecordsError("the name has no address")


async def _services(nameservers: Nameservers, name: str, family: str) -> Found:
    """SRV records of the best priority, and the addresses of their names."""
    resolver, timeouts = nameservers.resolver, nameservers.timeouts
    records = await _records(resolver.lookupService, name, dns.SRV, timeouts)
    services = [(record.ttl, record.payload) for record in records]
    services = [each for each in services if each[1].target.name not in (b"", b".")]
    if not services:
        raise NoRecordsError("the service is not offered")
    best = min(service.priority for _, service in services)
    chosen = [each for each in services if each[1].priority == best][:MAX_SRV_NAMES]
    heaviest = max(service.weight for _, service in chosen)
    names = {service.target.name.decode("ascii", "replace"): None for _, service in chosen}
    asked = [_caught(_addresses(nameservers, each.rstrip("."), family)) for each in names]
    known = dict(zip(names, await gatherResults(asked, consumeErrors=True), strict=True))
    places: dict[Place, None] = {}
    ttls = [ttl for ttl, _ in chosen]
    for _, service in chosen:
        found = known[service.target.name.decode("ascii", "replace")]
        if isinstance(found, NoRecordsError):
            continue  # others may do without it
        if isinstance(found, Exception):
            raise found
        ttls.append(found.ttl)
        weight = _weight(service.weight, heaviest)
        for each in (place for group in found.places.values() for place in group):
            places[Place(each.ip, service.port, weight)] = None
    if not places:
        raise NoRecordsError("no name of the service has an address")
    return Found({dns.SRV: tuple(places)}, min(ttls))


def _weight(weight: int, heaviest: int) -> int:
    """The weight of a host; 0 when the records do not care. Small ones are not rounded away."""
    if heaviest <= MAX_WEIGHT:
        return weight
    return max(weight * MAX_WEIGHT // heaviest, 1)


async def _records(
    ask: Callable[..., Deferred[Any]], name: str, kind: int, timeouts: Sequence[int]
) -> Sequence[Any]:
    """The records of one type that a name has, behind all its aliases.

    :raises LookupFailed: see `find`.
    """
    try:
        answers, _authority, _additional = await ask(name, timeouts)
    except DNSNameError:
        raise NoRecordsError("no such name") from None
    except TimeoutError:
        raise LookupFailed("no name server answers") from None
    except DomainError as error:
        if type(error) is DomainError:  # of a hosts file
            raise NoRecordsError("no such name") from None
        raise LookupFailed(f"a name server says {type(error).__name__}") from None
    except CancelledError:
        raise
    except Exception as error:  # resolvers are others' code: whatever it is, it is no answer
        raise LookupFailed(f"{type(error).__name__}: {error}") from error
    records = [record for record in answers if record.type == kind]
    if not records:
        raise NoRecordsError("the name has no such record")
    return records


def _caught(coroutine: Coroutine[Deferred[Any], Any, Any]) -> Deferred[Any]:
    """Start it; a `LookupFailed` becomes its result, so that others are waited for."""

    def result(failure: Failure) -> BaseException:
        failure.trap(LookupFailed)
        assert failure.value is not None
        return failure.value

    return Deferred.fromCoroutine(coroutine).addErrback(result)


def _text(record: Any) -> str:
    payload = record.payload
    if record.type == dns.A:
        return str(payload.dottedQuad())
    return str(IPv6Address(payload.address))
