"""The pages of a framework and its assessments: heat map, requirement list, one requirement,
assessments.

    heat_map, requirements, export, assign_selected      /frameworks/<key>
    requirement and what is done to it                   /frameworks/<key>/<ref>,
    /assessments/items/<item>
    index, new, assessment, closing, frozen, reopen      /assessments

Every page takes `?as_of=2026-10-01`: levels, conclusions and signatures as they were known at the
end of that day.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from flask import Response, flash, redirect, request, url_for

from governance.assurance.assessments import (
    actions,
    history,
    permissions,
    presentation,
    queries,
    requirement_list,
)
from governance.assurance.assessments.coverage import LEVELS, RULE, is_proven
from governance.assurance.assessments.forms import (
    AssignForm,
    BeginForm,
    CloseForm,
    CommentForm,
    ConcludeForm,
    ReturnForm,
    SignForm,
    SteerForm,
)
from governance.assurance.assessments.models import Assessment, AssessmentItem
from governance.assurance.assessments.queries import AssessedRequirement, Board, Item
from governance.assurance.assessments.report_facts import closes
from governance.assurance.assessments.requirement_list import GAPS, REQUIREMENTS
from governance.assurance.controls.status import last_test
from governance.assurance.frameworks import queries as frameworks
from governance.assurance.frameworks.queries import FrameworkView
from governance.foundation.people import assigning, owners
from governance.foundation.people.assigning import Assignable
from governance.foundation.people.queries import names
from governance.kernel import charts, clock, current
from governance.kernel.access import allowed, why_not
from governance.kernel.bulk import BulkChange, BulkColumn, BulkItem
from governance.kernel.days import CENTURY, parse_day
from governance.kernel.downloads import FILE
from governance.kernel.errors import Invalid, NotFound
from governance.kernel.feature import Feature
from governance.kernel.formatting import plural
from governance.kernel.forms import Form, accepted, constraint, counted
from governance.kernel.list_pages import ListPage, ListRequest, one_page
from governance.kernel.pages import page, table_file
from governance.kernel.spreadsheet_writer import csv_bytes, xlsx_bytes
from governance.kernel.undo_pages import say_changed, take
from governance.kernel.visibility_scope import limits
from governance.kernel.web import ResponseReturnValue
from governance.operations.systems import queries as systems

feature = Feature("assessments", __name__)
feature.add_app_template_filter(presentation.cell_name, "cell_name")
constraint(
    "uq_sign_offs_tenant_id_conclusion_id", "Somebody else signed it off at the same moment."
)
constraint(
    "uq_conclusions_tenant_id_item_id_revision",
    "Somebody else wrote a conclusion at the same moment. Yours is kept here: save it again.",
)

MONTH = timedelta(days=30)
GAPS_SHOWN = 10
ROWS_SHOWN = 100
FIRST_DAY = date(2000, 1, 1)


def _as_of() -> datetime | None:
    """The end of the day that the address asks for; None is now."""
    wanted = request.args.get("as_of", "").strip()
    if not wanted:
        return None
    day = parse_day(wanted, field="as_of", bounds=(CENTURY[0], date.max))
    if day > clock.today():
        raise Invalid("That day has not come yet.", field="as_of")
    return None if day == clock.today() else datetime.combine(day, time(23, 59, 59, 999999), UTC)


def _past() -> dict[str, Any]:
    """What the layout's banner says while a past day is looked at, and the part of addresses that
    keeps it.
    """
    at = _as_of()
    if at is None:
        return {"as_of": None}
    says = f"As of {at.day} {at:%B %Y}."
    text = (
        "Levels, conclusions and signatures as they were known that evening. Nothing can be changed"
        " here."
    )
    parts = {name: value for name, value in request.args.items() if name != "as_of"}
    now = (
        f"{quote(request.path)}?{urlencode(parts)}" if parts else quote(request.path)
    )  # url_for takes _scheme and tenant from them
    return {
        "as_of": at.date().isoformat(),
        "as_of_day": f"{at.day} {at:%b %Y}",
        "banner": {
            "kind": "info",
            "word": "Past day",
            "lead": says,
            "text": text,
            "href": now,
            "link": "Back to now",
        },
    }


# ---- the heat map


@feature.get("/frameworks/<key>", needs=permissions.VIEW)
def heat_map(key: str) -> ResponseReturnValue:
    framework = frameworks.framework(key)
    shown = queries.board(framework, _as_of())
    asked = _read(GAPS, shown)
    moved = requirement_list.moves(shown)
    gaps = requirement_list.matching(requirement_list.below(shown), asked, moved)
    then = queries.shares_at(
        shown, queries.with_history(shown, [shown.as_of - MONTH]), shown.period
    )
    may_assign, past = asked.may_select and shown.is_open, _past()
    rows = one_page(gaps, asked, lambda row: row.ref)
    return page(
        "assurance/assessments/heat_map.html",
        framework=framework,
        shown=shown,
        groups=presentation.groups(shown, then[0] if then else None),
        says=presentation.conclusion(shown),
        peek=presentation.peek(shown, request.args.get("sel", "")),
        peeks=presentation.peek_text,
        gaps=rows.rows,
        matching=len(gaps),
        next=rows.next,
        moved=moved,
        most=max((gap.moves for gap in moved.values()), default=1.0),
        asked=asked,
        closes=closes,
        owners=_assignees() if may_assign else [],
        share_bar=charts.share_bar,
        noun=presentation.noun(shown),
        total=len(requirement_list.below(shown)),
        drawn=requirement_list.Drawing(shown, past["as_of"], tuple(c.name for c in asked.columns)),
        **past,
    )


@feature.get("/frameworks/<key>/requirements", needs=permissions.VIEW)
def requirements(key: str) -> ResponseReturnValue:
    framework = frameworks.framework(key)
    shown = queries.board(framework, _as_of())
    asked = _read(REQUIREMENTS, shown)
    found = requirement_list.matching(shown.rows, asked, requirement_list.moves(shown))
    rows = one_page(found, asked, lambda row: row.ref)
    may_assign, past = asked.may_select and shown.is_open, _past()
    return page(
        "assurance/assessments/requirements.html",
        framework=framework,
        shown=shown,
        asked=asked,
        rows=rows.rows,
        matching=len(found),
        next=rows.next,
        owners=_assignees() if may_assign else [],
        noun=presentation.noun(shown),
        proven=presentation.proven(shown),
        signed=sum(
            row.judgement is not None and row.judgement.signer is not None for row in shown.rows
        ),
        evidence=requirement_list.evidence,
        drawn=requirement_list.Drawing(shown, past["as_of"], tuple(c.name for c in asked.columns)),
        **past,
    )


def _read(listed: ListPage, shown: Board) -> ListRequest:
    """What the address asks of a list of this board."""
    choices = {"under": requirement_list.functions(shown), "owner": requirement_list.owners(shown)}
    return listed.read(place={"key": shown.framework.key}, choices=choices)


def _assignees() -> owners.Choices:
    return owners.assignee_choices("Keep each owner")


@feature.get(
    "/frameworks/<key>/requirements.<any(csv, xlsx):form>", needs=permissions.VIEW, answers=FILE
)
def export(key: str, form: str) -> ResponseReturnValue:
    """What is filtered, whole."""
    shown = queries.board(frameworks.framework(key), _as_of())
    asked = REQUIREMENTS.read(place={"key": key})
    cells = requirement_list.cells(
        shown, requirement_list.matching(shown.rows, asked, requirement_list.moves(shown))
    )
    head = requirement_list.HEAD
    content = csv_bytes(head, cells) if form == "csv" else xlsx_bytes("Requirements", head, cells)
    return table_file(content, f"{key}-{current.actor().tenant_slug}-{shown.as_of.date()}.{form}")


INHERITED = (  # what the list shows as the owner of a requirement that has none of its own
    "From its controls"
)
OWNER = BulkColumn("owner_id", "Owner", lambda ids: {**owners.describe(ids), None: INHERITED})


@feature.post("/frameworks/<key>/assign", needs=permissions.MANAGE)
def assign_selected(key: str) -> ResponseReturnValue:
    """Give the selected requirements an owner, a due date, or both; what isn't chosen stays as it
    is.
    """
    framework, home = frameworks.framework(key), url_for("assessments.heat_map", key=key)
    rows = Assignable(
        "requirement",
        "Assign requirements",
        partial(_selected, framework),
        _assign_all,
        columns=(OWNER, assigning.DUE),
        unowned=_inherited,
    )
    crumbs = [("Frameworks", url_for("frameworks.index")), (framework.name, home)]
    return assigning.assign_selected(rows, AssignForm(), home=home, crumbs=crumbs)


def _inherited(count: int) -> str:
    return (
        f"{plural(count, 'requirement')} {'takes its owner' if count == 1 else 'take their owners'}"
        " from the controls now."
    )


# BulkAction's signature
def _selected(framework: FrameworkView, ids: Collection[UUID], lock: bool) -> list[BulkItem]:  # noqa: FBT001
    """In the publisher's order."""
    nodes = {
        node.id: (place, node) for place, node in enumerate(frameworks.requirements(framework.id))
    }
    found = sorted(
        queries.some_items(framework.id, ids, lock=lock),
        key=lambda each: nodes[each[0].requirement_id][0],
    )
    return [_bulk_item(framework, nodes[row.requirement_id][1], row, held) for row, held in found]


