"""Pages of risks: the list with its heat map, detail, creating, editing and closing."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.assurance.evidence.forms import AssignOwnerForm
from governance.assurance.evidence.history import timeline_entries
from governance.assurance.risks import (
    actions,
    heat_map,
    mitigation_actions,
    permissions,
    queries,
    score_actions,
    score_chart,
    sentences,
    source_lists,
)
from governance.assurance.risks.forms import (
    RiskCloseForm,
    RiskControlForm,
    RiskCreateForm,
    RiskEditForm,
)
from governance.assurance.risks.models import Risk
from governance.assurance.risks.movements import movements
from governance.assurance.risks.risk_list import RISK_FILE, RISKS, lines, matching
from governance.assurance.risks.risk_record import RISK, TREATMENTS
from governance.assurance.risks.scales import BANDS
from governance.assurance.risks.scoring import AXES
from governance.foundation.people import assigning, owners
from governance.foundation.people.aliases import shown_names
from governance.kernel import clock, current
from governance.kernel.errors import NotFound
from governance.kernel.files.downloads import FILE
from governance.kernel.files.spreadsheet_writer import csv_bytes, xlsx_bytes
from governance.kernel.pages.list_export import table
from governance.kernel.pages.list_pages import one_page
from governance.kernel.pages.rendering import page, table_file
from governance.kernel.pages.undo_pages import say_changed, undo_offer
from governance.kernel.safety.access import allowed
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted, counted
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.systems import queries as systems

feature = Feature("risks", __name__, counts_everything=True)


# ---- the list


@feature.get("/risks/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    """List the risks, highest residual score first, below the heat map."""
    assignees = owners.assignee_choices()
    asked = RISKS.read(choices={"owner": owners.filter_choices(assignees)})
    every = queries.posture(closed=asked.value("state") == "closed")
    names = owners.names_among((each.risk.owner_id for each in every), assignees)
    found = matching(lines(every, names), asked)
    shown = one_page(found, asked, lambda line: line.posture.risk.ref)
    scale, is_open = queries.scale(), asked.value("state") != "closed"
    return page(
        "assurance/risks/index.html",
        asked=asked,
        record=RISK,
        rows=shown.rows,
        next=shown.next,
        matches=len(found),
        total=len(every),
        title=sentences.headline(every, clock.today()) if is_open else "Closed risks",
        scale=scale,
        maps=_maps(every, scale) if every and is_open else [],
        legend=heat_map.legend(scale),
        moved=movements(every) if is_open else None,
        unscored=sum(not each.is_comparable for each in every) if is_open else 0,
        owners=assignees,
    )


def _maps(every: list[queries.RiskPosture], scale: Any) -> list[tuple[str, str, str, Any]]:
    """Return (title, subtitle, filter name, heat map) before and after controls."""
    return [
        (
            sentences.above(every, before=True),
            "Inherent score. Likelihood upwards, impact to the right",
            "inherent_at",
            heat_map.heat_map(every, scale, heat_map.before),
        ),
        (
            sentences.above(every, before=False),
            "Residual score, derived from the status of the controls",
            "residual_at",
            heat_map.heat_map(every, scale, heat_map.after),
        ),
    ]


@feature.get("/risks/export.<any(csv, xlsx):form>", needs=permissions.VIEW, answers=FILE)
def export(form: str) -> ResponseReturnValue:
    """Export all risks that match the filters."""
    asked = RISKS.read()
    every = queries.posture(closed=asked.value("state") == "closed")
    names = shown_names(each.risk.owner_id for each in every)
    head, rows = table(asked, RISK_FILE, matching(lines(every, names), asked))
    content = csv_bytes(head, rows) if form == "csv" else xlsx_bytes("Risks", head, rows)
    return table_file(content, f"risks-{current.actor().tenant_slug}-{clock.today()}.{form}")


@feature.post("/risks/assign", needs=permissions.MANAGE)
def assign_selected() -> ResponseReturnValue:
    return assigning.assign_owner(
        "risk",
        "risks",
        AssignOwnerForm(),
        home="risks.index",
        find=queries.find_risks,
        address=lambda row: url_for("risks.risk", risk_id=row.id),
        why_not=actions.why_not,
        assign=actions.assign_all,
    )


@feature.post("/risks/undo/<uuid:undo_offer_id>", needs=permissions.MANAGE)
def undo_change(undo_offer_id: UUID) -> ResponseReturnValue:
    return undo_offer(undo_offer_id, actions.UNDOABLE, url_for("risks.index"))


@feature.get("/systems/<system_key>/risks", needs=permissions.VIEW)
def of_system(system_key: str) -> ResponseReturnValue:
    """Show the open risks of an AI system and those of all systems."""
    system = systems.system(system_key)
    found = queries.risks_of(system.id)
    names = shown_names([system.owner_id, *(each.risk.owner_id for each in found)])
    return page(
        "assurance/risks/of_system.html",
        system=system,
        owner=names.get(system.owner_id) if system.owner_id else None,
        rows=lines(found, names),
        title=sentences.headline(found, clock.today()),
    )


# ---- a new one


@feature.route("/risks/new", methods=["GET", "POST"], needs=permissions.MANAGE)
def create() -> ResponseReturnValue:
    """Create a risk, prefilled with a published source or a system from the URL."""
    asked = request.args
    sources = [each for each in asked.getlist("source") if each in source_lists.SOURCES]
    form = RiskCreateForm(
        title=source_lists.SOURCES[sources[0]].title if sources else None,
        sources=sources,
        system_ids=[each for each in map(_id, asked.getlist("system")) if each],
    )
    form.offer(queries.scale())
    made: list[Risk] = []

    def act() -> None:
        made.append(actions.create(form.content(), owner_id=form.owner_id.data or None))

    if request.method == "POST" and accepted(form, act):
        flash(f"{made[0].ref} was created. Add the controls that mitigate it.")
        return redirect(url_for("risks.risk", risk_id=made[0].id), 303)
    return page(
        "assurance/risks/new.html",
        status=form.status if request.method == "POST" else 200,
        form=form,
    )


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


# ---- one risk


@feature.get("/risks/<uuid:risk_id>", needs=permissions.VIEW)
def risk(risk_id: UUID) -> ResponseReturnValue:
    return _risk_page(queries.find_risk(risk_id))


def _risk_page(
    row: Risk,
    *,
    assign: AssignOwnerForm | None = None,
    control: RiskControlForm | None = None,
    code: int = 200,
) -> ResponseReturnValue:
    found, history = queries.posture_of(row), queries.scores(row.id)
    past = queries.acceptances(row.id)
    names = shown_names([row.owner_id, *(p for a in past for p in (a.requested_by, a.accepted_by))])
    points = score_chart.points(history)
    chart = None
    if len(points) > 1:
        title = f"Scores of {row.ref} since {len(points)} changes"
        chart = score_chart.score_chart(
            points, clock.now(), found.scale.highest, found.scale.appetite, title
        )
    return page(
        "assurance/risks/risk.html",
        status=code,
        risk=row,
        found=found,
        axes=AXES,
        bands=BANDS,
        mark=heat_map.shape_of(found.scale.band(found.residual.score)),
        sources=[source_lists.label(each) for each in row.sources if each in source_lists.SOURCES],
        treatment=TREATMENTS[row.treatment],
        record=RISK,
        names=names,
        acceptances=past,
        history=history,
        chart=chart,
        workable=row.closed_at is None and allowed(permissions.WORK, on=row),
        assign=assign or AssignOwnerForm(owner_id=row.owner_id),
        control_form=control or RiskControlForm(),
        timeline=timeline_entries([row.id], without={score_actions.SCORED.name}),
    )


@feature.route("/risks/<uuid:risk_id>/edit", methods=["GET", "POST"], needs=permissions.WORK)
def edit(risk_id: UUID) -> ResponseReturnValue:
    """Save a risk. A stale form returns with both changes; submitting it again saves it."""
    row = queries.find_risk(risk_id, lock=request.method == "POST")
    found = queries.posture_of(row)
    linked = found.systems
    form = RiskEditForm(obj=row, system_ids=[each.id for each in linked])
    form.offer(queries.scale())
    form.offer_systems([(each.id, f"{each.name} (retired)") for each in linked])
    if request.method == "GET" and not found.is_comparable:
        form["likelihood"].data = form["impact"].data = None  # Another scale has other steps.
    if request.method == "POST":
        if accepted(
            form,
            lambda: actions.edit(row, form.content(), version=counted(form.version.data)),
        ):
            return redirect(url_for("risks.risk", risk_id=row.id), 303)
        if form.stale:
            form.version.data = str(row.version)
    return page(
        "assurance/risks/edit.html",
        status=form.status if request.method == "POST" else 200,
        risk=row,
        form=form,
    )


@feature.post("/risks/<uuid:risk_id>/owner", needs=permissions.MANAGE)
def assign(risk_id: UUID) -> ResponseReturnValue:
    row, form = queries.find_risk(risk_id, lock=True), AssignOwnerForm()
    if not accepted(form, lambda: actions.assign(row, owners.chosen(form.owner_id.data))):
        return _risk_page(row, assign=form, code=422)
    say_changed(owners.assigned_one(row.ref, row.owner_id))
    return redirect(url_for("risks.risk", risk_id=row.id), 303)


@feature.post("/risks/<uuid:risk_id>/controls", needs=permissions.WORK)
def add_control(risk_id: UUID) -> ResponseReturnValue:
    row, form = queries.find_risk(risk_id, lock=True), RiskControlForm()

    def act() -> None:
        if not isinstance(form.control_id.data, UUID):
            raise NotFound("This control doesn't exist, or you don't have access to it.")
        mitigation_actions.add_control(
            row,
            form.control_id.data,
            reduces=form.reduces.data,
            steps=form.steps.data or 0,
        )

    if not accepted(form, act):
        return _risk_page(row, control=form, code=422)
    return redirect(url_for("risks.risk", risk_id=row.id) + "#controls", 303)


@feature.post("/risks/<uuid:risk_id>/controls/<uuid:control_id>/remove", needs=permissions.WORK)
def remove_control(risk_id: UUID, control_id: UUID) -> ResponseReturnValue:
    row = queries.find_risk(risk_id, lock=True)
    mitigation_actions.remove_control(row, control_id)
    return redirect(url_for("risks.risk", risk_id=row.id) + "#controls", 303)


@feature.route("/risks/<uuid:risk_id>/close", methods=["GET", "POST"], needs=permissions.MANAGE)
def close(risk_id: UUID) -> ResponseReturnValue:
    """Close a risk. Its history stays."""
    row, form = queries.find_risk(risk_id, lock=request.method == "POST"), RiskCloseForm()
    if request.method == "POST" and accepted(
        form, lambda: actions.close(row, reason=form.reason.data or "")
    ):
        say_changed(f"{row.ref} was closed. Its history is kept.")
        return redirect(url_for("risks.index"), 303)
    return page(
        "assurance/risks/close.html",
        status=form.status if request.method == "POST" else 200,
        risk=row,
        found=queries.posture_of(row),
        form=form,
    )
