"""Print how many cases each library passes and what deviates; ``--rst``: the manual's page."""

from __future__ import annotations

import sys

from tests.protocol.http2.conformance.page import page
from tests.protocol.http2.conformance.suite import CASES, LIBRARIES, playAll


def report() -> tuple[str, int]:
    """Return a table, and how many cases went otherwise than is known."""
    lines = [f"{'':8}{'side':8}{'passed':>8}{'cases':>8}"]
    details = []
    surprises = 0
    for library in LIBRARIES:
        for side, cases in CASES.items():
            results = list(playAll(side, library))
            failed = [each for each in results if each.complaint]
            surprises += sum(not each.expected for each in results)
            lines.append(f"{library:8}{side:8}{len(cases) - len(failed):8}{len(cases):8}")
            for each in results:
                mark = "" if each.expected else "NOT KNOWN: "
                if each.complaint or mark:
                    text = each.complaint or "passes"
                    details.append(f"{mark}{library} {side}: {each.case.name}: {text}")
    return "\n".join(lines + details) + "\n", surprises


def main(arguments: list[str]) -> int:
    """Play all cases, and return the exit code."""
    if arguments == ["--rst"]:
        sys.stdout.write(page())
        return 0
    text, surprises = report()
    sys.stdout.write(text)
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
