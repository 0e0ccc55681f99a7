"""Changing what a tenant demands of its AI, and what the operator demands of all tenants.

    draft, rebase, rollback                    the one open version
    tighten_now, schedule, apply_due           into force by one person, as long as nothing loosens
    ask, approve, refuse, withdraw             what loosens takes a second person, bound to what he saw
    ask_waiver, agree, refuse_waiver, close    below the floor, for a while: asked by one, agreed by two others
    change_platform, approve_platform, …       the operator's floor and tiers

Every change that a decision could notice moves the tenant's mark in the same transaction.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.second_person import ApprovalRequest
from governance.kernel import clock, current, jobs, tenant_revision
from governance.kernel.db import alone, session
from governance.kernel.errors import DomainError, Forbidden, Invalid, NotFound, Stale
from governance.operations.policies import queries
from governance.operations.policies.effective_policies import Content, Platform, Standing, read_content, read_platform
from governance.operations.policies.models import OPEN, PlatformPolicy, PolicyVersion, Waiver
from governance.operations.policies.policy_diff import Line, carried_over, digest, lines, mark, platform_content, said
from governance.operations.policies.preview import Verdict, verdict
from governance.operations.policies.strictness import DIMENSIONS, Move, Value, changes, covers, dimension, loosens, plain, read

DRAFTED = action(
    "policy.drafted",
    "drafted a policy",
    target="PolicyVersion",
    activity="create",
    severity="informational",
    fields="base lines loosens back_to",
)
ASKED = action(
    "policy.asked",
    "asked for a second person on a policy",
    target="PolicyVersion",
    activity="update",
    severity="low",
    fields="base lines loosens apply_at digest",
    shape="open",
)
REFUSED = action(
    "policy.refused", "refused a policy", target="PolicyVersion", activity="update", severity="low", fields="digest", shape="down"
)
WITHDRAWN = action(
    "policy.withdrawn", "withdrew a policy", target="PolicyVersion", activity="update", severity="low", fields="digest"
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
    "policy.applied",
    "put a policy into force",
    target="PolicyVersion",
    activity="update",
    severity="medium",
    fields="number base tier lines loosens back_to digest mark",
    persons="decided_by",
    shape="ok",
)
TURNED_BACK = action(
    "policy.turned_back",
    "made a draft of a scheduled policy again",
    target="PolicyVersion",
    activity="update",
    severity="low",
    fields="note base",
)
WAIVER_ASKED = action(
    "waiver.asked",
    "asked for a waiver",
    target="Waiver",
    activity="create",
    severity="low",
    fields="system dimension value until",
    personal="compensation",
    shape="open",
)
WAIVER_AGREED = action(
    "waiver.agreed",
    "agreed to a waiver, and one more has to",
    target="Waiver",
    activity="update",
    severity="low",
    fields="system dimension value until",
)
WAIVER_LIVE = action(
    "waiver.went_live",
    "agreed to a waiver, which is live",
    target="Waiver",
    activity="update",
    severity="medium",
    fields="system dimension value until mark",
    shape="down",
)
WAIVER_REFUSED = action(
    "waiver.refused",
    "refused a waiver",
    target="Waiver",
    activity="update",
    severity="low",
    fields="system dimension",
    shape="up",
)
WAIVER_WITHDRAWN = action(
    "waiver.withdrawn",
    "withdrew the request for a waiver",
    target="Waiver",
    activity="update",
    severity="low",
    fields="system dimension",
)
WAIVER_CLOSED = action(
    "waiver.closed",
    "ended a waiver early",
    target="Waiver",
    activity="update",
    severity="low",
    fields="system dimension mark",
    shape="up",
)
PLATFORM_ASKED = action(
    "platform.asked",
    "asked to loosen what stands under all tenants",
    target="PlatformPolicy",
    activity="create",
    severity="medium",
    fields="base lines until",
)
PLATFORM_APPLIED = action(
    "platform.applied",
    "changed what stands under all tenants",
    target="PlatformPolicy",
    activity="update",
    severity="high",
    fields="number base lines loosens until",
    persons="made_by",
)
PLATFORM_REFUSED = action(
    "platform.refused",
    "refused to loosen what stands under all tenants",
    target="PlatformPolicy",
    activity="update",
    severity="low",
    fields="base",
)
PLATFORM_WITHDRAWN = action(
    "platform.withdrawn",
    "withdrew a change of what stands under all tenants",
    target="PlatformPolicy",
    activity="update",
    severity="low",
    fields="base",
)

LONGEST_WAIVER = timedelta(days=30)
LONGEST_LOOSER_FLOOR = timedelta(days=90)
FARTHEST = timedelta(days=90)  # ahead that a change may be scheduled
MOST_LINES = 60  # of one entry; the digest is of all of them
MOST_TIERS = 12
WORK = "apply policy"


class Unchanged(DomainError):
    """It says what is in force already."""


class NeedsSecondPerson(DomainError):
    """Something loosens: one person cannot bring it into force."""


# ---- the open version


def opened(row: PolicyVersion | None) -> str:
    """The open version as a form was opened with it; empty when there was none."""
    return f"{row.id}.{row.edited}" if row is not None and row.state in OPEN else ""


def draft(content: Content, *, seen: str, because: str | None = None, back_to: int | None = None) -> PolicyVersion:
    """Begin the open version, or edit it. An approval that it had is void. Of two editors the second one gets Stale."""
    alone("policy")
    row, now = queries.draft(lock=True), queries.standing()
    row = _edit(row, now, content, seen=seen, because=because, back_to=back_to)
    _record_draft(row, now)
    return row


def _record_draft(row: PolicyVersion, now: Standing) -> None:
    record(
        DRAFTED, row, because=row.reason or None, base=row.base, loosens=row.loosens, back_to=row.back_to,
        lines=_said(lines(now.content, read_content(row.content)), now),
    )  # fmt: skip


def _edit(
    row: PolicyVersion | None, now: Standing, content: Content, *, seen: str, because: str | None, back_to: int | None = None
) -> PolicyVersion:
    """The open version with this content, drawn up against what is in force now. Nothing of it is agreed."""
    _as_opened(row, seen, content)
    check_content(content, now)
    if row is None:
        row = PolicyVersion(
            number=None, state="draft", content={}, digest="", base=0, edited=0, loosens=False, reason="", made_by=None, hands=[],
            back_to=None, asked_at=None, decided_by=None, decided_at=None, apply_at=None, in_force_from=None,
        )  # fmt: skip
        session().add(row)
    _write(row, now, content, because=because)
    row.back_to = back_to
    return row


def _write(row: PolicyVersion, now: Standing, content: Content, *, because: str | None) -> None:
    row.content, row.base, row.edited = content.plain(), now.number, row.edited + 1
    row.digest = digest(row.base, row.content)
    row.loosens = verdict(now, now.draft(content)).loosens
    row.reason = row.reason if because is None else because.strip()
    row.made_by = current.actor().person_id
    me = str(row.made_by or "")
    row.hands = row.hands if not me or me in row.hands else [*row.hands, me]
    _unsettle(row)


def _unsettle(row: PolicyVersion) -> None:
    row.state, row.agreed, row.note = "draft", "", ""
    row.asked_at = row.decided_by = row.decided_at = row.apply_at = None


def _as_opened(row: PolicyVersion | None, seen: str, mine: Content) -> None:
    """Refused when somebody edited, decided or withdrew it since the form was opened; says what is written there now."""
    if opened(row) == seen:
        return
    if row is None:
        raise Stale("The draft that you edited was applied or withdrawn since you opened this page. Look at what is in force, then save again.")  # fmt: skip
    theirs = read_content(row.content)
    raise Stale(
        "Somebody else edited the draft since you opened this page. It stays as it is below, and so does what you chose: "
        "look at both, then save again.",
        {_name(line): (said(line.before), said(line.after)) for line in lines(mine, theirs)},
    )


def _name(line: Line) -> str:
    return (
        line.key
        if line.system_id is None
        else f"{line.key} of {queries.system_keys([line.system_id]).get(line.system_id, 'a system')}"
    )


def check_content(content: Content, now: Standing) -> None:
    """The tier exists, the systems are live ones of this tenant; values were read, so they exist."""
    if content.tier not in now.platform.tiers:
        raise Invalid(f"There is no tier {content.tier[:40]}. Choose one of {', '.join(now.platform.tiers)}.", field="tier")
    if content.systems.keys() - {system.id for system in now.systems}:
        raise NotFound("There is no such AI system here.")


def rebase(*, seen: str) -> PolicyVersion:
    """Bring the open version up to date with what came into force since it was drawn up: its own changes stay."""
    alone("policy")
    row, now = queries.draft(lock=True), queries.standing()
    if row is None:
        raise DomainError("No version is open.")
    mine = read_content(row.content)
    carried = carried_over(_content_of(row.base), mine, now.content).within(now.systems)
    _as_opened(row, seen, carried)
    _edit(row, now, carried, seen=seen, because=None, back_to=row.back_to)
    _record_draft(row, now)
    return row


def _content_of(number: int) -> Content:
    return read_content(queries.version(number).content) if number else Content()


def rollback(number: int, *, seen: str, because: str) -> PolicyVersion:
    """Makes the open version one with the old content; what it loosens takes a second person like anything else."""
    _needs_reason(because)
    old = read_content(queries.version(number).content).within(queries.standing().systems)
    return draft(old, seen=seen, because=because, back_to=number)


def withdraw(row: PolicyVersion) -> None:
    """Whoever may draft may take the open version away; what it said stays in the log."""
    session().refresh(row, with_for_update=True)
    _is_open(row)
    row.state, row.decided_at = "withdrawn", clock.now()
    record(WITHDRAWN, row, digest=row.digest)


# ---- into force by one person


def tighten_now(
    content: Content, *, base: int, because: str, seen: str | None = None, back_to: int | None = None
) -> PolicyVersion:
    """Nothing loosens, so it is in force at once, by one person; nobody is waited for.

    `seen` names the open version when it is that one; without it the change stands beside the open version. Sent twice
    it is done once.
    """
    alone("policy")
    now = queries.standing()
    if (done := _done_already(content, base, now)) is not None:
        return done
    _on_base(base, now)
    _needs_reason(because)
    check_content(content, now)
    if (found := verdict(now, now.draft(content))).second_person:
        raise NeedsSecondPerson(_why_two(found))
    if seen is None:
        row = _edit(None, now, content, seen="", because=because)
    else:
        row = _edit(queries.draft(lock=True), now, content, seen=seen, because=because, back_to=back_to)
    _bring_into_force(row, now)
    return row


def _done_already(content: Content, base: int, now: Standing) -> PolicyVersion | None:
    if now.number == base + 1 and content.plain() == now.content.plain():
        row = queries.version(now.number)
        return row if row.made_by == current.actor().person_id else None
    return None


def _on_base(base: int, now: Standing) -> None:
    if base != now.number:
        raise Stale(
            f"Version {now.number} came into force since this was drawn up against version {base}. Look at what it changes now.",
            {_name(line): (said(line.before), said(line.after)) for line in lines(_content_of(base), now.content)},
        )


def _bring_into_force(row: PolicyVersion, now: Standing) -> None:
    """The row is in force from now on, and the database refuses any change to it. Whoever calls has agreed to what loosens."""
    content = read_content(row.content)
    differs = lines(now.content, content)
    if not differs and now.number:
        raise Unchanged("Nothing changes: it says what is in force already.")
    found = verdict(now, now.draft(content))
    if found.second_person and row.decided_by is None:
        raise NeedsSecondPerson(_why_two(found))
    row.state, row.number, row.base, row.in_force_from = "live", now.number + 1, now.number, clock.now()
    row.loosens, row.digest = found.loosens, digest(now.number, row.content)
    moved = tenant_revision.move()
    record(
        APPLIED, row, because=row.reason or None, number=row.number, base=row.base, tier=content.tier, lines=_said(differs, now),
        loosens=row.loosens, back_to=row.back_to, digest=row.digest, mark=moved, decided_by=row.decided_by,
    )  # fmt: skip


def _why_two(found: Verdict) -> str:
    if not found.loosens:
        return "The tier in force asks for two persons for every change: ask for a second one."
    keys = sorted({c.key for moved in found.loosening.values() for c in moved})
    return f"It loosens {', '.join(keys)}: a second person has to approve it."


def schedule(content: Content, *, seen: str, because: str, apply_at: datetime) -> PolicyVersion:
    """What only tightens comes into force then by itself; what loosens waits for its approval first."""
    _future(apply_at)
    row, found = _settled(content, seen, because)
    if found.second_person:
        return _ask(row, apply_at)
    _needs_reason(because)
    row.state, row.apply_at, row.agreed = "scheduled", apply_at, found.mark
    _queue(row)
    _record_step(SCHEDULED, row, digest=row.digest)
    return row


def _settled(content: Content, seen: str, because: str) -> tuple[PolicyVersion, Verdict]:
    alone("policy")
    now = queries.standing()
    if not lines(now.content, content):
        raise Unchanged("Nothing changes: it says what is in force already.")
    row = _edit(queries.draft(lock=True), now, content, seen=seen, because=because, back_to=_kept_origin(content))
    return row, verdict(now, now.draft(content))


def _kept_origin(content: Content) -> int | None:
    """A rollback that is asked for as it was drafted stays one."""
    row = queries.draft()
    return row.back_to if row is not None and row.content == content.plain() else None


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
    """The acting tenant's scheduled version comes into force when its time has come; True when one did.

    When what is in force has moved on, or it would loosen something else than was agreed, it is a draft again and says why.
    """
    alone("policy")
    row = queries.draft(lock=True)
    if row is None or row.state != "scheduled" or row.apply_at is None or row.apply_at > clock.now():
        return False
    now = queries.standing()
    if problem := _overtaken(row, now):
        _unsettle(row)
        row.note = problem
        record(TURNED_BACK, row, note=problem, base=row.base)
        return False
    _bring_into_force(row, now)
    return True


def _overtaken(row: PolicyVersion, now: Standing) -> str:
    content = read_content(row.content)
    if row.base != now.number:
        return f"Version {now.number} came into force before its time, so it was not applied."
    if content.systems.keys() - {system.id for system in now.systems}:
        return "A system that it names was retired, so it was not applied."
    if verdict(now, now.draft(content)).mark != row.agreed:
        return (
            "The operator's tiers or the systems changed, and it would loosen something else than was agreed. It was not applied."
        )
    return ""


# ---- a second person


def decision_mark(row: PolicyVersion, now: Standing) -> str:
    """Of all that a second person sees: the change, its reason and time, what it is drawn up against, what it touches."""
    systems = [[str(s.id), s.key, s.lane] for s in now.systems]
    at = row.apply_at.isoformat() if row.apply_at else ""
    return mark(row.id, row.edited, row.digest, row.reason, at, row.back_to, now.number, platform_content(now.platform), systems)


def ask(content: Content, *, seen: str, because: str, apply_at: datetime | None = None) -> PolicyVersion:
    """Put the open version before a second person. Nobody is told behind anyone's back: it waits in their overview."""
    if apply_at is not None:
        _future(apply_at)
    row, _ = _settled(content, seen, because)
    return _ask(row, apply_at)


