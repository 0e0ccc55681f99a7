"""The pages of a tenant's policy.

index, change               the tiers side by side, and what a step would do before it is confirmed
pick, override              one value of the tenant or of one system
in_force                    by system: which layer decides, and all that spoke; on any day
versions, version, back     what was in force, compared, rolled back
version_by_id               a draft, or what never came into force, and the request for its approval
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.foundation.approvals import queries as approvals
from governance.foundation.approvals.models import Approval
from governance.foundation.people import queries as people
from governance.kernel import clock, current, formatting
from governance.kernel.days import parse_day
from governance.kernel.errors import Invalid, NotFound
from governance.kernel.feature import Feature
from governance.kernel.forms import accepted, counted, uuid_or_none
from governance.kernel.pages import page
from governance.kernel.web import ResponseReturnValue
from governance.operations.decision_counts import queries as decisions
from governance.operations.policies import actions, permissions, preview, queries, tier_table
from governance.operations.policies.effective_policies import (
    Content,
    EffectivePolicy,
    Governed,
    read_content,
)
from governance.operations.policies.forms import (
    BackForm,
    ChangeForm,
    DraftForm,
    OverrideForm,
    PickForm,
)
from governance.operations.policies.models import OPEN, PolicyVersion
from governance.operations.policies.navigation import policy_tabs as _tabs
from governance.operations.policies.operator_views import feature as operator_feature
from governance.operations.policies.policy_diff import (
    SettingChange,
    briefly,
    lines,
    said,
    with_tier,
    with_value,
    without_value,
    written,
)
from governance.operations.policies.strictness import DIMENSIONS, Dimension, Value, dimension, read

feature = Feature("policies", __name__)
DAY = timedelta(days=1)
REPLAYED = timedelta(days=14)
feature.add_app_template_filter(said, "said")
feature.add_app_template_filter(briefly, "briefly")


# ---- the tiers, and a step


@dataclass(frozen=True, slots=True)
class DraftComparison:
    """What is in force, the open version, and what is looked at: the open version, or a tier chosen
    upon one of the two.
    """

    before: EffectivePolicy
    row: PolicyVersion | None
    on: str  # draft or force
    tier: str | None
    after: EffectivePolicy | None

    @property
    def is_open(self) -> bool:
        """Whether the open version itself is looked at, as it stands."""
        return self.row is not None and self.tier is None


def _step(tier: str | None, on: str | None) -> DraftComparison:
    before, row = queries.standing(), queries.draft()
    on = (
        on
        if on in {"draft", "force"}
        else "draft"
        if row is None or row.state == "draft"
        else "force"
    )
    working = _working(before, row if on == "draft" else None)
    if tier:
        wanted = with_tier(working, tier)
        actions.check_content(Content(tier), before)
        nothing = not lines(before.content, wanted)
        return DraftComparison(before, row, on, tier, None if nothing else before.draft(wanted))
    return DraftComparison(
        before, row, on, None, before.draft(_working(before, row)) if row is not None else None
    )


def _working(now: EffectivePolicy, row: PolicyVersion | None) -> Content:
    """What a change builds upon: what the open version says of the systems that there are, or what
    is in force.
    """
    return now.content if row is None else read_content(row.content).within(now.systems)


@feature.get("/policies/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    step = _step(request.args.get("tier", "").strip()[:60] or None, request.args.get("on"))
    return _tiers(step, ChangeForm())


def _tiers(step: DraftComparison, form: ChangeForm, *, status: int = 200) -> ResponseReturnValue:
    before, after, row = step.before, step.after, step.row
    if after is not None:
        form.tier.data, form.on.data = step.tier or "", step.on
        form.base.data, form.seen.data = str(before.number), actions.opened(row)
        if not form.reason.data and step.is_open and row is not None:
            form.reason.data = row.reason
    recent = queries.versions(size=3).rows
    return page(
        "operations/policies/index.html",
        status=status,
        step=step,
        form=form,
        standing=before,
        row=row,
        tabs=_tabs(before, "tiers"),
        table=tier_table.table(before, after, draft=_draft_word(step)),
        seen=_preview(before, after),
        recent=recent,
        summaries=_summaries([*recent, *([row] if row else [])]),
        zone=str(formatting.zone()),
        names=people.names(
            [
                *(v.made_by for v in recent),
                *(v.decided_by for v in recent),
                row.made_by if row else None,
            ]
        ),
        me=current.actor().person_id,
        approval=_open_approval(row),
    )


def _open_approval(row: PolicyVersion | None) -> Approval | None:
    """Of the open version, while it awaits approval; no statement otherwise."""
    return _approval(row) if row is not None and row.state == "requested" else None


def _draft_word(step: DraftComparison) -> str:
    return (
        f"draft {step.before.number + 1}"
        if step.row is not None and step.tier is None
        else "looked at"
    )


def _preview(before: EffectivePolicy, after: EffectivePolicy | None) -> dict[str, Any]:
    """Effects and replay of a step; two statements. Nothing is asked where there is no step."""
    if after is None:
        return {}
    now = clock.now()
    effects = preview.effects(before, after, decisions.requested_since(now - DAY))
    tightens, loosens = preview.totals(effects)
    return {
        "effects": effects,
        "tightens": tightens,
        "loosens": loosens,
        "verdict": preview.verdict(before, after),
        "replay": preview.replay(before, after, decisions.requested_since(now - REPLAYED)),
        "days": REPLAYED.days,
        "notices": preview.notices(after, of=before),
        "lines": lines(before.content, after.content),
        "systems": {s.id: s.key for s in after.systems},
    }


def _summaries(rows: Sequence[PolicyVersion]) -> dict[UUID, str]:
    """By id `standard to strict`, `retention_days 30 to 90, and 2 more`: in a few words, against
    the version before.
    """
    bases = queries.contents(row.base for row in rows) if rows else {}
    return {
        row.id: _summary(lines(bases.get(row.base, Content()), read_content(row.content)))
        for row in rows
    }


def _summary(found: Sequence[SettingChange]) -> str:
    if not found:
        return "as before"
    first, more = found[0], len(found) - 1
    if first.before is None or first.after is None:
        told = (
            f"{first.key} {said(first.after) if first.before is None else 'no longer overridden'}"
        )
    else:
        told = (
            "" if first.key == "tier" else f"{first.key} "
        ) + f"{said(first.before)} to {said(first.after)}"
    return told + (f", and {more} more" if more else "")


@feature.post("/policies/change", needs=permissions.DRAFT)
def change() -> ResponseReturnValue:
    form = ChangeForm()
    step = _step((form.tier.data or "").strip() or None, form.on.data)
    seen, reason = form.seen.data or "", form.reason.data or ""
    if step.after is None:
        return _after_all(step, form)
    content, at = step.after.content, _instant(form.apply_at.data)
    back_to = step.row.back_to if step.row is not None and step.is_open else None
    beside = step.on == "force" and step.row is not None and not step.is_open

    def act() -> None:
        match form.verb.data:
            case "apply":
                base, own = counted(form.base.data), None if beside else seen
                actions.tighten_now(content, base=base, reason=reason, seen=own, back_to=back_to)
            case "ask":
                actions.request_approval(content, seen=seen, reason=reason, apply_at=at)
            case "schedule":
                if at is None:
                    raise Invalid("Say when it comes into force.", field="apply_at")
                actions.schedule(content, seen=seen, reason=reason, apply_at=at)
            case "draft":
                actions.draft(content, seen=seen, reason=reason, back_to=back_to)
            case _:
                raise Invalid("Apply it, ask for it, schedule it or keep it as a draft.")

    if not accepted(form, act):
        return _tiers(_step(step.tier, step.on), form, status=form.status)
    row = queries.draft()
    flash(_done(form.verb.data or "", row))
    if (
        form.verb.data in {"ask", "schedule"}
        and row is not None
        and (approval := _open_approval(row)) is not None
    ):
        return redirect(url_for("approvals.approval", approval_id=approval.id), 303)
    return redirect(url_for("policies.index"), 303)


def _after_all(step: DraftComparison, form: ChangeForm) -> ResponseReturnValue:
    """Sent again after it was done: what was wanted is in force."""
    if counted(form.base.data) < step.before.number:
        flash("It is in force already.")
        return redirect(url_for("policies.index"), 303)
    form.refuse(actions.Unchanged("Nothing changes: it says what is in force already."))
    return _tiers(step, form, status=422)


def _done(verb: str, row: PolicyVersion | None) -> str:
    if verb == "apply":
        return "In force. Every worker answers by it within a second."
    if row is not None and row.state == "scheduled" and row.apply_at is not None:
        return f"It comes into force on {formatting.short(row.apply_at)}."
    return (
        "Approval requested. Another admin or a compliance officer decides."
        if row is not None and row.state == "requested"
        else "Kept as a draft. Nothing changed."
    )


def _instant(local: datetime | None) -> datetime | None:
    """As the tenant's clock on the wall says."""
    return local.replace(tzinfo=formatting.zone()).astimezone(UTC) if local is not None else None


