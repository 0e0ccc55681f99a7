"""Opening and ending engagements, letting auditors in, answering requests, making packages.

    open_engagement, change, end            the engagement and its window
    add_auditor, send_code, redeem, remove_auditor
    add_request, take_over, assign          the list: by hand, or from a file that was looked at first
    attach, detach, provide, accept, give_back, comment
    ask_package, file_package, download_package; PACKAGES is how they are made, cancelled and retried

What was provided to the auditors stays: a better answer is another version beside it.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from governance.assurance.engagements import permissions, queries
from governance.assurance.engagements.events import AuditorAccessEnded
from governance.assurance.engagements.fieldwork_window import window
from governance.assurance.engagements.models import (
    AuditRequest,
    Engagement,
    EngagementAuditor,
    EvidencePackage,
    RequestAttachment,
    RequestImport,
    RequestRemark,
)
from governance.assurance.engagements.request_import import Listed, Row
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people import actions as people
from governance.foundation.people import queries as members
from governance.foundation.people.models import ERASED, Invitation, Membership, Person, person_key
from governance.foundation.people.oidc import Identity
from governance.foundation.people.owners import OWNING_ROLES, check_may_own
from governance.foundation.privacy.events import PersonErased
from governance.foundation.tenants.events import TimeZoneChanged
from governance.kernel import background_work, clock, current, outbox, undo
from governance.kernel.access import require
from governance.kernel.background_work import GeneratedFile
from governance.kernel.db import alone, session
from governance.kernel.errors import DomainError, Forbidden, Invalid, Stale
from governance.kernel.events import publish
from governance.kernel.formatting import long_day
from governance.kernel.ids import uuid7
from governance.kernel.storage import Blob
from governance.kernel.undo import Overtaken, UndoStep

WINDOW = "ref firm framework criteria period_from period_to fieldwork_from fieldwork_to keeps_still"
OPENED = action(
    "engagement.opened", "opened an audit engagement", target="Engagement", activity="create", severity="low", fields=WINDOW
)
CHANGED = action(
    "engagement.changed", "changed an audit engagement", target="Engagement", activity="update", severity="low", fields=WINDOW
)
MOVED = action(
    "engagement.window.moved",
    "moved an engagement's window to the tenant's new time zone",
    target="Engagement",
    activity="update",
    severity="low",
    fields="ref zone opens_at closes_at",
)
ENDED = action(
    "engagement.ended", "ended an audit engagement", target="Engagement", activity="update", severity="low", fields="ref firm"
)
LET_IN = action(
    "engagement.auditor.added",
    "let an auditor into an engagement",
    target="EngagementAuditor",
    activity="create",
    severity="medium",
    fields="ref way",
    personal="name email",
)
REMOVED = action(
    "engagement.auditor.removed",
    "took an auditor out of an engagement",
    target="EngagementAuditor",
    activity="delete",
    severity="low",
    fields="ref",
    personal="name email",
)
ARRIVED = action(
    "engagement.auditor.arrived", "came in by a code", target="EngagementAuditor", activity="update", severity="low", fields="way"
)
CODE_SENT = action(
    "engagement.code.sent",
    "sent an auditor a code",
    target="EngagementAuditor",
    activity="create",
    severity="informational",
    fields="ref",
    personal="email",
)
CODE_REFUSED = action(
    "engagement.code.refused",
    "refused an auditor's code",
    target="EngagementAuditor",
    activity="update",
    severity="medium",
    fields="ref tries",
    personal="email",
)
ASKED = action(
    "request.asked",
    "added a request",
    target="AuditRequest",
    activity="create",
    severity="informational",
    fields="engagement ref title criteria due_on",
    persons="owner",
)
CHANGED_REQUEST = action(
    "request.assigned",
    "changed who answers a request",
    target="AuditRequest",
    activity="update",
    severity="informational",
    fields="ref due_on undoes",
    persons="owner",
)
READ_LIST = action(
    "request.list.read",
    "read a list of requests",
    target="RequestImport",
    activity="create",
    severity="informational",
    fields="engagement rows problems sha256",
    personal="filename",
)
TOOK_OVER = action(
    "request.list.imported",
    "took over a list of requests",
    target="RequestImport",
    activity="update",
    severity="informational",
    fields="engagement added already sha256",
    personal="filename",
)
ATTACHED = action(
    "request.version.attached",
    "attached evidence to a request",
    target="AuditRequest",
    activity="update",
    severity="informational",
    fields="ref evidence number sha256",
)
DETACHED = action(
    "request.version.detached",
    "took evidence off a request",
    target="AuditRequest",
    activity="update",
    severity="informational",
    fields="ref evidence number sha256",
)
PROVIDED = action(
    "request.provided",
    "provided what a request asks for",
    target="AuditRequest",
    activity="update",
    severity="informational",
    fields="ref versions",
)
ACCEPTED = action(
    "request.accepted",
    "accepted what was provided",
    target="AuditRequest",
    activity="update",
    severity="informational",
    fields="ref",
)
RETURNED = action(
    "request.returned",
    "returned what was provided",
    target="AuditRequest",
    activity="update",
    severity="informational",
    fields="ref",
)
COMMENTED = action(
    "request.commented",
    "wrote in a request's thread",
    target="AuditRequest",
    activity="update",
    severity="informational",
    fields="ref",
    personal="text",
)
TAKEN = action(
    "engagement.file.taken",
    "took a file away",
    target="Engagement",
    activity="read",
    severity="low",
    fields="engagement page object sha256 size stamped original",
    personal="name",
)
BROKE_OFF = action(
    "engagement.file.broken_off",
    "was cut off from a file: the access had ended",
    target="Engagement",
    activity="read",
    severity="medium",
    fields="engagement page object bytes",
)
PACKAGE_ASKED = action(
    "package.asked",
    "asked for an evidence package",
    target="EvidencePackage",
    activity="create",
    severity="low",
    fields="engagement",
)
PACKAGE_CANCELLED = action(
    "package.cancelled",
    "cancelled an evidence package",
    target="EvidencePackage",
    activity="update",
    severity="informational",
    fields="engagement",
)
PACKAGE_MADE = action(
    "package.made",
    "made an evidence package",
    target="EvidencePackage",
    activity="update",
    severity="low",
    fields="engagement files size sha256 checkpoint",
)
PACKAGE_TAKEN = action(
    "package.downloaded",
    "downloaded an evidence package",
    target="EvidencePackage",
    activity="read",
    severity="low",
    fields="engagement sha256",
)

LONGEST = timedelta(days=3 * 366)
CODE_DIGITS, CODE_MINUTES, MOST_TRIES, MOST_CODES = 8, 10, 5, 5
ADDRESS = re.compile(r"[^@\s,;<>\"]{1,64}@([a-z0-9-]{1,63}\.)+[a-z]{2,63}", re.IGNORECASE)
CHUNK = 1000  # rows of one statement


class Closed(Forbidden):
    """The auditor's engagement is not open."""


