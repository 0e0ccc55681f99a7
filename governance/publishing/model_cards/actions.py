"""Actions on model cards.

choose_release      the release that the next version describes
write               the text about a finding or an incident that readers see
request_approval    ask another person to publish exactly what this one saw
publish             freeze and publish; rejected while a figure lacks a source, is undecided or too old
withdraw            show readers that a version was withdrawn, without its content
"""

import secrets
from uuid import UUID

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals import kinds
from governance.foundation.approvals.models import Approval
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.queries import last_actor
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.formatting import plural
from governance.kernel.safety.access import require
from governance.operations.evaluations.releases import promotion
from governance.operations.systems.models import AISystem
from governance.publishing.model_cards import file_actions, permissions, queries
from governance.publishing.model_cards import record as system_record
from governance.publishing.model_cards.card import KnownFailure
from governance.publishing.model_cards.models import (
    CardRelease,
    KnownFailureText,
    ModelCard,
    PublicAddress,
)
from governance.publishing.model_cards.queries import APPROVAL
from governance.publishing.model_cards.record import AssembledCard

WRITTEN = action(
    "model_card.failure_text.written",
    "wrote what readers see of a known failure",
    target="KnownFailureText",
    activity="update",
    severity="informational",
    fields="system failure title text",
)
CHOSEN = action(
    "model_card.release.chosen",
    "chose the release of a model card",
    target="CardRelease",
    activity="update",
    severity="informational",
    fields="system release previous",
)
PUBLISHED = action(
    "model_card.published",
    "published a model card",
    target="ModelCard",
    activity="create",
    severity="medium",
    fields="system version release sha256 figures known_failures",
    shape="ok",
)
WITHDRAWN = action(
    "model_card.withdrawn",
    "withdrew a model card",
    target="ModelCard",
    activity="update",
    severity="medium",
    fields="system version sha256",
    shape="stop",
)
LOCK = "model cards"  # Name of the lock of their approvals.
AS_SERVED = "as people are served"  # Recorded if nobody chose a release.
MAX_TITLE, MAX_TEXT, MAX_REASON = 80, 600, 2000


def choose_release(system: AISystem, release: str, *, seen: int) -> CardRelease:
    """Let the next version describe this release, or without one the served release.

    `seen` is the revision of the choice that the person saw, 0 for none. Raises Stale if it has
    changed since, and Invalid for a release that has no run of its own.
    """
    _check_in_use(system)
    row = queries.card_release(system.id, lock=True)
    if (row.revision if row else 0) != seen:
        who = last_actor(row.id, CHOSEN) if row else "Someone else"
        raise Stale(f"{who} chose a release since you opened the card. Review it, then choose.")
    if release and not promotion.is_evaluated(system.id, release):
        named = release if len(release) <= MAX_TITLE else f"{release[:MAX_TITLE]}…"
        raise Invalid(f"Release {named} has no run of its own.", field="release")
    if row is None:
        row = CardRelease(system_id=system.id, release="", revision=0)
        session().add(row)
    elif row.release == release:
        return row
    previous = row.release
    row.release, row.chosen_by, row.chosen_at = release, current.actor().person_id, clock.now()
    row.revision += 1
    session().flush()
    record(
        CHOSEN,
        row,
        system=system.key,
        release=release or AS_SERVED,
        previous=previous or AS_SERVED,
    )
    return row


def write(
    system: AISystem, failure: KnownFailure, *, title: str, text: str, seen: int
) -> KnownFailureText:
    """Write the text about a known failure that readers see.

    `seen` is the revision of the text that the person saw, 0 for none. Raises Stale if it has
    changed since, and Invalid, which names the field.
    """
    _check_in_use(system)
    title, text = title.strip(), text.strip()
    if not 0 < len(title) <= MAX_TITLE:
        raise Invalid(f"Enter a title of up to {MAX_TITLE} characters.", field="title")
    if not 0 < len(text) <= MAX_TEXT:
        raise Invalid(f"Enter a text of up to {MAX_TEXT} characters.", field="text")
    row = queries.failure_text(system.id, failure, lock=True)
    if (row.revision if row else 0) != seen:
        who = last_actor(row.id, WRITTEN) if row else "Someone else"
        raise Stale(f"{who} wrote this text since you opened it. Review it, then save again.")
    if row is None:
        source = UUID(failure.id)
        row = KnownFailureText(
            system_id=system.id,
            finding_id=source if failure.kind == "finding" else None,
            incident_id=source if failure.kind == "incident" else None,
            revision=0,
        )
        session().add(row)
    elif (row.title, row.text, row.is_over) == (title, text, failure.is_over):
        return row
    row.title, row.text, row.is_over = title, text, failure.is_over
    row.written_by, row.written_at = current.actor().person_id, clock.now()
    row.revision += 1
    session().flush()
    record(WRITTEN, row, system=system.key, failure=failure.ref, title=title, text=text)
    return row