@feature.post("/policies/draft/update", needs=permissions.DRAFT)
def update() -> ResponseReturnValue:
    """Bring the draft up to date with what came into force since."""
    form = DraftForm()
    if not accepted(form, lambda: actions.rebase(seen=form.seen.data or "")):
        flash(form.problems[0][1], "error")
    return redirect(url_for("policies.index"), 303)


@feature.post("/policies/draft/withdraw", needs=permissions.DRAFT)
def drop() -> ResponseReturnValue:
    form, row = DraftForm(), queries.draft()
    if (
        row is not None
        and actions.opened(row) == form.seen.data
        and accepted(form, lambda: actions.withdraw(row))
    ):
        flash("Withdrawn. What is in force stays.")
    elif row is not None:
        flash("Somebody else edited it since you opened the page. Look at it again.", "error")
    return redirect(url_for("policies.index"), 303)


# ---- overrides


@feature.get("/policies/override", needs=permissions.DRAFT)
def pick() -> ResponseReturnValue:
    """For whom, and in which dimension; then its own page."""
    form = PickForm()
    key, system_id = request.args.get("dimension", ""), uuid_or_none(request.args.get("system"))
    if key:
        return redirect(url_for("policies.override", key=dimension(key).key, system=system_id), 302)
    standing = queries.standing()
    return page(
        "operations/policies/pick.html",
        form=form,
        standing=standing,
        content=_working(standing, queries.draft()),
        tabs=_tabs(standing, "in force"),
        systems={s.id: s for s in standing.systems},
    )


