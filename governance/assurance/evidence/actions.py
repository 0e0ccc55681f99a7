"""Beginning evidence, bringing in versions, reviewing them, and what belongs to it.

    begin, edit, assign, link, unlink, retire, restore        the thing that recurs
    bring_file, bring_link                                    a version: immutable from then on
    accept, reject                                            another person's judgement, once
    take_out                                                  a download, noted

Beside it: push.py (the same from a machine), integrity.py (what checks of the stored files find),
deletion.py (holds, retention, deletion by two people) and reminders.py.

A contributor uploads versions of what they own. Nobody reviews what they uploaded themselves, nor
what came by a key whose secret they were shown. A hold beats retention and what two persons agree
on.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, BinaryIO, Literal
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import func, select

from governance.assurance.evidence import file_types, permissions, queries, scanning
from governance.assurance.evidence.freshness import CADENCES
from governance.assurance.evidence.models import (
    Evidence,
    EvidenceLink,
    EvidenceReview,
    EvidenceVersion,
)
from governance.assurance.evidence.reference_numbers import next_ref
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.owners import check_may_own
from governance.foundation.people.queries import names, who_last
from governance.kernel import clock, current, storage, undo
from governance.kernel.access import allowed, require
from governance.kernel.db import alone, find, session, take_time
from governance.kernel.errors import DomainError, Invalid, Stale, TooLarge, Unavailable
from governance.kernel.ids import uuid7
from governance.kernel.undo import Overtaken, UndoStep

BEGUN = action(
    "evidence.created",
    "created an evidence item",
    target="Evidence",
    activity="create",
    severity="informational",
    fields="ref title kind cadence confidentiality due_on controls",
    persons="owner",
)
EDITED = action(
    "evidence.changed",
    "changed an evidence item",
    target="Evidence",
    activity="update",
    severity="informational",
    fields="title kind cadence confidentiality due_on",
)
ASSIGNED = action(
    "evidence.assigned",
    "assigned an evidence item",
    target="Evidence",
    activity="update",
    severity="informational",
    fields="undoes",
    persons="owner",
)
LINKED = action(
    "evidence.linked",
    "linked an evidence item to a control",
    target="Evidence",
    activity="update",
    severity="informational",
    fields="control undoes",
    personal="note",
    shape="up",
)
UNLINKED = action(
    "evidence.unlinked",
    "unlinked an evidence item from a control",
    target="Evidence",
    activity="update",
    severity="informational",
    fields="control undoes",
    shape="down",
)
RETIRED = action(
    "evidence.retired",
    "retired an evidence item",
    target="Evidence",
    activity="delete",
    severity="low",
    fields="ref",
    shape="stop",
)
RESTORED = action(
    "evidence.restored",
    "restored a retired evidence item",
    target="Evidence",
    activity="update",
    severity="low",
    fields="ref undoes",
    shape="ok",
)
BROUGHT = action(
    "evidence.version.uploaded",
    "uploaded an evidence version",
    target="EvidenceVersion",
    activity="create",
    severity="informational",
    fields="number sha256 size media_type period_from period_to valid_until source",
    personal="filename url",
    shape="open",
)
ACCEPTED = action(
    "evidence.version.accepted",
    "accepted an evidence version",
    target="EvidenceVersion",
    activity="update",
    severity="informational",
    fields="number sha256",
    shape="ok",
)
REJECTED = action(
    "evidence.version.rejected",
    "rejected an evidence version",
    target="EvidenceVersion",
    activity="update",
    severity="informational",
    fields="number sha256",
    shape="bad",
)
TAKEN_OUT = action(
    "evidence.version.downloaded",
    "downloaded an evidence version",
    target="EvidenceVersion",
    activity="read",
    severity="low",
    fields="number sha256",
)
LIMIT = 1024**3
STORAGE_PREFIX = "evidence"
OBJECTS = "stored evidence"  # the lock between storing a file, sweeping and destroying
KINDS = (
    "document",
    "record",
    "report",
    "screenshot",
    "export",
    "log",
    "attestation",
    "configuration",
)
CONFIDENTIALITY = ("public", "internal", "confidential", "restricted")
LONGEST = timedelta(days=3 * 366)
EARLIEST = date(2000, 1, 1)


class AlreadyThere(DomainError):
    pass


class Retired(DomainError):
    pass


# ---- the thing that recurs


def begin(
    title: str,
    *,
    kind: str,
    cadence: str,
    owner_id: UUID | None = None,
    due_on: date | None = None,
    confidentiality: str = "internal",
    controls: Mapping[UUID, str] | None = None,
) -> Evidence:
    """Begin a piece of evidence; `controls` maps each supported control to a note on how.

    Two live ones share no title.
    """
    title = _worded(title, "title")
    check_choices(
        kind=(kind, KINDS),
        cadence=(cadence, CADENCES),
        confidentiality=(confidentiality, CONFIDENTIALITY),
    )
    check_may_own(owner_id)
    supported = controls or {}
    found = _live_controls(supported)
    ref = next_ref(Evidence.ref, "EV", width=4)
    _one_title(title)
    evidence = Evidence(
        ref=ref,
        title=title,
        kind=kind,
        cadence=cadence,
        confidentiality=confidentiality,
        owner_id=owner_id,
        due_on=due_on,
        retired_at=None,
        created_at=clock.now(),
        version=1,
    )
    session().add(evidence)
    session().flush()
    session().add_all(
        EvidenceLink(
            evidence_id=evidence.id, control_id=c, note=note.strip()[:500], created_at=clock.now()
        )
        for c, note in supported.items()
    )
    record(
        BEGUN,
        evidence,
        ref=ref,
        title=title,
        kind=kind,
        cadence=cadence,
        confidentiality=confidentiality,
        due_on=due_on,
        owner=owner_id,
        controls=sorted(found.values()),
    )
    return evidence


def edit(
    evidence: Evidence,
    *,
    version: int,
    title: str,
    kind: str,
    cadence: str,
    confidentiality: str,
    due_on: date | None,
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
    check_choices(
        kind=(kind, KINDS),
        cadence=(cadence, CADENCES),
        confidentiality=(confidentiality, CONFIDENTIALITY),
    )
    before = {name: getattr(evidence, name) for name in after}
    changes = {
        name: (before[name], value) for name, value in after.items() if before[name] != value
    }
    if not changes:
        return
    if version != evidence.version:
        raise Stale(
            f"Someone else changed {evidence.ref} while you were editing. Review it, then save again.",
            {n: (new, old) for n, (old, new) in changes.items()},
        )
    if "title" in changes:
        next_ref(Evidence.ref, "EV", width=4)
        _one_title(after["title"])
    for name, value in after.items():
        setattr(evidence, name, value)
    evidence.version += 1
    record(EDITED, evidence, before=before, after=after)


def assign(evidence: Evidence, owner_id: UUID | None, *, undoes: UUID | None = None) -> None:
    """Give it to a member, or with None to nobody.

    The same owner twice is no change. `undoes`: the entry taken back.
    """
    _live(evidence)
    if evidence.owner_id == owner_id:
        return
    check_may_own(owner_id)
    before, after = {"owner": evidence.owner_id}, {"owner": owner_id}
    evidence.owner_id = owner_id
    entry = record(ASSIGNED, evidence, before=before, after=after, undoes=undoes)
    undo.remember("evidence.owner", evidence.id, entry.id, before=before, after=after)


def assign_all(ids: Collection[UUID], owner_id: UUID | None) -> None:
    """Several at once, all or none."""
    for evidence in queries.some(ids, lock=True):
        assign(evidence, owner_id)  # record() is in there


def why_not(evidence: Evidence) -> str | None:
    """Why nothing of it can be changed any more; None where it can."""
    return (
        f"{evidence.ref} was retired on {_day(evidence.retired_at.date())}."
        if evidence.retired_at is not None
        else None
    )


def link(
    evidence: Evidence, control_id: UUID, note: str = "", *, undoes: UUID | None = None
) -> EvidenceLink:
    """Say that it supports a control, and how.

    The same again is no change; another note ends the old link.
    """
    _live(evidence)
    ref, note = _live_controls([control_id])[control_id], note.strip()[:500]
    held = _link(evidence, control_id)
    if held is not None and held.note == note:
        return held
    if held is not None:
        held.removed_at = clock.now()
        session().flush()
    made = EvidenceLink(
        id=uuid7(),
        evidence_id=evidence.id,
        control_id=control_id,
        note=note,
        created_at=clock.now(),
    )
    session().add(made)
    entry = record(LINKED, evidence, control=ref, note=note or None, undoes=undoes)
    _remember_link(evidence, control_id, entry.id, held, made)
    return made


def unlink(evidence: Evidence, control_id: UUID, *, undoes: UUID | None = None) -> None:
    """End the link; one that is not there is no fault. Past days keep it."""
    held = _link(evidence, control_id)
    if held is None:
        return
    held.removed_at = clock.now()
    entry = record(UNLINKED, evidence, control=queries.ref_of_control(control_id), undoes=undoes)
    _remember_link(evidence, control_id, entry.id, held, None)


def _remember_link(
    evidence: Evidence,
    control_id: UUID,
    entry_id: UUID,
    before: EvidenceLink | None,
    after: EvidenceLink | None,
) -> None:
    """By the rows: a link that has ended keeps its note, so a step needs no text."""
    told = {"control_id": control_id}
    undo.remember(
        "evidence.link",
        evidence.id,
        entry_id,
        before={**told, "link_id": before.id if before else None},
        after={**told, "link_id": after.id if after else None},
    )


def retire(evidence: Evidence, *, reason: str) -> None:
    """It leaves every list and proves nothing from now on; its versions and its history stay."""
    _live(evidence)
    reason = check_reason(reason, "Enter a reason. It stays with the item.")
    evidence.retired_at = clock.now()
    entry = record(RETIRED, evidence, reason=reason, ref=evidence.ref)
    undo.remember(
        "evidence.retired",
        evidence.id,
        entry.id,
        before={},
        after={"retired_at": evidence.retired_at},
    )


def restore(evidence: Evidence, *, undoes: UUID) -> None:
    """Undo its retirement, which the entry `undoes` told of, unless another item has taken its
    title.
    """
    next_ref(Evidence.ref, "EV", width=4)  # the lock under which titles are taken
    _one_title(evidence.title)
    evidence.retired_at = None
    record(RESTORED, evidence, ref=evidence.ref, undoes=undoes)


# ---- undoing


UNDOABLE = {"evidence.owner", "evidence.link", "evidence.retired"}


@undo.restores("evidence.owner")
def _restore_owner(step: UndoStep) -> None:
    evidence = queries.find_evidence(step.target_id, lock=True)
    if undo.plain(evidence.owner_id) != step.after["owner"]:
        raise Overtaken(
            f"{evidence.ref} {evidence.title} was reassigned by {who_last(evidence.id, ASSIGNED)}."
        )
    assign(evidence, undo.id_or_none(step.before["owner"]), undoes=step.entry_id)


@undo.restores("evidence.link")
def _restore_link(step: UndoStep) -> None:
    evidence, control_id = (
        queries.find_evidence(step.target_id, lock=True),
        UUID(step.after["control_id"]),
    )
    held, before = _link(evidence, control_id), undo.id_or_none(step.before["link_id"])
    if (str(held.id) if held else None) != step.after["link_id"]:
        who = who_last(evidence.id, LINKED, UNLINKED)
        raise Overtaken(
            f"{evidence.ref}'s link to {queries.ref_of_control(control_id)} was changed by {who}."
        )
    if before is None:
        unlink(evidence, control_id, undoes=step.entry_id)
    else:
        link(
            evidence, control_id, find(EvidenceLink, before, what="link").note, undoes=step.entry_id
        )


@undo.restores("evidence.retired")
def _restore_retired(step: UndoStep) -> None:
    evidence = queries.find_evidence(step.target_id, lock=True)
    if undo.plain(evidence.retired_at) != step.after["retired_at"]:
        raise Overtaken(
            f"{evidence.ref} {evidence.title} was restored by {who_last(evidence.id, RESTORED)}."
        )
    restore(evidence, undoes=step.entry_id)


# ---- versions


def bring_file(
    evidence: Evidence,
    stream: BinaryIO,
    filename: str | None,
    *,
    collected_on: date,
    period_from: date,
    period_to: date,
    valid_until: date,
    source: str = "upload",
    unchanged: bool = False,
) -> EvidenceVersion:
    """Store a file and make it the next version: its type is found by content, its digest while it
    streams.

    `unchanged`: the source may give the same bytes for another period, as a configuration that
    nobody changed does.
    """
    check_may_bring(evidence)
    _dates(collected_on, period_from, period_to, valid_until)
    name = file_types.plain_name(filename)
    _not_larger(stream)
    take_time()
    found = file_types.find_type(stream, name)
    scanning.refuse_infected(stream, name)
    blob = storage.store().write(
        current.actor().tenant_id, stream, limit=LIMIT, prefix=STORAGE_PREFIX
    )
    return _filed(
        evidence,
        StoredFile(name, found.type, blob.size, blob.sha256, blob.key),
        unchanged=unchanged,
        collected_on=collected_on,
        source=source,
        period_from=period_from,
        period_to=period_to,
        valid_until=valid_until,
    )


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that lies in the store already."""

    filename: str
    media_type: str
    size: int
    sha256: str
    storage_key: str


