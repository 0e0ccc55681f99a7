"""The layout of the certificate of deletion: a PDF of two or three pages, from its text. Pure.

    build(note, signing_key) -> Built     the input of kernel/pdf.render; the text is attached

The same text gives the same bytes. Its fingerprint is the SHA-256 of the signed text.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from governance.kernel.pictures.pdf import Attachment
from governance.kernel.safety import signed_note
from governance.publishing.reports.built_document import Built
from governance.publishing.reports.page_environment import environment
from governance.publishing.reports.wording import digits, instant
from governance.publishing.tenant_offboarding import certificate_format
from governance.publishing.tenant_offboarding.certificate_file import PDF_NAME, TEXT_NAME
from governance.publishing.tenant_offboarding.certificate_format import Certificate

KINDS = {
    "data_keys": "Personal data",
    "tenant_keys": "Files and pseudonyms",
    "audit_log_keys": "Audit log",
}


def build(note: str, signing_key: str) -> Built:
    """Return the document.

    `note` is the certificate with its signature, and `signing_key` is the key's name and id.
    """
    found = certificate_format.read(signed_note.split(note)[0])
    data = note.encode()
    fingerprint = hashlib.sha256(data).hexdigest()
    files = (Attachment(TEXT_NAME, data, "The certificate as signed text"),)
    html = (
        environment()
        .get_template("publishing/tenant_offboarding/pdf/certificate.html")
        .render(**context(found), fingerprint=fingerprint, signing_key=signing_key)
    )
    return Built(
        html, files, fingerprint, PDF_NAME, datetime.fromisoformat(found.facts["finished"])
    )


def context(found: Certificate) -> dict[str, Any]:
    """Return the context of the template."""
    facts, rows = found.facts, [*found.rows.items()]
    total, keys = sum(found.rows.values()), sum(count for count, _ in found.keys.values())
    half = -(-len(rows) // 2)
    return {
        "facts": facts,
        "kpis": [
            ("Rows deleted", digits(total), f"in {len(rows)} tables"),
            ("Files deleted", digits(int(facts["files"])), "from storage"),
            ("Keys destroyed", digits(keys), "before anything else"),
            ("Last entry", digits(int(facts["log-size"])), "of its audit log"),
        ],
        "lede": (
            f"Two operators approved the deletion, and its waiting period ended {instant(facts['due'])}."
            " The keys were destroyed first, so that data encrypted with them can't be recovered."
            " Then the files and rows were deleted. No table has a row of the tenant."
        ),
        "happened": [*_happened(facts)],
        "keys": [(KINDS.get(name, name), *each) for name, each in found.keys.items()],
        "total": total,
        "tables": [rows[:half], rows[half:]],
        "log_size": int(facts["log-size"]),
        "text_name": TEXT_NAME,
    }


def _happened(facts: Mapping[str, str]) -> list[tuple[str, str]]:
    export = facts["export"]
    return [
        ("Tenant", f"{facts['name']}, {facts['tenant']}"),
        ("Tenant id", facts["tenant-id"]),
        ("Requested", instant(facts["requested"])),
        ("Approved by a second operator", instant(facts["approved"])),
        ("Waiting period ended", instant(facts["due"])),
        ("Keys destroyed", instant(facts["keys-destroyed"])),
        ("Finished", instant(facts["finished"])),
        (
            "Export of everything",
            "Not requested" if export == "none" else f"SHA-256 {export.removeprefix('archive ')}",
        ),
    ]
