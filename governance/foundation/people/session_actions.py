"""Start and end sessions, and record denied sign-ins."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people import (
    saved_forms,
    sessions,
    sign_in_state,
)
from governance.foundation.people.models import (
    Membership,
    Person,
    Session,
    person_key,
)
from governance.foundation.people.oidc_types import Identity
from governance.foundation.tenants.events import SuspensionBegan
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.safety import key_encryption

key_encryption.holds(Session, "id_token", lambda _row: b"id-token")
SIGNED_IN = action(
    "session.started",
    "signed in",
    target="Session",
    activity="logon",
    severity="informational",
    fields="via browser fresh",
    personal="name email",
)
SIGN_IN_DENIED = action(
    "session.denied",
    "was denied sign-in",
    target="Session Person",
    activity="logon",
    severity="medium",
    fields="cause",
    personal="email",
)
SIGNED_OUT = action(
    "session.ended",
    "ended a session",
    target="Session",
    activity="logoff",
    severity="informational",
    fields="how",
)


def delete_old_sign_ins() -> None:
    """Delete the sign-ins that nobody finished, and the forms that waited for one."""
    sign_in_state.delete_old_sign_ins()
    saved_forms.forget_old()


def start_session(
    person: Person,
    identity: Identity,
    *,
    token: str,
    browser: str,
    network: str,
    fresh: bool,
    replaces: UUID | None,
    via: str = "oidc",
) -> Session:
    """Start a session with a new token (no fixation); end the one it replaces.

    `via` is how the person was identified.
    """
    replaced = session().get(Session, (current.actor().tenant_id, replaces)) if replaces else None
    if replaced is not None:
        end_session(replaced, how="replaced by a new sign-in")
    started = Session(
        token_hash=sessions.token_hash(token),
        person_id=person.id,
        issuer=identity.issuer,
        idp_sid=identity.sid,
        id_token=key_encryption.wrap(identity.id_token.encode(), b"id-token"),
        authenticated_at=datetime.fromtimestamp(identity.authenticated_at, UTC),
        seen_at=clock.now(),
        expires_at=clock.now() + sessions.MAX_SESSION_LIFETIME,
        ended_at=None,
        browser=browser[:120],
        network=network,
        created_at=clock.now(),
    )
    session().add(started)
    session().flush()
    if replaced is not None:
        saved_forms.hand_over(replaced, started)
    record(
        SIGNED_IN,
        started,
        via=via,
        browser=browser[:120],
        fresh=fresh,
        name=person.name,
        email=person.email,
    )
    return started


def record_denied_sign_in(identity: Identity, *, reason: str) -> None:
    """Record the attempt in the tenant's log; the person isn't stored."""
    person_id = person_key(identity.issuer, identity.subject)
    nobody = Person(
        id=person_id,
        issuer=identity.issuer,
        subject=identity.subject,
        email=identity.email,
        name=identity.name,
    )
    record(
        SIGN_IN_DENIED,
        nobody,
        about=person_id,
        outcome="denied",
        cause=reason,
        email=identity.email,
    )


def record_denied_step_up(row: Session, *, reason: str) -> None:
    """Record that a signed-in person sent an answer that proves nothing; keep the session."""
    record(SIGN_IN_DENIED, row, outcome="denied", cause=reason)


def end_session(row: Session, *, how: str) -> None:
    """End a session. Idempotent."""
    if row.ended_at is None:
        row.ended_at = clock.now()
        record(SIGNED_OUT, row, how=how)


def end_member_sessions(membership: Membership, *, how: str) -> int:
    """End every session of a member here, with a log entry for each; return how many."""
    query = select(Session).where(
        Session.person_id == membership.person_id, Session.ended_at.is_(None)
    )
    rows = session().scalars(query).all()
    for row in rows:
        end_session(row, how=how)
    return len(rows)


def end_all_sessions(*, how: str, issuer: str | None = None) -> int:
    """End every session of the tenant, or every one that this issuer vouches for.

    The log gets an entry for each. Returns how many.
    """
    query = select(Session).where(Session.ended_at.is_(None))
    rows = (
        session().scalars(query if issuer is None else query.where(Session.issuer == issuer)).all()
    )
    for row in rows:
        end_session(row, how=how)
    return len(rows)


def end_sessions_of_suspended(_event: SuspensionBegan) -> None:
    end_all_sessions(how="the operator suspended the tenant")


def end_sessions_at_provider(issuer: str, subject: str | None, sid: str | None) -> int:
    """End the sessions that the provider reports as signed out (back-channel logout).

    These are all sessions of this person, or just one of them. Returns how many.
    """
    query = select(Session).where(Session.ended_at.is_(None), Session.issuer == issuer)
    if sid:
        query = query.where(Session.idp_sid == sid)
    if subject:
        query = query.where(Session.person_id == person_key(issuer, subject))
    rows = session().scalars(query).all()
    for row in rows:
        end_session(row, how="the identity provider signed the person out")
    return len(rows)