# ---- the engagement


def open_engagement(
    firm: str, *, framework_id: UUID | None, criteria: Sequence[str] = (), period_from: date, period_to: date,
    fieldwork_from: date, fieldwork_to: date, keeps_still: bool = False,
) -> Engagement:  # fmt: skip
    """Open one; its auditors come in from midnight of `fieldwork_from` until the end of `fieldwork_to`, in the tenant's time zone.

    The same once more (a double click) is the one that stands.
    """
    alone("engagements")
    facts = _facts(firm, framework_id, criteria, period_from, period_to, fieldwork_from, fieldwork_to, keeps_still=keeps_still)
    if (same := queries.same_engagement(facts)) is not None:
        return same
    made = Engagement(
        ref=_next_ref(), opened_by=current.actor().person_id, ended_at=None, created_at=clock.now(), version=1, **facts
    )
    session().add(made)
    record(OPENED, made, ref=made.ref, **_told(made))
    return made


def _next_ref() -> str:
    """ENG-2026-01, counted in each year."""
    year = clock.today().year
    taken = [int(ref.rsplit("-", 1)[1]) for ref in queries.refs() if ref.startswith(f"ENG-{year}-")]
    return f"ENG-{year}-{max(taken, default=0) + 1:02}"


def _facts(
    firm: str, framework_id: UUID | None, criteria: Sequence[str], period_from: date, period_to: date,
    fieldwork_from: date, fieldwork_to: date, *, keeps_still: bool,
) -> dict[str, Any]:  # fmt: skip
    firm = " ".join(firm.split())
    if not firm or len(firm) > 120:  # noqa: PLR2004 - a name of a firm
        raise Invalid("Which firm? Its name has 1 to 120 characters.", field="firm")
    if period_from > period_to:
        raise Invalid("The period ends before it begins.", field="period_to")
    if fieldwork_from > fieldwork_to:
        raise Invalid("The fieldwork ends before it begins.", field="fieldwork_to")
    if fieldwork_to - fieldwork_from > LONGEST or period_to - period_from > LONGEST:
        raise Invalid("A period and a fieldwork window are three years long at most.", field="fieldwork_to")
    opens_at, closes_at = window(fieldwork_from, fieldwork_to, current.actor().time_zone)
    return {
        "firm": firm, "framework_id": framework_id, "criteria": _criteria(framework_id, criteria), "period_from": period_from,
        "period_to": period_to, "fieldwork_from": fieldwork_from, "fieldwork_to": fieldwork_to, "opens_at": opens_at,
        "closes_at": closes_at, "keeps_still": keeps_still,
    }  # fmt: skip