@feature.route("/policies/override/<key>", methods=["GET", "POST"], needs=permissions.DRAFT)
def override(key: str) -> ResponseReturnValue:
    """One value of the tenant, or of the system in the address.

    It goes into the draft, whose effect is shown next.
    """
    which, standing, row = _known(key), queries.standing(), queries.draft()
    system = _governed(standing, request.args.get("system"))
    system_id = system.id if system else None
    content = _working(standing, row)
    there = written(content, system_id).get(which.key)
    form = _override_form(which, there, actions.opened(row))
    if request.method == "POST":

        def act() -> None:
            overridden = _overridden(content, system_id, which, form)
            actions.draft(overridden, seen=form.seen.data or "")

        if accepted(form, act):
            flash("In the draft. Nothing is in force yet: look at what it changes.")
            return redirect(url_for("policies.index"), 303)
        form.seen.data = actions.opened(row)
    decided = standing.effective(system)[which.key]
    return page(
        "operations/policies/override.html",
        form=form,
        which=which,
        system=system,
        there=there,
        decided=decided,
        layers=tier_table.layers(decided),
        standing=standing,
        row=row,
        tabs=_tabs(standing, "in force"),
        field=form[_field(which)],
        status=form.status if request.method == "POST" else 200,
    )


def _known(key: str) -> Dimension:
    if key not in DIMENSIONS:
        raise NotFound(f"There is no dimension {key[:60]}.")
    return DIMENSIONS[key]


def _governed(standing: EffectivePolicy, given: str | None) -> Governed | None:
    if not given:
        return None
    system_id = uuid_or_none(given)
    found = next(
        (
            s
            for s in standing.systems
            if given == s.key or (system_id is not None and s.id == system_id)
        ),
        None,
    )
    if found is None:
        raise NotFound("There is no such AI system here.")
    return found


def _field(which: Dimension) -> str:
    return (
        "level"
        if which.levels
        else "names"
        if which.join in {"intersection", "union"}
        else "number"
    )


def _override_form(which: Dimension, there: Value | None, seen: str) -> OverrideForm:
    shown = (
        ", ".join(sorted(there))
        if isinstance(there, frozenset)
        else None
        if there is None
        else str(there)
    )
    form = OverrideForm(seen=seen, **{_field(which): shown})
    form.level.choices = [(level.value, level.value) for level in which.levels]
    form[_field(which)].label.text = which.title
    return form


def _overridden(
    content: Content, system_id: UUID | None, which: Dimension, form: OverrideForm
) -> Content:
    if form.verb.data == "remove":
        return without_value(content, system_id, which.key)
    name = _field(which)
    try:
        value = read(which.key, form[name].data if form[name].data is not None else "")
    except Invalid as error:
        raise Invalid(error.message, field=name) from error
    return with_value(content, system_id, which.key, value)


# ---- in force, by system


@feature.get("/policies/in-force", needs=permissions.VIEW)
def in_force() -> ResponseReturnValue:
    day = _day(request.args.get("at"))
    standing = queries.standing(_end_of(day)) if day else queries.standing()
    system = _governed(standing, request.args.get("system"))
    if system is None and "system" not in request.args and standing.systems:
        system = standing.systems[0]
    general = standing.effective()
    return page(
        "operations/policies/in_force.html",
        standing=standing,
        system=system,
        day=day,
        tabs=_tabs(standing, "in force"),
        rulings=tier_table.rulings(standing, system),
        own={s.id: _own(standing, s, general) for s in standing.systems},
        open_too=None if day else queries.draft(),
        waivers=[w for w in standing.waivers if system and w.system_id == system.id],
    )


