"""Tests of `mosntx.config.load`: nothing but `ConfigError` ever comes out."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.load import loadText
from mosntx.config.names import Names
from mosntx.config.problems import ConfigError
from tests.config.allkeys import ALL_KEYS, ALL_KEYS_JSON, ALL_KEYS_YAML
from tests.config.samples import (
    EVERYTHING,
    SMALL_BUILD,
    problemsOf,
)

WRONG: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "1s", "*", "Http1", "proxy", "X", "%", "a:b:c", "\ud800"])
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=4,
)


def places(value: Any, prefix: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value of a tree."""
    if isinstance(value, dict):
        return [prefix] + [way for k, v in value.items() for way in places(v, (*prefix, k))]
    if isinstance(value, list):
        return [prefix] + [way for i, v in enumerate(value) for way in places(v, (*prefix, i))]
    return [prefix]


def replace(tree: Any, way: tuple[Any, ...], value: Any) -> None:
    """Put a value somewhere, if the place still exists."""
    try:
        for step in way[:-1]:
            tree = tree[step]
        tree[way[-1]] = value
    except (TypeError, LookupError):
        return


PLACES = [way for way in places(ALL_KEYS) if way]


class FuzzTests(SynchronousTestCase):
    """Nothing but `ConfigError` ever comes out."""

    @given(
        st.lists(st.tuples(st.sampled_from(PLACES), WRONG), min_size=1, max_size=4), st.booleans()
    )
    def test_wrongValues(self, changes: list[tuple[tuple[Any, ...], Any]], strict: bool) -> None:
        """Any values anywhere in a configuration load or are reported, each on one line."""
        obj = json.loads(ALL_KEYS_JSON)
        for way, value in changes:
            replace(obj, way, value)
        for problem in problemsOf(obj, EVERYTHING if strict else SMALL_BUILD, strict):
            self.assertEqual(len(str(problem).splitlines()), 1)

    @given(st.text())
    def test_anyText(self, text: str) -> None:
        """Random text, as JSON and as YAML."""
        for name in ("a.json", "a.yaml"):
            self.assertRaises(ConfigError, loadText, text, name, EVERYTHING)

    @given(st.data())
    def test_damagedText(self, data: st.DataObject) -> None:
        """A good text with a piece cut out, and with a character changed."""
        text = data.draw(st.sampled_from([ALL_KEYS_JSON, ALL_KEYS_YAML]))
        start = data.draw(st.integers(0, len(text)))
        length = data.draw(st.integers(0, 20))
        insert = data.draw(st.text(max_size=2))
        damaged = text[:start] + insert + text[start + length :]
        name = "a.json" if text is ALL_KEYS_JSON else "a.yaml"
        try:
            loadText(damaged, name, Names())
        except ConfigError as error:
            self.assertTrue(error.problems)
