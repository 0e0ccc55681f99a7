"""The offline verification of an archive: signature, every file, no extra file, and its log."""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, BinaryIO

from governance.foundation.audit import verify as log_verify
from governance.kernel.files.verification_results import CheckResult, VerificationResult, plain
from governance.kernel.formatting import plural
from governance.kernel.safety import signed_note
from governance.kernel.safety.signed_note import NotSigned
from governance.publishing.tenant_exports.archive_format import (
    ALSO,
    FORMAT,
    MANIFEST,
    NOTE,
    signed_text,
)

LOG = "log/audit-log.jsonl"
MAX_MANIFEST_BYTES = 64 * 1024 * 1024
PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ExportVerdict(VerificationResult):
    """The checks of an archive of `tenant`."""

    tenant: str = ""
    files: int = 0
    unreadable: int = 0

    @property
    def sentence(self) -> str:
        right = (
            f"The archive is genuine: it has all {plural(self.files, 'file')} that Meridian signed"
            f" for {self.tenant}, and none was changed."
        )
        if self.unreadable:
            lost = plural(self.unreadable, "stored file")
            right += (
                f" Meridian couldn't read {lost} when it made the archive; VERIFY.txt names them."
            )
        return self.summary("archive", right)


def verify(file: BinaryIO, key: str) -> ExportVerdict:
    """Verify a ZIP against the verifier key of the tenant's log."""
    checks: list[CheckResult] = []
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = _manifest(archive, key, checks)
            if manifest is None:
                return ExportVerdict(tuple(checks))
            checks += _files(archive, manifest)
            checks.append(_log(archive, key))
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError) as broken:
        checks.append(CheckResult("archive", False, f"The ZIP is damaged: {plain(str(broken))}."))
        return ExportVerdict(tuple(checks))
    name = plain(str(manifest.get("tenant", {}).get("name", "")))
    lost = len(manifest["unreadable"])
    files = len(manifest["files"])
    return ExportVerdict(tuple(checks), tenant=name, files=files, unreadable=lost)


def _manifest(
    archive: zipfile.ZipFile, key: str, checks: list[CheckResult]
) -> dict[str, Any] | None:
    try:
        raw, note = _short(archive, MANIFEST), _short(archive, NOTE).decode()
        manifest = json.loads(raw)
        slug = str(manifest["tenant"]["slug"])
        _check_form(manifest)
    except (KeyError, ValueError, TypeError, RecursionError) as wrong:
        checks.append(
            CheckResult("manifest", False, f"The manifest can't be read: {plain(str(wrong))}.")
        )
        return None
    try:
        signed = signed_note.open_note(note, signed_note.parse_key(key))
    except NotSigned as wrong:
        checks.append(CheckResult("signature", False, str(wrong)))
        return None
    if signed != signed_text(slug, hashlib.sha256(raw).hexdigest()):
        checks.append(CheckResult("signature", False, "The signature is of another manifest."))
        return None
    checks.append(CheckResult("signature", True, "The manifest is signed by this key."))
    return dict(manifest)


def _check_form(manifest: dict[str, Any]) -> None:
    """Raise ValueError or KeyError if this isn't a manifest of this format."""
    are_named = all(
        isinstance(each["path"], str) and isinstance(each["sha256"], str)
        for each in manifest["files"]
    )
    if (
        manifest["format"] != FORMAT
        or not are_named
        or not isinstance(manifest["unreadable"], list)
    ):
        raise ValueError("it isn't a manifest of a tenant export")


def _short(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        found = file.read(MAX_MANIFEST_BYTES + 1)
    if len(found) > MAX_MANIFEST_BYTES:
        raise ValueError(f"{name} is too long")
    return found


def _files(archive: zipfile.ZipFile, manifest: dict[str, Any]) -> Iterator[CheckResult]:
    names = archive.namelist()
    listed = {each["path"]: each for each in manifest["files"]}
    extra = sorted(set(names) - listed.keys() - {MANIFEST, NOTE, ALSO})
    twice = len(names) != len(set(names))
    missing = sorted(listed.keys() - set(names))
    if extra or missing or twice:
        first = (extra or missing or ["a file"])[0]
        what = "isn't in the manifest" if extra else "is missing" if missing else "is there twice"
        yield CheckResult("files", False, f"{plain(first)} {what}.")
        return
    for path, each in listed.items():
        digest, rows = _digest(archive.open(path))
        if digest != each["sha256"] or rows != each.get("rows", rows):
            yield CheckResult("files", False, f"{plain(path)} was changed.")
            return
    yield CheckResult("files", True, f"All {plural(len(listed), 'file')} are as they were signed.")


def _digest(file: IO[bytes]) -> tuple[str, int]:
    digest, rows = hashlib.sha256(), 0
    with file:
        while piece := file.read(PIECE):
            digest.update(piece)
            rows += piece.count(b"\n")
    return digest.hexdigest(), rows


def _log(archive: zipfile.ZipFile, key: str) -> CheckResult:
    with archive.open(LOG) as raw:
        verdict = log_verify.verify(raw, key)
    return CheckResult("log", verdict.ok and verdict.is_complete, verdict.sentence)
