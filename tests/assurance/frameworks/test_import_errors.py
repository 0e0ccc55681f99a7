"""Files that can't be imported, and publishers' real files."""

import json
from uuid import uuid4

import pytest

from governance.kernel.files import storage
from tests.assurance.frameworks.framework_files import (
    RMF,
    confirm_import,
    main_text,
    oscal_catalog,
    playbook_file,
    preview_fields,
    upload_framework_file,
)
from tests.assurance.frameworks.import_helpers import held_texts

REAL = {
    "ciso-assistant/nist-ai-rmf-1.0.yaml": ("CISO Assistant library", 95, 95),
    "nist-ai-rmf-playbook/nist_ai_rmf_playbook-2023-04.json": ("NIST AI RMF Playbook", 496, 72),
    "oscal/ai-rmf-1.0-catalog-generated.json": ("OSCAL catalog", 95, 95),
}
REFUSED = {
    "nist-ai-600-1/ai-600-1-1.0-actions.json": "Cloud Security Alliance",
    "nist-ai-rmf/ai-rmf-1.0-subcategories.json": "Cloud Security Alliance",
    "nist-ai-rmf/ai-rmf-1.0-subcategories.csv": "CSV table",
    "ciso-assistant/owasp-llm-checklist.yaml": (
        "(“LLM AI Cybersecurity & Governance Checklist”) is not NIST AI Risk"
    ),
    "soc2/soc2-tsc-2017-ids.json": "SOC 2",
    "cyclonedx/bom-1.7.schema.json": "JSON schema",
    "inspect/log_formats.eval": "ZIP",
    "garak/quack.report.jsonl": "Line 2, column 1",
}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (b'[{"title": "GOVERN 1.1",\n "section_about": }]', "Line 2, column"),
        (b"urn: x\nobjects:\n  framework: [", "Line"),
        (b"urn: &a x\nobjects: *a", "anchors and aliases"),
        (b"\xff\xfe\x00\x01", "UTF-16"),
        (b"\xc3\x28 not text", "not UTF-8"),
        (b"%PDF-1.7", "PDF"),
        (b"[" * 5000, "levels of nesting"),
        (b'{"catalog": {"x": NaN}}', "NaN"),
        (oscal_catalog({"XYZ 1": "No framework of ours."}), "0 of its"),
        (oscal_catalog({"GOVERN 1.1": "half \ud800"}), "an invalid character"),
        (oscal_catalog({"GOVERN 1.1": "nul \0"}), "NUL"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_place(
    as_officer, count_written, data, sentence
):
    before = count_written()
    reply = upload_framework_file(as_officer, data, "file.json", then=422)
    assert sentence in main_text(reply)
    assert 'id="errors"' in reply.text and 'aria-invalid="true"' in reply.text
    assert count_written() == before


def test_line_and_column_stand_apart_too(as_officer):
    text = main_text(upload_framework_file(as_officer, b'{\n "catalog": }', "x.json", then=422))
    assert "Line 2 Column 13" in text


def test_no_file_at_all_is_asked_for(as_officer):
    assert "Choose a file." in as_officer.post(f"frameworks/{RMF}/import", then=422).text


def test_twelve_megabytes_are_the_limit_and_it_is_named(as_officer, count_written):
    before = count_written()
    assert (
        "The limit is 12 MB" in upload_framework_file(as_officer, b" " * 12_000_001, then=422).text
    )
    assert count_written() == before


def test_fifty_megabytes_are_turned_away_at_the_door(as_officer, count_written):
    before = count_written()
    assert (
        "too large to upload" in upload_framework_file(as_officer, b"x" * 50_000_000, then=413).text
    )
    assert count_written() == before


def test_a_refused_file_is_not_kept(as_officer, acting, settings):
    import hashlib

    data = b"not a catalogue " + uuid4().bytes.hex().encode()
    upload_framework_file(as_officer, data, then=422)
    with acting("compliance_officer") as who:
        digest = hashlib.sha256(data).hexdigest()
        assert not storage.store().exists(f"{who.tenant_id.hex}/{digest[:2]}/{digest}")


def test_an_unknown_framework_is_not_found(as_officer):
    upload_framework_file(as_officer, oscal_catalog({"MAP 1.1": "x"}), key="iso-42001", then=404)


@pytest.mark.parametrize("name", REAL)
def test_a_real_file_comes_in_whole_and_twice_changes_nothing(
    shared_data, as_officer, acting, name
):
    path = shared_data / name
    if not path.is_file():
        pytest.skip(f"NOT TESTED: {name} is not in ../shared/data")
    format_, texts, refs = REAL[name]
    reply = upload_framework_file(as_officer, path.read_bytes(), path.name)
    text = main_text(reply)
    assert format_ in text and f"{texts} new texts" in text and f"{refs} matched" in text
    assert "0 unknown, 0 missing, 0 without text" in text
    page = confirm_import(as_officer, preview_fields(reply), follow=True)
    assert "Complete" in main_text(page) and f"official texts on {refs} ids" in main_text(page)
    assert len(held_texts(acting)) == texts
    assert "This file changes nothing" in main_text(
        upload_framework_file(as_officer, path.read_bytes(), path.name)
    )


def test_the_real_files_differ_in_one_lost_hyphen_and_the_preview_shows_it(shared_data, as_officer):
    ciso, other = (
        shared_data / "ciso-assistant/nist-ai-rmf-1.0.yaml",
        shared_data / "oscal/ai-rmf-1.0-catalog-generated.json",
    )
    if not (ciso.is_file() and other.is_file()):
        pytest.skip("NOT TESTED: the two files are not in ../shared/data")
    confirm_import(
        as_officer, preview_fields(upload_framework_file(as_officer, ciso.read_bytes(), ciso.name))
    )
    reply = upload_framework_file(as_officer, other.read_bytes(), other.name)
    assert "contextspecific" in reply.text and "context-specific" in reply.text


@pytest.mark.parametrize("name", REFUSED)
def test_a_real_file_of_another_kind_is_refused_by_name(
    shared_data, as_officer, count_written, name
):
    path = shared_data / name
    if not path.is_file():
        pytest.skip(f"NOT TESTED: {name} is not in ../shared/data")
    before = count_written()
    assert REFUSED[name] in main_text(
        upload_framework_file(as_officer, path.read_bytes(), path.name, then=422)
    )
    assert count_written() == before


def test_the_preview_of_a_large_file_is_quick_to_read(as_officer):
    """Count 300 changed texts and show 200 of them."""
    refs = [
        f"{name} {n}"
        for name in ("GOVERN", "MAP", "MEASURE", "MANAGE")
        for n in ("1.1", "1.2", "1.3", "2.1", "2.2", "3.1")
    ]
    confirm_import(
        as_officer,
        preview_fields(
            upload_framework_file(as_officer, playbook_file(dict.fromkeys(refs, "word " * 3000)))
        ),
    )
    reply = upload_framework_file(
        as_officer, playbook_file(dict.fromkeys(refs, "word " * 2999 + "sentence"))
    )
    assert f"{len(refs)} changed" in main_text(reply)
    assert len(reply.data) < 150_000
    json.dumps(preview_fields(reply))
