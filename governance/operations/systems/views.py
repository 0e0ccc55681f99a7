"""Pages of the register: the list, one system, registering and retiring."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import redirect, request, url_for

from governance.foundation.logbook import entry_links
from governance.foundation.people import assigning
from governance.foundation.people import queries as people
from governance.foundation.people.owners import member_assignees, member_choices, names_among
from governance.foundation.people.queries import Moment
from governance.kernel import clock
from governance.kernel.errors import NotFound
from governance.kernel.files.downloads import FILE
from governance.kernel.files.spreadsheet_writer import csv_bytes
from governance.kernel.pages.list_export import table
from governance.kernel.pages.rendering import page, table_file
from governance.kernel.pages.undo_pages import undo_offer
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.systems import (
    actions,
    facts,
    parts,
    permissions,
    ports,
    queries,
    version_actions,
)
from governance.operations.systems.forms import (
    AssignSystemsForm,
    FeatureForm,
    RecertifyForm,
    RiskClassForm,
    StageForm,
    SystemEditForm,
    SystemRegisterForm,
    SystemRetireForm,
)
from governance.operations.systems.models import (
    AI_ACT_CLASSES,
    AUTONOMY,
    EU_ROLES,
    STAGES,
    AISystem,
)
from governance.operations.systems.system_list import SYSTEM_FILE, SYSTEMS, SystemRow

feature = Feature("systems", __name__)


@feature.get("/systems/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    asked = SYSTEMS.read()
    found = queries.register(asked.criteria, sort=asked.sort, after=asked.after, size=SYSTEMS.size)
    assignees = member_assignees() if asked.may_select else []
    return page(
        "operations/systems/index.html",
        asked=asked,
        systems=found.rows,
        next=found.next,
        counts=queries.counts(),
        classes=AI_ACT_CLASSES,
        owners=names_among((each.owner_id for each in found.rows), assignees),
        assignees=assignees,
    )


@feature.post("/systems/assign", needs=permissions.CHANGE)
def assign_selected() -> ResponseReturnValue:
    return assigning.assign_owner(
        "AI system",
        "AI systems",
        AssignSystemsForm(),
        home="systems.index",
        find=queries.find_systems,
        called=("name", "key"),
        address=lambda row: url_for("systems.system", system_id=row.key),
        why_not=actions.why_not,
        assign=actions.assign_all,
    )


@feature.post("/systems/undo/<uuid:undo_offer_id>", needs=permissions.CHANGE)
def undo_change(undo_offer_id: UUID) -> ResponseReturnValue:
    return undo_offer(undo_offer_id, actions.UNDOABLE, url_for("systems.index"))


@feature.get("/systems/export.csv", needs=permissions.VIEW, answers=FILE)
def export() -> ResponseReturnValue:
    """Export every system that matches the filters."""
    asked = SYSTEMS.read()
    systems = queries.filtered(asked.criteria, sort=asked.sort)
    owners = people.names(each.owner_id for each in systems)
    lines = (
        SystemRow(each, owners.get(each.owner_id) if each.owner_id else None) for each in systems
    )
    head, rows = table(asked, SYSTEM_FILE, lines)
    return table_file(csv_bytes(head, rows), "ai-systems.csv")


@feature.get("/systems/new", needs=permissions.REGISTER)
def registration() -> ResponseReturnValue:
    return _registration(SystemRegisterForm())


def _registration(form: SystemRegisterForm, *, status: int = 200) -> ResponseReturnValue:
    return page("operations/systems/new.html", status=status, form=form)


@feature.post("/systems/new", needs=permissions.REGISTER)
def register() -> ResponseReturnValue:
    form = SystemRegisterForm()

    def act() -> AISystem:
        return actions.register(
            key=form.key.data or "",
            name=form.name.data or "",
            lane=form.lane.data,
            purpose=form.purpose.data or "",
            owner_id=form.owner_id.data,
            stage=form.stage.data,
            stage_since=form.since.data,
        )

    if not accepted(form, act):
        return _registration(form, status=422)
    return redirect(url_for("systems.system", system_id=form.key.data), 303)


@feature.get("/systems/<system_id>", needs=permissions.VIEW)
def system(system_id: str) -> ResponseReturnValue:
    """Show a system by its slug. An id redirects to it."""
    found, last, features = queries.with_parts(system_id)
    if found.key != system_id:
        return redirect(url_for("systems.system", system_id=found.key), 302)
    owner = people.names([found.owner_id]).get(found.owner_id) if found.owner_id else None
    summary = parts.summary_of(found)
    moments = people.timeline([found.id, *summary.records])
    said = summary.figures
    why = next((each.reason for each in moments if each.action == actions.RETIRED.name), None)
    return page(
        "operations/systems/system.html",
        system=found,
        owner=owner,
        said=said,
        clauses=facts.listed(each.clause for _label, each in said if each.clause),
        why=why,
        known=ports.data_sets_named()(found.data_sets) if found.data_sets else {},
        charts=parts.charts_of(found),
        users=summary.users,
        tab_links=_tab_links(found, summary.tabs, "Summary"),
        features=features,
        models=[facts.model_words(each) for each in found.models],
        ai_act=AI_ACT_CLASSES.get(found.ai_act_class),
        eu_role=EU_ROLES.get(found.eu_role),
        autonomy=AUTONOMY.get(found.autonomy),
        substantial=last,
        because=facts.listed(last.substantial) if last else "",
        outdated=parts.outdated_of(found) if last else [],
        moves=actions.MOVES[found.stage],
        soon_day=clock.today() + queries.ENDS_SOON,
        has_expired=found.valid_until is not None and found.valid_until < clock.today(),
        moments=[_line(each) for each in _told_once(moments)],
    )


def _told_once(moments: Sequence[Moment]) -> list[Moment]:
    """Leave out the change behind a substantial one, since the latter's line shows more."""
    substantial = {m.at for m in moments if m.action == version_actions.SUBSTANTIAL.name}
    return [m for m in moments if m.action != actions.CHANGED.name or m.at not in substantial]


