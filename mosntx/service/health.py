"""What active health checks and answers to heartbeats are made with."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from mosntx.contracts.codec import IProtocol
from mosntx.contracts.stream import IHeartbeatAnswer
from mosntx.proxy.chain import FilterChain
from mosntx.router.tables import RouterSlot
from mosntx.service.protocols import ProtocolRow
from mosntx.upstream.health.build import Probes
from mosntx.upstream.health.checks import Callback, HealthChecks, Surroundings
from mosntx.upstream.hosts import AddressTable

if TYPE_CHECKING:
    from mosntx.service.wiring import Context


def healthChecks(
    context: Context,
    protocols: Mapping[str, ProtocolRow],
    addresses: AddressTable,
    callbacks: Mapping[str, Callback],
) -> HealthChecks:
    """Return the checks of all clusters, not started.

    :param addresses: shared with the clusters.
    :param callbacks: of users, by name.
    """

    @cache
    def spoken(name: str) -> IProtocol:
        return protocols[name](None)

    return HealthChecks(
        Surroundings(
            addresses=addresses,
            probes=Probes(context.connector(0.0), spoken, protocols),
            wheel=context.wheel,
            random=context.random,
            wallSeconds=context.wallSeconds,
            eventLog=lambda path: context.logs.sink(path).write,
            register=context.store.register,
            unregister=context.store.unregister,
            callbacks=callbacks,
        )
    )


def heartbeatAnswer(chain: FilterChain, router: RouterSlot) -> IHeartbeatAnswer | None:
    """Return the first filter of a chain that answers heartbeats.

    It is told the routes when it can listen: ``followRouter`` gets a function that returns the
    `mosntx.config.schema.RouterConfig` as of now.
    """
    for entry in chain.entries:
        answer: Any = entry.filter
        if IHeartbeatAnswer.providedBy(answer):
            followRouter = getattr(answer, "followRouter", None)
            if followRouter is not None:
                followRouter(lambda: router.config)
            found: IHeartbeatAnswer = answer
            return found
    return None
