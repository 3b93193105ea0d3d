"""The result as a table for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from bench.results import CORE_SHARE, OTHERS_SHARE, Goal, Metric, Outcome, ratioOf

#: Below this share of its core the load side was the limit, not the candidate.
SATURATED = 0.9
#: Above this share of its core other programs disturbed the measurement.
DISTURBED = 0.05
NOTHING = "-"


@attrs.frozen
class ScenarioReport:
    """One scenario's results with what is needed to read them.

    :param settings: how it was run: numbers and names only.
    """

    name: str
    summary: str
    metrics: Sequence[Metric]
    goals: Sequence[Goal]
    settings: Mapping[str, int | str]
    rounds: int
    outcomes: Sequence[Outcome]

    @property
    def measured(self) -> list[Outcome]:
        """The outcomes with at least one round."""
        return [outcome for outcome in self.outcomes if outcome.samples]

    @property
    def flawless(self) -> bool:
        """Whether something was measured, nobody failed, and no round had errors."""
        return bool(self.measured) and all(
            outcome.state != "failed" and len(outcome.cleanSamples) == len(outcome.samples)
            for outcome in self.outcomes
        )


def formatRows(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as columns: the first one to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        first, *others = row
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def formatValue(metric: Metric, value: float | None) -> str:
    """Return a figure in the table's unit."""
    return NOTHING if value is None else f"{value * metric.scale:,.{metric.digits}f}"


def formatRatio(value: float | None) -> str:
    """Return a ratio with about three digits."""
    if value is None:
        return NOTHING
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def medianTable(report: ScenarioReport) -> str:
    """Return the table of medians; the last columns tell how far they can be trusted."""
    first = report.metrics[0]
    rows = [["candidate", *(metric.title for metric in report.metrics), "spread %", "clean rounds"]]
    for outcome in report.measured:
        spread = outcome.spread(first.key)
        clean = len(outcome.cleanSamples)
        mark = "" if clean == report.rounds else " !"
        rows.append(
            [
                outcome.name,
                *(formatValue(metric, outcome.median(metric.key)) for metric in report.metrics),
                NOTHING if spread is None else f"{spread * 100:.0f}",
                f"{clean}/{report.rounds}{mark}",
            ]
        )
    return formatRows(rows)


def ratioTable(report: ScenarioReport, metric: Metric) -> str:
    """Return the table of ratios of one metric: the row's candidate divided by the column's."""
    rows = [["row / column", *(outcome.name for outcome in report.measured)]]
    for outcome in report.measured:
        cells = [outcome.name]
        for reference in report.measured:
            found = ratioOf(outcome, reference, metric.key)
            cells.append(formatRatio(found.ratio if found else None))
        rows.append(cells)
    return formatRows(rows)


def remarks(report: ScenarioReport) -> list[str]:
    """Return a line for each thing a reader must know before believing the tables."""
    lines = []
    for outcome in report.outcomes:
        if outcome.problem:
            lines.append(f"{outcome.name}: {_withState(outcome)}")
        if outcome.note and outcome.samples:
            lines.append(f"{outcome.name}: {outcome.note}")
        for sample in outcome.samples:
            if not sample.clean:
                kinds = ", ".join(f"{number} x {kind}" for kind, number in sample.errors.items())
                lines.append(f"! {outcome.name}: round {sample.round} left out, errors: {kinds}")
        lines += _coreRemarks(outcome)
    return lines


def _coreRemarks(outcome: Outcome) -> list[str]:
    """Return why a candidate's requests per second may be too few."""
    lines = []
    share, others = outcome.median(CORE_SHARE), outcome.median(OTHERS_SHARE)
    if others is not None and others > DISTURBED:
        lines.append(f"{outcome.name}: other programs took {others:.0%} of its core")
    elif share is not None and share < SATURATED:
        lines.append(
            f"{outcome.name}: used only {share:.0%} of its core, the load side was the limit; "
            "compare CPU per request"
        )
    return lines


