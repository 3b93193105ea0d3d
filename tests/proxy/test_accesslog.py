"""Tests of `mosntx.proxy.accesslog`."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mosntx.proxy.accesslog import (
    CUT,
    DEFAULT_FORMAT,
    VALUE_LIMIT,
    AccessLog,
    compileFormat,
    escape,
    presentName,
    splitFormat,
)
from mosntx.proxy.logsink import LogSink
from mosntx.proxy.variables import VariableTable
from mosntx.testing.exchange import FinishedExchange, NumberedConnection
from mosntx.testing.logs import MemoryTarget
from mosntx.testing.requests import httpRequest

NOW = 100.006


def table(**extra: Any) -> VariableTable:
    """Return variables; the wall clock is fixed."""
    return VariableTable(lambda: NOW, lambda: 1_000_000.006, extra)


def line(text: str, exchange: Any = None, **extra: Any) -> str:
    """Return the line of an exchange in a format."""
    return compileFormat(text, table(**extra))(exchange or FinishedExchange(), NOW)


def printed(value: bytes | str) -> str:
    """Return how a value is printed."""
    return line("%v%", v=lambda exchange, now: value)


class FormatTests(SynchronousTestCase):
    """The format language."""

    def test_literal(self) -> None:
        """Text without variables is itself, whatever Python's formats make of it."""
        for text in ("x", "{} {0} %s".replace("%s", "\\%s"), "a\\b"):
            self.assertEqual(line(text), text.replace("\\%", "%"))

    def test_variables(self) -> None:
        """Variables stand between literals, or directly beside each other."""
        self.assertEqual(line("[%protocol%] %response_code%%bytes_sent%!"), "[Http1] 2001024!")

    def test_escapedPercent(self) -> None:
        r"""``\%`` is a percent sign and begins no variable."""
        self.assertEqual(line("100\\% %protocol% \\%"), "100% Http1 %")

    def test_unknown(self) -> None:
        """A name that is not known, and one without value, print a hyphen."""
        self.assertEqual(line("%route_name% %trace_id% %request_header_x%"), "- - -")

    def test_emptyHeader(self) -> None:
        """An empty value does not shift the columns."""
        exchange = FinishedExchange(httpRequest(headers={"A": ""}))
        self.assertEqual(line("%request_header_a%", exchange), "-")

    def test_zero(self) -> None:
        """A number that is 0 is printed."""
        exchange = FinishedExchange(status=0)
        self.assertEqual(line("%response_code%", exchange), "0")
        self.assertEqual(line("%n%", n=lambda exchange, now: 0), "0")

    def test_unclosed(self) -> None:
        """An odd percent sign is an error that shows where."""
        for text in ("%", "a%protocol", "%a% %b"):
            error = self.assertRaises(ValueError, compileFormat, text, table())
            self.assertIn("unclosed", str(error))
            self.assertIn(text.rpartition("%")[2], str(error))

    def test_empty(self) -> None:
        """Nothing between two percent signs is an error."""
        for text in ("%%", "%protocol% %%"):
            error = self.assertRaises(ValueError, compileFormat, text, table())
            self.assertIn("empty variable definition", str(error))

    @given(st.text())
    def test_anyText(self, text: str) -> None:
        """A format compiles or is refused with a ValueError; nothing else happens."""
        try:
            literals, names = splitFormat(text)
        except ValueError:
            return
        self.assertEqual(len(literals), len(names) + 1)
        self.assertIsInstance(line(text), str)

    def test_default(self) -> None:
        """The default format has MOSN's columns, with two blanks after the trace id."""
        exchange = FinishedExchange()
        exchange.attributes["trace_id"] = "0a0b"
        found = line("", exchange)
        self.assertEqual(found, line(DEFAULT_FORMAT, exchange))
        self.assertEqual(
            found.partition(" ")[2].partition(" ")[2],
            "0a0b  7 8 1ms 5ms 1024 3 Http1 200 6ms false 200"
            " 127.0.0.1:8080 127.0.0.1:2045 127.0.0.1:50000 app",
        )

    def test_noCode(self) -> None:
        """Whatever a format says is text or the name of a variable, never Python."""
        for text in ("e.status", "')", "%s {e} {0}", "\n\\x41", '"""'):
            plain = text.replace("%", "\\%")
            self.assertEqual(line(f"{plain}%response_code%{plain}"), f"{text}200{text}")
        self.assertEqual(line("%__import__('os')% %e.status% %read0(e, now)%"), "- - -")

    def test_everyKind(self) -> None:
        """Attributes, computed values, the escaped and the unknown stand in the format's order."""
        exchange = FinishedExchange()
        exchange.attributes["trace_id"] = '"quoted"'
        names = "response_code duration trace_id nobody bytes_sent trace_id protocol"
        text = " ".join(f"%{name}%" for name in names.split())
        expected = '200 6ms \\"quoted\\" - 1024 \\"quoted\\" Http1'
        self.assertEqual([line(text, exchange), line(text, exchange)], [expected] * 2)

    def test_oldNames(self) -> None:
        """Formats of MOSN 0.8 give the same line in today's names, in place."""
        old = (
            "%RequestReceivedDuration% %BytesSent% %ResponseFlag% %UpstreamLocalAddress%"
            " %UpstreamHostSelected% %REQ.Host% %RESP.x%"
        )
        self.assertEqual(line(old), "1ms 1024 false 127.0.0.1:8080 app www.example.com -")
        self.assertEqual(presentName("StartTime"), "start_time")
        for name in ("URI", "Http1_request_arg", "gRPC_serviceName", "start_time", "RESP"):
            self.assertEqual(presentName(name), name)

    def test_neutralNames(self) -> None:
        """Protocol-neutral names print values (MOSN prints hyphens)."""
        exchange = FinishedExchange(httpRequest(b"/p?q=1"))
        self.assertEqual(line("%URI% %PATH% %ARG% %scheme%", exchange), "/p?q=1 /p q=1 http")


