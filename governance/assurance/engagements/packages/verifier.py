"""Verify an evidence package offline, with the ZIP and the public key.

    verify(file, key, checkpoint=None, consistency=None, whole=False) -> PackageVerdict

`checkpoint` and `consistency` come from the reader, as in foundation/audit/verify.py, and the
package's log is compared with them. `whole` requires every entry of the log from the first one in
the package to the last one of its checkpoint. The archive is untrusted: paths outside its folder,
duplicate names and extreme compression ratios are rejected. It is read as a stream, so memory
doesn't grow with the package. A damaged file gives a failed check, never an exception.
"""

import hashlib
import json
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import BinaryIO, cast

from governance.assurance.engagements.packages import signature as package_signature
from governance.assurance.engagements.packages.bagit import (
    BAGIT_DECLARATION,
    MANIFEST,
    MAX_FILES,
    PIECE_BYTES,
    SIGNATURE,
    TAG_MANIFEST,
    escaped,
)
from governance.assurance.testing.sampling import draw_items
from governance.foundation.audit import jsonl
from governance.foundation.audit.checkpoint import Head, open_checkpoint
from governance.foundation.audit.verify import CONSISTENCY, OLDER, WHOLE, Demand, read_keys
from governance.foundation.audit.verify import verify as verify_log
from governance.kernel.files.verification_results import (
    CheckOutcome,
    CheckResult,
    VerificationResult,
    plain,
)
from governance.kernel.safety.signed_note import NotSigned, VerifierKey

MANIFEST_LINE = re.compile(r"([0-9a-f]{64}) {1,2}\*?(.+)")
MAX_TAG_FILE_BYTES = 256 * 1024 * 1024  # Tag files and the index are read into memory.
MAX_COMPRESSION_RATIO = 2000
OK_BY_OUTCOME = {
    CheckOutcome.RIGHT: True,
    CheckOutcome.WRONG: False,
    CheckOutcome.NOT_CHECKED: None,
}
DAMAGE_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    OSError,
    EOFError,
    ValueError,
    LookupError,
    ArithmeticError,
    NotImplementedError,
    RuntimeError,
    UnicodeError,
    RecursionError,
    TypeError,
    AttributeError,
)


@dataclass(frozen=True, slots=True)
class PackageVerdict(VerificationResult):
    """The checks of a package, with its name and the number of files in its manifest."""

    package: str = ""
    files: int = 0

    @property
    def sentence(self) -> str:
        return self.summary(
            "package",
            f"The package {self.package} is genuine: all {self.files:,} files are unchanged since"
            " it was signed.",
        )


class _UnreadableArchive(Exception):
    """The archive can't be read further. The message gives the reason."""


@dataclass(frozen=True, slots=True)
class ReaderInput:
    """The reader's input: keys as text and parsed, and an optional earlier checkpoint with a proof."""

    key: str
    keys: list[VerifierKey]
    checkpoint: str | None
    consistency: str | None
    demand: Demand | None


def verify(
    file: BinaryIO,
    key: str,
    checkpoint: str | None = None,
    consistency: str | None = None,
    *,
    whole: bool = False,
) -> PackageVerdict:
    """Verify a package. `key` has the verifier keys of the tenant's log, one per line."""
    try:
        demand = Demand.TO_THE_END if whole else None
        given = ReaderInput(key, read_keys(key), checkpoint, consistency, demand)
    except NotSigned as problem:
        return PackageVerdict((CheckResult("key", ok=None, sentence=str(problem)),))
    try:
        with zipfile.ZipFile(file) as archive:
            found = _check_archive(archive, given)
    except _UnreadableArchive as broken:
        return PackageVerdict((CheckResult("archive", ok=False, sentence=plain(str(broken))),))
    except DAMAGE_ERRORS as damage:
        told = (
            "The file isn't a ZIP archive, or it is damaged or incomplete"
            f" ({type(damage).__name__})."
        )
        return PackageVerdict((CheckResult("archive", ok=False, sentence=told),))
    return replace(
        found,
        checks=tuple(replace(check, sentence=plain(check.sentence)) for check in found.checks),
    )


