"""Exports of the log: asking for one with the filters of the log's page, watching it, taking the file."""

from collections.abc import Mapping
from uuid import UUID

from flask import Response, redirect, request, url_for

from governance.foundation.audit import logs
from governance.foundation.logbook import actions, permissions, queries
from governance.foundation.logbook.exporting import SUFFIXES
from governance.foundation.logbook.filters import parse
from governance.foundation.logbook.log_list import request_of
from governance.foundation.logbook.models import LogExport
from governance.foundation.people import queries as people
from governance.kernel import formatting, storage
from governance.kernel.feature import Feature
from governance.kernel.forms import submission
from governance.kernel.pages import page
from governance.kernel.step_up import StepUp
from governance.kernel.web import ResponseReturnValue

feature = Feature("log_exports", __name__)
FORMATS = {
    "jsonl": (
        "JSON Lines with proofs",
        "For auditors: every entry as it was signed, with its proof. Verified offline, without us.",
    ),
    "ocsf": ("OCSF 1.8.0", "For a SIEM: one event a line, pseudonyms only."),
    "csv": ("CSV", "For a spreadsheet: one row an entry, no proofs."),
}
TYPES = {"jsonl": "application/jsonl", "ocsf": "application/jsonl", "csv": "text/csv; charset=utf-8"}


@feature.get("/audit/exports", needs=permissions.EXPORT)
def index() -> ResponseReturnValue:
    """The exports there are, and the form for another one with the filters that came in the address."""
    asked = parse(request.args)
    found = queries.exports(after=request.args.get("after"))
    runs = [queries.Run(export, work) for export, work in found.rows]
    names = people.names(run.export.asked_by for run in runs)
    return page("foundation/logbook/exports.html", runs=runs, names=names, next=found.next, kept=asked.address, chips=request_of(asked).chips_of("log_exports.index"), formats=FORMATS,
                said={run.export.id: _said(run.export) for run in runs})  # fmt: skip


def _wanted() -> list[tuple[str, str]]:
    sent = submission()
    return [("Format", _format(sent.fields.get("format", ""))), ("Entries", _in_words(parse(sent.query).address))]


def _wanted_before(export_id: UUID) -> list[tuple[str, str]]:
    held = queries.export(export_id).export
    return [("Format", _format(held.format)), ("Entries", _said(held))]


@feature.post("/audit/exports", needs=permissions.EXPORT, fresh=StepUp("Generate log export", facts=_wanted))
def ask() -> ResponseReturnValue:
    export = actions.ask_export(request.form.get("format", ""), parse(request.args))
    return redirect(url_for("log_exports.export", export_id=export.id), 303)


@feature.get("/audit/exports/<uuid:export_id>", needs=permissions.EXPORT)
def export(export_id: UUID) -> ResponseReturnValue:
    run = queries.export(export_id)
    held = run.export
    keys = [str(logs.verifier(key)) for key in logs.all_keys()]
    return page("foundation/logbook/export.html", run=run, said=_said(held), format=_format(held.format), keys=keys,
                filename=_filename(held), moments=people.timeline([export_id]), asked_by=people.names([held.asked_by]).get(held.asked_by) if held.asked_by else None)  # fmt: skip


@feature.post("/audit/exports/<uuid:export_id>/file", needs=permissions.EXPORT)
def file(export_id: UUID) -> ResponseReturnValue:
    """The file itself. A POST, because taking it is an entry in the log. A reader who goes away in the middle may take it again."""
    held = queries.export(export_id).export
    response = Response(storage.pieces(actions.take_export(held)), content_type=TYPES[held.format])
    response.headers["Content-Disposition"] = f'attachment; filename="{_filename(held)}"'
    if held.size is not None:
        response.content_length = held.size
    return response


@feature.post("/audit/exports/<uuid:export_id>/cancel", needs=permissions.EXPORT)
def cancel(export_id: UUID) -> ResponseReturnValue:
    actions.cancel_export(queries.export(export_id))
    return redirect(url_for("log_exports.export", export_id=export_id), 303)


GENERATE_AGAIN = StepUp("Generate log export", facts=_wanted_before)


@feature.post("/audit/exports/<uuid:export_id>/again", needs=permissions.EXPORT, fresh=GENERATE_AGAIN)
def again(export_id: UUID) -> ResponseReturnValue:
    actions.export_again(queries.export(export_id))
    return redirect(url_for("log_exports.export", export_id=export_id), 303)


# ---- words


def _label(name: str) -> str:
    return {"q": "Words"}.get(name, name.capitalize())


def _format(name: str) -> str:
    return FORMATS.get(name, (name, ""))[0]


def _said(held: LogExport) -> str:
    return _in_words(held.query)


def _in_words(query: Mapping[str, str]) -> str:
    """The filters in words."""
    return ", ".join(f"{_label(name).lower()} {value}" for name, value in query.items()) or "the whole log"


def _filename(held: LogExport) -> str:
    """audit-export-2026-11-25.jsonl, in the tenant's day; "some" stands in it when filters were set."""
    day = held.created_at.astimezone(formatting.zone()).date()
    return f"audit-export{'-some' if held.query else ''}-{day}.{SUFFIXES.get(held.format, 'txt')}"
