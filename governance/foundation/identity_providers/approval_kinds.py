"""The approval of a change to how people sign in."""

from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any

from governance.foundation.approvals import queries as approvals
from governance.foundation.approvals.kinds import (
    ApprovalEffect,
    ApprovalKind,
    Description,
    LogEntry,
)
from governance.foundation.approvals.models import Approval
from governance.foundation.identity_providers import (
    change_actions,
    connection_actions,
    permissions,
    queries,
)
from governance.foundation.identity_providers.connection_settings import (
    as_facts,
    is_same_provider,
    proposed_changes,
    secret_digest,
)
from governance.foundation.identity_providers.models import ConnectionChange
from governance.foundation.people import queries as people
from governance.foundation.people.models import Connection
from governance.kernel import current
from governance.kernel.formatting import plural

UNTESTED = "No one has tested the proposed connection yet. Start the test sign-in first."
FAILED = "The test sign-in failed. Fix the problem it shows, then test again."
OVERTAKEN = "The live connection has changed since this was proposed. Propose the change again."

# ---- what the approver sees


def _describe(approval: Approval) -> Description:
    change = queries.change(approval.target_id)
    proposed, rows, is_open = (
        queries.proposed_connection(change),
        proposed_changes(change),
        approvals.is_open(approval),
    )
    return Description(
        title=approval.summary,
        heading=_heading(len(rows), is_open=is_open, is_live=approval.state == "approved"),
        sub="Everything else stays as it is." if is_open else "",
        changes=rows,
        template="foundation/identity_providers/approval.html",
        details={
            "change": change,
            "proposed": proposed,
            "is_open": is_open,
            "missing": missing(change),
            "tester": (
                people.names([change.tested_by]).get(change.tested_by, "a former member")
                if change.tested_by
                else ""
            ),
        },
        covers=(
            "Covers the proposed settings, the client secret, the test sign-in, the live connection"
            " and the request itself."
        ),
        back=("Sign-in", "identity_providers.index", {}),
        verb="Approve and make live",
        consequence=(
            "It takes effect immediately. To go back, propose the former settings; that also needs"
            " a second person."
        ),
        effects=list(_effects(change, proposed)) if is_open else (),
        figures=_figures(change, proposed) if is_open else (),
    )


def _heading(count: int, *, is_open: bool, is_live: bool) -> str:
    if is_open:
        return f"{plural(count, 'setting')} {'changes' if count == 1 else 'change'}"
    return f"{plural(count, 'setting')} changed" if is_live else "What would have changed"


def _figures(change: ConnectionChange, proposed: Connection | None) -> list[tuple[str, str]]:
    sessions = len(_ending_sessions(people.connection(), proposed))
    return [
        (str(len(people.members())), "members sign in through it"),
        (str(sessions), "open session ends" if sessions == 1 else "open sessions end"),
        (
            str(len(change.domains)),
            "work domain leads to it" if len(change.domains) == 1 else "work domains lead to it",
        ),
    ]


def _effects(change: ConnectionChange, proposed: Connection | None) -> Iterator[ApprovalEffect]:
    live = people.connection()
    ending = _ending_sessions(live, proposed)
    if ending:
        yours = (
            ", yours included"
            if any(each.person_id == current.person_id() for each in ending)
            else ""
        )
        yield ApprovalEffect(
            "due",
            f"{plural(len(ending), 'open session')}"
            f" {'ends' if len(ending) == 1 else 'end'}{yours}.",
            "The former provider can no longer end them, so everyone signs in again through the new"
            " one.",
        )
    else:
        yield ApprovalEffect(
            "ok",
            "No one is signed out.",
            "Roles follow the groups at each person's next sign-in." if proposed else "",
        )
    if live and proposed and live.issuer != proposed.issuer:
        yield ApprovalEffect(
            "due",
            "Under another issuer, everyone counts as a new person.",
            "Each member needs a mapped group or an invitation to sign in again.",
        )
    if proposed and proposed.verifies_addresses and not (live and live.verifies_addresses):
        yield ApprovalEffect(
            "due",
            "Addresses in the work domains count as verified.",
            "Anyone who can change an address at the provider could accept that person's"
            " invitation.",
        )
    if proposed and proposed.enforced and not (live and live.enforced):
        yield ApprovalEffect(
            "ok",
            "People in the work domains sign in through this provider only.",
            "Auditors with such an address can no longer use a personal link and a code.",
        )
    yield from _effects_on_domains(set(change.base_domains), set(change.domains))


