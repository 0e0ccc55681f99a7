"""The job that generates the signed PDF of a model card. A killed job runs again."""

import io
from typing import Any

from governance.foundation.tenants.for_each_tenant import once_a_day_in_each
from governance.kernel.data.db import transaction
from governance.kernel.files.storage import Blob
from governance.kernel.work.background_work import keep, sweep, target_of
from governance.kernel.work.jobs import Progress, WorkItem, work
from governance.operations.systems import queries as systems
from governance.publishing.model_cards import card_layout, file_actions, queries
from governance.publishing.model_cards import record as system_record
from governance.publishing.model_cards.models import CardFile
from governance.publishing.reports import actions as signing_keys
from governance.publishing.reports.signatures import signed_pdf


@work(file_actions.FILES.name)
def make_card_file(item: WorkItem, progress: Progress) -> None:
    """Generate the PDF of one CardFile (item.target_id)."""
    signed_pdf.begin(progress)
    with transaction():
        row = queries.card_file(target_of(file_actions.FILES, item))
        key = signing_keys.current_signing_key()
        data = _data(row, signing_keys.key_line(key))
        private, key_name = signing_keys.private_key(key), key.name
    built = card_layout.build(data)
    packed = signed_pdf.generate(built, private, key_name, progress)

    def file(blob: Blob) -> bool:
        found = queries.card_file(target_of(file_actions.FILES, item), lock=True)
        name = signed_pdf.zip_name(built)
        return file_actions.file(found, blob, name=name, missing=len(data["missing"]))

    keep(file_actions.FILES, item, io.BytesIO(packed), file)


def _data(row: CardFile, key_line: str) -> dict[str, Any]:
    if row.model_card_id is not None:
        found = queries.card(row.model_card_id)
        return card_layout.of_version(
            found.public_content, requested_at=row.created_at, signing_key=key_line
        )
    now = system_record.assembled(systems.system(row.system_id))
    return card_layout.of_draft(
        now.content,
        sha256=now.digest,
        missing=[f"{each.lead} {each.text}" for each in now.blockers],
        requested_at=row.created_at,
        signing_key=key_line,
    )


def remove_unreferenced_files() -> None:
    """Remove stored files that no row names."""
    once_a_day_in_each("tidy model cards", lambda: sweep(file_actions.FILES))
