"""Type II testing: control by month, one control's populations and samples, exceptions,
findings.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.assurance.controls.models import Control
from governance.assurance.evidence.file_types import find_type, plain_name
from governance.assurance.evidence.history import told
from governance.assurance.evidence.queries import covers, doers
from governance.assurance.frameworks import queries as frameworks
from governance.assurance.testing import (
    actions,
    finding_list,
    matrix,
    matrix_list,
    permissions,
    population_import,
    queries,
)
from governance.assurance.testing.exception_list import EXCEPTIONS
from governance.assurance.testing.finding_list import FINDINGS
from governance.assurance.testing.forms import (
    WORDS,
    AnswerForm,
    DrawForm,
    FindingForm,
    FreezeForm,
    MissedForm,
    RemedyForm,
    ResultForm,
    RetestForm,
    Sizes,
    UploadForm,
    answers,
)
from governance.assurance.testing.matrix_list import ALL, MATRIX
from governance.assurance.testing.models import Finding, Population, Sample, TestException
from governance.assurance.testing.occurrences import Cycle
from governance.assurance.testing.sampling import BANDS, HOUSE, METHOD, advised, spaced
from governance.assurance.testing.work_in_progress import (
    Engaged,
    current_engagement,
    work_in_progress,
)
from governance.kernel import clock, current
from governance.kernel.access import allowed, why_not
from governance.kernel.downloads import FILE
from governance.kernel.errors import Invalid
from governance.kernel.feature import Feature
from governance.kernel.forms import accepted, counted, uuid_or_none
from governance.kernel.list_export import BATCH, csv_file, every_page
from governance.kernel.list_pages import ListRequest
from governance.kernel.pages import page, table_file
from governance.kernel.spreadsheet_writer import csv_bytes
from governance.kernel.web import ResponseReturnValue

feature = Feature("testing", __name__)
MARKS = {
    "tested": "test",
    "performed": "done",
    "exception": "exc",
    "missed": "miss",
    "due": "open",
    "none": "na",
}
ROWS_SHOWN, WAITING_SHOWN = 50, 7
SIZE_FIELDS = {
    "yearly": "yearly",
    "half_yearly": "half-yearly",
    "quarterly": "quarterly",
    "monthly": "monthly",
    "weekly": "weekly",
    "daily": "daily",
}
BAND_FIELDS = ("up_to_25", "to_100", "to_250", "over_250")


# ---- the matrix


@feature.get("/evidence/type-ii", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    """Control by month.

    `cell` in the address (SEC-07.2026-11) opens the explanation of that cell.
    """
    engaged = current_engagement()()
    asked = _asked(engaged)
    (first, last), facts = _period(asked, engaged), queries.posture()
    every = queries.matrix(first, last, _framework(asked), facts=facts)
    rows = matrix_list.matching(every, asked)
    return page(
        "assurance/testing/index.html",
        rows=rows,
        every=every,
        controls=len(facts),
        asked=asked,
        first=first,
        last=last,
        columns=rows[0].months if rows else (),
        headline=matrix.headline(rows),
        marks=MARKS,
        opened=_opened(rows),
        engaged=engaged,
        running=work_in_progress()(),
        inbox=queries.inbox(facts, most=WAITING_SHOWN),
        telling=queries.telling(facts, first, last),
        covers=covers,
        spaced=spaced,
    )


@feature.get("/evidence/type-ii.csv", needs=permissions.VIEW, answers=FILE)
def export() -> ResponseReturnValue:
    """What is filtered: a row for each control and month, with its explanation."""
    engaged = current_engagement()()
    asked = _asked(engaged)
    first, last = _period(asked, engaged)
    rows = matrix_list.matching(queries.matrix(first, last, _framework(asked)), asked)
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
        )
        for r in rows
        for c in r.months
    ]
    return table_file(
        csv_bytes(head, cells),
        f"type-ii-{current.actor().tenant_slug}-{first:%Y-%m}-to-{last:%Y-%m}.csv",
    )


def _asked(engaged: Engaged | None) -> ListRequest:
    """The filters of the address.

    The engagement's framework is one until it is taken away (`framework=all`).
    """
    own = engaged.framework if engaged is not None else None
    every = [(ALL, "Every control")] if own else []
    choices = [*every, *((f.key, f.title) for f in frameworks.frameworks())]
    return MATRIX.read(choices={"framework": choices}, defaults={"framework": own} if own else None)


def _framework(asked: ListRequest) -> str | None:
    key = asked.value("framework")
    return None if key in {"", ALL} else key


def _period(asked: ListRequest, engaged: Engaged | None) -> tuple[date, date]:
    months = asked.value("months")
    return queries.default_period(int(months) if months else None, engaged=engaged)


def _opened(rows: Sequence[matrix.MatrixRow]) -> tuple[matrix.MatrixRow, matrix.Cell] | None:
    ref, _, month = request.args.get("cell", "").partition(".")
    row = next((r for r in rows if r.ref == ref), None)
    cell = next((c for c in row.months if f"{c.month:%Y-%m}" == month), None) if row else None
    return (row, cell) if row and cell else None


# ---- one control


@feature.get("/evidence/type-ii/<uuid:control_id>", needs=permissions.VIEW)
def control(control_id: UUID) -> ResponseReturnValue:
    """Its months in words, what was frozen, what was drawn, what failed."""
    held = queries.control(control_id)
    first, last = queries.default_period(engaged=current_engagement()())
    cases = queries.exceptions(control_id=held.id)
    populations, samples = queries.populations(held.id), queries.samples(held.id)
    ids = [
        held.id,
        *(p.population.id for p in populations),
        *(s.sample.id for s in samples),
        *(c.exception.id for c in cases),
    ]
    return page(
        "assurance/testing/control.html",
        control=held,
        row=queries.line(held.id, first, last),
        first=first,
        last=last,
        marks=MARKS,
        populations=populations,
        samples=samples,
        cases=cases,
        timeline=told(ids),
        spaced=spaced,
        doers=doers(
            [*(p.population.frozen_by for p in populations), *(s.sample.drawn_by for s in samples)]
        ),
    )


# ---- populations


@feature.route(
    "/evidence/type-ii/<uuid:control_id>/freeze", methods=["GET", "POST"], needs=permissions.MANAGE
)
def freeze(control_id: UUID) -> ResponseReturnValue:
    """What a collector finds now, or the control's own evidence."""
    held, made = queries.control(control_id), list[Population]()
    form = FreezeForm(**_days())
    form.key.choices = _freezable(held)
    if request.method == "POST" and accepted(form, lambda: made.append(_freeze(held, form))):
        return _frozen(made[0])
    return page(
        "assurance/testing/freeze.html",
        control=held,
        form=form,
        status=form.status if request.method == "POST" else 200,
    )


