"""Texts and JSON of a comparison. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from governance.kernel.files.spreadsheet_writer import Cell
from governance.kernel.formatting import plural
from governance.operations.evaluations import figures
from governance.operations.evaluations.comparisons.comparing import (
    ComparedMeasure,
    ComparedRun,
    RunComparison,
)
from governance.operations.evaluations.comparisons.counts import ChangedCase, LoneCase
from governance.operations.evaluations.judges.models import JudgeLabel
from governance.operations.evaluations.runs.judging import MILLISECONDS
from governance.operations.evaluations.statistics.paired import Direction

VERDICTS = {
    Direction.BETTER: ("ok", "Better"),
    Direction.WORSE: ("bad", "Worse"),
    Direction.UNDECIDED: ("due", "Undecided"),
}


def state(each: ComparedMeasure) -> tuple[str, str]:
    """Return the mark of a measure: its verdict, or a signal's direction."""
    if each.is_tested:
        return VERDICTS[each.verdict]
    if not each.pairs:
        return "none", "No pairs"
    if each.is_improvement is None or each.change is None:
        return "none", "Unchanged"
    words = ("Faster", "Slower") if each.measure.unit in MILLISECONDS else ("Improved", "Declined")
    return "dot", words[0] if each.is_improvement else words[1]


def title(found: RunComparison) -> str:
    """Return the conclusion: "2026.12.0 is worse on 2 of 4 measures"."""
    new, total = found.new.run.release, len(found.tested)
    worse, better = found.count(Direction.WORSE), found.count(Direction.BETTER)
    if not total:
        return f"{new}: no measure can be tested"
    if worse:
        said = f"{new} is worse on {worse} of {total} measures"
        said += f" and better on {better}" if better else ""
    elif better:
        said = f"{new} is better on {better} of {total} measures, worse on none"
    else:
        said = f"{new}: no measure is decided at {found.cases.shared:,} cases"
    return said


def change_text(each: ComparedMeasure) -> str:
    """Return "+5.5 points", "+18%" or "+0.4 s"."""
    if not each.change:
        return ""
    return difference_text(each.change, each)


def difference_text(value: float, each: ComparedMeasure) -> str:
    """Format a measure's signed difference: shares in points, money in percent."""
    if each.measure.unit == "share":
        return _signed(f"{value * figures.HUNDRED:+.1f} points")
    if each.measure.unit in MILLISECONDS or not each.old:
        return _signed(f"{value:+.2g} {each.measure.unit}")
    return _signed(f"{value / each.old * figures.HUNDRED:+.0f}%")