def _ask(row: PolicyVersion, apply_at: datetime | None) -> PolicyVersion:
    _needs_reason(row.reason)
    row.state, row.asked_at, row.apply_at = "asked", clock.now(), apply_at
    _record_step(ASKED, row, loosens=row.loosens, digest=row.digest)
    return row


def _record_step(deed: Any, row: PolicyVersion, **facts: Any) -> None:
    differs = lines(_content_of(row.base), read_content(row.content))
    record(deed, row, because=row.reason or None, base=row.base, lines=_said(differs, None), apply_at=row.apply_at, **facts)


def approve(row: PolicyVersion, *, seen: str) -> None:
    """Another person than any who edited it agrees to exactly what he saw; it is in force at once, or at its time."""
    alone("policy")
    session().refresh(row, with_for_update=True)
    _is_asked(row)
    approval_of(row).check()
    now = queries.standing()
    _on_base(row.base, now)
    check_content(read_content(row.content), now)
    if seen != decision_mark(row, now):
        raise Stale("The policy, the operator's layer or the systems have changed since you opened this page. Look at it again.")
    row.decided_by, row.decided_at = current.person_id(), clock.now()
    row.agreed = verdict(now, now.draft(read_content(row.content))).mark
    later = row.apply_at is not None and row.apply_at > clock.now()
    _record_step(APPROVED, row, digest=row.digest, made_by=row.made_by)
    if later:
        row.state = "scheduled"
        _queue(row)
    else:
        _bring_into_force(row, now)


