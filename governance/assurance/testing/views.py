"""Pages of the Type II matrix and of one control.

Other view modules of the package add routes to the same feature.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from flask import request

from governance.assurance.evidence.history import timeline_entries
from governance.assurance.evidence.period_labels import period_label
from governance.assurance.frameworks import queries as frameworks
from governance.assurance.testing import (
    control_scope,
    exception_queries,
    matrix_facts,
    matrix_list,
    matrix_panels,
    matrix_queries,
    matrix_sentences,
    permissions,
    population_queries,
    sample_queries,
)
from governance.assurance.testing.matrix_list import ALL_CONTROLS, MATRIX
from governance.assurance.testing.sampling import (
    spaced_seed,
)
from governance.assurance.testing.work_in_progress import (
    CurrentEngagement,
    current_engagement,
    work_in_progress,
)
from governance.foundation.people.aliases import shown_names
from governance.kernel import current
from governance.kernel.files.downloads import FILE
from governance.kernel.files.spreadsheet_writer import csv_bytes
from governance.kernel.pages.list_export import chosen
from governance.kernel.pages.list_pages import ListRequest
from governance.kernel.pages.rendering import page, table_file
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("testing", __name__)
MARKS = {
    "tested": "test",
    "performed": "done",
    "exception": "exc",
    "missed": "miss",
    "due": "open",
    "none": "na",
}
PENDING_SHOWN = 7  # Versions that await review.


# ---- the matrix


@feature.get("/evidence/type-ii", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    """Show controls by month.

    `cell` in the URL (SEC-07.2026-11) opens the explanation of that cell.
    """
    engaged = current_engagement()()
    list_request = _asked(engaged)
    (first, last), facts = _period(list_request, engaged), matrix_queries.controls_in_scope()
    every = matrix_queries.matrix(first, last, _framework(list_request), facts=facts)
    rows = matrix_list.filter_rows(every, list_request)
    return page(
        "assurance/testing/index.html",
        rows=rows,
        every=every,
        controls=len(facts),
        asked=list_request,
        first=first,
        last=last,
        columns=rows[0].months if rows else (),
        headline=matrix_sentences.headline(rows),
        marks=MARKS,
        opened=_opened(rows),
        engaged=engaged,
        running=work_in_progress()(),
        inbox=matrix_panels.review_panel(facts, most=PENDING_SHOWN),
        top_sample=matrix_panels.top_sample(facts, first, last),
        covers=period_label,
        spaced=spaced_seed,
    )


@feature.get("/evidence/type-ii.csv", needs=permissions.VIEW, answers=FILE)
def export() -> ResponseReturnValue:
    """Download a row for each control and month that match the filters, with its explanation."""
    engaged = current_engagement()()
    list_request = _asked(engaged)
    first, last = _period(list_request, engaged)
    rows = matrix_list.filter_rows(
        matrix_queries.matrix(first, last, _framework(list_request)), list_request
    )
    head = (
        "Control",
        "Title",
        "Cadence",
        "Month",
        "State",
        "Count",
        "Explanation",
        "Tested",
        "To be tested",
        "Performed",
        "To be performed",
        "Exceptions",
        "Missed cycles",
    )
    cells = [
        (
            r.ref,
            r.title,
            r.cadence,
            f"{c.month:%Y-%m}",
            c.kind,
            c.count,
            c.why,
            r.tested,
            r.expected,
            r.on_file,
            r.due,
            ", ".join(r.exceptions),
            ", ".join(r.lacks),
        )
        for r in rows
        for c in r.months
    ]
    return table_file(
        csv_bytes(*chosen(list_request, head, cells)),
        f"type-ii-{current.actor().tenant_slug}-{first:%Y-%m}-to-{last:%Y-%m}.csv",
    )


def _asked(engaged: CurrentEngagement | None) -> ListRequest:
    """Read the filters.

    The engagement's framework is the default until it is cleared (`framework=all`).
    """
    own = engaged.framework if engaged is not None else None
    every = [(ALL_CONTROLS, "Every control")] if own else []
    choices = [*every, *frameworks.choices()]
    return MATRIX.read(choices={"framework": choices}, defaults={"framework": own} if own else None)


def _framework(list_request: ListRequest) -> str | None:
    key = list_request.value("framework")
    return None if key in {"", ALL_CONTROLS} else key


def _period(list_request: ListRequest, engaged: CurrentEngagement | None) -> tuple[date, date]:
    months = list_request.value("months")
    return matrix_queries.default_period(int(months) if months else None, engaged=engaged)


def _opened(
    rows: Sequence[matrix_facts.MatrixRow],
) -> tuple[matrix_facts.MatrixRow, matrix_facts.MatrixCell] | None:
    ref, _, month = request.args.get("cell", "").partition(".")
    row = next((r for r in rows if r.ref == ref), None)
    cell = next((c for c in row.months if f"{c.month:%Y-%m}" == month), None) if row else None
    return (row, cell) if row and cell else None


# ---- one control


@feature.get("/evidence/type-ii/<uuid:control_id>", needs=permissions.VIEW)
def control(control_id: UUID) -> ResponseReturnValue:
    """Show a control's months as text, its populations, samples and exceptions."""
    first, last = matrix_queries.default_period(engaged=current_engagement()())
    control = control_scope.control_in_scope(control_id)
    cases = exception_queries.exceptions(control_id=control.id)
    populations, samples = (
        population_queries.populations(control.id),
        sample_queries.samples(control.id),
    )
    ids = [
        control.id,
        *(p.population.id for p in populations),
        *(s.sample.id for s in samples),
        *(c.exception.id for c in cases),
    ]
    return page(
        "assurance/testing/control.html",
        control=control,
        row=matrix_queries.control_row(control.id, first, last),
        first=first,
        last=last,
        marks=MARKS,
        populations=populations,
        samples=samples,
        cases=cases,
        timeline=timeline_entries(ids),
        spaced=spaced_seed,
        doers=shown_names(
            [*(p.population.frozen_by for p in populations), *(s.sample.drawn_by for s in samples)]
        ),
    )