def _days() -> dict[str, date]:
    first, last = queries.default_period(engaged=current_engagement()())
    return {"period_from": first, "period_to": min(last, clock.today())}


def _freezable(held: Control) -> list[tuple[str, str]]:
    return [*queries.offered(held.ref), ("evidence", "Accepted versions of the control's evidence")]


def _freeze(held: Control, form: FreezeForm) -> Population:
    first, last = form.period_from.data, form.period_to.data
    assert first is not None
    assert last is not None
    if form.key.data == "evidence":
        return actions.freeze_versions(held, first, last)
    return actions.freeze_found(held, form.key.data, first, last)


@feature.route(
    "/evidence/type-ii/<uuid:control_id>/upload", methods=["GET", "POST"], needs=permissions.MANAGE
)
def upload(control_id: UUID) -> ResponseReturnValue:
    """A list out of another system, as CSV or XLSX."""
    held, made = queries.control(control_id), list[Population]()
    form = UploadForm(**_days(), run_on=clock.today())
    if request.method == "POST" and accepted(form, lambda: made.append(_upload(held, form))):
        return _frozen(made[0])
    return page(
        "assurance/testing/upload.html",
        control=held,
        form=form,
        status=form.status if request.method == "POST" else 200,
    )


def _upload(held: Control, form: UploadForm) -> Population:
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Invalid("Choose a file.", field="file")
    name = plain_name(sent.filename)
    # werkzeug's stream is a binary file
    kind = find_type(sent.stream, name)  # type: ignore[arg-type]
    if not {"csv", "xlsx"} & set(kind.endings):
        raise Invalid(f"{name} is {kind.says}. A population is a CSV or XLSX table.", field="file")
    assert form.period_from.data is not None
    assert form.period_to.data is not None
    assert form.run_on.data is not None
    return actions.freeze(
        held,
        key=f"file: {(form.title.data or '').strip().casefold()}",
        title=form.title.data or "",
        query=form.query.data or "",
        parameters={"file": name},
        rows=population_import.read(sent.stream, name),  # type: ignore[arg-type]  # as above
        period_from=form.period_from.data,
        period_to=form.period_to.data,
        run_at=(
            min(clock.now(), datetime.combine(form.run_on.data, time(), UTC))
            if form.run_on.data <= clock.today()
            else datetime.combine(form.run_on.data, time(), UTC)
        ),
        run_by=form.run_by.data or "",
        source="file",
    )


