"""Giving auditors access to an engagement and ending it: by the tenant's sign-in, or by a link and
a code sent by email.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from governance.assurance.engagements import actions, queries
from governance.assurance.engagements.models import (
    Engagement,
    EngagementAuditor,
)
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people import actions as people
from governance.foundation.people import queries as members
from governance.foundation.people.models import ERASED, Membership, Person, person_key
from governance.foundation.people.oidc import Identity
from governance.foundation.privacy.events import PersonErased
from governance.kernel import clock, current, outbox
from governance.kernel.db import session
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.formatting import long_day

LET_IN = action(
    "engagement.auditor.added",
    "added an auditor to an engagement",
    target="EngagementAuditor",
    activity="create",
    severity="medium",
    fields="ref way",
    personal="name email",
)
REMOVED = action(
    "engagement.auditor.removed",
    "removed an auditor from an engagement",
    target="EngagementAuditor",
    activity="delete",
    severity="medium",
    fields="ref",
    personal="name email",
)
ARRIVED = action(
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
CODE_DIGITS, CODE_MINUTES, MOST_TRIES, MOST_CODES = 8, 10, 5, 5
ADDRESS = re.compile(r"[^@\s,;<>\"]{1,64}@([a-z0-9-]{1,63}\.)+[a-z]{2,63}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Link:
    """What is told once: the address that the mail carries."""

    auditor: EngagementAuditor
    token: str | None


def add_auditor(
    held: Engagement, *, name: str, email: str, way: str, address: str, sign_in: str
) -> EngagementAuditor:
    """Let somebody of the firm in.

    `way` is "sso" (the tenant's connection) or "link" (a link, and each time a code by mail).

    `address` is where links begin, `sign_in` the sign-in page. The mail leaves after the commit.
    """
    actions.check_not_ended(held)
    name, email = " ".join(name.split()), email.strip().lower()
    if not 1 <= len(name) <= 120:  # noqa: PLR2004 - a person's name
        raise Invalid("Enter the auditor's name.", field="name")
    if not ADDRESS.fullmatch(email) or len(email) > 254:  # noqa: PLR2004 - RFC 5321
        raise Invalid("Enter a valid email address.", field="email")
    if way not in {"sso", "link"}:
        raise Invalid("Choose a sign-in method.", field="way")
    people.may_audit(email)
    _clear_away(held, email)
    token = secrets.token_urlsafe(32) if way == "link" else None
    member = _signs_in_through_connection(email) if way == "sso" else None
    invitation = (
        people.invite_auditor(email, until=held.closes_at)
        if way == "sso" and member is None
        else None
    )
    auditor = EngagementAuditor(
        engagement_id=held.id,
        name=name,
        email=email,
        person_id=member.person_id if member else None,
        invitation_id=invitation.id if invitation else None,
        link_hash=_hash(token) if token else None,
        code_hash=None,
        code_ends_at=None,
        codes_since=None,
        added_by=current.actor().person_id,
        removed_at=None,
        created_at=clock.now(),
    )
    session().add(auditor)
    record(LET_IN, auditor, ref=held.ref, way=way, name=name, email=email)
    _invite_by_mail(
        held, auditor, f"{address}/{token}" if token else sign_in, by_code=token is not None
    )
    return auditor


def _clear_away(held: Engagement, email: str) -> None:
    """Remove every earlier invitation of this address that no longer gives access.

    Raises Invalid where one still does.
    """
    for view in queries.ways_of(email):
        if view.is_revoked:
            _take_out(queries.engagement(view.auditor.engagement_id), view.auditor)
        elif view.auditor.engagement_id == held.id:
            raise Invalid(f"{email} is already an auditor of this engagement.", field="email")
    session().flush()


def _signs_in_through_connection(email: str) -> Membership | None:
    """The auditor of this address whom the tenant's own connection vouches for; one who came by a
    code is another person.
    """
    connection = members.connection()
    known = members.lives_at(email) if connection else ()
    return next((m for m in known if connection and m.person.issuer == connection.issuer), None)


def _invite_by_mail(
    held: Engagement, auditor: EngagementAuditor, link: str, *, by_code: bool
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
        f"{current.actor().name} invited you to the audit engagement {held.ref}"
        f" ({held.firm}) at {tenant}.\n\n{link}\n\n{how}\n\nYou have access from"
        f" {long_day(held.fieldwork_from)} to the end of {long_day(held.fieldwork_to)}.\n",
    )


def remove_auditor(held: Engagement, auditor: EngagementAuditor) -> None:
    """End the auditor's access immediately, unless another engagement of theirs is open."""
    _take_out(held, auditor)
    actions.end_expired_sessions()


def _take_out(held: Engagement, auditor: EngagementAuditor) -> None:
    """Their invitation is deleted too, unless it leads to another engagement as well."""
    auditor.removed_at = clock.now()
    record(REMOVED, auditor, ref=held.ref, name=auditor.name, email=auditor.email)
    session().flush()
    invitation = members.invitation(auditor.invitation_id) if auditor.invitation_id else None
    if (
        invitation is not None
        and invitation.accepted_at is None
        and invitation.withdrawn_at is None
    ):
        actions.fit_invitation(invitation, how="removed from the engagement")


def forget_auditor(erased: PersonErased) -> None:
    """Remove an erased person from every engagement: links and codes that were sent to them lead
    nowhere from now on.
    """
    rows = queries.auditors_who_are(erased.person_id, erased.addresses)
    for auditor in rows:
        auditor.link_hash = auditor.code_hash = auditor.code_ends_at = None
        if auditor.removed_at is None:
            auditor.removed_at = clock.now()
            record(REMOVED, auditor, ref=queries.engagement(auditor.engagement_id).ref)
    erased.removed["engagements"] = len(rows)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def hash_of_link(token: str) -> bytes:
    return _hash(token)


def send_code(auditor: EngagementAuditor, held: Engagement) -> None:
    """Mail a new code, at most five an hour; an earlier one no longer works.

    Raises Closed while the engagement isn't open.
    """
    _must_be_open(held)
    if auditor.person_id is not None:
        _still_welcome(auditor, auditor.person_id)
    now = clock.now()
    if auditor.codes_since is None or now - auditor.codes_since >= timedelta(hours=1):
        auditor.codes_since, auditor.codes_sent = now, 0
    if auditor.codes_sent >= MOST_CODES:
        raise DomainError("We sent five codes in the last hour. Wait, then request another one.")
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
    auditor.code_hash, auditor.code_ends_at = (
        _code_hash(auditor, code),
        now + timedelta(minutes=CODE_MINUTES),
    )
    auditor.codes_sent, auditor.code_tries = auditor.codes_sent + 1, 0
    record(CODE_SENT, auditor, ref=held.ref, email=auditor.email)
    outbox.send_mail(
        auditor.email,
        "Your Meridian sign-in code",
        f"{code[:4]} {code[4:]}\n\nThis code works once and expires in {CODE_MINUTES} minutes."
        " Don't share it: Meridian never asks you for a code.\n",
    )


def _code_hash(auditor: EngagementAuditor, code: str) -> bytes:
    """Eight digits are soon tried out, so the row and the link stand in the hash too."""
    return hmac.new(
        auditor.link_hash or b"", f"{auditor.id}{code}".encode(), hashlib.sha256
    ).digest()


def _must_be_open(held: Engagement) -> None:
    now = clock.now()
    if held.is_open(now):
        return
    if now < held.opens_at and held.ended_at is None:
        raise actions.Closed(
            f"The fieldwork starts on {long_day(held.fieldwork_from)}. You can sign in from that day."
        )
    raise actions.Closed("This engagement has ended, so you no longer have access.")


def redeem(auditor: EngagementAuditor, held: Engagement, code: str) -> str | None:
    """Use the code up.

    None when it was right; otherwise why not, and the try is counted: what is returned must be
    committed.
    """
    _must_be_open(held)
    typed = "".join(code.split())
    if (
        auditor.code_hash is None
        or auditor.code_ends_at is None
        or auditor.code_ends_at <= clock.now()
    ):
        return "This code has expired or was already used. Request another one."
    if auditor.code_tries >= MOST_TRIES:
        return "Too many wrong codes. Request another one."
    auditor.code_tries += 1
    if not hmac.compare_digest(auditor.code_hash, _code_hash(auditor, typed)):
        record(
            CODE_REFUSED,
            auditor,
            outcome="denied",
            ref=held.ref,
            tries=auditor.code_tries,
            email=auditor.email,
        )
        return "That code is wrong. Enter the code from the latest email."
    auditor.code_hash = auditor.code_ends_at = None
    return None


def arrive(auditor: EngagementAuditor, identity: Identity) -> Person:
    """The person of the console's own issuer behind a redeemed code, as an auditor here; needs a
    transaction with person_id set.

    Whoever was removed needs a link that was created afterwards; whoever was erased gets no access
    again.
    """
    key = person_key(identity.issuer, identity.subject)
    _still_welcome(auditor, key)
    people.may_audit(auditor.email)
    person = people.arrive(identity)
    if members.membership_of(key) is None:
        people.join(person, "auditor", via="engagement")
    if auditor.person_id != person.id:
        auditor.person_id = person.id
    record(ARRIVED, auditor, about=person.id, way="link and code")
    return person


def _still_welcome(auditor: EngagementAuditor, person_id: UUID) -> None:
    held = members.any_membership_of(person_id)
    if held is not None and held.via == ERASED:
        raise actions.Closed(
            "This account was permanently erased. Ask the company you audit to invite you at another"
            " address."
        )
    if held is not None and held.ended_at is not None and auditor.created_at <= held.ended_at:
        raise actions.Closed(
            "Your access was revoked, so this link no longer works. Ask the company you audit for a"
            " new invitation."
        )