def _criteria(framework_id: UUID | None, criteria: Sequence[str]) -> list[str]:
    wanted = [ref for each in criteria if (ref := each.strip())]
    if not wanted:
        return []
    if framework_id is None:
        raise Invalid("Criteria belong to a framework: choose one.", field="criteria")
    known = {each.ref for each in frameworks.requirements(framework_id)}
    if unknown := [ref for ref in wanted if ref not in known]:
        raise Invalid(f"{unknown[0]} is no requirement of that framework.", field="criteria")
    return list(dict.fromkeys(wanted))


def _told(held: Engagement) -> dict[str, Any]:
    """As the log tells it."""
    framework = frameworks.framework_by_id(held.framework_id).key if held.framework_id else None
    names = ("firm", "criteria", "period_from", "period_to", "fieldwork_from", "fieldwork_to", "keeps_still")
    return {"framework": framework, **{name: getattr(held, name) for name in names}}


def change(
    held: Engagement, *, version: int, firm: str, framework_id: UUID | None, criteria: Sequence[str], period_from: date,
    period_to: date, fieldwork_from: date, fieldwork_to: date, keeps_still: bool,
) -> None:  # fmt: skip
    """Change what it is about and when; a shorter window shuts the door at once."""
    _not_ended(held)
    if version != held.version:
        raise Stale(f"{held.ref} was changed by somebody else since you opened this page.")
    before = _told(held)
    facts = _facts(firm, framework_id, criteria, period_from, period_to, fieldwork_from, fieldwork_to, keeps_still=keeps_still)
    for name, value in facts.items():
        setattr(held, name, value)
    after = _told(held)
    if after == before:
        return
    held.version += 1
    record(CHANGED, held, before=before, after=after, ref=held.ref)
    _move_invitations(held)
    end_expired_sessions()


def end(held: Engagement, *, because: str) -> None:
    """Before its window closes: its auditors are out at once."""
    _not_ended(held)
    if not because.strip():
        raise Invalid("Say why it ends now: the reason is kept with it.", field="because")
    held.ended_at = clock.now()
    record(ENDED, held, because=because.strip()[:2000], ref=held.ref, firm=held.firm)
    _move_invitations(held)
    end_expired_sessions()


def apply_time_zone(changed: TimeZoneChanged) -> None:
    """Move windows that are not over to midnight of the tenant's new time zone, at once."""
    zone = changed.time_zone
    for held in queries.not_over(clock.now()):
        before = {"opens_at": held.opens_at, "closes_at": held.closes_at}
        opens_at, closes_at = window(held.fieldwork_from, held.fieldwork_to, zone)
        held.opens_at, held.closes_at = opens_at.astimezone(UTC), closes_at.astimezone(UTC)
        after = {"opens_at": held.opens_at, "closes_at": held.closes_at}
        if after == before:
            continue
        held.version += 1
        record(MOVED, held, before=before, after=after, ref=held.ref, zone=zone)
        _move_invitations(held)
    end_expired_sessions()


def _move_invitations(held: Engagement) -> None:
    """An invitation lasts as long as the longest engagement that it leads to, and goes with the last of them."""
    session().flush()
    for invitation_id in queries.open_invitations(held.id):
        _fit(members.invitation(invitation_id), how="the engagement was ended")


def _fit(invitation: Invitation, *, how: str) -> None:
    until = queries.needed_until(invitation.id)
    if until is None:
        people.withdraw(invitation, how=how)
    elif until != invitation.expires_at:
        invitation.expires_at = until


def _not_ended(held: Engagement) -> None:
    if held.ended_at is not None:
        raise DomainError(f"{held.ref} was ended on {long_day(held.ended_at.date())}.")


def end_expired_sessions() -> int:
    """End the access of auditors none of whose engagements is open; how many had a session."""
    session().flush()
    expired = queries.auditors_without_access(clock.now())
    for person_id in expired:
        publish(AuditorAccessEnded(person_id, how="the engagement's window closed"))
    return len(expired)


# ---- its auditors


