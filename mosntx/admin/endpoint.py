"""What all endpoints of the admin API have in common.

An endpoint answers at once, from a view, with text or JSON. Whatever goes wrong inside it is
logged and answered with 500; the client never sees a traceback.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final
from urllib.parse import parse_qs

import attrs
from twisted.logger import Logger
from twisted.web.resource import Resource
from twisted.web.server import Request

_log = Logger()

TEXT: Final = "text/plain; charset=utf-8"
JSON: Final = "application/json"
#: Octets of a request body that are looked at; the longest sensible one is a log path and a level.
BODY_LIMIT: Final = 65536


@attrs.frozen
class Answer:
    """A complete response."""

    body: str | bytes
    status: int = 200
    contentType: str = TEXT


def jsonError(status: int, text: str) -> Answer:
    """Return an error in the form of MOSN's admin API: tab-indented, line end at the end."""
    return Answer(json.dumps({"error": text}, indent="\t") + "\n", status, JSON)


def parameters(request: Request) -> Mapping[str, list[str]]:
    """Return the arguments of the query; octets that are no UTF-8 are replaced.

    ``?name`` without a value is an argument too; Twisted's own ``args`` leaves it out.
    """
    query = request.uri.partition(b"?")[2].decode("utf-8", "replace")
    return parse_qs(query, keep_blank_values=True, encoding="utf-8", errors="replace")


def body(request: Request, limit: int = BODY_LIMIT) -> bytes | None:
    """Return the body of a request, ``None`` when it is longer than ``limit`` octets."""
    content: Any = request.content
    data: bytes = content.read(limit + 1)
    return None if len(data) > limit else data


class Endpoint(Resource):
    """One path. Subclasses answer."""

    isLeaf = True
    #: Methods that are answered; ``None`` for any.
    methods: ClassVar[frozenset[bytes] | None] = frozenset({b"GET", b"HEAD"})

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's

    def answer(self, request: Request) -> Answer:
        """Return the response.

        :raises Exception: anything; it is logged and becomes a 500.
        """
        raise NotImplementedError

    def render(self, request: Request) -> bytes:
        """See `twisted.web.resource.IResource.render`."""
        if self.methods is not None and request.method not in self.methods:
            _log.error(
                "api: {path}, error: invalid method: {method}",
                alert="admin",
                path=_shown(request.path),
                method=_shown(request.method),
            )
            found = Answer("", 405)
            request.responseHeaders.setRawHeaders(b"allow", [b", ".join(sorted(self.methods))])
        else:
            try:
                found = self.answer(request)
            except Exception:
                _log.failure("api: {path} failed", alert="admin", path=_shown(request.path))
                found = jsonError(500, "internal error")
        return write(request, found)


class PostEndpoint(Endpoint):
    """One path that changes something."""

    methods: ClassVar[frozenset[bytes] | None] = frozenset({b"POST"})


def _shown(octets: bytes) -> str:
    """Return what a client sent, for a log."""
    return octets[:200].decode("utf-8", "replace")


def write(request: Request, answer: Answer) -> bytes:
    """Set status and header fields of the response and return its body."""
    content = answer.body if isinstance(answer.body, bytes) else answer.body.encode("utf-8")
    request.setResponseCode(answer.status)
    fields = request.responseHeaders
    fields.setRawHeaders(b"server", [b"mosntx"])
    fields.setRawHeaders(b"content-type", [answer.contentType.encode("ascii")])
    fields.setRawHeaders(b"content-length", [b"%d" % len(content)])
    fields.setRawHeaders(b"cache-control", [b"no-store"])
    fields.setRawHeaders(b"x-content-type-options", [b"nosniff"])
    return b"" if request.method == b"HEAD" else content
