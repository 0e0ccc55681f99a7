"""Previews of a file before its import, also with OSCAL parameters."""

import json
from datetime import timedelta

import pytest

from governance.assurance.evidence import integrity
from governance.assurance.frameworks import import_queries, queries
from governance.kernel import clock
from governance.kernel.files import storage
from tests.assurance.evidence.deletion_helpers import run_nightly_cleanup
from tests.assurance.frameworks.framework_files import (
    RMF,
    confirm_import,
    main_text,
    oscal_catalog,
    oscal_with_parameters,
    playbook_file,
    preview_fields,
    upload_framework_file,
)
from tests.assurance.frameworks.import_helpers import held_texts


def test_a_preview_shows_digest_edition_and_counts_and_writes_nothing(as_officer, count_written):
    before = count_written()
    reply = upload_framework_file(
        as_officer,
        oscal_catalog({"GOVERN 1.1": "Words of ours.", "GOVERN 1.2": ""}, version="7"),
        "seven.json",
    )
    text = main_text(reply)
    assert count_written() == before
    assert "1 new text" in text and "Nothing is saved until you import" in text
    assert (
        "seven.json" in text and "version 7" in text and preview_fields(reply)["sha256"][:8] in text
    )
    assert "1 listed without text" in text and "70 assessed but not in the file" in text
    assert "Not complete" in text


def test_ids_that_the_framework_does_not_have_are_named_and_left_out(as_officer, acting):
    reply = upload_framework_file(
        as_officer,
        oscal_catalog(
            {
                "GOVERN 1.1": "Ours.",
                "GOVERN 1.2": "",
                "GOVERN 1.3": "",
                "MEASURE 2.14": "Invented.",
                "ABC-1": "Strange.",
            }
        ),
    )
    assert "MEASURE 2.14" in main_text(
        reply
    ) and "2 in the file but not in the framework" in main_text(reply)
    confirm_import(as_officer, preview_fields(reply))
    assert held_texts(acting) == {("GOVERN 1.1", "statement"): "Ours."}


def test_a_change_is_shown_old_and_new(as_officer, acting):
    confirm_import(
        as_officer,
        preview_fields(
            upload_framework_file(
                as_officer, oscal_catalog({"MAP 1.1": "The context is known.", "MAP 1.2": "Same."})
            )
        ),
    )
    reply = upload_framework_file(
        as_officer, oscal_catalog({"MAP 1.1": "The purpose is known.", "MAP 1.2": "Same."})
    )
    assert (
        "<del>The context is known.</del>" in reply.text
        and "<ins>The purpose is known.</ins>" in reply.text
    )
    assert "1 changed" in main_text(reply) and "1 unchanged" in main_text(reply)
    confirm_import(as_officer, preview_fields(reply))
    assert held_texts(acting)["MAP 1.1", "statement"] == "The purpose is known."


def test_what_a_file_leaves_out_stays(as_officer, acting):
    confirm_import(
        as_officer,
        preview_fields(
            upload_framework_file(
                as_officer, oscal_catalog({"MAP 1.1": "First.", "MAP 1.2": "Second."})
            )
        ),
    )
    confirm_import(
        as_officer,
        preview_fields(
            upload_framework_file(as_officer, oscal_catalog({"MAP 1.2": "Second, again."}))
        ),
    )
    assert held_texts(acting) == {
        ("MAP 1.1", "statement"): "First.",
        ("MAP 1.2", "statement"): "Second, again.",
    }


def test_the_playbooks_wording_is_kept_apart_from_the_statement(as_officer, acting):
    confirm_import(
        as_officer,
        preview_fields(
            upload_framework_file(as_officer, oscal_catalog({"MAP 1.1": "The statement."}))
        ),
    )
    confirm_import(
        as_officer,
        preview_fields(upload_framework_file(as_officer, playbook_file({"MAP 1.1": "About it."}))),
    )
    with acting("viewer", read_only=True):
        texts = import_queries.official_texts(queries.requirement(RMF, "MAP-1.1").id)
    assert [(t.kind, t.text) for t in texts] == [
        ("statement", "The statement."),
        ("playbook wording", "Said otherwise."),
        ("about", "About it."),
    ]


def test_text_stays_text(as_officer, acting):
    nasty = "<script>alert(1)</script> \u202e =1+1 \U0001f600"
    reply = upload_framework_file(as_officer, oscal_catalog({"MAP 1.1": nasty}), '<b>"x".json')
    assert "<script>alert" not in reply.text and '<b>"x"' not in reply.text
    confirm_import(as_officer, preview_fields(reply))
    assert held_texts(acting)["MAP 1.1", "statement"] == nasty
    as_officer.get(f"frameworks/{RMF}/versions")


