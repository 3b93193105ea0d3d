"""The network filter ``fault_inject``: holds octets back now and then (MOSN faultinject).

Also the example of a network filter: a configuration class, the filter of one connection, the
factory of one filter chain, and the row of the catalog.
"""

from __future__ import annotations

from random import Random
from typing import Annotated

from attrs import frozen
from zope.interface import implementer

from mosntx.config.schema.base import Bounds, Duration, option
from mosntx.contracts.filters import IFilterContext
from mosntx.contracts.net import (
    CONTINUE,
    STOP,
    IConnection,
    INetworkFilter,
    INetworkFilterFactory,
    INetworkFilterType,
)
from mosntx.net.filters import NetworkFilter
from mosntx.net.timers import Timer, TimerWheel


@frozen(kw_only=True)
class FaultInjectConfig:
    """``config`` of the filter."""

    delay_percent: Annotated[int, Bounds(0, 100)] = option(
        "How many reads of a hundred are delayed.", default=0, unit="percent"
    )
    delay_duration: Duration = option("How long they are delayed.", default=0.0)


class FaultInjectFilter(NetworkFilter):
    """Delays what one connection has received. Octets keep their order; none is looked at."""

    __slots__ = ("_connection", "_factory", "_timer")

    def __init__(self, factory: FaultInject, connection: IConnection) -> None:
        self._factory = factory
        self._connection = connection
        self._timer: Timer | None = None

    def bytesReceived(self, buffer: bytearray) -> int:
        """See `INetworkFilter.bytesReceived`. Octets that come during a delay wait with it."""
        if self._timer is None:
            delay = self._factory.delay()
            if delay <= 0.0:
                return CONTINUE
            self._timer = self._factory.wheel.schedule(delay, self._goOn)
        return STOP

    def connectionClosed(self, event: int) -> None:
        """See `INetworkFilter.connectionClosed`."""
        if self._timer is not None:
            self._timer.cancel()

    def _goOn(self) -> None:
        self._timer = None
        self._connection.continueReading()


@implementer(INetworkFilterFactory)
class FaultInject:
    """The filter of one chain.

    :param wheel: measures the delays.
    :param random: chooses the reads.
    """

    name = "fault_inject"

    def __init__(self, config: FaultInjectConfig, wheel: TimerWheel, random: Random) -> None:
        self.config = config
        self.wheel = wheel
        self._random = random

    def createFilter(self, connection: IConnection) -> INetworkFilter:
        """See `INetworkFilterFactory.createFilter`."""
        return FaultInjectFilter(self, connection)

    def delay(self) -> float:
        """Return the seconds to delay this read by; 0.0 for those that are left alone."""
        if self._random.randrange(100) < self.config.delay_percent:
            return self.config.delay_duration
        return 0.0


@implementer(INetworkFilterType)
class FaultInjectType:
    """See `INetworkFilterType`."""

    name = "fault_inject"
    configClass = FaultInjectConfig

    def build(self, config: FaultInjectConfig, context: IFilterContext) -> INetworkFilterFactory:
        """See `INetworkFilterType.build`."""
        return FaultInject(config, context.wheel, context.random)
