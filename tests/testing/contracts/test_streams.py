"""Tests of `mosntx.testing.contracts.streams`: the suites find streams that break the contract."""

from __future__ import annotations

from typing import Any

from twisted.trial.reporter import TestResult
from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.stream import LOCAL_RESET
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.stream.sequential.client import SequentialClient
from mosntx.stream.sequential.server import SequentialServer
from mosntx.testing.sinks import RecordingOwner
from tests.stream.sequential import test_client, test_server


class DeafServer(SequentialServer):
    """Does not tell an exchange that its client has gone, nor that it is slow."""

    __slots__ = ()

    def connectionClosed(self, event: int) -> None:
        """See `IBytesReceiver.connectionClosed`."""

    def pauseProducing(self) -> None:
        """See `IPushProducer`."""


class ForgetfulClient(SequentialClient):
    """Gives up whatever stream there is, whichever is named."""

    __slots__ = ()

    def reset(self, number: int, reason: int) -> None:
        """See `IClientStreams.reset`."""
        super().reset(self._number, LOCAL_RESET)


def failures(case: type[SynchronousTestCase], *names: str) -> list[str]:
    """Return which of these tests fail."""
    failed = []
    for name in names:
        result = TestResult()
        case(name).run(result)
        if not result.wasSuccessful():
            failed.append(name)
    return failed


class SuiteTests(SynchronousTestCase):
    """Broken streams."""

    def test_server(self) -> None:
        """A server that keeps things to itself fails, in the tests that are about them only."""

        class Deaf(test_server.SequentialServerSuiteTests):
            def server(self, connection: Any, factory: Any) -> Any:
                return DeafServer(connection, Http1Protocol(), factory, self.wheel)

        names = ["test_clientGone", "test_backPressure", "test_response"]
        self.assertEqual(failures(Deaf, *names), names[:2])

    def test_client(self) -> None:
        """So does a client that mixes its streams up."""

        class Forgetful(test_client.SequentialClientSuiteTests):
            def client(self, owner: Any) -> Any:
                return ForgetfulClient(Http1Protocol().clientCodec(), owner)

        names = ["test_staleNumber", "test_reset"]
        self.assertEqual(failures(Forgetful, *names), names[:1])

    def test_owner(self) -> None:
        """The owner of these suites notes what it is told of go-aways and late answers."""
        owner = RecordingOwner()
        owner.goneAway(None)
        owner.lateAnswer(None)
        self.assertEqual(owner.log, ["goneAway", "lateAnswer"])
