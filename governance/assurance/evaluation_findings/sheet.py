"""The CSV file of a passed run: each measure with its figure, interval and verdict. Pure."""

from collections.abc import Sequence

from governance.kernel.files.spreadsheet_writer import csv_bytes
from governance.operations.evaluations import figures
from governance.operations.evaluations.models import (
    EvaluationRun,
    EvaluationSuite,
    MeasureResult,
    SuiteMeasure,
    SuiteVersion,
)
from governance.operations.systems.models import AISystem

HEAD = (
    "AI system",
    "Release",
    "Suite",
    "Version",
    "Run",
    "Ran",
    "Measure",
    "Figure",
    "Low",
    "High",
    "Unit",
    "Confidence",
    "Cases",
    "Limit",
    "Policy tier",
    "Verdict",
    "SHA-256 of the run",
    "Address",
)


def passed_sheet(
    run: EvaluationRun,
    suite: EvaluationSuite,
    version: SuiteVersion,
    system: AISystem,
    results: Sequence[tuple[MeasureResult, SuiteMeasure]],
    *,
    tier: str,
    address: str,
) -> bytes:
    """Return the CSV, with a row for each measure."""
    return csv_bytes(
        HEAD,
        (
            (
                system.key,
                run.release,
                suite.key,
                version.number,
                run.number,
                run.ran_at.date().isoformat() if run.ran_at else "",
                measure.key,
                _number(result.point),
                _number(result.low),
                _number(result.high),
                measure.unit,
                f"{100 * result.confidence:.2f}%",
                result.n,
                figures.limit(measure, result.verdicts.get(tier, {}).get("limit")),
                tier,
                "signal" if measure.is_signal else result.verdicts[tier]["verdict"],
                run.sha256,
                address,
            )
            for result, measure in results
        ),
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