def _bulk_item(
    framework: FrameworkView,
    node: frameworks.RequirementView,
    row: AssessmentItem,
    held: Assessment,
) -> BulkItem:
    href = url_for("assessments.requirement", key=framework.key, ref=node.path)
    return BulkItem(
        row.id,
        node.ref,
        node.title,
        href,
        {"owner_id": row.owner_id, "due_on": row.due_on},
        actions.why_not(held),
    )


def _assign_all(changes: Sequence[BulkChange]) -> None:
    actions.assign_all(
        [(each.item.id, each.after["owner_id"], each.after["due_on"]) for each in changes]
    )


@feature.post("/assessments/undo/<uuid:undo_offer_id>", needs=permissions.MANAGE)
def undo_change(undo_offer_id: UUID) -> ResponseReturnValue:
    return take(undo_offer_id, actions.UNDOABLE, url_for("assessments.index"))


# ---- one requirement


@feature.get("/frameworks/<key>/<ref>", needs=permissions.VIEW)
def requirement(key: str, ref: str) -> ResponseReturnValue:
    node = frameworks.requirement(key, ref)
    if not node.assessable:
        return redirect(url_for("assessments.requirements", key=key, under=node.ref), 302)
    return _requirement_page(frameworks.framework(key), node.ref)


def _requirement_page(
    framework: FrameworkView,
    ref: str,
    *,
    held: Assessment | None = None,
    comment: CommentForm | None = None,
    code: int = 200,
) -> ResponseReturnValue:
    shown = queries.board(framework, _as_of(), held)
    row = shown.row(ref)
    if row is None:
        raise NotFound("There is no such requirement in this framework.")
    moved = queries.transitions(shown, row, shown.as_of - timedelta(days=365))
    written = queries.conclusions(row.item.row.id) if row.item else []
    return page(
        "assurance/assessments/requirement.html",
        status=code,
        framework=framework,
        shown=shown,
        row=row,
        item=row.item,
        judged=row.judgement,
        trail=presentation.trail(shown, ref),
        step=_neighbours(shown, ref),
        attach=presentation.attach(row),
        reasons=presentation.reasons(row),
        ladder=presentation.ladder(row, moved),
        proofs=presentation.proofs(row, shown),
        chart=presentation.period_chart(row, shown),
        last_test=last_test,
        levels=LEVELS,
        gap=requirement_list.moves(shown).get(ref),
        links=frameworks.crosswalk(ref, framework.key),
        texts=frameworks.official_texts(row.requirement.id),
        discussion=queries.comments(row.item.row.id, shown.as_of) if row.item else [],
        comment=comment or CommentForm(),
        verdict=presentation.verdict(row),
        rule=RULE,
        refusal=_refusal(row, shown),
        written=written,
        assessors=names(c.concluded_by for c in written),
        moments=history.of(row, shown, moved, written),
        **_past(),
    )


