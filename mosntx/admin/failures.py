"""``/api/v1/failures``: the last requests that did not end with an answer of their upstream."""

from __future__ import annotations

import json
from typing import Final

from twisted.web.server import Request

from mosntx.admin.endpoint import JSON, Answer, Endpoint, jsonError, parameters
from mosntx.admin.view import AdminView

_KNOWN: Final = frozenset(("limit", "reason"))


class FailuresEndpoint(Endpoint):
    """What the flight recorder keeps, the last failure first.

    ``?limit=<n>`` for so many, ``?reason=<code>`` for one kind.
    """

    def __init__(self, view: AdminView) -> None:
        super().__init__()
        self._view = view

    def answer(self, request: Request) -> Answer:
        """See `Endpoint.answer`."""
        given = parameters(request)
        unknown = sorted(set(given) - _KNOWN)
        if unknown:
            return jsonError(400, f"unknown parameter {unknown[0]}; there are limit and reason")
        limit = given.get("limit", [""])[0]
        if limit and not limit.isdecimal():
            return jsonError(400, "limit is not a number")
        report = dict(self._view.failures())
        found = report.get("failures", [])
        if "reason" in given:
            found = [each for each in found if each["reason"] in given["reason"]]
        report["failures"] = found[: int(limit)] if limit else found
        return Answer(json.dumps(report, indent="\t") + "\n", 200, JSON)
