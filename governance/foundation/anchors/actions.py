"""Add and remove external witnesses (anchors), send them checkpoints, and record their answers.

Nothing is sent inside a transaction: `exchange` reads in one, sends outside of any, and records the
answer in another.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from governance.foundation.anchors import (
    cosignature,
    permissions,
    queries,
    webhook,
    witness,
)
from governance.foundation.anchors.anchor_response import AnchorResponse, PresentedCheckpoint
from governance.foundation.anchors.models import Anchor, Receipt
from governance.foundation.audit import logs
from governance.foundation.audit import queries as audit
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.safety import key_encryption, outbound_http
from governance.kernel.safety.signed_note import NotSigned
from governance.kernel.work import background_work, jobs

ADDED = action(
    "anchor.added",
    "added an external witness",
    target="Anchor",
    activity="create",
    severity="medium",
    fields="kind name host",
)
REMOVED = action(
    "anchor.removed",
    "removed an external witness",
    target="Anchor",
    activity="delete",
    severity="medium",
    fields="kind name host",
)
TESTED = action(
    "anchor.tested",
    "tested an external witness",
    target="Anchor",
    activity="update",
    severity="informational",
    fields="name state finding",
)
STATE_CHANGED = action(
    "anchor.state.changed",
    "recorded a new status of an external witness",
    target="Anchor",
    activity="update",
    severity="low",
    fields="name state size finding",
)
RECEIPT_DOWNLOADED = action(
    "anchor.receipt.downloaded",
    "downloaded an external witness's receipt",
    target="Anchor",
    activity="read",
    severity="informational",
    fields="name checkpoint",
)

KINDS = ("witness", "webhook", "timestamp")
MAX_NAME_LENGTH, MAX_URL_LENGTH = 80, 500
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


# ---- adding and removing


def add(*, kind: str, name: str, url: str, key: str = "", secret: str = "") -> Anchor:
    """Send checkpoints to that address too. Added twice (a double click), it is one anchor."""
    fields = _check_fields(kind, name, url, key, secret)
    # Two additions at the same moment wait for each other.
    session().get(Tenant, current.actor().tenant_id, with_for_update=True)
    existing = queries.anchor_at(fields["url"])
    if existing is not None:
        return _check_same(existing, fields, secret)
    if len(queries.anchors()) >= queries.MAX_ANCHORS:
        raise Invalid(
            f"A log can have {queries.MAX_ANCHORS} external witnesses at most. Remove one first."
        )
    anchor = Anchor(
        **fields,
        secret=_encrypted(secret),
        added_by=current.actor().person_id,
        removed_at=None,
        seen_at=None,
        tried_at=None,
    )
    session().add(anchor)
    record(ADDED, anchor, kind=kind, name=anchor.name, host=_host(anchor))
    return anchor


def _check_same(existing: Anchor, fields: dict[str, str], secret: str) -> Anchor:
    if (
        any(getattr(existing, field) != value for field, value in fields.items())
        or secret_of(existing) != secret
    ):
        raise Invalid(
            f"{existing.name} already has that address. Use another address, or remove it first.",
            field="url",
        )
    return existing


def _check_fields(kind: str, name: str, url: str, key: str, secret: str) -> dict[str, str]:
    if kind not in KINDS:
        raise Invalid("Choose a witness, a receiver or a time-stamp authority.", field="kind")
    name, url, key = name.strip(), url.strip().rstrip("/"), key.strip()
    if not name or len(name) > MAX_NAME_LENGTH or CONTROL.search(name):
        raise Invalid(f"Enter a name of 1 to {MAX_NAME_LENGTH} characters.", field="name")
    _check_url(kind, url)
    _check_key(kind, key, secret)
    return {"kind": kind, "name": name, "url": url, "key": key if kind != "webhook" else ""}


def _check_url(kind: str, url: str) -> None:
    if len(url) > MAX_URL_LENGTH or not url.isascii() or CONTROL.search(url) or " " in url:
        raise Invalid(
            f"Enter an address of at most {MAX_URL_LENGTH} ASCII characters, without spaces.",
            field="url",
        )
    try:
        outbound_http.safe_url(url)
    except outbound_http.NotCalled as fault:
        raise Invalid(fault.message, field="url") from fault
    if kind == "witness" and set(url) & {"?", "#"}:
        raise Invalid(
            "Enter the witness's submission prefix without ? and #. Meridian adds /add-checkpoint.",
            field="url",
        )


def _check_key(kind: str, key: str, secret: str) -> None:
    try:
        if kind == "witness":
            cosignature.parse_key(key)
        elif kind == "timestamp":
            from governance.foundation.anchors import timestamp  # noqa: PLC0415 - loads rfc3161_client

            timestamp.certificates(key)
        else:
            webhook.key_of(secret)
    except (NotSigned, ValueError) as error:
        raise Invalid(str(error), field="secret" if kind == "webhook" else "key") from error


def remove(anchor: Anchor) -> None:
    """Stop sending checkpoints to an anchor. Its receipts stay."""
    session().refresh(anchor, with_for_update=True)
    if anchor.removed_at is not None:
        return
    anchor.removed_at = clock.now()
    record(REMOVED, anchor, kind=anchor.kind, name=anchor.name, host=_host(anchor))


def record_receipt_download(anchor: Anchor, *, checkpoint: int) -> None:
    """Record that a receipt for this checkpoint number is downloaded."""
    record(RECEIPT_DOWNLOADED, anchor, name=anchor.name, checkpoint=checkpoint)


def _host(anchor: Anchor) -> str:
    """Return the host, which the log names: the full address may contain a token."""
    return urlsplit(anchor.url).hostname or ""


def _encrypted(secret: str) -> bytes | None:
    return (
        key_encryption.wrap(secret.encode(), _context(current.actor().tenant_id))
        if secret
        else None
    )


def secret_of(anchor: Anchor) -> str:
    return (
        key_encryption.unwrap(anchor.secret, _context(anchor.tenant_id)).decode()
        if anchor.secret
        else ""
    )


def _context(tenant_id: UUID) -> bytes:
    return b"anchor-secret\0" + tenant_id.bytes


key_encryption.holds(Anchor, "secret", lambda row: _context(row.tenant_id))


# ---- sending checkpoints

background_work.let_watch(queries.WORK, permissions.VIEW)


def queue_sending(anchor: Anchor | None = None) -> jobs.WorkItem:
    """Queue a test of one anchor, or sending to all; return work that is already in progress."""
    target = anchor.id if anchor else None
    waiting = [item for item in queries.under_way() if item.target_id == target]
    return waiting[0] if waiting else jobs.enqueue(queries.WORK, target)


def test(anchor_id: UUID) -> AnchorResponse | None:
    """Send the newest checkpoint to one anchor and record the test, outside of any transaction."""
    outcome = exchange(anchor_id)
    with transaction():
        anchor = queries.anchor(anchor_id)
        record(
            TESTED,
            anchor,
            name=anchor.name,
            state=outcome.state if outcome else "new",
            finding=outcome.finding if outcome else None,
        )
    return outcome


@dataclass(frozen=True, slots=True)
class WitnessComparison:
    """The answer of one witness after a restore."""

    name: str
    state: str
    finding: str


def compare() -> Sequence[WitnessComparison]:
    """Compare the log with its witnesses after a restore, outside of any transaction.

    A witness that has more entries, or a different history, halts the log.
    """
    with transaction(read_only=True):
        witnesses = [(a.id, a.name) for a in queries.anchors() if a.kind == "witness"]
    found = []
    for anchor_id, name in witnesses:
        outcome = exchange(anchor_id)
        found.append(
            WitnessComparison(name, outcome.state, outcome.finding)
            if outcome
            else WitnessComparison(name, "new", "has not seen this log yet")
        )
    return found


@dataclass(frozen=True, slots=True)
class AnchorAddress:
    """The address of an anchor, read in a transaction and used outside of it."""

    id: UUID
    kind: str
    url: str
    key: str
    secret: str
    known: int


def exchange(anchor_id: UUID) -> AnchorResponse | None:
    """Send an anchor the newest checkpoint and record its answer, outside of any transaction.

    Returns None before the log's first checkpoint.
    """
    requested_at = clock.now()
    with transaction(read_only=True):
        row, shown = queries.anchor(anchor_id), _newest()
        place = AnchorAddress(row.id, row.kind, row.url, row.key, secret_of(row), row.seen_size)
    if shown is None:
        return None
    outcome = _answer(place, shown)
    who = current.actor()
    with (
        current.acting_as(system_actor_in(who.tenant_id, who.tenant_slug, who.tenant_name)),
        transaction(),
    ):
        record_answer(anchor_id, outcome, requested_at=requested_at)
    return outcome


def _newest() -> PresentedCheckpoint | None:
    signed = audit.last_checkpoint()
    if signed is None or not signed.size:
        return None
    return PresentedCheckpoint(
        signed.id, signed.number, signed.origin, signed.size, signed.root, signed.note
    )


def prove(old: int) -> PresentedCheckpoint | None:
    """Return the newest checkpoint with the proof that a tree of `old` entries is its beginning.

    Returns None when this log is smaller.
    """
    with transaction(read_only=True):
        shown = _newest()
        if shown is None or old > shown.size:
            return None
        return replace(shown, path=tuple(audit.consistency(old, shown.size))) if old else shown


def _answer(place: AnchorAddress, shown: PresentedCheckpoint) -> AnchorResponse:
    try:
        if place.kind == "witness":
            return _witnessed(place, shown)
        if place.kind == "webhook":
            return webhook.deliver(place.url, place.secret, shown)
        from governance.foundation.anchors import timestamp  # noqa: PLC0415 - the same

        return timestamp.stamp(place.url, place.key, shown)
    except outbound_http.ResponseTooSlow:
        return AnchorResponse("away", "did not answer in time")
    except outbound_http.NotCalled as fault:
        return AnchorResponse("away", f"was not contacted: {fault.message.rstrip('.')}")
    except outbound_http.Unreachable:
        return AnchorResponse("away", "could not be reached")


def _witnessed(place: AnchorAddress, shown: PresentedCheckpoint) -> AnchorResponse:
    key = cosignature.parse_key(place.key)
    found = witness.submit(place.url, key, known=min(place.known, shown.size), prove=prove)
    if found.state != "conflict":
        return found
    with transaction(read_only=True):
        log_keys = [logs.verifier(each) for each in logs.all_keys()]
    return witness.substantiated(place.url, key, found, log_keys, _root_at)


def _root_at(size: int) -> bytes | None:
    with transaction(read_only=True):
        return audit.root_at(size)


def record_answer(anchor_id: UUID, outcome: AnchorResponse, *, requested_at: datetime) -> None:
    """Store an anchor's answer, and record a change of its state. A conflict halts the log."""
    try:
        anchor = queries.anchor(anchor_id, lock=True)
    except DomainError:
        return  # The anchor was removed in the meantime.
    if (
        outcome.state != "conflict"
        and anchor.tried_at is not None
        and anchor.tried_at > requested_at
    ):
        return  # An answer to an older question.
    before = anchor.state
    anchor.state, anchor.finding, anchor.tried_at = outcome.state, outcome.finding, clock.now()
    if outcome.state == "agrees" and outcome.shown:
        anchor.seen_size, anchor.seen_at = outcome.shown.size, anchor.tried_at
    if (
        outcome.shown
        and outcome.status
        and (outcome.state == "agrees" or before != outcome.state != "away")
    ):
        session().add(
            Receipt(
                anchor_id=anchor.id,
                checkpoint_id=outcome.shown.id,
                status=outcome.status,
                outcome=outcome.state,
                answer=outcome.answer,
            )
        )
    if before != outcome.state:
        record(
            STATE_CHANGED,
            anchor,
            before={"state": before},
            after={"state": outcome.state},
            name=anchor.name,
            size=outcome.shown.size if outcome.shown else None,
            finding=outcome.finding or None,
        )
    if outcome.state == "conflict":
        logs.halt(
            anchor=anchor.name, size=outcome.holds, sentence=f"{anchor.name} {outcome.finding}."
        )