def request_approval(system: AISystem, *, seen: str) -> Approval:
    """Ask another person to publish exactly what this one saw. Idempotent.

    `seen` is its digest. A request whose card has changed since is replaced. Raises the errors of
    publish().
    """
    require(permissions.WRITE)
    lock_tenant(LOCK)
    _check_in_use(system)
    now, before = system_record.assembled(system), queries.newest(system.id)
    _check_publishable(now, before, seen)
    there = queries.open_request(system.id)
    if there is not None and kinds.fingerprint(there) != there.fingerprint:
        approvals.void(APPROVAL, system.id, reason="The record has changed since the request.")
        session().flush()
    number = before.number + 1 if before else 1
    return approvals.request(
        APPROVAL,
        system.id,
        summary=f"publish model card {number} of {system.name}",
        reason=f"{plural(len(now.content['figures']), 'figure')} of release {now.release}.",
    )


def publish(system: AISystem, *, seen: str) -> ModelCard:
    """Publish what was seen as the next version, in the approver's transaction.

    `seen` is its digest. Raises Invalid, which names each reason against it, and Stale if something
    changed since or somebody else has published the same.
    """
    lock_tenant(f"model card of {system.id}")
    _check_in_use(system)
    now, before = system_record.assembled(system), queries.newest(system.id)
    _check_publishable(now, before, seen)
    made = ModelCard(
        system_id=system.id,
        number=before.number + 1 if before else 1,
        release=now.release,
        content=now.content,
        sha256=now.digest,
        published_by=current.actor().person_id,
        withdrawn_at=None,
        withdrawn_by=None,
        withdrawal_reason=None,
        created_at=clock.now(),
    )
    session().add(made)
    if queries.public_token(system.id) is None:
        session().add(PublicAddress(system_id=system.id, token=secrets.token_urlsafe(24)))
    session().flush()
    record(
        PUBLISHED,
        made,
        system=system.key,
        version=made.number,
        release=made.release,
        sha256=made.sha256,
        figures=len(now.content["figures"]),
        known_failures=len(now.failures),
    )
    file_actions.request_published(made)
    return made


def withdraw(found: ModelCard, system: AISystem, *, reason: str) -> None:
    """Withdraw a version. Idempotent."""
    session().refresh(found, with_for_update=True)
    if found.is_withdrawn:
        return
    if not 0 < len(reason.strip()) <= MAX_REASON:
        raise Invalid(f"Enter a reason of up to {MAX_REASON:,} characters.", field="reason")
    found.withdrawn_at, found.withdrawn_by = clock.now(), current.actor().person_id
    found.withdrawal_reason = reason.strip()
    record(
        WITHDRAWN,
        found,
        reason=found.withdrawal_reason,
        system=system.key,
        version=found.number,
        sha256=found.sha256,
    )


def _check_in_use(system: AISystem) -> None:
    if system.is_retired:
        raise DomainError(f"{system.name} is retired, so its model card can't change any more.")


def _check_publishable(now: AssembledCard, before: ModelCard | None, seen: str) -> None:
    if before is not None and not before.is_withdrawn and before.sha256 == now.digest:
        who = last_actor(before.id, PUBLISHED)
        raise Stale(f"{who} has published exactly this as version {before.number}.")
    if now.blockers:
        named = " ".join(each.lead for each in now.blockers)
        raise Invalid(f"{plural(len(now.blockers), 'thing')} missing: {named}")
    if now.digest != seen:
        raise Stale("The record has changed since you opened the card. Review it, then publish.")
