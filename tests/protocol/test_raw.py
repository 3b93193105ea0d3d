"""Tests of `mosntx.protocol.raw`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.contracts.codec import NO_MATCH, IClientCodec, IProtocol
from mosntx.protocol.raw import RawProtocol
from mosntx.testing.playbook import EOF, playEveryWay

OCTETS = b"220 hello\r\n\r\n\0"


class RawTests(SynchronousTestCase):
    """Octets as they are."""

    def test_contract(self) -> None:
        """It is a protocol for upstreams, which nothing is taken for."""
        protocol = RawProtocol()
        verifyObject(IProtocol, protocol)
        verifyObject(IClientCodec, protocol.clientCodec())
        self.assertEqual(protocol.detect(OCTETS), NO_MATCH)
        self.assertRaises(NotImplementedError, protocol.serverCodec)
        self.assertRaises(NotImplementedError, protocol.interimHead, 100)
        self.assertRaises(NotImplementedError, protocol.localReply, None, 500, b"")

    def test_bothWays(self) -> None:
        """There is a tunnel from the first octet on, and no second one."""
        playEveryWay(
            RawProtocol().clientCodec,
            [
                (">>", lambda codec: self.assertTrue(codec.reusable and codec.tunnel)),
                (">>", lambda codec: codec.requestHead(None, False)),
                (">>", OCTETS),
                ("<<", [f"1 data {OCTETS!r}"]),
                (">>", lambda codec: codec.requestData(1, OCTETS, True)),
                (">>", lambda codec: codec.requestTrailers(1, None)),
                ("<<", OCTETS),
                (">>", EOF),
                ("<<", ["1 data b'' end"]),
                (">>", lambda codec: self.assertFalse(codec.reusable)),
                (">>", lambda codec: codec.timeout()),
                (">>", lambda codec: self.assertIsNone(codec.reset(1, 0))),
            ],
        )

    def test_nobodyListens(self) -> None:
        """A connection on which the host speaks before it is used is not used."""
        codec = RawProtocol().clientCodec()
        self.assertEqual(len(codec.receive(OCTETS)), 1)
        self.assertEqual((codec.reusable, codec.receiveEof()), (False, []))
