"""Change the policy of a tenant.

    draft, rebase, rollback                    the one open version
    tighten_now, schedule, apply_due           activated by one person, as long as nothing loosens
    request_approval                           what loosens takes a second person
                                               (version_approval.py)
    activate, close_request                    the request was approved, or closed without

Every change that affects decisions raises the tenant's revision in the same transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals import queries as requests
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current, jobs, tenant_revision
from governance.kernel.db import alone, session
from governance.kernel.errors import DomainError, Invalid, NotFound, Stale
from governance.kernel.formatting import plural
from governance.operations.policies import queries
from governance.operations.policies.effective_policies import Content, EffectivePolicy, read_content
from governance.operations.policies.models import OPEN, PolicyVersion
from governance.operations.policies.policy_diff import (
    SettingChange,
    carried_over,
    digest,
    lines,
    said,
)
from governance.operations.policies.preview import Verdict, verdict

DRAFTED = action(
    "policy.drafted",
    "drafted a policy",
    target="PolicyVersion",
    activity="create",
    severity="informational",
    fields="base lines loosens back_to",
)
ASKED = action(
    "policy.approval.requested",
    "requested approval of a policy",
    target="PolicyVersion",
    activity="update",
    severity="low",
    fields="base lines loosens apply_at digest",
    shape="open",
)
REFUSED = action(
    "policy.rejected",
    "rejected a policy",
    target="PolicyVersion",
    activity="update",
    severity="low",
    fields="digest",
    shape="down",
)
WITHDRAWN = action(
    "policy.withdrawn",
    "withdrew a policy",
    target="PolicyVersion",
    activity="update",
    severity="low",
    fields="digest",
)
APPROVED = action(
    "policy.approved",
    "approved a policy",
    target="PolicyVersion",
    activity="update",
    severity="low",
    fields="base lines apply_at digest",
    persons="made_by",
    shape="ok",
)
SCHEDULED = action(
    "policy.scheduled",
    "scheduled a policy",
    target="PolicyVersion",
    activity="update",
    severity="low",
    fields="base lines apply_at digest",
)
APPLIED = action(
    "policy.published",
    "published a policy",
    target="PolicyVersion",
    activity="update",
    severity="medium",
    fields="number base tier lines loosens back_to digest mark",
    persons="decided_by",
    shape="ok",
)
TURNED_BACK = action(
    "policy.returned_to_draft",
    "returned a policy to draft",
    target="PolicyVersion",
    activity="update",
    severity="low",
    fields="note base",
)
FARTHEST = timedelta(days=90)  # ahead that a change may be scheduled
MOST_LINES = 60  # of one entry; the digest is of all of them
WORK = "apply policy"
LOCK = "policy"  # of the tenant's, for every change of its versions


class Unchanged(DomainError):
    """It equals the version in force."""


class NeedsSecondPerson(DomainError):
    """Something loosens, so one person can't activate it."""


# ---- the open version


def opened(row: PolicyVersion | None) -> str:
    """The open version as a form was opened with it; empty when there was none."""
    return f"{row.id}.{row.edited}" if row is not None and row.state in OPEN else ""


def _open_version(
    *, reason: str = "The draft was edited, so the request is void."
) -> PolicyVersion | None:
    """The open version, locked, for a change that voids a request for its approval."""
    alone(LOCK)
    if (there := queries.draft()) is not None:
        approvals.void(queries.POLICY, there.id, reason=reason)
        session().flush()
    return queries.draft(lock=True)


def draft(
    content: Content, *, seen: str, reason: str | None = None, back_to: int | None = None
) -> PolicyVersion:
    """Start the open version, or edit it, which voids a request for its approval.

    Raises Stale for the second of two editors.
    """
    row, now = _open_version(), queries.standing()
    row = _edit(row, now, content, seen=seen, reason=reason, back_to=back_to)
    _record_draft(row, now)
    return row


def _record_draft(row: PolicyVersion, now: EffectivePolicy) -> None:
    record(
        DRAFTED,
        row,
        reason=row.reason or None,
        base=row.base,
        loosens=row.loosens,
        back_to=row.back_to,
        lines=_said(lines(now.content, read_content(row.content)), now),
    )


def _edit(
    row: PolicyVersion | None,
    now: EffectivePolicy,
    content: Content,
    *,
    seen: str,
    reason: str | None,
    back_to: int | None = None,
) -> PolicyVersion:
    """Return the open version with this content, based on the version in force; it is not
    approved.
    """
    _as_opened(row, seen, content)
    check_content(content, now)
    if row is None:
        row = PolicyVersion(
            number=None,
            state="draft",
            content={},
            digest="",
            base=0,
            edited=0,
            loosens=False,
            reason="",
            made_by=None,
            hands=[],
            back_to=None,
            requested_at=None,
            decided_by=None,
            decided_at=None,
            apply_at=None,
            in_force_from=None,
        )
        session().add(row)
    _write(row, now, content, reason=reason)
    row.back_to = back_to
    return row


