"""Tests of `mosntx.router.index`: the first match wins, however it is found."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import HeaderMatch, Match
from mosntx.router.actions import Route
from mosntx.router.conditions import compileConditions
from mosntx.router.index import INDEX_FROM, LinearSearch, Rule, RuleIndex, compileSearch
from mosntx.router.routes import PathMatcher, PrefixMatcher, compileMatch
from mosntx.testing.requests import RpcRequest, httpRequest

HEADER = (HeaderMatch(name="a", value="1"),)
PATHS = st.text("/aAbB", min_size=1, max_size=5)
HEADERS = st.sampled_from([(), HEADER])
#: Matches of every kind that the index treats differently, with and without conditions.
MATCHES = st.one_of(
    st.builds(Match, prefix=PATHS, ignore_case=st.booleans(), headers=HEADERS),
    st.builds(Match, path=PATHS, headers=HEADERS),
    st.builds(Match, regex=st.sampled_from(["^/a", "b$", "A"])),
    st.builds(
        Match,
        headers=st.sampled_from(
            [(), HEADER] + [(HeaderMatch(name="service", value=v),) for v in ("s", "t", ".*", "")]
        ),
    ),
)
FIELDS = st.dictionaries(st.sampled_from(["a", "service"]), st.sampled_from(["", "1", "s", "t"]))


def numbered(*matchers) -> list[Rule]:
    """Rules whose routes are called by their numbers."""
    rules = []
    for number, matcher in enumerate(matchers):
        route = Route()
        route.path = str(number)
        rules.append(Rule(matcher, route))
    return rules


def found(search, head, path: bytes) -> str | None:
    """The number of the rule that is found."""
    route = search.find(head, path)
    return None if route is None else route.path


class SameTests(SynchronousTestCase):
    """Searching by the index is searching one by one."""

    @given(
        st.lists(MATCHES, max_size=14),
        st.lists(st.tuples(st.text("/aAbB", max_size=7), FIELDS), max_size=6),
    )
    def test_http(self, matches, requests):
        """For any rules and HTTP requests the same route is found."""
        rules = numbered(*map(compileMatch, matches))
        index, linear = RuleIndex(rules), LinearSearch(rules)
        for text, fields in requests:
            path = b"/" + text.encode()
            head = httpRequest(path, headers=fields)
            self.assertEqual(found(index, head, path), found(linear, head, path))

    @given(st.lists(MATCHES, max_size=14), st.lists(FIELDS, max_size=6))
    def test_rpc(self, matches, requests):
        """For any rules and RPC requests the same route is found."""
        rules = numbered(*map(compileMatch, matches))
        index, linear = RuleIndex(rules), LinearSearch(rules)
        for fields in requests:
            head = RpcRequest(fields)
            self.assertEqual(found(index, head, b""), found(linear, head, b""))

    @given(
        st.lists(st.text("ab", min_size=1, max_size=6), min_size=1, max_size=30),
        st.text("abc", max_size=8),
    )
    def test_prefixes(self, prefixes, path):
        """Prefixes within prefixes, with and without conditions, in any order."""
        rules = numbered(
            *(
                compileMatch(Match(prefix=text, headers=HEADER if number % 3 else ()))
                for number, text in enumerate(prefixes)
            )
        )
        octets = path.encode()
        for head in (httpRequest(), httpRequest(headers={"a": "1"})):
            self.assertEqual(
                found(RuleIndex(rules), head, octets), found(LinearSearch(rules), head, octets)
            )


class SearchTests(SynchronousTestCase):
    """Which search a virtual host has, and what it asks."""

    def test_few(self):
        """A few rules are tried one by one."""
        few = numbered(*(PrefixMatcher(f"/{n}") for n in range(INDEX_FROM - 1)))
        self.assertIsInstance(compileSearch(few), LinearSearch)
        many = numbered(*(PrefixMatcher(f"/{n}") for n in range(INDEX_FROM)))
        self.assertIsInstance(compileSearch(many), RuleIndex)

    def test_asked(self):
        """Of a thousand rules only those that may match are asked, in order."""
        asked = []

        class Asked(PrefixMatcher):
            """Notes that it was asked."""

            __slots__ = ()

            def matches(self, head, path, source=""):
                asked.append(self.prefix)
                return super().matches(head, path, source)

        condition = compileConditions(Match(headers=HEADER), pseudo=True)
        rules = numbered(
            *(Asked(f"/{n}", condition) for n in range(1000)),
            PathMatcher("/7/x"),
            PrefixMatcher("/77"),
        )
        search = compileSearch(rules)
        self.assertEqual(found(search, httpRequest(), b"/77/x"), "1001")
        self.assertEqual(asked, [b"/7", b"/77"])
        self.assertEqual(found(search, httpRequest(), b"/7/X"), "1000")