def bring_stored(
    evidence: Evidence,
    sha256: str,
    *,
    collected_on: date,
    period_from: date,
    period_to: date,
    valid_until: date,
    source: str,
) -> EvidenceVersion:
    """Make a file that is here already, by its digest, the next version of another piece or for
    another period.
    """
    check_may_bring(evidence)
    _dates(collected_on, period_from, period_to, valid_until)
    held = queries.stored(sha256)
    if held is None or not storage.store().exists(held.storage_key or ""):
        raise Invalid("No stored file has this SHA-256. Send the file itself.", field="sha256")
    there = StoredFile(
        held.filename or "file",
        held.media_type or "",
        held.size or 0,
        sha256,
        held.storage_key or "",
    )
    return _filed(
        evidence,
        there,
        unchanged=True,
        collected_on=collected_on,
        source=source,
        period_from=period_from,
        period_to=period_to,
        valid_until=valid_until,
    )


def _filed(
    evidence: Evidence, file: StoredFile, *, unchanged: bool, collected_on: date, **facts: Any
) -> EvidenceVersion:
    """From here to the commit nothing sweeps or destroys what was stored: the row and its blob are
    there together, or no row is.
    """
    session().refresh(evidence, with_for_update=True)
    _live(evidence)
    alone(OBJECTS)
    if not storage.store().exists(file.storage_key):
        raise Unavailable(
            "The stored file was deleted while you were uploading. Nothing was saved; upload it again."
        )
    same = queries.versions_of(evidence).where(EvidenceVersion.sha256 == file.sha256)
    if unchanged:
        same = same.where(
            EvidenceVersion.period_from == facts["period_from"],
            EvidenceVersion.period_to == facts["period_to"],
        )
    if twin := session().scalars(same).first():
        raise AlreadyThere(
            f"This file is identical to version {twin.number}, uploaded on"
            f" {_day(twin.uploaded_at.date())}. Nothing was saved.",
            field="file",
        )
    return _bring(
        evidence,
        collected_on,
        filename=file.filename,
        media_type=file.media_type,
        size=file.size,
        sha256=file.sha256,
        storage_key=file.storage_key,
        url=None,
        **facts,
    )


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
    """Make an address the next version, for what may not leave the place where it is kept. https
    only.
    """
    check_may_bring(evidence)
    _dates(collected_on, period_from, period_to, valid_until)
    url = url.strip()
    _address(url)
    twin = (
        session()
        .scalars(
            queries.versions_of(evidence).where(
                EvidenceVersion.url == url, EvidenceVersion.period_to == period_to
            )
        )
        .first()
    )
    if twin:
        raise AlreadyThere(
            f"Version {twin.number} already links to this address for the same period. Nothing was saved.",
            field="url",
        )
    return _bring(
        evidence,
        collected_on,
        filename=None,
        media_type=None,
        size=None,
        sha256=None,
        storage_key=None,
        url=url,
        source=source,
        period_from=period_from,
        period_to=period_to,
        valid_until=valid_until,
    )