def _write(
    row: PolicyVersion, now: EffectivePolicy, content: Content, *, reason: str | None
) -> None:
    row.content, row.base, row.edited = content.plain(), now.number, row.edited + 1
    row.digest = digest(row.base, row.content)
    row.loosens = verdict(now, now.draft(content)).loosens
    row.reason = row.reason if reason is None else reason.strip()
    row.made_by = current.actor().person_id
    me = str(row.made_by or "")
    row.hands = row.hands if not me or me in row.hands else [*row.hands, me]
    _unsettle(row)


def _unsettle(row: PolicyVersion) -> None:
    row.state, row.agreed, row.note = "draft", "", ""
    row.requested_at = row.decided_by = row.decided_at = row.apply_at = None


def _as_opened(row: PolicyVersion | None, seen: str, mine: Content) -> None:
    """Raises Stale when somebody edited, decided or withdrew it since the form was opened, with
    what it contains now.
    """
    if opened(row) == seen:
        return
    if row is None:
        raise Stale(
            "The draft that you edited was applied or withdrawn since you opened this page. Look at"
            " what is in force, then save again."
        )
    theirs = read_content(row.content)
    raise Stale(
        "Somebody else edited the draft since you opened this page. It stays as it is below, and so"
        " does what you chose: look at both, then save again.",
        {_name(line): (said(line.before), said(line.after)) for line in lines(mine, theirs)},
    )


def _name(line: SettingChange) -> str:
    return (
        line.key
        if line.system_id is None
        else (
            f"{line.key} of {queries.system_keys([line.system_id]).get(line.system_id, 'a system')}"
        )
    )


def check_content(content: Content, now: EffectivePolicy) -> None:
    """The tier exists, the systems are live ones of this tenant; values were read, so they
    exist.
    """
    if content.tier not in now.platform.tiers:
        raise Invalid(
            f"There is no tier {content.tier[:40]}. Choose one of {', '.join(now.platform.tiers)}.",
            field="tier",
        )
    if content.systems.keys() - {system.id for system in now.systems}:
        raise NotFound("There is no such AI system here.")


def rebase(*, seen: str) -> PolicyVersion:
    """Rebase the open version onto the version in force; its own changes stay."""
    row, now = (
        _open_version(reason="The draft was brought up to date, so the request is void."),
        queries.standing(),
    )
    if row is None:
        raise DomainError("No version is open.")
    mine = read_content(row.content)
    carried = carried_over(_content_of(row.base), mine, now.content).within(now.systems)
    _as_opened(row, seen, carried)
    _edit(row, now, carried, seen=seen, reason=None, back_to=row.back_to)
    _record_draft(row, now)
    return row


def _content_of(number: int) -> Content:
    return read_content(queries.version(number).content) if number else Content()


def rollback(number: int, *, seen: str, reason: str) -> PolicyVersion:
    """Draft an open version with the content of an older one; what it loosens takes a second
    person.
    """
    _needs_reason(reason)
    old = read_content(queries.version(number).content).within(queries.standing().systems)
    return draft(old, seen=seen, reason=reason, back_to=number)


def withdraw(row: PolicyVersion) -> None:
    """Withdraw the open version. The log keeps its content."""
    alone(LOCK)
    request = requests.open_approval(queries.POLICY, row.id)
    if (
        request is not None
        and requests.is_open(request)
        and str(current.person_id()) in request.requesters
    ):
        approvals.withdraw(request)
        return
    approvals.void(
        queries.POLICY, row.id, reason="The version was withdrawn, so the request is void."
    )
    session().flush()
    session().refresh(row, with_for_update=True)
    if row.state not in OPEN:
        raise DomainError("It was decided, applied or withdrawn already.")
    row.state, row.decided_at, row.note = "withdrawn", clock.now(), ""
    record(WITHDRAWN, row, digest=row.digest)


# ---- into force by one person


def tighten_now(
    content: Content,
    *,
    base: int,
    reason: str,
    seen: str | None = None,
    back_to: int | None = None,
) -> PolicyVersion:
    """Activate it immediately, by one person, since nothing loosens.

    `seen` names the open version when it is that one; without it the change is made beside the open
    version, whose request for approval is void. Sent twice it is done once.
    """
    alone(LOCK)
    now = queries.standing()
    if (done := _done_already(content, base, now)) is not None:
        return done
    _on_base(base, now)
    _needs_reason(reason)
    check_content(content, now)
    if (found := verdict(now, now.draft(content))).second_person:
        raise NeedsSecondPerson(_why_two(found))
    if seen is None:
        _open_version(
            reason=(
                f"Version {now.number + 1} came into force, so the request is void. Bring the draft"
                " up to date, then request approval."
            )
        )
        row = _edit(None, now, content, seen="", reason=reason)
    else:
        row = _edit(_open_version(), now, content, seen=seen, reason=reason, back_to=back_to)
    _bring_into_force(row, now)
    return row


