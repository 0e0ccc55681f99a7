"""Imports of a previewed file, and their permissions."""

import io
from uuid import uuid4

import pytest
from sqlalchemy import select

from governance.foundation.audit.models import AuditEntry
from governance.kernel.data.db import session
from governance.kernel.files import storage
from tests.assurance.frameworks.framework_files import (
    RMF,
    confirm_import,
    main_text,
    oscal_catalog,
    preview_fields,
    upload_framework_file,
)
from tests.assurance.frameworks.import_helpers import held_texts


def test_an_import_is_recorded_with_its_digest_and_shown_with_who(as_officer, acting):
    reply = upload_framework_file(as_officer, oscal_catalog({"MAP 1.1": "First."}), "first.json")
    page = confirm_import(as_officer, preview_fields(reply), follow=True)
    text = main_text(page)
    assert (
        "first.json" in text
        and "Ines Duarte" in text
        and preview_fields(reply)["sha256"][:8] in text
        and "1 new, 0 changed" in text
    )
    with acting("compliance_officer", read_only=True):
        entry = (
            session()
            .scalars(select(AuditEntry).where(AuditEntry.action == "framework.texts.imported"))
            .one()
        )
        assert entry.facts["sha256"] == preview_fields(reply)["sha256"] and entry.facts["new"] == 1
        assert "filename" not in entry.facts and "filename" in entry.sealed


def test_what_is_recorded_is_what_was_imported_and_not_all_of_the_framework(as_officer, acting):
    confirm_import(
        as_officer,
        preview_fields(
            upload_framework_file(
                as_officer, oscal_catalog({"MAP 1.1": "One.", "MAP 1.2": "Two.", "MAP 1.3": ""})
            )
        ),
    )
    page = main_text(
        confirm_import(
            as_officer,
            preview_fields(
                upload_framework_file(
                    as_officer, oscal_catalog({"MAP 1.2": "Changed.", "MAP 1.4": "Four."})
                )
            ),
            follow=True,
        )
    )
    assert "official texts on 3 ids" in page
    assert "2 new, 0 changed on 2 ids" in page and "1 new, 1 changed on 2 ids" in page
    assert "3 texts on 3 ids" in main_text(as_officer.get("frameworks/"))
    with acting("compliance_officer", read_only=True):
        query = (
            select(AuditEntry)
            .where(AuditEntry.action == "framework.texts.imported")
            .order_by(AuditEntry.id)
        )
        facts = [entry.facts for entry in session().scalars(query)]
    assert [(each["ids"], each["new"], each["changed"], each["rejected"]) for each in facts] == [
        (2, 2, 0, 0),
        (2, 1, 1, 0),
    ]


def test_the_same_file_twice_changes_nothing(as_officer, count_written):
    data = oscal_catalog({"MAP 1.1": "First."})
    confirm_import(as_officer, preview_fields(upload_framework_file(as_officer, data)))
    before = count_written()
    reply = upload_framework_file(as_officer, data)
    assert "This file changes nothing" in main_text(reply)
    assert "import/confirm" not in reply.text
    assert count_written() == before


def test_a_second_confirmation_lands_on_the_first_and_writes_nothing(as_officer, count_written):
    fields = preview_fields(upload_framework_file(as_officer, oscal_catalog({"MAP 1.1": "First."})))
    first = confirm_import(as_officer, fields)
    before = count_written()
    assert confirm_import(as_officer, fields).location == first.location
    assert count_written() == before


def test_a_preview_that_somebody_overtook_is_shown_again_and_nothing_is_imported(
    as_officer, as_reviewer, acting, count_written
):
    mine = preview_fields(
        upload_framework_file(
            as_officer, oscal_catalog({"MAP 1.1": "Mine.", "MAP 1.2": "Mine too."})
        )
    )
    confirm_import(
        as_reviewer,
        preview_fields(
            upload_framework_file(as_reviewer, oscal_catalog({"MAP 1.1": "Theirs."}), "theirs.json")
        ),
    )
    before = count_written()
    reply = confirm_import(as_officer, mine, then=409)
    text = main_text(reply)
    assert count_written() == before
    assert "Jun Chen imported theirs.json" in text and "Nothing was imported" in text
    assert "<del>Theirs.</del>" in reply.text and "<ins>Mine.</ins>" in reply.text
    confirm_import(as_officer, preview_fields(reply))
    assert held_texts(acting)["MAP 1.1", "statement"] == "Mine."