def accept(version: EvidenceVersion, evidence: Evidence, *, remark: str = "") -> EvidenceReview:
    return _judge(version, evidence, "accepted", remark.strip()[:2000])


def reject(version: EvidenceVersion, evidence: Evidence, *, reason: str) -> EvidenceReview:
    return _judge(
        version,
        evidence,
        "rejected",
        check_reason(reason, "Enter a reason, so the owner knows what to fix."),
    )


def take_out(version: EvidenceVersion) -> BinaryIO:
    """The stored file, open for reading; who took it is in the log."""
    file = queries.open_version(version)
    record(TAKEN_OUT, version, number=version.number, sha256=version.sha256)
    return file


# ---- rules


def _bring(evidence: Evidence, collected_on: date, **facts: Any) -> EvidenceVersion:
    number = (
        session().scalar(
            select(func.max(EvidenceVersion.number)).where(
                EvidenceVersion.evidence_id == evidence.id
            )
        )
        or 0
    ) + 1
    version = EvidenceVersion(
        evidence_id=evidence.id,
        number=number,
        uploaded_at=clock.now(),
        uploaded_by=current.actor().person_id,
        key_id=current.actor().key_id,
        created_at=clock.now(),
        collected_at=min(datetime.combine(collected_on, time(), UTC), clock.now()),
        **facts,
    )
    session().add(version)
    told = {k: v for k, v in facts.items() if k != "storage_key"}
    record(BROUGHT, version, number=number, **told)
    return version


