"""Log levels and switches of logs: ``/api/v1/update_loglevel``, ``enable_log`` and others."""

from __future__ import annotations

import json

from twisted.web.server import Request

from mosntx.admin.endpoint import JSON, Answer, Endpoint, PostEndpoint, body, jsonError
from mosntx.admin.view import AdminView


class GetLogLevelEndpoint(Endpoint):
    """The level of each log by path; ``""`` is standard error."""

    def __init__(self, view: AdminView) -> None:
        super().__init__()
        self._view = view

    def answer(self, request: Request) -> Answer:
        """See `Endpoint.answer`."""
        return Answer(json.dumps(dict(self._view.logLevels())), 200, JSON)


class UpdateLogLevelEndpoint(PostEndpoint):
    """Body ``{"log_path": "…", "log_level": "DEBUG"}``."""

    def __init__(self, view: AdminView) -> None:
        super().__init__()
        self._view = view

    def answer(self, request: Request) -> Answer:
        """See `Endpoint.answer`."""
        failed = jsonError(400, "update logger failed")
        try:
            wanted = json.loads(body(request) or b"")
        except (ValueError, RecursionError):
            return failed
        if not isinstance(wanted, dict):
            return failed
        path, level = wanted.get("log_path", ""), wanted.get("log_level")
        if not isinstance(path, str) or not isinstance(level, str):
            return failed
        return Answer("update logger success\n") if self._view.setLogLevel(path, level) else failed


class SwitchLogEndpoint(PostEndpoint):
    """Body: the output path of any log.

    :param enabled: what the log is switched to.
    """

    def __init__(self, view: AdminView, *, enabled: bool) -> None:
        super().__init__()
        self._view = view
        self._enabled = enabled
        self._word = "enable" if enabled else "disable"

    def answer(self, request: Request) -> Answer:
        """See `Endpoint.answer`."""
        path = body(request)
        if path is not None and self._view.setLogEnabled(
            path.decode("utf-8", "replace"), self._enabled
        ):
            return Answer(f"{self._word} logger success\n")
        return jsonError(400, f"{self._word} logger failed")
