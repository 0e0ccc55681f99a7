"""The deletion of a tenant, step by step.

Each step is a transaction, and a killed run continues from the row.

announce       record the last entry of the tenant's log
close          store the last checkpoint and key ids; from here on nothing acts there
delete_rows    delete one batch of one table; its count commits with it
delete_events  delete the usage events that ClickHouse stores
delete_files   delete the stored files; they were counted when the tenant was closed
finish         no row is left: sign the certificate; the slug stays taken
keep_archive   store its PDF, which is signed as well
"""

import hashlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text

from governance.economics.usage import event_stores
from governance.foundation.audit import logs, sequencer
from governance.foundation.audit import queries as audit
from governance.foundation.audit.models import DataKey, LogKey, PendingEntry, TenantKey
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.tenants.models import EmailDomain, Tenant
from governance.foundation.tenants.system_actor import system_actor_in
from governance.foundation.webhooks.models import WebhookTicket
from governance.kernel import clock, current
from governance.kernel.data.db import session, within
from governance.kernel.data.tenant_revision import TenantRevision
from governance.kernel.errors import DomainError, Unavailable
from governance.kernel.files import storage
from governance.kernel.safety import signed_note
from governance.kernel.work.jobs import WorkFailure, WorkTicket
from governance.publishing.reports.built_document import Built
from governance.publishing.reports.signatures import signing
from governance.publishing.tenant_exports.tables import EVENTS_OUTSIDE
from governance.publishing.tenant_offboarding import (
    actions,
    certificate_file,
    certificate_format,
    queries,
)
from governance.publishing.tenant_offboarding.models import TenantOffboarding

BATCH = 2_000
STARTED = action(
    "tenant.deletion.started",
    "started to delete the tenant",
    target="TenantOffboarding",
    activity="delete",
    severity="high",
    fields="tenant",
)
DELETED = action(
    "tenant.deleted",
    "deleted the tenant with all of its data",
    target="TenantOffboarding",
    activity="delete",
    severity="high",
    event_class="entity_management",
    fields="tenant rows files sha256 checkpoint",
)
NAMES = text(
    "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
    " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
    " AND NOT c.relispartition AND a.attname = 'tenant_id' AND NOT a.attisdropped"
)
HAS_ROW = """SELECT '{0}' WHERE EXISTS (SELECT FROM "{0}" WHERE tenant_id = :tenant)"""
DELETE = text("SELECT delete_offboarded_rows(:id, :table, :up_to)")
KEYS = {"data_keys": DataKey, "tenant_keys": TenantKey, "audit_log_keys": LogKey}


class NotYet(Unavailable):
    """An error for a step that the next round of the schedule retries."""


def inside(row: TenantOffboarding) -> current.Actor:
    return system_actor_in(row.customer_id, row.slug, row.name)


def announce(row: TenantOffboarding) -> None:
    """Record the last entry of the tenant's log.

    Raises DomainError if the deletion isn't due or is blocked, and NotYet while work is running.
    """
    if row.due_at is None or clock.now() < row.due_at:
        raise DomainError("This deletion isn't due yet. Nothing was deleted.")
    if why := actions.why_blocked(row):
        raise DomainError(f"{why} Nothing was deleted.")
    if kinds := queries.work_of(row.customer_id):
        raise NotYet(f"Work is still running in the tenant: {', '.join(kinds)}.")
    if "announced" in row.facts:
        return
    with within(inside(row)):
        logs.open_log()
        record(STARTED, row, tenant=row.slug, reason=row.reason)
    row.facts = row.facts | {"announced": clock.now().isoformat()}


def sequence(who: current.Actor) -> None:
    """Place every entry of that tenant's log. Call it outside a transaction."""
    with current.acting_as(who):
        while sequencer.sequence():
            pass


def close(row: TenantOffboarding) -> None:
    """Store the certificate's facts about things that are about to be deleted.

    Raises NotYet if entries have no place yet.
    """
    if why := actions.why_blocked(row):
        raise DomainError(f"{why} Nothing was deleted.")
    tenant = actions.tenant_of(row)
    session().refresh(tenant, with_for_update=True)
    with within(inside(row)):
        head, last, key = audit.head(), audit.last_checkpoint(), logs.signing_key()
        pending = session().scalar(select(func.count()).select_from(PendingEntry)) or 0
        if head is None or last is None or key is None or (pending and head.trouble is None):
            raise NotYet("The tenant's log has entries without a checkpoint.")
        signer = next(each for each in logs.all_keys() if logs.key_id(each) == last.key_id)
        facts = {
            "checkpoint": certificate_format.packed(last.note),
            "log-key": str(logs.verifier(signer)),
            "log-size": last.size,
            "entries-after-checkpoint": pending,
        }
        keys = {table: _digest(model) for table, model in KEYS.items()}
        events = event_stores.store().count_outside()
    files = sum(1 for _ in storage.store().aged(row.customer_id.hex))
    row.facts = row.facts | {"stated": facts, "keys": keys, "events_outside": events}
    row.state, row.files, tenant.status = "deleting", files, "deleting"
    tenant.deletes_at = None