def _judge(
    version: EvidenceVersion,
    evidence: Evidence,
    decision: Literal["accepted", "rejected"],
    reason: str,
) -> EvidenceReview:
    require(permissions.REVIEW, on=version)
    held = (
        session()
        .scalars(select(EvidenceReview).where(EvidenceReview.version_id == version.id))
        .one_or_none()
    )
    if held is not None:
        who = names([held.reviewed_by]).get(held.reviewed_by, "A former member")
        said = (
            f"{who} {held.decision} version {version.number} of {evidence.ref} on"
            f" {_day(held.reviewed_at.date())}. Nothing was changed."
        )
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
        reason=reason or None,
        number=version.number,
        sha256=version.sha256,
    )
    return review


def _live(evidence: Evidence) -> None:
    if (why := why_not(evidence)) is not None:
        raise Retired(why)


def check_may_bring(evidence: Evidence) -> None:
    """Refuse who may not bring a version in, and for what is retired."""
    _live(evidence)
    if not allowed(permissions.PUSH):
        require(permissions.BRING, on=evidence)


def _dates(collected_on: date, period_from: date, period_to: date, valid_until: date) -> None:
    if collected_on > clock.today():
        raise Invalid(
            f"{_day(collected_on)} is in the future. Choose the day on which it was collected.",
            field="collected_on",
        )
    if period_from > period_to:
        raise Invalid("The period ends before it starts.", field="period_to")
    if valid_until < period_to:
        raise Invalid(
            "Choose a day on or after the end of the period it covers.", field="valid_until"
        )
    if min(period_from, collected_on) < EARLIEST:
        raise Invalid(
            "Evidence from before the year 2000 can't be added. Choose a later date.",
            field="period_from" if period_from < EARLIEST else "collected_on",
        )
    if valid_until > clock.today() + LONGEST:
        raise Invalid("Evidence can be valid for three years at most.", field="valid_until")


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
        raise Invalid("Enter an address that starts with https:// and names a server.", field="url")


