"""Pages of waivers: the list, one waiver, requesting one, ending one early."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from flask import redirect, request, url_for

from governance.foundation.approvals.queries import is_open, latest, may_decide
from governance.foundation.people import queries as people
from governance.kernel import clock, current, formatting
from governance.kernel.days import CENTURY
from governance.kernel.errors import Invalid, NotFound
from governance.kernel.files.downloads import FILE
from governance.kernel.pages.list_export import ROWS_PER_READ, csv_file, every_page
from governance.kernel.pages.list_pages import ListRequest
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted, uuid_or_none
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.policies import permissions, queries, waiver_list, waivers
from governance.operations.policies.dimensions import DIMENSIONS, Dimension, Level, read
from governance.operations.policies.effective_policies import EffectivePolicy
from governance.operations.policies.forms import WaiverEndForm, WaiverForm
from governance.operations.policies.models import Waiver
from governance.operations.policies.navigation import policy_tabs
from governance.operations.policies.waiver_list import WAIVERS

feature = Feature("waivers", __name__)
DAY = timedelta(days=1)


@feature.get("/policies/waivers", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    policy = queries.current_policy()
    asked = _asked(policy)
    found = waiver_list.waivers(
        asked.criteria, sort=asked.sort, after=asked.after, size=WAIVERS.size
    )
    approvers = _approvers(found.rows)
    return page(
        "operations/policies/waivers.html",
        asked=asked,
        rows=found.rows,
        next=found.next,
        policy=policy,
        tabs=policy_tabs(policy, "waivers"),
        approvers=approvers,
        names=_names(found.rows, approvers),
        left=_left,
        dimensions=DIMENSIONS,
        read=read,
        state_of=waiver_list.state_of,
        total=waiver_list.count() if asked.is_filtered and not found.rows else 0,
    )


def _asked(policy: EffectivePolicy) -> ListRequest:
    return WAIVERS.read(choices={"system": [(s.key, s.name) for s in policy.systems]})


@feature.get("/policies/waivers/export.csv", needs=permissions.VIEW, answers=FILE)
def export() -> ResponseReturnValue:
    """Export every waiver that matches the filters."""
    asked = _asked(queries.current_policy())
    pages = every_page(
        lambda after: waiver_list.waivers(
            asked.criteria, sort=asked.sort, after=after, size=ROWS_PER_READ
        )
    )
    return csv_file("waivers", waiver_list.HEAD, map(_cells, pages), asked)


def _cells(rows: Sequence[Any]) -> Iterator[tuple[str, ...]]:
    approvers = _approvers(rows)
    names = _names(rows, approvers)
    return (
        waiver_list.cells(waiver, system, approvers.get(waiver.id, ()), names)
        for waiver, system in rows
    )


def _approvers(rows: Iterable[Any]) -> dict[UUID, list[UUID]]:
    given = queries.approvals_of_waivers([waiver.id for waiver, _ in rows])
    return {waiver_id: [each.person_id for each in every] for waiver_id, every in given.items()}


def _names(rows: Sequence[Any], approvers: dict[UUID, list[UUID]]) -> dict[UUID, str]:
    return people.names(
        [
            *(waiver.requested_by for waiver, _ in rows),
            *(each for every in approvers.values() for each in every),
        ]
    )


def _left(row: Waiver) -> int:
    """Return the full days until it ends; 0 on its last day."""
    return max((row.expires_at - clock.now()).days, 0)


# ---- requesting one


@feature.route("/policies/waivers/new", methods=["GET", "POST"], needs=permissions.WAIVE)
def new() -> ResponseReturnValue:
    policy, made = queries.current_policy(), list[Waiver]()
    form = WaiverForm(
        system=uuid_or_none(request.args.get("system")), dimension=request.args.get("dimension")
    )
    if request.method == "POST" and accepted(form, lambda: made.append(_request(form))):
        return redirect(
            url_for(
                "approvals.approval",
                approval_id=latest(queries.WAIVER, [made[0].id])[made[0].id].id,
            ),
            303,
        )
    return page(
        "operations/policies/waiver_new.html",
        form=form,
        policy=policy,
        tabs=policy_tabs(policy, "waivers"),
        last=clock.today() + waivers.MAX_WAIVER_TIME,
        levels=_waivable_levels(policy),
        minimum=[
            (DIMENSIONS[key], value, key in policy.platform.unwaivable)
            for key, value in policy.platform.floor.items()
        ],
        status=form.status if request.method == "POST" else 200,
    )


def _waivable_levels(policy: EffectivePolicy) -> list[tuple[Dimension, Level]]:
    """Return the levels below the platform minimum of every setting that can be waived."""
    return [
        (DIMENSIONS[key], level)
        for key, minimum in policy.platform.floor.items()
        if DIMENSIONS[key].levels and key not in policy.platform.unwaivable
        for level in DIMENSIONS[key].levels[: DIMENSIONS[key].rank(minimum)]
    ]


def _request(form: WaiverForm) -> Waiver:
    key = form.dimension.data or ""
    try:
        value = read(key, form.value.data or "")
    except Invalid as error:
        raise Invalid(error.message, field="value") from error
    system_id = form.system.data
    if not isinstance(system_id, UUID):
        raise NotFound("This AI system doesn't exist, or you don't have access to it.")
    ends = _last_instant(form.expires_on.data or CENTURY[0])
    reason, instead = form.reason.data or "", form.compensation.data or ""
    return waivers.request(
        system_id, key, value, expires_at=ends, reason=reason, compensation=instead
    )


def _last_instant(day: date) -> datetime:
    """Return the end of that day, or the moment after 30 days on the last possible day."""
    end = datetime.combine(day, time(23, 59, 59), formatting.tenant_zone()).astimezone(UTC)
    latest_end = clock.now() + waivers.MAX_WAIVER_TIME
    return latest_end if latest_end < end <= latest_end + DAY else end


# ---- one of them


@feature.get("/policies/waivers/<uuid:waiver_id>", needs=permissions.VIEW)
def waiver(waiver_id: UUID) -> ResponseReturnValue:
    return _waiver(queries.waiver(waiver_id), WaiverEndForm())


def _waiver(row: Waiver, form: WaiverEndForm, *, status: int = 200) -> ResponseReturnValue:
    policy, approval = queries.current_policy(), latest(queries.WAIVER, [row.id]).get(row.id)
    given = queries.approvals_of_waivers([row.id]).get(row.id, [])
    system = next((s for s in policy.systems if s.id == row.system_id), None)
    is_requested = row.state == "requested" and approval is not None and is_open(approval)
    may_open = approval is not None and (
        row.requested_by == current.actor().person_id or may_decide(approval)
    )
    return page(
        "operations/policies/waiver.html",
        status=status,
        row=row,
        form=form,
        policy=policy,
        tabs=policy_tabs(policy, "waivers"),
        left=_left(row),
        key=system.key if system else queries.system_keys([row.system_id])[row.system_id],
        minimum=policy.platform.floor.get(row.dimension),
        value=read(row.dimension, row.value),
        which=DIMENSIONS[row.dimension],
        approval=approval,
        is_requested=is_requested,
        may_open=may_open,
        given=given,
        names=people.names([row.requested_by, row.closed_by, *(each.person_id for each in given)]),
        moments=people.timeline([row.id, *([approval.id] if approval else [])]),
        state=waiver_list.state_of(row),
        decided=policy.effective(system)[row.dimension] if system else None,
    )


@feature.post("/policies/waivers/<uuid:waiver_id>/end", needs=permissions.WAIVE)
def end_waiver(waiver_id: UUID) -> ResponseReturnValue:
    """End a waiver early. This tightens, so it needs no second person or fresh sign-in."""
    row, form = queries.waiver(waiver_id), WaiverEndForm()
    if not accepted(form, lambda: waivers.end_early(row, form.reason.data or "")):
        return _waiver(row, form, status=form.status)
    return redirect(url_for("waivers.waiver", waiver_id=row.id), 303)
