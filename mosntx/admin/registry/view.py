"""What the registry API may see and do, and in which words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs
from twisted.internet.defer import Deferred


class RegistryError(Exception):
    """A request cannot be met; its text is the answer."""


@attrs.frozen(kw_only=True)
class Application:
    """Who publishes and subscribes."""

    appName: str = ""
    dataCenter: str = ""
    zone: str = ""
    registryEndpoint: str = ""
    antShareCloud: bool = False
    accessKey: str = attrs.field(default="", repr=False)
    secretKey: str = attrs.field(default="", repr=False)


@attrs.frozen(kw_only=True)
class Publication:
    """A service that the application offers.

    :param port: where the application serves it; 0 = not said.
    """

    service: str
    port: int = 0
    protocol: str = ""
    version: str = ""
    appName: str = ""


@attrs.frozen(kw_only=True)
class RegistryView:
    """What the API may see and do.

    :param application: who has been announced; ``None`` before `start`.
    :param start: forget everything and begin for this application.
    :param publish: raises `RegistryError` when it cannot be.
    :param unpublish: ignored for services that are not published.
    :param subscribe: fires with the addresses of a service, fails with `RegistryError`; cancelling
        takes the question back.
    :param unsubscribe: ignored for services that are not subscribed.
    :param services: service -> zone -> addresses.
    """

    application: Callable[[], Application | None]
    start: Callable[[Application], None]
    publish: Callable[[Publication], None]
    unpublish: Callable[[str], None]
    subscribe: Callable[[str], Deferred[Sequence[str]]]
    unsubscribe: Callable[[str], None]
    services: Callable[[], Mapping[str, Mapping[str, Sequence[str]]]]