def refuse(row: PolicyVersion, because: str) -> None:
    session().refresh(row, with_for_update=True)
    _is_asked(row)
    approval_of(row).check_rejection()
    _needs_reason(because)
    row.state, row.decided_by, row.decided_at = "refused", current.person_id(), clock.now()
    record(REFUSED, row, because=because, digest=row.digest)


def _is_open(row: PolicyVersion) -> None:
    if row.state not in OPEN:
        raise DomainError("It was decided, applied or withdrawn already.")


def _is_asked(row: PolicyVersion) -> None:
    if row.state != "asked":
        raise DomainError("It does not wait for a decision: it was edited, decided or withdrawn since.")


def approval_of(row: PolicyVersion) -> ApprovalRequest:
    """By another person than any who edited it."""
    return ApprovalRequest(row.hands, row.asked_at, own="You worked on it yourself, so another person decides.")


def _needs_reason(because: str) -> None:
    if not because.strip():
        raise Invalid("Say why: the reason is kept in the log.", field="because")


def _said(differs: Iterable[Line], now: Standing | None) -> list[list[str]]:
    """[system or "", dimension, before, after], short enough for an entry."""
    given = list(differs)
    known = {s.id: s.key for s in now.systems} if now else {}
    known |= queries.system_keys(line.system_id for line in given if line.system_id and line.system_id not in known)
    rows = [
        [known.get(line.system_id, "") if line.system_id else "", line.key, said(line.before), said(line.after)] for line in given
    ]
    more = len(rows) - MOST_LINES
    return rows if more <= 0 else [*rows[:MOST_LINES], ["", f"and {more} more", "", ""]]