@dataclass(frozen=True, slots=True)
class Link:
    """What is told once: the address that the mail carries."""

    auditor: EngagementAuditor
    token: str | None


def add_auditor(held: Engagement, *, name: str, email: str, way: str, address: str, sign_in: str) -> EngagementAuditor:
    """Let somebody of the firm in. `way` is "sso" (the tenant's connection) or "link" (a link, and each time a code by mail).

    `address` is where links begin, `sign_in` the sign-in page. The mail leaves after the commit.
    """
    _not_ended(held)
    name, email = " ".join(name.split()), email.strip().lower()
    if not 1 <= len(name) <= 120:  # noqa: PLR2004 - a person's name
        raise Invalid("What is the person called?", field="name")
    if not ADDRESS.fullmatch(email) or len(email) > 254:  # noqa: PLR2004 - RFC 5321
        raise Invalid("This is not a mail address.", field="email")
    if way not in {"sso", "link"}:
        raise Invalid("Choose how the person comes in.", field="way")
    people.may_audit(email)
    _clear_away(held, email)
    token = secrets.token_urlsafe(32) if way == "link" else None
    member = _signs_in_by_himself(email) if way == "sso" else None
    invitation = people.invite_auditor(email, until=held.closes_at) if way == "sso" and member is None else None
    auditor = EngagementAuditor(
        engagement_id=held.id, name=name, email=email, person_id=member.person_id if member else None,
        invitation_id=invitation.id if invitation else None, link_hash=_hash(token) if token else None, code_hash=None,
        code_ends_at=None, codes_since=None, added_by=current.actor().person_id, removed_at=None, created_at=clock.now(),
    )  # fmt: skip
    session().add(auditor)
    record(LET_IN, auditor, ref=held.ref, way=way, name=name, email=email)
    _invite_by_mail(held, auditor, f"{address}/{token}" if token else sign_in, by_code=token is not None)
    return auditor


def _clear_away(held: Engagement, email: str) -> None:
    """Letting somebody in anew takes back every earlier way of his that no longer leads in; one that does is refused here."""
    for view in queries.ways_of(email):
        if view.is_shut:
            _take_out(queries.engagement(view.auditor.engagement_id), view.auditor)
        elif view.auditor.engagement_id == held.id:
            raise Invalid(f"{email} is among its auditors already.", field="email")
    session().flush()


def _signs_in_by_himself(email: str) -> Membership | None:
    """The auditor of this address whom the tenant's own connection vouches for; one who came by a code is another person."""
    connection = members.connection()
    known = members.lives_at(email) if connection else ()
    return next((m for m in known if connection and m.person.issuer == connection.issuer), None)


def _invite_by_mail(held: Engagement, auditor: EngagementAuditor, link: str, *, by_code: bool) -> None:
    tenant = " ".join(current.actor().tenant_name.split())
    how = "The link asks for a code each time, and sends it to this address." if by_code else "Sign in with your company."
    outbox.send_mail(auditor.email, f"Your engagement at {tenant}", (
        f"{current.actor().name} lets you into {held.ref}, {held.firm} at {tenant}.\n\n{link}\n\n{how}\n"
        f"It opens on {long_day(held.fieldwork_from)} and closes at the end of {long_day(held.fieldwork_to)}.\n"
    ))  # fmt: skip


def remove_auditor(held: Engagement, auditor: EngagementAuditor) -> None:
    """He is out at once, unless another engagement of his is open."""
    _take_out(held, auditor)
    end_expired_sessions()


def _take_out(held: Engagement, auditor: EngagementAuditor) -> None:
    """His invitation goes too, unless it leads to another engagement as well."""
    auditor.removed_at = clock.now()
    record(REMOVED, auditor, ref=held.ref, name=auditor.name, email=auditor.email)
    session().flush()
    invitation = members.invitation(auditor.invitation_id) if auditor.invitation_id else None
    if invitation is not None and invitation.accepted_at is None and invitation.withdrawn_at is None:
        _fit(invitation, how="taken out of the engagement")