def _neighbours(shown: Board, ref: str) -> tuple[str | None, str | None]:
    """Addresses of the requirement before and of the next one."""
    paths = [row.requirement.path for row in shown.rows]
    here = paths.index(ref.replace(" ", "-"))
    return (paths[here - 1] if here else None), (paths[here + 1] if here + 1 < len(paths) else None)


def _refusal(row: AssessedRequirement, shown: Board) -> str | None:
    """Why the reader cannot sign off now; None: he can."""
    judged = row.judgement
    if judged is None or judged.signer or not shown.is_open or not allowed(permissions.SIGN):
        return ""
    if (why := why_not(permissions.SIGN, on=judged)) is not None:
        return why
    if judged.return_reason:
        return f"It waits for {judged.assessor}, to whom it was returned."
    if row.derived.is_red:
        return (
            "Sign-off opens when no reason is red. You can sign off as reviewer: you did not write"
            " the conclusion."
        )
    return None


def _item(
    item_id: UUID, *, lock: bool = False
) -> tuple[AssessmentItem, Assessment, FrameworkView, str]:
    row = queries.item(item_id, lock=lock)
    held = queries.assessment(row.assessment_id)
    return (
        row,
        held,
        frameworks.framework_by_id(held.framework_id),
        queries.refs_of()[row.requirement_id],
    )