# ---- waivers


def ask_waiver(system_id: UUID, key: str, value: Value, *, expires_at: datetime, because: str, compensation: str) -> Waiver:
    """Below the floor in one dimension of one system, for at most 30 days; it takes two others to be live."""
    alone("waivers")
    now = queries.standing()
    system = next((s for s in now.systems if s.id == system_id), None)
    if system is None:
        raise NotFound("There is no such AI system here.")
    _waivable(now, key, value)
    _needs_reason(because)
    if not compensation.strip():
        raise Invalid("Say what is done instead, for as long as the floor does not hold.", field="compensation")
    _waiver_ends(expires_at)
    if queries.standing_waiver(system_id, key) is not None:
        raise DomainError(f"A waiver of {key} for {system.key} is asked for or live already.", field="dimension")
    row = Waiver(
        system_id=system_id, dimension=key, value=plain(value), reason=because.strip(), compensation=compensation.strip(),
        expires_at=expires_at, state="asked", asked_by=current.person_id(), first_by=None, first_at=None, second_by=None,
        second_at=None, closed_by=None, closed_at=None,
    )  # fmt: skip
    session().add(row)
    record(WAIVER_ASKED, row, because=row.reason, compensation=row.compensation, until=expires_at, **_of_waiver(row, system.key))
    return row


