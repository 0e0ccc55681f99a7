"""Exports of the log: the list, requesting one with the filters of the log, and its page."""

from collections.abc import Mapping
from uuid import UUID

from flask import redirect, request, url_for

from governance.foundation.audit import logs
from governance.foundation.logbook import actions, permissions, queries
from governance.foundation.logbook.filters import parse
from governance.foundation.logbook.log_list import request_of
from governance.foundation.logbook.models import LogExport
from governance.foundation.people import queries as people
from governance.kernel.files.downloads import FILE
from governance.kernel.pages import work_pages
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import submission
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.web.step_up import StepUp
from governance.kernel.work.background_work import Run

feature = Feature("log_exports", __name__)
FORMATS = {
    "jsonl": (
        "JSON Lines with proofs",
        "For auditors: every entry as signed, with its proof. Verify it offline, without Meridian.",
    ),
    "ocsf": ("OCSF 1.8.0", "For a SIEM: one event per line, pseudonyms only."),
    "csv": ("CSV", "For a spreadsheet: one row per entry, no proofs."),
}


@feature.get("/audit/exports", needs=permissions.EXPORT)
def index() -> ResponseReturnValue:
    """Show the exports, and the form for a new one with the filters of the address."""
    filters = parse(request.args)
    found = queries.exports(after=request.args.get("after"))
    runs = [Run[LogExport](export, work) for export, work in found.rows]
    names = people.names(run.row.requested_by for run in runs)
    return page(
        "foundation/logbook/exports.html",
        runs=runs,
        names=names,
        next=found.next,
        kept=filters.address,
        chips=request_of(filters).chips_of("log_exports.index"),
        formats=FORMATS,
        said={run.row.id: _description(run.row.query) for run in runs},
    )


def _requested_facts() -> list[tuple[str, str]]:
    sent = submission()
    return [
        ("Format", _format(sent.fields.get("format", ""))),
        ("Entries", _description(parse(sent.query).address)),
    ]


def _facts(export_id: UUID) -> list[tuple[str, str]]:
    export = queries.export(export_id).row
    return [("Format", _format(export.format)), ("Entries", _description(export.query))]


@feature.post(
    "/audit/exports",
    needs=permissions.EXPORT,
    fresh=StepUp("Generate log export", facts=_requested_facts),
)
def ask() -> ResponseReturnValue:
    export = actions.request_export(request.form.get("format", ""), parse(request.args))
    return redirect(url_for("log_exports.export", export_id=export.id), 303)


@feature.get("/audit/exports/<uuid:export_id>", needs=permissions.EXPORT)
def export(export_id: UUID) -> ResponseReturnValue:
    run = queries.export(export_id)
    row = run.row
    keys = [str(logs.verifier(key)) for key in logs.all_keys()]
    return page(
        "foundation/logbook/export.html",
        run=run,
        progress=work_pages.shown(run),
        said=_description(row.query),
        format=_format(row.format),
        keys=keys,
        filename=actions.export_filename(row),
        moments=people.timeline([export_id]),
        requested_by=(
            people.names([row.requested_by]).get(row.requested_by) if row.requested_by else None
        ),
    )


@feature.post("/audit/exports/<uuid:export_id>/file", needs=permissions.EXPORT, answers=FILE)
def file(export_id: UUID) -> ResponseReturnValue:
    """Return the file itself. A POST, because downloading it is an entry in the log."""
    return work_pages.attachment(actions.download_export(queries.export(export_id).row))


GENERATE_AGAIN = StepUp("Generate log export", facts=_facts)
work_pages.add_routes(
    feature,
    actions.EXPORTS,
    "/audit/exports/<uuid:export_id>",
    queries.export,
    step_up=GENERATE_AGAIN,
)


# ---- words


def _format(name: str) -> str:
    return FORMATS.get(name, (name, ""))[0]


def _description(query: Mapping[str, str]) -> str:
    """Describe the exported entries, for example "action: tenant, since: 2026-11-01"."""
    return (
        ", ".join(f"{'words' if name == 'q' else name}: {value}" for name, value in query.items())
        or "the whole log"
    )