def _line(moment: Moment) -> dict[str, Any]:
    if moment.target_type != AISystem.__name__:
        return _line_of_record(moment)
    kind = {
        actions.RETIRED.name: "stop",
        actions.RAISED.name: "up",
        version_actions.SUBSTANTIAL.name: "up",
        actions.FEATURE_RETIRED.name: "dot",
    }.get(moment.action, "ok")
    feature = moment.facts.get("feature", "")
    stage = STAGES.get((moment.changes.get("stage") or ("",))[-1], "")
    about = feature or stage.lower() or facts.listed(moment.facts.get("reasons", ()))
    text = f"{moment.who} {moment.says}" + (f": {about}" if about else "")
    return {"kind": kind, "text": text, "meta": moment.reason, "at": moment.at}


def _line_of_record(moment: Moment) -> dict[str, Any]:
    """Return a timeline line about a record of the system, with a link to it."""
    name = entry_links.label(
        moment.target_type,
        moment.target_id,
        entry_links.described(moment.changes, moment.facts),
    )
    return {
        "kind": moment.shape,
        "text": f"{moment.who} {moment.says}",
        "meta": ": ".join(filter(None, (name, moment.reason))),
        "at": moment.at,
        "href": entry_links.address(moment.target_type, moment.target_id),
    }


@feature.app_template_global("system_tabs")
def system_tabs(system: AISystem, here: str) -> list[dict[str, Any]]:
    """Return the tabs of a system that this reader may open, for c.tabs; `here` is a label."""
    return _tab_links(system, parts.tabs_of(system), here)


def _tab_links(system: AISystem, tabs: Sequence[parts.ShownTab], here: str) -> list[dict[str, Any]]:
    summary = {
        "label": "Summary",
        "href": url_for("systems.system", system_id=system.key),
        "current": here == "Summary",
    }
    return [
        summary,
        *(
            {
                "label": each.tab.label,
                "href": url_for(each.tab.endpoint, **each.address(system)),
                "current": here == each.tab.label,
                "count": each.note or None,
            }
            for each in tabs
        ),
    ]


@feature.route("/systems/<key>/edit", methods=["GET", "POST"], needs=permissions.CHANGE)
def editing(key: str) -> ResponseReturnValue:
    found = queries.system(key, lock=request.method == "POST")
    form = SystemEditForm.of(found)
    form.owner_id.offer(member_choices(found.owner_id))

    def act() -> None:
        actions.edit(
            found,
            seen=form.seen.data or "",
            name=form.name.data or "",
            purpose=form.purpose.data or "",
            owner_id=form.owner_id.data,
            facts=form.facts(),
            reason=form.reason.data or "",
        )

    if request.method == "POST" and accepted(form, act):
        return redirect(url_for("systems.system", system_id=found.key), 303)
    seen = actions.revision(found) if request.method == "GET" or form.stale else form.seen.data
    return page(
        "operations/systems/edit.html",
        status=form.status if request.method == "POST" else 200,
        system=found,
        form=form,
        seen=seen,
    )