def _not_larger(stream: BinaryIO) -> None:
    """A file that is too large is refused before any of it is looked into."""
    stream.seek(0, 2)
    if stream.tell() > LIMIT:
        raise TooLarge(
            f"The file is larger than the limit of {LIMIT // 1024**2} MB. Nothing was saved.",
            field="file",
        )
    stream.seek(0)


def check_choices(**choices: tuple[str, Collection[str]]) -> None:
    for field, (value, known) in choices.items():
        if value not in known:
            raise Invalid(f"“{value}” isn't an option. Choose one from the list.", field=field)


def _one_title(title: str) -> None:
    same = select(Evidence.ref).where(
        func.lower(Evidence.title) == title.lower(), Evidence.retired_at.is_(None)
    )
    if taken := session().scalars(same).first():
        raise AlreadyThere(
            f"{taken} already has this title. Upload a version there, or choose another title.",
            field="title",
        )


def _live_controls(ids: Collection[UUID]) -> dict[UUID, str]:
    """The ref of each of these controls; refuses one that is retired, unknown or another
    tenant's.
    """
    live = queries.live_controls(ids) if ids else ()
    if len(live) != len(set(ids)):
        raise Invalid(
            "One of these controls doesn't exist or is retired. Choose another one.",
            field="controls",
        )
    return {row.id: row.ref for row in live}


def _link(evidence: Evidence, control_id: UUID) -> EvidenceLink | None:
    return (
        session()
        .scalars(
            select(EvidenceLink).where(
                EvidenceLink.evidence_id == evidence.id,
                EvidenceLink.control_id == control_id,
                EvidenceLink.removed_at.is_(None),
            )
        )
        .one_or_none()
    )


def check_reason(text: str, missing: str) -> str:
    if not text.strip():
        raise Invalid(missing, field="reason")
    return text.strip()[:2000]


def _worded(text: str, field: str) -> str:
    words = " ".join(text.split())
    if not words or len(words) > 200:  # noqa: PLR2004 - a title
        raise Invalid("Enter a title of 1 to 200 characters.", field=field)
    return words


def _day(when: date) -> str:
    return f"{when.day} {when:%B %Y}"
