"""The manual's page on conformance, made of the cases and of what is known to deviate."""

from __future__ import annotations

from collections import Counter

from tests.protocol.http2.conformance.deviations import DEVIATIONS, known
from tests.protocol.http2.conformance.suite import CASES, LIBRARIES

_HEAD = """HTTP/2 conformance
==================

``tests/protocol/http2/conformance`` plays a peer that keeps or breaks the rules, frame by frame,
against the codecs of ``Http2``. The cases are written from RFC 9113 (HTTP/2), RFC 7541 (HPACK),
RFC 8441 (extended CONNECT) and RFC 9218 (priorities). Each is played on both libraries, once with
whole frames and once octet by octet, and has to end in the same way.

This page is made by ``python -m tests.protocol.http2.conformance --rst``; without ``--rst`` the
cases are played and a table is printed. A test keeps the page, the cases and the list of
deviations together.

A stream error may be answered with a connection error of the same code (RFC 9113 5.4), a
malformed request with 400, and a frame for a stream that is over may be ignored (5.1): these
count as passed.

"""

_TITLES = {
    "3.4": "Connection preface",
    "4.1": "Frame format",
    "4.2": "Frame size",
    "4.3": "Field section compression",
    "5.1": "Stream states",
    "5.1.1": "Stream identifiers",
    "5.1.2": "Stream concurrency",
    "5.3.1": "Dependencies of the past",
    "5.3.2": "Priority signaling",
    "5.4.1": "Connection errors",
    "5.4.2": "Stream errors",
    "5.5": "Extending HTTP/2",
    "6.1": "DATA",
    "6.2": "HEADERS",
    "6.3": "PRIORITY",
    "6.4": "RST_STREAM",
    "6.5": "SETTINGS",
    "6.5.2": "Defined settings",
    "6.5.3": "Settings synchronization",
    "6.6": "PUSH_PROMISE",
    "6.7": "PING",
    "6.8": "GOAWAY",
    "6.9": "WINDOW_UPDATE",
    "6.9.1": "The flow-control window",
    "6.9.2": "Initial flow-control window size",
    "6.10": "CONTINUATION",
    "7": "Error codes",
    "8.1": "Message framing",
    "8.1.1": "Malformed messages",
    "8.2.1": "Field validity",
    "8.2.2": "Connection-specific fields",
    "8.2.3": "Cookie",
    "8.3": "Control data",
    "8.3.1": "Request pseudo fields",
    "8.3.2": "Response pseudo fields",
    "8.4": "Server push",
    "8.5": "CONNECT",
    "8.6": "Upgrade",
    "8.7": "Request reliability",
    "7541 2.3.3": "Index address space",
    "7541 4.2": "Maximum table size",
    "7541 4.3": "Entry eviction at a change of size",
    "7541 4.4": "Entry eviction at a new entry",
    "7541 5.1": "Integers",
    "7541 5.2": "Strings",
    "7541 6.1": "Indexed fields",
    "7541 6.2.1": "Literals for the table",
    "7541 6.2.2": "Literals not for the table",
    "7541 6.2.3": "Literals never for a table",
    "7541 6.3": "Table size updates",
    "8441 4": "Extended CONNECT",
    "9218 4": "Priority parameters",
    "9218 7.1": "PRIORITY_UPDATE",
}


def sectionTitle(section: str) -> str:
    """Return the number of a section with its RFC, and its title."""
    rfc, _, number = section.rpartition(" ")
    return f"RFC {rfc or '9113'} {number}: {_TITLES[section]}"


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    """Return a simple table; the first row is its head."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    rule = "  ".join("=" * width for width in widths)
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return [rule, lines[0], rule, *lines[1:], rule, ""]


def _passed() -> list[str]:
    rows: list[tuple[str, ...]] = [("library", "end", "cases", "passed")]
    for library in LIBRARIES:
        for side, cases in CASES.items():
            passed = len(cases) - len(known(library, side))
            rows.append((f"``{library}``", side, str(len(cases)), str(passed)))
    return _table(rows)


def _sections() -> list[str]:
    counts = {side: Counter(case.section for case in cases) for side, cases in CASES.items()}
    rows: list[tuple[str, ...]] = [("section", "server", "client")]
    rows += [
        (sectionTitle(section), *(str(counts[side][section] or "-") for side in CASES))
        for section in _TITLES
    ]
    return _table(rows)


def page() -> str:
    """Return the page."""
    lines = _passed()
    lines += ["Sections covered", "----------------", "", *_sections()]
    lines += ["Known deviations", "----------------", ""]
    for deviation in DEVIATIONS:
        lines += [f"``{deviation.library}``, {deviation.side}: {deviation.reason}", ""]
        lines += [*(f"- {name}" for name in deviation.cases), ""]
    if not DEVIATIONS:
        lines += ["None.", ""]
    return _HEAD + "\n".join(lines)
