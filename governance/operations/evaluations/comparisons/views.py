"""Pages of comparisons: choose two runs, and view their changes case by case."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import jsonify, redirect, request, url_for

from governance.kernel.errors import Invalid
from governance.kernel.files.downloads import FILE
from governance.kernel.pages.list_export import ROWS_PER_READ, csv_file, every_page
from governance.kernel.pages.rendering import Keyset, filters, page
from governance.kernel.web.forms import uuid_or_none
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.evaluations import figures, permissions, queries
from governance.operations.evaluations.comparisons import charts as comparison_charts
from governance.operations.evaluations.comparisons import comparing
from governance.operations.evaluations.comparisons import counts as comparison_counts
from governance.operations.evaluations.comparisons import text as comparison_text
from governance.operations.evaluations.comparisons.comparing import (
    ComparedMeasure,
    NotComparable,
    RunComparison,
)
from governance.operations.evaluations.comparisons.counts import PairedScore
from governance.operations.evaluations.judges import queries as judge_queries
from governance.operations.evaluations.judges.models import JudgeLabel
from governance.operations.evaluations.statistics.paired import SIGNIFICANCE, Direction
from governance.operations.evaluations.views import feature

RESULTS = {
    "changed": "Changed",
    "worse": "Worse",
    "better": "Better",
    "only-old": "Only in the earlier run",
    "only-new": "Only in the later run",
}
TWO, CASES_SHOWN = 2, 50


@feature.get("/evaluations/comparisons/new", needs=permissions.VIEW)
def choose_runs() -> ResponseReturnValue:
    """Choose two runs, or open the comparison of the two selected in the list of runs."""
    selected = [found for text in request.args.getlist("run") if (found := uuid_or_none(text))]
    if len(selected) == TWO:
        runs = sorted((queries.run(each) for each in selected), key=lambda run: run.number)
        return _to(runs[0].id, runs[1].id)
    old, new = (uuid_or_none(request.args.get(name)) for name in ("old", "new"))
    if old and new:
        return _to(old, new)
    if len(selected) == 1:
        suite, *_rest = queries.about(queries.run(selected[0]))
        return _choosing(suite.id, old=None, new=selected[0], problem="")
    problem = "Select two runs." if request.args else ""
    return _choosing(None, old=old, new=new, problem=problem)


def _choosing(
    suite_id: UUID | None, *, old: UUID | None, new: UUID | None, problem: str, status: int = 200
) -> ResponseReturnValue:
    runs = queries.comparable_runs(suite_id)
    return page(
        "operations/evaluations/choose_runs.html",
        status=status,
        choices=[(run.id, _choice(run, suite, system)) for run, suite, system in runs],
        new=new,
        old=old or _run_before(runs, new),
        problem=problem,
    )


def _to(old: UUID, new: UUID) -> ResponseReturnValue:
    return redirect(url_for("evaluations.comparison", old_id=old, new_id=new), 303)


def _choice(run: Any, suite: Any, system: Any) -> str:
    return f"Run {run.number:,} · {system.name} {run.release} · {suite.name}"


def _run_before(runs: Any, new: UUID | None) -> UUID | None:
    """Return the newest run before `new`, the default to compare with."""
    number = next((run.number for run, _suite, _system in runs if run.id == new), None)
    if number is None:
        return None
    return next((run.id for run, _suite, _system in runs if run.number < number), None)


@feature.get("/evaluations/comparisons/<uuid:old_id>/<uuid:new_id>", needs=permissions.VIEW)
def comparison(old_id: UUID, new_id: UUID) -> ResponseReturnValue:
    """Show the changes between two runs, by measure and by case."""
    try:
        found = comparing.compare(old_id, new_id)
    except NotComparable as refused:
        return _choosing(None, old=old_id, new=new_id, problem=refused.message, status=422)
    shown, result = _filtered(found)
    score = shown.score if shown else None
    cases = _cases(found, score, result, after=request.args.get("after"))
    return page(
        "operations/evaluations/comparison.html",
        found=found,
        shown=shown,
        result=result,
        results=RESULTS,
        cases=cases,
        labels=_labels(found, shown, result, cases.rows),
        sources=comparison_counts.changed_by_source(old_id, new_id, score) if score else (),
        is_good=_is_good(shown),
        text=comparison_text,
        figures=figures,
        charts=comparison_charts,
        worse=Direction.WORSE,
        significance=SIGNIFICANCE,
    )


@feature.get("/evaluations/comparisons/<uuid:old_id>/<uuid:new_id>.json", needs=permissions.VIEW)
def comparison_data(old_id: UUID, new_id: UUID) -> ResponseReturnValue:
    """Return the comparison as JSON."""
    return jsonify(comparison_text.as_json(comparing.compare(old_id, new_id)))


@feature.get(
    "/evaluations/comparisons/<uuid:old_id>/<uuid:new_id>.csv",
    needs=permissions.VIEW,
    answers=FILE,
)
def export_cases(old_id: UUID, new_id: UUID) -> ResponseReturnValue:
    """Export the cases that match the list's filters."""
    found = comparing.compare(old_id, new_id)
    shown, result = _filtered(found)
    score = shown.score if shown else None
    pages = every_page(lambda after: _cases(found, score, result, after=after, size=ROWS_PER_READ))
    is_lone = result.startswith("only")
    name = f"cases-of-runs-{found.old.run.number}-and-{found.new.run.number}"
    return csv_file(
        name,
        comparison_text.LONE_HEAD if is_lone else comparison_text.CHANGED_HEAD,
        (
            comparison_text.lone_cells(rows)
            if is_lone or shown is None
            else comparison_text.changed_cells(rows, shown, _labels(found, shown, result, rows))
            for rows in pages
        ),
    )


