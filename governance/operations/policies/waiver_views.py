"""The pages of waivers: the list, one of them, requesting one, ending one early."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.foundation.people import queries as people
from governance.kernel import clock, current, formatting
from governance.kernel.days import CENTURY
from governance.kernel.errors import Invalid, NotFound
from governance.kernel.feature import Feature
from governance.kernel.forms import accepted, uuid_or_none
from governance.kernel.pages import page
from governance.kernel.step_up import StepUp
from governance.kernel.web import ResponseReturnValue
from governance.operations.policies import permissions, queries, waivers
from governance.operations.policies.effective_policies import Governed, Standing
from governance.operations.policies.forms import DecideForm, WaiverForm
from governance.operations.policies.models import Waiver
from governance.operations.policies.navigation import policy_tabs
from governance.operations.policies.policy_diff import said
from governance.operations.policies.strictness import DIMENSIONS, covers, effective, read

feature = Feature("waivers", __name__)
DAY = timedelta(days=1)


@feature.get("/policies/waivers", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    standing, rows = queries.standing(), queries.waivers()
    return page(
        "operations/policies/waivers.html", waivers=rows, standing=standing, tabs=policy_tabs(standing, "waivers"), keys=queries.system_keys(w.system_id for w in rows),
        names=people.names(i for w in rows for i in (w.asked_by, w.first_by, w.second_by)), left=_left,
    )  # fmt: skip


def _left(row: Waiver) -> int:
    """Whole days until it ends; 0 on its last one."""
    return max((row.expires_at - clock.now()).days, 0)


@feature.route("/policies/waivers/new", methods=["GET", "POST"], needs=permissions.WAIVE)
def new() -> ResponseReturnValue:
    standing = queries.standing()
    form = WaiverForm(system=uuid_or_none(request.args.get("system")), dimension=request.args.get("dimension"))
    if request.method == "POST" and accepted(form, lambda: _ask_waiver(form)):
        flash("Asked. Two others have to agree.")
        return redirect(url_for("waivers.index"), 303)
    return page("operations/policies/waiver_new.html", form=form, standing=standing, tabs=policy_tabs(standing, "waivers"), last=clock.today() + waivers.MAX_LENGTH,
                floor=[(DIMENSIONS[key], value, key in standing.platform.unwaivable) for key, value in standing.platform.floor.items()],
                status=form.status if request.method == "POST" else 200)  # fmt: skip


def _ask_waiver(form: WaiverForm) -> None:
    key = form.dimension.data or ""
    try:
        value = read(key, form.value.data or "")
    except Invalid as error:
        raise Invalid(error.message, field="value") from error
    system_id = form.system.data
    if not isinstance(system_id, UUID):
        raise NotFound("There is no such AI system here.")
    ends = _last_instant(form.expires_on.data or CENTURY[0])
    because, instead = form.because.data or "", form.compensation.data or ""
    waivers.request(system_id, key, value, expires_at=ends, because=because, compensation=instead)


def _last_instant(day: date) -> datetime:
    """The end of that day; of the last one that is allowed, the hour at which thirty days are over."""
    end = datetime.combine(day, time(23, 59, 59), formatting.zone()).astimezone(UTC)
    longest = clock.now() + waivers.MAX_LENGTH
    return longest if longest < end <= longest + DAY else end


@feature.get("/policies/waivers/<uuid:waiver_id>", needs=permissions.VIEW)
def waiver(waiver_id: UUID) -> ResponseReturnValue:
    return _waiver(queries.waiver(waiver_id), DecideForm())


def _waiver(row: Waiver, form: DecideForm, *, status: int = 200) -> ResponseReturnValue:
    standing = queries.standing()
    form.seen.data = waivers.fingerprint(row, standing)
    system = next((s for s in standing.systems if s.id == row.system_id), None)
    decided = standing.effective(system)[row.dimension] if system else None
    return page(
        "operations/policies/waiver.html", status=status, row=row, form=form, standing=standing, tabs=policy_tabs(standing, "waivers"), left=_left(row),
        key=queries.system_keys([row.system_id]).get(row.system_id, ""), floor=standing.platform.floor.get(row.dimension),
        value=read(row.dimension, row.value), which=DIMENSIONS[row.dimension], why_not=waivers.approval_of(row).why_not() if row.state == "asked" else None, me=current.actor().person_id,
        names=people.names([row.asked_by, row.first_by, row.second_by, row.closed_by]), moments=people.timeline([row.id]),
        is_live=row.state == "live" and row.expires_at > clock.now(), decided=decided, without_effect=_stricter_than_waiver(standing, system, row),
    )  # fmt: skip


def _stricter_than_waiver(standing: Standing, system: Governed | None, row: Waiver) -> str:
    """The tenant's own layer that asks for more than the waiver would allow, in words; a waiver lifts the floor alone."""
    if system is None or row.state not in {"asked", "live"}:
        return ""
    if row.dimension in standing.platform.unwaivable:
        return f"the operator lets nobody waive {row.dimension}"
    own = effective(standing.own_layers(system)).get(row.dimension)
    value = read(row.dimension, row.value)
    if own is None or covers(row.dimension, value, own.value):
        return ""
    return f"{own.set_by} asks for {said(own.value)}"


def _waived(waiver_id: UUID) -> list[tuple[str, str]]:
    row = queries.waiver(waiver_id)
    system = queries.system_keys([row.system_id]).get(row.system_id, "")
    return [("AI system", system), ("Waived", f"{DIMENSIONS[row.dimension].title}: {said(read(row.dimension, row.value))}")]


DECIDE_WAIVER = StepUp({"agree": "Approve waiver", "refuse": "Reject waiver"}, DecideForm, facts=_waived)


@feature.post("/policies/waivers/<uuid:waiver_id>", needs=permissions.WAIVE, fresh=DECIDE_WAIVER)
def decide_waiver(waiver_id: UUID) -> ResponseReturnValue:
    row, form = queries.waiver(waiver_id), DecideForm()
    verbs = {
        "agree": lambda: waivers.approve(row, seen=form.seen.data or ""),
        "refuse": lambda: waivers.reject(row, form.because.data or ""),
    }
    return _done_to_waiver(row, form, verbs, "Decide: agree or refuse.")


@feature.post("/policies/waivers/<uuid:waiver_id>/end", needs=permissions.WAIVE)
def end_waiver(waiver_id: UUID) -> ResponseReturnValue:
    """The floor is back, or stays: that waits for nobody, and for no fresh sign-in."""
    row, form = queries.waiver(waiver_id), DecideForm()
    verbs = {
        "withdraw": lambda: waivers.withdraw(row),
        "close": lambda: waivers.end_early(row, form.because.data or ""),
    }
    return _done_to_waiver(row, form, verbs, "Withdraw it, or end it.")


def _done_to_waiver(row: Waiver, form: DecideForm, verbs: Mapping[str, Callable[[], None]], choices: str) -> ResponseReturnValue:
    verb = verbs.get(form.verb.data or "")
    if verb is None:
        raise Invalid(choices)
    if not accepted(form, verb):
        return _waiver(row, form, status=form.status)
    return redirect(url_for("waivers.waiver", waiver_id=row.id), 303)
