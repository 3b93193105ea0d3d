"""The request body on its way up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.proxy.body import RequestBody


class RequestBodyTests(SynchronousTestCase):
    """What is held, kept and forgotten."""

    def test_heldPartsComeInOrder(self) -> None:
        """What was held while nobody could take it is taken in order, once."""
        body = RequestBody(100)
        body.hold(b"a", False)
        body.hold(b"b", True)
        self.assertTrue(body.pending)
        self.assertEqual(list(body.take()), [(b"a", False), (b"b", True)])
        self.assertFalse(body.pending)
        self.assertEqual(list(body.take()), [])

    def test_rewindSendsAgain(self) -> None:
        """Another attempt gets what the first one got, held or flowing."""
        body = RequestBody(100)
        body.hold(b"a", False)
        list(body.take())
        body.keep(b"b", False)
        body.keep(b"c", True)
        body.rewind()
        self.assertEqual(list(body.take()), [(b"a", False), (b"b", False), (b"c", True)])

    def test_partsAreShownWithoutBeingSent(self) -> None:
        """A second attempt besides the first gets all parts; nothing is pending by that."""
        body = RequestBody(100)
        body.hold(b"a", False)
        list(body.take())
        body.keep(b"b", True)
        self.assertEqual(body.parts(), [(b"a", False), (b"b", True)])
        self.assertFalse(body.pending)

    def test_overTheLimitItCannotBeSentAgain(self) -> None:
        """A body larger than the limit is forgotten as it flows, and says so."""
        body = RequestBody(3)
        body.keep(b"ab", False)
        self.assertTrue(body.replayable)
        body.keep(b"cd", False)
        self.assertFalse(body.replayable)
        body.keep(b"ef", True)
        body.rewind()
        self.assertEqual(list(body.take()), [])

    def test_heldAboveTheLimitIsSentOnce(self) -> None:
        """What is held is never lost, however much; afterwards it cannot be sent again."""
        body = RequestBody(3)
        body.hold(b"abcdef", True)
        self.assertTrue(body.replayable)
        self.assertEqual(list(body.take()), [(b"abcdef", True)])
        self.assertFalse(body.replayable)

    def test_transform(self) -> None:
        """Filters may replace what is held."""
        body = RequestBody(100)
        body.hold(b"a", False)
        body.hold(b"b", True)
        self.assertTrue(body.transform(lambda part, end: part.upper()))
        self.assertEqual(list(body.take()), [(b"A", False), (b"B", True)])

    def test_transformStops(self) -> None:
        """A filter that answers ends it."""
        body = RequestBody(100)
        body.hold(b"a", False)
        body.hold(b"b", True)
        seen: list[bytes] = []
        self.assertFalse(body.transform(lambda part, end: seen.append(part)))
        self.assertEqual(seen, [b"a"])

    def test_keepNothing(self) -> None:
        """What is held is still sent, once; nothing can be sent again."""
        body = RequestBody(100)
        body.hold(b"a", False)
        body.keepNothing()
        self.assertFalse(body.replayable)
        self.assertEqual(list(body.take()), [(b"a", False)])
        body.rewind()
        self.assertFalse(body.pending)

    @given(st.lists(st.tuples(st.booleans(), st.binary(max_size=5)), max_size=20))
    def test_everyOctetOnce(self, steps: list[tuple[bool, bytes]]) -> None:
        """However octets are held and flow, an attempt gets each of them once, in order."""
        body = RequestBody(1000)
        sent = b""
        for flows, data in steps:
            if flows:
                sent += b"".join(part for part, _ in body.take())
                body.keep(data, False)
                sent += data
            else:
                body.hold(data, False)
        sent += b"".join(part for part, _ in body.take())
        whole = b"".join(data for _, data in steps)
        self.assertEqual(sent, whole)
        body.rewind()
        self.assertEqual(b"".join(part for part, _ in body.take()), whole)
