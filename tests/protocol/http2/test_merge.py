"""Small pieces of bodies, put together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import DATA, HEAD, RESET, TRAILERS
from mosntx.protocol.http2.merge import MANY_EVENTS, merged
from mosntx.testing import h2frames
from tests.protocol.http2.build import ENGINES, Raw

EVENTS = st.lists(
    st.tuples(
        st.sampled_from([DATA, DATA, DATA, HEAD, TRAILERS, RESET]),
        st.sampled_from([1, 3, 5]),
        st.binary(max_size=3),
        st.booleans(),
    ),
    max_size=30,
)


class MergeTests(SynchronousTestCase):
    """What becomes of the events of one read."""

    def test_nothingToMerge(self) -> None:
        """One piece of each stream: the very list is returned."""
        events = [(HEAD, 1, None, False), (DATA, 1, b"a", True), (DATA, 3, b"b", False)]
        self.assertIs(merged(events), events)

    def test_oneStream(self) -> None:
        """Pieces become one; the end of the last one is its end."""
        pieces = [(DATA, 1, b"a", False), (DATA, 1, b"b", False), (DATA, 1, b"c", True)]
        self.assertEqual(merged(pieces), [(DATA, 1, b"abc", True)])
        self.assertEqual(merged(pieces[:2]), [(DATA, 1, b"ab", False)])
        self.assertEqual(merged(pieces[:1]), pieces[:1])

    def test_divided(self) -> None:
        """What comes behind another part of the same stream stays behind it."""
        events = [
            (DATA, 1, b"a", False),
            (HEAD, 3, "head", False),
            (DATA, 1, b"b", False),
            (RESET, 1, 4, True),
            (DATA, 3, b"c", False),
            (DATA, 1, b"d", False),
        ]
        self.assertEqual(merged(events), [(DATA, 1, b"ab", False), *events[1:2], *events[3:]])

    @given(EVENTS)
    def test_nothingIsLost(self, events: list[tuple[int, int, bytes, bool]]) -> None:
        """Each stream has the same octets between its other parts, in the same order."""
        for number in (1, 3, 5):
            before, after = (
                [(kind, part) for kind, each, part, _ in some if each == number]
                for some in (events, merged(list(events)))
            )
            self.assertEqual(flat(before), flat(after))

    def test_codec(self) -> None:
        """A read full of small frames is one piece of the body."""
        for engine in ENGINES:
            raw = Raw("server", engine)
            raw.receive(h2frames.request(1, h2frames.POST, False))
            small = [h2frames.data(1, b"%d" % (i % 10)) for i in range(10 * MANY_EVENTS)]
            events = raw.codec.receive(b"".join(small))
            self.assertEqual(events, [(DATA, 1, b"0123456789" * MANY_EVENTS, False)])


def flat(parts: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Return parts with neighbouring data in one."""
    result: list[tuple[int, bytes]] = []
    for kind, part in parts:
        if kind == DATA and result and result[-1][0] == DATA:
            result[-1] = (DATA, result[-1][1] + part)
        else:
            result.append((kind, part))
    return result
