"""Which name servers a cluster asks: its own settings, or resolv.conf(5)."""

from __future__ import annotations

from typing import Any, Final

from attrs import evolve, frozen
from twisted.logger import Logger

from mosntx.config.address import parseNameserver
from mosntx.config.schema import Cluster as ClusterConfig

log = Logger()

RESOLV_CONF: Final = "/etc/resolv.conf"
#: Who is asked when the file names nobody (resolv.conf(5)).
DEFAULT_SERVER: Final = "127.0.0.1"
DNS_PORT: Final = 53
#: resolv.conf(5): more are not looked at by the system's resolver either.
MAX_SERVERS: Final = 8
MAX_SEARCH: Final = 32
MAX_NDOTS: Final = 15
MAX_TIMEOUT: Final = 30
MAX_ATTEMPTS: Final = 5
#: Octets of the file that are read.
MAX_FILE_SIZE: Final = 65536


@frozen
class ResolverSettings:
    """Whom to ask, and how.

    :ivar servers: addresses and ports, in the order in which to ask them.
    :ivar timeout: seconds to wait for a server.
    :ivar attempts: rounds through all servers.
    :ivar system: they are the system's: its hosts file counts too.
    """

    servers: tuple[tuple[str, int], ...]
    search: tuple[str, ...] = ()
    ndots: int = 1
    timeout: int = 5
    attempts: int = 2
    system: bool = True


def resolverSettings(config: ClusterConfig) -> ResolverSettings:
    """Return the settings of a cluster (MOSN: ``dns_resolvers``, else ``dns_resolver_file``).

    A file that cannot be read is logged, and counts as an empty one.
    """
    own = config.dns_resolvers
    if own is not None and own.servers:
        port = int(own.port)
        return ResolverSettings(
            servers=tuple(parseNameserver(server, port) for server in own.servers)[:MAX_SERVERS],
            search=own.search[:MAX_SEARCH],
            ndots=min(own.ndots, MAX_NDOTS),
            timeout=min(own.timeout, MAX_TIMEOUT),
            attempts=min(own.attempts, MAX_ATTEMPTS),
            system=False,
        )
    path = config.dns_resolver_file or RESOLV_CONF
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read(MAX_FILE_SIZE)
    except OSError as error:
        log.warn(
            "{cluster}: {path} cannot be read: {reason}; {server} is asked for names",
            cluster=config.name,
            path=path,
            reason=error.strerror,
            server=DEFAULT_SERVER,
        )
        text = ""
    return parseResolvConf(text, int(config.dns_resolver_port))


def parseResolvConf(text: str, port: int = DNS_PORT) -> ResolverSettings:
    """Read a resolv.conf; what it does not understand is passed over, as by the system."""
    servers: list[tuple[str, int]] = []
    settings = ResolverSettings(servers=())
    for line in text.splitlines():
        words = line.partition("#")[0].partition(";")[0].split()
        if len(words) < 2:
            continue
        if words[0] == "nameserver":
            try:
                servers.append(parseNameserver(words[1], port))
            except ValueError:
                continue
        elif words[0] in ("search", "domain"):
            settings = evolve(settings, search=tuple(words[1:])[:MAX_SEARCH])
        elif words[0] == "options":
            settings = evolve(settings, **_options(words[1:]))
    chosen = tuple(servers[:MAX_SERVERS]) or ((DEFAULT_SERVER, port),)
    return evolve(settings, servers=chosen)


def _options(words: list[str]) -> Any:
    most = {"ndots": MAX_NDOTS, "timeout": MAX_TIMEOUT, "attempts": MAX_ATTEMPTS}
    found: dict[str, int] = {}
    for word in words:
        name, _, value = word.partition(":")
        if name in most and value.isascii() and value.isdigit():
            least = 0 if name == "ndots" else 1
            found[name] = min(max(int(value[:9]), least), most[name])
    return found
