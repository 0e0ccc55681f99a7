"""Draft a policy: the one open version of a tenant.

draft, rebase, rollback    create or edit it
withdraw                   close it without publishing
open_version, edit         helpers that publishing uses
"""

from collections.abc import Iterable

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals import queries as requests
from governance.foundation.audit.record import record
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid, NotFound, Stale
from governance.operations.policies import queries
from governance.operations.policies.effective_policies import Content, EffectivePolicy, read_content
from governance.operations.policies.models import OPEN, PolicyVersion
from governance.operations.policies.policy_diff import SettingChange, carried_over, digest, lines
from governance.operations.policies.preview import verdict
from governance.operations.policies.setting_labels import setting_title, value_label
from governance.operations.policies.version_log import DRAFTED, WITHDRAWN, logged_lines

LOCK = "policy"  # Lock for every change of a tenant's versions
REASON_NEEDED = "Enter a reason. It is kept in the audit log."


def revision(row: PolicyVersion | None) -> str:
    """Return the revision of the open version, which forms carry; empty if there is none."""
    return f"{row.id}.{row.edited}" if row is not None and row.state in OPEN else ""


def open_version(
    *, reason: str = "The draft was edited, so this request is void."
) -> PolicyVersion | None:
    """Return the open version, locked. A request for its approval becomes void."""
    lock_tenant(LOCK)
    if (row := queries.draft()) is not None:
        approvals.void(queries.POLICY, row.id, reason=reason)
        session().flush()
    return queries.draft(lock=True)


def draft(
    content: Content, *, seen: str, reason: str | None = None, back_to: int | None = None
) -> PolicyVersion:
    """Create the open version, or edit it, which voids a request for its approval.

    Raises Stale if someone else edited it since the form was opened (`seen`).
    """
    row, now = open_version(), queries.current_policy()
    row = edit(row, now, content, seen=seen, reason=reason, back_to=back_to)
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
        lines=logged_lines(lines(now.content, read_content(row.content)), now),
    )


def edit(
    row: PolicyVersion | None,
    now: EffectivePolicy,
    content: Content,
    *,
    seen: str,
    reason: str | None,
    back_to: int | None = None,
) -> PolicyVersion:
    """Return the open version with this content, as a draft based on the published version."""
    _check_revision(row, seen, content)
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
    reset_decision(row)


def reset_decision(row: PolicyVersion) -> None:
    row.state, row.agreed, row.note = "draft", "", ""
    row.requested_at = row.decided_by = row.decided_at = row.apply_at = None


def _check_revision(row: PolicyVersion | None, seen: str, mine: Content) -> None:
    """Raise Stale, with the current content, if the version changed since the form was opened."""
    if revision(row) == seen:
        return
    if row is None:
        raise Stale(
            "The draft was published or withdrawn while you were editing. Review the current"
            " policy, then save again."
        )
    theirs = read_content(row.content)
    raise Stale(
        "Someone else edited the draft while you were editing. Both versions are below. Review"
        " them, then save again.",
        labelled_changes(lines(mine, theirs)),
    )


def labelled_changes(changes: Iterable[SettingChange]) -> dict[str, tuple[str, str]]:
    return {
        _name(each): (value_label(each.before, each.key), value_label(each.after, each.key))
        for each in changes
    }


def _name(change: SettingChange) -> str:
    title = setting_title(change.key)
    if change.system_id is None:
        return title
    slug = queries.system_keys([change.system_id]).get(change.system_id, "a system")
    return f"{title} of {slug}"


def check_content(content: Content, now: EffectivePolicy) -> None:
    """Raise unless the tier exists and the systems are active ones of this tenant."""
    if content.tier not in now.platform.tiers:
        raise Invalid(
            f"There is no tier {content.tier[:40]}. Choose one of {', '.join(now.platform.tiers)}.",
            field="tier",
        )
    if content.systems.keys() - {system.id for system in now.systems}:
        raise NotFound("This AI system doesn't exist, or you don't have access to it.")


def rebase(*, seen: str) -> PolicyVersion:
    """Rebase the open version onto the published version. Its own changes stay."""
    row, now = (
        open_version(reason="The draft was updated, so this request is void."),
        queries.current_policy(),
    )
    if row is None:
        raise DomainError("There is no draft to update.")
    mine = read_content(row.content)
    carried = carried_over(content_of(row.base), mine, now.content).within(now.systems)
    _check_revision(row, seen, carried)
    edit(row, now, carried, seen=seen, reason=None, back_to=row.back_to)
    _record_draft(row, now)
    return row


def content_of(number: int) -> Content:
    return read_content(queries.version(number).content) if number else Content()


def rollback(number: int, *, seen: str, reason: str) -> PolicyVersion:
    """Draft the content of an older version. Loosening still needs a second person."""
    check_reason(reason)
    old = read_content(queries.version(number).content).within(queries.current_policy().systems)
    return draft(old, seen=seen, reason=reason, back_to=number)


def withdraw(row: PolicyVersion) -> None:
    """Withdraw the open version. The log keeps its content."""
    lock_tenant(LOCK)
    request = requests.open_approval(queries.POLICY, row.id)
    if (
        request is not None
        and requests.is_open(request)
        and str(current.person_id()) in request.requesters
    ):
        approvals.withdraw(request)
        return
    approvals.void(
        queries.POLICY, row.id, reason="The version was withdrawn, so this request is void."
    )
    session().flush()
    session().refresh(row, with_for_update=True)
    if row.state not in OPEN:
        raise DomainError("This version was already decided, published or withdrawn.")
    row.state, row.decided_at, row.note = "withdrawn", clock.now(), ""
    record(WITHDRAWN, row, digest=row.digest)


def check_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid(REASON_NEEDED, field="reason")