def _check_archive(archive: zipfile.ZipFile, given: ReaderInput) -> PackageVerdict:
    name, entries = _read_entries(archive)
    signed, vouched = _check_signature(archive, entries, given.keys)
    digests, tags = (
        _read_manifest(archive, entries, MANIFEST),
        _read_manifest(archive, entries, TAG_MANIFEST),
    )
    checks = [
        CheckResult(
            "archive", ok=True, sentence=f"The archive contains {len(entries):,} files in {name}/."
        ),
        signed,
    ]
    if vouched is not None:
        checks.append(_check_signed_digest(archive, entries, name, vouched))
    checks += [
        _check_declaration(archive, entries),
        _check_digests("tag files", archive, entries, tags, of=list(tags)),
        _check_complete(entries, digests, tags),
        _check_digests("files", archive, entries, digests, of=list(digests)),
        _check_index(archive, entries, digests),
        _check_samples(archive, entries),
        *_check_log(archive, entries, given),
    ]
    return PackageVerdict(tuple(checks), name, len(digests))


def _read_entries(archive: zipfile.ZipFile) -> tuple[str, dict[str, zipfile.ZipInfo]]:
    """Return the name of the top-level folder, and its entries by path.

    Raises _UnreadableArchive for paths that could be written elsewhere when unpacked, for
    duplicates and for extreme compression ratios.
    """
    listed = [each for each in archive.infolist() if not each.is_dir()]
    if not 0 < len(listed) <= MAX_FILES:
        raise _UnreadableArchive(
            f"The archive contains {len(listed):,} files. A package has 1 to {MAX_FILES:,}."
        )
    folders = {PurePosixPath(each.filename).parts[:1] for each in listed}
    if len(folders) != 1 or folders == {()}:
        raise _UnreadableArchive("The archive must contain exactly one top-level folder.")
    (name,) = next(iter(folders))
    found: dict[str, zipfile.ZipInfo] = {}
    for each in listed:
        parts = PurePosixPath(each.filename).parts
        if (
            each.filename.startswith("/")
            or "\\" in each.filename
            or ".." in parts
            or ":" in each.filename
            or len(parts) < 2  # noqa: PLR2004
        ):
            raise _UnreadableArchive(
                f"The archive contains a path outside its folder: {each.filename[:120]!r}."
            )
        path = "/".join(parts[1:])
        if path in found:
            raise _UnreadableArchive(f"The archive contains {path} twice.")
        if each.file_size > PIECE_BYTES and each.file_size > MAX_COMPRESSION_RATIO * max(
            each.compress_size, 1
        ):
            raise _UnreadableArchive(
                f"{path} was not read: it unpacks to more than {MAX_COMPRESSION_RATIO:,} times its"
                " size."
            )
        found[path] = each
    return name, found


def _read_small(
    archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo], path: str
) -> bytes | None:
    entry = entries.get(path)
    if entry is None or entry.file_size > MAX_TAG_FILE_BYTES:
        return None
    try:
        return archive.read(entry)
    except DAMAGE_ERRORS:
        raise _UnreadableArchive(f"{path} is damaged and can't be unpacked.") from None


def _read_manifest(
    archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo], path: str
) -> dict[str, str]:
    """Return digests by path. An unreadable manifest is empty, so every file counts as extra."""
    content = _read_small(archive, entries, path) or b""
    matches = (
        MANIFEST_LINE.fullmatch(line) for line in content.decode("utf-8", "replace").splitlines()
    )
    return {match[2]: match[1] for match in matches if match}


def _check_signature(
    archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo], keys: list[VerifierKey]
) -> tuple[CheckResult, package_signature.PackageNote | None]:
    text = _read_small(archive, entries, SIGNATURE)
    if text is None:
        return (
            CheckResult(
                "signature",
                ok=False,
                sentence=f"The package isn't signed: {SIGNATURE} is missing.",
            ),
            None,
        )
    problem = "The signature doesn't match any key you provided."
    for key in keys:
        try:
            note = package_signature.open_note(text.decode("utf-8", "replace"), key)
        except NotSigned as refused:
            problem = str(refused)
        else:
            return (
                CheckResult(
                    "signature",
                    ok=True,
                    sentence=f"{key.name} signed this package with key {key.key_id.hex()}.",
                ),
                note,
            )
    return CheckResult("signature", ok=False, sentence=problem), None


