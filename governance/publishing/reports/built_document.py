"""A document that is ready to be rendered, and the parts that pages of every kind share.

Pure.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governance.kernel.pictures.pdf import Attachment
from governance.publishing.reports.ai_rmf.snapshot import fingerprint


@dataclass(frozen=True, slots=True)
class Built:
    """The input of rendering and signing. `fingerprint` is in hex; `at` dates the file."""

    html: str
    attachments: tuple[Attachment, ...]
    fingerprint: str
    filename: str
    at: datetime

    @property
    def identifier(self) -> bytes:
        """Return the PDF's /ID: 16 bytes derived from the fingerprint."""
        return bytes.fromhex(self.fingerprint[:32])


def build_document[S: Mapping[str, Any]](
    snapshot: S,
    files: tuple[Attachment, ...],
    html: Callable[[S, tuple[Attachment, ...], str], str],
) -> Built:
    """Build a report of any kind from its files (the frozen data first) and its page.

    `html` renders the page from the snapshot, the files and the fingerprint.
    """
    print_ = fingerprint(files[0].data)
    at = datetime.fromisoformat(snapshot["requested_at"])
    return Built(html(snapshot, files, print_), files, print_, filename(snapshot), at)


def filename(snapshot: Mapping[str, Any]) -> str:
    """Return the number and version as a file name, such as "ACME-RMF-2026-Q3-v1.1.pdf"."""
    document = snapshot["document"]
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", document["number"]).strip("-.")
    form = "-without-names" if is_without_names(snapshot) else ""
    return f"{stem[:100] or 'report'}-v{document['version']}{form}.pdf"


def is_without_names(snapshot: Mapping[str, Any]) -> bool:
    """Return whether the file names people by role and letter.

    The report's other file has names.
    """
    return "without_names_of" in snapshot


def form_facts(snapshot: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the rows of document control that distinguish the two files of a report."""
    if not is_without_names(snapshot):
        return []
    with_names = short_digest(snapshot["without_names_of"])
    return [
        ("People", "By role and letter, without names"),
        ("File with names", f"Another file, fingerprint {with_names}"),
    ]


def footer(snapshot: Mapping[str, Any]) -> str:
    """Return a footer such as "Confidential: Risk Committee and auditors"."""
    tenant = snapshot["tenant"]
    form = ", without names" if is_without_names(snapshot) else ""
    if tenant["audience"]:
        # It precedes the audience, which is cut if the line is too long.
        return f"{tenant['classification']}{form}: {tenant['audience']}"
    return f"{tenant['classification']}{form}"


def key_name(snapshot: Mapping[str, Any]) -> str:
    """Return the signing key's name and id, as the cover prints it."""
    return "+".join(snapshot["signing_key"].split("+", 2)[:2])


def short_digest(digest: str) -> str:
    """Return the first eight characters, an ellipsis, and the last four."""
    # A shortened digest has 13 characters, so a shorter one is left as it is.
    return f"{digest[:8]}…{digest[-4:]}" if len(digest) > 12 else digest  # noqa: PLR2004
