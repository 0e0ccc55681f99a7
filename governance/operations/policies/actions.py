"""Publish the policy of a tenant.

tighten_now, schedule, apply_due    publish a change that only tightens; one person is enough
request_approval                    requests a second person for loosening (version_approval.py)
activate, close_request             after the decision on the request

Drafts are in draft_actions.py. Every change that affects decisions raises the tenant's revision in
the same transaction.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from governance.foundation.approvals import actions as approvals
from governance.foundation.audit.record import record
from governance.kernel import clock, current
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.formatting import plural
from governance.kernel.work import jobs
from governance.operations.policies import queries
from governance.operations.policies.draft_actions import (
    LOCK,
    check_content,
    check_reason,
    content_of,
    edit,
    labelled_changes,
    open_version,
    reset_decision,
)
from governance.operations.policies.effective_policies import Content, EffectivePolicy, read_content
from governance.operations.policies.models import PolicyVersion
from governance.operations.policies.policy_diff import NOTHING_CHANGES, SettingChange, digest, lines
from governance.operations.policies.preview import ChangeVerdict, verdict
from governance.operations.policies.setting_labels import TIER, setting_title, value_label
from governance.operations.policies.version_log import APPLIED, SCHEDULED, TURNED_BACK, logged_lines

MAX_SCHEDULE_AHEAD = timedelta(days=90)
WORK = "apply policy"


class Unchanged(DomainError):
    """The content equals the published version."""


class NeedsSecondPerson(DomainError):
    """The change loosens a setting, so one person can't publish it."""


# ---- published by one person


def tighten_now(
    content: Content,
    *,
    base: int,
    reason: str,
    seen: str | None = None,
    back_to: int | None = None,
) -> PolicyVersion:
    """Publish a change immediately, by one person, since nothing loosens.

    `seen` is the revision of the open version, when that is published. Without it the open version
    stays, and its request for approval becomes void. Idempotent.
    """
    lock_tenant(LOCK)
    now = queries.current_policy()
    if (done := _done_already(content, base, now)) is not None:
        return done
    _check_base(base, now)
    check_reason(reason)
    check_content(content, now)
    if (found := verdict(now, now.draft(content))).second_person:
        raise NeedsSecondPerson(_why_two(found))
    if seen is None:
        open_version(
            reason=(
                f"Version {now.number + 1} was published, so this request is void. Update the"
                " draft, then request approval again."
            )
        )
        row = edit(None, now, content, seen="", reason=reason)
    else:
        row = edit(open_version(), now, content, seen=seen, reason=reason, back_to=back_to)
    _publish(row, now)
    return row


def _done_already(content: Content, base: int, now: EffectivePolicy) -> PolicyVersion | None:
    if now.number == base + 1 and content.plain() == now.content.plain():
        row = queries.version(now.number)
        return row if row.made_by == current.actor().person_id else None
    return None


def _check_base(base: int, now: EffectivePolicy) -> None:
    if base != now.number:
        raise Stale(
            f"Version {now.number} was published after this was drafted from version {base}. Review"
            " what it changes now.",
            labelled_changes(lines(content_of(base), now.content)),
        )


def _publish(row: PolicyVersion, now: EffectivePolicy) -> None:
    """Publish the row. The database rejects any change to it afterwards."""
    content = read_content(row.content)
    differs = lines(now.content, content)
    if not differs and now.number:
        raise Unchanged(NOTHING_CHANGES)
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
    revision = tenant_revision.advance()
    record(
        APPLIED,
        row,
        reason=row.reason or None,
        number=row.number,
        base=row.base,
        tier=content.tier,
        lines=logged_lines(differs, now),
        loosens=row.loosens,
        back_to=row.back_to,
        digest=row.digest,
        mark=revision,
        decided_by=row.decided_by,
    )


def _why_two(found: ChangeVerdict) -> str:
    if not found.loosens:
        return "In the current tier, every change needs a second person. Request approval."
    titles = sorted({setting_title(c.key) for each in found.loosening.values() for c in each})
    return f"This loosens {', '.join(titles)}, so a second person has to approve it."


def schedule(content: Content, *, seen: str, reason: str, apply_at: datetime) -> PolicyVersion:
    """Schedule a change that only tightens. Request approval of any other."""
    _check_future(apply_at)
    row, found = _prepare(content, seen, reason)
    if found.second_person:
        return _request(row, found, apply_at)
    check_reason(reason)
    row.state, row.apply_at, row.agreed = (
        "scheduled",
        apply_at,
        found.fingerprint,
    )
    _queue(row)
    _record_step(SCHEDULED, row, digest=row.digest)
    return row


def _prepare(content: Content, seen: str, reason: str) -> tuple[PolicyVersion, ChangeVerdict]:
    """Return the open version with this content, and the verdict on its publication.

    An unedited rollback stays a rollback.
    """
    row, now = open_version(), queries.current_policy()
    if not lines(now.content, content):
        raise Unchanged(NOTHING_CHANGES)
    back_to = row.back_to if row is not None and row.content == content.plain() else None
    row = edit(row, now, content, seen=seen, reason=reason, back_to=back_to)
    return row, verdict(now, now.draft(content))


def _queue(row: PolicyVersion) -> None:
    session().flush()
    jobs.enqueue(WORK, row.id, ready_at=row.apply_at)