def _withState(outcome: Outcome) -> str:
    """Return the problem, led by the state when it does not begin with it."""
    if outcome.problem.startswith(outcome.state):
        return outcome.problem
    return f"{outcome.state}: {outcome.problem}"


def goalLines(report: ScenarioReport) -> list[str]:
    """Return one line for each goal."""
    metrics = {metric.key: metric for metric in report.metrics}
    lines = []
    for goal in report.goals:
        metric = metrics[goal.key]
        least, limit = ("at least", goal.atLeast) if goal.atLeast else ("at most", goal.atMost)
        value = goal.value(report.outcomes)
        if goal.reference is None:
            wanted, got = formatValue(metric, limit), formatValue(metric, value)
            text = f"{goal.candidate} {metric.title} {least} {wanted}"
        else:
            wanted, got = formatRatio(limit), formatRatio(value)
            text = f"{goal.candidate} {metric.title} {least} {wanted} x {goal.reference}"
        if value is None:
            lines.append(f"{text}: not measured")
        else:
            lines.append(f"{text}: {got}, {'reached' if goal.reached(value) else 'MISSED'}")
    return lines


def asText(report: ScenarioReport) -> str:
    """Return everything about one scenario for people."""
    settings = ", ".join(f"{name} {value}" for name, value in report.settings.items())
    parts = [f"== {report.name}: {report.summary}\n   {settings}"]
    if report.measured:
        parts.append(f"medians of {report.rounds} rounds\n{medianTable(report)}")
    if len(report.measured) > 1:
        parts += [
            f"{metric.title}\n{ratioTable(report, metric)}"
            for metric in report.metrics
            if metric.ratio
        ]
    versions = [f"{it.name}: {it.version}" for it in report.measured if it.version]
    notes = (("goals", goalLines(report)), ("remarks", remarks(report)), ("versions", versions))
    for title, lines in notes:
        if lines:
            parts.append("\n".join([title, *(f"  {line}" for line in lines)]))
    return "\n\n".join(parts) + "\n"


def asJson(report: ScenarioReport) -> dict[str, Any]:
    """Return everything about one scenario as plain values, in SI units and octets."""
    return {
        "scenario": report.name,
        "summary": report.summary,
        "settings": dict(report.settings),
        "rounds": report.rounds,
        "flawless": report.flawless,
        "candidates": [_outcomeJson(report, outcome) for outcome in report.outcomes],
        "ratios": {
            metric.key: _ratiosJson(report, metric) for metric in report.metrics if metric.ratio
        },
        "goals": [_goalJson(report, goal) for goal in report.goals],
    }


def _outcomeJson(report: ScenarioReport, outcome: Outcome) -> dict[str, Any]:
    return {
        "name": outcome.name,
        "state": outcome.state,
        "problem": outcome.problem,
        "version": outcome.version,
        "note": outcome.note,
        "clean_rounds": len(outcome.cleanSamples),
        "medians": {metric.key: outcome.median(metric.key) for metric in report.metrics},
        "samples": [
            {
                "round": sample.round,
                "values": dict(sample.values),
                "errors": dict(sample.errors),
            }
            for sample in outcome.samples
        ],
    }


def _ratiosJson(report: ScenarioReport, metric: Metric) -> dict[str, dict[str, Any]]:
    """Return row's name to column's name to ratio; pairs without a ratio are left out."""
    table: dict[str, dict[str, Any]] = {}
    for outcome in report.measured:
        for reference in report.measured:
            found = ratioOf(outcome, reference, metric.key)
            if found is not None and outcome is not reference:
                table.setdefault(outcome.name, {})[reference.name] = attrs.asdict(found)
    return table


def _goalJson(report: ScenarioReport, goal: Goal) -> dict[str, Any]:
    value = goal.value(report.outcomes)
    return {
        "candidate": goal.candidate,
        "metric": goal.key,
        "reference": goal.reference,
        "at_least": goal.atLeast,
        "at_most": goal.atMost,
        "value": value,
        "reached": None if value is None else goal.reached(value),
    }
