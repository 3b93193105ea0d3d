"""Facts about the process: ``/api/v1/states``, ``version``, ``features``, ``env``, ``loop``."""

from __future__ import annotations

import json
import re
from typing import Final

from twisted.web.server import Request

from mosntx.admin.endpoint import JSON, Answer, Endpoint, parameters
from mosntx.admin.view import AdminView

#: Stands for the value of a variable whose name says that it is a secret.
REDACTED: Final = "***REDACTED***"
_SECRET: Final = re.compile("SECRET|TOKEN|PASS|CREDENTIAL|PRIVATE|AUTH|KEY|COOKIE", re.IGNORECASE)

#: Types of statistics that say what keeps the event loop; the pauses of the garbage collector are
#: known only where the process is ours.
_LOOP_TYPES: Final = ("loop", "gc")
_PERCENTS: Final = (50, 99, 99.9)


class _ViewEndpoint(Endpoint):
    """An endpoint that needs the view only."""

    def __init__(self, view: AdminView) -> None:
        super().__init__()
        self._view = view


class StatesEndpoint(_ViewEndpoint):
    """``pid=<pid>&state=<n>``."""

    def answer(self, request: Request) -> Answer:
        """See `Endpoint.answer`."""
        return Answer(f"pid={self._view.pid}&state={self._view.state()}\n")


class VersionEndpoint(_ViewEndpoint):
    """``mosn version: <version>``."""

    methods = None

    def answer(self, request: Request) -> Answer:
        """See `Endpoint.answer`."""
        return Answer(f"mosn version: {self._view.version}")


class FeaturesEndpoint(_ViewEndpoint):
    """All feature gates, or ``true`` or ``false`` for ``?key=NAME``."""

    def answer(self, request: Request) -> Answer:
        """See `Endpoint.answer`."""
        features = dict(self._view.features())
        given = parameters(request)
        if "key" in given:
            return Answer("true" if features.get(given["key"][0]) else "false")
        return Answer(json.dumps(features, indent=1), 200, JSON)


class EnvironmentEndpoint(_ViewEndpoint):
    """Environment variables by name: ``?key=A&key=B``.

    Variables whose name looks like that of a secret are not shown (MOSN shows them).
    """

    def answer(self, request: Request) -> Answer:
        """See `Endpoint.answer`."""
        names = parameters(request).get("key", [])
        if not names:
            return Answer("no env key", 400)
        environment = self._view.environment()
        found = {
            name: REDACTED if _SECRET.search(name) else environment[name]
            for name in names
            if name in environment
        }
        missing = [name for name in names if name not in environment] or None
        return Answer(json.dumps({"env": found, "not_found": missing}, indent=1), 200, JSON)


class LoopEndpoint(_ViewEndpoint):
    """What keeps the event loop, since the start: ``{"loop": {key: value}, "gc": {key: value}}``.

    Keys and values are those of the statistics, durations in nanoseconds; percentiles besides.
    """

    def answer(self, request: Request) -> Answer:
        """See `Endpoint.answer`."""
        found: dict[str, dict[str, float]] = {}
        for type_, _, key, _, value in self._view.samples():
            if type_ in _LOOP_TYPES:
                found.setdefault(type_, {})[key] = value
        for type_, _, key, histogram in self._view.histograms():
            if type_ in _LOOP_TYPES:
                values = histogram.percentiles(_PERCENTS)
                for percent, value in zip(_PERCENTS, values, strict=True):
                    found[type_][f"{key}_p{percent:g}"] = value
        return Answer(json.dumps(found, indent=1), 200, JSON)
