"""The work of one statement: count, lay out, sign, file. A killed run starts again.

Nothing is written before the end: the file is stored first, and the revision, its entry, its credit
and its messages are one transaction. Of two runs that close the same month, one files.
"""

import io
from dataclasses import dataclass
from typing import Any

from governance.foundation.audit import queries as audit
from governance.foundation.tenants import queries as tenants
from governance.kernel import clock, current
from governance.kernel.data.db import transaction
from governance.kernel.errors import Invalid
from governance.kernel.files.storage import Blob, store
from governance.kernel.pictures import pdf
from governance.kernel.safety.signed_note import b64
from governance.kernel.work.background_work import PacedProgress, keep, target_of
from governance.kernel.work.jobs import Progress, WorkItem
from governance.operations.agreements.terms import instant
from governance.publishing.reports import actions as signing_keys
from governance.publishing.reports import queries as reports
from governance.publishing.reports.built_document import Built
from governance.publishing.reports.signatures import signing
from governance.publishing.statements import (
    actions,
    closing,
    data_file,
    queries,
    statement_document,
    statement_facts,
)
from governance.publishing.statements.models import Statement, StatementRevision
from governance.publishing.statements.statement_calculation import MixedCurrencies

STEPS = 5
PAGES = 3


@dataclass(frozen=True, slots=True)
class Prepared:
    """A revision that isn't filed yet: its row, the late changes it includes, data and document."""

    made: dict[str, Any]
    marks: int
    data: bytes
    built: Built


def close(item: WorkItem, progress: Progress) -> None:
    """Close the month of a statement, or revise it if anything differs."""
    progress(0, STEPS, "Counting minutes")
    prepared = _prepare(item)
    if prepared is None:
        progress(STEPS, STEPS, "Nothing changed")
        return
    paced = PacedProgress(progress)
    content = pdf.render_in_child(
        prepared.built.html,
        attachments=prepared.built.attachments,
        at=prepared.built.at,
        identifier=prepared.built.identifier,
        on_progress=lambda page: paced(1, STEPS, f"Page {page} of about {PAGES}"),
    )
    progress(3, STEPS, "Signing")
    packed = closing.pack(content, _signature(content, prepared.built.fingerprint), prepared.data)
    pages = _pages(content)

    def file(blob: Blob) -> bool:
        statement = queries.statement(target_of(actions.CLOSING, item), lock=True)
        return actions.file_revision(
            statement, prepared.made | {"pages": pages}, blob, marks=prepared.marks
        )

    keep(actions.CLOSING, item, io.BytesIO(packed), file)


def _prepare(item: WorkItem) -> Prepared | None:
    """Read the month in one snapshot. Return None if the newest revision has the same input."""
    with transaction(snapshot=True):
        statement = queries.statement(target_of(actions.CLOSING, item))
        newest = queries.revision_numbered(statement.id, statement.revision)
        marks = statement.marks
        if newest is not None and not queries.has_minutes(statement):
            actions.note_unchanged(queries.statement(statement.id, lock=True), marks)
            return None
        gathered = statement_facts.gather(queries.agreement_of(statement), statement.its_month)
        digest = closing.input_digest(gathered.facts, gathered.counts)
        if newest is not None and newest.input_digest == digest:
            actions.note_unchanged(queries.statement(statement.id, lock=True), marks)
            return None
        return _prepared(statement, newest, gathered, digest, marks)


def _prepared(
    statement: Statement,
    newest: StatementRevision | None,
    gathered: statement_facts.Gathered,
    digest: str,
    marks: int,
) -> Prepared:
    key = signing_keys.current_signing_key()
    number, now = statement.revision + 1, clock.now().replace(microsecond=0)
    agreement = gathered.facts["agreement"]
    tenant = tenants.tenant_by_id(current.actor().tenant_id)
    if tenant is None:
        raise RuntimeError("the tenant is gone")
    try:
        result = gathered.result()
    except MixedCurrencies as error:
        raise Invalid(f"{error} Correct the agreement, then try again.") from error
    document: dict[str, Any] = {
        "tenant": {"slug": tenant.slug, "name": tenant.name},
        "revision": number,
        "closed_at": instant(now),
        "cause": statement.cause if newest else "close",
        "incidents": statement_facts.incidents_of(gathered),
        "supersedes": newest.data_digest if newest else None,
        "log": _log(),
        "signing_key": signing_keys.key_line(key),
    }
    content = closing.content(
        gathered.facts, gathered.indicators(with_minutes=True), result, document
    )
    data = data_file.sign(
        signing_keys.private_key(key),
        key.name,
        closing.number_of(tenant.slug, agreement["ref"], statement.month, number),
        content,
    )
    notes = closing.notes_of(gathered.facts, gathered.counts)
    changes = closing.changes(statement_in_file(newest), content) if newest else None
    made = {
        "number": number,
        "closed_at": now,
        "cause": document["cause"],
        "input_digest": digest,
        "data_digest": data_file.read(data).sha256,
        "facts": closing.facts_of(content) | {"notes": notes},
        "result": result,
        "changes": changes,
        "credit": result["credit"],
        "currency": result["currency"],
        "checkpoint": document["log"]["size"] if document["log"] else None,
        "file_name": closing.file_name(tenant.slug, statement.month, number),
    }
    return Prepared(made, marks, data, statement_document.build(content, data, notes))


def statement_in_file(row: StatementRevision) -> dict[str, Any]:
    """Return the statement in a revision's file, with its minute counts."""
    with store().open(row.file_key) as file:
        return data_file.read(closing.unpack(file.read(), data_file.NAME)).statement


def _log() -> dict[str, Any] | None:
    """Return the last checkpoint of the tenant's log. None before the first one."""
    signed = audit.last_checkpoint()
    if signed is None:
        return None
    return {
        "origin": signed.origin,
        "size": signed.size,
        "root": b64(signed.root),
        "note": signed.note,
        "at": instant(signed.at),
    }


def _signature(content: bytes, fingerprint: str) -> str:
    with transaction(read_only=True):
        key = reports.signing_key()
        if key is None:
            raise RuntimeError("the key is gone")
        return signing.sign(
            signing_keys.private_key(key),
            key.name,
            filename=closing.PDF_NAME,
            pdf=content,
            fingerprint=fingerprint,
        )


def _pages(content: bytes) -> int:
    import pikepdf  # noqa: PLC0415 - only background work closes a month

    with pikepdf.open(io.BytesIO(content)) as document:
        return len(document.pages)
