"""Forms that wait until their person signs in again, stored encrypted.

They belong to the session that submitted them or to the one that replaces it.

    keep(form) -> SavedForm         in the actor's own transaction, since the request's was rolled
                                    back
    own(id) -> SavedForm            of this session, and nobody else's
    waiting() -> SavedForm | None   the newest that can still be submitted
    opened(row) -> SubmittedForm    what was submitted; raises once it is used, expired or altered
    use(row)                        in the transaction of what it submits, so that it happens once
    hand_over(old, new)             a new sign-in replaces the session, and the new session takes
                                    over its forms

Keeping a form changes nothing that anybody else can see, so it leaves no audit entry; what it
submits leaves its own.
"""

import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from cryptography.exceptions import InvalidTag
from sqlalchemy import delete, select, update

from governance.foundation.people.models import SavedForm, Session
from governance.foundation.people.sign_in_state import SIGN_IN_MINUTES
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, NotFound, TooLarge
from governance.kernel.safety import key_encryption
from governance.kernel.web.step_up import STEP_UP_SECONDS

KEPT_MINUTES = (
    SIGN_IN_MINUTES + STEP_UP_SECONDS // 60
)  # Time to sign in, and then to check the form while the sign-in is recent.
MAX_BYTES = 256 * 1024  # Bytes of one form, before encryption.
MAX_PER_SESSION = 5
log = structlog.get_logger("people")


@dataclass(frozen=True, slots=True)
class SubmittedForm:
    """A form that a browser sent.

    It has the address (path and query), the page it was on, its fields, and its files by name only.
    """

    address: str
    back: str
    fields: list[tuple[str, str]]
    files: list[tuple[str, str]]


class KeptFormUnavailable(DomainError):
    """The kept form can't be submitted any more. `title` heads the page that says so."""

    def __init__(self, status: int, title: str, message: str) -> None:
        super().__init__(message)
        self.status, self.title = status, title


def keep(form: SubmittedForm) -> SavedForm:
    """Keep a form of the acting person's session. Raises TooLarge beyond MAX_BYTES."""
    plain = json.dumps(asdict(form), ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )
    if len(plain) > MAX_BYTES:
        raise TooLarge(f"This form is larger than {MAX_BYTES // 1024} KB.")
    who, now = current.actor(), clock.now()
    if who.session_id is None:
        raise NotFound("Meridian keeps forms only for people who are signed in. Sign in first.")
    row = SavedForm(
        session_id=who.session_id,
        person_id=current.person_id(),
        key=b"",
        content=b"",
        used_at=None,
        expires_at=now + timedelta(minutes=KEPT_MINUTES),
        created_at=now,
    )
    session().add(row)
    session().flush()
    key = key_encryption.new_key()
    row.key, row.content = (
        key_encryption.wrap(key, _context(row)),
        key_encryption.encrypt(key, plain, _context(row)),
    )
    session().flush()
    newest = (
        select(SavedForm.id)
        .where(SavedForm.session_id == who.session_id)
        .order_by(SavedForm.id.desc())
        .limit(MAX_PER_SESSION)
    )
    session().execute(
        delete(SavedForm).where(SavedForm.session_id == who.session_id, SavedForm.id.not_in(newest))
    )
    return row


def _context(row: SavedForm) -> bytes:
    """Return the context that binds a kept form to this row of this tenant and person."""
    return b"kept-form\0" + row.tenant_id.bytes + row.id.bytes + row.person_id.bytes


key_encryption.holds(SavedForm, "key", _context)


def own(saved_form_id: UUID | None, *, lock: bool = False) -> SavedForm:
    """Return the kept form of the acting person's session.

    `lock` lets one submission of it wait for another.
    """
    who = current.actor()
    query = select(SavedForm).where(
        SavedForm.id == saved_form_id,
        SavedForm.session_id == who.session_id,
        SavedForm.person_id == who.person_id,
    )
    row = session().scalars(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound(
            "This form is no longer available. It may have expired or been submitted already. Open"
            " its page and fill it in again."
        )
    return row


def waiting() -> SavedForm | None:
    """Return the newest form of the acting person's session that can still be submitted."""
    query = select(SavedForm).where(
        SavedForm.session_id == current.actor().session_id,
        SavedForm.used_at.is_(None),
        SavedForm.expires_at > clock.now(),
    )
    return session().scalars(query.order_by(SavedForm.id.desc()).limit(1)).one_or_none()


def opened(row: SavedForm) -> SubmittedForm:
    """Return what was submitted.

    Raises KeptFormUnavailable if it was used, has expired or was altered.
    """
    if row.used_at is not None:
        raise KeptFormUnavailable(
            409,
            "Already submitted",
            "Meridian received this form and won't submit it again. Open the page it was on to see"
            " the result.",
        )
    if row.expires_at <= clock.now():
        raise KeptFormUnavailable(
            410,
            "This form has expired",
            f"Meridian keeps a form for {KEPT_MINUTES} minutes while you sign in. Nothing was"
            " submitted: fill it in again.",
        )
    try:
        plain = key_encryption.decrypt(
            key_encryption.unwrap(row.key, _context(row)), row.content, _context(row)
        )
    except (InvalidTag, ValueError) as error:
        log.exception("kept form altered", saved_form_id=str(row.id))
        raise KeptFormUnavailable(
            409,
            "This form can't be read",
            "Its stored copy was altered, so Meridian didn't submit it. Fill in the form again.",
        ) from error
    held = json.loads(plain.decode("utf-8", "surrogatepass"))
    pairs = {name: [(key, value) for key, value in held[name]] for name in ("fields", "files")}
    return SubmittedForm(held["address"], held["back"], pairs["fields"], pairs["files"])


def use(row: SavedForm) -> None:
    """Mark the form as submitted and delete its content, so that a second try fails."""
    done = (
        update(SavedForm)
        .where(SavedForm.id == row.id)
        .values(used_at=clock.now(), key=b"", content=b"")
    )
    session().execute(done.execution_options(synchronize_session=False))


def hand_over(old: Session, new: Session) -> None:
    """Move the forms of a session to the one that replaces it, if it is the same person's."""
    if old.person_id == new.person_id:
        session().execute(
            update(SavedForm).where(SavedForm.session_id == old.id).values(session_id=new.id)
        )


def forget_of(person_id: UUID) -> None:
    """Delete every form of that person."""
    session().execute(delete(SavedForm).where(SavedForm.person_id == person_id))


def forget_old() -> None:
    """Delete every form that has expired."""
    session().execute(delete(SavedForm).where(SavedForm.expires_at <= clock.now()))
