"""Tests of `mosntx.proxy.convert.fields`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.bolt.simplemap import SimpleMapHeaders, writePairs
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.headers import Headers, checkField
from mosntx.proxy.convert.fields import (
    MAX_PLAIN,
    OURS,
    PACKED,
    PROPERTY,
    className,
    escape,
    isPlain,
    number,
    properties,
    readMap,
    simpleFields,
    unescape,
    writeMap,
)

NASTY = st.one_of(
    st.binary(max_size=12),
    st.sampled_from(
        [
            b"service", b"host", b"Host", b"content-length", b"transfer-encoding", b"connection",
            b"x-mosn-sofarpc-headers-packed", b"a\r\nb: c", b"", b" ", b"%", b"%41", b"&", b"=",
            b"a&b=c", b"\0", b"sofa_head_method_name", b"rpc_trace_context.sofaTraceId", b"date",
        ]
    ),
)  # fmt: skip
PAIRS = st.lists(st.tuples(NASTY, NASTY), max_size=12)


def fieldsOf(pairs):
    """The fields of a map."""
    return writeMap(SimpleMapHeaders(pairs))


def mapOf(*fields):
    """The map that fields of HTTP come to."""
    return readMap(Headers(fields))


class EscapeTests(SynchronousTestCase):
    """Octets as text."""

    @given(st.binary())
    def test_roundTrip(self, octets):
        """Any octets come back, and nothing but visible ASCII travels."""
        text = escape(octets)
        self.assertEqual(unescape(text), octets)
        self.assertRegex(text, rb"\A[!-~]*\Z")
        for separator in (b"&", b"=", b" "):
            self.assertNotIn(separator, text)

    def test_readable(self):
        """Names of classes and services stay as they are."""
        for text in (b"com.alipay.sofa.rpc.core.request.SofaRequest", b"com.a.B:1.0", b"a_b-c~d"):
            self.assertEqual(escape(text), text)


class MapTests(SynchronousTestCase):
    """Header maps."""

    @given(PAIRS)
    def test_roundTrip(self, pairs):
        """Every map comes back in its order, with repeated keys, and every field is a legal one."""
        fields = fieldsOf(pairs)
        for name, value in fields:
            checkField(name, value)
            self.assertEqual(value, value.strip())
            self.assertNotIn(name.lower(), (b"host", b"content-length", b"transfer-encoding"))
        self.assertEqual(
            mapOf((b"Host", b"a"), (b"Content-Length", b"0"), *fields), writePairs(pairs)
        )

    @given(PAIRS)
    def test_sameAnswers(self, pairs):
        """What HTTP sees of a key is what the application gets."""
        fields, bolt = Headers(fieldsOf(pairs)), SimpleMapHeaders(pairs)
        for name, _ in pairs:
            if not name.startswith(OURS) and name not in (b"", b" "):
                self.assertIn(fields.get(name), (None, bolt.get(name)))

    def test_plain(self):
        """Usual pairs are fields of their own."""
        pairs = [
            (b"service", b"com.a.B:1.0"),
            (b"sofa_head_method_name", b"say hello"),
            (b"e", b""),
        ]
        self.assertEqual(fieldsOf(pairs), pairs)

    def test_packed(self):
        """Others stand packed in their place."""
        pairs = [(b"a", b"1"), (b"B", b"x y"), (b"host", b"&="), (b"c", b"2"), (b"d", b"\r\n")]
        self.assertEqual(
            fieldsOf(pairs),
            [(b"a", b"1"), (PACKED, b"B=x%20y&host=%26%3D"), (b"c", b"2"), (PACKED, b"d=%0D%0A")],
        )

    def test_repeated(self):
        """Of a repeated key HTTP sees the last, as every receiver of Bolt."""
        pairs = [(b"service", b"first"), (b"service", b"last")]
        self.assertEqual(fieldsOf(pairs), [(PACKED, b"service=first"), (b"service", b"last")])

    def test_many(self):
        """Of a large map the service is always seen, and the number of fields is bounded."""
        pairs = [(b"k%d" % place, b"v") for place in range(1000)] + [(b"service", b"s")]
        fields = fieldsOf(pairs)
        self.assertEqual(len(fields), MAX_PLAIN + 2)
        self.assertEqual(fields[-1], (b"service", b"s"))
        self.assertEqual(mapOf(*fields), writePairs(pairs))

    def test_broken(self):
        """A map that is none cannot travel."""
        octets = b"\0\0\0\x09x"
        headers = SimpleMapHeaders.inside(octets, 0, len(octets))
        self.assertRaises(EncodeError, writeMap, headers)

    def test_empty(self):
        """No map, no field."""
        self.assertEqual(fieldsOf([]), [])
        self.assertEqual(mapOf((b"Host", b"a")), b"")

    def test_otherFields(self):
        """Fields that somebody adds on the way become headers, those of the hop do not."""
        got = mapOf((b"Host", b"a"), (b"Via", b"1.1 b"), (b"Date", b"today"), (b"TE", b"trailers"))
        self.assertEqual(got, writePairs([(b"via", b"1.1 b")]))

    def test_tooLarge(self):
        """More than a frame holds is refused."""
        self.assertRaises(EncodeError, mapOf, (b"a", b"v" * 70000))


class ConfusionTests(SynchronousTestCase):
    """Requests that want to be routed as one thing and to be served as another."""

    def refused(self, *fields):
        """Check that fields are refused as a mistake of the client."""
        error = self.assertRaises(EncodeError, mapOf, *fields)
        self.assertEqual(error.status, 400)

    def test_twoServices(self):
        """HTTP would take the first, the application the last."""
        self.refused((b"service", b"a"), (b"Service", b"b"))

    def test_overruled(self):
        """A packed pair behind the field of its name."""
        self.refused((b"service", b"a"), (PACKED, b"service=b"))
        self.refused((b"role", b"guest"), (PACKED, b"x=y&role=admin"))

    def test_hiddenService(self):
        """A packed service that need not be packed."""
        self.refused((PACKED, b"service=b"))
        self.refused((PACKED, b"servic%65=b"))

    def test_allowed(self):
        """A packed service that HTTP cannot carry, or in front of the one that counts."""
        self.assertEqual(mapOf((PACKED, b"service=%00")), writePairs([(b"service", b"\0")]))
        pairs = [(b"service", b"a"), (b"service", b"b")]
        self.assertEqual(mapOf((PACKED, b"service=a"), (b"service", b"b")), writePairs(pairs))


class PropertyTests(SynchronousTestCase):
    """Fields of the fixed part."""

    def test_written(self):
        """Names are MOSN's; a class only when there is one."""
        fields = properties([(b"codec", 1)], b"com.a B")
        self.assertEqual(
            fields, [(PROPERTY + b"codec", b"1"), (PROPERTY + b"classname", b"com.a%20B")]
        )
        self.assertEqual(className(Headers(fields)), b"com.a B")
        self.assertEqual(properties([], b""), [])
        self.assertEqual(className(Headers()), b"")

    def test_numbers(self):
        """Numbers within their range, the default without one."""
        for text, value in ((b"0", 0), (b"255", 255), (b"-1", -1), (b"007", 7)):
            self.assertEqual(
                number(Headers([(PROPERTY + b"codec", text)]), b"codec", -1, 255, 9), value
            )
        self.assertEqual(number(Headers(), b"codec", 0, 255, 9), 9)

    def test_noNumbers(self):
        """Everything else is a mistake of the sender."""
        for text in (b"", b"x", b"256", b"-2", b"1.0", b"0x1", b" 1", b"9" * 5000, "٣".encode()):
            headers = Headers([(PROPERTY + b"codec", text)])
            error = self.assertRaises(EncodeError, number, headers, b"codec", -1, 255, 9)
            self.assertEqual(error.status, 400)


