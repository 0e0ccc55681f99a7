"""A file for another framework is rejected and named, however similar its ids are."""

import json

import pytest
from sqlalchemy import func, select

from governance.assurance.frameworks.models import FrameworkImport, OfficialText
from governance.foundation.audit.models import AuditEntry
from governance.kernel.data.db import session
from tests.assurance.frameworks.framework_files import (
    RMF,
    confirm_import,
    main_text,
    oscal_catalog,
    playbook_file,
    preview_fields,
    upload_framework_file,
)

OWASP = "owasp-llm-2025"
AI_RMF = "NIST AI Risk Management Framework 1.0"


@pytest.fixture
def count_written(acting):
    """Return a function that counts imports, texts and audit entries."""

    def count() -> tuple[int, ...]:
        with acting("compliance_officer", read_only=True):
            models = (FrameworkImport, OfficialText, AuditEntry)
            return tuple(
                session().scalar(select(func.count()).select_from(model)) or 0 for model in models
            )

    return count


def security_catalog(families=("ac", "au", "mp", "sc"), each=6) -> bytes:
    """Return an invented security catalog whose ids read like those of SP 800-53.

    MP-1 is also a short form of MAP 1.
    """
    groups = [
        {
            "id": family,
            "title": f"Family {family}",
            "controls": [
                {
                    "id": f"{family}-{number}",
                    "title": "An invented control",
                    "params": [{"id": f"{family}-{number}_prm_1", "label": "invented frequency"}],
                    "props": [{"name": "label", "value": f"{family.upper()}-{number}"}],
                    "parts": [
                        {
                            "name": "statement",
                            "prose": f"Check it {{{{ insert: param, {family}-{number}_prm_1 }}}}.",
                        },
                    ],
                }
                for number in range(1, each + 1)
            ],
        }
        for family in families
    ]
    metadata = {"title": "Invented Security Catalog, Revision 9", "version": "9.0"}
    return json.dumps({"catalog": {"metadata": metadata, "groups": groups}}).encode()


def test_a_security_catalog_is_refused_by_name_although_its_mp_1_reads_like_map_1(
    as_officer, count_written
):
    before = count_written()
    text = main_text(upload_framework_file(as_officer, security_catalog(), then=422))
    assert f"(“Invented Security Catalog, Revision 9”) is not {AI_RMF}" in text
    assert "5 of its 24 ids look like that framework's" in text and "Nothing was imported" in text
    assert count_written() == before


def test_one_family_whose_ids_all_look_alike_is_refused_too(as_officer):
    text = main_text(upload_framework_file(as_officer, security_catalog(["mp"], 5), then=422))
    assert f"is not {AI_RMF}" in text and "5 of its 5 ids look like that framework's" in text


def test_short_forms_count_in_a_file_whose_ids_are_mostly_the_frameworks(as_officer):
    text = main_text(
        upload_framework_file(
            as_officer, oscal_catalog({"GV-1.1": "One.", "MP-2.3": "Two.", "MP-1": "Three."})
        )
    )
    assert "3 of 3 ids in it belong to" in text and "3 matched" in text


def test_a_file_of_another_framework_here_is_sent_there(as_officer, count_written):
    before = count_written()
    reply = upload_framework_file(
        as_officer, oscal_catalog({"MAP 1.1": "Ours.", "MAP 1.2": "Ours too."}), key=OWASP, then=422
    )
    text = main_text(reply)
    assert (
        "(“A catalogue”) is not OWASP Top 10 for LLM Applications 2025. 0 of its 2 ids look like"
        " that framework's." in text
    )
    assert f"It fits {AI_RMF}: open that framework and import the file there." in text
    assert f'href="/t/acme/frameworks/{RMF}/import"' in reply.text
    assert count_written() == before


def test_a_playbook_is_the_ai_rmfs_whatever_framework_is_open(as_officer):
    text = main_text(
        upload_framework_file(
            as_officer, playbook_file({"GOVERN 1.1": "About it."}), key="soc2-tsc-2017", then=422
        )
    )
    assert "(“NIST AI RMF Playbook”) is not SOC 2" in text and f"It fits {AI_RMF}" in text


def test_a_title_that_names_another_publication_outweighs_the_ids(as_officer):
    data = oscal_catalog(
        {"GOVERN 1.1": "One.", "MAP 1.1": "Two."}, title="NIST SP 800-53 Revision 5"
    )
    text = main_text(upload_framework_file(as_officer, data, then=422))
    assert f"(“NIST SP 800-53 Revision 5”) is not {AI_RMF}" in text


def test_a_file_that_names_both_publications_is_judged_by_its_ids(as_officer):
    upload_framework_file(
        as_officer, oscal_catalog({"GOVERN 1.1": "One."}, title="NIST AI RMF 1.0 beside SP 800-53")
    )


def test_a_file_with_the_right_title_and_mostly_other_ids_names_them(as_officer):
    data = oscal_catalog(
        {"GOVERN 1.1": "One.", "GOVERN 9.9": "Two.", "XYZ-1": "Three."}, title="NIST AI RMF 1.0"
    )
    text = main_text(upload_framework_file(as_officer, data, then=422))
    assert f"Only 1 of the 3 ids in “NIST AI RMF 1.0” belong to {AI_RMF}" in text
    assert "Unknown ids: GOVERN 9.9, xyz-1" in text


def test_a_file_previewed_for_one_framework_cannot_be_confirmed_for_another(
    as_officer, count_written
):
    fields = preview_fields(upload_framework_file(as_officer, oscal_catalog({"MAP 1.1": "Ours."})))
    before = count_written()
    text = main_text(confirm_import(as_officer, fields, key=OWASP, then=422))
    assert "is not OWASP" in text and "Nothing was imported" in text
    assert count_written() == before


def test_an_unresolved_profile_is_refused_and_says_what_to_import_instead(
    as_officer, count_written
):
    before = count_written()
    data = json.dumps(
        {"profile": {"metadata": {"title": "Invented Baseline"}, "imports": [{"href": "#x"}]}}
    ).encode()
    text = main_text(upload_framework_file(as_officer, data, then=422))
    assert (
        "This is an OSCAL profile (“Invented Baseline”)" in text
        and "Import its resolved catalog instead" in text
    )
    assert count_written() == before


def test_every_real_catalog_of_sp_800_53_is_refused_by_name(shared_data, as_officer, count_written):
    files = sorted((shared_data / "oscal").glob("NIST_SP-800-53*"))
    if not files:
        pytest.skip("NOT TESTED: no catalog or baseline of SP 800-53 is in ../shared/data/oscal")
    before = count_written()
    for path in files:
        text = main_text(upload_framework_file(as_officer, path.read_bytes(), path.name, then=422))
        if path.suffix == ".xml":
            assert "HTML or XML" in text, path.name
        elif path.stem.endswith("_profile"):
            assert "Import its resolved catalog instead" in text, path.name
        else:
            assert (
                "NIST Special Publication 800-53 Revision" in text and f"is not {AI_RMF}" in text
            ), path.name
    assert count_written() == before
