"""The pages of model cards as signed PDFs: generated in the background, then downloaded."""

from uuid import UUID

from flask import redirect, url_for

from governance.kernel.files.downloads import FILE
from governance.kernel.pages import work_pages
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.systems import queries as systems
from governance.publishing.model_cards import file_actions, permissions, queries
from governance.publishing.model_cards.views import HOME, VERSION, feature

ONE = "/model-card-files/<uuid:card_file_id>"


@feature.post(f"{HOME}files", needs=permissions.EXPORT)
def generate_draft(system_key: str) -> ResponseReturnValue:
    """Generate the draft as a signed PDF, from the record at generation time."""
    system = systems.system(system_key)
    file_actions.request(system)
    return redirect(url_for("model_cards.index", system_key=system.key), 303)


@feature.post(f"{VERSION}/files", needs=permissions.EXPORT)
def generate(system_key: str, number: int) -> ResponseReturnValue:
    """Generate a published version as a signed PDF."""
    system = systems.system(system_key)
    found = queries.version(system.id, number)
    file_actions.request(system, found)
    return redirect(url_for("model_cards.version", system_key=system.key, number=number), 303)


@feature.post(f"{ONE}/download", needs=permissions.EXPORT, answers=FILE)
def download(card_file_id: UUID) -> ResponseReturnValue:
    """Return the zip. This is a POST, because a download is recorded in the audit log."""
    return work_pages.attachment(file_actions.download(queries.card_file(card_file_id)))


work_pages.add_routes(feature, file_actions.FILES, ONE, queries.run)