def _effects_on_domains(before: set[str], after: set[str]) -> Iterator[ApprovalEffect]:
    if added := sorted(after - before):
        yield ApprovalEffect("ok", f"Addresses at {', '.join(added)} lead to this sign-in.")
    if removed := sorted(before - after):
        yield ApprovalEffect(
            "due",
            f"Addresses at {', '.join(removed)} no longer lead to this sign-in.",
            "People with these addresses need the tenant's own link.",
        )


def _ending_sessions(live: Connection | None, proposed: Connection | None) -> list[Any]:
    if live is None or proposed is None or is_same_provider(live, proposed):
        return []
    return [each for each in people.live_sessions() if each.issuer == live.issuer]


# ---- what the approval binds to


def _proposed(approval: Approval) -> Mapping[str, Any]:
    change = queries.change(approval.target_id)
    connection = queries.proposed_connection(change)
    return {
        "connection": (
            {
                "id": connection.id,
                "secret": secret_digest(connection),
                **as_facts(connection),
            }
            if connection
            else None
        ),
        "domains": change.domains,
        "test": change.test,
        "tested_by": change.tested_by,
        "tested_at": change.tested_at.astimezone(UTC) if change.tested_at else None,
    }


def _live(_approval: Approval) -> Mapping[str, Any]:
    live = people.connection()
    return {
        "connection": {"id": live.id, **as_facts(live)} if live else None,
        "domains": queries.domains(),
    }


def _blocked(approval: Approval) -> str | None:
    change, live = queries.change(approval.target_id), people.connection()
    if change.base_id != (live.id if live else None) or change.base_domains != queries.domains():
        return OVERTAKEN
    return missing(change)


def missing(change: ConnectionChange) -> str | None:
    """Return what has to be done before it can be approved; None if nothing."""
    if change.connection_id is None:
        return None
    if change.test is None:
        return UNTESTED
    return None if change.test.get("passed") else FAILED


# ---- what follows


def _make_live(approval: Approval) -> int:
    return change_actions.make_live(queries.change(approval.target_id, lock=True))


def _close(approval: Approval) -> None:
    change_actions.close_change(
        queries.change(approval.target_id, lock=True),
        "replaced" if approval.state == "voided" else approval.state,
    )


def _entry(approval: Approval, _step: str) -> LogEntry:
    change = queries.change(approval.target_id)
    return LogEntry(
        change, facts={"requested_by": approval.requested_by, "tested_by": change.tested_by}
    )


IDENTITY_CHANGE = ApprovalKind(
    name=queries.IDENTITY_CHANGE,
    label="Change to sign-in",
    permission=permissions.CHANGE,
    describe=_describe,
    fingerprint=_proposed,
    context=_live,
    blocked=_blocked,
    apply=_make_live,
    on_reject=_close,
    entry=_entry,
    lock=connection_actions.LOCK,
    own="You proposed this change, so another person approves it.",
    result_template="foundation/identity_providers/live.html",
    entries={
        "requested": None,
        "approved": change_actions.CHANGE_APPROVED,
        "rejected": change_actions.CHANGE_REJECTED,
        "withdrawn": change_actions.CHANGE_WITHDRAWN,
        "voided": change_actions.CHANGE_REPLACED,
        "expired": change_actions.CHANGE_EXPIRED,
    },
)

KINDS = (IDENTITY_CHANGE,)
