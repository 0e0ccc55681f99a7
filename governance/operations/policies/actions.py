"""Changing what a tenant demands of its AI.

    draft, rebase, rollback                    the one open version
    tighten_now, schedule, apply_due           into force by one person, as long as nothing loosens
    ask, approve, refuse, withdraw             what loosens takes a second person, bound to what he saw

Every change that a decision could notice moves the tenant's mark in the same transaction.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.second_person import ApprovalRequest
from governance.kernel import clock, current, jobs, tenant_revision
from governance.kernel.db import alone, session
from governance.kernel.errors import DomainError, Invalid, NotFound, Stale
from governance.operations.policies import queries
from governance.operations.policies.effective_policies import Content, Standing, read_content
from governance.operations.policies.models import OPEN, PolicyVersion
from governance.operations.policies.policy_diff import Line, carried_over, digest, lines, mark, platform_content, said
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
    "policy.asked",
    "asked for a second person on a policy",
    target="PolicyVersion",
    activity="update",
    severity="low",
    fields="base lines loosens apply_at digest",
)
REFUSED = action("policy.refused", "refused a policy", target="PolicyVersion", activity="update", severity="low", fields="digest")
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
)
TURNED_BACK = action(
    "policy.turned_back",
    "made a draft of a scheduled policy again",
    target="PolicyVersion",
    activity="update",
    severity="low",
    fields="note base",
)
FARTHEST = timedelta(days=90)  # ahead that a change may be scheduled
MOST_LINES = 60  # of one entry; the digest is of all of them
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
