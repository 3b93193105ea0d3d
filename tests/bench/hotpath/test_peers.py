"""Tests of the configurations and of the ends of HTTP/2 connections."""

from __future__ import annotations

from hpack import Decoder
from twisted.trial.unittest import SynchronousTestCase

from bench.hotpath.peers import Http2Peer, config
from mosntx.testing import h2frames as h2
from mosntx.testing.mesh import MemoryMesh


class ConfigTests(SynchronousTestCase):
    """Configurations."""

    def test_valid(self) -> None:
        """A Sidecar takes them, each with its protocol."""
        for protocol in ("Http1", "Http2", "bolt"):
            mesh = MemoryMesh(config(protocol, engine="h2"))
            self.assertEqual(list(mesh.sidecar.listeners), ["in"])
            mesh.sidecar.stopService()


class Http2PeerTests(SynchronousTestCase):
    """Messages of HTTP/2."""

    def test_message(self) -> None:
        """The second one names its fields by their index, and says the same."""
        peer = Http2Peer((*h2.GET, (b"x-a", b"b")), b"body")
        decoder = Decoder()
        first, second = (h2.parseFrames(peer.message(number)) for number in (1, 3))
        self.assertEqual([frame.stream for frame in first + second], [1, 1, 3, 3])
        self.assertEqual(second[1].payload, b"body")
        self.assertLess(len(second[0].payload), len(first[0].payload))
        self.assertEqual(decoder.decode(first[0].payload), decoder.decode(second[0].payload))

    def test_withoutBody(self) -> None:
        """The head ends the stream."""
        (head,) = h2.parseFrames(Http2Peer(h2.GET).message(1))
        self.assertTrue(head.flags & h2.END_STREAM)
