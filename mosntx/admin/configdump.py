"""``/api/v1/config_dump``: the effective configuration, or one part of it."""

from __future__ import annotations

import json
from typing import Any, Final

from twisted.web.server import Request

from mosntx.admin.endpoint import JSON, Answer, Endpoint, jsonError, parameters
from mosntx.admin.view import AdminView

#: Parameter without value -> the part of the dump.
_PARTS: Final = {
    "mosnconfig": "mosn_config",
    "allrouters": "routers",
    "allclusters": "cluster",
    "alllisteners": "listener",
}
#: Parameter with a name as value -> the part that has an object of this name.
_NAMED: Final = {"router": "routers", "cluster": "cluster", "listener": "listener"}


class ConfigDumpEndpoint(Endpoint):
    """Compact JSON of everything, or one part of it indented by one blank."""

    def __init__(self, view: AdminView) -> None:
        super().__init__()
        self._view = view

    def answer(self, request: Request) -> Answer:
        """See `Endpoint.answer`."""
        given = parameters(request)
        if len(given) > 1:
            return Answer("only support one parameter", 400)
        dump = self._view.configDump()
        if not given:
            return Answer(_compact(dump), 200, JSON)
        ((parameter, values),) = given.items()
        part: Any
        if parameter in _PARTS:
            part = dump.get(_PARTS[parameter], {})
        elif parameter in _NAMED:
            part = dump.get(_NAMED[parameter], {}).get(values[0], {})
        else:
            return jsonError(500, "internal error")
        return Answer(json.dumps(part, indent=1, ensure_ascii=False), 200, JSON)


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