def _own(standing: EffectivePolicy, system: Governed, general: Mapping[str, Any]) -> int:
    """In how many dimensions a system differs from what holds for all."""
    return sum(
        decided.value != general[key].value for key, decided in standing.effective(system).items()
    )


def _day(text: str | None) -> date | None:
    """`at=YYYY-MM-DD` of the address; refused where it is no day, or one that is still to come."""
    if not text:
        return None
    day = parse_day(text, field="at")
    if day > clock.today():
        raise Invalid("Choose a past day, or today.", field="at")
    return day


def _end_of(day: date) -> datetime:
    end = datetime.combine(day + DAY, time(), formatting.zone()).astimezone(UTC) - timedelta(
        microseconds=1
    )
    return min(end, clock.now())


# ---- versions


@feature.get("/policies/versions", needs=permissions.VIEW)
def versions() -> ResponseReturnValue:
    found = queries.versions(after=request.args.get("after"), size=50)
    standing = queries.standing()
    more = url_for("policies.versions", after=found.next) if found.next else None
    return page(
        "operations/policies/versions.html",
        versions=found.rows,
        more=more,
        standing=standing,
        tabs=_tabs(standing, "versions"),
        row=queries.draft(),
        summaries=_summaries(found.rows),
        first=request.args.get("after") is None,
        names=people.names(i for v in found.rows for i in (v.made_by, v.decided_by)),
    )


@feature.get("/policies/versions/<int:number>", needs=permissions.VIEW)
def version(number: int) -> ResponseReturnValue:
    return _version(queries.version(number), BackForm())


def _version(row: PolicyVersion, form: BackForm, *, status: int = 200) -> ResponseReturnValue:
    against = counted(request.args.get("against", row.base))
    other = read_content(queries.version(against).content) if against > 0 else Content()
    standing, opened = queries.standing(), queries.draft()
    differs = lines(other, read_content(row.content))
    form.seen.data = actions.opened(opened)
    return page(
        "operations/policies/version.html",
        status=status,
        row=row,
        form=form,
        against=max(against, 0),
        lines=differs,
        standing=standing,
        numbers=queries.numbers(),
        tabs=_tabs(standing, "versions"),
        open=opened,
        names=people.names([row.made_by, row.decided_by]),
        systems={s.id: s.key for s in standing.systems}
        | queries.system_keys(line.system_id for line in differs if line.system_id),
        moments=people.timeline([row.id]),
        approval=_approval(row) if row.decided_by else None,
    )


@feature.post("/policies/versions/<int:number>/back", needs=permissions.DRAFT)
def back(number: int) -> ResponseReturnValue:
    row, form = queries.version(number), BackForm()
    if not accepted(
        form,
        lambda: actions.rollback(number, seen=form.seen.data or "", reason=form.reason.data or ""),
    ):
        return _version(row, form, status=form.status)
    flash(
        f"A draft with the content of version {number}. Nothing is in force yet: look at what it"
        " changes."
    )
    return redirect(url_for("policies.index"), 303)


@feature.get("/policies/versions/<uuid:policy_version_id>", needs=permissions.VIEW)
def version_by_id(policy_version_id: UUID) -> ResponseReturnValue:
    """A draft, or a version that never came into force; one that did has a page by its number."""
    row = queries.policy_version(policy_version_id)
    if row.number:
        return redirect(url_for("policies.version", number=row.number), 303)
    standing = queries.standing()
    after = (
        standing.draft(read_content(row.content).within(standing.systems))
        if row.state in OPEN
        else None
    )
    return page(
        "operations/policies/unpublished_version.html",
        row=row,
        standing=standing,
        tabs=_tabs(standing, "tiers"),
        seen=_preview(standing, after),
        names=people.names([row.made_by, row.decided_by]),
        opened=actions.opened(row),
        approval=_approval(row),
        moments=people.timeline([row.id]),
    )


@feature.get("/policies/decisions/<uuid:policy_version_id>", needs=permissions.VIEW)
def decision(policy_version_id: UUID) -> ResponseReturnValue:
    """Where bookmarks and letters lead: the request is decided on its own page."""
    approval = _approval(queries.policy_version(policy_version_id))
    if approval is not None:
        return redirect(url_for("approvals.approval", approval_id=approval.id), 303)
    return redirect(url_for("policies.version_by_id", policy_version_id=policy_version_id), 303)


def _approval(row: PolicyVersion) -> Approval | None:
    """The newest request for its approval, for whoever may see it."""
    found = approvals.latest(queries.POLICY, [row.id]).get(row.id)
    return found if found is not None and approvals.is_visible(found) else None


__all__ = ["feature", "operator_feature"]