def _frozen(held: Population) -> ResponseReturnValue:
    flash(f"Frozen: {held.row_count} rows, SHA-256 {held.sha256[:8]}…. Draw the sample now.")
    return redirect(url_for("testing.population", population_id=held.id), 303)


@feature.get("/evidence/type-ii/populations/<uuid:population_id>", needs=permissions.VIEW)
def population(population_id: UUID) -> ResponseReturnValue:
    return _population(queries.population(population_id, whole=True), DrawForm())


def _population(held: Population, form: DrawForm, *, status: int = 200) -> ResponseReturnValue:
    of = queries.control(held.control_id)
    start = max(0, counted(request.args.get("from", "0")))
    return page(
        "assurance/testing/population.html",
        status=status,
        p=held,
        control=of,
        intact=queries.is_as_frozen(held),
        rows=held.rows[start : start + ROWS_SHOWN],
        start=start,
        following=start + ROWS_SHOWN if start + ROWS_SHOWN < held.row_count else None,
        columns=list(held.rows[0]) if held.rows else [],
        again=next((f.again for f in queries.populations(of.id) if f.population.id == held.id), ""),
        names=doers([held.frozen_by]),
        samples=[s for s in queries.samples(of.id) if s.population.id == held.id],
        form=form,
        spaced=spaced,
        method=METHOD,
        advice=advised(queries.table(), of.cadence, held.row_count),
    )


@feature.post(
    "/evidence/type-ii/populations/<uuid:population_id>/download",
    needs=permissions.VIEW,
    answers=FILE,
)
def download(population_id: UUID) -> ResponseReturnValue:
    held = queries.population(population_id, whole=True)
    actions.take_out(held)
    columns = list(held.rows[0]) if held.rows else []
    content = csv_bytes(columns, ([row.get(c) for c in columns] for row in held.rows))
    return table_file(content, f"population-{held.sha256[:8]}.csv")


@feature.post("/evidence/type-ii/populations/<uuid:population_id>/samples", needs=permissions.TEST)
def draw(population_id: UUID) -> ResponseReturnValue:
    held, form, made = (
        queries.population(population_id, whole=True),
        DrawForm(),
        list[tuple[Sample, bool]](),
    )
    of = queries.control(held.control_id)
    if not accepted(
        form,
        lambda: made.append(
            actions.draw(
                held,
                of,
                attributes=form.lines,
                seed=form.seed.data or "",
                size=form.size.data,
                reason=form.reason.data or "",
            )
        ),
    ):
        return _population(held, form, status=form.status)
    drawn, new = made[0]
    if new:
        flash(f"Drawn: {drawn.size} of {held.row_count}, seed {spaced(drawn.seed)}.")
    else:
        flash(
            f"Drawn again with seed {spaced(drawn.seed)}: the same {drawn.size} items. This is that"
            " sample."
        )
    return redirect(url_for("testing.sample", sample_id=drawn.id), 303)


# ---- samples and results


@feature.get("/evidence/type-ii/samples/<uuid:sample_id>", needs=permissions.VIEW)
def sample(sample_id: UUID) -> ResponseReturnValue:
    return _sample(sample_id)


def _sample(
    sample_id: UUID, form: ResultForm | None = None, *, status: int = 200
) -> ResponseReturnValue:
    held, of, control = queries.sample(sample_id)
    items = queries.items(held.id)
    standing = next(s for s in queries.samples(control.id) if s.sample.id == held.id)
    return page(
        "assurance/testing/sample.html",
        status=status,
        s=held,
        p=of,
        control=control,
        items=items,
        standing=standing,
        method=METHOD,
        spaced=spaced,
        form=form or _result_form(held, control.id),
        names=doers([held.drawn_by, *(v.result.tested_by for v in items if v.result)]),
        timeline=told([held.id]),
    )


