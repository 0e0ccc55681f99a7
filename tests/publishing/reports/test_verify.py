"""Offline verification of a report: valid files, and every way to be invalid."""

import io
import json
import re
from functools import cache

import pikepdf
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.foundation.audit import checkpoint
from governance.kernel.files.verification_results import CheckOutcome
from governance.kernel.pictures import pdf
from governance.kernel.safety.signed_note import b64
from governance.publishing.reports.ai_rmf.document import build
from governance.publishing.reports.signatures.signing import (
    NotSigned,
    open_note,
    parse_key,
    sign,
    verifier_key,
)
from governance.publishing.reports.signatures.verify import ReportVerdict, verify
from tests.publishing.reports import rmf_samples

pytestmark = pytest.mark.slow

KEY = verifier_key(rmf_samples.KEY, rmf_samples.KEY_NAME)


@cache
def signed_report() -> tuple[bytes, str]:
    """Return a small report and its signature file."""
    built = build(rmf_samples.one_requirement())
    data = pdf.render(
        built.html, attachments=built.attachments, at=built.at, identifier=built.identifier
    )
    return data, signed(data)


def signed(
    data: bytes, private: Ed25519PrivateKey = rmf_samples.KEY, name: str = rmf_samples.KEY_NAME
) -> str:
    return sign(
        private,
        name,
        filename="ACME-RMF-2026-Q3.pdf",
        pdf=data,
        fingerprint=build(rmf_samples.one_requirement()).fingerprint,
    )


def check_states(verdict: ReportVerdict) -> dict[str, bool | None]:
    return {check.name: check.ok for check in verdict.checks}


def sentence(verdict: ReportVerdict, name: str) -> str:
    return next(check.sentence for check in verdict.checks if check.name == name)


def test_a_genuine_report_passes_every_check() -> None:
    data, note = signed_report()
    verdict = verify(data, note.encode(), KEY)
    assert verdict.ok
    assert verdict.sentence == "The report is genuine and intact: all 8 checks passed."
    assert verdict.fingerprint == build(rmf_samples.one_requirement()).fingerprint
    assert verdict.filename == "ACME-RMF-2026-Q3.pdf"


def test_the_note_has_the_form_of_a_signed_note() -> None:
    data, note = signed_report()
    assert re.fullmatch(
        r"governance report v1\n\S+\.pdf\nsha256 [0-9a-f]{64}\nfingerprint"
        r" [0-9a-f]{64}\n\n\N{EM DASH} console\.example \S+=?\n",
        note,
    )
    assert str(parse_key(KEY)) == KEY
    assert (
        sign(
            rmf_samples.KEY,
            rmf_samples.KEY_NAME,
            filename="ACME-RMF-2026-Q3.pdf",
            pdf=data,
            fingerprint=build(rmf_samples.one_requirement()).fingerprint,
        )
        == note
    )


def test_one_flipped_byte_is_seen() -> None:
    data, note = signed_report()
    changed = bytearray(data)
    changed[len(data) // 2] ^= 1
    verdict = verify(bytes(changed), note, KEY)
    assert not verdict.ok
    assert check_states(verdict)["signature"] is True
    assert sentence(verdict, "digest").startswith("The file isn't the one that was signed")


def test_another_key_is_named() -> None:
    data, note = signed_report()
    other = verifier_key(Ed25519PrivateKey.generate(), rmf_samples.KEY_NAME)
    verdict = verify(data, note, other)
    assert check_states(verdict) | {
        "signature": False,
        "digest": None,
        "key": False,
    } == check_states(verdict)
    assert "signed with a different key" in sentence(verdict, "signature")
    assert verdict.sentence.startswith(
        "Do not rely on this report. The file was signed with a different key"
    )


def test_a_report_signed_by_somebody_else_names_our_key_and_fails() -> None:
    data, _ = signed_report()
    thief = Ed25519PrivateKey.generate()
    verdict = verify(
        data, signed(data, thief, "thief.example"), verifier_key(thief, "thief.example")
    )
    assert check_states(verdict)["signature"] is True
    assert sentence(verdict, "key") == "The report names a different key."
    assert not verdict.ok


def test_the_signature_of_another_report_does_not_fit() -> None:
    data, _ = signed_report()
    verdict = verify(data, signed(b"another report"), KEY)
    assert check_states(verdict) | {"signature": True, "digest": False} == check_states(verdict)


@pytest.mark.parametrize("size", [1_000, 60_000])
def test_a_truncated_file_is_seen(size: int) -> None:
    data, note = signed_report()
    verdict = verify(data[:size], note, KEY)
    assert (
        sentence(verdict, "file") == "The file can't be read as a PDF: it is truncated or damaged."
    )
    assert not verdict.ok


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "The file is empty."),
        (b"PK\x03\x04 a zip", "The file isn't a PDF."),
        (b"%PDF-1.7\nno", "The file can't be read as a PDF: it is truncated or damaged."),
    ],
)
def test_what_is_no_pdf_is_called_that(data: bytes, said: str) -> None:
    assert sentence(verify(data, signed_report()[1], KEY), "file") == said


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("", "The text has no signature line."),
        ("\N{EM DASH} console.example AAAA\n", "The text has no signature line."),
        (
            "governance report v1\n\n\N{EM DASH} console.example AAAA\n",
            "The signature line is incomplete or damaged.",
        ),
        (b"\xff\xfe\x00", "The signature file isn't a text file."),
    ],
)
def test_a_damaged_signature_file_is_explained(note: bytes | str, said: str) -> None:
    assert sentence(verify(signed_report()[0], note, KEY), "signature") == said


