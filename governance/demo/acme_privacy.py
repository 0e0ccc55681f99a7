"""Acme's approvals by two people: an erasure, a legal hold, an unmasking, a change to sign-in."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from governance.demo.cast import DOMAINS, FORMER_MEMBER, Cast, days_ago
from governance.demo.story import StoryEvent
from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.kinds import fingerprint_seen
from governance.foundation.approvals.queries import open_approval
from governance.foundation.audit import personal_field_encryption
from governance.foundation.identity_providers import change_actions
from governance.foundation.identity_providers.connection_settings import settings_of
from governance.foundation.people import member_actions
from governance.foundation.people import queries as members
from governance.foundation.people.models import Membership
from governance.foundation.privacy import (
    erasure_actions,
    legal_hold_actions,
    retention_actions,
    unmasking_actions,
)
from governance.foundation.privacy import queries as private

TOBIAS_LEFT, TOBIAS_ERASED = 200, 172  # days ago


def privacy_events(cast: Cast) -> Iterator[StoryEvent]:
    """Yield the privacy events of the year.

    Tobias left and requested erasure. A legal hold covers data about Anna. Ines requests to
    unmask a pseudonym. The admin proposes a change to sign-in.
    """
    yield StoryEvent(
        days_ago(TOBIAS_LEFT),
        "admin",
        lambda: member_actions.remove_member(_membership(cast, "tobias")),
        17,
    )
    yield StoryEvent(days_ago(TOBIAS_ERASED), "admin", partial(_request_erasure, cast), 9)
    yield StoryEvent(days_ago(TOBIAS_ERASED), "officer", partial(_approve_erasure, cast), 11)
    yield StoryEvent(days_ago(64), "officer", partial(_place_hold, cast), 15)
    yield StoryEvent(
        days_ago(30), "admin", lambda: retention_actions.set_retention(84, version=0), 10
    )
    yield StoryEvent(days_ago(1), "admin", _propose_sign_in, 15)
    yield StoryEvent(days_ago(0), "officer", partial(_request_unmasking, cast), 9)


def _propose_sign_in() -> None:
    """Propose a sign-in change, which Rosa Meyer can approve once Sanjay's test sign-in succeeds."""
    live = members.connection()
    if live is None:
        raise LookupError("no connection")
    now = settings_of(live)
    wanted = replace(now, group_roles={**now.group_roles, "governance-risk-team": "viewer"})
    change_actions.propose(
        wanted,
        secret=None,
        domains=DOMAINS["acme"],
        seen=change_actions.opened_with(live, None),
        reason=(
            "The risk team reviews the heat map each month and needs access through its own group."
        ),
    )


def _membership(cast: Cast, part: str) -> Membership:
    found = members.by_pseudonym(personal_field_encryption.pseudonym(cast.id(part)))
    if found is None:
        raise LookupError(part)
    return found


def _request_erasure(cast: Cast) -> None:
    erasure_actions.request_erasure(
        _membership(cast, "tobias"),
        "They left in spring and requested erasure under Article 17. No claim is open.",
    )


def _approve_erasure(cast: Cast) -> None:
    erasure = private.open_erasure(_membership(cast, "tobias").pseudonym)
    asked = open_approval(private.ERASURE, erasure.id) if erasure else None
    if asked is None:
        raise LookupError("nobody asked")
    approvals.approve(asked, seen=fingerprint_seen(asked), typed=FORMER_MEMBER.name)


def _place_hold(cast: Cast) -> None:
    legal_hold_actions.place_hold(
        _membership(cast, "anna"),
        "Dispute with the former red-team vendor. Counsel asked us to keep what they uploaded.",
    )


def _request_unmasking(cast: Cast) -> None:
    unmasking_actions.request_unmasking(
        personal_field_encryption.pseudonym(cast.id("jun")),
        "I need to discuss the failed red-team sample of SEC-07 with the person who uploaded it.",
    )