def _waivable(now: Standing, key: str, value: Value) -> None:
    dimension(key)
    if key in now.platform.unwaivable:
        raise Invalid(f"The operator lets nobody waive {key}.", field="dimension")
    floor = now.platform.floor.get(key)
    if floor is None:
        raise Invalid(f"The floor says nothing about {key}: there is nothing to waive.", field="dimension")
    if covers(key, value, floor):
        raise Invalid(f"{said(value)} is not below the floor, which is {said(floor)}: it needs no waiver.", field="value")


def _waiver_ends(at: datetime) -> None:
    now = clock.now()
    if at <= now:
        raise Invalid("A waiver ends on a day that is still to come.", field="expires_on")
    if at > now + LONGEST_WAIVER:
        raise Invalid(f"A waiver lasts at most {LONGEST_WAIVER.days} days.", field="expires_on")


def _of_waiver(row: Waiver, system: str | None = None) -> dict[str, Any]:
    key = system or queries.system_keys([row.system_id]).get(row.system_id, "")
    return {"system": key, "dimension": row.dimension, "value": row.value}


def waiver_mark(row: Waiver, now: Standing) -> str:
    """Of the waiver, and of the floor that it would lift."""
    said_now = (row.dimension, row.value, row.reason, row.compensation, row.expires_at.isoformat(), row.state)
    floor = now.platform.floor.get(row.dimension)
    return mark(row.id, *said_now, str(row.first_by or ""), None if floor is None else plain(floor))


