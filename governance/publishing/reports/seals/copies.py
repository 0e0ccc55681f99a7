"""Copies of reports for download, sealed and signed as they are downloaded.

    seal(copy, mark)            seal a watermarked copy of a report in place, if the tenant wants it
    sign(sha256, mark, seal)    its detached signature, in the caller's transaction
    originals(scope)            the reports within a scope, unchanged, for evidence packages
    sealed(report)              a sealed copy without a watermark, for a person who isn't an auditor

The first three implement ports of the engagements. A PDF that isn't a report stays as it is.
"""

import hashlib
import tempfile
from pathlib import Path

from sqlalchemy import select

from governance.assurance.engagements.downloads.watermark import Watermark
from governance.assurance.engagements.ports import SignedOriginal, SignedOriginals
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
from governance.kernel.files import storage
from governance.kernel.safety.visibility_scope import Scope
from governance.publishing.reports import actions as reports
from governance.publishing.reports import queries as report_queries
from governance.publishing.reports.built_document import filename
from governance.publishing.reports.models import ReportRun
from governance.publishing.reports.seals import actions, pades, queries
from governance.publishing.reports.seals.pades import SealMaterial

WATERMARKED, SEALED = "watermarked copy", "sealed copy"
REASON = "Copy of a report, sealed when it was downloaded"


def seal(copy: Path, mark: Watermark) -> str | None:
    """Seal the file. Return the digest of the sealing certificate, or None if nothing sealed it."""
    who = current.actor()
    with (
        current.acting_as(system_actor_in(who.tenant_id, who.tenant_slug, who.tenant_name)),
        transaction(),
    ):
        if _report(mark.original) is None or not queries.is_sealed_for(who.role):
            return None
        material = actions.material()
    return _sealed(copy, material)


def _sealed(copy: Path, material: SealMaterial | None) -> str | None:
    if material is None:
        return None
    pades.seal(copy, material, reason=REASON)
    return hashlib.sha256(material.certificate).hexdigest()


def sign(sha256: str, mark: Watermark, certificate: str | None) -> None:
    report = _report(mark.original)
    if report is not None:
        actions.sign_copy(
            report,
            sha256=sha256,
            what=WATERMARKED,
            recipient=f"{mark.name}, {mark.firm}, engagement {mark.engagement}",
            at=mark.at,
            seal=certificate,
        )


def _report(original: str) -> ReportRun | None:
    query = select(ReportRun).where(
        ReportRun.pdf_sha256 == original, ReportRun.pdf_key.is_not(None)
    )
    return session().scalars(query.limit(1)).one_or_none()


def originals(scope: Scope) -> SignedOriginals:
    """Return the newest reports within the scope."""
    files = [
        SignedOriginal(
            filename(each.snapshot or {}),
            each.title,
            b"".join(storage.pieces(each.pdf_key or "")),
            each.signature or "",
        )
        for each in report_queries.finished_within(scope)
    ]
    keys = [reports.key_line(key) for key in report_queries.signing_keys()]
    return SignedOriginals(files, keys)


def sealed(report: ReportRun) -> bytes | None:
    """Return the sealed file. None if this person's downloads aren't sealed."""
    who = current.actor()
    if who.role == "auditor" or report.pdf_key is None or not queries.is_sealed_for(who.role):
        return None  # An auditor's copy is sealed after its watermark.
    with tempfile.TemporaryDirectory(prefix="seal-") as folder:
        copy = Path(folder) / "copy.pdf"
        copy.write_bytes(b"".join(storage.pieces(report.pdf_key)))
        certificate = _sealed(copy, actions.material())
        if certificate is None:
            return None
        content = copy.read_bytes()
    actions.sign_copy(
        report,
        sha256=hashlib.sha256(content).hexdigest(),
        what=SEALED,
        recipient=who.name,
        at=clock.now(),
        seal=certificate,
    )
    return content
