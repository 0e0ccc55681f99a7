"""Exports of the log: requesting one with the filters of the log's page, its page, its download."""

from collections.abc import Mapping
from uuid import UUID

from flask import redirect, request, url_for

from governance.foundation.audit import logs
from governance.foundation.logbook import actions, permissions, queries
from governance.foundation.logbook.filters import parse
from governance.foundation.logbook.log_list import request_of
from governance.foundation.logbook.models import LogExport
from governance.foundation.people import queries as people
from governance.kernel import work_pages
from governance.kernel.background_work import Run
from governance.kernel.downloads import FILE
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


@feature.get("/audit/exports", needs=permissions.EXPORT)
def index() -> ResponseReturnValue:
    """The exports there are, and the form for another one with the filters that came in the
    address.
    """
    asked = parse(request.args)
    found = queries.exports(after=request.args.get("after"))
    runs = [Run[LogExport](export, work) for export, work in found.rows]
    names = people.names(run.row.requested_by for run in runs)
    return page(
        "foundation/logbook/exports.html",
        runs=runs,
        names=names,
        next=found.next,
        kept=asked.address,
        chips=request_of(asked).chips_of("log_exports.index"),
        formats=FORMATS,
        said={run.row.id: _said(run.row) for run in runs},
    )


def _wanted() -> list[tuple[str, str]]:
    sent = submission()
    return [
        ("Format", _format(sent.fields.get("format", ""))),
        ("Entries", _in_words(parse(sent.query).address)),
    ]


def _wanted_before(export_id: UUID) -> list[tuple[str, str]]:
    held = queries.export(export_id).row
    return [("Format", _format(held.format)), ("Entries", _said(held))]


@feature.post(
    "/audit/exports", needs=permissions.EXPORT, fresh=StepUp("Generate log export", facts=_wanted)
)
def ask() -> ResponseReturnValue:
    export = actions.ask_export(request.form.get("format", ""), parse(request.args))
    return redirect(url_for("log_exports.export", export_id=export.id), 303)


@feature.get("/audit/exports/<uuid:export_id>", needs=permissions.EXPORT)
def export(export_id: UUID) -> ResponseReturnValue:
    run = queries.export(export_id)
    held = run.row
    keys = [str(logs.verifier(key)) for key in logs.all_keys()]
    return page(
        "foundation/logbook/export.html",
        run=run,
        progress=work_pages.shown(run),
        said=_said(held),
        format=_format(held.format),
        keys=keys,
        filename=actions.export_filename(held),
        moments=people.timeline([export_id]),
        requested_by=people.names([held.requested_by]).get(held.requested_by)
        if held.requested_by
        else None,
    )


@feature.post("/audit/exports/<uuid:export_id>/file", needs=permissions.EXPORT, answers=FILE)
def file(export_id: UUID) -> ResponseReturnValue:
    """The file itself. A POST, because downloading it is an entry in the log."""
    return work_pages.attachment(actions.download_export(queries.export(export_id).row))


GENERATE_AGAIN = StepUp("Generate log export", facts=_wanted_before)
work_pages.add_routes(
    feature,
    actions.EXPORTS,
    "/audit/exports/<uuid:export_id>",
    queries.export,
    step_up=GENERATE_AGAIN,
)


# ---- words


def _label(name: str) -> str:
    return {"q": "Words"}.get(name, name.capitalize())


def _format(name: str) -> str:
    return FORMATS.get(name, (name, ""))[0]


def _said(held: LogExport) -> str:
    return _in_words(held.query)


def _in_words(query: Mapping[str, str]) -> str:
    """The filters in words."""
    return (
        ", ".join(f"{_label(name).lower()} {value}" for name, value in query.items())
        or "the whole log"
    )
