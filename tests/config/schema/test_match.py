"""Tests of `mosntx.config.schema.match`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import (
    CookieMatch,
    DslExpression,
    HeaderMatch,
    Match,
    QueryMatch,
    VariableMatch,
)


class MatchTests(SynchronousTestCase):
    """Values that follow from others."""

    def test_kindOfMatch(self) -> None:
        """The first key that is given decides; nothing given is a header rule."""
        variable = VariableMatch(name="a")
        expression = DslExpression(expression="true")
        cases = [
            (Match(prefix="/", path="/", regex="/"), "prefix"),
            (Match(path="/", regex="/"), "path"),
            (Match(regex="/", variables=(variable,)), "regex"),
            (Match(variables=(variable,), dsl_expressions=(expression,)), "variables"),
            (Match(dsl_expressions=(expression,)), "dsl"),
            (Match(), "headers"),
        ]
        for match, kind in cases:
            self.assertEqual(match.kind, kind)

    def test_conditions(self) -> None:
        """Headers, query parameters and cookies, in this order."""
        header, query, cookie = HeaderMatch(name="a"), QueryMatch(name="b"), CookieMatch(name="c")
        match = Match(cookies=(cookie,), headers=(header,), query_parameters=(query,))
        self.assertEqual(match.conditions, (header, query, cookie))
        self.assertEqual(match.kind, "headers")
