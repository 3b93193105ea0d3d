"""Access logs: a format compiled once, one line for each exchange that is over.

Source: spec/admin-observability.md 5 (MOSN pkg/log/accesslog.go, pkg/types/accesslog.go).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from mosntx.proxy.logsink import LogSink
from mosntx.proxy.variables import PATHS, Reader, Value, VariableTable

#: Turns an exchange and the present time into one line without its end.
Formatter = Callable[[Any, float], str]

DEFAULT_FORMAT: Final = (
    "%start_time% %trace_id%  %connection_id% %upstream_connection_id%"
    " %request_received_duration% %response_received_duration% %bytes_sent% %bytes_received%"
    " %protocol% %response_code% %duration% %response_flag% %response_code%"
    " %upstream_local_address% %downstream_local_address% %downstream_remote_address%"
    " %upstream_host%"
)

#: What a variable without a value prints.
ABSENT: Final = "-"
#: A value is cut after so many characters: more than a request line may have, so paths stay whole.
VALUE_LIMIT: Final = 8192
#: Stands where a value was cut.
CUT: Final = "..."

#: Characters of the longest text that is remembered with its escapes.
_REMEMBERED: Final = 256

#: Names up to MOSN 0.8.1 whose present name is not just their words in lower case.
_OLD_NAMES: Final = {"UpstreamHostSelected": "upstream_host"}
_OLD_PREFIXES: Final = {"REQ.": "request_header_", "RESP.": "response_header_"}
_OLD_SHAPE: Final = re.compile(r"(?:[A-Z][a-z]+)+")
_OLD_WORD: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")

#: Quotes and backslashes, control characters of both sets, line separators, and characters that
#: turn the direction of writing: with these a value could forge a field, a line or a terminal.
_UNSAFE: Final = re.compile('["\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]')
#: The same for octets that were no UTF-8 and were decoded one by one.
_UNSAFE_LATIN: Final = re.compile('["\\\\\x00-\x1f\x7f-\xff]')
#: Octets for which `escape` has something to do.
_UNSAFE_OCTETS: Final = re.compile(rb"[^ !#-\[\]-~]")
_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    return _SHORT.get(character) or f"\\u{ord(character):04x}"


def escape(value: bytes | str) -> str:
    r"""Return what a peer sent as text that stays on its line and inside quotes.

    The escapes are JSON's, so a format that is JSON stays so: ``\n``, ``\"``, ``\u001b``. In a
    value that is no UTF-8, each octet outside ASCII is shown as ``\u00..``.
    """
    if isinstance(value, bytes):
        if len(value) <= VALUE_LIMIT and _UNSAFE_OCTETS.search(value) is None:
            return value.decode("ascii")
        try:
            text, unsafe = value.decode("utf-8"), _UNSAFE
        except UnicodeDecodeError:
            text, unsafe = value.decode("latin-1"), _UNSAFE_LATIN
    elif value.isascii() and value.isprintable() and len(value) <= VALUE_LIMIT:
        # The usual names and addresses; a search for all of `_UNSAFE` takes thrice the time.
        return value.replace("\\", "\\\\").replace('"', '\\"')
    else:
        text, unsafe = value, _UNSAFE
    if len(text) > VALUE_LIMIT:
        return unsafe.sub(_escaped, text[:VALUE_LIMIT]) + CUT
    return unsafe.sub(_escaped, text)


def presentName(name: str) -> str:
    """Return today's name of a variable that is called as in MOSN 0.8.1 and before."""
    for old, present in _OLD_PREFIXES.items():
        if name.startswith(old):
            return present + name[len(old) :]
    if _OLD_SHAPE.fullmatch(name):
        return _OLD_NAMES.get(name) or _OLD_WORD.sub("_", name).lower()
    return name


def splitFormat(text: str) -> tuple[list[str], list[str]]:
    r"""Take a format apart: literal texts, and the names between them.

    ``\%`` is a literal ``%``. There is one literal more than names; any may be empty.

    :raises ValueError: when a ``%`` has no partner, or nothing stands between two.
    """
    pieces = [piece.replace("\0", "%") for piece in text.replace("\\%", "\0").split("%")]
    if len(pieces) % 2 == 0:
        raise ValueError(f"unclosed variable in access log format: %{pieces[-1]}")
    names = pieces[1::2]
    if "" in names:
        raise ValueError("empty variable definition in access log format: %%")
    return pieces[0::2], names


@lru_cache(256)
def _escapedText(value: str) -> str:
    """Return `escape` of text, which is ours: addresses and names that come again and again."""
    return escape(value)


def _printed(read: Reader) -> Reader:
    """Return ``read`` with its values made safe, and `ABSENT` for none."""

    def part(exchange: Any, now: float) -> Value:
        value = read(exchange, now)
        if isinstance(value, int):
            return value
        if not value:
            return ABSENT
        if isinstance(value, str) and len(value) <= _REMEMBERED:
            return _escapedText(value)
        return escape(value)

    return part


def compileFormat(text: str, variables: VariableTable) -> Formatter:
    """Compile a format; names that are not known print `ABSENT`.

    What comes out is one Python expression, as though somebody had written it for this format:
    attributes stand in it, everything else is a call of a reader by its number. Nothing of the
    format itself gets into the source but through `PATHS`; literals are in the template.

    :param text: `DEFAULT_FORMAT` when empty.
    :raises ValueError: as `splitFormat`.
    """
    literals, names = splitFormat(text or DEFAULT_FORMAT)
    literals = [literal.replace("%", "%%") for literal in literals]
    template = literals[0]
    parts: list[str] = []
    known: dict[str, Any] = {"__builtins__": {}}
    for given, literal in zip(names, literals[1:], strict=True):
        name = presentName(given)
        plain, read = variables.plain(name), variables.lookup(name)
        if read is None:
            template += ABSENT + literal
            continue
        template += "%s" + literal
        if name in PATHS:
            parts.append(f"e.{PATHS[name]}")
        else:
            reader = f"read{len(parts)}"
            known[reader] = plain or _printed(read)
            parts.append(f"{reader}(e, now)")
    known["template"] = template
    formatter: Formatter = eval(
        f"lambda e, now: template % ({' '.join(f'{p},' for p in parts)})", known
    )
    return formatter


class AccessLog:
    """One access log of a listener.

    :param text: the format, `DEFAULT_FORMAT` when empty.
    :param sink: where the lines go; several logs may share one.
    :raises ValueError: as `compileFormat`.
    """

    __slots__ = ("_format", "failed", "sink")

    def __init__(self, text: str, variables: VariableTable, sink: LogSink) -> None:
        text = (text or DEFAULT_FORMAT).rstrip("\r\n")
        self._format = compileFormat(f"{text}\n", variables)
        self.sink = sink
        #: Exchanges that could not be written because a variable raised.
        self.failed = 0

    def log(self, exchange: Any, now: float) -> None:
        """Write the line of an exchange that is over. Never raises.

        :param now: the present time on the clock of ``exchange.startTime``.
        """
        if self.sink.enabled:
            try:
                line = self._format(exchange, now)
            except Exception:  # of a variable; the exchange must end all the same
                self.failed += 1
            else:
                self.sink.write(line)
