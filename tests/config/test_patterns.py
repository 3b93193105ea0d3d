"""Tests of `mosntx.config.patterns`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.patterns import Pattern, Substitution


class PatternTests(SynchronousTestCase):
    """Searching."""

    def test_search(self):
        """The pattern is looked for anywhere."""
        self.assertTrue(Pattern("/[0-9]+").search(b"/a/12"))
        self.assertFalse(Pattern("/[0-9]+").search(b"/test"))
        self.assertFalse(Pattern("^b").search(b"ab"))

    def test_refused(self):
        """What RE2 refuses is an error that names the pattern and the reason."""
        for text in ("a)", "(?=x)", r"(a)\1", "[z-a]"):
            with self.subTest(text=text), self.assertRaises(ValueError) as caught:
                Pattern(text)
            self.assertIn(repr(text), str(caught.exception))
        self.assertIn("unexpected )", str(self.assertRaises(ValueError, Pattern, "a)")))

    def test_characters(self):
        """In UTF-8 a character counts as one."""
        self.assertTrue(Pattern("^/.$").search("/é".encode()))
        self.assertTrue(Pattern("[éè]").search("/è".encode()))

    def test_notUtf8(self):
        """Octets that are no UTF-8 cannot hide from a pattern."""
        self.assertTrue(Pattern("^/admin/.*$").search(b"/admin/\xff"))
        self.assertTrue(Pattern("^/.$").search(b"/\xff"))

    def test_linear(self):
        """A pattern that backtracking engines choke on is no danger."""
        self.assertFalse(Pattern("^(a+)+$").search(b"a" * 5000 + b"!"))

    @given(st.binary())
    def test_anything(self, octets: bytes):
        """Any octets can be searched and replaced in."""
        self.assertTrue(Pattern("^").search(octets))
        self.assertEqual(Substitution("(?s)(.)", "$1").replace(octets), octets)


class SubstitutionTests(SynchronousTestCase):
    """Replacing."""

    def replaced(self, pattern: str, template: str, octets: bytes) -> bytes:
        return Substitution(pattern, template).replace(octets)

    def test_groups(self):
        """Groups are named by number, with and without braces (scenario 39)."""
        self.assertEqual(
            self.replaced("^/service/([^/]+)(/.*)$", "${2}/instance/${1}", b"/service/foo/v1/api"),
            b"/v1/api/instance/foo",
        )
        self.assertEqual(self.replaced("(a)(b)", r"\2$1", b"abab"), b"baba")

    def test_all(self):
        """Every match is replaced (scenario 39)."""
        self.assertEqual(self.replaced("one", "two", b"/one/one"), b"/two/two")
        self.assertEqual(
            self.replaced("^(.*?)one(.*)$", "${1}two${2}", b"/xxx/one/yyy/one/zzz"),
            b"/xxx/two/yyy/one/zzz",
        )
        self.assertEqual(self.replaced("(?i)/xxx/", "/yyy/", b"/aaa/XxX/bbb"), b"/aaa/yyy/bbb")

    def test_names(self):
        """Groups are named by name; the longest name counts, as in Go."""
        self.assertEqual(self.replaced("(?P<n>x)(y)?", "<$n${n}$2>", b"x"), b"<xx>")
        self.assertEqual(self.replaced("(x)", "$1a-${1}a", b"x"), b"-xa")

    def test_noGroup(self):
        """A group that is not there is empty, a dollar is written double."""
        self.assertEqual(self.replaced("x", "[$3$nobody$$0$]", b"x"), b"[$0$]")

    def test_empty(self):
        """Empty matches count as in Go: not right behind another match."""
        self.assertEqual(self.replaced("a*", "-", b"baac"), b"-b-c-")

    def test_refused(self):
        """A pattern that RE2 refuses is an error."""
        self.assertRaises(ValueError, Substitution, "(", "")