def _result_form(held: Sample, control_id: UUID) -> ResultForm:
    form = answers(held.attributes)()
    form.evidence_version_id.choices = [("", "None"), *queries.version_choices(control_id)]
    return form


def _checks(held: Sample, form: ResultForm) -> dict[str, str]:
    return {name: form[f"a{n}"].data or "" for n, name in enumerate(held.attributes)}


@feature.post("/evidence/type-ii/samples/<uuid:sample_id>/results", needs=permissions.TEST)
def record_results(sample_id: UUID) -> ResponseReturnValue:
    """The same result for every ticked item."""
    held, _, control = queries.sample(sample_id)
    form = _result_form(held, control.id)
    wanted = {uuid_or_none(i) for i in request.form.getlist("ids")}
    items = [v.item for v in queries.items(held.id) if v.item.id in wanted]
    if len(items) != len(wanted):
        raise Invalid("One of the ticked items is not in this sample. Nothing was recorded.")
    if not accepted(
        form,
        lambda: actions.record_results(
            items,
            _checks(held, form),
            note=form.note.data or "",
            evidence_version_id=form.evidence_version_id.data or None,
        ),
    ):
        return _sample(sample_id, form, status=form.status)
    flash(f"Recorded for {len(items)} of {held.size} items.")
    return redirect(url_for("testing.sample", sample_id=held.id), 303)


@feature.get("/evidence/type-ii/items/<uuid:sample_item_id>", needs=permissions.VIEW)
def item(sample_item_id: UUID) -> ResponseReturnValue:
    return _item(sample_item_id)


def _item(
    sample_item_id: UUID, form: ResultForm | None = None, *, status: int = 200
) -> ResponseReturnValue:
    held = queries.item(sample_item_id)
    of, population, control = queries.sample(held.sample_id)
    results = queries.results(held.id)
    others = queries.items(of.id)
    following = next((v.item for v in others if v.result is None and v.item.id != held.id), None)
    return page(
        "assurance/testing/item.html",
        status=status,
        item=held,
        s=of,
        p=population,
        control=control,
        results=results,
        following=following,
        exception=queries.exception_of_item(held.id),
        form=form or _result_form(of, control.id),
        names=doers(r.tested_by for r in results),
        versions=dict(queries.version_choices(control.id)),
        may_record=not results or allowed(permissions.REPLACE, on=results[0]),
        words=WORDS,
    )


@feature.post("/evidence/type-ii/items/<uuid:sample_item_id>", needs=permissions.TEST)
def record_result(sample_item_id: UUID) -> ResponseReturnValue:
    held = queries.item(sample_item_id)
    of, _, control = queries.sample(held.sample_id)
    form = _result_form(of, control.id)
    if not accepted(
        form,
        lambda: actions.record_result(
            held,
            _checks(of, form),
            note=form.note.data or "",
            evidence_version_id=form.evidence_version_id.data or None,
        ),
    ):
        return _item(sample_item_id, form, status=form.status)
    found = queries.exception_of_item(held.id)
    flash(
        f"Item {held.number} is recorded."
        + (
            f" It is exception {found.ref}."
            if found and queries.results(held.id)[0].outcome == "failed"
            else ""
        )
    )
    return redirect(url_for("testing.sample", sample_id=of.id), 303)


# ---- exceptions and findings


@feature.route(
    "/evidence/type-ii/<uuid:control_id>/missed", methods=["GET", "POST"], needs=permissions.TEST
)
def record_missed(control_id: UUID) -> ResponseReturnValue:
    """A missed cycle as an exception.

    `of` in the address is the last day of the cycle to begin with.
    """
    held, made = queries.control(control_id), list[TestException]()
    form, untold = MissedForm(occurrence=request.args.get("of", "")), queries.missed(control_id)
    form.occurrence.choices = [(each.last.isoformat(), _cycle(each)) for each in untold[::-1]]
    if request.method == "POST" and accepted(form, lambda: made.append(_record_missed(held, form))):
        flash(f"{made[0].ref} is recorded. Management answers it next.")
        return redirect(url_for("testing.exception", exception_id=made[0].id), 303)
    return page(
        "assurance/testing/missed.html",
        control=held,
        form=form,
        untold=untold,
        status=form.status if request.method == "POST" else 200,
    )


