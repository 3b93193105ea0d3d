"""Why a checkout fails."""

from __future__ import annotations


class PoolError(Exception):
    """No connection can be given."""


class PoolOverflow(PoolError):  # noqa: N818 - the name in the contract
    """A limit is reached: connections of the host and places in the queue."""


class PoolTimeout(PoolError):  # noqa: N818 - the name in the contract
    """No connection became free in time."""


class PoolDraining(PoolError):  # noqa: N818 - the name in the contract
    """The pool gives no connections any more."""
