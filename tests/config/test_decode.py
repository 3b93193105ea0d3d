"""Tests of `mosntx.config.decode`: classes of filters, as third parties write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.load import decodeMapping
from mosntx.config.names import Names
from mosntx.config.problems import ConfigError
from mosntx.config.schema import Duration, Located, Metadata, Port, Uint32, internal, option
from tests.config import samples


@attrs.frozen
class Inner:
    """Plain attrs, nothing of ours."""

    value: int
    ratio: float = 1.0


@attrs.frozen(kw_only=True)
class DemoConfig(Located):
    """Every type that a filter's settings may have."""

    text: str
    flag: bool = False
    wait: Duration = 1.0
    maybe: Duration | None = None
    count: Uint32 = 3
    port: Port = 0
    words: tuple[str, ...] = ()
    numbers: list[int] = attrs.field(factory=list)
    table: dict[str, float] = attrs.field(factory=dict)
    nested: Inner | None = None
    several: tuple[Inner, ...] = ()
    by_name: Mapping[str, Inner] = attrs.field(factory=dict)
    either: int | str = 0
    anything: Any = None
    free: dict = attrs.field(factory=dict)
    labels: Metadata = attrs.field(factory=dict)
    mode: str = option("A choice.", default="fast", choices=("fast", "safe"), fold=True)
    camel: int = option("Spelled otherwise.", default=5, name="camelCase", zero=9)
    _hidden: int = 7
    derived: int = internal(1)

    IGNORED_KEYS: ClassVar[Mapping[str, str]] = {"gone": "Was there once."}


@attrs.frozen
class PathConfig:
    """Its `path` is a key of its own."""

    path: str = "/"


def problems(**config: Any) -> dict[str, str]:
    """Path -> message of what is wrong."""
    try:
        decodeMapping(DemoConfig, config, "f")
    except ConfigError as error:
        return {p.path: p.message for p in error.problems}
    return {}


class DecodeTests(SynchronousTestCase):
    """Objects of attrs classes."""

    def test_everything(self) -> None:
        """Each type in its usual form."""
        config = decodeMapping(
            DemoConfig,
            {
                "Text": "a",
                "flag": True,
                "wait": "1m",
                "maybe": 0,
                "port": 80,
                "words": ["a", "b"],
                "numbers": [1, 2],
                "table": {"x": 1, "Y": 2.5},
                "nested": {"value": 1, "RATIO": 2},
                "several": [{"value": 3}],
                "by_name": {"A.b": {"value": 4}},
                "either": "x",
                "anything": {"a": [None]},
                "free": {"B": 1},
                "labels": {"v": "1"},
                "mode": "SAFE",
                "camelCase": 0,
                "hidden": 8,
                "gone": 1,
            },
            "f",
        )
        self.assertEqual(
            (config.text, config.wait, config.maybe, config.count), ("a", 60.0, 0.0, 3)
        )
        self.assertEqual((config.words, config.numbers), (("a", "b"), [1, 2]))
        self.assertEqual((config.table, config.nested), ({"x": 1.0, "Y": 2.5}, Inner(1, 2.0)))
        self.assertEqual((config.several, config.by_name), ((Inner(3),), {"A.b": Inner(4)}))
        self.assertEqual((config.either, config.anything), ("x", {"a": [None]}))
        self.assertEqual((config.free, config.labels), ({"B": 1}, {"v": "1"}))
        self.assertEqual((config.mode, config.camel, config._hidden), ("safe", 9, 8))
        self.assertEqual((config.path, config.derived), ("f", 1))

    def test_defaultsAreFresh(self) -> None:
        """Mutable defaults are not shared."""
        first = decodeMapping(DemoConfig, {"text": ""})
        second = decodeMapping(DemoConfig, {"text": ""})
        self.assertIsNot(first.numbers, second.numbers)

    def test_everythingWrong(self) -> None:
        """All mistakes of one object at once, each at its path."""
        found = problems(
            flag=1,
            wait=5,
            count=-1,
            port=65536,
            words="a",
            numbers=[1, "2"],
            table={"x": "y"},
            nested={"ratio": 1},
            several=[{"value": 1.5}],
            by_name={"a b": {"value": True}},
            either=[],
            free=[],
            mode="slow",
        )
        expected = ["text", "flag", "wait", "count", "port", "words", "numbers[1]", "table.x"]
        expected += ["nested.value", "several[0].value", 'by_name["a b"].value', "either", "free"]
        expected += ["mode"]
        self.assertEqual(sorted(found), sorted(f"f.{key}" for key in expected))

    def test_internalIsNoKey(self) -> None:
        """Attributes of the loader cannot be set from a file."""
        config = decodeMapping(DemoConfig, {"text": "", "derived": 5, "path": "x"}, "f")
        self.assertEqual((config.derived, config.path), (1, "f"))

    def test_ownPath(self) -> None:
        """A class without the loader's `path` keeps its own key of that name."""
        self.assertEqual(decodeMapping(PathConfig, {"path": "/x"}).path, "/x")

    def test_numbers(self) -> None:
        """Booleans are no numbers; whole numbers are fractions; nothing is infinite."""
        self.assertIn("f.numbers[0]", problems(text="", numbers=[True]))
        self.assertIn("f.table.a", problems(text="", table={"a": 10**400}))
        self.assertIn("f.table.a", problems(text="", table={"a": float("inf")}))
        self.assertIn("f.table.a", problems(text="", table={"a": float("nan")}))
        self.assertIn("f.numbers[0]", problems(text="", numbers=[2**63]))

    def test_inAListener(self) -> None:
        """A stream filter's class is used for its `config`, and for routes."""
        names = attrs.evolve(samples.EVERYTHING, streamFilters={"demo": DemoConfig})
        obj = samples.withRoutes(
            {"direct_response": {"status": 200}, "per_filter_config": {"demo": {"text": "r"}}}
        )
        obj["servers"][0]["listeners"][0]["stream_filters"] = [
            {"type": "demo", "config": {"text": "l"}}
        ]
        server = samples.load(obj, names).config.server
        (spec,) = server.listeners[0].stream_filters
        self.assertEqual(spec.config.text, "l")
        self.assertEqual(spec.config.path, f"{spec.path}.config")
        perRoute = server.routers[0].virtual_hosts[0].routers[0].per_filter_config
        self.assertEqual(perRoute["demo"].text, "r")
        obj["servers"][0]["listeners"][0]["stream_filters"][0] = {"type": "demo"}
        where = "servers[0].listeners[0].stream_filters[0].config.text"
        self.assertEqual(samples.found(obj, names), [("error", where)])

    @given(
        st.dictionaries(
            st.sampled_from([f.name for f in attrs.fields(DemoConfig)] + ["camelCase", "x"]),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
                lambda inner: (
                    st.lists(inner, max_size=2)
                    | st.dictionaries(st.sampled_from(["value", "a", "v"]), inner, max_size=2)
                ),
                max_leaves=3,
            ),
        )
    )
    def test_anyValues(self, config: dict[str, Any]) -> None:
        """Wrong types anywhere raise `ConfigError` and nothing else."""
        try:
            made = decodeMapping(DemoConfig, config, "f", Names())
        except ConfigError as error:
            self.assertTrue(all(str(p).count("\n") == 0 for p in error.problems))
        else:
            self.assertIsInstance(made, DemoConfig)