class EscapeTests(SynchronousTestCase):
    """What peers send cannot forge lines, fields or terminals."""

    def test_plain(self) -> None:
        """Ordinary text stays as it is, in any language."""
        self.assertEqual(printed(b"curl/8.5 (x; y)"), "curl/8.5 (x; y)")
        self.assertEqual(printed("Grüße 你好".encode()), "Grüße 你好")

    def test_injection(self) -> None:
        """Line ends, escapes of terminals, quotes and backslashes are written out."""
        for octets, text in (
            (b"a\r\nGET / 200", "a\\r\\nGET / 200"),
            (b"\x1b[31mred", "\\u001b[31mred"),
            (b'a" 200 "', 'a\\" 200 \\"'),
            (b"a\\n", "a\\\\n"),
            (b"\x00\x7f", "\\u0000\\u007f"),
            ("\x85\u2028\u202e".encode(), "\\u0085\\u2028\\u202e"),
            (b"\xff\xe9\x00\n", "\\u00ff\\u00e9\\u0000\\n"),
        ):
            self.assertEqual(printed(octets), text)

    def test_text(self) -> None:
        """Text of filters is escaped too."""
        self.assertEqual(printed("a\nb"), "a\\nb")

    @given(st.binary(max_size=60))
    def test_oneLine(self, octets: bytes) -> None:
        """Any octets stay on one line and make a JSON string."""
        found = line('{"ua":"%v%"}', v=lambda exchange, now: octets)
        self.assertEqual(len(found.splitlines()), 1)
        value = json.loads(found)["ua"]
        if octets:
            try:
                self.assertEqual(value, octets.decode())
            except UnicodeDecodeError:
                self.assertEqual(value, octets.decode("latin-1"))

    def test_huge(self) -> None:
        """A huge value is cut, whatever it is made of."""
        for octets in (b"a" * 10**6, "ü".encode() * 10**6, b"\xff" * 10**6, b"\n" * 10**6):
            found = escape(octets)
            self.assertTrue(found.endswith(CUT))
            self.assertLessEqual(len(found), VALUE_LIMIT * 6 + len(CUT))
        whole = b"a" * VALUE_LIMIT
        self.assertEqual(escape(whole), whole.decode())

    def test_addresses(self) -> None:
        """An unnamed unix peer is printed by its name."""
        exchange = FinishedExchange()
        exchange.connection = NumberedConnection(1, "unix", "/run/a.sock")
        self.assertEqual(line("%downstream_remote_address%", exchange), "unix")


class AccessLogTests(SynchronousTestCase):
    """From exchange to sink."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.target = MemoryTarget()
        self.sink = LogSink(self.target, self.clock.callLater)

    def test_line(self) -> None:
        """Each exchange is one line, written when the turn of the loop is over."""
        log = AccessLog("%response_code%\n", table(), self.sink)
        log.log(FinishedExchange(), NOW)
        log.log(FinishedExchange(status=404), NOW)
        self.assertEqual(self.target.data, b"")
        self.clock.advance(0)
        self.assertEqual(self.target.writes, [b"200\n404\n"])

    def test_default(self) -> None:
        """Without a format the default one is used."""
        log = AccessLog("", table(), self.sink)
        log.log(FinishedExchange(), NOW)
        self.sink.flush()
        self.assertEqual(self.target.data.decode(), line(DEFAULT_FORMAT) + "\n")

    def test_broken(self) -> None:
        """A variable that raises loses a line, not the exchange."""
        log = AccessLog("%bad%", table(bad=lambda exchange, now: 1 // 0), self.sink)
        log.log(FinishedExchange(), NOW)
        self.sink.flush()
        self.assertEqual((log.failed, self.target.data), (1, b""))

    def test_disabled(self) -> None:
        """A log that is switched off does no work."""
        calls = []
        log = AccessLog("%v%", table(v=lambda exchange, now: calls.append(1)), self.sink)
        self.sink.enabled = False
        log.log(FinishedExchange(), NOW)
        self.assertEqual(calls, [])

    def test_badFormat(self) -> None:
        """A bad format is found when the log is made."""
        self.assertRaises(ValueError, AccessLog, "%x", table(), self.sink)