def test_a_changed_note_does_not_hold() -> None:
    data, note = signed_report()
    verdict = verify(data, note.replace("ACME", "ACNE"), KEY)
    assert sentence(verdict, "signature").startswith("The signature is invalid")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "isn't a verifier key"),
        ("console.example", "isn't a verifier key"),
        ("console.example+00000000+AAAA", "isn't a 32-byte Ed25519 key"),
        (KEY[:-4] + "AAA=", "isn't a 32-byte Ed25519 key"),
        (KEY.replace("+", "+0", 1), "doesn't match its ID"),
    ],
)
def test_a_key_that_is_none_is_explained(key: str, said: str) -> None:
    with pytest.raises(NotSigned, match=said):
        parse_key(key)
    verdict = verify(*signed_report(), key)
    assert verdict.outcome is CheckOutcome.NOT_CHECKED and verdict.sentence.startswith(
        "Nothing was checked. "
    )


def test_a_report_that_names_no_key_is_not_called_genuine_and_not_called_wrong() -> None:
    with pikepdf.open(io.BytesIO(signed_report()[0])) as file:
        manifest = json.loads(file.attachments["manifest.json"].get_file().read_bytes())
    del manifest["signing_key"]
    verdict = report_with_attachment("manifest.json", json.dumps(manifest).encode())
    assert verdict.outcome is CheckOutcome.NOT_CHECKED
    assert (
        "a requested check could not run" in verdict.sentence
        and "names no signing key" in verdict.sentence
    )


def test_of_several_keys_the_one_that_signed_counts() -> None:
    other = verifier_key(Ed25519PrivateKey.generate(), rmf_samples.KEY_NAME)
    assert verify(*signed_report(), f"# ours\n{other}\n{KEY}\n").ok
    assert not verify(*signed_report(), f"{other}\n{other}\n").ok


def test_any_bytes_give_a_verdict_and_no_error() -> None:
    data, note = signed_report()
    for at in range(0, len(data), len(data) // 40):
        changed = bytearray(data)
        changed[at] ^= 0xFF
        assert not verify(bytes(changed), note, KEY).ok


# --- A forger who can also sign: the inside must agree with itself --------------------------------


def report_with_attachment(name: str, content: bytes | None) -> ReportVerdict:
    """Return the report with one attachment replaced, added or (None) removed.

    It is signed again with the right key.
    """
    with pikepdf.open(io.BytesIO(signed_report()[0])) as file:
        if content is None:
            del file.attachments[name]
        else:
            file.attachments[name] = pikepdf.AttachedFileSpec(file, content, filename=name)
        out = io.BytesIO()
        file.save(out)
    return verify(out.getvalue(), signed(out.getvalue()), KEY)


def test_replaced_data_is_seen_three_times() -> None:
    verdict = report_with_attachment("snapshot.json", b"{}")
    assert check_states(verdict) | {
        "attachments": False,
        "fingerprint": False,
        "printed": False,
        "digest": True,
    } == check_states(verdict)
    assert (
        sentence(verdict, "attachments")
        == "snapshot.json doesn't match its digest in the manifest."
    )
    assert (
        sentence(verdict, "fingerprint")
        == "The frozen data doesn't have the fingerprint in the signature and the manifest."
    )


def test_removed_and_added_files_are_named() -> None:
    assert (
        sentence(report_with_attachment("evidence.csv", None), "attachments")
        == "evidence.csv is missing from the file."
    )
    assert (
        sentence(report_with_attachment("extra.csv", b"x"), "attachments")
        == "extra.csv is attached but isn't in the manifest."
    )


def test_what_a_report_says_of_itself_commands_no_terminal() -> None:
    verdict = report_with_attachment("\x1b[2J\x1b[Hok  The report is genuine", b"x")
    assert "[2J" in sentence(verdict, "attachments")
    assert [check.sentence for check in verdict.checks if not check.sentence.isprintable()] == []


def test_the_checkpoint_inside_is_read_and_must_be_the_one_that_is_printed() -> None:
    stated = checkpoint.Head("console.example/audit/acme", 3, bytes(32))
    made = rmf_samples.one_requirement()
    made["log"] = {
        "origin": stated.origin,
        "checkpoint": "3 entries",
        "root": b64(stated.root),
        "note": checkpoint.sign(rmf_samples.KEY, stated.origin, stated),
    }
    for change, ok in (
        ({}, True),
        ({"root": b64(bytes(31) + b"x")}, False),
        ({"note": "a note of nothing"}, False),
    ):
        made["log"] |= change
        built = build(made)
        data = pdf.render(
            built.html, attachments=built.attachments, at=built.at, identifier=built.identifier
        )
        note = sign(
            rmf_samples.KEY,
            rmf_samples.KEY_NAME,
            filename=built.filename,
            pdf=data,
            fingerprint=built.fingerprint,
        )
        verdict = verify(data, note, KEY)
        assert (check_states(verdict)["log"], verdict.ok) == (ok, ok), verdict.sentence


def test_a_file_without_manifest_or_data_is_explained() -> None:
    assert (
        sentence(report_with_attachment("manifest.json", None), "manifest")
        == "The file has no readable manifest.json."
    )
    assert (
        sentence(report_with_attachment("manifest.json", b"[1]"), "manifest")
        == "The file has no readable manifest.json."
    )
    assert (
        sentence(report_with_attachment("manifest.json", b"[" * 100_000), "manifest")
        == "The file has no readable manifest.json."
    )
    assert (
        sentence(report_with_attachment("snapshot.json", None), "fingerprint")
        == "The frozen data, snapshot.json, is missing from the file."
    )


def test_a_note_opens_only_with_its_key() -> None:
    assert open_note(signed_report()[1], parse_key(KEY)).filename == "ACME-RMF-2026-Q3.pdf"
