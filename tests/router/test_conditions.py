"""Tests of `mosntx.router.conditions`: what a rule asks besides the path."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import CookieMatch, HeaderMatch, Match, QueryMatch
from mosntx.router.conditions import compileConditions
from mosntx.router.routes import ServiceMatcher, compileMatch
from mosntx.testing.requests import RpcRequest, httpRequest


def holds(match: Match, head) -> bool:
    """Whether all conditions of a match hold."""
    return all(one.holds(head) for one in compileConditions(match, pseudo=True))


class ConditionTests(SynchronousTestCase):
    """Headers, query parameters and cookies."""

    def test_present(self):
        """A header that must be there may have any value, also none."""
        match = Match(headers=(HeaderMatch(name="A", value="x", present=True),))
        self.assertTrue(holds(match, httpRequest(headers={"a": ""})))
        self.assertTrue(holds(match, RpcRequest({"A": "1"})))
        self.assertFalse(holds(match, RpcRequest({"a": "1"})))
        self.assertFalse(holds(match, httpRequest()))

    def test_invert(self):
        """An inverted condition holds when the plain one does not, also without the header."""
        for kinds, yes, no in (
            ({"value": "1"}, ({}, {"a": "2"}), ({"a": "1"},)),
            ({"value": "^1", "regex": True}, ({}, {"a": "21"}), ({"a": "12"},)),
            ({"present": True}, ({}, {"b": "1"}), ({"a": "1"}, {"a": ""})),
        ):
            match = Match(headers=(HeaderMatch(name="a", invert=True, **kinds),))
            for fields in yes:
                self.assertTrue(holds(match, httpRequest(headers=fields)), (kinds, fields))
            for fields in no:
                self.assertFalse(holds(match, httpRequest(headers=fields)), (kinds, fields))

    def test_invertedMethod(self):
        """The method may be inverted too."""
        match = Match(headers=(HeaderMatch(name="method", value="GET", invert=True),))
        self.assertFalse(holds(match, httpRequest()))
        self.assertTrue(holds(match, httpRequest(method=b"PUT")))

    def test_query(self):
        """Query parameters are compared decoded; of several of one name the first counts."""
        for item, yes, no in (
            (QueryMatch(name="a", value="1 2"), b"/?a=1+2&a=3", b"/?a=3&a=1+2"),
            (QueryMatch(name="a&", value="/"), b"/?x&a%26=%2f", b"/?a=%2f"),
            (QueryMatch(name="a"), b"/?a", b"/"),
            (QueryMatch(name="a", value="^[0-9]+$", regex=True), b"/?a=12", b"/?a=12x"),
            (QueryMatch(name="a", present=True), b"/?b=1&a=", b"/?b=a"),
            (QueryMatch(name="a", present=True, invert=True), b"/?b", b"/?a"),
        ):
            match = Match(query_parameters=(item,))
            self.assertTrue(holds(match, httpRequest(yes)), item)
            self.assertFalse(holds(match, httpRequest(no)), item)
            self.assertEqual(holds(match, RpcRequest()), item.invert)

    def test_cookies(self):
        """Cookies, without quotes."""
        for item, yes, no in (
            (CookieMatch(name="a", value="1"), 'b=2; a="1"', "a=2; a=1"),
            (CookieMatch(name="a", value="^1", regex=True), "a=12", "a=21"),
            (CookieMatch(name="a", present=True), "b=1; a=", "b=a"),
            (CookieMatch(name="a", value="1", invert=True), "a=2", "a=1"),
        ):
            match = Match(cookies=(item,))
            self.assertTrue(holds(match, httpRequest(headers={"cookie": yes})), item)
            self.assertFalse(holds(match, httpRequest(headers={"cookie": no})), item)

    def test_all(self):
        """Conditions of all kinds must hold together."""
        match = Match(
            headers=(HeaderMatch(name="h", value="1"),),
            query_parameters=(QueryMatch(name="q", value="1"),),
            cookies=(CookieMatch(name="c", value="1"),),
        )
        fields = {"h": "1", "cookie": "c=1"}
        self.assertTrue(holds(match, httpRequest(b"/?q=1", headers=fields)))
        self.assertFalse(holds(match, httpRequest(b"/?q=2", headers=fields)))
        self.assertFalse(holds(match, httpRequest(b"/?q=1", headers={"h": "1"})))

    def test_errors(self):
        """Nameless conditions and bad patterns are errors, also where they are inverted."""
        for match in (
            Match(query_parameters=(QueryMatch(name=""),)),
            Match(cookies=(CookieMatch(name="a", value="(", regex=True),)),
            Match(headers=(HeaderMatch(name="a", value="(", regex=True, invert=True),)),
        ):
            self.assertRaises(ValueError, compileConditions, match, pseudo=False)

    def test_service(self):
        """A single service is the fast rule only without anything else about it."""
        plain = HeaderMatch(name="service", value="s")
        self.assertIsInstance(compileMatch(Match(headers=(plain,))), ServiceMatcher)
        inverted = Match(headers=(HeaderMatch(name="service", value="s", invert=True),))
        self.assertTrue(compileMatch(inverted).matches(RpcRequest({"service": "t"}), b""))
        self.assertFalse(compileMatch(inverted).matches(RpcRequest({"service": "s"}), b""))
        more = Match(headers=(plain,), query_parameters=(QueryMatch(name="q", value="1"),))
        head = httpRequest(b"/", headers={"service": "s"})
        self.assertFalse(compileMatch(more).matches(head, b"/"))