def _done_already(content: Content, base: int, now: EffectivePolicy) -> PolicyVersion | None:
    if now.number == base + 1 and content.plain() == now.content.plain():
        row = queries.version(now.number)
        return row if row.made_by == current.actor().person_id else None
    return None


def _on_base(base: int, now: EffectivePolicy) -> None:
    if base != now.number:
        raise Stale(
            f"Version {now.number} came into force since this was drawn up against version {base}."
            " Look at what it changes now.",
            {
                _name(line): (said(line.before), said(line.after))
                for line in lines(_content_of(base), now.content)
            },
        )


def _bring_into_force(row: PolicyVersion, now: EffectivePolicy) -> None:
    """Activate the row; the database refuses any change to it afterwards.

    The caller has checked what loosens.
    """
    content = read_content(row.content)
    differs = lines(now.content, content)
    if not differs and now.number:
        raise Unchanged("Nothing changes: it says what is in force already.")
    found = verdict(now, now.draft(content))
    if found.second_person and row.decided_by is None:
        raise NeedsSecondPerson(_why_two(found))
    row.state, row.number, row.base, row.in_force_from = (
        "live",
        now.number + 1,
        now.number,
        clock.now(),
    )
    row.loosens, row.digest = found.loosens, digest(now.number, row.content)
    moved = tenant_revision.advance()
    record(
        APPLIED,
        row,
        reason=row.reason or None,
        number=row.number,
        base=row.base,
        tier=content.tier,
        lines=_said(differs, now),
        loosens=row.loosens,
        back_to=row.back_to,
        digest=row.digest,
        mark=moved,
        decided_by=row.decided_by,
    )


def _why_two(found: Verdict) -> str:
    if not found.loosens:
        return "The tier in force asks for two persons for every change: ask for a second one."
    keys = sorted({c.key for moved in found.loosening.values() for c in moved})
    return f"It loosens {', '.join(keys)}: a second person has to approve it."


def schedule(content: Content, *, seen: str, reason: str, apply_at: datetime) -> PolicyVersion:
    """Schedule what only tightens; what loosens needs its approval first."""
    _future(apply_at)
    row, found = _settled(content, seen, reason)
    if found.second_person:
        return _request(row, found, apply_at)
    _needs_reason(reason)
    row.state, row.apply_at, row.agreed = "scheduled", apply_at, found.mark
    _queue(row)
    _record_step(SCHEDULED, row, digest=row.digest)
    return row


def _settled(content: Content, seen: str, reason: str) -> tuple[PolicyVersion, Verdict]:
    """The open version with this content; a rollback that is requested as it was drafted stays
    one.
    """
    row, now = _open_version(), queries.standing()
    if not lines(now.content, content):
        raise Unchanged("Nothing changes: it says what is in force already.")
    back_to = row.back_to if row is not None and row.content == content.plain() else None
    row = _edit(row, now, content, seen=seen, reason=reason, back_to=back_to)
    return row, verdict(now, now.draft(content))


def _queue(row: PolicyVersion) -> None:
    session().flush()
    jobs.enqueue(WORK, row.id, ready_at=row.apply_at)


def _future(at: datetime) -> None:
    now = clock.now()
    if at <= now:
        raise Invalid("Choose a time that is still to come.", field="apply_at")
    if at > now + FARTHEST:
        raise Invalid(f"At most {FARTHEST.days} days ahead.", field="apply_at")


def apply_due() -> bool:
    """Activate the acting tenant's scheduled version if it is due.

    Return whether one was.

    When what is in force has moved on, or it would loosen something else than was agreed, it is a
    draft again and says why.
    """
    alone(LOCK)
    row = queries.draft(lock=True)
    if (
        row is None
        or row.state != "scheduled"
        or row.apply_at is None
        or row.apply_at > clock.now()
    ):
        return False
    now = queries.standing()
    if problem := _overtaken(row, now):
        _turn_back(row, problem)
        record(TURNED_BACK, row, note=problem, base=row.base)
        return False
    _bring_into_force(row, now)
    return True


def _turn_back(row: PolicyVersion, note: str) -> None:
    _unsettle(row)
    row.note = note