def _to_requirement(
    framework: FrameworkView, ref: str, anchor: str = "conclusion"
) -> ResponseReturnValue:
    return redirect(
        url_for(
            "assessments.requirement",
            key=framework.key,
            ref=frameworks.path_of(ref),
            _anchor=anchor,
        ),
        303,
    )


def _rows(form: Form) -> list[tuple[str, Any, Any]]:
    """(name, theirs, yours) of what was overtaken."""
    return [(name, _said(name, theirs), _said(name, mine)) for name, mine, theirs in form.overtaken]


def _said(name: str, value: Any) -> Any:
    return (
        f"{value} {LEVELS[value]}"
        if name in {"level", "target"} and isinstance(value, int)
        else value
    )


# ---- concluding


@feature.get("/assessments/items/<uuid:item_id>/conclusion", needs=permissions.CONCLUDE)
def concluding(item_id: UUID) -> ResponseReturnValue:
    row, held, framework, ref = _item(item_id)
    shown = queries.board(framework, held=held).row(ref)
    last = shown.judgement if shown else None
    level = last.level if last else (shown.derived.level if shown else 0)
    form = ConcludeForm(
        level=level, rationale=last.rationale if last else "", revision=last.revision if last else 0
    )
    return _conclude_page(row, held, framework, ref, form)


def _conclude_page(
    row: AssessmentItem,
    held: Assessment,
    framework: FrameworkView,
    ref: str,
    form: ConcludeForm,
    *,
    code: int = 200,
) -> ResponseReturnValue:
    shown = queries.board(framework, held=held)
    found = shown.row(ref)
    if found is None:
        raise NotFound("There is no such requirement in this framework.")
    if form.stale:
        form.revision.data = str(found.judgement.revision if found.judgement else 0)
    return page(
        "assurance/assessments/conclude.html",
        status=code,
        framework=framework,
        held=held,
        item=row,
        row=found,
        judged=found.judgement,
        form=form,
        stale=_rows(form),
        reasons=presentation.reasons(found),
        verdict=presentation.verdict(found),
        levels=LEVELS,
    )


