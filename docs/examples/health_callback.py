"""Tell somebody when the health of a host has changed."""

from twisted.logger import Logger

from mosntx.contracts.upstream import IHost
from mosntx.service import Sidecar

log = Logger()


def onCall(host: IHost, changed: bool, healthy: bool) -> None:
    """Called after each check of a cluster that names it; it must not block."""
    if changed:
        log.critical("{host} is {how}", host=host.address, how="well" if healthy else "ill")


def makeSidecar(path: str) -> Sidecar:
    """Return a sidecar with the callback."""
    return Sidecar.fromFile(path, healthCallbacks={"on-call": onCall})