def _digest(model: Any) -> dict[str, Any]:
    """Return the number of keys, and the SHA-256 over their ids in order, one per line."""
    ids = sorted(str(each) for each in session().scalars(select(model.id)))
    return {
        "count": len(ids),
        "sha256": hashlib.sha256("".join(f"{each}\n" for each in ids).encode()).hexdigest(),
    }


def tables_with_rows(row: TenantOffboarding) -> list[str]:
    """List the database's tables that have a row of the tenant, whether a class is mapped or not."""
    with within(inside(row)):
        query = text(" UNION ALL ".join(HAS_ROW.format(name) for name in session().scalars(NAMES)))
        return sorted(session().scalars(query, {"tenant": row.customer_id}))


def delete_rows(row: TenantOffboarding, table: str) -> int:
    """Delete one batch. Return how many rows it had."""
    values = {"id": row.id, "table": table, "up_to": BATCH}
    gone = int(session().scalar(DELETE, values) or 0)
    if gone:
        row.rows = row.rows | {table: row.rows.get(table, 0) + gone}
    return gone


def keys_destroyed(row: TenantOffboarding) -> None:
    if "keys_destroyed" not in row.facts:
        row.facts = row.facts | {"keys_destroyed": clock.now().isoformat()}


def delete_events(who: current.Actor) -> None:
    """Delete usage events outside PostgreSQL. Call it outside a transaction, too."""
    with current.acting_as(who):
        event_stores.store().delete_outside()


def events_deleted(row: TenantOffboarding) -> None:
    """Record that the events are deleted. They were counted when the tenant was closed."""
    if events := row.facts["events_outside"]:
        row.rows = row.rows | {EVENTS_OUTSIDE: events}


def delete_files(tenant_id: UUID, report: Callable[[int], None]) -> None:
    """Delete every stored file. Call it outside a transaction."""
    store = storage.store()
    for count, (key, _written) in enumerate(store.aged(tenant_id.hex), 1):
        store.remove(key)
        report(count)
    store.clear(tenant_id, clock.now())


def finish(row: TenantOffboarding) -> None:
    """Sign the certificate. Rejected while a row is left."""
    if left := tables_with_rows(row):
        raise NotYet(f"Rows are left in {', '.join(left)}.")
    with within(inside(row)):
        if event_stores.store().count_outside():
            raise NotYet("Usage events are left in ClickHouse.")
    tenant = actions.tenant_of(row)
    _forget_between_tenants(tenant)
    row.finished_at, row.state = clock.now(), "deleted"
    row.certificate = _certificate(row)
    digest = hashlib.sha256(row.certificate.encode()).hexdigest()
    tenant.status, tenant.suspended_at, tenant.deletes_at = "deleted", None, None
    for name in ("unit", "audience", "classification"):
        setattr(tenant, name, "")
    record(
        DELETED,
        row,
        tenant=row.slug,
        rows=sum(row.rows.values()),
        files=row.files,
        sha256=digest,
        checkpoint=row.facts["stated"]["checkpoint"],
        reason=row.reason,
    )


def _forget_between_tenants(tenant: Tenant) -> None:
    """Delete the tenant's domains, tickets, failures and revision from tables of all tenants."""
    for model in (EmailDomain, WorkTicket, WorkFailure, WebhookTicket):
        session().execute(delete(model).where(model.for_tenant == tenant.id))
    session().execute(delete(TenantRevision).where(TenantRevision.id == tenant.id))


def _certificate(row: TenantOffboarding) -> str:
    stated = {
        "tenant": row.slug,
        "name": row.name,
        "tenant-id": row.customer_id,
        "offboarding-id": row.id,
        "requested": row.created_at.isoformat(),
        "approved": row.approved_at.isoformat() if row.approved_at else "",
        "due": row.due_at.isoformat() if row.due_at else "",
        "export": row.export,
        "keys-destroyed": row.facts["keys_destroyed"],
        "files": row.files,
        "finished": row.finished_at.isoformat() if row.finished_at else "",
        **row.facts["stated"],
    }
    key = _signing_key()
    written = certificate_format.written(stated, row.facts["keys"], row.rows)
    return signed_note.sign(logs.private_key(key), key.name, written)


def _signing_key() -> LogKey:
    """Return the signing key of the operator's log."""
    key = logs.signing_key()
    if key is None:
        raise Unavailable("The operator's log has no signing key yet. Try again in a minute.")
    return key


def key_name() -> str:
    """Return the name and id of the signing key, as the PDF prints them."""
    return "+".join(str(logs.verifier(_signing_key())).split("+", 2)[:2])


def keep_archive(row: TenantOffboarding, built: Built, content: bytes) -> None:
    """Sign the PDF, and store it with its signature and the text. Idempotent."""
    if row.certificate is None or queries.has_archive(row):
        return
    key = _signing_key()
    signature = signing.sign(
        logs.private_key(key),
        key.name,
        filename=built.filename,
        pdf=content,
        fingerprint=built.fingerprint,
    )
    row.archive = certificate_file.pack(content, signature, row.certificate)
