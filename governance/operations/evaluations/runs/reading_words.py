"""Describe how Meridian read a run's file, so that a person notices inverted scores. Pure.

`what_was_read(run, results)` returns each score by its name in the file, and the value that counts
as a pass.
"""

from collections.abc import Iterable

from governance.kernel.formatting import plural
from governance.operations.evaluations import figures
from governance.operations.evaluations.models import EvaluationRun, MeasureResult, SuiteMeasure
from governance.operations.evaluations.runs.polarity import GOOD


def what_was_read(
    run: EvaluationRun, results: Iterable[tuple[MeasureResult, SuiteMeasure]]
) -> list[tuple[str, str]]:
    """Return ("harmful-output", "true counts as a failure: 41 of 50 passed") per measure.

    Only measures with cases in the run are included; a percentile has no score.
    """
    return [
        _read(run, result, measure)
        for result, measure in results
        if result.n and measure.kind != "percentile"
    ]


def _read(run: EvaluationRun, result: MeasureResult, measure: SuiteMeasure) -> tuple[str, str]:
    names = (measure.key, *measure.sources)
    name = next((each for each in names if each in run.read_as), "")
    side = "a pass" if run.read_as.get(name) == GOOD else "a failure"
    if result.successes is None:
        mean = f"{figures.amount(result.point, measure.unit)} on average"
        of = f"{mean} of {plural(result.n, 'case')}"
        counts = f"1 counts as {side}. {measure.name} is {of}"
        return (name, counts) if name else (measure.name, of)
    passed = result.successes if measure.at_least else result.n - result.successes
    counts = f"true counts as {side}" if name else f"as {run.tool or 'the file'} counts a pass"
    return name or measure.name, f"{counts}: {passed:,} of {result.n:,} passed"