def _signed(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")


def interval_text(each: ComparedMeasure) -> str:
    """Format the difference's interval: "Worse by 1.5 to 9.5 points", "Between …" if it has 0."""
    if each.low is None or each.high is None:
        return ""
    low, high = difference_text(each.low, each), difference_text(each.high, each)
    if each.low < 0 < each.high:
        return f"Between {low.removesuffix(' points')} and {high}"
    side = "Better" if (each.high > 0) == each.measure.at_least else "Worse"
    ends = [end.lstrip("+\N{MINUS SIGN}") for end in (low, high)]
    if each.high <= 0:
        ends.reverse()
    return f"{side} by {ends[0].removesuffix(' points')} to {ends[1]}"


def p_text(value: float | None) -> str:
    """Return "0.013", or "< 0.001"."""
    if value is None:
        return ""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"  # noqa: PLR2004 - three places


def as_json(found: RunComparison) -> dict[str, Any]:
    """Return the comparison as JSON. Differences are later minus earlier, in the measure's unit."""
    return {
        "suite": found.new.suite.key,
        "old": _run_json(found.old),
        "new": _run_json(found.new),
        "cases": {
            "shared": found.cases.shared,
            "only_old": found.cases.only_old,
            "only_new": found.cases.only_new,
            "failed_old": found.cases.failed_old,
            "failed_new": found.cases.failed_new,
        },
        "verdict": found.verdict.value,
        "test": "clustered" if found.is_clustered else "exact",
        "correction": "holm",
        "measures": [_measure_json(each) for each in found.measures],
        "left_out": [{"measure": name, "reason": why} for name, why in found.left_out],
    }


def _run_json(side: ComparedRun) -> dict[str, Any]:
    return {
        "run": str(side.run.id),
        "number": side.run.number,
        "system": side.system.key,
        "release": side.run.release,
        "model": side.run.model,
        "judges": list(side.run.judges),
        "suite_version": side.version.number,
    }


def _measure_json(each: ComparedMeasure) -> dict[str, Any]:
    paired = each.paired
    return {
        "key": each.key,
        "name": each.measure.name,
        "unit": each.measure.unit,
        "is_signal": each.measure.is_signal,
        "pairs": each.pairs,
        "old": each.old,
        "new": each.new,
        "difference": each.change,
        "difference_low": each.low,
        "difference_high": each.high,
        "better": paired.better if paired else None,
        "worse": paired.worse if paired else None,
        "p_value": paired.p_value if paired else None,
        "p_corrected": each.corrected,
        "verdict": each.verdict.value if each.is_tested else None,
        "more_cases": each.more,
        "note": each.note or None,
    }


def role(each: ComparedMeasure) -> str:
    """Describe the purpose of a measure, or the reason why it isn't tested."""
    if each.measure.is_signal:
        return "signal, decides nothing"
    if each.measure.kind == "percentile":
        return "shown beside each other, not tested"
    return figures.asks(each.measure)


def needs(each: ComparedMeasure) -> str:
    """Describe what would decide an undecided measure."""
    if each.paired is not None and not each.paired.changed:
        return "No case changed"
    return figures.needs(each.more)


def explanation(found: RunComparison, each: ComparedMeasure) -> list[str]:
    """Explain the verdict of a measure in sentences."""
    paired = each.paired
    if paired is None:
        return []
    if not paired.changed:
        return [f"None of the {each.pairs:,} pairs changed, so nothing tells the two runs apart."]
    changed = plural(paired.changed, "changed case")
    split = f"{max(paired.better, paired.worse):,} to {min(paired.better, paired.worse):,}"
    first = (
        f"Only the {changed} carry information. If both releases were equally good, a split at least"
        f" as uneven as {split} would occur in {_percent(paired.p_value)} of comparisons."
    )
    if found.is_clustered:
        first = (
            f"Cases of one source move together, so the {changed} count as"
            f" {plural(paired.clusters, 'source')}. If both releases were equally good, a change at"
            f" least as uneven would occur in {_percent(paired.p_value)} of comparisons."
        )
    said = [first]
    if each.is_tested:
        count = len(found.tested)
        said.append(
            f"Corrected for {plural(count, 'measure')}, p is {p_text(each.corrected)}; it decides at"
            " 0.05 or less."
        )
    else:
        said.append("A signal decides nothing, so it isn't counted in the correction.")
    if each.note:
        said.append(f"{each.note}.")
    return said


def _percent(p_value: float) -> str:
    percent = p_value * figures.HUNDRED
    return "less than 0.1%" if percent < 0.1 else f"{percent:.1f}%"  # noqa: PLR2004 - one place


def listed(found: RunComparison, shown: ComparedMeasure | None, result: str) -> int:
    """Return how many cases the list has, over all of its pages."""
    paired = shown.paired if shown else None
    worse, better = (paired.worse, paired.better) if paired else (0, 0)
    return {
        "only-old": found.cases.only_old,
        "only-new": found.cases.only_new,
        "worse": worse,
        "better": better,
    }.get(result, worse + better)


def cases_title(found: RunComparison, shown: ComparedMeasure | None, result: str) -> str:
    """Return the title of the list of cases: "17 changed cases: 14 broke, 3 were fixed"."""
    if result == "only-old":
        return f"{plural(found.cases.only_old, 'case')} only in the earlier run"
    if result == "only-new":
        return f"{plural(found.cases.only_new, 'case')} only in the later run"
    if shown is None or shown.paired is None:
        return "No changed cases"
    worse, better = shown.paired.worse, shown.paired.better
    if result == "worse":
        return f"{plural(worse, 'case')} broke"
    if result == "better":
        return f"{plural(better, 'case')} fixed"
    return f"{plural(worse + better, 'changed case')}: {worse:,} broke, {better:,} fixed"


def label_text(label: JudgeLabel | None, new: float, each: ComparedMeasure) -> str:
    """Return "Agrees" or "Disagrees" for people's label of a case; empty without a label.

    A label counts only if its judge's verdict is the new run's; otherwise it belongs to another
    answer.
    """
    passes = new == float(each.measure.at_least != each.measure.is_inverted)
    if label is None or label.judge_passes != passes:
        return ""
    return "Agrees" if label.people_pass == passes else "Disagrees"


def cases_note(found: RunComparison) -> str:
    """Describe the cases that aren't compared: those of one run, and failed ones."""
    cases = found.cases
    parts = [
        f"{count:,} {where}"
        for count, where in (
            (cases.only_old, "only in the earlier run"),
            (cases.only_new, "only in the later run"),
            (cases.failed_old, "failed in the earlier run"),
            (cases.failed_new, "failed in the later run"),
        )
        if count
    ]
    return f"Not compared: {', '.join(parts)}" if parts else "Every case of both runs is compared"


CHANGED_HEAD = ("case", "repetition", "source", "measure", "old", "new", "result", "human_label")
LONE_HEAD = ("case", "repetition", "source", "outcome")
OUTCOMES = ("Scored", "Failed", "Without a score")


def changed_cells(
    rows: Iterable[ChangedCase], each: ComparedMeasure, labels: Mapping[str, JudgeLabel]
) -> Iterator[tuple[Cell, ...]]:
    """Yield the cells of a file with changed cases; scores are as the runs have them."""
    up_is_better = each.measure.at_least != each.measure.is_inverted
    for row in rows:
        result = "better" if (row.new > row.old) == up_is_better else "worse"
        label = label_text(labels.get(row.digest), row.new, each).lower()
        yield (
            row.digest,
            row.repetition,
            row.source,
            each.key,
            row.old,
            row.new,
            result,
            label or None,
        )


def lone_cells(rows: Iterable[LoneCase]) -> Iterator[tuple[Cell, ...]]:
    """Yield the cells of a file with cases of one run."""
    for row in rows:
        yield row.digest, row.repetition, row.source, OUTCOMES[row.outcome].lower()


def choices(found: RunComparison) -> list[tuple[str, str]]:
    """Return the measures whose cases can be listed."""
    return [(each.key, each.measure.name) for each in found.measures if each.paired is not None]
