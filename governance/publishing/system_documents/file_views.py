"""The pages of a version's files: generated in the background, then downloaded."""

from uuid import UUID

from flask import redirect, url_for

from governance.kernel.files.downloads import FILE
from governance.kernel.pages import work_pages
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.systems import queries as systems
from governance.publishing.system_documents import file_actions, permissions, queries
from governance.publishing.system_documents.views import VERSION, feature

ONE = "/system-document-files/<uuid:document_file_id>"


@feature.post(f"{VERSION}/files", needs=permissions.EXPORT)
def generate(system_key: str, kind: str, number: int) -> ResponseReturnValue:
    """Generate the signed PDF of a version as it is now."""
    found = queries.version(systems.system(system_key).id, kind, number)
    file_actions.request(found)
    return redirect(
        url_for(
            "system_documents.version", system_key=system_key, kind=found.kind, number=found.number
        ),
        303,
    )


@feature.post(f"{ONE}/download", needs=permissions.EXPORT, answers=FILE)
def download(document_file_id: UUID) -> ResponseReturnValue:
    """Return the zip. This is a POST, because a download is recorded in the audit log."""
    return work_pages.attachment(file_actions.download(queries.document_file(document_file_id)))


work_pages.add_routes(feature, file_actions.FILES, ONE, queries.run)