def agree(row: Waiver, *, seen: str) -> None:
    """The first of two others, or the second; with the second one it is live. All three are different persons."""
    alone("waivers")
    session().refresh(row, with_for_update=True)
    _waiver_waits(row)
    approval_of_waiver(row).check()
    now = queries.standing()
    if seen != waiver_mark(row, now):
        raise Stale("Somebody else agreed, or it or the floor changed, since you opened this page. Look at it again.")
    if row.system_id not in {s.id for s in now.systems}:
        raise DomainError("Its AI system was retired.")
    _waivable(now, row.dimension, read(row.dimension, row.value))
    _waiver_ends(row.expires_at)
    if row.first_by is None:
        row.first_by, row.first_at = current.person_id(), clock.now()
        record(WAIVER_AGREED, row, until=row.expires_at, **_of_waiver(row))
        return
    row.state, row.second_by, row.second_at = "live", current.person_id(), clock.now()
    record(WAIVER_LIVE, row, until=row.expires_at, mark=tenant_revision.move(), **_of_waiver(row))


def refuse_waiver(row: Waiver, because: str) -> None:
    session().refresh(row, with_for_update=True)
    _waiver_waits(row)
    approval_of_waiver(row).check_rejection()
    _needs_reason(because)
    row.state, row.closed_by, row.closed_at = "refused", current.person_id(), clock.now()
    record(WAIVER_REFUSED, row, because=because, system=_of_waiver(row)["system"], dimension=row.dimension)


def withdraw_waiver(row: Waiver) -> None:
    """Only who asked; while it is not live."""
    session().refresh(row, with_for_update=True)
    _waiver_waits(row)
    if current.person_id() != row.asked_by:
        raise Forbidden("Only who asked can withdraw it.")
    row.state, row.closed_by, row.closed_at = "withdrawn", current.person_id(), clock.now()
    record(WAIVER_WITHDRAWN, row, system=_of_waiver(row)["system"], dimension=row.dimension)


def close_waiver(row: Waiver, because: str = "") -> None:
    """The floor is back before its time: that tightens, so one person does it."""
    session().refresh(row, with_for_update=True)
    if row.state != "live" or row.expires_at <= clock.now():
        raise DomainError("That waiver is not live.")
    row.state, row.closed_by, row.closed_at = "ended", current.person_id(), clock.now()
    record(WAIVER_CLOSED, row, because=because.strip() or None, system=_of_waiver(row)["system"], dimension=row.dimension, mark=tenant_revision.move())  # fmt: skip


def _waiver_waits(row: Waiver) -> None:
    if row.state != "asked":
        raise DomainError("That waiver was decided or withdrawn already.")


def approval_of_waiver(row: Waiver) -> ApprovalRequest:
    """By two others; the second one is another person than the first, too."""
    first = current.person_id() == row.first_by
    own = (
        "You approved this already. The second approval takes another person."
        if first
        else "You requested this yourself, so two others decide."
    )
    return ApprovalRequest([row.asked_by, row.first_by], row.created_at, own=own)


# ---- the operator's layer


