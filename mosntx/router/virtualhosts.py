"""Which virtual host a request is for (spec/router.md 2; MOSN pkg/router/routers_impl.go)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from twisted.logger import Logger
from zope.interface import implementer

from mosntx.contracts.message import IRequestHead
from mosntx.contracts.route import IRouter
from mosntx.router.actions import Route
from mosntx.router.index import Rule, compileSearch
from mosntx.router.paths import DECODING, PathForm
from mosntx.router.routes import PATH_MATCHERS, HeadersMatcher, PrefixMatcher, ServiceMatcher

log = Logger()

#: The port of a domain for all ports, and of a request without one.
ANY_PORT = b"*"
NO_PORT = b""


class VirtualHost:
    """Rules in order; the first that matches decides.

    :ivar number: its place in the configuration.
    """

    __slots__ = (
        "_all",
        "_any",
        "_find",
        "_matchPath",
        "_needsPath",
        "_service",
        "name",
        "number",
        "path",
        "rules",
    )

    def __init__(
        self,
        name: str,
        number: int,
        path: str,
        rules: Sequence[Rule],
        form: PathForm = DECODING,
    ) -> None:
        """Make one whose rules see paths of requests in ``form``.

        :param path: where it stands in the configuration.
        """
        self.name = name
        self.number = number
        self.path = path
        self.rules = tuple(rules)
        self._find = compileSearch(rules).find
        self._matchPath = form.match
        self._needsPath = any(isinstance(rule.matcher, PATH_MATCHERS) for rule in rules)
        #: The first route when it takes every HTTP request, every call, every request.
        self._all: Route | None = None
        self._service: Route | None = None
        self._any: Route | None = None
        if rules:
            matcher = rules[0].matcher
            if isinstance(matcher, PrefixMatcher) and matcher.prefix == b"/" and rules[0].plain:
                self._all = rules[0].route
            elif isinstance(matcher, ServiceMatcher) and matcher.service is None:
                self._service = rules[0].route
            elif isinstance(matcher, HeadersMatcher) and not matcher.conditions:
                self._any = rules[0].route

    def route(self, head: IRequestHead, source: str = "") -> Route | None:
        """See `IRouter.route`."""
        target = head.path
        if not target and head.authority:
            target = b"/"  # CONNECT names a host and no path; RPC names neither
        found = self._any
        if found is None:
            if target:
                found = self._all
            elif self._service is not None and head.service:
                found = self._service
        if found is None:
            path = self._matchPath(target) if self._needsPath and target else b""
            found = self._find(head, path, source)
            if found is None:
                return None
        return found if found.split is None else found.split.choose()

    def seenPath(self, head: IRequestHead) -> bytes:
        """Return the path that rules are asked with; `route` does the same by itself."""
        target = head.path or (b"/" if head.authority else b"")
        return self._matchPath(target) if target else b""

    def __repr__(self) -> str:
        return f"<VirtualHost {self.name or self.path}>"


def splitAuthority(authority: bytes) -> tuple[bytes, bytes] | None:
    """Return ``(host, port)``, the port empty when there is none; ``None`` when it cannot be split.

    ``[v6]`` and ``[v6]:port`` give the address without brackets. A bare IPv6 address cannot be
    told from host and port.
    """
    if authority[:1] == b"[":
        host, bracket, rest = authority[1:].partition(b"]")
        if not bracket or b"[" in host or (rest and rest[:1] != b":") or b":" in rest[1:]:
            return None
        return host, rest[1:]
    if authority.count(b":") > 1 or b"[" in authority or b"]" in authority:
        return None
    host, _, port = authority.partition(b":")
    return host, port


class _Suffixes:
    """The wildcard domains of one port: ``suffix -> virtual host``, long ones first."""

    __slots__ = ("lengths", "table")

    def __init__(self) -> None:
        self.table: dict[bytes, VirtualHost] = {}
        self.lengths: tuple[int, ...] = ()

    def add(self, suffix: bytes, host: VirtualHost) -> None:
        self.table[suffix] = host
        self.lengths = tuple(sorted({len(known) for known in self.table}, reverse=True))

    def find(self, host: bytes) -> VirtualHost | None:
        """The virtual host of the longest suffix that is shorter than the host."""
        size = len(host)
        for length in self.lengths:
            if length < size:
                found = self.table.get(host[size - length :])
                if found is not None:
                    return found
        return None


class DomainTable:
    """Domains of virtual hosts, by name and port."""

    __slots__ = ("_default", "_exact", "_hinted", "_hosts", "_suffixes")

    def __init__(self) -> None:
        #: As a request writes it (``host`` or ``host:port``): found without splitting.
        self._exact: dict[bytes, VirtualHost] = {}
        #: ``host -> port -> virtual host``.
        self._hosts: dict[bytes, dict[bytes, VirtualHost]] = {}
        self._suffixes: dict[bytes, _Suffixes] = {}
        self._default: VirtualHost | None = None
        self._hinted: set[bytes] = set()

    @property
    def only(self) -> VirtualHost | None:
        """The default virtual host if there are no other domains: used even without a host."""
        return None if self._hosts or self._suffixes else self._default

    @property
    def default(self) -> VirtualHost | None:
        """The virtual host of ``*``."""
        return self._default

    def add(self, domain: str, virtualHost: VirtualHost) -> None:
        """Add one domain of a virtual host.

        :raises ValueError: when it is none, or was there already.
        """
        text = domain.lower().encode("utf-8")
        parts = splitAuthority(text)
        if parts is None:
            raise ValueError(
                f"domain {domain!r} has too many colons; write [address]:port for IPv6"
            )
        host, port = parts
        if host == b"*" and port in (NO_PORT, ANY_PORT):
            if self._default is not None:
                raise ValueError(f"duplicate domain {domain!r}: there is a default already")
            self._default = virtualHost
        elif not host:
            raise ValueError("an empty domain" if not port else f"domain {domain!r} has no host")
        elif b"*" in host[1:] or (b"*" in port and port != ANY_PORT):
            raise ValueError(
                f"in domain {domain!r} only the first character, or the port, can be *"
            )
        elif host[:1] == b"*":
            self._addSuffix(domain, host[1:], port, virtualHost)
        else:
            self._addExact(domain, text, host, port, virtualHost)

    def _addSuffix(self, domain: str, suffix: bytes, port: bytes, host: VirtualHost) -> None:
        suffixes = self._suffixes.setdefault(port, _Suffixes())
        if suffix in suffixes.table:
            raise ValueError(f"duplicate domain {domain!r}")
        suffixes.add(suffix, host)

    def _addExact(
        self, domain: str, text: bytes, host: bytes, port: bytes, virtualHost: VirtualHost
    ) -> None:
        ports = self._hosts.setdefault(host, {})
        if port in ports:
            raise ValueError(f"duplicate domain {domain!r}")
        ports[port] = virtualHost
        if port != ANY_PORT:
            self._exact[text] = virtualHost

    def find(self, authority: bytes) -> VirtualHost | None:
        """Return the virtual host for what a request asks for, in lower case."""
        found = self._exact.get(authority)
        return found if found is not None else self._search(authority)

    def _search(self, authority: bytes) -> VirtualHost | None:
        parts = splitAuthority(authority) if authority else None
        if parts is None or not parts[0]:
            return None
        host, port = parts
        ports = self._hosts.get(host)
        if ports is not None:
            found = ports.get(port) or ports.get(ANY_PORT)
            if found is not None:
                return found
        for key in (port, ANY_PORT):
            suffixes = self._suffixes.get(key)
            if suffixes is not None:
                found = suffixes.find(host)
                if found is not None:
                    return found
        if self._default is None and ports is not None:
            self._hint(host, port)
        return self._default

    def _hint(self, host: bytes, port: bytes) -> None:
        """Say once per domain that only the port was wrong: MOSN's users stumble over it."""
        if host not in self._hinted:
            self._hinted.add(host)
            log.info(
                "No virtual host for {host} with port {port}: its domain is for other ports."
                " Write {host}:* for any port.",
                host=host.decode("utf-8", "replace"),
                port=port.decode("utf-8", "replace") or "none",
            )