def forget_auditor(erased: PersonErased) -> None:
    """Remove an erased person from every engagement: links and codes that were sent to them lead nowhere from now on."""
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
    """A new code to his address; five an hour. An earlier one no longer works. Refused while the engagement is not open."""
    _must_be_open(held)
    if auditor.person_id is not None:
        _still_welcome(auditor, auditor.person_id)
    now = clock.now()
    if auditor.codes_since is None or now - auditor.codes_since >= timedelta(hours=1):
        auditor.codes_since, auditor.codes_sent = now, 0
    if auditor.codes_sent >= MOST_CODES:
        raise DomainError("Five codes were sent within an hour. Wait a while, then ask for another one.")
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
    auditor.code_hash, auditor.code_ends_at = _code_hash(auditor, code), now + timedelta(minutes=CODE_MINUTES)
    auditor.codes_sent, auditor.code_tries = auditor.codes_sent + 1, 0
    record(CODE_SENT, auditor, ref=held.ref, email=auditor.email)
    outbox.send_mail(auditor.email, "Your code for the console", (
        f"{code[:4]} {code[4:]}\n\nIt works once, within {CODE_MINUTES} minutes. Whoever asks you for it is not from us.\n"
    ))  # fmt: skip


def _code_hash(auditor: EngagementAuditor, code: str) -> bytes:
    """Eight digits are soon tried out, so the row and the link stand in the hash too."""
    return hmac.new(auditor.link_hash or b"", f"{auditor.id}{code}".encode(), hashlib.sha256).digest()


def _must_be_open(held: Engagement) -> None:
    now = clock.now()
    if held.is_open(now):
        return
    if now < held.opens_at and held.ended_at is None:
        raise Closed(f"The engagement opens on {long_day(held.fieldwork_from)}.")
    raise Closed("The engagement is over, and with it the access.")


def redeem(auditor: EngagementAuditor, held: Engagement, code: str) -> str | None:
    """Use the code up. None when it was right; otherwise why not, and the try is counted: what is returned must be committed."""
    _must_be_open(held)
    typed = "".join(code.split())
    if auditor.code_hash is None or auditor.code_ends_at is None or auditor.code_ends_at <= clock.now():
        return "That code is used up or too old. Ask for another one."
    if auditor.code_tries >= MOST_TRIES:
        return "Too many wrong codes. Ask for another one."
    auditor.code_tries += 1
    if not hmac.compare_digest(auditor.code_hash, _code_hash(auditor, typed)):
        record(CODE_REFUSED, auditor, outcome="refused", ref=held.ref, tries=auditor.code_tries, email=auditor.email)
        return "That is not the code. Look at the newest mail."
    auditor.code_hash = auditor.code_ends_at = None
    return None


