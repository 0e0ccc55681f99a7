"""Queries of published model cards and of the texts on known failures.

card(id), version(…), versions(…)    NotFound if the tenant doesn't have it
newest(system_id)                    the newest version, withdrawn or not
open_request(system_id)              the undecided request to publish
card_release(system_id)              the release that people chose for the next version
failure(system, kind, id)            one known failure and its text
card_file(id), files_of(…)           signed PDFs of a version, or of the draft
published_file(model_card_id)        the PDF that readers of a version get
public_token(system_id)              the token in the system's public address
system_of_token(token)               the system with this public address
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, exists, func, select

from governance.foundation.approvals import queries as approvals
from governance.foundation.approvals.models import Approval
from governance.kernel.data.db import find, session
from governance.kernel.errors import NotFound
from governance.kernel.work.background_work import Run, run_of
from governance.kernel.work.generated_files import newest_files
from governance.operations.systems.models import AISystem
from governance.publishing.model_cards.card import KnownFailure
from governance.publishing.model_cards.models import (
    CardFile,
    CardRelease,
    KnownFailureText,
    ModelCard,
    PublicAddress,
)
from governance.publishing.model_cards.record import AssembledCard

APPROVAL = "model_card"  # The kind of approval.
MAX_FILES = 5  # Shown on a page.


def card(model_card_id: UUID, *, lock: bool = False) -> ModelCard:
    """Return the published version with that id. Raises NotFound."""
    return find(ModelCard, model_card_id, what="model card", lock=lock)


def version(system_id: UUID, number: int, *, lock: bool = False) -> ModelCard:
    """Return one published version of a system's card. Raises NotFound."""
    query = select(ModelCard).where(ModelCard.system_id == system_id, ModelCard.number == number)
    found = session().scalars(query.with_for_update() if lock else query).one_or_none()
    if found is None:
        raise NotFound("This model card doesn't exist, or you don't have access to it.")
    return found


def versions(system_id: UUID, *, limit: int = 50) -> Sequence[ModelCard]:
    """Return the published versions of a system's card, the newest first."""
    query = select(ModelCard).where(ModelCard.system_id == system_id)
    return session().scalars(query.order_by(ModelCard.number.desc()).limit(limit)).all()


def versions_with_pdf(system_id: UUID, *, limit: int = 50) -> Sequence[tuple[ModelCard, bool]]:
    """Return the versions, the newest first, and whether the PDF of each is generated."""
    has_pdf = exists().where(CardFile.model_card_id == ModelCard.id, CardFile.file_key.is_not(None))
    query = select(ModelCard, has_pdf).where(ModelCard.system_id == system_id)
    rows = session().execute(query.order_by(ModelCard.number.desc()).limit(limit))
    return [(row[0], row[1]) for row in rows]


def newest(system_id: UUID) -> ModelCard | None:
    return next(iter(versions(system_id, limit=1)), None)


def open_request(system_id: UUID) -> Approval | None:
    """Return the undecided request to publish."""
    found = approvals.open_approval(APPROVAL, system_id)
    return found if found and approvals.is_open(found) else None


def card_release(system_id: UUID, *, lock: bool = False) -> CardRelease | None:
    """Return the choice of the release that the next version describes."""
    query = select(CardRelease).where(CardRelease.system_id == system_id)
    return session().scalars(query.with_for_update() if lock else query).one_or_none()


def choice(card_release_id: UUID) -> CardRelease:
    """Return the choice with that id. Raises NotFound."""
    return find(CardRelease, card_release_id, what="release")


def failure(now: AssembledCard, kind: str, source_id: UUID) -> KnownFailure:
    """Return one known failure of the card as it is now. Raises NotFound."""
    for each in now.failures:
        if (each.kind, each.id) == (kind, str(source_id)):
            return each
    raise NotFound("This known failure doesn't exist, or you don't have access to it.")


def failure_text(
    system_id: UUID, failure: KnownFailure, *, lock: bool = False
) -> KnownFailureText | None:
    """Return the text about a known failure, or None if it isn't written."""
    t = KnownFailureText
    source = t.finding_id if failure.kind == "finding" else t.incident_id
    query = select(t).where(t.system_id == system_id, source == UUID(failure.id))
    return session().scalars(query.with_for_update() if lock else query).one_or_none()


def text(known_failure_text_id: UUID) -> KnownFailureText:
    """Return the text with that id. Raises NotFound."""
    return find(KnownFailureText, known_failure_text_id, what="text")


def card_file(card_file_id: UUID, *, lock: bool = False) -> CardFile:
    """Return the file with that id. Raises NotFound."""
    return find(CardFile, card_file_id, what="file", lock=lock)


def run(card_file_id: UUID) -> Run[CardFile]:
    """Return the file with the work on it."""
    return run_of(card_file(card_file_id))


def files_of(system_id: UUID, model_card_id: UUID | None) -> Sequence[Run[CardFile]]:
    """Return the newest PDFs of a version, or of the draft, with their work."""
    return newest_files(CardFile, MAX_FILES, system_id=system_id, model_card_id=model_card_id)


def published_file(model_card_id: UUID) -> CardFile | None:
    """Return the newest PDF of a version. None until the first one is generated."""
    query = (
        select(CardFile)
        .where(CardFile.model_card_id == model_card_id, CardFile.file_key.is_not(None))
        .order_by(CardFile.created_at.desc(), CardFile.id)
        .limit(1)
    )
    return session().scalars(query).one_or_none()


def public_token(system_id: UUID) -> str | None:
    query = select(PublicAddress.token).where(PublicAddress.system_id == system_id)
    return session().scalar(query)


def system_of_token(token: str) -> AISystem | None:
    """Return the system of the acting tenant whose public address has this token."""
    query = (
        select(AISystem)
        .join(PublicAddress, PublicAddress.system_id == AISystem.id)
        .where(PublicAddress.token == token)
    )
    return session().scalars(query).one_or_none()


def tab_note(system_id: UUID) -> Select[*tuple[Any, ...]]:
    """Select the number of the newest version, or "withdrawn"."""
    m = ModelCard
    newest = select(m).where(m.system_id == system_id).order_by(m.number.desc()).limit(1).subquery()
    withdrawn = newest.c.withdrawn_at.is_not(None)
    return select(
        func.coalesce(
            select(case((withdrawn, "withdrawn"), else_=func.concat(newest.c.number)))
            .select_from(newest)
            .scalar_subquery(),
            "",
        )
    )


def cards_of(system_id: UUID) -> Select[UUID]:
    query = select(ModelCard.id).where(ModelCard.system_id == system_id)
    return query.order_by(ModelCard.number.desc())
