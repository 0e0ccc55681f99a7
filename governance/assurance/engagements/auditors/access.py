"""Give auditors access to an engagement, revoke it, and handle the codes of personal links."""

import re
from dataclasses import dataclass
from uuid import UUID

from governance.assurance.engagements import actions, queries
from governance.assurance.engagements.auditors import queries as auditor_queries
from governance.assurance.engagements.models import (
    Engagement,
    EngagementAuditor,
)
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people import (
    admission_actions,
    aliases,
    invitation_actions,
    member_actions,
    one_time_codes,
    sign_in_rules,
)
from governance.foundation.people import queries as members
from governance.foundation.people.models import ERASED, Membership, Person, person_key
from governance.foundation.people.oidc_types import Identity
from governance.foundation.people.one_time_codes import WRONG
from governance.foundation.privacy.events import PersonErased
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import Invalid
from governance.kernel.formatting import long_day
from governance.kernel.work import outbox

AUDITOR_ADDED = action(
    "engagement.auditor.added",
    "added an auditor to an engagement",
    target="EngagementAuditor",
    activity="create",
    severity="medium",
    fields="ref way",
    personal="name email",
)
AUDITOR_REMOVED = action(
    "engagement.auditor.removed",
    "removed an auditor from an engagement",
    target="EngagementAuditor",
    activity="delete",
    severity="medium",
    fields="ref",
    personal="name email",
)
AUDITOR_SIGNED_IN = action(
    "engagement.auditor.signed_in",
    "signed in to an engagement with a code",
    target="EngagementAuditor",
    activity="update",
    severity="low",
    fields="way",
)
CODE_SENT = action(
    "engagement.code.sent",
    "sent a sign-in code to an auditor",
    target="EngagementAuditor",
    activity="create",
    severity="informational",
    fields="ref",
    personal="email",
)
CODE_REFUSED = action(
    "engagement.auditor.sign_in_denied",
    "was denied sign-in to an engagement: wrong code",
    target="EngagementAuditor",
    activity="logon",
    severity="medium",
    fields="ref tries",
    personal="email",
)
ADDRESS = re.compile(r"[^@\s,;<>\"]{1,64}@([a-z0-9-]{1,63}\.)+[a-z]{2,63}", re.IGNORECASE)


class ProviderRequired(actions.EngagementClosed):
    """The tenant requires single sign-on for this email address."""


@dataclass(frozen=True, slots=True)
class Link:
    """The personal link of an auditor. `token` is known only when the link is created."""

    auditor: EngagementAuditor
    token: str | None


def add_auditor(
    engagement: Engagement, *, name: str, email: str, way: str, address: str, sign_in: str
) -> EngagementAuditor:
    """Add an auditor, and email them an invitation after the commit.

    `way` is "sso" (the tenant's identity provider) or "link" (a personal link, with a code by email
    at each sign-in). `address` is the URL to which the token of a link is appended. `sign_in` is
    the URL of the sign-in page. Raises Invalid for a wrong name, email address or sign-in method.
    """
    actions.check_not_ended(engagement)
    name, email = " ".join(name.split()), email.strip().lower()
    if not 1 <= len(name) <= 120:  # noqa: PLR2004 - a person's name
        raise Invalid("Enter the auditor's name.", field="name")
    if not ADDRESS.fullmatch(email) or len(email) > 254:  # noqa: PLR2004 - RFC 5321
        raise Invalid("Enter a valid email address.", field="email")
    if way not in {"sso", "link"}:
        raise Invalid("Choose a sign-in method.", field="way")
    if way == "link" and sign_in_rules.must_use_provider(email):
        raise Invalid(
            f"This tenant requires single sign-on of people at {email.rpartition('@')[2]}. Choose"
            " single sign-on.",
            field="way",
        )
    invitation_actions.check_auditor_address(email)
    _remove_revoked_invitations(engagement, email)
    token = one_time_codes.new_token() if way == "link" else None
    member = _member_of_connection(email) if way == "sso" else None
    invitation = (
        invitation_actions.invite_auditor(email, until=engagement.closes_at)
        if way == "sso" and member is None
        else None
    )
    auditor = EngagementAuditor(
        engagement_id=engagement.id,
        name=name,
        email=email,
        person_id=member.person_id if member else None,
        invitation_id=invitation.id if invitation else None,
        link_hash=one_time_codes.hash_of(token) if token else None,
        code_hash=None,
        code_ends_at=None,
        codes_since=None,
        added_by=current.actor().person_id,
        removed_at=None,
        created_at=clock.now(),
    )
    session().add(auditor)
    record(AUDITOR_ADDED, auditor, ref=engagement.ref, way=way, name=name, email=email)
    _invite_by_mail(
        engagement, auditor, f"{address}/{token}" if token else sign_in, by_code=token is not None
    )
    return auditor


def _remove_revoked_invitations(engagement: Engagement, email: str) -> None:
    """Remove the auditors with this email address whose access was revoked, in every engagement.

    Raises Invalid if this engagement has an auditor with this address and access.
    """
    for view in auditor_queries.auditors_by_email(email):
        if view.is_revoked:
            _remove(queries.engagement(view.auditor.engagement_id), view.auditor)
        elif view.auditor.engagement_id == engagement.id:
            raise Invalid(f"{email} is already an auditor of this engagement.", field="email")
    session().flush()


def _member_of_connection(email: str) -> Membership | None:
    """Return the member with this email address who uses the tenant's identity provider, if any."""
    connection = members.connection()
    known = members.members_at_address(email) if connection else ()
    return next((m for m in known if connection and m.person.issuer == connection.issuer), None)


