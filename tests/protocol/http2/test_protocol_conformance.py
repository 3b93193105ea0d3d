"""What a peer may send and may not, case by case, with each library below the codecs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.http2.protocol import Http2Protocol
from tests.protocol.http2.conformance.deviations import DEVIATIONS, known
from tests.protocol.http2.conformance.expect import Case
from tests.protocol.http2.conformance.page import page
from tests.protocol.http2.conformance.suite import CASES, CUTS, LIBRARIES, play

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "http2-conformance.rst"


class SuiteTests(SynchronousTestCase):
    """The list of cases itself."""

    def test_names(self) -> None:
        """No two cases have one name, and what deviates is the name of a case."""
        for side, cases in CASES.items():
            names = [case.name for case in cases]
            self.assertEqual(sorted(names), sorted(set(names)))
            for library in LIBRARIES:
                self.assertEqual(known(library, side) - set(names), set())

    def test_reasons(self) -> None:
        """Whatever deviates has a reason, and is named once."""
        for library in LIBRARIES:
            for side in CASES:
                listed = [
                    name
                    for each in DEVIATIONS
                    if (each.library, each.side) == (library, side)
                    for name in each.cases
                ]
                self.assertEqual(sorted(listed), sorted(set(listed)))
        self.assertTrue(all(each.reason for each in DEVIATIONS))

    def test_page(self) -> None:
        """The manual says the same: `python -m tests.protocol.http2.conformance --rst`."""
        self.assertEqual(PAGE.read_text(encoding="utf-8"), page())

    def test_libraries(self) -> None:
        """Both libraries are there, or half of this would test nothing."""
        for library in LIBRARIES:
            Http2Protocol(engine=library)


class H2ServerTests(SynchronousTestCase):
    """A client that keeps or breaks the rules, on hyper-h2."""

    library, side = "h2", "server"


class H2ClientTests(SynchronousTestCase):
    """A server that keeps or breaks the rules, on hyper-h2."""

    library, side = "h2", "client"


class Ngh2ServerTests(SynchronousTestCase):
    """A client that keeps or breaks the rules, on libnghttp2."""

    library, side = "ngh2", "server"


class Ngh2ClientTests(SynchronousTestCase):
    """A server that keeps or breaks the rules, on libnghttp2."""

    library, side = "ngh2", "client"


def _testOf(case: Case) -> Callable[..., None]:
    def test(self) -> None:
        complaints = [play(case, self.side, self.library, cut)[0] for cut in CUTS]
        if case.name in known(self.library, self.side):
            self.assertTrue(any(complaints), "mended: take it out of the deviations")
        else:
            self.assertEqual(complaints, ["", ""])

    test.__doc__ = case.name
    return test


def _nameOf(case: Case) -> str:
    words = "".join(letter if letter.isalnum() else " " for letter in case.name).split()
    return "test_" + "_".join(words)


def _fill(*classes: type) -> None:
    for each in classes:
        for number, case in enumerate(CASES[each.side]):  # type: ignore[attr-defined]
            setattr(each, f"{_nameOf(case)}_{number}", _testOf(case))


_fill(H2ServerTests, H2ClientTests, Ngh2ServerTests, Ngh2ClientTests)