def _filtered(found: RunComparison) -> tuple[ComparedMeasure | None, str]:
    """Return the measure and the result that the address names. Raises Invalid."""
    asked = filters("measure", "result")
    result = asked.get("result", "changed")
    if result not in RESULTS:
        raise Invalid("Choose one of the results in the list.", field="result")
    return _shown(found, asked.get("measure")), result


def _labels(
    found: RunComparison, shown: ComparedMeasure | None, result: str, rows: Sequence[Any]
) -> Mapping[str, JudgeLabel]:
    """Return people's labels of these cases, if a judge decides whether a case passes."""
    if shown is None or shown.measure.kind != "rate" or result.startswith("only") or not rows:
        return {}
    digests = {each.digest for each in rows}
    return judge_queries.people_labels(found.new.suite.id, shown.key, digests)


def _shown(found: RunComparison, key: str | None) -> ComparedMeasure | None:
    """Return the measure whose cases are listed: the requested one, or the most telling one."""
    paired = [each for each in found.measures if each.paired is not None]
    if key:
        for each in paired:
            if each.key == key:
                return each
        raise Invalid("These runs have no cases of that measure.", field="measure")
    return min(
        paired, key=lambda each: (not each.is_tested, each.corrected or 0.0, each.key), default=None
    )


def _cases(
    found: RunComparison,
    score: PairedScore | None,
    result: str,
    *,
    after: str | None,
    size: int = CASES_SHOWN,
) -> Keyset:
    old, new = found.old.run.id, found.new.run.id
    if result == "only-old":
        return comparison_counts.cases_of_one(old, new, after=after, size=size)
    if result == "only-new":
        return comparison_counts.cases_of_one(new, old, after=after, size=size)
    if score is None:
        return Keyset((), None, 0)
    return comparison_counts.changed_cases(old, new, score, result, after=after, size=size)


def _is_good(shown: ComparedMeasure | None) -> dict[float, tuple[str, str]]:
    """Return the marks of scores 0 and 1; other scores are shown as numbers."""
    if shown is None or shown.measure.kind != "rate":
        return {}
    is_up = shown.measure.at_least != shown.measure.is_inverted
    marks = (("bad", "wrong"), ("ok", "right"))
    return {0.0: marks[not is_up], 1.0: marks[is_up]}
