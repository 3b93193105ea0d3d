"""The sites: the admin API, and the ``prometheus`` sink on its own port.

Source: spec/admin-observability.md 1 and 4.1 (MOSN pkg/admin/server).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from mosntx.admin.clusters import clusterEndpoints
from mosntx.admin.configdump import ConfigDumpEndpoint
from mosntx.admin.endpoint import Answer, Endpoint, jsonError, write
from mosntx.admin.explain import ExplainEndpoint
from mosntx.admin.failures import FailuresEndpoint
from mosntx.admin.guard import refusal
from mosntx.admin.logging import GetLogLevelEndpoint, SwitchLogEndpoint, UpdateLogLevelEndpoint
from mosntx.admin.process import (
    EnvironmentEndpoint,
    FeaturesEndpoint,
    LoopEndpoint,
    StatesEndpoint,
    VersionEndpoint,
)
from mosntx.admin.stats import GlobalStatsEndpoint, MetricsEndpoint, StatsEndpoint
from mosntx.admin.view import AdminView

#: Seconds without a request after which a connection to the admin API is closed.
IDLE_SECONDS: Final = 60

#: Spelt so up to MOSN 0.17; answered and not listed.
_OLD_DISABLE_LOG: Final = b"/api/v1/disbale_log"


class HelpEndpoint(Endpoint):
    """The paths that there are; also the answer to every other path.

    :param paths: sorted.
    """

    methods = None

    def __init__(self, paths: list[str]) -> None:
        super().__init__()
        self._text = "".join(f"{line}\n" for line in ("supported APIs:", *paths))

    def answer(self, request: Request) -> Answer:
        """See `Endpoint.answer`."""
        return Answer(self._text)


class Root(Resource):
    """Finds the endpoint of a path.

    :param loopback: as `mosntx.admin.guard.refusal`.
    """

    isLeaf = True

    def __init__(
        self, endpoints: Mapping[bytes, Endpoint], others: Endpoint, *, loopback: bool
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        self._endpoints = endpoints
        self._others = others
        self._loopback = loopback

    def render(self, request: Request) -> bytes:
        """See `twisted.web.resource.IResource.render`."""
        reason = refusal(request, self._loopback)
        if reason is not None:
            return write(request, jsonError(403, reason))
        return self._endpoints.get(request.path, self._others).render(request)


class QuietSite(Site):
    """A site that writes no log line for each request, and nothing of a failure to the client."""

    noisy = False
    displayTracebacks = False

    def __init__(self, root: Resource, reactor: Any) -> None:
        super().__init__(  # type: ignore[no-untyped-call]  # Twisted's
            root, reactor=reactor, timeout=IDLE_SECONDS, parsePOSTFormSubmission=False
        )

    def log(self, request: Any) -> None:
        """See `twisted.web.http.HTTPFactory.log`: the admin API is asked every few seconds."""


def adminRoot(view: AdminView, *, loopback: bool) -> Resource:
    """Return the resource of the whole admin API."""
    disableLog = SwitchLogEndpoint(view, enabled=False)
    endpoints: dict[bytes, Endpoint] = {
        b"/api/v1/config_dump": ConfigDumpEndpoint(view),
        b"/api/v1/disable_log": disableLog,
        b"/api/v1/enable_log": SwitchLogEndpoint(view, enabled=True),
        b"/api/v1/env": EnvironmentEndpoint(view),
        b"/api/v1/explain": ExplainEndpoint(view),
        b"/api/v1/failures": FailuresEndpoint(view),
        b"/api/v1/features": FeaturesEndpoint(view),
        b"/api/v1/get_loglevel": GetLogLevelEndpoint(view),
        b"/api/v1/loop": LoopEndpoint(view),
        b"/api/v1/states": StatesEndpoint(view),
        b"/api/v1/stats": StatsEndpoint(view),
        b"/api/v1/stats_glob": GlobalStatsEndpoint(view),
        b"/api/v1/update_loglevel": UpdateLogLevelEndpoint(view),
        b"/api/v1/version": VersionEndpoint(view),
        b"/metrics": MetricsEndpoint(view.metrics),
        **clusterEndpoints(view.clusters),
    }
    others = HelpEndpoint([path.decode("ascii") for path in sorted(endpoints)])
    return Root({**endpoints, _OLD_DISABLE_LOG: disableLog}, others, loopback=loopback)


def adminSite(view: AdminView, reactor: Any, *, loopback: bool) -> Site:
    """Return the factory for the admin port.

    :param reactor: an ``IReactorTime``, for timeouts.
    :param loopback: the port is bound to a loopback address. When it is not, warn: the API has no
        passwords.
    """
    return QuietSite(adminRoot(view, loopback=loopback), reactor)


class _NotFound(Endpoint):
    """The answer to paths that do not exist."""

    methods = None

    def answer(self, request: Request) -> Answer:
        """See `Endpoint.answer`."""
        return Answer("404 page not found\n", 404)


def prometheusRoot(render: Callable[[], bytes], endpoint: str) -> Resource:
    """Return the resource of a ``prometheus`` sink.

    :param render: `mosntx.stats.prometheus.Exposition.render`.
    :param endpoint: `mosntx.stats.prometheus.PrometheusOptions.endpoint`.
    """
    path = endpoint.encode("utf-8")
    return Root({path: MetricsEndpoint(render)}, _NotFound(), loopback=False)


def prometheusSite(render: Callable[[], bytes], endpoint: str, reactor: Any) -> Site:
    """Return the factory for the port of a ``prometheus`` sink (MOSN binds 0.0.0.0)."""
    return QuietSite(prometheusRoot(render, endpoint), reactor)
