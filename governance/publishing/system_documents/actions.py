"""Actions that start, write and complete versions of an AI system's documents.

start       a draft, with the sentences of the previous version
write       a person's sentence for a point, bound to evidence; or why the point doesn't apply
complete    freeze what each point says; rejected while a point is open
"""

from typing import Any

from governance.assurance.evidence import queries as evidence
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.queries import last_actor
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid, NotFound, Stale
from governance.kernel.formatting import plural
from governance.operations.systems.models import AISystem
from governance.publishing.system_documents import queries
from governance.publishing.system_documents import record as system_record
from governance.publishing.system_documents.assembled import frozen, open_points
from governance.publishing.system_documents.catalogue import DocumentKind
from governance.publishing.system_documents.models import DocumentStatement, SystemDocument

FIELDS = "document system version"
STARTED = action(
    "system_document.started",
    "started a version of a document",
    target="SystemDocument",
    activity="create",
    severity="informational",
    fields=FIELDS,
)
WRITTEN = action(
    "system_document.written",
    "wrote a point of a document",
    target="SystemDocument",
    activity="update",
    severity="informational",
    fields=f"{FIELDS} point text evidence does_not_apply",
)
COMPLETED = action(
    "system_document.completed",
    "completed a version of a document",
    target="SystemDocument",
    activity="update",
    severity="low",
    fields=f"{FIELDS} points entries",
    shape="ok",
)
MAX_TEXT_LENGTH = 2000


def start(system: AISystem, kind: DocumentKind) -> SystemDocument:
    """Start the next version, or return the existing draft."""
    lock_tenant(f"documents of {system.id}")
    every = queries.versions(system.id, kind.key)
    if every and not every[0].is_complete:
        return every[0]
    _check_in_use(system)
    made = SystemDocument(
        system_id=system.id,
        kind=kind.key,
        number=every[0].number + 1 if every else 1,
        started_by=current.actor().person_id,
        completed_at=None,
        completed_by=None,
        content=None,
    )
    session().add(made)
    session().flush()
    for each in queries.statements(every[0].id) if every else ():
        session().add(
            DocumentStatement(
                document_id=made.id,
                point=each.point,
                text=each.text,
                evidence_id=each.evidence_id,
                does_not_apply=each.does_not_apply,
                written_by=each.written_by,
                written_at=each.written_at,
            )
        )
    record(STARTED, made, **_facts(made, system))
    return made


def write(
    found: SystemDocument,
    system: AISystem,
    point: str,
    *,
    text: str,
    evidence_ref: str,
    does_not_apply: bool,
    seen: int,
) -> None:
    """Write a point of a draft: a sentence with its evidence item, or why it doesn't apply.

    `seen` is the revision of the sentence that the person saw, 0 for none. Raises Stale if it has
    changed since, and Invalid, which names the field.
    """
    _lock_draft(found, system)
    if point not in found.kind_of.points:
        raise NotFound("This point doesn't exist, or you don't have access to it.")
    text, evidence_ref = text.strip(), evidence_ref.strip()
    if not 0 < len(text) <= MAX_TEXT_LENGTH:
        raise Invalid(f"Enter a text of up to {MAX_TEXT_LENGTH:,} characters.", field="text")
    evidence_id = None if does_not_apply else _evidence(evidence_ref)
    row = queries.statement(found.id, point, lock=True)
    if row is not None and (row.text, row.evidence_id) == (text, evidence_id):
        return
    if (row.revision if row else 0) != seen:
        who = last_actor(found.id, WRITTEN)
        raise Stale(f"{who} wrote this point since you opened it. Review it, then save again.")
    if row is None:
        row = DocumentStatement(document_id=found.id, point=point, revision=0)
        session().add(row)
    row.text, row.evidence_id, row.does_not_apply = text, evidence_id, does_not_apply
    row.written_by, row.written_at = current.actor().person_id, clock.now()
    row.revision += 1
    session().flush()
    record(
        WRITTEN,
        found,
        point=point,
        text=text,
        evidence=evidence_id,
        does_not_apply=does_not_apply,
        **_facts(found, system),
    )


def _evidence(ref: str) -> Any:
    if not ref:
        raise Invalid("Name the evidence item that shows it, such as EV-12.", field="evidence")
    try:
        found = evidence.find_by_ref(ref)
    except NotFound:
        raise Invalid(f"There is no evidence item {ref[:40]}.", field="evidence") from None
    if found.retired_at is not None:
        raise Invalid(
            f"{found.ref} is retired. Name one that is kept up to date.", field="evidence"
        )
    return found.id


def complete(found: SystemDocument, system: AISystem) -> None:
    """Complete a draft. Raises Invalid, which names each open point. Idempotent."""
    session().refresh(found, with_for_update=True)
    if found.is_complete:
        return
    _check_in_use(system)
    sections = queries.assembled(found, system_record.points_of(system))
    if missing := open_points(sections):
        named = "; ".join(f"{each.key} {each.title}" for each in missing)
        verb = "is" if len(missing) == 1 else "are"
        raise Invalid(f"{plural(len(missing), 'point')} {verb} open: {named}.")
    found.content = frozen(sections)
    found.completed_at, found.completed_by = clock.now(), current.actor().person_id
    record(
        COMPLETED,
        found,
        points=len(found.content),
        entries=sum(len(each["entries"]) for each in found.content),
        **_facts(found, system),
    )


def _lock_draft(found: SystemDocument, system: AISystem) -> None:
    session().refresh(found, with_for_update=True)
    if found.is_complete:
        raise Stale(f"{found.title} is complete. Start a new version to change it.")
    _check_in_use(system)


def _check_in_use(system: AISystem) -> None:
    if system.is_retired:
        raise DomainError(f"{system.name} is retired, so its documents can't change any more.")


def _facts(found: SystemDocument, system: AISystem) -> dict[str, Any]:
    return {"document": found.kind, "system": system.key, "version": found.number}
