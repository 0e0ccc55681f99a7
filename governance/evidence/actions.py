"""Beginning evidence, bringing in versions, reviewing them, and what belongs to it.

    begin, edit, assign, assign_all, link, unlink, retire     the thing that recurs
    bring_file, bring_link                                    a version: immutable from then on
    accept, reject                                            another person's judgement, once
    take_out                                                  a download, noted

A contributor brings in versions of what he owns. Nobody judges what he brought in himself.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, BinaryIO, Literal
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import func, select

from governance.audit.record import record
from governance.audit.registry import action
from governance.evidence import media, permissions
from governance.evidence.freshness import CADENCES
from governance.evidence.models import Evidence, EvidenceLink, EvidenceReview, EvidenceVersion
from governance.evidence.numbering import next_ref
from governance.kernel import clock, current, storage
from governance.kernel.access import allowed
from governance.kernel.db import session
from governance.kernel.errors import DomainError, Forbidden, Invalid, NotFound, Stale, TooLarge
from governance.people.queries import membership_of, names

BEGUN = action(
    "evidence.begun", "began evidence", fields="ref title kind cadence confidentiality due_on controls", persons="owner"
)
EDITED = action("evidence.changed", "changed evidence", fields="title kind cadence confidentiality due_on")
ASSIGNED = action("evidence.assigned", "assigned evidence", persons="owner")
LINKED = action("evidence.linked", "linked evidence to a control", fields="control", personal="note")
UNLINKED = action("evidence.unlinked", "unlinked evidence from a control", fields="control")
RETIRED = action("evidence.retired", "retired evidence", fields="ref")
BROUGHT = action(
    "evidence.version.brought",
    "brought in a version of evidence",
    fields="number sha256 size media_type period_from period_to valid_until source",
    personal="filename url",
)
ACCEPTED = action("evidence.version.accepted", "accepted a version of evidence", fields="number sha256")
REJECTED = action("evidence.version.rejected", "rejected a version of evidence", fields="number sha256")
TAKEN_OUT = action("evidence.version.downloaded", "downloaded a version of evidence", fields="number sha256")

LIMIT = 1024**3
SHELF = "evidence"
KINDS = ("document", "record", "report", "screenshot", "export", "log", "attestation", "configuration")
CONFIDENTIALITY = ("public", "internal", "confidential", "restricted")
OWNING_ROLES = {"admin", "compliance_officer", "contributor"}
LONGEST = timedelta(days=3 * 366)
EARLIEST = date(2000, 1, 1)


class AlreadyThere(DomainError):
    pass


class Retired(DomainError):
    pass


# ---- the thing that recurs


def begin(
    title: str, *, kind: str, cadence: str, owner_id: UUID | None = None, due_on: date | None = None,
    confidentiality: str = "internal", controls: Mapping[UUID, str] | None = None,
) -> Evidence:  # fmt: skip
    """Begin a piece of evidence; `controls` maps each supported control to a note on how. Two live ones share no title."""
    title = _worded(title, "title")
    _known(kind=(kind, KINDS), cadence=(cadence, CADENCES), confidentiality=(confidentiality, CONFIDENTIALITY))
    _may_own(owner_id)
    supported = controls or {}
    found = _live_controls(supported)
    ref = next_ref(Evidence.ref, "EV", width=4)
    _one_title(title)
    evidence = Evidence(
        ref=ref, title=title, kind=kind, cadence=cadence, confidentiality=confidentiality, owner_id=owner_id, due_on=due_on,
        retired_at=None, created_at=clock.now(), version=1,
    )  # fmt: skip
    session().add(evidence)
    session().flush()
    session().add_all(
        EvidenceLink(evidence_id=evidence.id, control_id=c, note=note.strip()[:500], created_at=clock.now())
        for c, note in supported.items()
    )
    record(
        BEGUN, evidence, ref=ref, title=title, kind=kind, cadence=cadence, confidentiality=confidentiality, due_on=due_on,
        owner=owner_id, controls=sorted(found.values()),
    )  # fmt: skip
    return evidence


def edit(
    evidence: Evidence, *, version: int, title: str, kind: str, cadence: str, confidentiality: str, due_on: date | None
) -> None:
    """Change what it is; refused as stale when somebody else did so since the form was opened."""
    _live(evidence)
    after: dict[str, Any] = {
        "title": _worded(title, "title"),
        "kind": kind,
        "cadence": cadence,
        "confidentiality": confidentiality,
        "due_on": due_on,
    }
    _known(kind=(kind, KINDS), cadence=(cadence, CADENCES), confidentiality=(confidentiality, CONFIDENTIALITY))
    before = {name: getattr(evidence, name) for name in after}
    changes = {name: (before[name], value) for name, value in after.items() if before[name] != value}
    if not changes:
        return
    if version != evidence.version:
        raise Stale(
            f"{evidence.ref} was changed by somebody else since you opened this page.",
            {n: (new, old) for n, (old, new) in changes.items()},
        )
    if "title" in changes:
        next_ref(Evidence.ref, "EV", width=4)
        _one_title(after["title"])
    for name, value in after.items():
        setattr(evidence, name, value)
    evidence.version += 1
    record(EDITED, evidence, before=before, after=after)


def assign(evidence: Evidence, owner_id: UUID | None) -> None:
    """Give it to a member (None: to nobody). The same owner twice is no change."""
    _live(evidence)
    _may_own(owner_id)
    if evidence.owner_id == owner_id:
        return
    before = {"owner": evidence.owner_id}
    evidence.owner_id = owner_id
    record(ASSIGNED, evidence, before=before, after={"owner": owner_id})


def assign_all(ids: Collection[UUID], owner_id: UUID | None) -> int:
    """Give several to one member, all or none; returns how many changed hands."""
    if not ids:
        raise Invalid("Nothing is selected. Tick the evidence that changes hands.")
    found = session().scalars(select(Evidence).where(Evidence.id.in_(set(ids))).order_by(Evidence.ref).with_for_update()).all()
    if len(found) != len(set(ids)):
        raise NotFound("One of the selected pieces of evidence is not here. Nothing was assigned.")
    changing = [evidence for evidence in found if evidence.owner_id != owner_id]
    for evidence in changing:
        assign(evidence, owner_id)  # record() is in there
    return len(changing)


def link(evidence: Evidence, control_id: UUID, note: str = "") -> EvidenceLink:
    """Say that it supports a control, and how. Linking twice keeps one link, with the later note."""
    _live(evidence)
    ref, note = _live_controls([control_id])[control_id], note.strip()[:500]
    held = _link(evidence, control_id)
    if held is not None and held.note == note:
        return held
    if held is None:
        held = EvidenceLink(evidence_id=evidence.id, control_id=control_id, created_at=clock.now())
        session().add(held)
    held.note = note
    record(LINKED, evidence, control=ref, note=note or None)
    return held


def unlink(evidence: Evidence, control_id: UUID) -> None:
    """End the link; one that is not there is no fault. Past days keep it."""
    held = _link(evidence, control_id)
    if held is None:
        return
    ref = session().scalar(select(_control().ref).where(_control().id == control_id))
    held.removed_at = clock.now()
    record(UNLINKED, evidence, control=ref)


def retire(evidence: Evidence, *, because: str) -> None:
    """It leaves every list and proves nothing from now on; its versions and its history stay."""
    _live(evidence)
    reason = _reason(because, "Say why it is retired: the reason is kept with it.")
    evidence.retired_at = clock.now()
    record(RETIRED, evidence, because=reason, ref=evidence.ref)


# ---- versions


def bring_file(
    evidence: Evidence, stream: BinaryIO, filename: str | None, *, collected_on: date, period_from: date, period_to: date,
    valid_until: date, source: str = "upload",
) -> EvidenceVersion:  # fmt: skip
    """Store a file and make it the next version: its type is found by content, its digest while it streams."""
    check_may_bring(evidence)
    _dates(collected_on, period_from, period_to, valid_until)
    name = media.plain_name(filename)
    _not_larger(stream)
    found = media.find_type(stream, name)
    blob = storage.store().write(current.actor().tenant_id, stream, limit=LIMIT, shelf=SHELF)
    if twin := session().scalars(_versions(evidence).where(EvidenceVersion.sha256 == blob.sha256)).first():
        raise AlreadyThere(
            f"These are the same bytes as version {twin.number} of {_day(twin.uploaded_at.date())}. Nothing was saved.",
            field="file",
        )
    return _bring(
        evidence, collected_on, filename=name, media_type=found.type, size=blob.size, sha256=blob.sha256, storage_key=blob.key, url=None,
        source=source, period_from=period_from, period_to=period_to, valid_until=valid_until,
    )  # fmt: skip


def bring_link(
    evidence: Evidence,
    url: str,
    *,
    collected_on: date,
    period_from: date,
    period_to: date,
    valid_until: date,
    source: str = "link",
) -> EvidenceVersion:
    """Make an address the next version, for what may not leave the place where it is kept. https only."""
    check_may_bring(evidence)
    _dates(collected_on, period_from, period_to, valid_until)
    url = url.strip()
    _address(url)
    twin = (
        session().scalars(_versions(evidence).where(EvidenceVersion.url == url, EvidenceVersion.period_to == period_to)).first()
    )
    if twin:
        raise AlreadyThere(f"Version {twin.number} is this address for the same period. Nothing was saved.", field="url")
    return _bring(
        evidence, collected_on, filename=None, media_type=None, size=None, sha256=None, storage_key=None, url=url, source=source,
        period_from=period_from, period_to=period_to, valid_until=valid_until,
    )  # fmt: skip


def accept(version: EvidenceVersion, evidence: Evidence, *, remark: str = "") -> EvidenceReview:
    return _judge(version, evidence, "accepted", remark.strip()[:2000])


def reject(version: EvidenceVersion, evidence: Evidence, *, reason: str) -> EvidenceReview:
    return _judge(version, evidence, "rejected", _reason(reason, "Say what is wrong with it: the collector needs to know."))


def take_out(version: EvidenceVersion) -> BinaryIO:
    """The stored file, open for reading; who took it is in the log."""
    if version.storage_key is None:
        raise DomainError(f"Version {version.number} is an address, not a file.")
    file = storage.store().open(version.storage_key)
    record(TAKEN_OUT, version, number=version.number, sha256=version.sha256)
    return file


# ---- rules


def _bring(evidence: Evidence, collected_on: date, **facts: Any) -> EvidenceVersion:
    number = (
        session().scalar(select(func.max(EvidenceVersion.number)).where(EvidenceVersion.evidence_id == evidence.id)) or 0
    ) + 1
    version = EvidenceVersion(
        evidence_id=evidence.id, number=number, uploaded_at=clock.now(), uploaded_by=current.actor().person_id, created_at=clock.now(),
        collected_at=min(datetime.combine(collected_on, time(), UTC), clock.now()), **facts,
    )  # fmt: skip
    session().add(version)
    told = {k: v for k, v in facts.items() if k != "storage_key"}
    record(BROUGHT, version, number=number, **told)
    return version


def _judge(
    version: EvidenceVersion, evidence: Evidence, decision: Literal["accepted", "rejected"], reason: str
) -> EvidenceReview:
    if version.uploaded_by == current.person_id():
        raise Forbidden("You brought this version in, so another person reviews it.")
    held = session().scalars(select(EvidenceReview).where(EvidenceReview.version_id == version.id)).one_or_none()
    if held is not None:
        who = names([held.reviewed_by]).get(held.reviewed_by, "A former member")
        said = f"{who} {held.decision} version {version.number} of {evidence.ref} on {_day(held.reviewed_at.date())}. Nothing was changed."
        raise Stale(said, {"review": ("pending", held.decision)})
    review = EvidenceReview(
        version_id=version.id,
        decision=decision,
        reason=reason,
        reviewed_by=current.person_id(),
        reviewed_at=clock.now(),
        created_at=clock.now(),
    )
    session().add(review)
    record(
        ACCEPTED if decision == "accepted" else REJECTED,
        version,
        because=reason or None,
        number=version.number,
        sha256=version.sha256,
    )
    return review


def _live(evidence: Evidence) -> None:
    if evidence.retired_at is not None:
        raise Retired(f"{evidence.ref} was retired on {_day(evidence.retired_at.date())}.")


def check_may_bring(evidence: Evidence) -> None:
    """Refuse who may not bring a version in, and for what is retired."""
    _live(evidence)
    if not allowed(permissions.MANAGE) and evidence.owner_id != current.actor().person_id:
        raise Forbidden(f"{evidence.ref} is not yours. Its owner, a compliance officer or an admin brings in versions.")


def _may_own(owner_id: UUID | None) -> None:
    if owner_id is None:
        return
    membership = membership_of(owner_id)
    if membership is None or membership.role not in OWNING_ROLES:
        raise Invalid("The owner is not a choice here: it must be a member who can bring evidence in.", field="owner_id")


def _dates(collected_on: date, period_from: date, period_to: date, valid_until: date) -> None:
    if collected_on > clock.today():
        raise Invalid(f"It cannot have been collected on {_day(collected_on)}: that day is still to come.", field="collected_on")
    if period_from > period_to:
        raise Invalid("The period ends before it begins.", field="period_to")
    if valid_until < period_to:
        raise Invalid("It is valid at least until the end of the period that it covers.", field="valid_until")
    if min(period_from, collected_on) < EARLIEST:
        raise Invalid(
            "No evidence is from before the year 2000.", field="period_from" if period_from < EARLIEST else "collected_on"
        )
    if valid_until > clock.today() + LONGEST:
        raise Invalid("Evidence is valid for three years at most.", field="valid_until")


def _address(url: str) -> None:
    try:
        parts = urlsplit(url)
        fine = (
            parts.scheme == "https"
            and parts.hostname
            and "." in parts.hostname
            and not parts.username
            and not any(c.isspace() for c in url)
        )
    except ValueError:
        fine = False
    if not fine or len(url) > 2000:  # noqa: PLR2004 - what browsers take
        raise Invalid("The address must begin with https:// and name a server.", field="url")


def _not_larger(stream: BinaryIO) -> None:
    """A file that is too large is refused before any of it is looked into."""
    stream.seek(0, 2)
    if stream.tell() > LIMIT:
        raise TooLarge(f"The file is larger than {LIMIT // 1024**2} MB, the limit. Nothing was saved.", field="file")
    stream.seek(0)


def _known(**choices: tuple[str, Collection[str]]) -> None:
    for field, (value, known) in choices.items():
        if value not in known:
            raise Invalid(f"“{value}” is not a choice here.", field=field)


def _one_title(title: str) -> None:
    same = select(Evidence.ref).where(func.lower(Evidence.title) == title.lower(), Evidence.retired_at.is_(None))
    if taken := session().scalars(same).first():
        raise AlreadyThere(f"{taken} has this title already. Bring a version in there, or choose another title.", field="title")


def _live_controls(ids: Collection[UUID]) -> dict[UUID, str]:
    """The ref of each of these controls; refuses one that is retired, unknown or another tenant's."""
    control = _control()
    rows = (
        session().execute(select(control.id, control.ref).where(control.id.in_(ids), control.retired_at.is_(None))).all()
        if ids
        else []
    )
    if len(rows) != len(set(ids)):
        raise Invalid("One of the controls is not a choice here.", field="controls")
    return {row.id: row.ref for row in rows}


def _control() -> Any:
    """The class of controls, which are a layer above: reached through the link, not imported."""
    return EvidenceLink.control.property.mapper.class_


def _link(evidence: Evidence, control_id: UUID) -> EvidenceLink | None:
    return (
        session()
        .scalars(
            select(EvidenceLink).where(
                EvidenceLink.evidence_id == evidence.id, EvidenceLink.control_id == control_id, EvidenceLink.removed_at.is_(None)
            )
        )
        .one_or_none()
    )


def _versions(evidence: Evidence) -> Any:
    return select(EvidenceVersion).where(EvidenceVersion.evidence_id == evidence.id).order_by(EvidenceVersion.number)


def _reason(text: str, missing: str) -> str:
    if not text.strip():
        raise Invalid(missing, field="because")
    return text.strip()[:2000]


def _worded(text: str, field: str) -> str:
    words = " ".join(text.split())
    if not words or len(words) > 200:  # noqa: PLR2004 - a title
        raise Invalid("A title has 1 to 200 characters.", field=field)
    return words


def _day(when: date) -> str:
    return f"{when.day} {when:%B %Y}"
