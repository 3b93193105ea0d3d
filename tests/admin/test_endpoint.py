"""Tests of `mosntx.admin.endpoint`."""

from __future__ import annotations

from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.server import Request, Site

from mosntx.admin.endpoint import BODY_LIMIT, Answer, Endpoint, PostEndpoint, body, jsonError
from tests.admin.requests import Reply, ask


class Broken(Endpoint):
    """Fails."""

    def answer(self, request: Request) -> Answer:
        """See `Endpoint.answer`."""
        raise RuntimeError("secret detail")


class Echo(PostEndpoint):
    """Says what it got."""

    def answer(self, request: Request) -> Answer:
        """See `Endpoint.answer`."""
        found = body(request)
        return Answer("too long" if found is None else found, 201)


def answerOf(endpoint: Endpoint, method: str, content: bytes = b"", **fields: str) -> Reply:
    """Ask one endpoint."""
    site: Any = Site(endpoint, reactor=MemoryReactorClock(), parsePOSTFormSubmission=False)
    return ask(site, method, "/x?a=1", content, fields)


class EndpointTests(SynchronousTestCase):
    """Answering."""

    def test_failure(self) -> None:
        """A failure is logged, and the client learns nothing of it."""
        reply = answerOf(Broken(), "GET")
        self.assertEqual((reply.status, reply.json), (500, {"error": "internal error"}))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_wrongMethod(self) -> None:
        """A wrong method is 405 without a body, and an alert in the log that stays on its line."""
        seen: list[Any] = []
        observer: Any = seen.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        reply = answerOf(Broken(), "PUT")
        self.assertEqual((reply.status, reply.body), (405, ""))
        ours = [event for event in seen if event["log_namespace"].startswith("mosntx.")]
        self.assertEqual([event["alert"] for event in ours], ["admin"])

    def test_body(self) -> None:
        """A body arrives as it is, also when it looks like a form (curl -d)."""
        for kind in ("text/plain", "application/x-www-form-urlencoded"):
            reply = answerOf(Echo(), "POST", b"/logs/a=b&c", **{"Content-Type": kind})
            self.assertEqual((reply.status, reply.body), (201, "/logs/a=b&c"))

    def test_longBody(self) -> None:
        """No more of a body is looked at than the limit."""
        self.assertEqual(len(answerOf(Echo(), "POST", b"x" * BODY_LIMIT).body), BODY_LIMIT)
        self.assertEqual(answerOf(Echo(), "POST", b"x" * (BODY_LIMIT + 1)).body, "too long")

    def test_errorForm(self) -> None:
        """Errors have MOSN's form to the letter."""
        self.assertEqual(jsonError(400, 'a"b').body, '{\n\t"error": "a\\"b"\n}\n')
