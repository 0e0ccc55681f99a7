"""The documents of one AI system: their versions, one version, one point."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.foundation.people import queries as people
from governance.foundation.people.queries import Moment
from governance.kernel.pages import work_pages
from governance.kernel.pages.rendering import page
from governance.kernel.safety.access import allowed
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.systems import queries as systems
from governance.operations.systems.models import AISystem
from governance.publishing.system_documents import actions, permissions, queries, record
from governance.publishing.system_documents.assembled import open_points
from governance.publishing.system_documents.catalogue import KINDS
from governance.publishing.system_documents.forms import CompleteForm, PointForm
from governance.publishing.system_documents.models import SystemDocument

feature = Feature("system_documents", __name__, counts_everything=True)
HOME = "/systems/<system_key>/documents/"
KIND = f"{HOME}<kind>"
VERSION = f"{KIND}/<int:number>"


@feature.get(HOME, needs=permissions.VIEW)
def index(system_key: str) -> ResponseReturnValue:
    """Show both documents with their versions, and how many points are open."""
    system = systems.system(system_key)
    every = queries.versions(system.id)
    drafts = [each for each in every if not each.is_complete]
    said = record.points_of(system) if drafts else []
    return page(
        "publishing/system_documents/index.html",
        system=system,
        kinds=[
            (kind, [each for each in every if each.kind == kind.key]) for kind in KINDS.values()
        ],
        open_counts={each.id: len(open_points(queries.assembled(each, said))) for each in drafts},
        names=people.names(each.completed_by for each in every),
    )


@feature.get("/system-documents/<uuid:document_id>", needs=permissions.VIEW)
def by_id(document_id: UUID) -> ResponseReturnValue:
    """Open a version by its id, as audit entries link it."""
    found = queries.document(document_id)
    return _to(systems.system(found.system_id), found, code=302)


@feature.post(KIND, needs=permissions.WRITE)
def start(system_key: str, kind: str) -> ResponseReturnValue:
    """Start the next version, or open the existing draft."""
    system = systems.system(system_key)
    return _to(system, actions.start(system, queries.kind(kind)))


@feature.get(VERSION, needs=permissions.VIEW)
def version(system_key: str, kind: str, number: int) -> ResponseReturnValue:
    system = systems.system(system_key)
    every = queries.versions(system.id, kind)
    return _version(system, queries.numbered(every, number), every, CompleteForm())


def _version(
    system: AISystem,
    found: SystemDocument,
    every: Sequence[SystemDocument],
    form: CompleteForm,
    *,
    status: int = 200,
) -> ResponseReturnValue:
    view = queries.view(found, system)
    return page(
        "publishing/system_documents/document.html",
        status=status,
        system=system,
        document=found,
        view=view,
        form=form,
        versions=every,
        files=queries.files_of(found.id) if allowed(permissions.EXPORT) else [],
        shown=work_pages.shown,
        names=people.names([found.completed_by, found.started_by]),
        history=[_moment(each) for each in people.timeline([found.id])],
    )


def _moment(each: Moment) -> dict[str, Any]:
    kind = "ok" if each.action == actions.COMPLETED.name else "dot"
    point = each.facts.get("point", "")
    text = f"{each.who} {each.says}" + (f": {point}" if point else "")
    return {"kind": kind, "text": text, "meta": each.reason, "at": each.at}


@feature.post(f"{VERSION}/complete", needs=permissions.COMPLETE)
def complete(system_key: str, kind: str, number: int) -> ResponseReturnValue:
    """Complete a draft. If there are open points, list them."""
    system = systems.system(system_key)
    found, form = queries.version(system.id, kind, number), CompleteForm()
    if not accepted(form, lambda: actions.complete(found, system)):
        every = queries.versions(system.id, kind)
        return _version(system, found, every, form, status=form.status)
    flash(f"{found.title} is complete.")
    return _to(system, found)


@feature.route(f"{VERSION}/points/<point>", methods=["GET", "POST"], needs=permissions.WRITE)
def write(system_key: str, kind: str, number: int, point: str) -> ResponseReturnValue:
    system = systems.system(system_key)
    found = queries.version(system.id, kind, number)
    asked = queries.point(found, point)
    there = queries.statement(found.id, point)
    form = PointForm(
        text=there.text if there else "",
        evidence=queries.evidence_ref(there.evidence_id) if there else "",
        does_not_apply=bool(there and there.does_not_apply),
    )

    def act() -> None:
        actions.write(
            found,
            system,
            point,
            text=form.text.data or "",
            evidence_ref=form.evidence.data or "",
            does_not_apply=bool(form.does_not_apply.data),
            seen=form.revision,
        )

    if request.method == "POST" and accepted(form, act):
        flash(f"{point} {asked.title} saved.")
        return _to(system, found, anchor=f"point-{point}")
    is_new = request.method == "GET" or form.stale
    return page(
        "publishing/system_documents/point.html",
        status=form.status if request.method == "POST" else 200,
        system=system,
        document=found,
        point=asked,
        form=form,
        seen=(there.revision if there else 0) if is_new else form.revision,
    )


def _to(
    system: AISystem, found: SystemDocument, *, anchor: str | None = None, code: int = 303
) -> ResponseReturnValue:
    address = url_for(
        "system_documents.version",
        system_key=system.key,
        kind=found.kind,
        number=found.number,
        _anchor=anchor,
    )
    return redirect(address, code)
