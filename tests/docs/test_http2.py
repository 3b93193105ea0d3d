"""The tables of limits in the manual's page on HTTP/2 say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import Http2Options, ProxyConfig
from mosntx.protocol.buckets import Rate
from mosntx.protocol.http2.counters import Http2Counters
from mosntx.protocol.http2.guard import FloodLimits
from mosntx.protocol.http2.limits import Http2Limits
from mosntx.stats.structs import DownstreamStats
from mosntx.stream.keepalive import MISSES, READ_IDLE
from mosntx.upstream.pools.framed import DEFAULT_CONNECTIONS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "http2.rst"
#: Fields of `Http2Limits` that are no limits.
SWITCHES = {"enable_push", "enable_connect_protocol", "floods"}
COLUMNS = 6


def rows() -> dict[str, list[str]]:
    """Return the cells of all tables by the name in their first one."""
    cells = re.findall(r"^   (\*| ) - (.*)$", PAGE.read_text(), re.MULTILINE)
    table: list[list[str]] = []
    for first, cell in cells:
        if first == "*":
            table.append([])
        table[-1].append(cell)
    return {row[0].strip("`"): row for row in table if row[0] != "limit"}


def numbers(text: str) -> list[float]:
    """Return the numbers in a text."""
    return [float(each) for each in re.findall(r"\d+(?:\.\d+)?", text)]


class LimitTests(SynchronousTestCase):
    """Names, defaults and counters."""

    def test_names(self) -> None:
        """Each limit of the code has one row, and no row is of the past."""
        code = {field.name for field in attrs.fields(Http2Limits)} - SWITCHES
        code |= {field.name for field in attrs.fields(FloodLimits)}
        self.assertEqual(set(rows()), code)
        text = PAGE.read_text()
        for name in code:
            self.assertEqual(text.count(f"   * - ``{name}``\n"), 1, name)

    def test_whole(self) -> None:
        """No cell is empty: who sets it, why, what happens, where it is counted."""
        for name, row in rows().items():
            self.assertEqual(len(row), COLUMNS, name)
            self.assertTrue(all(row), name)

    def test_defaults(self) -> None:
        """The defaults are the code's."""
        found = rows()
        values = {
            **attrs.asdict(Http2Limits(), recurse=False),
            **attrs.asdict(FloodLimits(), recurse=False),
        }
        for name, row in found.items():
            value = values[name]
            wanted = [value.burst, value.per_second] if isinstance(value, Rate) else [value]
            self.assertEqual(numbers(row[1])[: len(wanted)], wanted, name)

    def test_listener(self) -> None:
        """Where a listener has another default it is said; its times are those of the table."""
        config, options, limits = ProxyConfig(downstream_protocol="Http2"), Http2Options(), rows()
        self.assertEqual(numbers(limits["max_header_list_size"][1])[1], config.max_header_size)
        self.assertEqual(numbers(limits["max_headers"][1]), [config.max_headers])
        self.assertEqual(numbers(limits["header_timeout"][1]), [config.request_header_timeout])
        self.assertEqual(numbers(limits["settings_timeout"][1]), [options.settings_timeout])
        self.assertEqual(numbers(limits["window_timeout"][1]), [options.window_timeout])

    def test_counters(self) -> None:
        """Each counter on the page is published, and each that is published is on the page."""
        text = PAGE.read_text()
        published = {key for key, _ in Http2Counters().counts()}
        self.assertEqual(set(re.findall(r"``(http2_\w+_total)``", text)), published)
        listener = {key for _, _, key, _, _ in DownstreamStats("in").samples()}
        for key in re.findall(r"``(request_\w+)``", text):
            self.assertIn(key, listener)

    def test_text(self) -> None:
        """So do the numbers between the tables."""
        text = PAGE.read_text()
        times = Http2Options().keepalive
        self.assertIn(f"``keepalive.interval`` ({times.interval:g} s", text)
        self.assertIn(f"``keepalive.timeout`` ({times.timeout:g} s", text)
        self.assertIn(f"after {READ_IDLE:g} s of silence", text)
        self.assertEqual(MISSES, 6)
        self.assertIn(f": {DEFAULT_CONNECTIONS} when nothing is said", text)