def _check_future(at: datetime) -> None:
    now = clock.now()
    if at <= now:
        raise Invalid("Choose a future time.", field="apply_at")
    if at > now + MAX_SCHEDULE_AHEAD:
        raise Invalid(f"Choose a time within {MAX_SCHEDULE_AHEAD.days} days.", field="apply_at")


def apply_due() -> bool:
    """Publish the acting tenant's scheduled version if it is due. Return True if one was.

    It returns to draft, with a note, if another version was published meanwhile, or if it would
    loosen a setting without approval.
    """
    lock_tenant(LOCK)
    row = queries.draft(lock=True)
    if (
        row is None
        or row.state != "scheduled"
        or row.apply_at is None
        or row.apply_at > clock.now()
    ):
        return False
    now = queries.current_policy()
    if problem := _why_outdated(row, now):
        _return_to_draft(row, problem)
        record(TURNED_BACK, row, note=problem, base=row.base)
        return False
    _publish(row, now)
    return True


def _return_to_draft(row: PolicyVersion, note: str) -> None:
    reset_decision(row)
    row.note = note


def _why_outdated(row: PolicyVersion, now: EffectivePolicy) -> str:
    content = read_content(row.content)
    if row.base != now.number:
        return f"It was not published, because version {now.number} was published first."
    if content.systems.keys() - {system.id for system in now.systems}:
        return "It was not published, because it overrides an AI system that was retired."
    if verdict(now, now.draft(content)).fingerprint != row.agreed:
        return (
            "It was not published, because the operator's tiers or the AI systems changed and it"
            " would loosen something that was not approved."
        )
    return ""


# ---- a second person


def request_approval(
    content: Content, *, seen: str, reason: str, apply_at: datetime | None = None
) -> PolicyVersion:
    """Request approval of the open version with this content.

    It takes effect when it is approved, or at `apply_at`.
    """
    if apply_at is not None:
        _check_future(apply_at)
    row, found = _prepare(content, seen, reason)
    return _request(row, found, apply_at)


def _request(row: PolicyVersion, found: ChangeVerdict, apply_at: datetime | None) -> PolicyVersion:
    """Request approval. Everyone who edited the version is a requester, so they can't decide."""
    check_reason(row.reason)
    row.state, row.requested_at, row.apply_at = "requested", clock.now(), apply_at
    session().flush()
    differs = differences(row)
    systems = queries.system_keys(line.system_id for line in differs if line.system_id)
    editors = sorted((UUID(each) for each in row.hands), key=lambda each: each != row.made_by)
    approvals.request(
        queries.POLICY,
        row.id,
        summary=_summary(found, differs, systems),
        reason=row.reason,
        requesters=editors,
    )
    return row


def _summary(
    found: ChangeVerdict, differs: Sequence[SettingChange], systems: Mapping[UUID, str]
) -> str:
    """Return the summary of a request, such as "loosen 2 settings of ad-copywriter"."""
    tier = next((line for line in differs if line.key == "tier"), None)
    others = plural(len(differs) - (tier is not None), "setting")
    if tier is not None:
        tiers = queries.platform().tiers
        before, after = (value_label(each, TIER, tiers) for each in (tier.before, tier.after))
        summary = f"move the policy from {before} to {after}"
        return summary if len(differs) == 1 else f"{summary} and change {others}"
    system_ids = {line.system_id for line in differs}
    of = (
        " of " + systems.get(system_id, "an AI system")
        if len(system_ids) == 1 and (system_id := next(iter(system_ids)))
        else ""
    )
    return f"{'loosen' if found.loosens else 'tighten'} {others}{of}"


def differences(row: PolicyVersion) -> list[SettingChange]:
    """Return the settings that differ from the version that it is based on."""
    return lines(content_of(row.base), read_content(row.content))


def request_facts(row: PolicyVersion) -> dict[str, Any]:
    """Return the facts for the log entries about its approval."""
    return {
        "base": row.base,
        "lines": logged_lines(differences(row), None),
        "loosens": row.loosens,
        "apply_at": row.apply_at,
        "digest": row.digest,
        "made_by": row.made_by,
    }


def activate(row: PolicyVersion, *, by: UUID | None, at: datetime) -> None:
    """Apply an approved request: publish the version, or schedule it."""
    now = queries.current_policy()
    _check_base(row.base, now)
    row.decided_by, row.decided_at = by, at
    row.agreed = verdict(now, now.draft(read_content(row.content))).fingerprint
    if row.apply_at is not None and row.apply_at > at:
        row.state = "scheduled"
        _queue(row)
    else:
        _publish(row, now)


def close_request(
    row: PolicyVersion, state: str, *, by: UUID | None, at: datetime | None, note: str
) -> None:
    """Close the version with its request: rejected, withdrawn, or returned to draft."""
    if state in {"rejected", "withdrawn"}:
        row.state, row.decided_at = "rejected" if state == "rejected" else "withdrawn", at
        row.decided_by = by if state == "rejected" else None
    else:
        _return_to_draft(row, why_returned(note))


def why_returned(note: str) -> str:
    return note or "No one decided on the request in time."


def _record_step(step_action: Any, row: PolicyVersion, **facts: Any) -> None:
    record(
        step_action,
        row,
        reason=row.reason or None,
        base=row.base,
        lines=logged_lines(differences(row), None),
        apply_at=row.apply_at,
        **facts,
    )