def _check_signed_digest(
    archive: zipfile.ZipFile,
    entries: Mapping[str, zipfile.ZipInfo],
    name: str,
    note: package_signature.PackageNote,
) -> CheckResult:
    tags = _read_small(archive, entries, TAG_MANIFEST) or b""
    if note.package != name:
        return CheckResult(
            "signed",
            ok=False,
            sentence=f"The signature belongs to another package, {note.package}.",
        )
    if hashlib.sha256(tags).hexdigest() != note.tagmanifest:
        return CheckResult(
            "signed", ok=False, sentence=f"{TAG_MANIFEST} was changed after signing."
        )
    return CheckResult("signed", ok=True, sentence="The signature covers the digests of all files.")


def _check_declaration(
    archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo]
) -> CheckResult:
    fine = _read_small(archive, entries, "bagit.txt") == BAGIT_DECLARATION
    return CheckResult(
        "bag",
        ok=fine,
        sentence=(
            "The package declares BagIt 1.0."
            if fine
            else "The package doesn't declare BagIt 1.0 in bagit.txt."
        ),
    )


def _check_complete(
    entries: Mapping[str, zipfile.ZipInfo], digests: Mapping[str, str], tags: Mapping[str, str]
) -> CheckResult:
    there = {escaped(path) for path in entries if path.startswith("data/")}
    beside = {path for path in entries if not path.startswith("data/")} - {
        *tags,
        TAG_MANIFEST,
        SIGNATURE,
    }
    missing, extra = sorted(digests.keys() - there), sorted([*(there - digests.keys()), *beside])
    if missing:
        return CheckResult(
            "complete",
            ok=False,
            sentence=(
                f"{missing[0]} is missing from the package."
                if len(missing) == 1
                else f"{len(missing):,} files are missing from the package, first {missing[0]}."
            ),
        )
    if extra:
        return CheckResult(
            "complete",
            ok=False,
            sentence=f"{extra[0]} is in the package, but no manifest lists it.",
        )
    return CheckResult(
        "complete",
        ok=bool(there),
        sentence=f"All {len(there):,} files in the manifest are present, and there are no others.",
    )


def _check_digests(
    what: str,
    archive: zipfile.ZipFile,
    entries: Mapping[str, zipfile.ZipInfo],
    digests: Mapping[str, str],
    *,
    of: list[str],
) -> CheckResult:
    by_name = {escaped(path): entry for path, entry in entries.items()}
    for path in of:
        entry = by_name.get(path)
        if entry is None:
            return CheckResult(what, ok=False, sentence=f"{path} is missing from the package.")
        try:
            found = _digest(archive, entry)
        except DAMAGE_ERRORS:
            return CheckResult(what, ok=False, sentence=f"{path} is damaged and can't be unpacked.")
        if found != digests[path]:
            return CheckResult(
                what,
                ok=False,
                sentence=f"{path} was changed: its digest doesn't match the manifest.",
            )
    needed = {MANIFEST, "bagit.txt", "bag-info.txt"} if what == "tag files" else set()
    if needed - digests.keys():
        return CheckResult(
            what,
            ok=False,
            sentence=(
                f"{min(needed - digests.keys())} isn't listed in {TAG_MANIFEST}, so it can't be"
                " verified."
            ),
        )
    return CheckResult(
        what, ok=bool(of), sentence=f"All {len(of):,} {what} match their digests in the manifest."
    )


