"""``FILE``: the hosts stand in a file of their own, which may be replaced at any time."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import ClassVar

from twisted.logger import Logger
from zope.interface import implementer

from mosntx.config.hostsfile import readHosts
from mosntx.config.problems import ConfigError
from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.config.schema import Host as HostConfig
from mosntx.contracts.upstream import IDiscovery, IDiscoveryFactory
from mosntx.net.timers import Timer
from mosntx.upstream.discovery.context import DiscoveryContext

log = Logger()

#: What tells one version of a file from another: the file's number, size and time in nanoseconds.
_Version = tuple[int, int, int]


@implementer(IDiscovery)
class HostsFileDiscovery:
    """See `IDiscovery`.

    The file is looked at every ``hosts_file_interval`` seconds and read when it has changed. One
    that cannot be used is reported once, and the hosts stay.
    """

    def __init__(self, config: ClusterConfig, context: DiscoveryContext) -> None:
        """See `IDiscoveryFactory.build`.

        :raises ValueError: when no file is named.
        """
        if not config.hosts_file:
            raise ValueError("type FILE needs 'hosts_file'")
        self._config = config
        self._context = context
        self._update: Callable[[Sequence[HostConfig]], object] | None = None
        self._version: _Version | None = None
        self._reported = ""
        self._timer: Timer | None = None

    def start(
        self, update: Callable[[Sequence[HostConfig]], object], settled: Callable[[], object]
    ) -> None:
        """See `IDiscovery.start`."""
        self._update = update
        self._look()
        settled()

    def stop(self) -> None:
        """See `IDiscovery.stop`."""
        self._update = None
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        path = self._config.hosts_file
        self._timer = self._context.wheel.schedule(self._config.hosts_file_interval, self._look)
        try:
            status = os.stat(path)
        except (OSError, ValueError) as error:
            self._version = None
            self._failed(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}")
            return
        version = (status.st_ino, status.st_size, status.st_mtime_ns)
        if version != self._version:
            self._version = version
            self._read(path)

    def _read(self, path: str) -> None:
        stats = self._context.stats
        stats.update_attempt += 1
        try:
            hosts, problems = readHosts(path)
        except ConfigError as error:
            self._failed(str(error))
            return
        stats.update_success += 1
        self._reported = ""
        name = self._config.name
        for problem in problems:
            log.warn("{cluster}: {problem}", cluster=name, problem=problem)
        log.info("{cluster}: {n} hosts from {path}", cluster=name, n=len(hosts), path=path)
        if self._update is not None:
            self._update(hosts)

    def _failed(self, reason: str) -> None:
        """Report what is wrong, once as long as it stays the same."""
        if reason != self._reported:
            self._reported = reason
            self._context.stats.update_failure += 1
            name = self._config.name
            log.error("{cluster}: the hosts stay: {reason}", cluster=name, reason=reason)


@implementer(IDiscoveryFactory)
class HostsFileFactory:
    """See `IDiscoveryFactory`."""

    name: ClassVar[str] = "FILE"
    usesHosts: ClassVar[bool] = False

    def build(
        self, config: ClusterConfig, context: DiscoveryContext, before: IDiscovery | None
    ) -> HostsFileDiscovery:
        """See `IDiscoveryFactory.build`."""
        return HostsFileDiscovery(config, context)
