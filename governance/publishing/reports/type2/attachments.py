"""The files inside a Type II evidence matrix. Pure; every CSV is formula-safe."""

from collections.abc import Mapping
from typing import Any

from governance.kernel.files.spreadsheet_writer import Cell, csv_bytes
from governance.kernel.pictures.pdf import Attachment
from governance.publishing.reports.ai_rmf.attachments import with_manifest
from governance.publishing.reports.ai_rmf.snapshot import canonical
from governance.publishing.reports.type2.figures import MatrixFigures
from governance.publishing.reports.wording import many_digits

type Json = Mapping[str, Any]


def attachments(frozen: Json) -> tuple[Attachment, ...]:
    """Return snapshot.json first, and the manifest last because it has the digests of the others."""
    counts = MatrixFigures(frozen)
    files = (
        Attachment("snapshot.json", canonical(frozen), "Frozen data of this report"),
        Attachment(
            "matrix.csv",
            matrix_csv(frozen),
            f"{many_digits(len(counts.controls), 'control')} by"
            f" {many_digits(len(counts.months), 'month')}, each cell explained",
        ),
        Attachment(
            "samples.csv",
            samples_csv(frozen),
            f"{many_digits(counts.items, 'sampled item')} with results",
        ),
        Attachment(
            "exceptions.csv",
            exceptions_csv(frozen),
            f"{many_digits(len(counts.exceptions), 'exception')} with findings",
        ),
        *(
            Attachment(
                file_of(each),
                population_csv(each),
                f"{many_digits(each['row_count'], 'row')} of {each['number']}",
            )
            for each in counts.populations
            if each["attached"]
        ),
    )
    digests = [
        {name: each[name] for name in ("number", "sha256", "row_count", "attached")}
        for each in counts.populations
    ]
    return with_manifest(frozen, files, {"period": frozen["period"], "populations": digests})


def file_of(population: Json) -> str:
    """Return a file name such as "POP-01.csv", with the population's number in this report."""
    return f"{population['number']}.csv"


def matrix_csv(frozen: Json) -> bytes:
    """Return the table with one row for each control and month."""
    head = ("control", "title", "cadence", "month", "state", "count", "why")
    return csv_bytes(
        head,
        [
            (
                each["ref"],
                each["title"],
                each["cadence"],
                cell["month"][:7],
                cell["kind"],
                cell["count"],
                cell["why"],
            )
            for each in frozen["controls"]
            for cell in each["months"]
        ],
    )


def samples_csv(frozen: Json) -> bytes:
    """Return the table with one row per drawn item."""
    head = (
        "sample",
        "control",
        "population",
        "rule",
        "seed",
        "number",
        "item",
        "dated",
        "outcome",
        "checks",
        "note",
        "tested by",
        "tested at",
        "results",
        "exception",
    )
    rows: list[tuple[Cell, ...]] = [
        (
            each["number"],
            each["control"],
            each["population"],
            each["rule"],
            each["seed"],
            item["number"],
            item["item"],
            item["dated"],
            item["outcome"] or "not tested",
            "; ".join(f"{name}: {result}" for name, result in sorted(item["checks"].items())),
            item["note"],
            item["tested_by"],
            item["tested_at"],
            item["results"],
            item["exception"],
        )
        for each in frozen["samples"]
        for item in each["items"]
    ]
    return csv_bytes(head, rows)


def exceptions_csv(frozen: Json) -> bytes:
    """Return the table with one row per exception, with its finding and last retest."""
    head = (
        "exception",
        "control",
        "item",
        "what was found",
        "cause",
        "effect",
        "correction",
        "management response",
        "answered by",
        "state",
        "finding",
        "plan",
        "owner",
        "due",
        "fix",
        "closed",
        "last retest",
        "retested items",
        "failed items",
    )
    return csv_bytes(head, [_exception_row(each) for each in frozen["exceptions"]])


def _exception_row(each: Json) -> tuple[Cell, ...]:
    finding = each["finding"]
    exception = (
        each["ref"],
        each["control"],
        each["item"],
        each["says"],
        each["cause"],
        each["effect"],
        each["correction"],
        each["response"],
        each["responded_by"],
        each["state"],
    )
    if finding is None:
        return (*exception, *(None,) * 9)
    last = finding["retests"][-1] if finding["retests"] else None
    retest = (last["on"], last["sample"], last["failed"]) if last else (None, None, None)
    return (
        *exception,
        finding["ref"],
        finding["plan"],
        finding["owner"],
        finding["due_on"],
        finding["remedy"],
        finding["closed_at"],
        *retest,
    )


def population_csv(population: Json) -> bytes:
    """Return the population's rows as they were frozen."""
    return csv_bytes(population["columns"], population["rows"])