def test_an_older_file_can_be_brought_back(as_officer, acting):
    old = oscal_catalog({"MAP 1.1": "Old."})
    confirm_import(as_officer, preview_fields(upload_framework_file(as_officer, old)))
    confirm_import(
        as_officer,
        preview_fields(upload_framework_file(as_officer, oscal_catalog({"MAP 1.1": "New."}))),
    )
    confirm_import(as_officer, preview_fields(upload_framework_file(as_officer, old)))
    assert held_texts(acting)["MAP 1.1", "statement"] == "Old."


def test_a_kept_file_that_was_tampered_with_is_refused(as_officer, acting, count_written, settings):
    fields = preview_fields(
        upload_framework_file(as_officer, oscal_catalog({"MAP 1.1": f"Words {uuid4()}."}))
    )
    with acting("compliance_officer") as who:
        tenant = who.tenant_id.hex
    folder = settings.var / "objects" / tenant / storage.PREVIEWS
    [path] = folder.rglob(fields["sha256"] + storage.ENCRYPTED_SUFFIX)
    path.write_bytes(oscal_catalog({"MAP 1.1": "Slipped in."}))
    before = count_written()
    assert "stored file is corrupted" in confirm_import(as_officer, fields, then=409).text
    assert count_written() == before


@pytest.mark.parametrize("sha256", ["", "x" * 64, "../" * 20, "0" * 64, "A" * 64, "0" * 64 + "\n"])
def test_only_a_previewed_file_can_be_confirmed(as_officer, count_written, sha256):
    before = count_written()
    confirm_import(as_officer, {"sha256": sha256, "basis": "0" * 64, "filename": "x"}, then=404)
    assert count_written() == before


def test_another_tenants_preview_cannot_be_confirmed_here(as_officer, as_neighbour, count_written):
    fields = preview_fields(
        upload_framework_file(as_neighbour, oscal_catalog({"MAP 1.1": f"Globex {uuid4()}."}))
    )
    before = count_written()
    confirm_import(as_officer, fields, then=404)
    assert count_written() == before


def test_imported_texts_stay_in_their_tenant(as_officer, as_neighbour, acting):
    confirm_import(
        as_officer,
        preview_fields(
            upload_framework_file(
                as_officer, oscal_catalog({"MAP 1.1": "Acme's."}), "acmes-own.json"
            )
        ),
    )
    assert held_texts(acting, "globex") == {}
    assert "acmes-own.json" not in as_neighbour.get(f"frameworks/{RMF}/versions").text
    assert "2 of 5" not in as_neighbour.get("frameworks/").text


@pytest.mark.parametrize("who", ["as_viewer", "as_auditor", "as_contributor"])
def test_readers_may_not_import(request, who, count_written):
    reader = request.getfixturevalue(who)
    before = count_written()
    upload_framework_file(reader, oscal_catalog({"MAP 1.1": "No."}), then=403)
    confirm_import(reader, {"sha256": "0" * 64, "basis": "0" * 64, "filename": "x"}, then=403)
    reader.get(f"frameworks/{RMF}/import", then=403)
    reader.post(f"frameworks/{RMF}/adopt", then=403)
    assert f"{RMF}/import" not in reader.get("frameworks/").text
    assert f"{RMF}/import" not in reader.get(f"frameworks/{RMF}/versions").text
    assert count_written() == before


def test_a_stranger_finds_nothing(as_stranger):
    upload_framework_file(as_stranger, oscal_catalog({"MAP 1.1": "No."}), then=404)
    for path in (
        "frameworks/",
        f"frameworks/{RMF}/versions",
        f"frameworks/{RMF}/crosswalk",
        f"frameworks/{RMF}/import",
    ):
        as_stranger.get(path, then=404)


def test_a_form_without_its_token_imports_nothing(as_officer, count_written):
    before = count_written()
    as_officer.post(
        f"frameworks/{RMF}/import",
        then=403,
        csrf_token="x",
        file=(io.BytesIO(oscal_catalog({"MAP 1.1": "No."})), "x.json"),
    )
    as_officer.post(
        f"frameworks/{RMF}/import/confirm",
        then=403,
        csrf_token="x",
        sha256="0" * 64,
        basis="0" * 64,
    )
    assert count_written() == before