def _invite_by_mail(
    engagement: Engagement, auditor: EngagementAuditor, link: str, *, by_code: bool
) -> None:
    tenant = " ".join(current.actor().tenant_name.split())
    how = (
        "Each time you use this link, we email a sign-in code to this address."
        if by_code
        else "Sign in with your company account."
    )
    outbox.send_mail(
        auditor.email,
        f"Your audit engagement at {tenant}",
        f"{_inviter(auditor)} invited you to the audit engagement {engagement.ref}"
        f" ({engagement.firm}) at {tenant}.\n\n{link}\n\n{how}\n\nYou have access from"
        f" {long_day(engagement.fieldwork_from)} to the end of"
        f" {long_day(engagement.fieldwork_to)}.\n",
    )


def _inviter(auditor: EngagementAuditor) -> str:
    """Return the acting person's name for the invitation, or their alias if names are hidden."""
    who = current.actor()
    if not auditor_queries.hides_names_from(auditor.email):
        return who.name
    return aliases.who_did(aliases.aliases([who.person_id]), who.person_id, aliases.OUTSIDER)


def remove_auditor(engagement: Engagement, auditor: EngagementAuditor) -> None:
    """Remove the auditor. Their sessions end now unless another engagement of theirs is open."""
    _remove(engagement, auditor)
    actions.end_expired_sessions()


def _remove(engagement: Engagement, auditor: EngagementAuditor) -> None:
    """Remove the auditor, and withdraw their invitation unless another engagement needs it."""
    auditor.removed_at = clock.now()
    record(AUDITOR_REMOVED, auditor, ref=engagement.ref, name=auditor.name, email=auditor.email)
    session().flush()
    invitation = members.invitation(auditor.invitation_id) if auditor.invitation_id else None
    if (
        invitation is not None
        and invitation.accepted_at is None
        and invitation.withdrawn_at is None
    ):
        actions.fit_invitation(invitation, how="removed from the engagement")


def forget_auditor(erased: PersonErased) -> None:
    """Remove an erased person from every engagement, and disable their links and codes."""
    rows = auditor_queries.auditor_rows_of_person(erased.person_id, erased.addresses)
    for auditor in rows:
        auditor.link_hash = auditor.code_hash = auditor.code_ends_at = None
        if auditor.removed_at is None:
            auditor.removed_at = clock.now()
            record(AUDITOR_REMOVED, auditor, ref=queries.engagement(auditor.engagement_id).ref)
    erased.removed["engagements"] = len(rows)


def hash_of_link(token: str) -> bytes:
    return one_time_codes.hash_of(token)


def send_code(auditor: EngagementAuditor, engagement: Engagement) -> None:
    """Email a new code and disable the previous one, up to five codes an hour.

    Raises EngagementClosed while the engagement isn't open, and DomainError beyond the limit.
    """
    _check_open(engagement)
    _check_may_use_codes(auditor)
    if auditor.person_id is not None:
        _check_not_revoked(auditor, auditor.person_id)
    code = one_time_codes.issue(auditor, clock.now())
    record(CODE_SENT, auditor, ref=engagement.ref, email=auditor.email)
    outbox.send_mail(auditor.email, one_time_codes.MAIL_SUBJECT, one_time_codes.mail_body(code))


def _check_may_use_codes(auditor: EngagementAuditor) -> None:
    """Raise ProviderRequired if single sign-on became mandatory after the link was created."""
    if sign_in_rules.must_use_provider(auditor.email):
        raise ProviderRequired(
            "Single sign-on is required for your address, so a code no longer signs you in. Ask the"
            " person who invited you to add you with single sign-on."
        )


def _check_open(engagement: Engagement) -> None:
    now = clock.now()
    if engagement.is_open(now):
        return
    if now < engagement.opens_at and engagement.ended_at is None:
        raise actions.EngagementClosed(
            f"The fieldwork starts on {long_day(engagement.fieldwork_from)}. You can sign in from"
            " that day."
        )
    raise actions.EngagementClosed("This engagement has ended, so you no longer have access.")


def redeem_code(auditor: EngagementAuditor, engagement: Engagement, code: str) -> str | None:
    """Redeem a code. Return None if it is correct, otherwise the reason.

    Each attempt is counted, so commit the transaction even if a reason is returned.
    """
    _check_open(engagement)
    _check_may_use_codes(auditor)
    problem = one_time_codes.redeem(auditor, code, clock.now())
    if problem == WRONG:
        record(
            CODE_REFUSED,
            auditor,
            outcome="denied",
            ref=engagement.ref,
            tries=auditor.code_tries,
            email=auditor.email,
        )
    return problem


def sign_in_auditor(auditor: EngagementAuditor, identity: Identity) -> Person:
    """Save the person who redeemed a code as a member with the auditor role, and return them.

    Needs a transaction with person_id set. Raises EngagementClosed for an erased person, and for a
    link that is older than the end of their membership.
    """
    key = person_key(identity.issuer, identity.subject)
    _check_not_revoked(auditor, key)
    invitation_actions.check_auditor_address(auditor.email)
    person = admission_actions.save_person(identity)
    if members.membership_of(key) is None:
        member_actions.add_member(person, "auditor", via="engagement")
    if auditor.person_id != person.id:
        auditor.person_id = person.id
    record(AUDITOR_SIGNED_IN, auditor, about=person.id, way="link and code")
    return person


def _check_not_revoked(auditor: EngagementAuditor, person_id: UUID) -> None:
    membership = members.any_membership_of(person_id)
    if membership is not None and membership.via == ERASED:
        raise actions.EngagementClosed(
            "This account was permanently erased. Ask the company you audit to invite you at"
            " another address."
        )
    if (
        membership is not None
        and membership.ended_at is not None
        and auditor.created_at <= membership.ended_at
    ):
        raise actions.EngagementClosed(
            "Your access was revoked, so this link no longer works. Ask the company you audit for a"
            " new invitation."
        )