def _cycle(each: Cycle) -> str:
    said = covers(each.first, each.last)
    return said if each.says in said else f"{each.says}, {said}"


def _record_missed(held: Control, form: MissedForm) -> TestException:
    said = {name: form[name].data or "" for name in ("cause", "effect", "correction")}
    return actions.record_missed(held, population_import.day_of(form.occurrence.data or ""), **said)


@feature.get("/evidence/type-ii/exceptions", needs=permissions.VIEW)
def exceptions() -> ResponseReturnValue:
    counts = queries.exceptions_by_state()
    asked = EXCEPTIONS.read(choices={"state": [(s, s.capitalize()) for s in sorted(counts)]})
    shown = queries.exceptions_page(
        asked.value("state"),
        newest_first=asked.is_descending,
        after=asked.after,
        size=EXCEPTIONS.size,
    )
    return page(
        "assurance/testing/exceptions.html",
        asked=asked,
        shown=shown,
        total=sum(counts.values()),
        open=sum(n for state, n in counts.items() if state not in queries.SETTLED),
    )


@feature.get("/evidence/type-ii/exceptions/<uuid:exception_id>", needs=permissions.VIEW)
def exception(exception_id: UUID) -> ResponseReturnValue:
    return _exception(exception_id)


def _exception(
    exception_id: UUID,
    *,
    answer: AnswerForm | None = None,
    finding: FindingForm | None = None,
    remedy: RemedyForm | None = None,
    retest: RetestForm | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    case = queries.case(exception_id)
    held, found = case.exception, case.finding
    retests = queries.retests(found.id) if found else []
    people = [
        held.found_by,
        held.responded_by,
        *((found.owner_id, found.remedied_by) if found else ()),
        *(r.tested_by for r in retests),
    ]
    return page(
        "assurance/testing/exception.html",
        status=status,
        case=case,
        e=held,
        f=found,
        retests=retests,
        names=doers(people),
        not_retesting=why_not(permissions.RETEST, on=found) if found else None,
        answer=answer or AnswerForm(obj=held),
        finding=finding or FindingForm(),
        may_remedy=_may_remedy(found),
        remedy=remedy or RemedyForm(),
        retest=retest
        or RetestForm(
            tested_on=clock.today(), failed=0, sample=case.sample.size if case.sample else 1
        ),
        timeline=told([held.id, *([found.id] if found else []), *(r.id for r in retests)]),
    )


def _may_remedy(found: Finding | None) -> bool:
    return found is not None and found.closed_at is None and allowed(permissions.REMEDY, on=found)


@feature.post("/evidence/type-ii/exceptions/<uuid:exception_id>", needs=permissions.MANAGE)
def answer(exception_id: UUID) -> ResponseReturnValue:
    held, form = queries.exception(exception_id, lock=True), AnswerForm()
    said = {name: form[name].data or "" for name in ("cause", "effect", "correction", "response")}
    if not accepted(form, lambda: actions.answer(held, version=counted(form.version.data), **said)):
        if form.stale:
            form.version.data = str(held.version)
        return _exception(exception_id, answer=form, status=form.status)
    flash(f"{held.ref} is answered.")
    return redirect(url_for("testing.exception", exception_id=held.id), 303)


@feature.post("/evidence/type-ii/exceptions/<uuid:exception_id>/finding", needs=permissions.MANAGE)
def raise_finding(exception_id: UUID) -> ResponseReturnValue:
    held, form, made = queries.exception(exception_id, lock=True), FindingForm(), list[Finding]()
    if not accepted(form, lambda: made.append(_raise(held, form))):
        return _exception(exception_id, finding=form, status=form.status)
    flash(f"{made[0].ref} is raised.")
    return redirect(url_for("testing.exception", exception_id=held.id), 303)


def _raise(held: TestException, form: FindingForm) -> Finding:
    assert form.due_on.data is not None
    return actions.raise_finding(
        held,
        title=form.title.data or "",
        plan=form.plan.data or "",
        owner_id=form.owner_id.data,
        due_on=form.due_on.data,
    )


@feature.post("/evidence/type-ii/findings/<uuid:finding_id>/remedy", needs=permissions.REMEDY)
def remedy(finding_id: UUID) -> ResponseReturnValue:
    found, held = queries.finding(finding_id, lock=True)
    form = RemedyForm()
    if not accepted(form, lambda: actions.remedy(found, form.remedy.data or "")):
        return _exception(held.id, remedy=form, status=form.status)
    flash(f"{found.ref} waits for its retest.")
    return redirect(url_for("testing.exception", exception_id=held.id), 303)


@feature.post("/evidence/type-ii/findings/<uuid:finding_id>/retest", needs=permissions.RETEST)
def retest(finding_id: UUID) -> ResponseReturnValue:
    found, held = queries.finding(finding_id, lock=True)
    form = RetestForm()
    if not accepted(form, lambda: _retest(found, held, form)):
        if found.remedied_at is None:  # the page then has no form that could show why
            flash(form.problems[0][1], "error")
        return _exception(held.id, retest=form, status=form.status)
    flash(
        f"{found.ref} is closed: the retest passed."
        if found.closed_at
        else f"{found.ref} stays open: the retest failed."
    )
    return redirect(url_for("testing.exception", exception_id=held.id), 303)


def _retest(found: Finding, held: TestException, form: RetestForm) -> None:
    assert form.tested_on.data is not None
    actions.retest(
        found,
        held,
        queries.control(held.control_id),
        tested_on=form.tested_on.data,
        sample=form.sample.data or 0,
        failed=form.failed.data or 0,
        note=form.note.data or "",
    )


@feature.get("/evidence/type-ii/findings", needs=permissions.VIEW)
def findings() -> ResponseReturnValue:
    names = doers(queries.finding_owners())
    asked = FINDINGS.read(
        choices={"owner": sorted(names.items(), key=lambda each: each[1].casefold())}
    )
    shown = queries.findings_page(
        asked.wanted, sort=asked.sort, after=asked.after, size=FINDINGS.size
    )
    counts = queries.exceptions_by_state()
    return page(
        "assurance/testing/findings.html",
        asked=asked,
        shown=shown,
        names=names,
        today=clock.today(),
        total=sum(counts.get(state, 0) for state in queries.RAISED),
        open=sum(counts.get(state, 0) for state in queries.RAISED if state != "closed"),
    )


@feature.get("/evidence/type-ii/findings.csv", needs=permissions.VIEW, answers=FILE)
def export_findings() -> ResponseReturnValue:
    """What is filtered, whole."""
    asked, names = FINDINGS.read(), doers(queries.finding_owners())
    pages = every_page(
        lambda after: queries.findings_page(asked.wanted, sort=asked.sort, after=after, size=BATCH)
    )
    rows = ((finding_list.cells(case, names) for case in cases) for cases in pages)
    return csv_file(
        f"findings-{current.actor().tenant_slug}-{clock.today()}", finding_list.HEAD, rows
    )


# ---- the sizes


@feature.route("/evidence/type-ii/sizes", methods=["GET", "POST"], needs=permissions.MANAGE)
def sizes() -> ResponseReturnValue:
    held, row = queries.table(), queries.table_row()
    shown = {name: held.by_cadence[cadence] for name, cadence in SIZE_FIELDS.items()}
    form = Sizes(
        **shown,
        **dict(zip(BAND_FIELDS, held.per_event, strict=True)),
        number=row.number if row else 0,
    )
    if request.method == "POST" and accepted(form, lambda: _set_sizes(form)):
        flash("Samples are drawn by this table from now on. Those that were drawn keep theirs.")
        return redirect(url_for("testing.sizes"), 303)
    if form.stale:
        form.number.data = str(row.number if row else 0)
    return page(
        "assurance/testing/sizes.html",
        form=form,
        row=row,
        house=HOUSE,
        bands=BANDS,
        names=doers([row.changed_by] if row else []),
        status=form.status if request.method == "POST" else 200,
    )


def _set_sizes(form: Sizes) -> None:
    by_cadence = {cadence: form[name].data for name, cadence in SIZE_FIELDS.items()}
    actions.set_table(
        by_cadence,
        [form[name].data for name in BAND_FIELDS],
        reason=form.reason.data or "",
        number=counted(form.number.data),
    )
