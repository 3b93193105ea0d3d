"""What asks one host, and how it fails."""

from __future__ import annotations

from mosntx.contracts.upstream import IHealthChecker

#: Seconds for a connect of a probe, at most (MOSN: the dial limit of its TCP check). In practice
#: the time for the whole check ends it sooner.
CONNECT_LIMIT = 30.0


class ProbeError(Exception):
    """A host could not be asked, or its connection ended before it answered."""


class IProbe(IHealthChecker):
    """Asks one host, one check at a time.

    ``check`` fires with ``False`` for a bad answer; it fails with `ProbeError` or
    `mosntx.net.connector.ConnectFailed` when there was none. Cancelling it gives everything up
    that the check has begun.
    """

    def close() -> None:
        """Ask no more: close what is kept between checks. No check is under way."""