@feature.route("/systems/<key>/lane", methods=["GET", "POST"], needs=permissions.CHANGE)
def raising(key: str) -> ResponseReturnValue:
    found, form = queries.system(key, lock=request.method == "POST"), RiskClassForm()
    if request.method == "POST" and accepted(
        form,
        lambda: actions.raise_lane(found, form.lane.data or "", reason=form.reason.data or ""),
    ):
        return redirect(url_for("systems.system", system_id=found.key), 303)
    return page(
        "operations/systems/raise.html",
        status=form.status if request.method == "POST" else 200,
        system=found,
        form=form,
    )


@feature.route("/systems/<key>/features/new", methods=["GET", "POST"], needs=permissions.CHANGE)
def add_feature(key: str) -> ResponseReturnValue:
    found, form = queries.system(key, lock=request.method == "POST"), FeatureForm()
    if request.method == "POST" and accepted(
        form,
        lambda: actions.add_feature(
            found, key=form.key.data or "", fallback=form.fallback.data or ""
        ),
    ):
        return redirect(url_for("systems.system", system_id=found.key), 303)
    return page(
        "operations/systems/add_feature.html",
        status=form.status if request.method == "POST" else 200,
        system=found,
        form=form,
    )


@feature.route(
    "/systems/<key>/features/<uuid:feature_id>/retire",
    methods=["GET", "POST"],
    needs=permissions.CHANGE,
)
def retire_feature(key: str, feature_id: UUID) -> ResponseReturnValue:
    found, form = queries.system(key), SystemRetireForm()
    chosen = queries.feature(feature_id, lock=request.method == "POST")
    if chosen.system_id != found.id:
        raise NotFound("This feature doesn't exist, or you don't have access to it.")
    if request.method == "POST" and accepted(
        form, lambda: actions.retire_feature(chosen, found, reason=form.reason.data or "")
    ):
        return redirect(url_for("systems.system", system_id=found.key), 303)
    return page(
        "operations/systems/retire_feature.html",
        status=form.status if request.method == "POST" else 200,
        system=found,
        feature=chosen,
        form=form,
    )


@feature.get("/systems/<key>/retire", needs=permissions.RETIRE)
def retirement(key: str) -> ResponseReturnValue:
    return _retirement(queries.system(key), SystemRetireForm())


def _retirement(
    system: AISystem, form: SystemRetireForm, *, status: int = 200
) -> ResponseReturnValue:
    consequences = [] if system.is_retired else parts.consequences_of(system)
    return page(
        "operations/systems/retire.html",
        status=status,
        system=system,
        form=form,
        consequences=consequences,
    )


@feature.post("/systems/<key>/retire", needs=permissions.RETIRE)
def retire(key: str) -> ResponseReturnValue:
    found, form = queries.system(key, lock=True), SystemRetireForm()
    if not accepted(form, lambda: actions.retire(found, reason=form.reason.data or "")):
        return _retirement(found, form, status=422)
    return redirect(url_for("systems.system", system_id=key), 303)


@feature.route("/systems/<key>/stage", methods=["GET", "POST"], needs=permissions.CHANGE)
def moving(key: str) -> ResponseReturnValue:
    """Change the lifecycle stage to one that follows the current stage."""
    found, form = queries.system(key, lock=request.method == "POST"), StageForm()
    if request.method == "POST" and accepted(
        form,
        lambda: actions.move(
            found, form.stage.data, reason=form.reason.data or "", since=form.since.data
        ),
    ):
        return redirect(url_for("systems.system", system_id=found.key), 303)
    form.stage.choices = [(each, STAGES[each]) for each in actions.MOVES[found.stage]]
    return page(
        "operations/systems/move.html",
        status=form.status if request.method == "POST" else 200,
        system=found,
        form=form,
    )


@feature.route("/systems/<key>/recertify", methods=["GET", "POST"], needs=permissions.CHANGE)
def recertifying(key: str) -> ResponseReturnValue:
    """Extend the use of an agent or MCP server until a later day."""
    found, form = queries.system(key, lock=request.method == "POST"), RecertifyForm()
    if request.method == "POST" and accepted(
        form,
        lambda: actions.recertify(found, form.valid_until.data, reason=form.reason.data or ""),
    ):
        return redirect(url_for("systems.system", system_id=found.key), 303)
    return page(
        "operations/systems/recertify.html",
        status=form.status if request.method == "POST" else 200,
        system=found,
        form=form,
    )
