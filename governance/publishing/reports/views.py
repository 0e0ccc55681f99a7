"""Reports: the list, asking for one, watching it, taking it; and checking one without an account."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

from flask import Response, jsonify, redirect, request, stream_with_context, url_for

from governance.assurance.assessments import queries as assessments
from governance.assurance.testing import queries as testing
from governance.foundation.people import queries as people
from governance.kernel import clock, current, storage
from governance.kernel.access import PUBLIC
from governance.kernel.db import session, transaction
from governance.kernel.downloads import FILE, STREAM
from governance.kernel.errors import Invalid
from governance.kernel.feature import Feature
from governance.kernel.forms import Form, accepted
from governance.kernel.jobs import WorkItem
from governance.kernel.pages import page
from governance.kernel.scope import limits
from governance.kernel.web import ResponseReturnValue
from governance.publishing.reports import actions, permissions, queries
from governance.publishing.reports.document import filename
from governance.publishing.reports.forms import AttestForm, MatrixForm, ReadinessForm
from governance.publishing.reports.models import ReportRun
from governance.publishing.reports.queries import Run
from governance.publishing.reports.sandboxed_verify import verify

feature = Feature("reports", __name__)
public = Feature("report_check", __name__, scope="public")
WATCH_SECONDS = 50
WATCHERS, COME_BACK = 4, 2000  # streams that a worker keeps open at once: each holds a thread. Others hear one line and come back
_watchers = threading.BoundedSemaphore(WATCHERS)
CHECK_LIMIT = 64 * 1024 * 1024


@feature.get("/reports/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    return _index()


def _index(
    *, attest: AttestForm | None = None, ready: ReadinessForm | None = None, matrix: MatrixForm | None = None, status: int = 200
) -> ResponseReturnValue:
    """The list, with a form for each kind; one of them may have come back refused."""
    today, runs = clock.today(), queries.runs()
    first, last = testing.default_period()
    forms = {
        "form": attest or _unsent(AttestForm(), since=_quarter(today), until=today),
        "readiness": ready or _unsent(ReadinessForm(), categories=["security"], on=today),
        "matrix": matrix or _unsent(MatrixForm(), begins=first, ends=last),
    }
    names = people.names(r.report.asked_by for r in runs)
    return page(
        "publishing/reports/index.html", runs=runs, names=names, assessments=queries.reportable(), limited=limits() is not None, status=status, **forms
    )  # fmt: skip


def _unsent[F: Form](form: F, **defaults: Any) -> F:
    """The form as it stands before anybody fills it in, also while the answer to another one is shown."""
    form.process(None, **defaults)
    return form


def _quarter(day: date) -> date:
    """The first day of its quarter."""
    return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)


@feature.post("/reports/", needs=permissions.RUN)
def ask() -> ResponseReturnValue:
    """Queue a report; a double click watches the one that the first click began."""
    try:
        wanted = UUID(request.form.get("assessment_id", ""))
    except ValueError:
        raise Invalid("Choose the assessment that the report is about.", field="assessment_id") from None
    report = actions.ask(assessments.assessment(wanted))
    return redirect(url_for("reports.report", run_id=report.id), 303)


@feature.post("/reports/attestations", needs=permissions.RUN)
def attest() -> ResponseReturnValue:
    """Queue a policy attestation of a period or of a day; a double click watches the one that the first click began."""
    form = AttestForm()
    asked: list[ReportRun] = []
    if not accepted(form, lambda: asked.append(_attested(form))):
        return _index(attest=form, status=form.status)
    return redirect(url_for("reports.report", run_id=asked[0].id), 303)


def _attested(form: AttestForm) -> ReportRun:
    since = form.since.data if form.span.data == "period" else None
    if form.span.data == "period" and since is None:
        raise Invalid("From which day?", field="since")
    return actions.ask_attestation(until=form.until.data or clock.today(), since=since)


@feature.post("/reports/readiness", needs=permissions.RUN)
def ready() -> ResponseReturnValue:
    """Queue a SOC 2 readiness report; a double click watches the one that the first click began."""
    form = ReadinessForm()
    asked: list[ReportRun] = []
    chosen = set(form.categories.data or ())
    if not accepted(form, lambda: asked.append(actions.ask_readiness(until=form.on.data or clock.today(), categories=chosen))):
        return _index(ready=form, status=form.status)
    return redirect(url_for("reports.report", run_id=asked[0].id), 303)


@feature.post("/reports/matrices", needs=permissions.RUN)
def matrix() -> ResponseReturnValue:
    """Queue a Type II evidence matrix; a double click watches the one that the first click began."""
    form = MatrixForm()
    asked: list[ReportRun] = []
    if not accepted(form, lambda: asked.append(_matrix(form))):
        return _index(matrix=form, status=form.status)
    return redirect(url_for("reports.report", run_id=asked[0].id), 303)


def _matrix(form: MatrixForm) -> ReportRun:
    today = clock.today()
    return actions.ask_matrix(
        since=form.begins.data or today, until=form.ends.data or today, framework=form.framework.data or None
    )


@feature.get("/reports/<uuid:run_id>", needs=permissions.VIEW)
def report(run_id: UUID) -> ResponseReturnValue:
    run = queries.run(run_id)
    name = filename(run.report.snapshot) if run.report.snapshot else ""
    return page("publishing/reports/report.html", run=run, filename=name, moments=people.timeline([run_id]), keys=[actions.key_line(k) for k in queries.signing_keys()],
                asked_by=people.names([run.report.asked_by]).get(run.report.asked_by) if run.report.asked_by else None)  # fmt: skip


@feature.post("/reports/<uuid:run_id>/cancel", needs=permissions.RUN)
def cancel(run_id: UUID) -> ResponseReturnValue:
    run = queries.run(run_id)
    actions.cancel(run.report, run.work)
    return redirect(url_for("reports.report", run_id=run_id), 303)


@feature.post("/reports/<uuid:run_id>/again", needs=permissions.RUN)
def again(run_id: UUID) -> ResponseReturnValue:
    run = queries.run(run_id)
    actions.run_again(run.report, run.work)
    return redirect(url_for("reports.report", run_id=run_id), 303)


@feature.post("/reports/<uuid:run_id>/pdf", needs=permissions.VIEW, answers=FILE)
def pdf(run_id: UUID) -> ResponseReturnValue:
    """The file itself. A POST, because taking it is an entry in the log."""
    run = queries.run(run_id)
    actions.take(run.report, what="pdf")
    key = run.report.pdf_key or ""
    return _attachment(storage.pieces(key), _name(run), "application/pdf", run.report.pdf_size)


@feature.post("/reports/<uuid:run_id>/signature", needs=permissions.VIEW, answers=FILE)
def signature(run_id: UUID) -> ResponseReturnValue:
    run = queries.run(run_id)
    actions.take(run.report, what="signature")
    return _attachment(iter([(run.report.signature or "").encode()]), f"{_name(run)}.sig", "text/plain; charset=utf-8", None)


def _name(run: Run) -> str:
    return filename(run.report.snapshot or {})


def _attachment(content: Iterator[bytes], name: str, media_type: str, size: int | None) -> Response:
    response = Response(content, content_type=media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    if size is not None:
        response.content_length = size
    return response


# ---- watching work


@feature.get("/work/<uuid:item_id>", needs=permissions.VIEW, attended=False)
def work(item_id: UUID) -> ResponseReturnValue:
    return jsonify(_told(queries.work_item(item_id)))


@feature.get("/work/<uuid:item_id>/events", needs=permissions.VIEW, attended=False, answers=STREAM)
def events(item_id: UUID) -> ResponseReturnValue:
    """Server-sent events while the work runs; the browser comes back when the minute is over."""
    queries.work_item(item_id)
    stream = stream_with_context(_follow(item_id, current.actor()))
    return Response(stream, content_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _follow(item_id: UUID, who: current.Actor) -> Iterator[str]:
    """Taken and given back in here, so that a stream which never began holds nothing."""
    if not _watchers.acquire(blocking=False):
        yield f"retry: {COME_BACK}\ndata: {json.dumps(_state(item_id, who))}\n\n"
        return
    try:
        yield from _lines(item_id, who)
    finally:
        _watchers.release()


def _state(item_id: UUID, who: current.Actor) -> dict[str, object]:
    with current.acting_as(who), transaction(read_only=True):
        told = _told(queries.work_item(item_id))
        session().rollback()
    return told


def _lines(item_id: UUID, who: current.Actor) -> Iterator[str]:
    end, last = time.monotonic() + WATCH_SECONDS, ""
    while time.monotonic() < end:
        told = _state(item_id, who)
        line = json.dumps(told)
        yield f"data: {line}\n\n" if line != last else ":\n\n"  # a comment tells us of a browser that has left
        last = line
        if told["over"]:
            return
        time.sleep(0.4)


def _told(item: WorkItem) -> dict[str, object]:
    left = ""
    if item.state == "running" and item.started_at and item.done > 3 and item.total:  # noqa: PLR2004 - before that it is a guess
        seconds = (clock.now() - item.started_at).total_seconds() * (item.total - item.done) / item.done
        left = f"about {max(1, round(seconds))} s left"
    return {"state": item.state, "step": item.step, "percent": item.percent, "left": left, "error": item.step if item.state == "failed" else "",
            "over": item.is_over}  # fmt: skip


# ---- checking a report, without an account


@public.get("/verify", needs=PUBLIC)
def verify_page() -> ResponseReturnValue:
    return page("publishing/reports/verify.html", keys=_keys(), result=None)


@public.post("/verify", needs=PUBLIC)
def verify_file() -> ResponseReturnValue:
    """The same check as `governance verify-report`, on dropped files; nothing is kept."""
    report, note = request.files.get("report"), request.files.get("signature")
    key = request.form.get("key", "").strip()
    problems = [
        says
        for says, missing in (
            ("the report (PDF)", not report or not report.filename),
            ("its signature (.sig)", not note or not note.filename),
        )
        if missing
    ]
    if problems or report is None or note is None:
        return page(
            "publishing/reports/verify.html", keys=_keys(), result=None, problem=f"Give {' and '.join(problems)}.", status=422
        )
    result = verify(
        report.stream.read(CHECK_LIMIT + 1), note.stream.read(65_536).decode("utf-8", "replace"), key or (_keys() or [""])[0]
    )
    return page("publishing/reports/verify.html", keys=_keys(), result=result, key=key)


@public.get("/keys", needs=PUBLIC)
def keys() -> ResponseReturnValue:
    """The verifier keys, one a line, the newest first."""
    return Response("".join(f"{line}\n" for line in _keys()), content_type="text/plain; charset=utf-8")


def _keys() -> list[str]:
    with transaction(read_only=True):
        return [actions.key_line(key) for key in queries.signing_keys()]