def _digest(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> str:
    digest = hashlib.sha256()
    with archive.open(entry) as stream:
        while piece := stream.read(PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _check_index(
    archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo], digests: Mapping[str, str]
) -> CheckResult:
    """Check that the index lists each evidence file with the digest in the manifest."""
    try:
        index = json.loads(_read_small(archive, entries, "data/index.json") or b"")
        named = {f"data/{e['path']}": e["sha256"] for e in index["evidence"] if e["path"]}
        given = {
            f"data/{p['path']}": p["sha256"]
            for r in index["requests"]
            for p in r["provided"]
            if p["path"]
        }
    except DAMAGE_ERRORS:
        return CheckResult("index", ok=False, sentence="The index (data/index.json) can't be read.")
    wrong = [path for path, digest in (named | given).items() if digests.get(path) != digest]
    if wrong:
        return CheckResult(
            "index",
            ok=False,
            sentence=(
                f"{wrong[0]} is missing, or its digest in the index differs from the manifest."
            ),
        )
    return CheckResult(
        "index",
        ok=True,
        sentence=(
            f"The index lists {len(named):,} evidence files, and all their digests match the"
            " manifest."
        ),
    )


def _check_samples(archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo]) -> CheckResult:
    """Check that populations are the frozen ones, and that redrawing gives the same samples."""
    drawn = 0
    try:
        listed = json.loads(_read_small(archive, entries, "data/index.json") or b"")["samples"]
        for each in listed:
            sample = json.loads(_read_small(archive, entries, f"data/{each['path']}") or b"")
            held, items = sample["population"], [item["item"] for item in sample["items"]]
            digest, ids = _read_population(
                archive, entries[f"data/{each['population']}"], held["id_column"]
            )
            if digest != held["sha256"]:
                return CheckResult(
                    "samples",
                    ok=False,
                    sentence=f"{each['population']} isn't the frozen population of {each['path']}.",
                )
            if list(draw_items(ids, sample["seed"], digest, sample["size"])) != items:
                return CheckResult(
                    "samples",
                    ok=False,
                    sentence=f"{each['path']} doesn't contain the items that its seed selects.",
                )
            drawn += len(items)
    except DAMAGE_ERRORS:
        return CheckResult(
            "samples", ok=False, sentence="The samples or their populations can't be read."
        )
    return CheckResult(
        "samples",
        ok=True,
        sentence=(
            f"{len(listed):,} samples were redrawn from their seeds: all {drawn:,} items match."
            if len(listed) != 1
            else f"1 sample was redrawn from its seed: all {drawn:,} items match."
        ),
    )


def _read_population(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, column: str
) -> tuple[str, list[str]]:
    """Return the SHA-256 of a population's lines, and the id in each line."""
    digest, ids = hashlib.sha256(), list[str]()
    with archive.open(entry) as stream:
        for line in stream:
            digest.update(line)
            ids.append(json.loads(line)[column])
    return digest.hexdigest(), ids


def _check_log(
    archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo], given: ReaderInput
) -> Iterator[CheckResult]:
    """Check the log extract, the package's checkpoint and the reader's earlier checkpoint."""
    entry = entries.get("data/audit-log/extract.jsonl")
    if entry is None:
        yield CheckResult(
            "log", ok=False, sentence="The package doesn't contain an audit log extract."
        )
        return
    try:
        with archive.open(entry) as stream:
            result = verify_log(
                jsonl.lines(cast("BinaryIO", stream)),
                given.key,
                given.checkpoint,
                given.consistency,
                given.demand,
            )
    except DAMAGE_ERRORS:
        yield CheckResult(
            "log",
            ok=False,
            sentence="data/audit-log/extract.jsonl is damaged and can't be unpacked.",
        )
        return
    requested = {OLDER, CONSISTENCY, WHOLE}
    compared = tuple(check for check in result.checks if check.name in requested)
    alone = replace(result, checks=tuple(check for check in result.checks if check not in compared))
    yield CheckResult("log", ok=OK_BY_OUTCOME[alone.outcome], sentence=alone.sentence)
    note = (_read_small(archive, entries, "data/audit-log/checkpoint.txt") or b"").decode(
        "utf-8", "replace"
    )
    yield _check_checkpoint(note, given.keys, result.head)
    yield from compared


def _check_checkpoint(note: str, keys: list[VerifierKey], extract: Head | None) -> CheckResult:
    problem = "The checkpoint isn't signed by any key you provided."
    for key in keys:
        try:
            head = open_checkpoint(note, key)
        except NotSigned as refused:
            problem = str(refused)
        else:
            if head != extract:
                return CheckResult(
                    "checkpoint",
                    ok=False,
                    sentence=(
                        "The checkpoint in the package doesn't match the proofs in the audit log"
                        " extract."
                    ),
                )
            told = (
                "The checkpoint in the package matches the proofs in the audit log extract:"
                f" {head.origin}, {head.size:,} entries."
            )
            return CheckResult("checkpoint", ok=True, sentence=told)
    return CheckResult("checkpoint", ok=False, sentence=problem)
