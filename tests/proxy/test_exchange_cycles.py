"""What requests leave for the garbage collector: nothing, whatever becomes of them.

Its pauses keep everybody waiting, so it is told to look rarely (`mosntx.service.garbage`). That is
right as long as requests make no cycles. For those of connections see `tests.system.test_garbage`.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from bench.hotpath.peers import config
from bench.hotpath.scenes import SCENES
from mosntx.protocol.tr.connection import ConnectionReader
from mosntx.protocol.tr.heads import readHead
from mosntx.testing.frames import boltRequest
from mosntx.testing.mesh import MemoryMesh
from mosntx.testing.trframes import trRequest, trResponse

#: Times that something is done between two looks: more than once, and as often as matters for what
#: is done every few requests only.
TIMES = 64

HTTP1 = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def leftOver(once: Callable[[], object]) -> dict[str, int]:
    """Return the kinds of objects that only the garbage collector would free."""
    for _ in range(TIMES):
        once()
    on, flags, before = gc.isenabled(), gc.get_debug(), len(gc.garbage)
    gc.collect()
    gc.disable()
    try:
        for _ in range(TIMES):
            once()
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        return dict(Counter(type(each).__name__ for each in gc.garbage[before:]))
    finally:
        gc.set_debug(flags)
        del gc.garbage[before:]
        if on:
            gc.enable()


class CyclesTests(SynchronousTestCase):
    """Requests on connections that stay."""

    def mesh(self, spoken: str, **route: object) -> MemoryMesh:
        """Return a Sidecar with one host.

        :param route: more of the action of the route.
        """
        document = config("bolt" if spoken == "tr" else spoken)  # they have the same kind of route
        listener = document["servers"][0]["listeners"][0]
        listener["filter_chains"][0]["filters"][0]["config"]["downstream_protocol"] = spoken
        document["servers"][0]["routers"][0]["virtual_hosts"][0]["routers"][0]["route"].update(
            route
        )
        mesh = MemoryMesh(document)
        self.addCleanup(mesh.advance, 15)
        self.addCleanup(mesh.sidecar.stopService)
        self.addCleanup(mesh.hangUp)
        return mesh

    def test_looksRightly(self) -> None:
        """A cycle would be seen."""

        def once() -> None:
            cycle: list[object] = []
            cycle.append(cycle)

        self.assertEqual(leftOver(once), {"list": TIMES})

    def test_answered(self) -> None:
        """Requests that are answered, in HTTP/1.1, HTTP/2 on both engines and Bolt."""
        for name, make in SCENES.items():
            if find_spec("ngh2") is None and ("ngh2" in name or name == "two-hops"):
                raise SkipTest("the extra fast is not installed")
            scene = make()
            self.addCleanup(scene.stop)
            self.assertEqual(leftOver(scene.exchange), {}, name)

    def test_tr(self) -> None:
        """The same in TR."""
        mesh = self.mesh("tr")
        client = mesh.client("in")
        client.send(trRequest(1))
        host = mesh.upstream()

        def answer() -> None:
            head: Any = readHead(host.take(), ConnectionReader())
            host.send(trResponse(head.requestId))

        def once() -> None:
            client.send(trRequest(2))
            answer()
            self.assertTrue(client.take())

        answer()
        client.take()
        self.assertEqual(leftOver(once), {})

    def test_timeout(self) -> None:
        """The host does not answer in time; Bolt, where its connection stays."""
        mesh = self.mesh("bolt")
        client = mesh.client("in")

        def once() -> None:
            client.send(boltRequest(7, b"?", [(b"service", b"s")]))
            if mesh.dialled:
                mesh.upstream()
            mesh.advance(4)  # the caller says 3 s
            self.assertTrue(client.take())

        self.assertEqual(leftOver(once), {})

    def test_refused(self) -> None:
        """No host can be reached: the answer is our own."""
        mesh = self.mesh("Http1")
        client = mesh.client("in")

        def once() -> None:
            client.send(HTTP1)
            while mesh.dialled:
                mesh.refuse()
                mesh.advance(0.5)
            self.assertIn(b" 50", client.take()[:20])
            # The reactor in memory keeps what it was asked for.
            mesh.reactor.tcpClients.clear()
            mesh.reactor.connectors.clear()
            mesh._taken = 0

        self.assertEqual(leftOver(once), {})

    def test_retried(self) -> None:
        """The host answers 503 and is asked again."""
        mesh = self.mesh("Http1", retry_policy={"retry_on": True, "num_retries": 1})
        bad = b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"
        client = mesh.client("in")
        client.send(HTTP1)
        host = mesh.upstream()

        def answer() -> None:
            asked = 0
            while host.take():
                asked += 1
                host.send(bad)
                mesh.advance(1)
            self.assertEqual(asked, 2)
            self.assertIn(b" 503 ", client.take())

        def once() -> None:
            client.send(HTTP1)
            answer()

        answer()
        self.assertEqual(leftOver(once), {})