def arrive(auditor: EngagementAuditor, identity: Identity) -> Person:
    """The person of the console's own issuer behind a redeemed code, as an auditor here; needs a transaction with person_id set.

    Whoever was removed comes back only by a link that somebody made for him afterwards; who was erased, never.
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
        raise Closed("This account was erased here, for good. Ask the tenant to let you in by another address.")
    if held is not None and held.ended_at is not None and auditor.created_at <= held.ended_at:
        raise Closed("Your access here was taken back. Ask the tenant to let you in anew: this link no longer does.")


# ---- requests


def add_request(
    held: Engagement, *, title: str, detail: str = "", criteria: Sequence[str] = (), due_on: date | None = None,
    owner_id: UUID | None = None, ref: str = "",
) -> AuditRequest:  # fmt: skip
    """One by hand. Its ref is the next of the list unless the firm has one of its own."""
    _not_over(held)
    alone(f"requests of {held.id}")
    known = queries.known_rows(held.id)
    ref = ref.strip() or _next_request(known)
    if ref in known:
        raise Invalid(f"{ref} is in the list already.", field="ref")
    row = _checked_row(held, Row(0, ref, title, detail, tuple(criteria), due_on, ""))
    check_may_own(owner_id)
    made = AuditRequest(
        engagement_id=held.id, ref=row.ref, title=row.title, detail=row.detail, criteria=list(row.criteria), due_on=due_on,
        owner_id=owner_id, state="open", state_since=clock.now(), asked_by=current.actor().person_id, row=None, version=1,
        created_at=clock.now(),
    )  # fmt: skip
    session().add(made)
    record(
        ASKED, made, engagement=held.ref, ref=made.ref, title=made.title, criteria=made.criteria, due_on=due_on, owner=owner_id
    )
    return made


def _next_request(known: Collection[str]) -> str:
    numbers = [int(ref.removeprefix("PBC-")) for ref in known if re.fullmatch(r"PBC-\d{1,6}", ref)]
    return f"PBC-{max(numbers, default=0) + 1:03}"


def _checked_row(held: Engagement, row: Row) -> Row:
    if not row.title.strip():
        raise Invalid("What is asked for?", field="title")
    if len(row.title) > 300 or len(row.detail) > 4000 or len(row.ref) > 40:  # noqa: PLR2004 - what a list can show
        raise Invalid("A title has 300 characters at most, its details 4 000, a ref 40.", field="title")
    return Row(
        row.line,
        row.ref,
        " ".join(row.title.split()),
        row.detail.strip(),
        tuple(_criteria_of(held, row.criteria)),
        row.due_on,
        row.owner,
    )


def _criteria_of(held: Engagement, criteria: Sequence[str]) -> list[str]:
    wanted = [ref for each in criteria if (ref := each.strip())]
    if held.framework_id is None:
        return list(dict.fromkeys(wanted))
    return _criteria(held.framework_id, wanted)


def _not_over(held: Engagement) -> None:
    _not_ended(held)
    if clock.now() >= held.closes_at:
        raise DomainError(f"{held.ref} is over since the end of {long_day(held.fieldwork_to)}.")


def keep_list(held: Engagement, listed: Listed, *, filename: str, sha256: str) -> RequestImport:
    """Keep what a file holds, for looking at it first: nothing is in the list yet."""
    _not_over(held)
    kept = RequestImport(
        engagement_id=held.id, filename=filename, sha256=sha256, rows=[row.as_json for row in listed.rows],
        problems=[list(problem) for problem in listed.problems], found=len(listed.rows), sent_by=current.actor().person_id,
        applied_at=None, added=None,
    )  # fmt: skip
    session().add(kept)
    record(READ_LIST, kept, engagement=held.ref, rows=kept.found, problems=len(listed.problems), sha256=sha256, filename=filename)
    return kept


def take_over(held: Engagement, kept: RequestImport) -> int:
    """Add the lines that are not in the list yet; how many. A list with wrong lines is refused whole; the same list twice adds nothing."""
    _not_over(held)
    if kept.applied_at is not None:
        return 0
    if kept.problems:
        raise DomainError("Some lines are wrong. Correct them in the file and send it again: a list is taken over whole.")
    alone(f"requests of {held.id}")
    known, people_by_address = queries.known_rows(held.id), _owners()
    new = [row for row in map(Row.from_json, kept.rows) if row.ref not in known]
    now, asked_by = clock.now(), current.actor().person_id
    values = [
        {
            "id": uuid7(), "tenant_id": held.tenant_id, "engagement_id": held.id, "ref": row.ref, "title": row.title, "detail": row.detail,
            "criteria": list(row.criteria), "due_on": row.due_on, "owner_id": people_by_address.get(row.owner.lower()), "state": "open",
            "state_since": now, "asked_by": asked_by, "row": row.digest, "version": 1, "created_at": now,
        }
        for row in new
    ]  # fmt: skip
    for start in range(0, len(values), CHUNK):
        session().execute(insert(AuditRequest), values[start : start + CHUNK])
    kept.applied_at, kept.added = now, len(new)
    record(
        TOOK_OVER,
        kept,
        engagement=held.ref,
        added=len(new),
        already=kept.found - len(new),
        sha256=kept.sha256,
        filename=kept.filename,
    )
    return len(new)


def _owners() -> Mapping[str, UUID]:
    return {m.email.lower(): m.person_id for m in members.members() if m.role in OWNING_ROLES}


def _as_seen(request: AuditRequest, seen: int | None) -> None:
    """`seen` is the request's version that the form was opened with: nobody judges or hands over what he has not seen."""
    if seen is None or seen == request.version:
        return
    done = queries.turns_since(request, seen)
    told = f": {', then '.join(done)}" if done else ""
    raise Stale(
        f"{request.ref} was moved on since you opened this page{told}. Nothing was done and what you wrote stands below: look at it as it is now."
    )


def assign(
    held: Engagement, request: AuditRequest, *, owner_id: UUID | None, due_on: date | None, seen: int | None = None,
    undoes: UUID | None = None,
) -> None:  # fmt: skip
    """Who answers it, and by when. `undoes`: the entry taken back."""
    _not_over(held)
    _as_seen(request, seen)
    before, after = {"owner": request.owner_id, "due_on": request.due_on}, {"owner": owner_id, "due_on": due_on}
    changed = [name for name in after if after[name] != before[name]]
    if not changed:
        return
    if "owner" in changed:
        check_may_own(owner_id)
    request.owner_id, request.due_on, request.version = owner_id, due_on, request.version + 1
    entry = record(CHANGED_REQUEST, request, before=before, after=after, ref=request.ref, undoes=undoes)
    undo.remember(
        "request.owner", request.id, entry.id, before={name: before[name] for name in changed}, after={name: after[name] for name in changed}
    )  # fmt: skip


UNDOABLE = {"request.owner"}