def _overtaken(row: PolicyVersion, now: EffectivePolicy) -> str:
    content = read_content(row.content)
    if row.base != now.number:
        return f"Version {now.number} came into force before its time, so it was not applied."
    if content.systems.keys() - {system.id for system in now.systems}:
        return "A system that it names was retired, so it was not applied."
    if verdict(now, now.draft(content)).mark != row.agreed:
        return (
            "The operator's tiers or the AI systems changed, so it would loosen something that was"
            " not approved. It was not applied."
        )
    return ""


# ---- a second person


def request_approval(
    content: Content, *, seen: str, reason: str, apply_at: datetime | None = None
) -> PolicyVersion:
    """Request approval of the open version with this content, in force when it is approved, or at a
    time.
    """
    if apply_at is not None:
        _future(apply_at)
    row, found = _settled(content, seen, reason)
    return _request(row, found, apply_at)


def _request(row: PolicyVersion, found: Verdict, apply_at: datetime | None) -> PolicyVersion:
    """Everyone who edited it is a requester, so none of them decides."""
    _needs_reason(row.reason)
    row.state, row.requested_at, row.apply_at = "requested", clock.now(), apply_at
    session().flush()
    differs = differences(row)
    systems = queries.system_keys(line.system_id for line in differs if line.system_id)
    hands = sorted((UUID(each) for each in row.hands), key=lambda each: each != row.made_by)
    approvals.request(
        queries.POLICY,
        row.id,
        summary=_title(found, differs, systems),
        reason=row.reason,
        requesters=hands,
    )
    return row


def _title(found: Verdict, differs: Sequence[SettingChange], systems: Mapping[UUID, str]) -> str:
    """The summary of the request, as "loosen 2 settings of ad-copywriter"."""
    tier = next((line for line in differs if line.key == "tier"), None)
    others = plural(len(differs) - (tier is not None), "setting")
    if tier is not None:
        moved = f"move the policy from {said(tier.before)} to {said(tier.after)}"
        return moved if len(differs) == 1 else f"{moved} and change {others}"
    whose = {line.system_id for line in differs}
    of = (
        " of " + systems.get(line_id, "an AI system")
        if len(whose) == 1 and (line_id := next(iter(whose)))
        else ""
    )
    return f"{'loosen' if found.loosens else 'tighten'} {others}{of}"


def differences(row: PolicyVersion) -> list[SettingChange]:
    """The settings that differ from the version that it is based on."""
    return lines(_content_of(row.base), read_content(row.content))


def request_facts(row: PolicyVersion) -> dict[str, Any]:
    """What the log keeps of a request for its approval, and of the decision."""
    return {
        "base": row.base,
        "lines": _said(differences(row), None),
        "loosens": row.loosens,
        "apply_at": row.apply_at,
        "digest": row.digest,
        "made_by": row.made_by,
    }


def activate(row: PolicyVersion, *, by: UUID | None, at: datetime) -> None:
    """Apply an approved request: activate the version, or schedule it."""
    now = queries.standing()
    _on_base(row.base, now)
    row.decided_by, row.decided_at = by, at
    row.agreed = verdict(now, now.draft(read_content(row.content))).mark
    if row.apply_at is not None and row.apply_at > at:
        row.state = "scheduled"
        _queue(row)
    else:
        _bring_into_force(row, now)


def close_request(
    row: PolicyVersion, state: str, *, by: UUID | None, at: datetime | None, note: str
) -> None:
    """Close the version with its request: rejected, withdrawn, or a draft again."""
    if state in {"rejected", "withdrawn"}:
        row.state, row.decided_at = "rejected" if state == "rejected" else "withdrawn", at
        row.decided_by = by if state == "rejected" else None
    else:
        _turn_back(row, why_turned_back(note))


def why_turned_back(note: str) -> str:
    return note or "Nobody decided on the request in time."


def _record_step(step_action: Any, row: PolicyVersion, **facts: Any) -> None:
    record(
        step_action,
        row,
        reason=row.reason or None,
        base=row.base,
        lines=_said(differences(row), None),
        apply_at=row.apply_at,
        **facts,
    )


def _needs_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid("Say why: the reason is kept in the log.", field="reason")


def _said(differs: Iterable[SettingChange], now: EffectivePolicy | None) -> list[list[str]]:
    """[system or "", dimension, before, after], short enough for an entry."""
    given = list(differs)
    known = {s.id: s.key for s in now.systems} if now else {}
    known |= queries.system_keys(
        line.system_id for line in given if line.system_id and line.system_id not in known
    )
    rows = [
        [
            known.get(line.system_id, "") if line.system_id else "",
            line.key,
            said(line.before),
            said(line.after),
        ]
        for line in given
    ]
    more = len(rows) - MOST_LINES
    return rows if more <= 0 else [*rows[:MOST_LINES], ["", f"and {more} more", "", ""]]