@feature.post("/assessments/items/<uuid:item_id>/conclusion", needs=permissions.CONCLUDE)
def conclude(item_id: UUID) -> ResponseReturnValue:
    """Overtaken by somebody else's, it comes back with both texts; sent again, it counts."""
    row, held, framework, ref = _item(item_id, lock=True)
    form = ConcludeForm()
    judgement = {
        "level": form.level.data,
        "rationale": form.rationale.data or "",
        "revision": counted(form.revision.data),
    }
    if not accepted(form, lambda: actions.conclude(row, **judgement)):
        return _conclude_page(row, held, framework, ref, form, code=form.status)
    return _to_requirement(framework, ref)


@feature.get("/assessments/items/<uuid:item_id>/return", needs=permissions.SIGN)
def returning(item_id: UUID) -> ResponseReturnValue:
    return _return_page(item_id, ReturnForm(), queries.judgement_of(item_id))


def _return_page(
    item_id: UUID, form: ReturnForm, found: Item, *, code: int = 200
) -> ResponseReturnValue:
    _, held, framework, ref = _item(item_id)
    if found.judgement is None:
        raise NotFound("There is no conclusion that could be returned.")
    if code == 200 or not form.revision.data:  # noqa: PLR2004 - the first sight
        form.revision.data = str(found.judgement.revision)
    return page(
        "assurance/assessments/return.html",
        status=code,
        framework=framework,
        held=held,
        ref=ref,
        item_id=item_id,
        judged=found.judgement,
        form=form,
    )


@feature.post("/assessments/items/<uuid:item_id>/return", needs=permissions.SIGN)
def give_back(item_id: UUID) -> ResponseReturnValue:
    row, _, framework, ref = _item(item_id, lock=True)
    form = ReturnForm()
    seen = counted(form.revision.data)
    if not accepted(
        form, lambda: actions.give_back(row, revision=seen, reason=form.reason.data or "")
    ):
        found = queries.judgement_of(item_id)
        if form.stale and found.judgement is not None:
            form.revision.data = str(found.judgement.revision)
        return _return_page(item_id, form, found, code=form.status)
    return _to_requirement(framework, ref)


@feature.post("/assessments/items/<uuid:item_id>/signature", needs=permissions.SIGN)
def sign_off(item_id: UUID) -> ResponseReturnValue:
    """Stand behind the revision that was on the page, and no other."""
    row, _, framework, ref = _item(item_id, lock=True)
    form = SignForm()
    if not form.validate():
        raise Invalid("The form does not say which revision you read. Open the requirement again.")
    actions.sign_off(row, revision=counted(form.revision.data))
    flash(f"{ref} is signed off.")
    return _to_requirement(framework, ref)


@feature.post("/assessments/items/<uuid:item_id>/comments", needs=permissions.COMMENT)
def comment(item_id: UUID) -> ResponseReturnValue:
    row, held, framework, ref = _item(item_id, lock=True)
    form = CommentForm()
    if not accepted(form, lambda: actions.comment(row, form.text.data or "")):
        return _requirement_page(framework, ref, held=held, comment=form, code=422)
    return _to_requirement(framework, ref, "discussion")


# ---- steering


@feature.get("/assessments/items/<uuid:item_id>/steering", needs=permissions.MANAGE)
def steering(item_id: UUID) -> ResponseReturnValue:
    row = queries.item(item_id)
    return _steer_page(item_id, _steer_form(row, SteerForm(obj=row)))


def _steer_form(row: AssessmentItem, form: SteerForm) -> SteerForm:
    form.owner_id.offer(owners.owner_choices(row.owner_id))
    return form


def _steer_page(item_id: UUID, form: SteerForm, *, code: int = 200) -> ResponseReturnValue:
    row, held, framework, ref = _item(item_id)
    if form.stale:
        form.version.data = str(row.version)
    node = frameworks.requirement(framework.key, ref)
    return page(
        "assurance/assessments/steer.html",
        status=code,
        framework=framework,
        held=held,
        node=node,
        item=row,
        form=form,
        stale=_rows(form),
    )