def change_platform(content: Mapping[str, Any], *, base: int, because: str, until: datetime | None = None) -> PlatformPolicy:
    """What tightens is in force at once for every tenant; what loosens waits for a second operator. A looser floor ends by `until`."""
    alone("platform")
    now, wanted = queries.platform(), check_platform(content)
    _platform_on_base(base)
    if queries.open_platform(lock=True) is not None:
        raise DomainError("A change waits for a second operator. Decide on it or withdraw it first.")
    found = platform_moves(now, wanted)
    if not found:
        raise Unchanged("Nothing changes: it says what is in force already.")
    _needs_reason(because)
    ends = _floor_ends(wanted, until)
    bad = any(loosens(move) for _, _, move in found) or _ends_later(now, ends)
    row = PlatformPolicy(
        number=None, state="asked", content=platform_content(wanted), digest="", base=base, loosens=bad, reason=because.strip(),
        made_by=current.person_id(), decided_by=None, decided_at=None, in_force_from=None, until=ends,
    )  # fmt: skip
    row.digest = digest(base, row.content | {"until": row.until.isoformat() if row.until else None})
    session().add(row)
    if bad:
        record(PLATFORM_ASKED, row, because=row.reason, base=base, lines=_said_platform(now, wanted), until=row.until)
    else:
        _platform_into_force(row, now)
    return row


def check_platform(content: Mapping[str, Any]) -> Platform:
    """Read whole: unknown dimensions, levels and names are refused. A tier is never taken away: tenants may stand on it."""
    wanted = read_platform(0, content)
    here = queries.platform()
    for key in wanted.unwaivable:
        dimension(key)
    if gone := here.tiers.keys() - wanted.tiers.keys():
        raise Invalid(f"A tier is never taken away, since tenants may stand on it: {', '.join(sorted(gone))}.", field="tiers")
    if len(wanted.tiers) > MOST_TIERS:
        raise Invalid(f"At most {MOST_TIERS} tiers: people have to choose one.", field="tiers")
    for key, tier in wanted.tiers.items():
        _check_tier(key, tier.name, tier.values)
    return wanted


def _check_tier(key: str, name: str, values: Mapping[str, Value]) -> None:
    if missing := [k for k in DIMENSIONS if k not in values]:
        raise Invalid(f"The tier {key} says nothing about {missing[0]}: a tier has a value in every dimension.", field=missing[0])
    if not name.strip():
        raise Invalid("A tier has a name.", field="name")


def needs_end(wanted: Platform) -> bool:
    """Whether the floor would be below the one that lasts."""
    return any(loosens(c.move) for c in changes(queries.lasting_floor(), wanted.floor))


def _floor_ends(wanted: Platform, until: datetime | None) -> datetime | None:
    """A floor below the one that lasts has an end, at most 90 days away; a floor that is not has none."""
    now = clock.now()
    if not needs_end(wanted):
        return None
    until = until or queries.platform().until
    if until is None:
        raise Invalid("A looser floor ends: say when, at most 90 days from now.", field="until")
    if not now < until <= now + LONGEST_LOOSER_FLOOR:
        raise Invalid(f"The looser floor ends on a day that is still to come, at most {LONGEST_LOOSER_FLOOR.days} days from now.", field="until")  # fmt: skip
    return until


def _ends_later(now: Platform, ends: datetime | None) -> bool:
    """A looser floor for longer than two operators agreed on loosens, whatever else is tightened with it."""
    return ends is not None and now.until is not None and ends > now.until


def platform_moves(before: Platform, after: Platform) -> list[tuple[str, str, Move]]:
    """(where, what, move) of everything that differs: floor, tiers, what may not be waived."""
    found: list[tuple[str, str, Move]] = [("floor", c.key, c.move) for c in changes(before.floor, after.floor)]
    for key, tier in after.tiers.items():
        old = before.tiers.get(key)
        if old is None:
            found.append((key, "tier", "tightens"))  # nobody stands on it yet
            continue
        found += [(key, c.key, c.move) for c in changes(old.values, tier.values)]
        if (old.name, old.means) != (tier.name, tier.means):
            found.append((key, "words", "same"))
        if old.four_eyes != tier.four_eyes:
            found.append((key, "four_eyes", "tightens" if tier.four_eyes else "loosens"))
    found += [("unwaivable", key, "tightens") for key in sorted(after.unwaivable - before.unwaivable)]
    return found + [("unwaivable", key, "loosens") for key in sorted(before.unwaivable - after.unwaivable)]