@undo.restores("request.owner")
def _restore_owner(step: UndoStep) -> None:
    """The fields that the step changed; those that it left as they were keep what they hold now."""
    held, request = queries.request_by_id(step.target_id)
    present = {"owner": request.owner_id, "due_on": request.due_on}
    if any(undo.plain(present[name]) != value for name, value in step.after.items()):
        raise Overtaken(f"{request.ref} was reassigned by {members.who_last(request.id, CHANGED_REQUEST)} meanwhile.")
    owner_id = undo.id_or_none(step.before["owner"]) if "owner" in step.before else request.owner_id
    due_on = undo.day_or_none(step.before["due_on"]) if "due_on" in step.before else request.due_on
    assign(held, request, owner_id=owner_id, due_on=due_on, undoes=step.entry_id)


def attach(held: Engagement, request: AuditRequest, version_id: UUID | None) -> RequestAttachment:
    """Lay a version beside the request; the auditor sees it once it is provided. The same one twice is one."""
    _may_answer(held, request)
    version = queries.attachable(version_id) if version_id else None
    if version is None:
        raise Invalid(
            "That version is not a choice here: it is unknown, was rejected, or its file was destroyed.", field="version_id"
        )
    already = next((a for a in queries.attached([request.id]) if a.version.id == version.id), None)
    if already is not None:
        return already.attachment
    made = RequestAttachment(
        request_id=request.id,
        version_id=version.id,
        attached_by=current.actor().person_id,
        provided_at=None,
        created_at=clock.now(),
    )
    session().add(made)
    request.version += 1  # whoever provides hands over what his page shows, and nothing else
    record(ATTACHED, request, ref=request.ref, evidence=str(version.evidence_id), number=version.number, sha256=version.sha256)
    return made


def detach(held: Engagement, request: AuditRequest, attachment: RequestAttachment) -> None:
    """Only while it was not provided: what the auditors have seen stays."""
    _may_answer(held, request)
    if attachment.provided_at is not None:
        raise DomainError("That version was provided to the auditors, so it stays. Attach a better one beside it.")
    version = queries.version(attachment.version_id)
    session().delete(attachment)
    request.version += 1
    record(DETACHED, request, ref=request.ref, evidence=str(version.evidence_id), number=version.number, sha256=version.sha256)


def _may_answer(held: Engagement, request: AuditRequest) -> None:
    _not_over(held)
    require(permissions.PROVIDE, on=request)
    if request.state == "accepted":
        raise DomainError(f"{request.ref} was accepted on {long_day(request.state_since.date())}: it is done.")
    if request.state == "provided":
        raise DomainError(f"{request.ref} was provided on {long_day(request.state_since.date())}. It is with the auditors now.")


def provide(held: Engagement, request: AuditRequest, *, said: str = "", seen: int | None = None) -> None:
    """Hand what is attached to the auditors; from now on exactly these versions are before them."""
    _as_seen(request, seen)
    _may_answer(held, request)
    new = [each for each in queries.attached([request.id]) if each.attachment.provided_at is None]
    if not new and not said.strip():
        raise Invalid("Attach a version of evidence first, or say in words what answers the request.", field="text")
    for each in new:
        if queries.attachable(each.version.id) is None:
            name = f"{each.evidence.ref} version {each.version.number}"
            raise DomainError(
                f"{name} was rejected, or its file destroyed, since it was attached. Take it off, and attach another."
            )
    now = clock.now()
    for each in new:
        each.attachment.provided_at = now
    _turn(request, "provided", said)
    record(
        PROVIDED,
        request,
        because=said.strip() or None,
        ref=request.ref,
        versions=[f"{e.evidence.ref} v{e.version.number} {e.version.sha256 or ''}".strip() for e in new],
    )


def accept(held: Engagement, request: AuditRequest, *, said: str = "", seen: int | None = None) -> None:
    _as_seen(request, seen)
    _may_judge(held, request)
    _turn(request, "accepted", said)
    record(ACCEPTED, request, because=said.strip() or None, ref=request.ref)


def give_back(held: Engagement, request: AuditRequest, *, because: str, seen: int | None = None) -> None:
    """Return it with a reason: it waits for the tenant again."""
    _as_seen(request, seen)
    _may_judge(held, request)
    if not because.strip():
        raise Invalid("Say what is missing: whoever answers needs to know.", field="text")
    _turn(request, "returned", because)
    record(RETURNED, request, because=because.strip()[:4000], ref=request.ref)