@feature.post("/assessments/items/<uuid:item_id>/steering", needs=permissions.MANAGE)
def steer(item_id: UUID) -> ResponseReturnValue:
    """Target, owner and due day."""
    row, _, framework, ref = _item(item_id, lock=True)
    form = _steer_form(row, SteerForm())
    if not accepted(form, lambda: _steer(row, form)):
        return _steer_page(item_id, form, code=form.status)
    say_changed(f"The target, owner and due date of {ref} are saved.")
    return _to_requirement(framework, ref, "facts")


def _steer(row: AssessmentItem, form: SteerForm) -> None:
    actions.set_target(row, form.target.data, version=counted(form.version.data))
    actions.assign(row, form.owner_id.data or None, form.due_on.data)


# ---- assessments


@feature.get("/assessments/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    every = queries.assessments()
    return page(
        "assurance/assessments/index.html",
        assessments=every,
        progress=queries.progress(),
        names=names(a.started_by for a in every),
        systems=systems.names(a.system_id for a in every),
        framework_of={each.id: each for each in frameworks.installed()},
        today=clock.today(),
        limited=limits() is not None,
    )


@feature.get("/assessments/new", needs=permissions.MANAGE)
def new() -> ResponseReturnValue:
    """The year up to the end of this quarter; of the next one where this one's is begun."""
    taken, last = {each.title for each in queries.assessments()}, _quarter_end(clock.today())
    if _quarter(last) in taken:
        last = _quarter_end(last + timedelta(days=1))
    form = BeginForm(
        title=_quarter(last), period_from=last - timedelta(days=364), period_to=last, targets="last"
    )
    return page("assurance/assessments/new.html", form=form)


def _quarter_end(day: date) -> date:
    return (date(day.year, (day.month - 1) // 3 * 3 + 1, 1) + timedelta(days=95)).replace(
        day=1
    ) - timedelta(days=1)


def _quarter(end: date) -> str:
    return f"Q{(end.month + 2) // 3} {end.year}"


@feature.post("/assessments/new", needs=permissions.MANAGE)
def begin() -> ResponseReturnValue:
    form = BeginForm()
    made: list[Assessment] = []
    if not accepted(form, lambda: made.append(_begin(form))):
        return page("assurance/assessments/new.html", form=form, status=422)
    flash(f"{made[0].title} is begun.")
    return redirect(url_for("assessments.assessment", assessment_id=made[0].id), 303)


def _begin(form: BeginForm) -> Assessment:
    since, until = form.period_from.data, form.period_to.data
    if since is None or until is None:
        raise Invalid("Choose both days.", field="period_from")
    targets = None if form.targets.data == "last" else int(form.targets.data)
    return actions.begin(
        UUID(form.framework.data),
        title=form.title.data or "",
        period_from=since,
        period_to=until,
        scope=form.scope.data,
        targets=targets,
    )


@feature.get("/assessments/<uuid:assessment_id>", needs=permissions.VIEW)
def assessment(assessment_id: UUID) -> ResponseReturnValue:
    held = queries.assessment(assessment_id)
    framework = frameworks.framework_by_id(held.framework_id)
    seen = queries.refs_shown(held.framework_id)
    facts = (
        [row for row in presentation.frozen_rows(held) if row.ref in seen] if held.frozen else None
    )
    shown = None if facts else queries.board(framework, _as_of(), held)
    every = queries.revisions(held)
    unsigned_first = (
        sorted(
            shown.rows,
            key=lambda row: row.judgement is not None and row.judgement.signer is not None,
        )
        if shown
        else []
    )
    return page(
        "assurance/assessments/assessment.html",
        held=held,
        ordered=unsigned_first,
        framework=framework,
        shown=shown,
        facts=facts,
        counts=_counts(shown, facts),
        revisions=every,
        last=every[-1],
        scope=_scope(held),
        levels=LEVELS,
        agrees=held.frozen is not None and actions.digest(held.frozen) == held.digest,
        people=names([held.started_by, held.closed_by]),
        whole=queries.is_whole(held.framework_id),
        moments=history.told([held.id]),
        **_past(),
    )


def _scope(held: Assessment) -> str:
    return (
        "The whole organisation"
        if held.system_id is None
        else systems.names([held.system_id]).get(held.system_id, "One AI system")
    )


def _counts(shown: Board | None, facts: Sequence[presentation.FrozenRow] | None) -> dict[str, int]:
    """What the head of an assessment counts, of an open and of a frozen one."""
    rows = (
        facts
        if facts is not None
        else [presentation.as_frozen(row) for row in shown.rows]
        if shown
        else []
    )
    return {
        "all": len(rows),
        "proven": sum(is_proven(row.level) for row in rows),
        "met": sum(row.level >= row.target for row in rows),
        "concluded": sum(row.concluded is not None for row in rows),
        "signed": sum(row.signer is not None for row in rows),
        "reached": sum(min(row.level, row.target) for row in rows),
        "wanted": sum(row.target for row in rows),
        "returned": sum(
            row.judgement is not None and bool(row.judgement.return_reason)
            for row in (shown.rows if shown else ())
        ),
    }


@feature.get("/assessments/<uuid:assessment_id>/frozen.json", needs=permissions.VIEW, answers=FILE)
def frozen(assessment_id: UUID) -> ResponseReturnValue:
    """The bytes that the digest is over:

    RFC 8785. They cannot be cut, so who sees a part of the framework does not get them.
    """
    held = queries.assessment(assessment_id)
    if not queries.is_whole(held.framework_id):
        raise NotFound(
            "Your engagement is about some criteria of this framework; what was frozen is about all"
            " of them."
        )
    if held.frozen is None:
        raise NotFound("It is open, so nothing of it is frozen yet.")
    name = f"{held.title.lower().replace(' ', '-')}-revision-{held.revision}.json"
    safe = "".join(ch for ch in name if ch.isascii() and (ch.isalnum() or ch in "-."))
    headers = {
        "Content-Type": "application/json",
        "Content-Disposition": f'attachment; filename="{safe}"',
    }
    return Response(actions.canonical(held.frozen), headers=headers)


@feature.get("/assessments/<uuid:assessment_id>/closing", needs=permissions.MANAGE)
def closing(assessment_id: UUID) -> ResponseReturnValue:
    return _closing_page(queries.assessment(assessment_id), CloseForm())


def _closing_page(held: Assessment, form: CloseForm, *, code: int = 200) -> ResponseReturnValue:
    shown = queries.board(frameworks.framework_by_id(held.framework_id), held=held)
    open_rows = [row for row in shown.rows if row.judgement is None or row.judgement.signer is None]
    return page(
        "assurance/assessments/closing.html",
        status=code,
        held=held,
        framework=shown.framework,
        counts=_counts(shown, None),
        open_rows=open_rows,
        red=sum(row.derived.is_red for row in shown.rows),
        form=form,
    )


@feature.post("/assessments/<uuid:assessment_id>/closing", needs=permissions.MANAGE)
def close(assessment_id: UUID) -> ResponseReturnValue:
    held, form = queries.assessment(assessment_id, lock=True), CloseForm()
    if not accepted(form, lambda: actions.close(held, accept_open=bool(form.accept_open.data))):
        return _closing_page(held, form, code=422)
    flash(f"{held.title} is closed and frozen.")
    return redirect(url_for("assessments.assessment", assessment_id=held.id), 303)


@feature.post("/assessments/<uuid:assessment_id>/reopening", needs=permissions.MANAGE)
def reopen(assessment_id: UUID) -> ResponseReturnValue:
    """Begin its next revision."""
    made = actions.reopen(queries.assessment(assessment_id, lock=True))
    flash(f"Revision {made.revision} of {made.title} is open.")
    return redirect(url_for("assessments.assessment", assessment_id=made.id), 303)