def platform_lines(before: Platform, after: Platform) -> list[tuple[str, str, str, str, Move]]:
    """(where, what, before, after, move) of everything that differs, in words."""
    return [(where, what, *_pair(before, after, where, what), move) for where, what, move in platform_moves(before, after)]


def _said_platform(before: Platform, after: Platform) -> list[list[str]]:
    rows = [list(line[:4]) for line in platform_lines(before, after)]
    return rows if len(rows) <= MOST_LINES else [*rows[:MOST_LINES], ["", f"and {len(rows) - MOST_LINES} more", "", ""]]


def _pair(before: Platform, after: Platform, where: str, what: str) -> tuple[str, str]:
    if where == "floor":
        return said(before.floor.get(what)), said(after.floor.get(what))
    if where == "unwaivable":
        return ("waivable", "not waivable") if what in after.unwaivable else ("not waivable", "waivable")
    old, new = before.tiers.get(where), after.tiers[where]
    match what:
        case "tier":
            return "none", new.name
        case "words":
            return (f"{old.name}: {old.means}" if old else "none"), f"{new.name}: {new.means}"
        case "four_eyes":
            return (
                ("one person tightens", "two persons tighten")
                if new.four_eyes
                else ("two persons tighten", "one person tightens")
            )
    return said(old.values.get(what) if old else None), said(new.values.get(what))


def _platform_on_base(base: int) -> None:
    newest = queries.newest_platform_number()
    if base != newest:
        raise Stale(f"Version {newest} came into force since you opened this page. Look at it, then save again.")


def _platform_into_force(row: PlatformPolicy, now: Platform) -> None:
    row.state, row.number, row.in_force_from = "live", row.base + 1, clock.now()
    tenant_revision.move_all()
    record(
        PLATFORM_APPLIED, row, because=row.reason, number=row.number, base=row.base, loosens=row.loosens, until=row.until,
        made_by=row.made_by, lines=_said_platform(now, read_platform(0, row.content)),
    )  # fmt: skip


def platform_mark(row: PlatformPolicy) -> str:
    """Of the change, and of the layer that it changes: a looser floor ends without a new number."""
    until = row.until.isoformat() if row.until else ""
    return mark(row.id, row.digest, row.reason, until, row.base, platform_content(queries.platform()))


def approval_of_platform(row: PlatformPolicy) -> ApprovalRequest:
    return ApprovalRequest([row.made_by], row.created_at)


def approve_platform(row: PlatformPolicy, *, seen: str) -> None:
    """A second operator agrees to exactly what he saw."""
    alone("platform")
    session().refresh(row, with_for_update=True)
    _platform_waits(row)
    approval_of_platform(row).check()
    _platform_on_base(row.base)
    if seen != platform_mark(row):
        raise Stale("It changed since you opened this page. Look at it again.")
    if row.until is not None and row.until <= clock.now():
        raise DomainError("The day on which the looser floor was to end has passed. Withdraw it and ask again.")
    row.decided_by, row.decided_at = current.person_id(), clock.now()
    _platform_into_force(row, queries.platform())


def refuse_platform(row: PlatformPolicy, because: str) -> None:
    session().refresh(row, with_for_update=True)
    _platform_waits(row)
    approval_of_platform(row).check_rejection()
    _needs_reason(because)
    row.state, row.decided_by, row.decided_at = "refused", current.person_id(), clock.now()
    record(PLATFORM_REFUSED, row, because=because, base=row.base)


def withdraw_platform(row: PlatformPolicy) -> None:
    session().refresh(row, with_for_update=True)
    _platform_waits(row)
    if current.person_id() != row.made_by:
        raise Forbidden("Only who asked can withdraw it.")
    row.state, row.decided_at = "withdrawn", clock.now()
    record(PLATFORM_WITHDRAWN, row, base=row.base)


def _platform_waits(row: PlatformPolicy) -> None:
    if row.state != "asked":
        raise DomainError("That change was decided or withdrawn already.")