def _may_judge(held: Engagement, request: AuditRequest) -> None:
    _not_over(held)
    if request.state != "provided":
        raise DomainError(f"{request.ref} is {request.state}, so there is nothing to judge just now.")


def _turn(request: AuditRequest, state: str, said: str) -> None:
    request.state, request.state_since, request.version = state, clock.now(), request.version + 1
    _say(request, state, said)


def _say(request: AuditRequest, kind: str, text: str) -> RequestRemark:
    text = text.strip()
    if len(text) > 4000:  # noqa: PLR2004 - a long letter
        raise Invalid("A remark has 4 000 characters at most.", field="text")
    made = RequestRemark(request_id=request.id, kind=kind, text=text, said_by=current.actor().person_id, said_at=clock.now())
    session().add(made)
    session().flush()
    return made  # recorded by the verb that it belongs to


def comment(held: Engagement, request: AuditRequest, text: str) -> RequestRemark:
    _not_over(held)
    if not text.strip():
        raise Invalid("Write something first.", field="text")
    made = _say(request, "comment", text)
    record(COMMENTED, request, ref=request.ref, text=text.strip())
    return made


# ---- files that leave


def record_download(
    held: Engagement, *, page: str, what: str, name: str, size: int, sha256: str | None, original: str | None
) -> None:
    """The custody line of a file that an auditor took; of a stamped copy, also the digest of the original."""
    record(
        TAKEN, held, engagement=held.ref, page=page, object=what or None, sha256=sha256, size=size, stamped=original is not None,
        original=original, name=name,
    )  # fmt: skip


def record_broken_off(held: Engagement, *, page: str, what: str, octets: int) -> None:
    """The access ended while a file was on its way; how much of it had left."""
    record(BROKE_OFF, held, engagement=held.ref, page=page, object=what or None, bytes=octets)


# ---- packages


def ask_package(held: Engagement) -> EvidencePackage:
    """Queue a package of everything in scope; while one is under way, that one is watched."""
    background_work.lock(EvidencePackage)
    running = background_work.under_way(EvidencePackage, EvidencePackage.engagement_id == held.id)
    return running[0] if running else background_work.start(EvidencePackage(
        engagement_id=held.id, asked_by=current.actor().person_id, work_item_id=None, storage_key=None, sha256=None, size=None, files=None,
        checkpoint=None, finished_at=None,
    ))  # fmt: skip


def _ref_of(package: EvidencePackage) -> str:
    return queries.engagement(package.engagement_id).ref


PACKAGES = background_work.WorkKind(
    name="evidence package",
    noun="package",
    model=EvidencePackage,
    view=permissions.PACKAGE,
    permission=permissions.PACKAGE,
    find=queries.visible_package,
    title=lambda package: package_filename(queries.engagement(package.engagement_id)),
    page=lambda package: ("engagements.package", {"engagement_id": package.engagement_id, "package_id": package.id}),
    address=lambda package: {"engagement_id": package.engagement_id, "package_id": package.id},
    requested=lambda package: record(PACKAGE_ASKED, package, engagement=_ref_of(package)),
    cancelled=lambda package: record(PACKAGE_CANCELLED, package, engagement=_ref_of(package)),
    requester_only=True,
    stored=EvidencePackage.storage_key,
    prefix="packages",  # encrypted under the tenant's key, as the evidence in them is
    max_bytes=64 * 1024**3,
    icon="package",
    result_label="Open the package",
)


def package_filename(held: Engagement) -> str:
    return f"{current.actor().tenant_slug}-{held.ref}.zip"


def file_package(package: EvidencePackage, held: Engagement, blob: Blob, *, files: int, checkpoint: int) -> bool:
    """Keep a finished package; False where another process has, and nothing changes."""
    if package.is_ready:
        return False
    package.storage_key, package.sha256, package.size = blob.key, blob.sha256, blob.size
    package.files, package.checkpoint, package.finished_at = files, checkpoint, clock.now()
    record(PACKAGE_MADE, package, engagement=held.ref, files=files, size=blob.size, sha256=blob.sha256, checkpoint=checkpoint)
    return True


def download_package(held: Engagement, package: EvidencePackage) -> GeneratedFile:
    """Record that somebody downloads the package, which is an entry each time, and return it."""
    if package.storage_key is None:
        raise DomainError("This package isn't ready yet.")
    record(PACKAGE_TAKEN, package, engagement=held.ref, sha256=package.sha256)
    name, digest = package_filename(held), package.sha256 or ""
    return GeneratedFile(name, "application/zip", key=package.storage_key, size=package.size or 0, sha256=digest)
