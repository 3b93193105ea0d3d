"""Tests of `mosntx.router.paths`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.router.paths import (
    PATH_FORMS,
    escapePath,
    headerSafe,
    isAuthority,
    matchPath,
    query,
    resolvePath,
)

PATHS = st.lists(st.sampled_from([b"/", b".", b"..", b"a", b"%2f", b"%2e", b"%", b"?"])).map(
    b"".join
)


class MatchPathTests(SynchronousTestCase):
    """The path that routes look at."""

    CASES = (
        (b"/", b"/"),
        (b"/foo", b"/foo"),
        (b"/foo/", b"/foo/"),
        (b"/foo?key=value", b"/foo"),
        (b"/foo?a//b/../c", b"/foo"),
        (b"/?", b"/"),
        (b"/aa%20bb%26cc", b"/aa bb&cc"),
        (b"/abc+def", b"/abc+def"),
        (b"/10%25", b"/10%"),
        (b"/1%41", b"/1A"),
        (b"/%2541", b"/%41"),
        (b"/a%zz%4", b"/a%zz%4"),
        (b"/a%3Fb?c", b"/a?b"),
        (b"//a///b", b"/a/b"),
        (b"/a/./b/.", b"/a/b/"),
        (b"/a/b/../c", b"/a/c"),
        (b"/a/b/..", b"/a/"),
        (b"/..", b"/"),
        (b"/../../etc", b"/etc"),
        (b"/.", b"/"),
        (b"/a/%2e%2e/b", b"/b"),
        (b"/a%2F..%2Fb", b"/b"),
        (b"%2Fa", b"/a"),
        (b"/.well-known/x", b"/.well-known/x"),
        (b"/a..b/...", b"/a..b/..."),
        (b"*", b"/*"),
        (b"", b""),
        (b"?x", b"/"),
    )

    def test_cases(self):
        """Decoded once, slashes and dots resolved, the query left out."""
        for target, path in self.CASES:
            with self.subTest(target=target):
                self.assertEqual(matchPath(target), path)

    @given(PATHS)
    def test_normal(self, target: bytes):
        """The result begins with a slash and holds no empty, ``.`` or ``..`` segment."""
        path = matchPath(target)
        if target:
            self.assertEqual(path[:1], b"/")
            segments = path[1:].split(b"/")
            self.assertNotIn(b"", segments[:-1])
            self.assertFalse({b".", b".."} & set(segments))

    @given(PATHS)
    def test_idempotent(self, path: bytes):
        """Resolving a resolved path changes nothing."""
        once = resolvePath(path)
        self.assertEqual(resolvePath(once), once)

    @given(st.binary())
    def test_escape(self, path: bytes):
        """Escaping and decoding give the path back, and the escaped form is safe to send."""
        escaped = escapePath(path)
        self.assertTrue(all(0x20 < octet < 0x7F for octet in escaped))
        self.assertFalse({*b"?#"} & set(escaped))
        self.assertEqual(matchPath(b"/" + escaped), resolvePath(b"/" + path))


class OtherTests(SynchronousTestCase):
    """What goes with a path."""

    def test_query(self):
        """The query is given as sent, with its mark."""
        self.assertEqual(query(b"/a?b=c?d"), b"?b=c?d")
        self.assertEqual(query(b"/a?"), b"?")
        self.assertEqual(query(b"/a"), b"")

    def test_headerSafe(self):
        """A path stays readable unless it would break a header."""
        self.assertEqual(headerSafe(b"/a b"), b"/a b")
        self.assertEqual(headerSafe(b"/a\r\nx: y"), b"/a%0D%0Ax:%20y")
        self.assertEqual(headerSafe(b"/\x00"), b"/%00")

    def test_isAuthority(self):
        """Hosts with and without port pass, everything that could mean more does not."""
        for good in (b"a", b"A.b:80", b"[::1]", b"[::1]:65535", b"1.2.3.4:", b"a_b"):
            self.assertTrue(isAuthority(good), good)
        for bad in (
            b"",
            b":80",
            b"a:b",
            b"a b",
            b"a/b",
            b"a@b",
            b"::1",
            b"a:65536",
            b"a,b",
            b"a\n",
        ):
            self.assertFalse(isAuthority(bad), bad)


class PathFormTests(SynchronousTestCase):
    """The three ways to see an encoded slash."""

    def test_keep(self):
        """A kept slash stays in upper case, and cannot be made by encoding twice."""
        keep = PATH_FORMS["keep"]
        for target, path in (
            (b"/a%2fb?%2f", b"/a%2Fb"),
            (b"/a%252fb", b"/a%252fb"),
            (b"/%61%2F..%2Fb", b"/a%2F..%2Fb"),
            (b"/a/%2e%2e//b", b"/b"),
            (b"/10%25", b"/10%25"),
            (b"", b""),
        ):
            self.assertEqual(keep.match(target), path, target)

    @given(st.binary(max_size=20))
    def test_keepRoundTrip(self, path):
        """What is escaped again is seen as the same path."""
        keep = PATH_FORMS["keep"]
        seen = keep.match(b"/" + path.replace(b"?", b""))
        self.assertEqual(keep.match(keep.escape(seen)), seen)

    def test_reject(self):
        """A path with an encoded slash is refused; a query may have one."""
        reject = PATH_FORMS["reject"]
        self.assertTrue(reject.isRefused(b"/a%2Fb"))
        self.assertTrue(reject.isRefused(b"/a%2fb?x"))
        self.assertFalse(reject.isRefused(b"/a/b?x=%2F"))
        for name in ("keep", "decode"):
            self.assertFalse(PATH_FORMS[name].isRefused(b"/a%2Fb"))
        self.assertEqual(PATH_FORMS["decode"].match(b"/a%2Fb"), b"/a/b")
