"""``/api/v1/stats``, ``/api/v1/stats_glob`` and ``/metrics``."""

from __future__ import annotations

from collections.abc import Callable

from twisted.web.server import Request

from mosntx.admin.endpoint import JSON, Answer, Endpoint, parameters
from mosntx.admin.view import AdminView
from mosntx.stats import console
from mosntx.stats.prometheus import CONTENT_TYPE
from mosntx.stats.store import GLOBAL_LABELS

_GLOBAL = f"downstream.{console.namespace(GLOBAL_LABELS)}"


class StatsEndpoint(Endpoint):
    """All stats as JSON, or those of one object: ``?key=<type>.<label>.<value>…``."""

    def __init__(self, view: AdminView) -> None:
        super().__init__()
        self._view = view

    def answer(self, request: Request) -> Answer:
        """See `Endpoint.answer`."""
        given = parameters(request)
        if len(given) > 1:
            return Answer("only support one parameter", 400)
        key = given["key"][0] if "key" in given else None
        text = console.render(self._view.samples(), key)
        return Answer(f"no metrics key: {key}") if text is None else Answer(text, 200, JSON)


class GlobalStatsEndpoint(Endpoint):
    """The sums over all listeners, a line ``name:value`` each."""

    def __init__(self, view: AdminView) -> None:
        super().__init__()
        self._view = view

    def answer(self, request: Request) -> Answer:
        """See `Endpoint.answer`."""
        found = console.tree(self._view.samples(), _GLOBAL)
        values = found.get("downstream", {}).get(console.namespace(GLOBAL_LABELS), {})
        return Answer("".join(f"{key}:{value}\n" for key, value in values.items()))


class MetricsEndpoint(Endpoint):
    """Prometheus' exposition.

    :param render: `mosntx.stats.prometheus.Exposition.render`.
    """

    def __init__(self, render: Callable[[], bytes]) -> None:
        super().__init__()
        self._render = render

    def answer(self, request: Request) -> Answer:
        """See `Endpoint.answer`."""
        return Answer(self._render(), 200, CONTENT_TYPE)