class SimpleTests(SynchronousTestCase):
    """Header maps for clients that know nothing of Bolt."""

    @given(PAIRS)
    def test_legal(self, pairs):
        """No header map can add a field, a line or a body to a response."""
        for name, value in simpleFields(SimpleMapHeaders(pairs)):
            checkField(name, value)
            self.assertNotRegex(value, rb"[\x00-\x08\x0a-\x1f\x7f]")
            self.assertNotIn(name.lower(), (b"content-length", b"transfer-encoding", b"connection"))

    def test_kept(self):
        """What HTTP can say stays as it is."""
        pairs = [(b"Trace-Id", b"a%b"), (b"x_y.z", "ü".encode())]
        self.assertEqual(simpleFields(SimpleMapHeaders(pairs)), pairs)

    def test_escaped(self):
        """What it cannot is percent-encoded."""
        pairs = [(b"a b", b"x\r\ny"), (b"", b"v"), (b"n\r\nm", b"")]
        self.assertEqual(
            simpleFields(SimpleMapHeaders(pairs)),
            [(b"a%20b", b"x%0D%0Ay"), (b"%", b"v"), (b"n%0D%0Am", b"")],
        )

    def test_plainness(self):
        """Only names in lower case and visible values without outer spaces are plain."""
        for name, value in (
            (b"A", b"v"),
            (b"a", b" v"),
            (b"a", b"\xff"),
            (b"a:", b"v"),
            (b"", b"v"),
        ):
            self.assertFalse(isPlain(name, value), (name, value))