@implementer(IRouter)
class Router:
    """See `IRouter`.

    :ivar route: see `IRouter.route`; of the only virtual host itself where nothing else is asked.
    """

    __slots__ = ("_domains", "_form", "_only", "_refusal", "name", "route", "virtualHosts")

    def __init__(
        self,
        name: str,
        virtualHosts: Iterable[VirtualHost],
        domains: DomainTable,
        form: PathForm = DECODING,
        refusal: Route | None = None,
    ) -> None:
        """:param refusal: answers requests whose path the form refuses."""
        self.name = name
        self.virtualHosts = tuple(virtualHosts)
        self._domains = domains
        self._only = domains.only
        self._form = form
        self._refusal = refusal
        self.route: Callable[..., Route | None] = self._search
        if self._only is not None and refusal is None:
            self.route = self._only.route

    def _search(self, head: IRequestHead, source: str = "") -> Route | None:
        if self._refusal is not None and self._form.isRefused(head.path):
            return self._refusal
        host = self._only
        if host is None:
            host = self._domains.find(head.authority)
            if host is None:
                return None
        return host.route(head, source)

    def refuses(self, head: IRequestHead) -> Route | None:
        """Return what answers a request whose path is refused, ``None`` when it is not."""
        refused = self._refusal is not None and self._form.isRefused(head.path)
        return self._refusal if refused else None

    def virtualHost(self, authority: bytes) -> VirtualHost | None:
        """Return the virtual host for a request that asks for ``authority`` (lower case)."""
        return self._only or self._domains.find(authority)

    @property
    def default(self) -> VirtualHost | None:
        """The virtual host of domain ``*``."""
        return self._domains.default
