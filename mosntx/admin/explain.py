"""``/api/v1/explain``: what would happen to a request."""

from __future__ import annotations

import json
from typing import Final

from twisted.web.server import Request

from mosntx.admin.endpoint import JSON, Answer, Endpoint, jsonError, parameters
from mosntx.admin.view import AdminView

_KNOWN: Final = frozenset(("header", "listener", "method", "source", "url"))
_SOURCE: Final = "127.0.0.1:40000"


class ExplainEndpoint(Endpoint):
    """Explains a request that nobody has sent, with the routes and the health of this moment.

    ``?listener=<name>&method=GET&url=http://host/path&header=name: value&source=ip:port``; without
    ``url`` it is a request of RPC.
    """

    def __init__(self, view: AdminView) -> None:
        super().__init__()
        self._view = view

    def answer(self, request: Request) -> Answer:
        """See `Endpoint.answer`."""
        given = parameters(request)
        unknown = sorted(set(given) - _KNOWN)
        if unknown:
            return jsonError(400, f"unknown parameter {unknown[0]}; there are {sorted(_KNOWN)}")
        fields = []
        for text in given.get("header", []):
            name, colon, value = text.partition(":")
            if not colon or not name.strip():
                return jsonError(400, f"{text!r} is not of the form 'name: value'")
            fields.append((name.strip(), value.strip()))

        def one(name: str, default: str) -> str:
            return given.get(name, [default])[-1]

        try:
            said = self._view.explain(
                one("listener", ""),
                one("method", "GET"),
                one("url", ""),
                tuple(fields),
                one("source", _SOURCE),
            )
        except ValueError as error:
            return jsonError(400, str(error))
        return Answer(json.dumps(said, indent="\t") + "\n", 200, JSON)