def test_fields_that_are_not_imported_are_named_before_anything_is_saved(as_officer):
    items = json.loads(playbook_file({"MAP 1.1": "About it.", "MAP 1.2": "About that."}))
    for each in items:
        each |= {"Audience": ["TEVV"], "Mood": "calm"}
    assert "Not imported: the fields Audience (2), Mood (2)." in main_text(
        upload_framework_file(as_officer, json.dumps(items).encode())
    )


def test_the_playbooks_actors_and_topics_are_imported(as_officer, acting):
    items = json.loads(playbook_file({"MAP 1.1": "About it.", "MAP 1.2": "About that."}))
    items[0] |= {"AI Actors": ["TEVV", "AI Deployment"], "Topic": "Context"}
    items[1] |= {"AI Actors": [], "Topic": None}
    reply = upload_framework_file(as_officer, json.dumps(items).encode())
    assert "Not imported" not in main_text(reply)
    confirm_import(as_officer, preview_fields(reply))
    held = held_texts(acting)
    assert held["MAP 1.1", "AI actors"] == "TEVV\nAI Deployment"
    assert held["MAP 1.1", "topics"] == "Context"
    assert not {kind for ref, kind in held if ref == "MAP 1.2"} & {"AI actors", "topics"}


def test_parameters_are_resolved_and_a_text_with_an_unknown_one_is_refused_with_its_place(
    as_officer, acting
):
    data = oscal_with_parameters(
        "NIST AI RMF 1.0",
        {
            "MAP 1.1": "Review {{ insert: param, often }} by {{ insert: param, who }}.",
            "MAP 1.2": "Report within {{ insert: param, gone }}.",
        },
        [
            {"id": "often", "label": "frequency"},
            {"id": "who", "select": {"how-many": "one-or-more", "choice": ["the owner", "a peer"]}},
        ],
    )
    reply = upload_framework_file(as_officer, data)
    text = main_text(reply)
    assert (
        "1 new text" in text
        and "1 text that can't be imported; left out" in text
        and "2 of 2 ids in it belong" in text
    )
    assert "MAP 1.2 statement: in part part-2, the file does not define parameter gone" in text
    assert "70 assessed but not in the file" in text and "Not complete" in text
    confirm_import(as_officer, preview_fields(reply))
    resolved = "Review [Assignment: frequency] by [Selection (one or more): the owner; a peer]."
    assert held_texts(acting) == {("MAP 1.1", "statement"): resolved}
    page = main_text(as_officer.get(f"frameworks/{RMF}/versions"))
    assert (
        "official texts on 1 id " in page
        and "1 new, 0 changed on 1 id" in page
        and "1 text not importable" in page
    )


def test_a_file_whose_texts_are_all_refused_imports_nothing_and_says_why(as_officer, count_written):
    before = count_written()
    data = oscal_with_parameters(
        "NIST AI RMF 1.0", {"MAP 1.1": "Within {{ insert: param, gone }}."}, []
    )
    text = main_text(upload_framework_file(as_officer, data, then=422))
    assert "None of the file's texts can be imported" in text
    assert "MAP 1.1, statement: in part part-1, the file does not define parameter gone" in text
    assert count_written() == before


@pytest.mark.parametrize(
    "data",
    [
        oscal_catalog({"MAP 1.1": "A {{ b }}", "MAP 1.2": "B."}),
        playbook_file({"MAP 1.1": "A {{ b", "MAP 1.2": "B."}),
    ],
)
def test_no_placeholder_gets_in_from_any_format(as_officer, acting, data):
    reply = upload_framework_file(as_officer, data)
    assert "it has a placeholder without a value" in main_text(reply)
    confirm_import(as_officer, preview_fields(reply))
    assert not any("{{" in text for text in held_texts(acting).values()) and held_texts(acting)


def test_a_previewed_file_is_encrypted_and_deleted_the_night_after_a_day(
    as_officer, acting, monkeypatch
):
    later = clock.now() + timedelta(days=2)
    with acting("compliance_officer") as who:
        folder, store = f"{who.tenant_id.hex}/{storage.PREVIEWS}", storage.store()
    with clock.frozen(later):
        run_nightly_cleanup()  # Remove what other tests left.
    seen = [
        preview_fields(upload_framework_file(as_officer, oscal_catalog({"GOVERN 1.1": text})))
        for text in ("Preview one.", "Preview two.", "Preview three.")
    ]

    def previews():
        return [key for key, _ in store.aged(folder)]

    run_nightly_cleanup()
    assert len(previews()) == len(seen)
    assert all(key.endswith(storage.ENCRYPTED_SUFFIX) for key in previews())
    monkeypatch.setattr(integrity, "MAX_PREVIEWS", 2)
    with clock.frozen(later):
        run_nightly_cleanup()
        assert len(previews()) == 1, "one night deletes so many at most"
        run_nightly_cleanup()
    assert previews() == []
    confirm_import(as_officer, seen[0], then=404)
