"""Actions that generate and download model cards as signed PDFs.

request                 a version, or a draft from the record at generation time
request_published       a version's PDF for its readers, as soon as it is published
"""

from typing import Any

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError
from governance.kernel.files.storage import Blob
from governance.kernel.work import background_work, generated_files
from governance.kernel.work.background_work import GeneratedFile
from governance.operations.systems import queries as systems
from governance.operations.systems.models import AISystem
from governance.publishing.model_cards import permissions, queries
from governance.publishing.model_cards.models import CardFile, ModelCard

REQUESTED = action(
    "model_card.file.requested",
    "requested the PDF of a model card",
    target="CardFile",
    activity="create",
    severity="informational",
    fields="system version",
)
GENERATED = action(
    "model_card.file.generated",
    "generated the PDF of a model card",
    target="CardFile",
    activity="update",
    severity="informational",
    fields="system version sha256 missing",
    shape="ok",
)
CANCELLED = action(
    "model_card.file.cancelled",
    "cancelled the PDF of a model card",
    target="CardFile",
    activity="update",
    severity="informational",
    fields="system version",
)
DOWNLOADED = action(
    "model_card.file.downloaded",
    "downloaded the PDF of a model card",
    target="CardFile",
    activity="read",
    severity="low",
    fields="system version sha256",
)


def request(system: AISystem, found: ModelCard | None = None) -> CardFile:
    """Queue the PDF of a version or of the draft. A second click follows the first.

    Raises DomainError for a withdrawn version.
    """
    if found is not None and found.is_withdrawn:
        raise DomainError(f"{found.title} was withdrawn, so no PDF is generated of it.")
    return generated_files.request(
        CardFile, system_id=system.id, model_card_id=found.id if found else None
    )


def request_published(found: ModelCard) -> CardFile:
    """Queue the PDF that readers get. It never blocks the publication of a card."""
    return generated_files.request(
        CardFile, is_limited=False, system_id=found.system_id, model_card_id=found.id
    )


def file(row: CardFile, blob: Blob, *, name: str, missing: int) -> bool:
    """Store the finished file. Return False if an earlier try has stored it."""
    if not generated_files.name_file(row, blob, name=name):
        return False
    row.missing = missing
    record(GENERATED, row, sha256=blob.sha256, missing=missing, **_named(row))
    session().flush()
    return True


def download(row: CardFile) -> GeneratedFile:
    """Record the download of the zip, and return it."""
    found = generated_files.to_download(row)
    record(DOWNLOADED, row, sha256=row.file_sha256, **_named(row))
    return found


def _named(row: CardFile) -> dict[str, Any]:
    number = queries.card(row.model_card_id).number if row.model_card_id else "draft"
    return {"system": systems.system(row.system_id).key, "version": number}


def _title(row: CardFile) -> str:
    name = systems.system(row.system_id).name
    if row.model_card_id is None:
        return f"Draft of the model card of {name}"
    return f"{queries.card(row.model_card_id).title} of {name}"


def _page(row: CardFile) -> tuple[str, dict[str, Any]]:
    here = {"system_key": systems.system(row.system_id).key}
    if row.model_card_id is None:
        return "model_cards.index", here
    return "model_cards.version", here | {"number": queries.card(row.model_card_id).number}


FILES = background_work.WorkKind(
    name="model card",
    noun="file",
    model=CardFile,
    view=permissions.EXPORT,
    permission=permissions.EXPORT,
    find=queries.card_file,
    title=_title,
    page=_page,
    address=lambda row: {"card_file_id": row.id},
    requested=lambda row: record(REQUESTED, row, **_named(row)),
    cancelled=lambda row: record(CANCELLED, row, **_named(row)),
    stored=CardFile.file_key,
    prefix="model-cards",
    max_bytes=50 * 1024 * 1024,
    icon="file-zip",
    result_label="View file",
)
